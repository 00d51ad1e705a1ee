//! Words of the decisions page.

web_kit::catalogue! {
    /// Words of the decisions page.
    pub(super) struct DecisionTexts {
        title: "Decisions" | "Entscheidungen",
        one: "One decision" | "Eine Entscheidung",
        many: "{n} decisions" | "{n} Entscheidungen",
        none: "Nothing waits for a decision. When two people write one field apart, both versions stand here." | "Nichts wartet auf eine Entscheidung. Schreiben zwei Leute getrennt dasselbe Feld, stehen beide Fassungen hier.",
        two_versions: "Two versions" | "Zwei Fassungen",
        contradiction: "Contradicting steps" | "Widersprechende Schritte",
        to_count: "To count" | "Zu zählen",
        field: "field" | "Feld",
        version: "Version {key}" | "Fassung {key}",
        keep: "Keep {place}" | "{place} behalten",
        keep_this: "Keep this" | "Diese behalten",
        of_hub: "the hub’s" | "Fassung der Zentrale",
        of_branch: "{branch}’s" | "Fassung von {branch}",
        at_hub: "at the hub" | "in der Zentrale",
        at_branch: "at {branch}" | "in {branch}",
        unknown_place: "at a machine not known here" | "an einem hier unbekannten Rechner",
        system: "Counterpart" | "Counterpart",
        both: "Keep both, one after the other" | "Beide behalten, eine nach der anderen",
        write: "Write another" | "Etwas anderes schreiben",
        write_label: "What is to stand there" | "Was dort stehen soll",
        save: "Save" | "Sichern",
        meanwhile: "Shown meanwhile" | "Wird inzwischen gezeigt",
        stays: "The other version stays in the history. Undo is there." | "Die andere Fassung bleibt in der Geschichte. Zurücknehmen geht.",
        empty_value: "nothing" | "nichts",
        sealed: "not readable here: the person’s key is not at this branch" | "hier nicht lesbar: der Schlüssel der Person ist nicht in dieser Filiale",
        yes: "yes" | "ja",
        no: "no" | "nein",
        steps_question: "Where does {subject} stand?" | "Wo steht {subject}?",
        late_question: "Money for {subject} came after its parts went back to the shelf. Are they still there?" | "Geld für {subject} kam, nachdem die Teile zurück ins Fach gingen. Sind sie noch da?",
        late_reserve: "Yes, set them aside again" | "Ja, wieder zurücklegen",
        late_otherwise: "No, the parts are ordered or the money is given back" | "Nein, die Teile werden bestellt oder das Geld erstattet",
        money_question: "The card was called off, and {amount} came all the same: give it back." | "Die Karte war abgesagt, und {amount} kam trotzdem: zurückgeben.",
        to_give_back: "Money to give back" | "Geld zurückzugeben",
        open_receipt: "Open the receipt" | "Beleg öffnen",
        money_ends: "This ends by itself once the money went back, from here or from the hub." | "Das endet von selbst, sobald das Geld zurückging, von hier oder von der Zentrale.",
        count_question: "The records come to {n} pieces. How many are on the shelf?" | "Die Bücher kommen auf {n} Stück. Wie viele liegen im Fach?",
        counted: "Pieces counted" | "Gezählte Stück",
        why: "Reason" | "Grund",
        why_hint: "counted twice, delivery P-0871 was not booked" | "zweimal gezählt, Lieferung P-0871 war nicht gebucht",
        settle_count: "Bring the shelf in line" | "Bestand angleichen",
        wrong_count: "Write a whole number from 0. Nothing was booked." | "Eine ganze Zahl ab 0 schreiben. Nichts wurde gebucht.",
        wrong_reason: "Say why, as in “counted twice”. Nothing was booked." | "Bitte den Grund nennen, zum Beispiel „zweimal gezählt“. Nichts wurde gebucht.",
        wrong_value: "This cannot stand there. Nothing was saved." | "Das kann dort nicht stehen. Nichts wurde gesichert.",
        not_settled: "It could not be settled. Nothing was saved." | "Es ließ sich nicht entscheiden. Nichts wurde gesichert.",
        since: "since {at}, for {age}" | "seit {at}, seit {age}",
        lately: "Settled lately" | "Zuletzt entschieden",
        take_back: "Take back" | "Zurücknehmen",
        settled_by: "{who}, {at}" | "{who}, {at}",
        undo: "Undo" | "Rückgängig",
        done: "Settled." | "Entschieden.",
        done_counted: "The shelf is in line. Another count is a correction on the part’s page." | "Der Bestand ist angeglichen. Eine andere Zählung ist eine Korrektur auf der Seite des Teils.",
        done_undone: "Taken back: the field shows what it showed before." | "Zurückgenommen: Das Feld zeigt, was es vorher zeigte.",
        done_reopened: "Taken back: it waits for a decision again." | "Zurückgenommen: Es wartet wieder auf eine Entscheidung.",
        gone: "It was settled meanwhile." | "Es wurde inzwischen entschieden.",
        customer_document: "Customer" | "Kunde",
        stock_document: "Part’s settings" | "Einstellungen eines Teils",
        view_only: "Your role may look, not settle." | "Diese Rolle darf ansehen, nicht entscheiden.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogues_are_whole() {
        assert_eq!(
            web_kit::language::flaws(DecisionTexts::ALL),
            Vec::<String>::new()
        );
    }
}
