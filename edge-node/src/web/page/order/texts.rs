//! The words of an order's page and of its forms.

web_kit::catalogue! {
    /// Words of an order's page.
    pub(crate) struct OrderPageTexts {
        back: "Back" | "Zurück",
        back_to_board: "Back to the board" | "Zurück zur Tafel",
        leave_it: "Leave it" | "Lassen",
        move_it: "Move" | "Verschieben",
        where_to: "Move {number}" | "{number} verschieben",
        how_did_it_end: "{number} is done. How did it end?" | "{number} ist fertig. Wie ging es aus?",
        note_with_it: "Note, if one is needed" | "Notiz, wenn nötig",
        is_now: "is now: {status}" | "steht jetzt auf: {status}",
        is_back: "is back: {status}" | "steht wieder auf: {status}",
        stays: "stays in {status}. From there it goes to: {allowed}." | "bleibt bei {status}. Von dort geht es nach: {allowed}.",
        stays_for_good: "stays in {status}. It is done; take the last step back to go on." | "bleibt bei {status}. Er ist abgeschlossen; zum Weiterarbeiten den letzten Schritt zurücknehmen.",
        other_branch: "belongs to another branch, which moves it." | "gehört einer anderen Filiale; sie verschiebt ihn.",
        several_steps: "Two steps contradict each other. Decide first which one holds." | "Zwei Schritte widersprechen sich. Zuerst entscheiden, welcher gilt.",
        not_undoable: "This step was taken back already, or the order began with it." | "Dieser Schritt ist schon zurückgenommen, oder der Auftrag begann mit ihm.",
        ended: "The order is done, its lines stay. Take the last step back to change them." | "Der Auftrag ist abgeschlossen, die Zeilen bleiben. Zum Ändern den letzten Schritt zurücknehmen.",
        line_used: "The pieces of this line were used; it stays as it is." | "Die Teile dieser Zeile sind verbraucht; sie bleibt, wie sie ist.",
        short_now: "Not enough pieces are free here." | "Hier sind nicht genug Stück frei.",
        answered_already: "This estimate was answered. A new one can be made." | "Dieser Kostenvoranschlag ist beantwortet. Ein neuer kann gemacht werden.",
        changed_meanwhile: "Somebody else wrote here meanwhile. Nothing of yours was saved; look at both before saving again." | "Inzwischen hat hier jemand anderes geschrieben. Ihres ist nicht gespeichert; sehen Sie beides an, bevor Sie wieder speichern.",
        sent_already: "This form was sent before with other values. Open the page again." | "Dieses Formular wurde schon mit anderen Werten gesendet. Öffnen Sie die Seite neu.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(OrderPageTexts::ALL),
            Vec::<String>::new()
        );
    }
}
