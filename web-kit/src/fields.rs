//! The names of documents' fields, as pages of both sides say them.

use crate::Language;

crate::catalogue! {
    /// Fields of documents.
    struct FieldTexts {
        diagnosis: "Diagnosis" | "Diagnose",
        fault: "Fault" | "Fehler",
        category: "Kind" | "Art",
        brand: "Brand" | "Marke",
        model: "Model" | "Modell",
        serial: "Serial" | "Seriennummer",
        accessories: "Left with us" | "Dagelassen",
        condition: "Condition" | "Zustand",
        promised_at: "Promised" | "Zugesagt",
        technician: "Technician" | "Techniker",
        urgent: "Urgent" | "Eilig",
        terms_at: "Terms accepted" | "Bedingungen angenommen",
        outcome: "Outcome" | "Ergebnis",
        customer: "Customer" | "Kunde",
        name: "Name" | "Name",
        phone: "Phone" | "Telefon",
        email: "E-mail" | "E-Mail",
        address: "Address" | "Anschrift",
        language: "Language" | "Sprache",
        note: "Note" | "Notiz",
        consent: "Consent" | "Einwilligung",
        bin: "Bin" | "Fach",
        reorder_point: "Reorder point" | "Meldebestand",
        barcodes: "Barcode" | "Barcode",
        text: "Text of a line" | "Text einer Zeile",
        quantity: "Quantity of a line" | "Anzahl einer Zeile",
        unit_minor: "Price of a line" | "Preis einer Zeile",
        tax_bp: "Tax rate of a line" | "Steuersatz einer Zeile",
        answer: "Answer to an estimate" | "Antwort auf einen Kostenvoranschlag",
    }
}

/// A field's name for people, by the last key of its path that has one; of a field that has none its path.
pub fn field_words(language: Language, path: &[String]) -> String {
    let named = path.iter().rev().find_map(|key| {
        FieldTexts::ALL
            .iter()
            .find(|(name, ..)| name == key)
            .map(|(_, english, german)| match language {
                Language::English => *english,
                Language::German => *german,
            })
    });
    named.map_or_else(|| path.join(" / "), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            crate::language::flaws(FieldTexts::ALL),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_field_is_named_by_its_last_known_key() {
        let path = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let german = Language::German;
        assert_eq!(field_words(german, &path(&["device", "fault"])), "Fehler");
        assert_eq!(
            field_words(german, &path(&["device", "condition", "lid"])),
            "Zustand"
        );
        assert_eq!(field_words(german, &path(&["x", "y"])), "x / y");
    }
}
