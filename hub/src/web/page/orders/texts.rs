//! The words of orders.

web_kit::catalogue! {
    /// What the pages of orders say.
    pub(super) struct OrderTexts {
        title: "Orders" | "Aufträge",
        find: "Find an order" | "Auftrag finden",
        find_hint: "Number or serial" | "Nummer oder Seriennummer",
        filter: "Which orders" | "Welche Aufträge",
        any_branch: "All branches" | "Alle Filialen",
        any_status: "Any status" | "Jeder Stand",
        branch: "Branch" | "Filiale",
        status: "Status" | "Stand",
        show: "Show" | "Zeigen",
        number: "Number" | "Nummer",
        device: "Device" | "Gerät",
        fault: "Fault" | "Fehler",
        person: "Person" | "Person",
        promised: "Promised" | "Zugesagt",
        taken_in: "Taken in" | "Angenommen",
        due: "To pay" | "Zu zahlen",
        urgent: "Urgent" | "Eilig",
        conflict: "Two versions" | "Zwei Fassungen",
        none: "No order is so. Fewer words or another filter may help; names are looked for among customers." | "So ist kein Auftrag. Weniger Wörter oder ein anderer Filter helfen; Namen sucht man bei den Kunden.",
        none_at_all: "No branch has sent an order yet." | "Noch hat keine Filiale einen Auftrag geschickt.",
        newest: "Newest" | "Neueste",
        older: "Older" | "Ältere",
        back: "Orders" | "Aufträge",
        edit: "Edit" | "Bearbeiten",
        edit_title: "Edit {number}" | "{number} bearbeiten",
        brand: "Brand" | "Marke",
        model: "Model" | "Modell",
        category: "Category" | "Kategorie",
        serial: "Serial number" | "Seriennummer",
        diagnosis: "Diagnosis" | "Diagnose",
        left_here: "Left here" | "Dagelassen",
        left_hint: "one per line" | "eines je Zeile",
        condition: "As it came in" | "Wie es kam",
        outcome: "Outcome" | "Ergebnis",
        technician: "Technician" | "Techniker",
        nobody: "nobody yet" | "noch niemand",
        nobody_named: "Nobody named" | "Niemand genannt",
        not_promised: "no time named" | "keine Zeit genannt",
        phone: "Phone" | "Telefon",
        source: "Imported from" | "Übernommen aus",
        lines: "Lines" | "Positionen",
        no_lines: "Nothing is priced yet; the branch adds work and parts." | "Noch ist nichts berechnet; die Filiale trägt Arbeit und Teile ein.",
        quantity: "Pieces" | "Menge",
        price: "Price" | "Preis",
        tax: "Tax" | "Steuer",
        net: "Net" | "Netto",
        total: "Total" | "Gesamt",
        included: "prices include tax" | "Preise enthalten Steuer",
        time_line: "Time line" | "Verlauf",
        taken_back: "Step taken back" | "Schritt zurückgenommen",
        estimate: "Estimate {n}, {amount}" | "Kostenvoranschlag {n}, {amount}",
        no_answer: "no answer yet" | "noch keine Antwort",
        system: "Counterpart" | "Counterpart",
        note: "Note" | "Notiz",
        note_hint: "for everybody who works on it" | "für alle, die daran arbeiten",
        add_note: "Add note" | "Notiz anfügen",
        save: "Save" | "Speichern",
        cancel: "Back to the order" | "Zurück zum Auftrag",
        when: "When and who" | "Wann und wer",
        goes_first: "goes first" | "geht vor",
        refused: "Nothing was changed" | "Nichts wurde geändert",
        reaches: "The branch has it as soon as its line is up." | "Die Filiale hat es, sobald ihre Leitung steht.",
        did_note: "is in the order; it stays, a second one corrects it" | "steht im Auftrag; sie bleibt, eine zweite berichtigt sie",
        did_edit: "is changed; the branch has it as soon as its line is up" | "ist geändert; die Filiale hat es, sobald ihre Leitung steht",
        late: "late" | "überfällig",
        changed: "Changed" | "Geändert",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(OrderTexts::ALL),
            Vec::<String>::new()
        );
    }
}
