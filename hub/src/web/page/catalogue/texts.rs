//! The words of the catalogue.

use web_kit::Language;

use crate::app::part::import::Column;

web_kit::catalogue! {
    /// What the pages of the catalogue say.
    pub(super) struct CatalogueTexts {
        title: "Catalogue" | "Katalog",
        parts: "Parts" | "Teile",
        presets: "Presets" | "Vorlagen",
        import: "Import" | "Einlesen",
        sections: "Parts of the catalogue" | "Bereiche des Katalogs",
        find: "Find in the catalogue" | "Im Katalog finden",
        find_part: "Part, number, barcode" | "Teil, Nummer, Strichcode",
        find_preset: "Fault, service, category" | "Fehler, Leistung, Kategorie",
        new_part: "New part" | "Neues Teil",
        new_preset: "New preset" | "Neue Vorlage",
        edit_preset: "Preset" | "Vorlage",
        sku: "Number" | "Nummer",
        sku_hint: "letters, digits and . _ / + -" | "Buchstaben, Ziffern und . _ / + -",
        name: "Name" | "Name",
        category: "Category" | "Kategorie",
        price: "Price" | "Preis",
        currency: "Currency" | "Währung",
        tax: "Tax" | "Steuer",
        tax_rate: "Tax rate in %" | "Steuersatz in %",
        barcodes: "Barcodes" | "Strichcodes",
        barcodes_hint: "one per line; they mean this part at every branch" | "einer je Zeile; sie gelten in jeder Filiale",
        state: "State" | "Stand",
        is_active: "can be ordered and sold" | "kann bestellt und verkauft werden",
        offered: "is offered" | "wird angeboten",
        off: "not any more" | "nicht mehr",
        changed: "Changed" | "Geändert",
        fault: "Fault" | "Fehler",
        service: "Service" | "Leistung",
        minutes: "Minutes" | "Minuten",
        category_hint: "for which kind of device; empty for any" | "für welche Art Gerät; leer für alle",
        what: "What it is" | "Was es ist",
        money: "Price" | "Preis",
        save: "Save" | "Speichern",
        add: "Add" | "Anlegen",
        back: "Catalogue" | "Katalog",
        stock: "Stock of this part" | "Bestand dieses Teils",
        refused: "Nothing was changed" | "Nichts wurde geändert",
        saved: "is saved; every branch has it as soon as its line is up" | "ist gespeichert; jede Filiale hat es, sobald ihre Leitung steht",
        is_off: "is out of use" | "ist nicht mehr im Gebrauch",
        added: "is in the catalogue; Undo takes it out of use" | "steht im Katalog; Rückgängig nimmt es aus dem Gebrauch",
        orders_keep: "Orders keep the prices that they have." | "Aufträge behalten die Preise, die sie haben.",
        none: "Nothing in the catalogue has these words." | "Nichts im Katalog hat diese Wörter.",
        no_parts: "No part yet. Add one, or read in a list of parts." | "Noch kein Teil. Legen Sie eines an, oder lesen Sie eine Liste ein.",
        no_presets: "No preset yet. A preset fills in fault, service, price and time at the counter." | "Noch keine Vorlage. Eine Vorlage füllt an der Theke Fehler, Leistung, Preis und Zeit aus.",
        newest: "First page" | "Erste Seite",
        older: "Next page" | "Nächste Seite",
        min: "{n} min" | "{n} Min.",
        import_title: "Read in parts" | "Teile einlesen",
        import_lead: "A table of parts, as CSV from a spreadsheet or another program" | "Eine Tabelle von Teilen, als CSV aus einer Tabellenkalkulation oder einem anderen Programm",
        import_how: "The first row names the columns. New numbers become new parts, known ones are changed, equal ones stay. Nothing is written before you have seen what happens." | "Die erste Zeile benennt die Spalten. Neue Nummern werden neue Teile, bekannte werden geändert, gleiche bleiben. Nichts wird geschrieben, bevor Sie gesehen haben, was geschieht.",
        choose_file: "Choose a file" | "Datei wählen",
        drop: "or drop it here" | "oder hier ablegen",
        columns: "Columns" | "Spalten",
        no_column: "not in the file" | "nicht in der Datei",
        preview: "What would happen" | "Was geschehen würde",
        of_rows: "{n} rows read" | "{n} Zeilen gelesen",
        n_new: "new" | "neu",
        n_changed: "changed" | "geändert",
        n_same: "equal, stay" | "gleich, bleiben",
        n_rejected: "refused" | "abgelehnt",
        run: "Read in {n} parts" | "{n} Teile einlesen",
        run_one: "Read in 1 part" | "1 Teil einlesen",
        nothing_to_do: "Everything in the file is in the catalogue already." | "Alles in der Datei steht schon im Katalog.",
        row: "Row" | "Zeile",
        why: "Why" | "Warum",
        refused_rows: "Refused rows" | "Abgelehnte Zeilen",
        first_rows: "The first rows" | "Die ersten Zeilen",
        was: "was {price}" | "war {price}",
        fate_new: "new" | "neu",
        fate_changed: "changed" | "geändert",
        fate_same: "equal" | "gleich",
        done: "Read in: {created} new, {changed} changed, {skipped} equal, {rejected} refused" | "Eingelesen: {created} neu, {changed} geändert, {skipped} gleich, {rejected} abgelehnt",
        to_parts: "See the parts" | "Teile ansehen",
        another: "Another file" | "Andere Datei",
        needs_script: "Reading in a file needs scripts in the browser, or the API: POST /api/v1/imports/parts." | "Eine Datei einzulesen braucht Skripte im Browser, oder die Schnittstelle: POST /api/v1/imports/parts.",
        col_sku: "Number" | "Nummer",
        col_name: "Name" | "Name",
        col_category: "Category" | "Kategorie",
        col_price: "Price" | "Preis",
        col_currency: "Currency" | "Währung",
        col_tax: "Tax rate" | "Steuersatz",
        col_barcodes: "Barcodes" | "Strichcodes",
        col_active: "Active" | "Aktiv",
        example: "An example" | "Ein Beispiel",
    }
}

/// A column's word.
pub(super) fn column(language: Language, column: Column) -> &'static str {
    let t = CatalogueTexts::of(language);
    match column {
        Column::Sku => t.col_sku,
        Column::Name => t.col_name,
        Column::Category => t.col_category,
        Column::Price => t.col_price,
        Column::Currency => t.col_currency,
        Column::TaxRate => t.col_tax,
        Column::Barcodes => t.col_barcodes,
        Column::Active => t.col_active,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(CatalogueTexts::ALL),
            Vec::<String>::new()
        );
    }
}
