//! The written rules of checks, in the reader's words. English is the domain's own; German stands here beside it.

use domain::reconcile::Check;
use web_kit::Language;
use web_kit::problem::sentence;

/// A rule as a page says it.
#[derive(Debug, Clone)]
pub(super) struct RuleWords {
    pub(super) compares: String,
    pub(super) red: String,
    pub(super) amber: String,
    pub(super) how: String,
}

/// What German says: what is compared, when it is red, when amber, what to do.
const fn german(check: Check) -> [&'static str; 4] {
    match check {
        Check::Log => [
            "das Protokoll der Filiale in der Zentrale, Block für Block bis zu seiner Spitze; der neueste unterschriebene Stand; die Uhr der Filiale",
            "ein Eintrag fehlt, ein Block ist unlesbar oder passt nicht in die Kette, der Tagesabschluss steht nicht an seiner Stelle, ein Stand ist gefälscht oder nicht gegengezeichnet, oder die Uhr ging um mehr als einen Tag falsch",
            "noch kein Stand unterschrieben ist oder die Uhr mehr als zehn Minuten vorging",
            "die Zentrale ganz prüfen; Fehlendes aus der Filiale oder einer Sicherung holen; die Uhr stellen",
        ],
        Check::Documents => [
            "Zahl und Digest der Dokumente der Filiale bei ihrem Tagesabschluss und der Zentrale an derselben Stelle; Hashes einer Stichprobe gegen ihre Spitzen",
            "sie sich unterscheiden, obwohl die Filiale alles hatte, oder der Hash eines Dokuments nicht zu seinen Spitzen passt",
            "sie sich unterscheiden, während Einträge zur Filiale unterwegs waren",
            "die Dokumente beider Seiten über ihre Digests vergleichen; was der Filiale fehlt, kommt, wenn sie von vorn liest",
        ],
        Check::Tables => [
            "Salden mit der Summe ihrer Buchungen; von einer Stichprobe die Zahlungen mit ihren Einträgen und die Belege des Tages mit ihren Buchungen",
            "eine Zeile nicht ist, was ihre Einträge ergeben",
            "nie",
            "die Zentrale ganz prüfen und die Tabelle aus den Protokollen neu bauen",
        ],
        Check::Stock => [
            "Stück und Bewegungen jedes Teils bei Tagesabschluss der Filiale und im Buch der Zentrale an derselben Stelle; Vorhandenes mit der Summe der Bewegungen",
            "sie sich unterscheiden",
            "ein Teil unter null ist",
            "das Teil in der Filiale zählen; das bucht die Differenz",
        ],
        Check::Transit => [
            "Stück zwischen Filialen mit den Umlagerungen, denen sie gehören, und mit dem, was hinausging und ankam",
            "Stück für keine Umlagerung unterwegs sind, die Summen sich unterscheiden, mehr ankam als hinausging, oder Stück vergeblich gesucht wurden oder dreimal überfällig sind und niemand es klärt",
            "eine Sendung überfällig ist",
            "die Umlagerung ansehen und klären",
        ],
        Check::Reserved => [
            "zurückgelegte Stück jedes Teils mit seinen offenen Reservierungen",
            "sie sich unterscheiden",
            "nie",
            "die Zentrale ganz prüfen und die Tabelle aus den Protokollen neu bauen",
        ],
        Check::Cash => [
            "was gezählt wurde mit dem, was da sein sollte, und das mit Wechselgeld, Belegen, Erstattungen und Bewegungen; jeder Tagesbericht mit dem vorigen",
            "nicht da sein sollte, was die Einträge ergeben, eine Differenz keinen Grund hat oder ein Tagesbericht nicht den Hash des vorigen trägt",
            "eine Differenz einen Grund hat oder eine Kasse noch offen ist",
            "die Differenz ist mit ihrem Grund gebucht; die Kasse abschließen; beim Abzeichnen erklären",
        ],
        Check::Ledger => [
            "die Salden der Filiale bei ihrem Tagesabschluss mit den Buchungen der Zentrale an derselben Stelle",
            "ein Konto abweicht oder die Konten einer Währung nicht null ergeben",
            "nie",
            "das Papier finden, das einer Seite fehlt; den Betrag mit einer Berichtigung und Grund richtigstellen",
        ],
        Check::Payments => [
            "was eingezogen und zurückgegeben wurde mit den Zeilen der Abrechnung des Anbieters, Auszahlungen mit ihren Zeilen",
            "ein Einzug zu lange auf der Abrechnung fehlt oder auf einen anderen Betrag oder eine andere Währung kommt; mehr eingezogen als verlangt wurde; eine Zeile zu keiner Zahlung gehört; eine Auszahlung nicht die Summe ihrer Zeilen ist",
            "nie",
            "den Anbieter nach der Zahlung fragen oder sagen, zu welcher Zahlung eine Zeile gehört",
        ],
        Check::Promises => [
            "Kartenzahlungen, die verlangt und nicht eingezogen sind, mit Grenze und Alter der Filiale",
            "mehr zugesagt ist, als die Filiale darf",
            "eine Zusage älter ist, als sie sein darf",
            "die Karte einziehen lassen, das Geld anders nehmen oder die Zusage absagen",
        ],
        Check::Refunds => [
            "was von jeder Zahlung zurückging mit dem, was eingezogen war",
            "mehr zurückging, als kam",
            "eine Erstattung zu lange auf eine Entscheidung oder den Anbieter wartet",
            "die Erstattung entscheiden; den Anbieter fragen, worauf es wartet",
        ],
        Check::Numbers => [
            "Nummern der Belege und Tagesberichte jedes Nummernkreises, von 1 bis zur letzten, die die Filiale vergab",
            "eine Nummer ohne Vorfall fehlt oder zwei Papiere sie haben",
            "eine Nummer fehlt und ein Vorfall sagt warum",
            "das Papier finden; die Lücke beim Abzeichnen erklären",
        ],
        Check::Orders => [
            "abgeholte Aufträge mit ihren Rechnungen; übernommene Aufträge schulden nichts",
            "ein Auftrag, der etwas kostet, abgeholt und nicht abgerechnet wurde",
            "offene Aufträge über ihrem Termin sind",
            "den Auftrag in der Filiale abrechnen",
        ],
    }
}

/// The rule of a check.
pub(super) fn rule_of(check: Check, language: Language) -> RuleWords {
    let rule = check.rule();
    let [compares, red, amber, how] = match language {
        Language::English => [rule.compares, rule.red, rule.amber, rule.how],
        Language::German => german(check),
    };
    RuleWords {
        compares: sentence(compares),
        red: red.to_owned(),
        amber: amber.to_owned(),
        how: sentence(how),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn german_says_never_where_the_rule_does() {
        for check in Check::ALL {
            let rule = check.rule();
            let words = german(*check);
            assert!(words.iter().all(|words| !words.is_empty()), "{check}");
            assert_eq!(rule.amber == "never", words[2] == "nie", "{check}");
        }
    }
}
