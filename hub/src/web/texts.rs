//! The words that all pages of the hub use; a page's own words stand beside it. No template holds a sentence.

web_kit::catalogue! {
    /// What the rail and the status bar say.
    pub(crate) struct FrameTexts {
        stock: "Stock" | "Bestand",
        transfers: "Transfers" | "Umlagerung",
        orders: "Orders" | "Aufträge",
        customers: "Customers" | "Kunden",
        catalogue: "Catalogue" | "Katalog",
        network: "Network" | "Netz",
        exceptions: "Exceptions" | "Ausnahmen",
        money: "Money" | "Geld",
        staff: "Staff" | "Personal",
        settings: "Company" | "Firma",
        nights: "Nights" | "Nächte",
        last_night: "Last night: {some} of {n} agree, {signed}" | "Letzte Nacht: {some} von {n} stimmen, {signed}",
        night_signed: "signed" | "abgezeichnet",
        night_not_signed: "not signed" | "nicht abgezeichnet",
        waiting: "waiting" | "warten",
        one_branch: "{connected} of 1 branch connected" | "{connected} von 1 Filiale verbunden",
        branches: "{connected} of {n} branches connected" | "{connected} von {n} Filialen verbunden",
        no_branches: "No branch yet" | "Noch keine Filiale",
        cut_off: "{n} cut off, longest {age}" | "{n} getrennt, am längsten {age}",
        one_exception: "1 to look at" | "1 anzusehen",
        exceptions_open: "{n} to look at" | "{n} anzusehen",
        chain: "The whole chain" | "Die ganze Kette",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(FrameTexts::ALL),
            Vec::<String>::new()
        );
    }
}
