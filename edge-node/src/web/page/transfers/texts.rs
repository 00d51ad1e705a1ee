//! Words of the transfer pages, and a transfer's state in them.

use domain::transfer::TransferState;
use web_kit::{Language, Tone};

web_kit::catalogue! {
    /// Words of the transfer pages.
    pub(crate) struct TransferTexts {
        transfers: "Transfers" | "Umlagerungen",
        transfer: "Transfer" | "Umlagerung",
        ask: "Ask for parts" | "Teile anfordern",
        to_receive: "To take in" | "Anzunehmen",
        to_send: "To send" | "Zu versenden",
        on_their_way: "On their way from here" | "Von hier unterwegs",
        asked_for: "Asked for, not sent yet" | "Angefordert, noch nicht versandt",
        in_dispute: "In dispute" | "Strittig",
        ended: "Ended lately" | "Zuletzt beendet",
        all_of_them: "All {n}" | "Alle {n}",
        what_happened: "What happened" | "Was geschah",
        all_transfers: "All transfers" | "Alle Umlagerungen",
        nothing: "Nothing is to be sent or taken in. What this branch asks for stands here until the hub plans it." | "Nichts ist zu versenden oder anzunehmen. Was diese Filiale anfordert, steht hier, bis die Zentrale es plant.",
        other_branch: "Branch" | "Filiale",
        goods: "Goods" | "Ware",
        state: "State" | "Stand",
        since: "Since" | "Seit",
        from: "From" | "Von",
        to: "To" | "An",
        one_part: "{pieces} pieces of one part" | "{pieces} Stück von einem Teil",
        parts: "{pieces} pieces of {n} parts" | "{pieces} Stück von {n} Teilen",
        requested: "Requested" | "Angefordert",
        approved: "Approved" | "Genehmigt",
        shipped: "On its way" | "Unterwegs",
        received: "Received" | "Angenommen",
        received_short: "Some are missing" | "Teils fehlend",
        lost: "Written off" | "Abgeschrieben",
        cancelled: "Called off" | "Abgesagt",
        disputed: "In dispute" | "Strittig",
        part: "Part" | "Teil",
        number: "Number" | "Nummer",
        bin: "Bin" | "Fach",
        on_hand: "On hand" | "Vorhanden",
        planned: "Planned" | "Geplant",
        wanted: "Wanted" | "Gewünscht",
        to_pack: "Packed" | "Gepackt",
        sent: "Sent" | "Versandt",
        arrived_before: "Arrived" | "Angekommen",
        on_way: "On its way" | "Unterwegs",
        good: "Good" | "Gut",
        damaged: "Damaged" | "Beschädigt",
        missing: "Missing" | "Fehlt",
        written_off: "Written off" | "Abgeschrieben",
        send_packed: "Send what is packed" | "Gepacktes versenden",
        send_all: "Send all that is planned" | "Alles Geplante versenden",
        take_in: "Take in" | "Annehmen",
        all_good: "All arrived good" | "Alles gut angekommen",
        send_hint: "A scan counts one packed piece; the first scan begins at zero." | "Ein Scan zählt ein gepacktes Stück; der erste Scan beginnt bei null.",
        receive_hint: "A scan counts one good piece; the first scan begins at zero. Damaged pieces are scrapped, missing ones stay on their way until they turn up or are written off." | "Ein Scan zählt ein gutes Stück; der erste Scan beginnt bei null. Beschädigtes wird entsorgt, Fehlendes bleibt unterwegs, bis es auftaucht oder abgeschrieben wird.",
        works_cut_off: "It works without the line and goes out when it is back." | "Es geht auch ohne Leitung und geht hinaus, sobald sie zurück ist.",
        counted: "{name}: {n}" | "{name}: {n}",
        not_in_it: "{name} is not part of this transfer." | "{name} gehört nicht zu dieser Umlagerung.",
        no_more: "{name}: all {n} are counted already." | "{name}: alle {n} sind schon gezählt.",
        wrong_pieces: "Write a whole number from 0." | "Eine ganze Zahl ab 0 schreiben.",
        too_many: "More than are there." | "Mehr, als da sind.",
        wrong_lines: "The marked numbers do not fit. Nothing was booked." | "Die markierten Zahlen passen nicht. Nichts wurde gebucht.",
        nothing_packed: "Nothing is packed. Scan the goods, or send all. Nothing was booked." | "Nichts ist gepackt. Bitte die Ware scannen oder alles versenden. Nichts wurde gebucht.",
        nothing_arrived: "Say what arrived, is damaged or missing. Nothing was booked." | "Bitte angeben, was angekommen, beschädigt oder fehlend ist. Nichts wurde gebucht.",
        too_few: "Only {n} are free here. Nothing was sent." | "Nur {n} sind hier frei. Nichts wurde versandt.",
        not_booked: "The transfer moved on meanwhile. Nothing was booked." | "Die Umlagerung ist inzwischen weiter. Nichts wurde gebucht.",
        why_asked: "Why it was asked for" | "Warum angefordert",
        note: "Note" | "Notiz",
        note_hint: "Order BER-4176 waits for it" | "Auftrag BER-4176 wartet darauf",
        ask_title: "Ask another branch for parts" | "Teile von einer anderen Filiale anfordern",
        what: "What is needed" | "Was gebraucht wird",
        scan_first: "Scan a part, or type its number." | "Ein Teil scannen oder seine Nummer tippen.",
        from_branch: "From which branch" | "Von welcher Filiale",
        choose: "Choose a branch" | "Filiale wählen",
        wrong_branch: "Choose the branch that is to send." | "Bitte die Filiale wählen, die senden soll.",
        wrong_note: "A note has 8,000 characters at most." | "Eine Notiz hat höchstens 8.000 Zeichen.",
        wrong_sku: "A part of the list is not in the catalogue." | "Ein Teil der Liste steht nicht im Katalog.",
        empty_list: "The list is empty. Nothing was asked for." | "Die Liste ist leer. Nichts wurde angefordert.",
        not_asked: "Nothing was asked for." | "Nichts wurde angefordert.",
        ask_now: "Ask for them" | "Anfordern",
        hub_plans: "The hub plans it; the goods move when it is approved." | "Die Zentrale plant es; die Ware bewegt sich, wenn es genehmigt ist.",
        back: "Back to transfers" | "Zurück zu den Umlagerungen",
        done_asked: "Asked for. It waits for the plan of the hub, which can also call it off." | "Angefordert. Es wartet auf den Plan der Zentrale; sie kann es auch absagen.",
        done_sent: "Sent. What was packed wrongly is counted where it arrives." | "Versandt. Falsch Gepacktes wird bei der Ankunft gezählt.",
        done_received: "Taken in. A wrong count is corrected on the part’s page." | "Angenommen. Eine falsche Zahl wird auf der Seite des Teils korrigiert.",
    }
}

/// A transfer's state in words.
pub(crate) const fn state_words(language: Language, state: TransferState) -> &'static str {
    let t = TransferTexts::of(language);
    match state {
        TransferState::Requested => t.requested,
        TransferState::Approved => t.approved,
        TransferState::Shipped => t.shipped,
        TransferState::Received => t.received,
        TransferState::ReceivedShort => t.received_short,
        TransferState::Lost => t.lost,
        TransferState::Cancelled => t.cancelled,
        TransferState::Disputed => t.disputed,
    }
}

/// A state's glyph and meaning.
pub(super) const fn state_mark(state: TransferState) -> (&'static str, Option<Tone>) {
    match state {
        TransferState::Requested => ("ask", None),
        TransferState::Approved => ("check", Some(Tone::Moving)),
        TransferState::Shipped => ("transfer", Some(Tone::Moving)),
        TransferState::Received => ("agreed", Some(Tone::Agreed)),
        TransferState::ReceivedShort => ("low", Some(Tone::Waiting)),
        TransferState::Lost => ("cross", Some(Tone::Late)),
        TransferState::Cancelled => ("cancel", None),
        TransferState::Disputed => ("decide", Some(Tone::Decide)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_whole() {
        assert_eq!(
            web_kit::language::flaws(TransferTexts::ALL),
            Vec::<String>::new()
        );
    }
}
