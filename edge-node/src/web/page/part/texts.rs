//! Words of a part's page.

web_kit::catalogue! {
    /// Words of a part's page.
    pub(super) struct PartTexts {
        moves: "What makes {n} on hand" | "Woraus {n} vorhanden besteht",
        keeps: "What keeps {n} reserved" | "Was {n} reserviert hält",
        brings: "What brings {n} here" | "Was {n} hierher bringt",
        one_move: "one move in all" | "eine Bewegung insgesamt",
        all_moves: "{n} moves in all" | "{n} Bewegungen insgesamt",
        when: "When" | "Wann",
        movement: "Move" | "Bewegung",
        who: "Who" | "Wer",
        why: "Why" | "Warum",
        pieces: "Qty" | "Anz.",
        then: "Then" | "Danach",
        system: "Counterpart" | "Counterpart",
        to_branch: "to {branch}" | "an {branch}",
        from_branch: "from {branch}" | "von {branch}",
        no_moves: "This part never moved here. A delivery or a correction is its first move." | "Dieses Teil wurde hier noch nie bewegt. Eine Lieferung oder Korrektur ist die erste Bewegung.",
        no_reserved: "No order keeps a piece of it." | "Kein Auftrag hält ein Stück davon.",
        no_transit: "None is on its way here." | "Keines ist hierher unterwegs.",
        by_ledger: "On hand by the ledger" | "Vorhanden laut Buch",
        not_at_hub: "Saved here, not yet at the hub" | "Hier gespeichert, noch nicht in der Zentrale",
        one_unproved: "One move is not yet at the hub; the sum is proved when it is." | "Eine Bewegung ist noch nicht in der Zentrale; die Summe ist bewiesen, sobald sie dort ist.",
        unproved: "{n} moves are not yet at the hub; the sum is proved when they are." | "{n} Bewegungen sind noch nicht in der Zentrale; die Summe ist bewiesen, sobald sie dort sind.",
        counted_once: "Written twice, counts once" | "Zweimal geschrieben, zählt einmal",
        order: "Order" | "Auftrag",
        status: "Status" | "Stand",
        transfer: "Transfer" | "Umlagerung",
        from: "From" | "Von",
        since: "Since" | "Seit",
        correct: "Correct" | "Korrigieren",
        correct_hint: "A correction is a move of its own; nothing before it changes." | "Eine Korrektur ist eine eigene Bewegung; nichts davor ändert sich.",
        found: "Found" | "Gefunden",
        lost: "Missing" | "Fehlt",
        scrap: "Scrap" | "Entsorgen",
        what: "What" | "Was",
        quantity: "Pieces" | "Stück",
        reason: "Reason" | "Grund",
        reason_hint: "counted shelf A1, display cracked" | "Fach A1 gezählt, Display gesprungen",
        book: "Book" | "Buchen",
        choose_kind: "Say whether pieces were found, are missing or go to scrap." | "Bitte angeben, ob Stücke gefunden wurden, fehlen oder entsorgt werden.",
        wrong_quantity: "Write a whole number from 1, as in 3. Nothing was booked." | "Eine ganze Zahl ab 1 schreiben, zum Beispiel 3. Nichts wurde gebucht.",
        wrong_reason: "Say why, as in “counted shelf A1”. Nothing was booked." | "Bitte den Grund nennen, zum Beispiel „Fach A1 gezählt“. Nichts wurde gebucht.",
        too_few: "Only {n} are on hand. Nothing was booked." | "Nur {n} sind vorhanden. Nichts wurde gebucht.",
        not_booked: "Nothing was booked. The marked fields say what is missing." | "Nichts wurde gebucht. Die markierten Felder sagen, was fehlt.",
        kept: "How it is kept here" | "Wie es hier liegt",
        barcodes: "Own barcodes" | "Eigene Barcodes",
        barcodes_hint: "One in a line; a scan of it means this part here" | "Einer je Zeile; ein Scan davon meint hier dieses Teil",
        reorder_point: "Reorder at" | "Nachbestellen ab",
        save: "Save" | "Sichern",
        wrong_bin: "A bin has 64 characters at most." | "Ein Fach hat höchstens 64 Zeichen.",
        wrong_point: "Write a whole number from 0, or leave it empty." | "Eine ganze Zahl ab 0 schreiben oder leer lassen.",
        wrong_barcodes: "A barcode is visible characters without spaces." | "Ein Barcode besteht aus sichtbaren Zeichen ohne Leerzeichen.",
        not_saved: "Nothing was saved. The marked fields say what is wrong." | "Nichts wurde gesichert. Die markierten Felder sagen, was falsch ist.",
        elsewhere: "Elsewhere, as last known" | "Anderswo, zuletzt bekannt",
        elsewhere_none: "No other branch was known to have one." | "Von keiner anderen Filiale war ein Stück bekannt.",
        as_of: "as of {at}" | "Stand {at}",
        ask_for: "Ask for it" | "Anfordern",
        price: "Price" | "Preis",
        in_bin: "bin {bin}" | "Fach {bin}",
        done: "{kind}: {n}. {after} on hand now." | "{kind}: {n}. Jetzt {after} vorhanden.",
        done_undone: "Taken back: {kind}, {n}. {after} on hand now." | "Zurückgenommen: {kind}, {n}. Jetzt {after} vorhanden.",
        taken_back: "Taken back: {reason}" | "Zurückgenommen: {reason}",
        scrap_stays: "Booked by mistake? Book it as found, with the reason." | "Ein Versehen? Dann als gefunden buchen, mit dem Grund.",
        scrap_stays_here: "Booked by mistake? The branch manager books it as found." | "Ein Versehen? Die Filialleitung bucht es als gefunden.",
        saved: "How the part is kept is saved." | "Wie das Teil liegt, ist gesichert.",
        saved_back: "The part is kept as before." | "Das Teil liegt wie zuvor.",
        older: "Older moves" | "Ältere Bewegungen",
        newest: "Newest moves" | "Neueste Bewegungen",
        not_for_you: "Corrections are the branch manager’s." | "Korrekturen sind Sache der Filialleitung.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_whole() {
        assert_eq!(
            web_kit::language::flaws(PartTexts::ALL),
            Vec::<String>::new()
        );
    }
}
