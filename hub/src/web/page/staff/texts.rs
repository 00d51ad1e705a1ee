//! The words of people and roles.

use domain::staff::Role;
use web_kit::Language;

web_kit::catalogue! {
    /// The words of the pages of people.
    pub(super) struct StaffTexts {
        title: "Staff" | "Personal",
        new: "New person" | "Neue Person",
        find: "Name, user name" | "Name, Benutzername",
        find_label: "Find a person" | "Person finden",
        person: "Name" | "Name",
        user_name: "User name" | "Benutzername",
        role: "Role" | "Rolle",
        branches: "Branches" | "Filialen",
        state: "State" | "Zustand",
        since: "Since" | "Seit",
        whole_chain: "The whole chain" | "Die ganze Kette",
        active: "may sign in" | "darf sich anmelden",
        inactive: "may not sign in" | "darf sich nicht anmelden",
        only: "Only {code}" | "Nur {code}",
        everybody: "Everybody" | "Alle",
        n_people: "{n} people" | "{n} Personen",
        one_person: "1 person" | "1 Person",
        none: "Nobody fits" | "Niemand passt",
        none_why: "Another word shows more." | "Ein anderes Wort zeigt mehr.",
        roles_title: "What the roles may do" | "Was die Rollen dürfen",
        user_hint: "To sign in with, at the branch and here" | "Zum Anmelden, in der Filiale und hier",
        branches_hint: "None for the whole chain" | "Keine für die ganze Kette",
        codes_hint: "Codes with blanks between them, as in BER HAM; none for the whole chain" | "Kürzel mit Leerzeichen, wie BER HAM; keine für die ganze Kette",
        password: "Password" | "Passwort",
        password_hint: "8 characters at least; tell it to the person yourself" | "Mindestens 8 Zeichen; sagen Sie es der Person selbst",
        new_password: "New password" | "Neues Passwort",
        new_password_hint: "Empty keeps the present one" | "Leer behält das jetzige",
        add: "Add the person" | "Person anlegen",
        save: "Save" | "Speichern",
        cancel: "Cancel" | "Abbrechen",
        who: "Person" | "Person",
        where_part: "Place" | "Ort",
        let_go: "Let go" | "Austragen",
        let_go_why: "The person may not sign in any more, here at once and at a branch as soon as it hears of it. Everything the person did stays." | "Die Person darf sich nicht mehr anmelden, hier sofort und in einer Filiale, sobald sie es erfährt. Alles, was die Person tat, bleibt.",
        let_go_title: "Let {name} go" | "{name} austragen",
        take_back: "May sign in again" | "Darf sich wieder anmelden",
        leave: "Leave it" | "So lassen",
        added: "may sign in from now on; Undo lets the person go" | "darf sich ab jetzt anmelden; Rückgängig trägt die Person aus",
        changed: "is changed" | "ist geändert",
        changed_password: "is changed; the new password stays, whoever takes the rest back" | "ist geändert; das neue Passwort bleibt, auch wenn Sie den Rest zurücknehmen",
        is_gone: "may not sign in any more" | "darf sich nicht mehr anmelden",
        is_back: "may sign in again" | "darf sich wieder anmelden",
        first: "First page" | "Erste Seite",
        next: "Next page" | "Nächste Seite",
        sessions: "Saving another role, other branches or a password signs the person out everywhere." | "Eine andere Rolle, andere Filialen oder ein Passwort melden die Person überall ab.",
    }
}

web_kit::catalogue! {
    /// The roles and what they are for.
    struct RoleTexts {
        clerk: "Clerk" | "Annahme",
        clerk_may: "Takes devices in, moves orders, books parts" | "Nimmt Geräte an, bewegt Aufträge, bucht Teile",
        technician: "Technician" | "Werkstatt",
        technician_may: "As a clerk, at the bench" | "Wie die Annahme, in der Werkstatt",
        branch_manager: "Branch manager" | "Filialleitung",
        branch_manager_may: "Runs a branch: also corrects stock, imports, sees the branch here" | "Leitet eine Filiale: korrigiert auch Bestand, importiert, sieht sie auch hier",
        central_manager: "Central manager" | "Zentralleitung",
        central_manager_may: "Runs the chain: prices, transfers, people, branches, the company" | "Leitet die Kette: Preise, Umlagerungen, Personal, Filialen, Firma",
        auditor: "Auditor" | "Prüfung",
        auditor_may: "Sees everything, changes nothing" | "Sieht alles, ändert nichts",
        operator: "Operator" | "Technik",
        operator_may: "Runs the machines: join codes, people, parked entries" | "Betreibt die Rechner: Beitrittscodes, Personal, zurückgestellte Einträge",
    }
}

/// The name of a role.
pub(crate) fn role_name(role: Role, language: Language) -> &'static str {
    role_words(role, language).0
}

/// The name of a role, and what it may do.
pub(super) fn role_words(role: Role, language: Language) -> (&'static str, &'static str) {
    let t = RoleTexts::of(language);
    match role {
        Role::Clerk => (t.clerk, t.clerk_may),
        Role::Technician => (t.technician, t.technician_may),
        Role::BranchManager => (t.branch_manager, t.branch_manager_may),
        Role::CentralManager => (t.central_manager, t.central_manager_may),
        Role::Auditor => (t.auditor, t.auditor_may),
        Role::Operator => (t.operator, t.operator_may),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        for catalogue in [StaffTexts::ALL, RoleTexts::ALL] {
            assert_eq!(web_kit::language::flaws(catalogue), Vec::<String>::new());
        }
    }
}
