//! Toasts: one line that says what was done, with the way back.
//!
//! A toast is part of an answer to htmx: it goes into the shell's region whatever the answer's own target is. Without
//! a script there is none, and the page that follows shows what was done.

use askama::Template;

use crate::html::SafeHtml;
use crate::language::Language;
use crate::problem::Problem;
use crate::texts::ShellTexts;

/// The shell's region for toasts.
const REGION: &str = "#toasts";

/// What was done, in one line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Toast {
    /// What it is about, in strong letters: a number, a name.
    pub strong: String,
    /// What was done with it.
    pub text: String,
    /// The way back.
    pub undo: Option<ToastUndo>,
    /// Whether it says that something was refused.
    pub is_late: bool,
}

/// A form of hidden fields behind the button Undo, key `Z`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToastUndo {
    /// Where it posts to. The answer should hold partials only.
    pub action: String,
    /// Its fields, with `key`, the form's idempotency key, among them.
    pub fields: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "_toast.html")]
struct ToastTemplate<'a> {
    toast: &'a Toast,
    texts: &'a ShellTexts,
}

impl Toast {
    /// A toast without a way back.
    pub fn new(strong: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            strong: strong.into(),
            text: text.into(),
            undo: None,
            is_late: false,
        }
    }

    /// As a refusal: it says why nothing was done.
    #[must_use]
    pub fn late(mut self) -> Self {
        self.is_late = true;
        self
    }

    /// With a way back.
    #[must_use]
    pub fn undo(mut self, action: impl Into<String>, fields: Vec<(&'static str, String)>) -> Self {
        self.undo = Some(ToastUndo {
            action: action.into(),
            fields,
        });
        self
    }

    /// The toast as a partial of an answer; it takes the place of the last one.
    ///
    /// # Errors
    /// 500 when the template fails.
    pub fn partial(&self, language: Language) -> Result<SafeHtml, Problem> {
        let texts = ShellTexts::of(language);
        let toast = ToastTemplate { toast: self, texts };
        Ok(SafeHtml::render(&toast)?.partial(REGION, "innerHTML"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_toast_goes_to_its_region_and_escapes_what_people_typed() {
        let toast = Toast::new("<b>4180</b>", "is now in repair")
            .undo("/board/undo", vec![("key", "k\"1".to_owned())]);
        let markup = toast.partial(Language::German).unwrap().into_string();
        assert!(markup.starts_with("<hx-partial hx-target=\"#toasts\""));
        assert!(
            markup.contains("&#60;b&#62;4180") && markup.contains("k&#34;1"),
            "{markup}"
        );
        assert!(markup.contains("Rückgängig") && markup.contains("data-key=\"z u\""));
        let plain = Toast::new("4180", "saved")
            .partial(Language::English)
            .unwrap();
        assert!(!plain.as_str().contains("<form"));
    }
}
