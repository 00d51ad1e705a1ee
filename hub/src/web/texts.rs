//! The words that all pages of the hub use; a page's own words stand beside it. No template holds a sentence.

web_kit::catalogue! {
    /// What the rail and the status bar say.
    pub(crate) struct FrameTexts {
        branches: "Branches" | "Filialen",
        stock: "Stock" | "Bestand",
        transfers: "Transfers" | "Umlagerungen",
        orders: "Orders" | "Aufträge",
        customers: "Customers" | "Kunden",
        catalogue: "Catalogue" | "Katalog",
        one_connected: "branch connected" | "Filiale verbunden",
        connected: "branches connected" | "Filialen verbunden",
        one_cut_off: "works on its own" | "arbeitet allein",
        cut_off: "work on their own" | "arbeiten allein",
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
