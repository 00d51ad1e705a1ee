//! What the rules and the checks say of entries, exceptions and incidents, in the reader's words.
//!
//! They are stored as the rules word them, in English, because programs read them too. What has no words here is shown
//! as it is: a technical detail is better than none.

use web_kit::Language;
use web_kit::fields::field_words;
use web_kit::problem::sentence;

/// What is said, and how German says it. `{}` stands for any text, `{fields}` for paths of fields, `{…}` for what is
/// itself said by a rule.
const SAYINGS: &[(&str, &str)] = &[
    (
        "count this part: its stock is below zero",
        "zählen Sie dieses Teil: Sein Bestand liegt unter null",
    ),
    (
        "another movement with the same business key counts",
        "eine andere Bewegung mit demselben Schlüssel zählt",
    ),
    (
        "the reservation exists already",
        "die Reservierung gibt es schon",
    ),
    (
        "another reservation has this id",
        "eine andere Reservierung hat diese Kennung",
    ),
    (
        "the reservation that ends here is unknown",
        "die Reservierung, die hier endet, ist unbekannt",
    ),
    (
        "the reservation ended already",
        "die Reservierung endete schon",
    ),
    (
        "the transfer was shipped already",
        "die Umlagerung wurde schon verschickt",
    ),
    ("goods left without a plan", "Ware ging ohne Plan hinaus"),
    (
        "an arrival with this number was reported already",
        "eine Ankunft mit dieser Nummer wurde schon gemeldet",
    ),
    (
        "the goods left although the transfer was called off",
        "die Ware ging hinaus, obwohl die Umlagerung abgesagt war",
    ),
    (
        "{} pieces that were written off arrived",
        "{} abgeschriebene Stück sind angekommen",
    ),
    (
        "people must decide where this order stands",
        "jemand muss entscheiden, wo dieser Auftrag steht",
    ),
    (
        "different values for {fields}",
        "verschiedene Werte: {fields}",
    ),
    (
        "order {} has the number {} as well",
        "der Auftrag {} hat die Nummer {} ebenfalls",
    ),
    ("the branch is unknown", "die Filiale ist unbekannt"),
    (
        "the entry is not in its log",
        "der Eintrag steht nicht in seinem Protokoll",
    ),
    (
        "needs a newer hub: item kind {}",
        "braucht eine neuere Zentrale: Art {}",
    ),
    (
        "the database refuses it: {}",
        "die Datenbank nimmt es nicht an: {}",
    ),
    ("item {}: {…}", "Teil {}: {…}"),
    (
        "the document cannot be read: {…}",
        "das Dokument lässt sich nicht lesen: {…}",
    ),
    (
        "a reservation names a part and 1 to 1000000 pieces",
        "eine Reservierung nennt ein Teil und 1 bis 1.000.000 Stück",
    ),
    (
        "a quantity is a whole number from 1 to 1000000",
        "eine Menge ist eine ganze Zahl von 1 bis 1.000.000",
    ),
    (
        "a movement of kind {} runs between other accounts",
        "eine Bewegung der Art {} läuft zwischen anderen Konten",
    ),
    (
        "a movement of kind {} names what it belongs to",
        "eine Bewegung der Art {} nennt, wozu sie gehört",
    ),
    (
        "a movement names a branch and a part",
        "eine Bewegung nennt Filiale und Teil",
    ),
    ("the reason {…}", "der Grund {…}"),
    (
        "{}: documents of this kind have no such path",
        "{}: Dokumente dieser Art haben diese Stelle nicht",
    ),
    (
        "{}: may not be written in this capacity ({})",
        "{}: darf in dieser Rolle nicht geschrieben werden ({})",
    ),
    (
        "{}: is written only by the change that creates the document",
        "{}: wird nur beim Anlegen des Dokuments geschrieben",
    ),
    (
        "{}: is written only by the change that makes the entry",
        "{}: wird nur mit dem Eintrag selbst geschrieben",
    ),
    ("{}: cannot be removed", "{}: lässt sich nicht entfernen"),
    ("{}: is missing in the change", "{}: fehlt in der Änderung"),
    (
        "{}: no such place: a path has one to four keys",
        "{}: diese Stelle gibt es nicht: ein Pfad hat einen bis vier Schlüssel",
    ),
    ("{} cannot be read", "{} lässt sich nicht lesen"),
    ("{} is missing", "{} fehlt"),
    (
        "the change does not scan: {…}",
        "die Änderung ist nicht wohlgeformt: {…}",
    ),
    (
        "the change does not parse: {…}",
        "die Änderung lässt sich nicht lesen: {…}",
    ),
    (
        "the change's actor is not its entry's node and epoch",
        "die Änderung nennt einen anderen Schreiber als ihr Eintrag",
    ),
    (
        "the change has number {} of its actor, {} comes next",
        "die Änderung hat die Nummer {} ihres Schreibers, {} wäre die nächste",
    ),
    (
        "the change starts at operation {}, {} follows its dependencies",
        "die Änderung beginnt bei Schritt {}, {} folgt auf ihre Vorgänger",
    ),
    (
        "the change depends on {} which is not here",
        "die Änderung beruht auf {}, das hier fehlt",
    ),
    (
        "the change's dependencies leave out its actor's former change",
        "die Änderung lässt die vorige ihres Schreibers aus",
    ),
    (
        "the change names document kind {}, which is not this document's",
        "die Änderung nennt die Dokumentart {}, die dieses Dokument nicht hat",
    ),
    ("the document is not here", "das Dokument ist nicht hier"),
    (
        "the document exists already and the change begins a new one",
        "das Dokument gibt es schon, und die Änderung beginnt ein neues",
    ),
    (
        "the document belongs to another branch",
        "das Dokument gehört einer anderen Filiale",
    ),
    (
        "the document has too many entries",
        "das Dokument hat zu viele Einträge",
    ),
    (
        "the document would have {} bytes, the limit is {}",
        "das Dokument hätte {} Bytes, die Grenze ist {}",
    ),
    (
        "applying the change failed: {}",
        "die Änderung ließ sich nicht anwenden: {}",
    ),
    (
        "the change is not canonical: Automerge gives other bytes back for it",
        "die Änderung ist nicht in ihrer festen Form: Automerge gibt andere Bytes dafür zurück",
    ),
    (
        "the chunk does not begin with Automerge's magic bytes",
        "sie beginnt nicht wie eine Änderung von Automerge",
    ),
    (
        "the checksum does not match the content",
        "die Prüfsumme passt nicht zum Inhalt",
    ),
    (
        "the body length does not match the bytes that follow",
        "die Länge passt nicht zu den Bytes, die folgen",
    ),
    ("the bytes end too early: {}", "die Bytes enden zu früh: {}"),
    ("{} bytes too many behind {}", "{} Bytes zu viel hinter {}"),
    (
        "{} has the unknown value {}",
        "{} hat den unbekannten Wert {}",
    ),
    ("{} is {}, the limit is {}", "{} ist {}, die Grenze ist {}"),
    (
        "the machine says Hello in an epoch that it had left: its database may be a clone",
        "der Rechner meldet sich in einer Epoche, die er verlassen hatte: Seine Datenbank ist vielleicht eine Kopie",
    ),
    (
        "a head that the machine did not sign",
        "ein Stand, den der Rechner nicht unterschrieben hat",
    ),
    (
        "the machine signed another log than the hub has",
        "der Rechner hat ein anderes Protokoll unterschrieben, als die Zentrale hat",
    ),
    (
        "the machine counts other stock than the hub does at the same position",
        "der Rechner zählt an derselben Stelle anderen Bestand als die Zentrale",
    ),
    (
        "a key of a person that the branch does not serve",
        "ein Schlüssel einer Person, die die Filiale nicht bedient",
    ),
    (
        "another key for a person who has one",
        "ein anderer Schlüssel für eine Person, die schon einen hat",
    ),
    (
        "the entries do not continue the machine's log",
        "die Einträge setzen das Protokoll des Rechners nicht fort",
    ),
    (
        "the machine went back to an epoch that it had left",
        "der Rechner ging in eine Epoche zurück, die er verlassen hatte",
    ),
    ("must not be empty", "darf nicht leer sein"),
    (
        "must not be longer than {} bytes",
        "darf höchstens {} Bytes lang sein",
    ),
    (
        "must not contain control characters",
        "darf keine Steuerzeichen enthalten",
    ),
    ("must be {}", "muss sein: {}"),
    ("row {}: {…}", "Zeile {}: {…}"),
    ("the file is not UTF-8", "die Datei ist nicht UTF-8"),
    (
        "the header must name `{}` once",
        "die Kopfzeile muss „{}“ einmal nennen",
    ),
    (
        "it has {} values and the header {}",
        "sie hat {} Werte und die Kopfzeile {}",
    ),
    (
        "`booked_on` is a day such as 2026-11-22 or 22.11.2026",
        "„booked_on“ ist ein Tag wie 2026-11-22 oder 22.11.2026",
    ),
    (
        "`reference` is the bank's own name of the line, 1 to 200 letters",
        "„reference“ ist der Name der Zeile bei der Bank, 1 bis 200 Zeichen",
    ),
    (
        "`reference` is that of row {}, and the rows differ",
        "„reference“ ist die der Zeile {}, und die Zeilen sind verschieden",
    ),
    (
        "`amount` is a number such as 1234.56 or -1.234,56, and not 0",
        "„amount“ ist eine Zahl wie 1234.56 oder -1.234,56, und nicht 0",
    ),
    (
        "`currency` is three letters such as EUR",
        "„currency“ ist ein Kürzel aus drei Buchstaben wie EUR",
    ),
    (
        "the provider does not let us: {}",
        "der Anbieter lässt uns nicht: {}",
    ),
    ("it did not go back: {}", "es ging nicht zurück: {}"),
    (
        "the outcome is unknown: {}",
        "das Ergebnis ist unbekannt: {}",
    ),
    ("unavailable: {}", "nicht erreichbar: {}"),
    (
        "more came than was asked for; give the rest back",
        "es kam mehr, als verlangt war; den Rest zurückgeben",
    ),
    (
        "it was called off and came all the same; give it back",
        "es war abgesagt und kam trotzdem; zurückgeben",
    ),
    (
        "no provider is set up for this tender",
        "für diese Zahlungsart ist kein Anbieter eingerichtet",
    ),
    (
        "the checks still refuse it: {…}",
        "die Prüfung lehnt es noch immer ab: {…}",
    ),
    (
        "the database still refuses it",
        "die Datenbank lehnt es noch immer ab",
    ),
    (
        "log of {}: transactions {} to {} were asked for again, {} put back, {} damaged blocks taken out",
        "Protokoll von {}: Vorgänge {} bis {} neu angefordert, {} wieder eingefügt, {} beschädigte Blöcke entfernt",
    ),
    (
        "entries {} did not come back: {…}",
        "die Einträge {} kamen nicht zurück: {…}",
    ),
    (
        "the machine does not have them either",
        "der Rechner hat sie auch nicht",
    ),
    (
        "what the machine sent does not come to the hash that is known here",
        "was der Rechner schickte, ergibt nicht die hier bekannte Prüfsumme",
    ),
    (
        "the machine sent more than an answer may hold",
        "der Rechner schickte mehr, als eine Antwort fassen darf",
    ),
];

/// What was said, as a sentence in the reader's language.
pub(crate) fn said(text: &str, language: Language) -> String {
    sentence(&clause(text, language))
}

/// What one of these sayings says in the reader's language; `{m}` stands for an amount, which `amount` words. None where
/// none of them fits.
pub(crate) fn said_of(
    sayings: &[(&str, &str)],
    text: &str,
    language: Language,
    amount: &dyn Fn(&str) -> String,
) -> Option<String> {
    sayings.iter().find_map(|(english, german)| {
        let holes = taken(english, text)?;
        let words = match language {
            Language::English => english,
            Language::German => german,
        };
        let mut said = String::new();
        let mut rest: &str = words;
        for inside in holes {
            let (start, end) = hole(rest)?;
            said.push_str(&rest[..start]);
            if &rest[start..end] == "{m}" {
                said.push_str(&amount(inside));
            } else {
                said.push_str(inside);
            }
            rest = &rest[end..];
        }
        said.push_str(rest);
        Some(sentence(&said))
    })
}

fn clause(text: &str, language: Language) -> String {
    let found = SAYINGS.iter().find_map(|(english, german)| {
        let holes = taken(english, text)?;
        let words = match language {
            Language::English => english,
            Language::German => german,
        };
        Some((*words, holes))
    });
    let Some((words, holes)) = found else {
        return text.to_owned();
    };
    filled(words, &holes, language)
}

/// The next hole of a saying: where it begins, and where it ends.
fn hole(words: &str) -> Option<(usize, usize)> {
    let start = words.find('{')?;
    let end = words[start..].find('}')?;
    Some((start, start + end + 1))
}

/// What stands in the holes of `saying`, where `text` is said by it.
fn taken<'a>(saying: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let Some((start, end)) = hole(saying) else {
        return (saying == text).then(Vec::new);
    };
    let rest = text.strip_prefix(&saying[..start])?;
    let behind = &saying[end..];
    let next = hole(behind).map_or(behind.len(), |(start, _)| start);
    let mark = &behind[..next];
    let at = if mark.is_empty() {
        rest.len()
    } else if next == behind.len() {
        rest.len().checked_sub(mark.len())?
    } else {
        rest.find(mark)?
    };
    let (inside, rest) = rest.split_at_checked(at)?;
    if inside.is_empty() {
        return None;
    }
    let mut holes = vec![inside];
    holes.extend(taken(behind, rest)?);
    Some(holes)
}

fn filled(words: &str, holes: &[&str], language: Language) -> String {
    let mut said = String::new();
    let mut rest = words;
    for inside in holes {
        let Some((start, end)) = hole(rest) else {
            break;
        };
        said.push_str(&rest[..start]);
        match &rest[start..end] {
            "{fields}" => said.push_str(&fields(inside, language)),
            "{…}" => said.push_str(&clause(inside, language)),
            _ => said.push_str(inside),
        }
        rest = &rest[end..];
    }
    said.push_str(rest);
    said
}

/// Fields by their names, each once.
fn fields(paths: &str, language: Language) -> String {
    let mut names: Vec<String> = Vec::new();
    for path in paths.split(", ") {
        let keys: Vec<String> = path.split('/').map(str::to_owned).collect();
        let name = field_words(language, &keys);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_saying_has_its_holes_in_both_languages() {
        let holes = |words: &str| {
            let mut rest = words;
            let mut found = Vec::new();
            while let Some((start, end)) = hole(rest) {
                found.push(rest[start..end].to_owned());
                rest = &rest[end..];
            }
            found
        };
        for (english, german) in SAYINGS {
            assert_eq!(holes(english), holes(german), "{english}");
        }
    }

    #[test]
    fn what_rules_say_is_said_in_german() {
        let german = |text| said(text, Language::German);
        assert_eq!(
            german("the reservation ended already"),
            "Die Reservierung endete schon."
        );
        assert_eq!(
            german("item 3: device/fault: cannot be removed"),
            "Teil 3: device/fault: lässt sich nicht entfernen."
        );
        assert_eq!(
            german("the change has number 4 of its actor, 3 comes next"),
            "Die Änderung hat die Nummer 4 ihres Schreibers, 3 wäre die nächste."
        );
        assert_eq!(
            german("different values for device/fault, diagnosis"),
            "Verschiedene Werte: Fehler, Diagnose."
        );
        assert_eq!(german("something new happened"), "Something new happened.");
        assert_eq!(
            said("different values for device/fault", Language::English),
            "Different values for Fault."
        );
    }
}
