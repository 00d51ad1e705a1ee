//! The words of stock.

use domain::stock::MovementKind;
use web_kit::Language;

use crate::app::stock::Term;

web_kit::catalogue! {
    /// What the pages of stock say.
    pub(super) struct StockTexts {
        title: "Stock" | "Bestand",
        show: "Which figure" | "Welche Zahl",
        on_hand: "On hand" | "Im Regal",
        free: "Free" | "Frei",
        reserved: "Reserved" | "Reserviert",
        in_transit: "In transit" | "Unterwegs",
        which_parts: "Which parts" | "Welche Teile",
        all_parts: "All parts" | "Alle Teile",
        short: "Short somewhere" | "Irgendwo knapp",
        find: "Find a part" | "Teil finden",
        find_hint: "Part, number, barcode" | "Teil, Nummer, Strichcode",
        by_branch: "Part by branch" | "Teil nach Filiale",
        part: "Part" | "Teil",
        all: "All" | "Alle",
        works_alone: "{branch} works on its own, as of {when}" | "{branch} arbeitet allein, Stand {when}",
        short_at: "{n}, short: reorder at {point}" | "{n}, knapp: nachbestellen ab {point}",
        none: "No part has these words in its name, number or barcodes." | "Kein Teil hat diese Wörter in Name, Nummer oder Strichcodes.",
        none_short: "No part is short at any branch." | "Kein Teil ist irgendwo knapp.",
        none_at_all: "The catalogue is empty. Parts are added there, branches open their stock by scan." | "Der Katalog ist leer. Teile kommen dort hinein, die Filialen eröffnen ihren Bestand mit dem Scanner.",
        to_catalogue: "Open the catalogue" | "Katalog öffnen",
        newest: "First page" | "Erste Seite",
        older: "Next page" | "Nächste Seite",
        balanced: "balanced" | "geht auf",
        not_balanced: "does not come out even" | "geht nicht auf",
        opening: "opening" | "Anfang",
        purchased: "purchased" | "gekauft",
        found: "found" | "gefunden",
        returned: "returned" | "zurück",
        term_on_hand: "on hand" | "im Regal",
        term_in_transit: "in transit" | "unterwegs",
        sold: "sold" | "verkauft",
        used: "used" | "verbaut",
        lost: "lost" | "verloren",
        scrapped: "scrapped" | "verschrottet",
        short_in: "Short in {n} branches" | "Knapp in {n} Filialen",
        short_in_one: "Short in 1 branch" | "Knapp in 1 Filiale",
        counted_as: "Counted with what they last sent: {branches}" | "Gezählt mit dem, was sie zuletzt schickten: {branches}",
        as_of: "{branch} as of {when}" | "{branch} Stand {when}",
        all_movements: "All movements" | "Alle Bewegungen",
        proposed: "Proposed transfers" | "Vorgeschlagene Umlagerungen",
        nearest: "nearest surplus first" | "nächster Überschuss zuerst",
        keeps: "{branch} keeps {n}" | "{branch} behält {n}",
        approve: "Approve" | "Freigeben",
        ask: "Ask" | "Anfragen",
        nothing_proposed: "No branch is short of this part, or none has it to spare." | "Keiner Filiale fehlt dieses Teil, oder keine hat es übrig.",
        km: "{n} km" | "{n} km",
        branches: "Where it is" | "Wo es ist",
        branch: "Branch" | "Filiale",
        reorder_point: "Reorder at" | "Nachbestellen ab",
        bin: "Bin" | "Fach",
        known: "As of" | "Stand",
        now: "now" | "jetzt",
        movements: "Movements" | "Bewegungen",
        movements_of: "Movements that make “{term}”" | "Bewegungen, die „{term}“ ergeben",
        when: "When" | "Wann",
        what: "What" | "Was",
        pieces: "Pieces" | "Stück",
        behind: "On hand after" | "Danach im Regal",
        about: "About" | "Bezug",
        who: "Who" | "Wer",
        system: "the hub" | "die Zentrale",
        not_counted: "does not count: another record of the same act does" | "zählt nicht: ein anderer Beleg derselben Handlung zählt",
        no_movements: "Nothing has moved here yet." | "Hier hat sich noch nichts bewegt.",
        back: "Stock" | "Bestand",
        new_transfer: "New transfer" | "Neue Umlagerung",
        edit_part: "Edit part" | "Teil bearbeiten",
        order: "order {number}" | "Auftrag {number}",
        transfer: "transfer {number}" | "Umlagerung {number}",
        nowhere: "No branch has had this part yet." | "Noch keine Filiale hatte dieses Teil.",
        no_equation: "The equation is of the whole chain; you see some branches only." | "Die Gleichung gilt für die ganze Kette; Sie sehen nur einige Filialen.",
        kind_opening: "Opening" | "Eröffnung",
        kind_receive: "Delivery" | "Lieferung",
        kind_sell: "Sale" | "Verkauf",
        kind_use: "Built in" | "Verbaut",
        kind_return: "Return" | "Rückgabe",
        kind_found: "Found when counting" | "Beim Zählen gefunden",
        kind_lost: "Missing when counting" | "Beim Zählen gefehlt",
        kind_scrap: "Scrapped" | "Verschrottet",
        kind_ship: "Shipment" | "Versand",
        kind_arrive: "Arrival" | "Annahme",
        kind_arrive_damaged: "Arrived damaged" | "Beschädigt angekommen",
        kind_transit_lost: "Written off on the way" | "Unterwegs abgeschrieben",
        kind_transit_found: "Found again" | "Wiedergefunden",
        kind_supplier_return: "Back to the supplier" | "Zurück an den Lieferanten",
    }
}

/// A term's word.
pub(super) fn term(language: Language, term: Term) -> &'static str {
    let t = StockTexts::of(language);
    match term {
        Term::Opening => t.opening,
        Term::Purchased => t.purchased,
        Term::Found => t.found,
        Term::Returned => t.returned,
        Term::OnHand => t.term_on_hand,
        Term::InTransit => t.term_in_transit,
        Term::Sold => t.sold,
        Term::Used => t.used,
        Term::Lost => t.lost,
        Term::Scrapped => t.scrapped,
    }
}

/// A movement's word.
pub(super) fn kind(language: Language, kind: Option<MovementKind>) -> &'static str {
    let t = StockTexts::of(language);
    match kind {
        None => "?",
        Some(MovementKind::Opening) => t.kind_opening,
        Some(MovementKind::Receive) => t.kind_receive,
        Some(MovementKind::Sell) => t.kind_sell,
        Some(MovementKind::Use) => t.kind_use,
        Some(MovementKind::Return) => t.kind_return,
        Some(MovementKind::AdjustFound) => t.kind_found,
        Some(MovementKind::AdjustLost) => t.kind_lost,
        Some(MovementKind::Scrap) => t.kind_scrap,
        Some(MovementKind::Ship) => t.kind_ship,
        Some(MovementKind::Arrive) => t.kind_arrive,
        Some(MovementKind::ArriveDamaged) => t.kind_arrive_damaged,
        Some(MovementKind::TransitLost) => t.kind_transit_lost,
        Some(MovementKind::TransitFound) => t.kind_transit_found,
        Some(MovementKind::SupplierReturn) => t.kind_supplier_return,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(StockTexts::ALL),
            Vec::<String>::new()
        );
    }
}
