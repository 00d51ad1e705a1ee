//! The words of customers.

use crate::app::customer::Field;
use web_kit::Language;

web_kit::catalogue! {
    /// What the pages of customers say.
    pub(super) struct CustomerTexts {
        title: "Customers" | "Kunden",
        find: "Find a person" | "Person finden",
        find_hint: "Name, phone, e-mail, order number" | "Name, Telefon, E-Mail, Auftragsnummer",
        search: "Search" | "Suchen",
        newest: "Newest first" | "Neueste zuerst",
        found: "{n} found" | "{n} gefunden",
        found_one: "1 found" | "1 gefunden",
        none: "Nobody was found. Part of a name, some digits of the phone or of a serial number help." | "Niemand wurde gefunden. Ein Stück des Namens, einige Ziffern der Telefon- oder Seriennummer helfen.",
        none_at_all: "No branch has sent a customer yet." | "Noch hat keine Filiale einen Kunden geschickt.",
        name: "Name" | "Name",
        phone: "Phone" | "Telefon",
        email: "E-mail" | "E-Mail",
        address: "Address" | "Anschrift",
        note: "Note" | "Notiz",
        language: "Language" | "Sprache",
        branch: "First served" | "Zuerst bedient",
        since: "Since" | "Seit",
        closed: "The key of this person is not at the hub yet" | "Der Schlüssel dieser Person ist noch nicht in der Zentrale",
        orders: "Orders" | "Aufträge",
        no_orders: "No order yet." | "Noch kein Auftrag.",
        consent: "Consent" | "Einwilligung",
        yes: "yes" | "ja",
        no: "no" | "nein",
        no_consent: "nothing agreed to" | "nichts vereinbart",
        edit: "Edit" | "Bearbeiten",
        edit_title: "Edit person" | "Person bearbeiten",
        merge: "Join with another" | "Zusammenführen",
        merged: "This person was joined with another; orders and values stand there." | "Diese Person wurde mit einer anderen zusammengeführt; Aufträge und Angaben stehen dort.",
        open_other: "Open that person" | "Diese Person öffnen",
        back: "Customers" | "Kunden",
        back_person: "Back to the person" | "Zurück zur Person",
        save: "Save" | "Speichern",
        reaches: "The branches that serve the person have it as soon as their line is up." | "Die Filialen, die die Person bedienen, haben es, sobald ihre Leitung steht.",
        refused: "Nothing was changed" | "Nichts wurde geändert",
        merge_title: "Two customers, one person" | "Zwei Kunden, eine Person",
        merge_find: "Who is the same person?" | "Wer ist dieselbe Person?",
        compare: "Compare" | "Vergleichen",
        which_stays: "Which of the two stays" | "Welche von beiden bleibt",
        stays: "This one stays" | "Diese bleibt",
        which_value: "Which value counts" | "Welche Angabe gilt",
        nothing: "–" | "–",
        n_orders: "{n} orders" | "{n} Aufträge",
        one_order: "1 order" | "1 Auftrag",
        more_orders: "{n} orders or more" | "{n} Aufträge oder mehr",
        do_merge: "Join the two" | "Zusammenführen",
        merge_effect: "Orders of both stand with the one that stays, at every branch. What it lacks it takes from the other. Nothing is deleted; the other leads to it." | "Aufträge beider stehen bei der Person, die bleibt, in jeder Filiale. Was ihr fehlt, übernimmt sie von der anderen. Nichts wird gelöscht; die andere führt zu ihr.",
        did_edit: "is changed; the branches have it as soon as their lines are up" | "ist geändert; die Filialen haben es, sobald ihre Leitungen stehen",
        did_merge: "is one person now; this stays" | "ist jetzt eine Person; das bleibt so",
        for_good: "Joining cannot be taken back." | "Das Zusammenführen lässt sich nicht zurücknehmen.",
        of_branch: "as the branch" | "wie die Filiale",
        person: "Person" | "Person",
        maybe_same: "Perhaps the same person" | "Vielleicht dieselbe Person",
    }
}

/// A value's word.
pub(super) fn field(language: Language, field: Field) -> &'static str {
    let t = CustomerTexts::of(language);
    match field {
        Field::Name => t.name,
        Field::Phone => t.phone,
        Field::Email => t.email,
        Field::Address => t.address,
        Field::Note => t.note,
        Field::Language => t.language,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(CustomerTexts::ALL),
            Vec::<String>::new()
        );
    }
}
