//! The words of a branch's page.

web_kit::catalogue! {
    /// The words of this page.
    pub(crate) struct BranchTexts {
        change: "Change" | "Ändern",
        all: "All branches" | "Alle Filialen",
        cut_off: "Cut off since {when}. The branch works on its own." | "Getrennt seit {when}. Die Filiale arbeitet allein.",
        connected: "Connected since {when}." | "Verbunden seit {when}.",
        no_machine: "No machine speaks for this branch." | "Kein Rechner spricht für diese Filiale.",
        closed: "Not open for business." | "Nicht geöffnet.",
        nothing_waits: "Both sides hold the same." | "Beide Seiten haben dasselbe.",
        up: "{n} known to come in" | "{n} kommen bekanntlich noch",
        down: "{n} wait to go out" | "{n} warten auf den Weg hinaus",
        heard: "last heard {when}" | "zuletzt gehört {when}",
        join_first: "Make a join code and give it to the computer of the branch." | "Machen Sie einen Beitrittscode und geben Sie ihn dem Rechner der Filiale.",
        machines: "Machines" | "Rechner",
        machine: "Machine" | "Rechner",
        state: "State" | "Zustand",
        joined: "Joined" | "Beigetreten",
        heard_column: "Last heard" | "Zuletzt gehört",
        stored: "Entries" | "Einträge",
        version: "Version" | "Version",
        active: "active" | "aktiv",
        replaced: "replaced" | "ersetzt",
        revoked: "revoked" | "gesperrt",
        no_machines: "No machine has joined yet" | "Noch ist kein Rechner beigetreten",
        make_code: "Make a join code" | "Beitrittscode machen",
        code_title: "The join code, shown this once" | "Der Beitrittscode, nur dieses Mal gezeigt",
        code_hint: "Good for one machine until {when}. On the computer of the branch:" | "Gültig für einen Rechner bis {when}. Am Rechner der Filiale:",
        code_command: "edge-node join {hub} {code} --data DIR" | "edge-node join {hub} {code} --data ORDNER",
        code_anywhere: "The hub listens on every address of this computer: {hub} is a name by which it is reached." | "Die Zentrale lauscht auf allen Adressen dieses Rechners: {hub} ist ein Name, unter dem sie erreicht wird.",
        code_loopback: "The hub listens for branches on this computer alone; for others start it with --quic ADDRESS:PORT." | "Die Zentrale lauscht nur auf diesem Rechner auf Filialen; für andere starten Sie sie mit --quic ADRESSE:PORT.",
        copy: "Copy" | "Kopieren",
        changed: "is changed; it hears of it as soon as its line is up" | "ist geändert; sie erfährt es, sobald ihre Leitung steht",
        made: "is there; next it needs a machine: make a join code" | "ist angelegt; als Nächstes braucht sie einen Rechner: machen Sie einen Beitrittscode",
        is_revoked: "may speak no more; this stays, a machine comes back by a new join code" | "darf nicht mehr sprechen; das bleibt so, ein Rechner kommt durch einen neuen Beitrittscode zurück",
        code_lost: "Who loses it makes another one; the first then simply runs out." | "Wer ihn verliert, macht einen neuen; der erste läuft dann einfach ab.",
        revoke: "Revoke" | "Sperren",
        revoke_title: "Revoke machine {id}" | "Rechner {id} sperren",
        revoke_why: "It may speak no more, at once and for good. What it wrote before stays. A machine that is only cut off need not be revoked." | "Er darf sofort und für immer nicht mehr sprechen. Was er vorher schrieb, bleibt. Ein Rechner, der nur getrennt ist, muss nicht gesperrt werden.",
        reason: "Reason" | "Grund",
        reason_hint: "For the audit and for the machine, as in: stolen" | "Für die Prüfung und den Rechner, wie: gestohlen",
        keep: "Leave it" | "So lassen",
        orders: "Open orders" | "Offene Aufträge",
        status: "Status" | "Status",
        count: "Orders" | "Aufträge",
        late: "Past promise" | "Über Termin",
        no_orders: "No order is open" | "Kein Auftrag ist offen",
        stock: "Stock" | "Bestand",
        parts: "Parts on hand" | "Teile vorhanden",
        pieces: "Pieces on hand" | "Stück vorhanden",
        reserved: "Reserved" | "Reserviert",
        below_zero: "Parts below zero" | "Teile unter null",
        look_at: "To look at" | "Anzusehen",
        nothing: "Nothing waits for a person" | "Nichts wartet auf jemanden",
        all_exceptions: "All exceptions" | "Alle Ausnahmen",
        people: "People" | "Personal",
        nobody: "Nobody works here yet" | "Noch arbeitet hier niemand",
        all_people: "All people of this branch" | "Alle Personen dieser Filiale",
        facts: "The branch" | "Die Filiale",
        code: "Code" | "Kürzel",
        region: "Region" | "Region",
        address: "Address" | "Anschrift",
        location: "Location" | "Lage",
        time_zone: "Time zone" | "Zeitzone",
        currency: "Currency" | "Währung",
        with_tax: "prices include tax" | "Preise mit Steuer",
        without_tax: "prices without tax" | "Preise ohne Steuer",
        language: "Language" | "Sprache",
        capacity: "Open orders at most" | "Offene Aufträge höchstens",
        hours: "Opening hours" | "Öffnungszeiten",
        of_company: "as the company" | "wie die Firma",
        not_known: "not known" | "nicht bekannt",
        received: "Received" | "Angenommen",
        diagnosing: "Diagnosing" | "In Diagnose",
        awaiting_approval: "Awaiting approval" | "Wartet auf Freigabe",
        awaiting_parts: "Awaiting parts" | "Wartet auf Teile",
        in_repair: "In repair" | "In Reparatur",
        ready: "Ready" | "Abholbereit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(BranchTexts::ALL),
            Vec::<String>::new()
        );
    }
}
