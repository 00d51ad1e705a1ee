//! What checks say of their records, in the reader's words. They are stored in English, with amounts in minor units.

use domain::money::{Currency, Money};
use web_kit::problem::sentence;

use crate::app::reconcile::RecordView;
use crate::web::reason::said_of;
use crate::web::view::View;

/// What is said, and how German says it: `{}` stands for any text, `{m}` for an amount. The narrower stands first.
const SAYINGS: &[(&str, &str)] = &[
    (
        "no head was signed yet",
        "noch kein Stand ist unterschrieben",
    ),
    (
        "the hub did not countersign the newest head",
        "die Zentrale hat den neuesten Stand nicht gegengezeichnet",
    ),
    (
        "the signature of the newest head does not fit",
        "die Unterschrift des neuesten Stands passt nicht",
    ),
    (
        "transactions {} to {} are not in the hub's log",
        "die Einträge {} bis {} fehlen im Protokoll der Zentrale",
    ),
    (
        "the block at {} does not continue the one before",
        "der Block bei {} setzt den vorigen nicht fort",
    ),
    (
        "the bytes of the block at {} are not what the chain says",
        "die Bytes des Blocks bei {} sind nicht, was die Kette sagt",
    ),
    (
        "the word of the day is not at {} in the hub's log",
        "der Tagesabschluss steht im Protokoll der Zentrale nicht bei {}",
    ),
    (
        "the branch's clock was 1 day ahead when it closed the day",
        "die Uhr der Filiale ging beim Tagesabschluss einen Tag vor",
    ),
    (
        "the branch's clock was {} days ahead when it closed the day",
        "die Uhr der Filiale ging beim Tagesabschluss {} Tage vor",
    ),
    (
        "the branch's clock was {} minutes ahead when it closed the day",
        "die Uhr der Filiale ging beim Tagesabschluss {} Minuten vor",
    ),
    (
        "the branch closed a day that is 1 day ahead of this one",
        "die Filiale hat einen Tag abgeschlossen, der einen Tag nach diesem liegt",
    ),
    (
        "the branch closed a day that is {} days ahead of this one",
        "die Filiale hat einen Tag abgeschlossen, der {} Tage nach diesem liegt",
    ),
    (
        "its business day is 1 day ahead of its time",
        "sein Geschäftstag liegt einen Tag nach seiner Zeit",
    ),
    (
        "its business day is 1 day behind of its time",
        "sein Geschäftstag liegt einen Tag vor seiner Zeit",
    ),
    (
        "its business day is {} days ahead of its time",
        "sein Geschäftstag liegt {} Tage nach seiner Zeit",
    ),
    (
        "its business day is {} days behind of its time",
        "sein Geschäftstag liegt {} Tage vor seiner Zeit",
    ),
    (
        "what the hub had then was not kept",
        "was die Zentrale damals hatte, ist nicht aufgehoben",
    ),
    (
        "the documents differ while some were on the way: {} at the branch, {} at the hub",
        "die Dokumente unterscheiden sich, während welche unterwegs waren: {} in der Filiale, {} in der Zentrale",
    ),
    (
        "the documents differ: {} at the branch, {} at the hub",
        "die Dokumente unterscheiden sich: {} in der Filiale, {} in der Zentrale",
    ),
    (
        "the branch counts other pieces than the hub at the same place of the log: {} parts there, {} here",
        "die Filiale zählt an derselben Stelle andere Stücke als die Zentrale: dort {} Teile, hier {}",
    ),
    (
        "{} on hand, its movements come to {}",
        "{} vorhanden, die Bewegungen ergeben {}",
    ),
    (
        "{} set aside, its open reservations come to {}",
        "{} zurückgelegt, die offenen Reservierungen ergeben {}",
    ),
    (
        "{} in transit, its movements come to {}",
        "{} unterwegs, die Bewegungen ergeben {}",
    ),
    ("{} on hand", "{} vorhanden"),
    (
        "{} pieces of part {} are on their way for no transfer",
        "{} Stück des Teils {} sind für keine Umlagerung unterwegs",
    ),
    (
        "its records say that {} pieces are on their way, the ledger says {}",
        "nach den Einträgen sind {} Stück unterwegs, nach dem Buch {}",
    ),
    (
        "{} more arrived than left",
        "{} Stück mehr kamen an, als hinausgingen",
    ),
    (
        "{} of {} pieces were looked for in vain 1 day ago and nobody settled it",
        "{} von {} Stück wurden vor einem Tag vergeblich gesucht, und niemand hat es geklärt",
    ),
    (
        "{} of {} pieces were looked for in vain {} days ago and nobody settled it",
        "{} von {} Stück wurden vor {} Tagen vergeblich gesucht, und niemand hat es geklärt",
    ),
    (
        "on their way for 1 day, pieces: {}",
        "seit einem Tag unterwegs, Stück: {}",
    ),
    (
        "on their way for {} days, pieces: {}",
        "seit {} Tagen unterwegs, Stück: {}",
    ),
    (
        "till {} was not closed at the end of the day",
        "Kasse {} war am Ende des Tages nicht abgeschlossen",
    ),
    (
        "till {}: the day report says that {m} should have been there, its records come to {m}",
        "Kasse {}: Nach dem Tagesbericht hätten {m} da sein sollen, die Einträge ergeben {m}",
    ),
    (
        "what was counted is not what its day report says",
        "gezählt wurde etwas anderes, als der Tagesbericht sagt",
    ),
    (
        "till {}: {m} counted, {m} expected, and nobody said why",
        "Kasse {}: {m} gezählt, {m} erwartet, und niemand sagt warum",
    ),
    (
        "till {}: {m} counted, {m} expected: {}",
        "Kasse {}: {m} gezählt, {m} erwartet: {}",
    ),
    (
        "the bytes of the day report are not what its hash says",
        "die Bytes des Tagesberichts sind nicht, was sein Hash sagt",
    ),
    (
        "day report {} does not carry the hash of the one before",
        "Tagesbericht {} trägt nicht den Hash des vorigen",
    ),
    (
        "the day report before {} is not there",
        "der Tagesbericht vor {} fehlt",
    ),
    (
        "all others: {m} at the branch, {m} at the hub",
        "alle anderen: {m} in der Filiale, {m} in der Zentrale",
    ),
    (
        "{m} at the branch, {m} at the hub",
        "{m} in der Filiale, {m} in der Zentrale",
    ),
    (
        "the accounts come to {m}, not to zero",
        "die Konten ergeben {m}, nicht null",
    ),
    (
        "{} line of {} belongs to nothing",
        "Zeile ({}) von {} gehört zu nichts",
    ),
    (
        "payout {} pays {m} for it, {m} is due",
        "die Auszahlung {} zahlt {m} dafür, {m} steht zu",
    ),
    (
        "{m} was sent, its lines come to {m}",
        "{m} wurde ausgezahlt, die Zeilen ergeben {m}",
    ),
    (
        "captured twice: {m} was asked for, {m} came",
        "doppelt eingezogen: {m} verlangt, {m} gekommen",
    ),
    (
        "captured, and not on the provider's statement",
        "eingezogen, und nicht in der Abrechnung des Anbieters",
    ),
    (
        "the provider's statement has it in another currency",
        "die Abrechnung des Anbieters hat es in einer anderen Währung",
    ),
    (
        "{m} was captured, the provider's statement says {m}",
        "{m} eingezogen, die Abrechnung des Anbieters sagt {m}",
    ),
    (
        "{m} was given back, the provider's statement says {m}",
        "{m} zurückgegeben, die Abrechnung des Anbieters sagt {m}",
    ),
    (
        "{m} is promised, {m} is the limit",
        "{m} zugesagt, {m} ist die Grenze",
    ),
    (
        "promised 1 day ago and not captured",
        "vor einem Tag zugesagt und nicht eingezogen",
    ),
    (
        "promised {} days ago and not captured",
        "vor {} Tagen zugesagt und nicht eingezogen",
    ),
    (
        "{m} came, {m} was given back",
        "{m} gekommen, {m} zurückgegeben",
    ),
    (
        "it came to {m}, {m} was given back",
        "er kam auf {m}, {m} wurden zurückgegeben",
    ),
    (
        "waits for a decision since this day",
        "wartet seit diesem Tag auf eine Entscheidung",
    ),
    (
        "has waited for a decision for 1 day",
        "wartet seit einem Tag auf eine Entscheidung",
    ),
    (
        "has waited for a decision for {} days",
        "wartet seit {} Tagen auf eine Entscheidung",
    ),
    (
        "the provider has not given it back for 1 day",
        "der Anbieter hat es seit einem Tag nicht zurückgegeben",
    ),
    (
        "the provider has not given it back for {} days",
        "der Anbieter hat es seit {} Tagen nicht zurückgegeben",
    ),
    (
        "no papers have the numbers from this to {}: {}",
        "keine Papiere haben die Nummern von dieser bis {}: {}",
    ),
    (
        "no papers have the numbers from this to {}",
        "keine Papiere haben die Nummern von dieser bis {}",
    ),
    (
        "no paper has this number: {}",
        "kein Papier hat diese Nummer: {}",
    ),
    ("no paper has this number", "kein Papier hat diese Nummer"),
    (
        "{} papers have this number",
        "{} Papiere haben diese Nummer",
    ),
    ("{} was due on this day", "{} war an diesem Tag fällig"),
    ("{} was due 1 day ago", "{} war vor einem Tag fällig"),
    ("{} was due {} days ago", "{} war vor {} Tagen fällig"),
    (
        "{} was collected and not invoiced",
        "{} wurde abgeholt und nicht abgerechnet",
    ),
    (
        "differs from its records in {}",
        "weicht von den Einträgen ab in {}",
    ),
    (
        "the balance says {m}, its entries come to {m}",
        "der Saldo sagt {m}, die Buchungen ergeben {m}",
    ),
    ("its bytes do not read", "die Bytes lassen sich nicht lesen"),
    ("its bytes do not add up", "die Bytes gehen nicht auf"),
    (
        "its row differs from its bytes",
        "die Zeile weicht von den Bytes ab",
    ),
    (
        "its entries are not what it comes to",
        "die Buchungen ergeben nicht, worauf er kommt",
    ),
    (
        "records of payments do not read: {}",
        "Einträge von Zahlungen lassen sich nicht lesen: {}",
    ),
];

/// The words of a record.
pub(super) fn detail(view: &View, record: &RecordView) -> String {
    let currency = record.amount.as_ref().map(|(_, currency)| currency);
    let currency: Option<Currency> = currency.and_then(|currency| currency.parse().ok());
    let amount = |minor: &str| match (minor.parse::<i64>(), currency) {
        (Ok(minor), Some(currency)) => money(view, minor, currency),
        _ => minor.to_owned(),
    };
    let said = said_of(SAYINGS, &record.detail, view.language(), &amount);
    said.unwrap_or_else(|| sentence(&record.detail))
}

/// An amount that stands alone.
pub(super) fn money(view: &View, amount_minor: i64, currency: Currency) -> String {
    view.full_amount(Money {
        amount_minor,
        currency,
    })
}

#[cfg(test)]
mod tests {
    use domain::reconcile::CheckState;
    use web_kit::{Language, Screen, WallClock};

    use super::*;

    fn view(language: Language) -> View {
        View {
            clock: WallClock::new("Europe/Berlin", 1_795_172_400_000, language),
            screen: Screen::default(),
        }
    }

    fn said(text: &str, language: Language) -> String {
        let record = RecordView {
            state: CheckState::Red,
            kind: "session".to_owned(),
            subject: String::new(),
            detail: text.to_owned(),
            amount: Some((-900, "EUR".to_owned())),
        };
        detail(&view(language), &record)
    }

    #[test]
    fn amounts_are_amounts_and_reasons_stay() {
        let text = "till 1: 25000 counted, 25900 expected: a ten went missing";
        assert_eq!(
            said(text, Language::English),
            "Till 1: EUR 250.00 counted, EUR 259.00 expected: a ten went missing."
        );
        assert_eq!(
            said(text, Language::German),
            "Kasse 1: EUR 250,00 gezählt, EUR 259,00 erwartet: a ten went missing."
        );
    }

    #[test]
    fn one_day_is_one_day() {
        let text = "BER-2 was due 1 day ago";
        assert_eq!(said(text, Language::English), "BER-2 was due 1 day ago.");
        assert_eq!(
            said(text, Language::German),
            "BER-2 war vor einem Tag fällig."
        );
        let text = "has waited for a decision for 3 days";
        assert_eq!(
            said(text, Language::German),
            "Wartet seit 3 Tagen auf eine Entscheidung."
        );
    }

    #[test]
    fn the_narrower_saying_comes_first() {
        let text = "till 1: 25000 counted, 25900 expected, and nobody said why";
        assert!(said(text, Language::German).ends_with("und niemand sagt warum."));
        let text = "no paper has this number: 2 papers are parked";
        assert!(said(text, Language::German).starts_with("Kein Papier hat diese Nummer: 2"));
        let text = "all others: 1 at the branch, 2 at the hub";
        assert!(said(text, Language::German).starts_with("Alle anderen: EUR 0,01"));
    }
}
