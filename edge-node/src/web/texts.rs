//! The words that several of the branch's pages use; a page's own words stand beside it. No template holds a sentence.

use domain::order::{Outcome, Status};
use web_kit::Language;

use crate::app::order::form::SyncState;

web_kit::catalogue! {
    /// Words of orders, intake and lists.
    pub(crate) struct Texts {
        orders: "Orders" | "Aufträge",
        board: "Board" | "Tafel",
        intake: "Intake" | "Annahme",
        import: "Import" | "Übernahme",
        till: "Till" | "Kasse",
        cash: "Cash" | "Bargeld",
        stock: "Stock" | "Bestand",
        transfers: "Transfers" | "Umlagerung",
        sync: "Sync" | "Abgleich",
        new_intake: "New intake" | "Neue Annahme",
        put_aside: "Put aside" | "Beiseitelegen",
        find: "Find" | "Suchen",
        find_hint: "Number, name, phone, serial, fault" | "Nummer, Name, Telefon, Seriennummer, Fehler",
        all: "All" | "Alle",
        show: "Show" | "Zeigen",
        number: "Number" | "Nummer",
        device: "Device" | "Gerät",
        fault: "Fault" | "Fehler",
        person: "Person" | "Person",
        status: "Status" | "Stand",
        promised: "Promised" | "Zugesagt",
        at_hub: "Hub" | "Zentrale",
        taken_in: "Taken in" | "Angenommen",
        older: "Older orders" | "Ältere Aufträge",
        newest: "Newest orders" | "Neueste Aufträge",
        no_orders: "No order yet. The first one begins with an intake." | "Noch kein Auftrag. Der erste beginnt mit einer Annahme.",
        number_or_serial: "Number or serial" | "Nummer oder Seriennummer",
        no_such_number: "No order has this number or serial." | "Kein Auftrag hat diese Nummer oder Seriennummer.",
        no_orders_here: "No order stands here now." | "Hier steht gerade kein Auftrag.",
        nothing_found: "Nothing fits. A number, a name, four digits of a phone or a word of the fault will do." | "Nichts passt. Es genügen eine Nummer, ein Name, vier Ziffern eines Telefons oder ein Wort des Fehlers.",
        found: "Found" | "Gefunden",
        urgent: "Urgent" | "Eilig",
        conflict: "Two versions" | "Zwei Fassungen",
        name: "Name" | "Name",
        phone: "Phone" | "Telefon",
        email: "E-mail" | "E-Mail",
        person_hint: "Without a name the order belongs to nobody" | "Ohne Namen gehört der Auftrag niemandem",
        category: "Kind" | "Art",
        category_hint: "laptop, phone, coffee machine" | "Laptop, Telefon, Kaffeemaschine",
        brand: "Brand" | "Marke",
        model: "Model" | "Modell",
        serial: "Serial" | "Seriennummer",
        fault_hint: "In the customer’s words" | "In den Worten des Kunden",
        accessories: "Left with us" | "Dagelassen",
        accessories_hint: "charger, case" | "Ladegerät, Hülle",
        urgent_first: "Urgent, goes first" | "Eilig, zuerst",
        ticket: "New order" | "Neuer Auftrag",
        number_later: "The number comes when it is saved" | "Die Nummer kommt beim Speichern",
        take_in: "Take in" | "Annehmen",
        not_saved: "Nothing was saved yet. The marked fields say what is missing." | "Noch ist nichts gespeichert. Die markierten Felder sagen, was fehlt.",
        lines: "Parts and work" | "Teile und Arbeit",
        no_lines: "No line yet." | "Noch keine Zeile.",
        quantity: "Qty" | "Anz.",
        price: "Price" | "Preis",
        net: "Without tax" | "Ohne Steuer",
        tax: "Tax" | "Steuer",
        due: "To pay" | "Zu zahlen",
        time_line: "Time line" | "Verlauf",
        diagnosis: "Diagnosis" | "Diagnose",
        nobody: "Nobody named" | "Niemand genannt",
        left_here: "Left here" | "Dagelassen",
        condition: "As it came in" | "Wie es kam",
        source: "Imported from" | "Übernommen aus",
        outcome: "Outcome" | "Ergebnis",
        taken_back: "Step taken back" | "Schritt zurückgenommen",
        estimate: "Estimate" | "Kostenvoranschlag",
        system: "Counterpart" | "Counterpart",
        not_promised: "no time named" | "keine Zeit genannt",
        reserved: "reserved" | "reserviert",
        consumed: "used" | "verbraucht",
        open: "open" | "offen",
        technician: "Technician" | "Techniker",
        at_local: "Saved here, not yet at the hub" | "Hier gespeichert, noch nicht in der Zentrale",
        at_stored: "On the hub’s disk, not yet applied" | "Auf der Platte der Zentrale, noch nicht angewandt",
        at_applied: "Both sides hold the same" | "Beide Seiten halten dasselbe",
    }
}

web_kit::catalogue! {
    /// Statuses and outcomes.
    pub(crate) struct OrderTexts {
        received: "Received" | "Angenommen",
        diagnosing: "Diagnosing" | "In Diagnose",
        awaiting_approval: "Awaiting approval" | "Wartet auf Zusage",
        awaiting_parts: "Awaiting parts" | "Wartet auf Teile",
        in_repair: "In repair" | "In Reparatur",
        ready: "Ready" | "Fertig",
        collected: "Collected" | "Abgeholt",
        cancelled: "Cancelled" | "Storniert",
        repaired: "Repaired" | "Repariert",
        unrepairable: "Cannot be repaired" | "Nicht reparierbar",
        declined: "Declined by the customer" | "Vom Kunden abgelehnt",
    }
}

web_kit::catalogue! {
    /// What the rail and the status bar say.
    pub(crate) struct FrameTexts {
        connected: "Connected to the hub" | "Mit der Zentrale verbunden",
        reaching: "Reaching for the hub" | "Sucht die Zentrale",
        work_goes_on: "all work goes on" | "alle Arbeit geht weiter",
        cut_off: "Cut off since {since}" | "Abgeschnitten seit {since}",
        drill: "Line cut for a drill since {since}" | "Leitung zur Übung getrennt seit {since}",
        held: "Held by the hub since {since}" | "Von der Zentrale angehalten seit {since}",
        nothing_waits: "All is at the hub" | "Alles ist in der Zentrale",
        one_waits: "waits to go out, since {age}" | "wartet auf den Weg, seit {age}",
        some_wait: "wait to go out, the oldest {age}" | "warten auf den Weg, das älteste {age}",
        to_come: "still to come in" | "kommen noch herein",
        one_decision: "waits for a decision" | "wartet auf eine Entscheidung",
        decisions: "wait for a decision" | "warten auf eine Entscheidung",
        parked: "parked" | "abgestellt",
        cash_open: "Cash open since {since}, {who}" | "Kasse offen seit {since}, {who}",
    }
}

/// A status in words.
pub(crate) const fn status(language: Language, status: Status) -> &'static str {
    let t = OrderTexts::of(language);
    match status {
        Status::Received => t.received,
        Status::Diagnosing => t.diagnosing,
        Status::AwaitingApproval => t.awaiting_approval,
        Status::AwaitingParts => t.awaiting_parts,
        Status::InRepair => t.in_repair,
        Status::Ready => t.ready,
        Status::Collected => t.collected,
        Status::Cancelled => t.cancelled,
    }
}

/// An outcome in words.
pub(crate) const fn outcome(language: Language, outcome: Outcome) -> &'static str {
    let t = OrderTexts::of(language);
    match outcome {
        Outcome::Repaired => t.repaired,
        Outcome::Unrepairable => t.unrepairable,
        Outcome::Declined => t.declined,
    }
}

/// How far an order's own changes got: its glyph and words.
pub(crate) const fn sync(language: Language, state: SyncState) -> (&'static str, &'static str) {
    let t = Texts::of(language);
    match state {
        SyncState::Local => ("here", t.at_local),
        SyncState::Stored => ("joining", t.at_stored),
        SyncState::Applied => ("agreed", t.at_applied),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        for catalogue in [Texts::ALL, OrderTexts::ALL, FrameTexts::ALL] {
            assert_eq!(web_kit::language::flaws(catalogue), Vec::<String>::new());
        }
    }
}
