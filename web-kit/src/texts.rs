//! The words of the shell itself. No template of this crate holds a sentence.

crate::catalogue! {
    /// What the shell, the sign-in page and the problem page say.
    pub struct ShellTexts {
        skip_to_work: "Skip to the work" | "Zur Arbeit springen",
        pages: "Pages" | "Seiten",
        start_page: "Counterpart, start page" | "Counterpart, Startseite",
        status: "State of this place" | "Zustand dieses Ortes",
        sign_out: "Sign out" | "Abmelden",
        keys: "Keys" | "Tasten",
        keys_of_this_page: "Keys of this page" | "Tasten dieser Seite",
        close: "Close" | "Schließen",
        undo: "Undo" | "Rückgängig",
        not_reached: "The program did not answer. Nothing was saved, what you typed is still here." | "Das Programm hat nicht geantwortet. Nichts wurde gespeichert, die Eingaben stehen noch hier.",
        line_lost: "This page has lost its program. It tries again by itself; what you see may be old." | "Diese Seite hat ihr Programm verloren. Sie versucht es von selbst wieder; was hier steht, kann alt sein.",
        sign_in: "Sign in" | "Anmelden",
        user_name: "User name" | "Benutzername",
        password: "Password" | "Passwort",
        back_to_start: "Back to the start page" | "Zurück zur Startseite",
        this_screen: "This screen" | "Dieser Bildschirm",
        language: "Language" | "Sprache",
        light_and_dark: "Light and dark" | "Hell und dunkel",
        as_system: "As the system says" | "Wie das System",
        as_branch: "As the branch" | "Wie die Filiale",
        light: "Light" | "Hell",
        dark: "Dark" | "Dunkel",
        keep: "Keep" | "Übernehmen",
    }
}
