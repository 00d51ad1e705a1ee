//! The words of the board and of moving an order.

web_kit::catalogue! {
    /// Words of the board.
    pub(crate) struct BoardTexts {
        board: "Board" | "Tafel",
        by_status: "Orders by status" | "Aufträge nach Stand",
        show: "Show" | "Zeigen",
        all: "All" | "Alle",
        mine: "Mine" | "Meine",
        overdue: "Overdue" | "Überfällig",
        more: "All {n} in the list" | "Alle {n} in der Liste",
        nothing_open: "No open order. The next one begins with an intake." | "Kein offener Auftrag. Der nächste beginnt mit einer Annahme.",
        nothing_mine: "No open order is yours. Take one on its page." | "Kein offener Auftrag ist Ihrer. Auf der Seite eines Auftrags übernehmen Sie ihn.",
        nothing_late: "Nothing is overdue." | "Nichts ist überfällig.",
        collected: "Collected" | "Abgeholt",
        move_order: "Move {number}" | "{number} verschieben",
        late_days: "{n} d late" | "{n} T. spät",
        late_hours: "{n} h late" | "{n} h spät",
        late_minutes: "{n} min late" | "{n} Min. spät",
        in_minutes: "in {n} min" | "in {n} Min.",
        today: "today {hour}" | "heute {hour}",
        since: "since {when}" | "seit {when}",
        urgent: "Urgent" | "Eilig",
        paid: "Paid" | "Bezahlt",
        key_pay: "Collect and pay the chosen card" | "Gewählte Karte ausgeben und kassieren",
        two_versions: "Two versions" | "Zwei Fassungen",
        part_missing: "Part missing" | "Teil fehlt",
        asked: "{amount} asked" | "{amount} angefragt",
        technician: "Technician {name}" | "Techniker {name}",
        key_choose: "Choose a card" | "Karte wählen",
        key_lane: "Move the chosen card to a lane" | "Gewählte Karte in eine Spalte verschieben",
        key_open: "Open the chosen card" | "Gewählte Karte öffnen",
        key_menu: "Where the chosen card may go" | "Wohin die gewählte Karte darf",
        close: "Close" | "Schließen",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(BoardTexts::ALL),
            Vec::<String>::new()
        );
    }
}
