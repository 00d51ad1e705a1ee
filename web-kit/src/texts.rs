//! The words of the shell itself, as one value, so that a catalogue of messages
//! can bring other languages. No template of this crate holds a sentence.

/// What the shell, the sign-in page and the problem page say.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each field is named after the words it holds")]
pub struct ShellTexts {
    pub skip_to_work: &'static str,
    pub pages: &'static str,
    pub start_page: &'static str,
    pub status: &'static str,
    pub sign_out: &'static str,
    pub keys: &'static str,
    pub keys_of_this_page: &'static str,
    pub close: &'static str,
    pub not_reached: &'static str,
    pub line_lost: &'static str,
    pub sign_in: &'static str,
    pub user_name: &'static str,
    pub password: &'static str,
    pub back_to_start: &'static str,
}

impl ShellTexts {
    /// English.
    pub const ENGLISH: Self = Self {
        skip_to_work: "Skip to the work",
        pages: "Pages",
        start_page: "Counterpart, start page",
        status: "State of this place",
        sign_out: "Sign out",
        keys: "Keys",
        keys_of_this_page: "Keys of this page",
        close: "Close",
        not_reached: "The program did not answer. Nothing was saved, what you typed is still here.",
        line_lost: "This page has lost its program. It tries again by itself; what you see may be old.",
        sign_in: "Sign in",
        user_name: "User name",
        password: "Password",
        back_to_start: "Back to the start page",
    };
}
