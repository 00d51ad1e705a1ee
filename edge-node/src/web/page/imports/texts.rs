//! The words of the import, and faults of rows in the reader's language.

use web_kit::{Language, fill};

use crate::app::import::table::{Fault, Field, Kind};
use crate::ords::RowFault;

web_kit::catalogue! {
    /// Words of the import.
    pub(crate) struct ImportTexts {
        title: "Import" | "Übernahme",
        customers: "Customers" | "Kunden",
        stock: "Opening stock" | "Anfangsbestand",
        orders: "Open orders" | "Offene Aufträge",
        customers_hint: "Known by their number, else by name with phone or e-mail" | "Erkannt an der Nummer, sonst an Name mit Telefon oder E-Mail",
        stock_hint: "Known by part and bin; each becomes one opening movement" | "Erkannt an Teil und Fach; jede wird eine Eröffnungsbewegung",
        orders_hint: "Known by their number in the old program; they get one of ours" | "Erkannt an der Nummer im alten Programm; sie bekommen eine von uns",
        what: "What the file holds" | "Was in der Datei steht",
        file: "File" | "Datei",
        file_hint: "CSV in UTF-8, the first line names the columns. Commas, semicolons or tabs between them." | "CSV in UTF-8, die erste Zeile nennt die Spalten. Komma, Semikolon oder Tabulator dazwischen.",
        look: "Look at it" | "Ansehen",
        nothing_yet: "Nothing is written before the rows were looked at" | "Nichts wird geschrieben, bevor die Zeilen angesehen sind",
        rules: "How it goes" | "Wie es geht",
        rule_order: "Customers first, then stock, then orders: orders find their customers by the old number." | "Zuerst Kunden, dann Bestand, dann Aufträge: Aufträge finden ihre Kunden über die alte Nummer.",
        rule_twice: "Nothing comes in twice. The same file again skips what is there." | "Nichts kommt doppelt. Dieselbe Datei noch einmal überspringt, was schon da ist.",
        rule_refused: "A row that is wrong is named with its number and what would be right; the others go on." | "Eine falsche Zeile wird mit Nummer genannt und mit dem, was richtig wäre; die anderen gehen weiter.",
        rule_parts: "Parts and prices belong to the catalogue, which the hub keeps. They are imported there." | "Teile und Preise gehören zum Katalog, den die Zentrale führt. Sie werden dort übernommen.",
        files: "Files" | "Dateien",
        no_files: "Files that were uploaded since the program started stand here." | "Hier stehen Dateien, die seit dem Start des Programms hochgeladen wurden.",
        needs_columns: "waits for its columns" | "wartet auf ihre Spalten",
        runs: "is coming in" | "kommt herein",
        done: "came in" | "ist übernommen",
        broke_off: "broke off" | "brach ab",
        no_file: "Choose a file" | "Eine Datei wählen",
        no_kind: "Say what the file holds" | "Sagen, was in der Datei steht",
        columns: "Columns" | "Spalten",
        columns_hint: "Which column of the file says what" | "Welche Spalte der Datei was sagt",
        not_there: "not in the file" | "nicht in der Datei",
        first_rows: "As the first rows will be read" | "So werden die ersten Zeilen gelesen",
        row: "Row" | "Zeile",
        outcome: "Outcome" | "Ergebnis",
        refused_rows: "Refused rows" | "Abgelehnte Zeilen",
        what_is_right: "What is wrong, and what would be right" | "Was falsch ist, und was richtig wäre",
        first_of: "the first {shown} of {all}" | "die ersten {shown} von {all}",
        new: "New" | "Neu",
        changed: "Changed" | "Geändert",
        there: "There already" | "Schon da",
        refused: "Refused" | "Abgelehnt",
        will_be_new: "new" | "neu",
        is_there: "there already" | "schon da",
        is_refused: "refused" | "abgelehnt",
        look_again: "Look again" | "Noch einmal ansehen",
        run_one: "Take 1 row over" | "1 Zeile übernehmen",
        run_some: "Take {n} rows over" | "{n} Zeilen übernehmen",
        run_all: "Take the file over" | "Die Datei übernehmen",
        nothing_to_run: "Nothing new in this file" | "Nichts Neues in dieser Datei",
        put_away: "Put away" | "Weglegen",
        another: "Another file" | "Eine andere Datei",
        go_on: "Go on with it" | "Fortsetzen",
        missing: "Every row needs {field}. Choose its column." | "Jede Zeile braucht {field}. Ihre Spalte wählen.",
        part_only: "The first {n} rows were looked at; the others are judged when they come in." | "Die ersten {n} Zeilen sind angesehen; die anderen werden bei der Übernahme beurteilt.",
        running: "{n} so far. The page may be left; the counter goes first." | "Bisher {n}. Die Seite kann verlassen werden; der Tresen geht vor.",
        all_in: "{n} came in, none was refused." | "{n} übernommen, keine abgelehnt.",
        all_there: "Every row was there already. Nothing was written." | "Jede Zeile war schon da. Nichts wurde geschrieben.",
        in_and_refused: "{n} came in, {refused} refused. Mend these rows in the file and upload it again: what is there is skipped." | "{n} übernommen, {refused} abgelehnt. Diese Zeilen in der Datei berichtigen und sie noch einmal hochladen: was da ist, wird übersprungen.",
        broken: "It broke off after {n}. What was written stays; going on skips it." | "Nach {n} abgebrochen. Was geschrieben ist, bleibt; das Fortsetzen überspringt es.",
        yes: "yes" | "ja",
        kib: "{n} KiB" | "{n} KiB",
    }
}

web_kit::catalogue! {
    /// Names of fields.
    pub(crate) struct FieldTexts {
        customer_id: "Customer number" | "Kundennummer",
        given_name: "First name" | "Vorname",
        name: "Name" | "Name",
        phone: "Phone" | "Telefon",
        email: "E-mail" | "E-Mail",
        address: "Address" | "Adresse",
        postcode: "Postcode" | "Postleitzahl",
        city: "Town" | "Ort",
        language: "Language" | "Sprache",
        note: "Note" | "Notiz",
        sku: "Part" | "Teil",
        quantity: "Pieces" | "Stück",
        bin: "Bin" | "Fach",
        reorder_point: "Reorder at" | "Nachbestellen bei",
        order_id: "Old number" | "Alte Nummer",
        taken_in: "Taken in" | "Angenommen",
        category: "Kind" | "Art",
        brand: "Brand" | "Marke",
        model: "Model" | "Modell",
        serial: "Serial" | "Seriennummer",
        fault: "Fault" | "Fehler",
        accessories: "Left with us" | "Dagelassen",
        status: "Status" | "Stand",
        promised: "Promised" | "Zugesagt",
        urgent: "Urgent" | "Eilig",
    }
}

web_kit::catalogue! {
    /// What is wrong with a row.
    struct FaultTexts {
        too_long_row: "The row is longer than {n} bytes. Perhaps a quotation mark is not closed, which joins the rows that follow." | "Die Zeile ist länger als {n} Byte. Vielleicht fehlt ein schließendes Anführungszeichen, dann hängen die folgenden Zeilen daran.",
        width: "The row has {found} fields, the first line names {width}. Perhaps a quotation mark or a separator is missing." | "Die Zeile hat {found} Felder, die erste Zeile nennt {width}. Vielleicht fehlt ein Anführungszeichen oder ein Trennzeichen.",
        open_quote: "The file ends inside a quoted field. The closing quotation mark is missing." | "Die Datei endet in einem Feld mit Anführungszeichen. Das schließende fehlt.",
        not_utf8: "{field} is not UTF-8. Save the file as CSV in UTF-8." | "{field} ist kein UTF-8. Die Datei als CSV in UTF-8 speichern.",
        nul: "{field} holds a character that no text has." | "{field} enthält ein Zeichen, das kein Text hat.",
        empty: "{field} is empty. Every row needs it." | "{field} ist leer. Jede Zeile braucht es.",
        too_long: "{field} is longer than {n} bytes. Shorten it." | "{field} ist länger als {n} Byte. Kürzen.",
        phone: "The phone number should have 3 to 20 digits, with spaces, + ( ) - . / between them." | "Die Telefonnummer sollte 3 bis 20 Ziffern haben, dazwischen Leerzeichen, + ( ) - . /",
        email: "The e-mail address should read like ada@example.org." | "Die E-Mail-Adresse sollte aussehen wie ada@example.org.",
        language: "The language should be a tag such as de or en." | "Die Sprache sollte ein Kürzel wie de oder en sein.",
        pieces: "{field} is “{found}”. It should be a whole number from {least} to {most}." | "{field} ist „{found}“. Es sollte eine ganze Zahl von {least} bis {most} sein.",
        day: "{field} is “{found}”. It should be a day such as 2026-05-31 or 31.05.2026, with an hour or without." | "{field} ist „{found}“. Es sollte ein Tag sein wie 31.05.2026 oder 2026-05-31, mit Uhrzeit oder ohne.",
        status: "The status is “{found}”. It should be received, diagnosing, awaiting approval, awaiting parts, in repair or ready." | "Der Stand ist „{found}“. Er sollte angenommen, in Diagnose, wartet auf Zusage, wartet auf Teile, in Reparatur oder fertig sein.",
        ended: "The status is “{found}”. Only orders that have not ended are taken over; leave the row out." | "Der Stand ist „{found}“. Nur offene Aufträge werden übernommen; die Zeile weglassen.",
        yes_no: "{field} is “{found}”. It should be yes, no or empty." | "{field} ist „{found}“. Es sollte ja, nein oder leer sein.",
        unknown_sku: "The part “{sku}” is not in the catalogue. Parts are added at the hub; import the row again when it is there." | "Das Teil „{sku}“ steht nicht im Katalog. Teile kommen in der Zentrale dazu; die Zeile danach noch einmal übernehmen.",
        other_figure: "The opening stock of {sku} in this bin was taken over with another figure. Count the shelf to correct it." | "Der Anfangsbestand von {sku} in diesem Fach wurde mit einer anderen Zahl übernommen. Zum Berichtigen das Fach zählen.",
        twice: "Row {row} of the same file is about the same. Put both into one row." | "Zeile {row} derselben Datei sagt dasselbe aus. Beide in eine Zeile schreiben.",
        unknown_customer: "No customer with the number “{id}” was taken over. Import the customers first, or name the person in this row." | "Kein Kunde mit der Nummer „{id}“ wurde übernommen. Zuerst die Kunden übernehmen, oder die Person in dieser Zeile nennen.",
    }
}

/// The name of a kind of table, and how its rows are known again.
pub(crate) const fn kind(language: Language, kind: Kind) -> (&'static str, &'static str) {
    let t = ImportTexts::of(language);
    match kind {
        Kind::Customers => (t.customers, t.customers_hint),
        Kind::Stock => (t.stock, t.stock_hint),
        Kind::Orders => (t.orders, t.orders_hint),
    }
}

/// The name of a field.
pub(crate) const fn field(language: Language, field: Field) -> &'static str {
    let t = FieldTexts::of(language);
    match field {
        Field::CustomerId => t.customer_id,
        Field::GivenName => t.given_name,
        Field::Name => t.name,
        Field::Phone => t.phone,
        Field::Email => t.email,
        Field::Address => t.address,
        Field::Postcode => t.postcode,
        Field::City => t.city,
        Field::Language => t.language,
        Field::Note => t.note,
        Field::Sku => t.sku,
        Field::Quantity => t.quantity,
        Field::Bin => t.bin,
        Field::ReorderPoint => t.reorder_point,
        Field::OrderId => t.order_id,
        Field::TakenIn => t.taken_in,
        Field::Category => t.category,
        Field::Brand => t.brand,
        Field::Model => t.model,
        Field::Serial => t.serial,
        Field::Fault => t.fault,
        Field::Accessories => t.accessories,
        Field::Status => t.status,
        Field::Promised => t.promised,
        Field::Urgent => t.urgent,
    }
}

/// A fault in words.
pub(crate) fn fault(language: Language, fault: &Fault) -> String {
    let t = FaultTexts::of(language);
    let name = |it: Field| field(language, it);
    match fault {
        Fault::Row(row) => row_fault(language, row),
        Fault::Empty { field } => fill(t.empty, &[("field", &name(*field))]),
        Fault::TooLong { field, max } => fill(t.too_long, &[("field", &name(*field)), ("n", max)]),
        Fault::Form { field, form } => match field {
            Field::Phone => t.phone.to_owned(),
            Field::Email => t.email.to_owned(),
            Field::Language => t.language.to_owned(),
            other => format!("{}: {form}", name(*other)),
        },
        Fault::Pieces {
            field,
            found,
            least,
            most,
        } => fill(
            t.pieces,
            &[
                ("field", &name(*field)),
                ("found", found),
                ("least", least),
                ("most", most),
            ],
        ),
        Fault::Day { field, found } => fill(t.day, &[("field", &name(*field)), ("found", found)]),
        Fault::Status { found } => fill(t.status, &[("found", found)]),
        Fault::Ended { found } => fill(t.ended, &[("found", found)]),
        Fault::YesNo { field, found } => {
            fill(t.yes_no, &[("field", &name(*field)), ("found", found)])
        }
        Fault::UnknownSku { sku } => fill(t.unknown_sku, &[("sku", sku)]),
        Fault::OtherFigure { sku } => fill(t.other_figure, &[("sku", sku)]),
        Fault::Twice { row } => fill(t.twice, &[("row", row)]),
        Fault::UnknownCustomer { id } => fill(t.unknown_customer, &[("id", id)]),
        Fault::Said(detail) => web_kit::problem::sentence(detail),
    }
}

fn row_fault(language: Language, fault: &RowFault) -> String {
    let t = FaultTexts::of(language);
    let name = |column: &str| {
        Field::of_name(column)
            .map_or_else(|| column.to_owned(), |it| field(language, it).to_owned())
    };
    match fault {
        RowFault::TooLong { limit } => fill(t.too_long_row, &[("n", limit)]),
        RowFault::TooManyFields { limit, width } => {
            fill(t.width, &[("found", limit), ("width", width)])
        }
        RowFault::Width { fields, width } => fill(t.width, &[("found", fields), ("width", width)]),
        RowFault::OpenQuote => t.open_quote.to_owned(),
        RowFault::NotUtf8 { column, .. } => fill(t.not_utf8, &[("field", &name(column))]),
        RowFault::Nul { column } => fill(t.nul, &[("field", &name(column))]),
        // Tables have no such rows; what files of the standard say stands in its own words.
        other => web_kit::problem::sentence(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        for catalogue in [ImportTexts::ALL, FieldTexts::ALL, FaultTexts::ALL] {
            assert_eq!(web_kit::language::flaws(catalogue), Vec::<String>::new());
        }
    }
}
