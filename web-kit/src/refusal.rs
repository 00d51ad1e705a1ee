//! What refusals, incidents and parked entries say, in the reader's language.
//!
//! The inside of the programs judges in English, and some of its sentences are kept for years in logs and tables. Here
//! each of them stands beside its German; a sentence that is not here is shown as it was written, never hidden.

use std::borrow::Cow;

use crate::language::Language;
use crate::problem::sentence;

/// English and German; `{1}` to `{9}` stand for what a sentence names, in the order of the English.
const SENTENCES: &[(&str, &str)] = &[
    // Problems by their kind.
    ("Not allowed", "Nicht erlaubt"),
    (
        "The role {1} may not do this at a branch",
        "Die Rolle {1} darf das in einer Filiale nicht",
    ),
    (
        "The role {1} may not do this",
        "Die Rolle {1} darf das nicht",
    ),
    ("Unknown", "Nicht gefunden"),
    ("Not Found", "Nicht gefunden"),
    ("Nothing is at {1}", "Unter {1} ist nichts"),
    ("Not signed in", "Nicht angemeldet"),
    (
        "This user name and password do not belong together",
        "Benutzername und Passwort gehören nicht zusammen",
    ),
    (
        "Sign in first. A session ends after a while without use",
        "Bitte zuerst anmelden. Eine Sitzung endet nach einer Weile ohne Nutzung",
    ),
    ("Changed meanwhile", "Inzwischen geändert"),
    (
        "This was changed since it was read. Read it again and repeat",
        "Es wurde geändert, seit es gelesen wurde. Bitte neu laden und wiederholen",
    ),
    ("Too large", "Zu groß"),
    (
        "The body may have {1} bytes at most",
        "Es dürfen höchstens {1} Bytes sein",
    ),
    ("Readable but wrong", "Lesbar, aber falsch"),
    ("Nothing was changed", "Nichts wurde geändert"),
    (
        "The request cannot be read",
        "Die Anfrage lässt sich nicht lesen",
    ),
    (
        "The form has no key. Open the page again",
        "Das Formular hat keinen Schlüssel. Bitte die Seite neu öffnen",
    ),
    (
        "This key belongs to another request",
        "Dieser Schlüssel gehört zu einer anderen Anfrage",
    ),
    (
        "The Idempotency-Key was used with another route or body. Nothing was changed",
        "Dieses Formular wurde schon mit anderen Eingaben gesandt. Nichts wurde geändert",
    ),
    ("Too many tries", "Zu viele Versuche"),
    ("Try again in {1} s", "In {1} s geht es wieder"),
    ("Not available now", "Gerade nicht möglich"),
    ("Missing at the moment: {1}", "Im Augenblick fehlt: {1}"),
    ("room on the disk", "Platz auf der Platte"),
    (
        "room in the queue of writes",
        "Platz in der Schreibschlange",
    ),
    (
        "a sure answer of the disk; repeat with the same Idempotency-Key",
        "eine sichere Antwort der Platte; bitte wiederholen",
    ),
    (
        "the store; this program is ending",
        "die Datenbank; das Programm wird gerade beendet",
    ),
    (
        "the program, which is ending; repeat the import later",
        "das Programm, das gerade beendet wird; die Übernahme später wiederholen",
    ),
    ("Internal Server Error", "Das Programm ist gescheitert"),
    (
        "The program failed at this request. The cause is in its log",
        "Das Programm ist an dieser Anfrage gescheitert. Die Ursache steht in seinem Protokoll",
    ),
    ("Method Not Allowed", "So nicht möglich"),
    ("{1} does not take {2}", "{1} nimmt {2} nicht an"),
    (
        "This request was made by a page of another site",
        "Diese Anfrage kam von einer fremden Seite",
    ),
    (
        "The state of things does not allow it",
        "Der Stand der Dinge lässt es nicht zu",
    ),
    (
        "The order cannot be moved there",
        "Der Auftrag kann nicht dorthin",
    ),
    ("Not enough is free", "Es ist nicht genug frei"),
    ("Answered already", "Schon beantwortet"),
    ("Used already", "Schon verbraucht"),
    ("The order is closed", "Der Auftrag ist abgeschlossen"),
    (
        "The upload broke off. Nothing was written; upload the file again",
        "Das Hochladen brach ab. Nichts wurde geschrieben; bitte die Datei noch einmal hochladen",
    ),
    (
        "This file was put away. Upload it again",
        "Diese Datei wurde weggelegt. Bitte noch einmal hochladen",
    ),
    // What is not there.
    (
        "There is no such order",
        "Diesen Auftrag gibt es hier nicht",
    ),
    (
        "There is no such customer here",
        "Diesen Kunden gibt es hier nicht",
    ),
    (
        "There is no such customer",
        "Diesen Kunden gibt es hier nicht",
    ),
    ("There is no such part", "Dieses Teil gibt es nicht"),
    (
        "There is no such transfer",
        "Diese Umlagerung gibt es nicht",
    ),
    ("There is no such line", "Diese Zeile gibt es nicht"),
    (
        "There is no such estimate",
        "Diesen Kostenvoranschlag gibt es nicht",
    ),
    ("There is no such step", "Diesen Schritt gibt es nicht"),
    (
        "There is no such visit here",
        "Diesen Besuch gibt es hier nicht",
    ),
    ("There is no such {1}", "Das gibt es hier nicht: {1}"),
    // Fields.
    ("must not be empty", "darf nicht leer sein"),
    (
        "must not be empty: every device becomes an order",
        "darf nicht leer sein: jedes Gerät wird ein Auftrag",
    ),
    (
        "must not be longer than {1} bytes",
        "darf höchstens {1} Zeichen lang sein",
    ),
    (
        "must not contain control characters",
        "darf keine Steuerzeichen enthalten",
    ),
    (
        "must not have more than {1} entries",
        "darf höchstens {1} Einträge haben",
    ),
    (
        "must not have more than {1} lines",
        "darf höchstens {1} Zeilen haben",
    ),
    (
        "must not be more than {1}; begin another visit",
        "darf höchstens {1} sein; bitte einen weiteren Besuch beginnen",
    ),
    ("must not be more than {1}", "darf höchstens {1} sein"),
    ("must not be below zero", "darf nicht unter null sein"),
    (
        "must be a whole number from {1} to {2}",
        "muss eine ganze Zahl von {1} bis {2} sein",
    ),
    ("must be from {1} to {2}", "muss von {1} bis {2} sein"),
    (
        "must be an amount from {1} to {2}",
        "muss ein Betrag von {1} bis {2} sein",
    ),
    (
        "must be how many pieces were counted, from 0 to 1000000",
        "muss die gezählte Stückzahl sein, von 0 bis 1000000",
    ),
    (
        "must be given while the order has no lines",
        "wird gebraucht, solange der Auftrag keine Zeilen hat",
    ),
    (
        "must be given for a line that is not a part",
        "wird für eine Zeile gebraucht, die kein Teil ist",
    ),
    (
        "must be given: the catalogue has a price in {1}, the order is in {2}",
        "wird gebraucht: der Katalog hat einen Preis in {1}, der Auftrag ist in {2}",
    ),
    (
        "must be a time in the years 0 to 9999",
        "muss eine Zeit in den Jahren 0 bis 9999 sein",
    ),
    ("stands here twice", "steht hier doppelt"),
    ("an amount is out of range", "der Betrag ist zu groß"),
    ("the amount is out of range", "der Betrag ist zu groß"),
    ("the order is in {1}", "der Auftrag ist in {1}"),
    ("no branch has this code", "keine Filiale hat dieses Kürzel"),
    (
        "no part of the catalogue has this sku or barcode",
        "kein Teil des Katalogs hat diese Nummer oder diesen Barcode",
    ),
    (
        "no part of the catalogue has this sku",
        "kein Teil des Katalogs hat diese Nummer",
    ),
    (
        "no part has this number or barcode",
        "kein Teil hat diese Nummer oder diesen Barcode",
    ),
    (
        "nobody with this id works at this branch",
        "niemand mit dieser Kennung arbeitet in dieser Filiale",
    ),
    (
        "there is no such preset any more",
        "diese Vorlage gibt es nicht mehr",
    ),
    (
        "give a customer who is known or a new one, not both",
        "entweder ein bekannter oder ein neuer Kunde, nicht beides",
    ),
    (
        "is too long or holds control characters",
        "ist zu lang oder enthält Steuerzeichen",
    ),
    ("This is no amount", "Das ist kein Betrag"),
    ("This is no date and hour", "Das ist kein Tag mit Uhrzeit"),
    ("This is no whole number", "Das ist keine ganze Zahl"),
    // What the state of things does not allow.
    (
        "only {1} are free here, {2} are wanted",
        "nur {1} sind hier frei, {2} werden gebraucht",
    ),
    ("only {1} pieces are there", "nur {1} Stück sind da"),
    (
        "only {1} more are on their way",
        "nur {1} sind noch unterwegs",
    ),
    ("only {1} can be here", "hier können nur {1} sein"),
    (
        "somebody else changed it since the form was opened",
        "jemand anderes hat es geändert, seit das Formular offen ist",
    ),
    (
        "this estimate was answered already; make a new one",
        "dieser Kostenvoranschlag ist schon beantwortet; bitte einen neuen machen",
    ),
    (
        "the pieces of this line were used up; they cannot be changed any more",
        "die Teile dieser Zeile sind verbraucht; sie bleibt, wie sie ist",
    ),
    (
        "no piece of this line is used up",
        "von dieser Zeile ist nichts verbraucht",
    ),
    (
        "the pieces were used at another branch",
        "die Teile wurden in einer anderen Filiale verbraucht",
    ),
    (
        "the order belongs to another branch, which moves it",
        "der Auftrag gehört einer anderen Filiale; sie bewegt ihn",
    ),
    (
        "this is done by the other branch",
        "das tut die andere Filiale",
    ),
    (
        "a transfer that is {1} cannot be {2}",
        "die Umlagerung ist schon weiter",
    ),
    (
        "the transfer has no such part",
        "dieses Teil gehört nicht zur Umlagerung",
    ),
    (
        "several steps contradict each other; say which one to take back in event_id",
        "mehrere Schritte widersprechen einander; bitte unter Entscheidungen wählen",
    ),
    (
        "this step was undone already, or is the one that the order began with",
        "dieser Schritt ist schon zurückgenommen oder der erste des Auftrags",
    ),
    (
        "the order takes no more entries",
        "der Auftrag nimmt keine weiteren Einträge auf",
    ),
    (
        "this customer was merged into another; change that one",
        "dieser Kunde wurde mit einem anderen zusammengeführt; bitte jenen ändern",
    ),
    (
        "the key to this person's values is not at this branch yet; it comes with the line to the hub",
        "der Schlüssel zu den Daten dieser Person ist noch nicht hier; er kommt mit der Leitung zur Zentrale",
    ),
    (
        "the key to this person's values is not at this branch yet",
        "der Schlüssel zu den Daten dieser Person ist noch nicht hier",
    ),
    (
        "only texts can be kept both; choose one of the values",
        "nur Texte lassen sich beide behalten; bitte einen Wert wählen",
    ),
    // The till.
    (
        "There is no such receipt",
        "Diesen Beleg gibt es hier nicht",
    ),
    (
        "There is no such cash session",
        "Diese Kassenschicht gibt es nicht",
    ),
    ("There is no such payment", "Diese Zahlung gibt es nicht"),
    ("There is no such refund", "Diese Erstattung gibt es nicht"),
    (
        "only a payment that was not taken can be called off",
        "nur eine Zahlung, die noch nicht eingezogen ist, lässt sich absagen",
    ),
    (
        "this till has an open cash session; count and close it first",
        "diese Kasse ist schon offen; bitte zuerst zählen und schließen",
    ),
    (
        "this cash session is closed; its day report stands",
        "diese Kassenschicht ist geschlossen; ihr Abschluss steht",
    ),
    (
        "there is not so much in the drawer",
        "so viel ist nicht in der Lade",
    ),
    (
        "the order is invoiced already; give money back by a refund",
        "der Auftrag ist schon abgerechnet; Geld geht als Erstattung zurück",
    ),
    (
        "only what is ready is handed over; take a deposit, or move it first",
        "nur Fertiges wird ausgegeben; bitte eine Anzahlung nehmen oder ihn zuerst bewegen",
    ),
    (
        "the order belongs to another branch, which takes its money",
        "der Auftrag gehört einer anderen Filiale; sie nimmt sein Geld",
    ),
    (
        "the order is priced in another currency",
        "der Preis des Auftrags steht in einer anderen Währung",
    ),
    (
        "the part is priced in another currency",
        "der Preis des Teils steht in einer anderen Währung",
    ),
    (
        "nothing of this payment is left to give back",
        "von dieser Zahlung ist nichts mehr zu erstatten",
    ),
    (
        "is more than is left of this payment",
        "ist mehr, als von dieser Zahlung übrig ist",
    ),
    (
        "the hub has not said yes to this refund",
        "die Zentrale hat dieser Erstattung nicht zugesagt",
    ),
    (
        "the hub said yes to another refund; ask for this one",
        "die Zentrale hat einer anderen Erstattung zugesagt; bitte diese anfragen",
    ),
    (
        "only {1} are left to give back",
        "nur {1} sind noch zu erstatten",
    ),
    (
        "the tenders do not come to what is due",
        "die Zahlungen ergeben nicht, was zu zahlen ist",
    ),
    (
        "no more can stay in the drawer than was counted",
        "mehr, als gezählt wurde, kann nicht in der Lade bleiben",
    ),
    (
        "the amount must be above zero",
        "der Betrag muss über null liegen",
    ),
    // Incidents of a branch.
    (
        "the hub ended the session: {1}",
        "die Zentrale hat die Verbindung beendet: {1}",
    ),
    (
        "the hub sent what is not the protocol: {1}",
        "die Zentrale hat gesendet, was nicht zum Protokoll gehört: {1}",
    ),
    (
        "the hub holds this node: {1}",
        "die Zentrale hält diesen Rechner an: {1}",
    ),
    (
        "the hub had stored {1} and has {2} now: its database went back in time",
        "die Zentrale hatte {1} gespeichert und hat jetzt {2}: ihre Datenbank ging in der Zeit zurück",
    ),
    (
        "entries {1} to {2} of the {3} feed were asked of the hub again, {4} of them were lost or damaged here and are put back",
        "Einträge {1} bis {2} des Feeds {3} wurden bei der Zentrale nachgefordert, {4} davon fehlten hier oder waren beschädigt und stehen wieder da",
    ),
    (
        "entries {1} to {2} of the {3} feed are lost here and did not come back: {4}",
        "Einträge {1} bis {2} des Feeds {3} fehlen hier und kamen nicht zurück: {4}",
    ),
    (
        "the log ends at {1} and was further before: the database was restored",
        "das Log endet bei {1} und war schon weiter: die Datenbank wurde wiederhergestellt",
    ),
    (
        "entry {1} of the {2} feed (transaction {3}) could not be applied in full: {4} of its items are parked",
        "Eintrag {1} des Stroms {2} (Vorgang {3}) ließ sich nicht ganz anwenden: {4} seiner Teile sind abgestellt",
    ),
    (
        "a commit failed; a new epoch begins",
        "ein Schreiben schlug fehl; eine neue Epoche beginnt",
    ),
    (
        "a write failed inside with a panic",
        "ein Schreiben brach im Innern ab; nichts davon wurde geschrieben",
    ),
    // Reasons of parked entries.
    ("{1} is missing", "{1} fehlt"),
    ("{1} cannot be read", "{1} lässt sich nicht lesen"),
    (
        "{1}: documents of this kind have no such path",
        "{1}: Dokumente dieser Art haben keine solche Stelle",
    ),
    (
        "{1}: is written only by the change that creates the document",
        "{1}: schreibt nur, wer das Dokument anlegt",
    ),
    (
        "{1}: is written only by the change that makes the entry",
        "{1}: schreibt nur, wer den Eintrag anlegt",
    ),
    ("{1}: cannot be removed", "{1}: kann nicht entfernt werden"),
    (
        "{1}: is missing in the change",
        "{1}: fehlt in der Änderung",
    ),
    (
        "{1}: may not be written in this capacity ({2})",
        "{1}: darf in dieser Eigenschaft nicht geschrieben werden ({2})",
    ),
    (
        "a quantity is a whole number from 1 to 1000000",
        "eine Stückzahl ist eine ganze Zahl von 1 bis 1000000",
    ),
    (
        "a movement of kind {1} runs between other accounts",
        "eine Bewegung der Art {1} läuft zwischen anderen Konten",
    ),
    (
        "a movement of kind {1} names what it belongs to",
        "eine Bewegung der Art {1} nennt, wozu sie gehört",
    ),
    (
        "a movement names a branch and a part",
        "eine Bewegung nennt eine Filiale und ein Teil",
    ),
    (
        "the document has too many entries",
        "das Dokument hat zu viele Einträge",
    ),
];

/// A sentence of the inside as the reader's language says it; one that is not known stays as it is.
pub fn said(language: Language, text: &str) -> Cow<'_, str> {
    if language == Language::English {
        return Cow::Borrowed(text);
    }
    match translated(text) {
        Some(german) => Cow::Owned(german),
        None => Cow::Borrowed(text),
    }
}

fn translated(text: &str) -> Option<String> {
    let bare = text.trim_end_matches('.');
    let small = with_small_start(bare);
    let (named, german) = SENTENCES.iter().find_map(|(english, german)| {
        let named = named_by(english, bare).or_else(|| named_by(english, &small))?;
        Some((named, *german))
    })?;
    let mut filled = german.to_owned();
    for (at, value) in named.iter().enumerate() {
        // What is named may be such a sentence itself: why a line was ended, what is missing.
        let value = translated(value).unwrap_or_else(|| value.clone());
        filled = filled.replace(&format!("{{{}}}", at + 1), value.trim_end_matches('.'));
    }
    let is_sentence = text.ends_with('.');
    Some(if is_sentence {
        sentence(&filled)
    } else {
        filled
    })
}

fn with_small_start(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_lowercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// What a text names where a sentence has its places, if it is that sentence.
fn named_by(sentence: &str, text: &str) -> Option<Vec<String>> {
    let mut named = Vec::new();
    let mut rest = text;
    let mut pieces = sentence.split('{');
    rest = rest.strip_prefix(pieces.next()?)?;
    for piece in pieces {
        let behind = piece.split_once('}')?.1;
        let end = if behind.is_empty() {
            rest.len()
        } else {
            rest.find(behind)?
        };
        let value = rest.get(..end).filter(|value| !value.is_empty())?;
        named.push(value.to_owned());
        rest = rest.get(end + behind.len()..)?;
    }
    rest.is_empty().then_some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_sentence_is_said_in_german_with_what_it_names() {
        let german = |text| said(Language::German, text).into_owned();
        assert_eq!(german("must not be empty"), "darf nicht leer sein");
        assert_eq!(german("Must not be empty."), "Darf nicht leer sein.");
        assert_eq!(
            german("Only 2 are free here, 3 are wanted."),
            "Nur 2 sind hier frei, 3 werden gebraucht."
        );
        assert_eq!(
            german("There is no such order."),
            "Diesen Auftrag gibt es hier nicht."
        );
        assert_eq!(
            german("Missing at the moment: room on the disk."),
            "Im Augenblick fehlt: Platz auf der Platte."
        );
        assert_eq!(german("never heard of it"), "never heard of it");
        assert_eq!(
            said(Language::English, "must not be empty"),
            "must not be empty"
        );
    }

    #[test]
    fn both_languages_name_the_same() {
        let places = |text: &str| {
            let mut places: Vec<char> = text
                .match_indices('{')
                .filter_map(|(at, _)| text[at + 1..].chars().next())
                .collect();
            places.sort_unstable();
            places
        };
        for (english, german) in SENTENCES {
            // A state's name in English says nothing to a German reader and may be left out.
            let may_leave_out = english.starts_with("a transfer that is");
            assert!(
                places(english) == places(german) || may_leave_out,
                "{english}"
            );
            assert!(
                !german.ends_with('.') && !english.ends_with('.'),
                "{english}"
            );
        }
    }
}
