//! Toasts: one line that says what was done, with the way back.
//!
//! A toast goes into the shell's region: as part of an answer to htmx whatever the answer's own target is, or drawn by
//! the page that follows a form. For that page it waits under a random name in [`WaitingToasts`]; an address carries
//! the name only, never what the toast says.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use askama::Template;

use crate::html::SafeHtml;
use crate::language::Language;
use crate::problem::Problem;
use crate::texts::ShellTexts;

/// The shell's region for toasts.
const REGION: &str = "#toasts";
/// The most that wait; a page that never came leaves its toast to be pushed out.
const WAITING_MAX: usize = 64;
/// The part of an address that names a waiting toast.
pub const SAID: &str = "said";

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
    /// The page whose list, kept in the tab until it is saved, is done with.
    pub clears: Option<&'static str>,
}

/// A form of hidden fields behind the button Undo, key `Z`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToastUndo {
    /// Where it posts to. The answer should hold partials only, or lead to a page where `is_plain`.
    pub action: String,
    /// Whether the browser posts it by itself, so that the answer may lead to another page.
    pub is_plain: bool,
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
            clears: None,
        }
    }

    /// As a refusal: it says why nothing was done.
    #[must_use]
    pub fn late(mut self) -> Self {
        self.is_late = true;
        self
    }

    /// As the word that the list kept for the page at `address` is saved.
    #[must_use]
    pub fn clears(mut self, address: &'static str) -> Self {
        self.clears = Some(address);
        self
    }

    /// With a way back.
    #[must_use]
    pub fn undo(mut self, action: impl Into<String>, fields: Vec<(&'static str, String)>) -> Self {
        self.undo = Some(ToastUndo {
            action: action.into(),
            is_plain: false,
            fields,
        });
        self
    }

    /// With a way back that leads to a page again.
    #[must_use]
    pub fn undo_by_page(
        self,
        action: impl Into<String>,
        fields: Vec<(&'static str, String)>,
    ) -> Self {
        let mut toast = self.undo(action, fields);
        if let Some(undo) = &mut toast.undo {
            undo.is_plain = true;
        }
        toast
    }

    /// The toast as a partial of an answer; it takes the place of the last one.
    ///
    /// # Errors
    /// 500 when the template fails.
    pub fn partial(&self, language: Language) -> Result<SafeHtml, Problem> {
        Ok(self.markup(language)?.partial(REGION, "innerHTML"))
    }

    /// The toast by itself.
    pub(crate) fn markup(&self, language: Language) -> Result<SafeHtml, Problem> {
        let texts = ShellTexts::of(language);
        SafeHtml::render(&ToastTemplate { toast: self, texts })
    }
}

/// Toasts that wait for the page that follows their form; each is shown once.
#[derive(Debug, Default)]
pub struct WaitingToasts(Mutex<VecDeque<(String, Toast)>>);

impl WaitingToasts {
    /// Keeps a toast under a name that nobody can guess.
    pub fn keep(&self, name: String, toast: Toast) {
        let mut waiting = self.lock();
        waiting.push_back((name, toast));
        while waiting.len() > WAITING_MAX {
            waiting.pop_front();
        }
    }

    /// Gives the toast of a name away.
    pub fn take(&self, name: &str) -> Option<Toast> {
        let mut waiting = self.lock();
        let at = waiting.iter().position(|(kept, _)| kept == name)?;
        waiting.remove(at).map(|(_, toast)| toast)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, Toast)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let by_page = Toast::new("4180", "saved").undo_by_page("/undo", Vec::new());
        let markup = by_page.markup(Language::English).unwrap();
        assert!(
            markup.as_str().contains("action=\"/undo\"") && !markup.as_str().contains("hx-post")
        );
    }

    #[test]
    fn a_waiting_toast_is_given_once_and_the_oldest_goes_first() {
        let waiting = WaitingToasts::default();
        for n in 0..=WAITING_MAX {
            waiting.keep(n.to_string(), Toast::new("4180", n.to_string()));
        }
        assert_eq!(waiting.take("0"), None);
        assert_eq!(waiting.take("64"), Some(Toast::new("4180", "64")));
        assert_eq!(waiting.take("64"), None);
    }
}
