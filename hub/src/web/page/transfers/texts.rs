//! The words of transfers.

use domain::transfer::TransferState;
use web_kit::{Language, Tone};

web_kit::catalogue! {
    /// What the pages of transfers say.
    pub(super) struct TransferTexts {
        title: "Transfers" | "Umlagerungen",
        show: "Which transfers" | "Welche Umlagerungen",
        all_open: "Open" | "Offen",
        with_person: "With a person" | "Bei einer Person",
        old: "Older than 3 d" | "Älter als 3 T.",
        find: "Find a transfer" | "Umlagerung finden",
        find_hint: "Part, branch" | "Teil, Filiale",
        new: "New transfer" | "Neue Umlagerung",
        in_transit_now: "In transit now" | "Jetzt unterwegs",
        pieces: "pieces" | "Stück",
        oldest: "Oldest on the way" | "Am längsten unterwegs",
        owner: "{number}, owner {branch}" | "{number}, verantwortlich {branch}",
        nothing_on_way: "nothing is on the way" | "nichts ist unterwegs",
        waiting: "Waiting for approval" | "Warten auf Freigabe",
        oldest_age: "oldest {age}" | "älteste {age}",
        nothing_waits: "nothing waits" | "nichts wartet",
        without_owner: "Pieces without an owner" | "Stücke ohne Verantwortliche",
        equation: "sent = received + on the way + lost" | "geschickt = angekommen + unterwegs + verloren",
        equation_bad: "shelves and transfers do not agree" | "Regale und Umlagerungen stimmen nicht überein",
        by_state: "Transfers by state" | "Umlagerungen nach Stand",
        requested: "Requested" | "Angefragt",
        approved: "Approved" | "Freigegeben",
        in_transit: "In transit" | "Unterwegs",
        disputed: "Disputed" | "In Klärung",
        received: "Ended today" | "Heute beendet",
        none_requested: "No branch asks for parts." | "Keine Filiale fragt nach Teilen.",
        none_approved: "Nothing waits to be packed." | "Nichts wartet aufs Packen.",
        none_in_transit: "Nothing is on the way." | "Nichts ist unterwegs.",
        none_disputed: "Nothing is unclear." | "Nichts ist unklar.",
        none_received: "Nothing ended today." | "Heute ist nichts abgeschlossen.",
        more: "{n} more" | "{n} weitere",
        cut_off: "{branch} cut off" | "{branch} getrennt",
        long_way: "{age} on the way" | "{age} unterwegs",
        n_missing: "{n} missing" | "{n} fehlen",
        n_damaged: "{n} damaged" | "{n} beschädigt",
        n_lost: "{n} written off" | "{n} abgeschrieben",
        left_despite: "Left although called off" | "Trotz Absage abgeschickt",
        with: "with {branch}" | "bei {branch}",
        approve: "Approve" | "Freigeben",
        choose: "Choose a transfer to see what happened to it." | "Wählen Sie eine Umlagerung, um zu sehen, was mit ihr geschah.",
        for_age: "{state} for {age}" | "{state} seit {age}",
        state_requested: "Requested" | "Angefragt",
        state_approved: "Approved" | "Freigegeben",
        state_shipped: "In transit" | "Unterwegs",
        state_received: "Received" | "Angekommen",
        state_short: "Received short" | "Unvollständig",
        state_lost: "Written off" | "Abgeschrieben",
        state_cancelled: "Called off" | "Abgesagt",
        state_disputed: "Disputed" | "In Klärung",
        planned: "planned" | "geplant",
        sent: "sent" | "geschickt",
        got: "received" | "angekommen",
        damaged: "damaged" | "beschädigt",
        lost: "lost" | "verloren",
        on_the_way: "with {branch}" | "bei {branch}",
        what_happened: "What happened" | "Was geschah",
        system: "the hub" | "die Zentrale",
        call_off: "Call off" | "Absagen",
        look_into: "Look into it" | "Klären",
        settle: "Settle" | "Abschließen",
        where_are: "What of it is lost?" | "Was davon ist verloren?",
        settle_hint: "Written off is what stands here; the rest stays with {branch} and may still arrive." | "Abgeschrieben wird, was hier steht; der Rest bleibt bei {branch} und kann noch ankommen.",
        lost_of: "Lost of {n} × {part}" | "Verloren von {n} × {part}",
        of: "of {n}" | "von {n}",
        reason: "Reason" | "Grund",
        reason_hint: "Reason, kept in the audit" | "Grund, bleibt in der Prüfspur",
        reason_free: "Reason, if there is one" | "Grund, falls es einen gibt",
        from: "From" | "Von",
        to: "To" | "Nach",
        choose_branch: "Choose a branch" | "Filiale wählen",
        goods: "Parts" | "Teile",
        part: "Part number" | "Teilenummer",
        quantity: "Pieces" | "Stück",
        line: "Line {n}" | "Zeile {n}",
        note: "Why" | "Warum",
        note_hint: "both branches read it" | "beide Filialen lesen es",
        route: "Way" | "Weg",
        create: "Approve now" | "Gleich freigeben",
        ask: "Ask only" | "Nur anfragen",
        unknown_part: "No part has this number." | "Kein Teil hat diese Nummer.",
        free_at: "{part}: {places} free" | "{part}: {places} frei",
        free_nowhere: "{part}: free nowhere" | "{part}: nirgends frei",
        back: "Transfers" | "Umlagerungen",
        at_least_one: "At least one part with its pieces." | "Mindestens ein Teil mit Stückzahl.",
        refused: "Nothing was changed" | "Nichts wurde geändert",
        did_approve: "approved, its plan is on its way to both branches; Undo calls it off" | "freigegeben, der Plan ist auf dem Weg zu beiden Filialen; Rückgängig sagt sie ab",
        did_ask: "asked for; Undo calls it off" | "angefragt; Rückgängig sagt sie ab",
        did_cancel: "called off; this stays, who needs the parts asks anew" | "abgesagt; das bleibt so, wer die Teile braucht, fragt neu an",
        did_dispute: "is looked into; it ends by settling it" | "ist in Klärung; sie endet, wenn Sie sie abschließen",
        did_settle: "settled; what was written off comes back by itself if it arrives" | "geklärt; Abgeschriebenes kommt von selbst zurück, wenn es eintrifft",
        on_way_help: "Every piece on its way belongs to the branch that sent it until it arrives or is written off." | "Jedes Stück unterwegs gehört der Filiale, die es schickte, bis es ankommt oder abgeschrieben wird.",
    }
}

/// A state's words and look.
pub(super) fn state(
    language: Language,
    state: TransferState,
) -> (&'static str, &'static str, Option<Tone>) {
    let t = TransferTexts::of(language);
    match state {
        TransferState::Requested => (t.state_requested, "ask", Some(Tone::Waiting)),
        TransferState::Approved => (t.state_approved, "check", None),
        TransferState::Shipped => (t.state_shipped, "transfer", Some(Tone::Moving)),
        TransferState::Received => (t.state_received, "check", Some(Tone::Agreed)),
        TransferState::ReceivedShort => (t.state_short, "late", Some(Tone::Waiting)),
        TransferState::Lost => (t.state_lost, "minus", Some(Tone::Late)),
        TransferState::Cancelled => (t.state_cancelled, "cancel", None),
        TransferState::Disputed => (t.state_disputed, "decide", Some(Tone::Decide)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(TransferTexts::ALL),
            Vec::<String>::new()
        );
    }
}
