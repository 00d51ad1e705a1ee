//! Markup that is safe to write into a page as it is.
//!
//! The only ways to a [`SafeHtml`] are a rendered template (which escaped its
//! values), joining others, escaping a text, and a literal of the program. Text
//! of a person never becomes one by itself.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;

use crate::problem::Problem;

/// Rendered markup. Templates write it without escaping.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SafeHtml(String);

impl SafeHtml {
    /// Nothing.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Markup that the program itself holds.
    pub fn literal(markup: &'static str) -> Self {
        Self(markup.to_owned())
    }

    /// Renders a template.
    ///
    /// # Errors
    /// 500 when a value's `Display` fails, which is a mistake in the program.
    pub fn render(template: &impl Template) -> Result<Self, Problem> {
        template.render().map(Self).map_err(|error| {
            tracing::error!(%error, "a template does not render");
            Problem::internal()
        })
    }

    /// A text with everything escaped that HTML would read, in content and in
    /// quoted attributes.
    pub fn escape(text: &str) -> Self {
        let mut markup = String::with_capacity(text.len());
        for letter in text.chars() {
            match letter {
                '&' => markup.push_str("&amp;"),
                '<' => markup.push_str("&lt;"),
                '>' => markup.push_str("&gt;"),
                '"' => markup.push_str("&quot;"),
                '\'' => markup.push_str("&#39;"),
                other => markup.push(other),
            }
        }
        Self(markup)
    }

    /// Adds more markup behind.
    #[must_use]
    pub fn then(mut self, more: &SafeHtml) -> Self {
        self.0.push_str(&more.0);
        self
    }

    /// Another target of the same answer: htmx puts `self` into `target` by `swap`
    /// (`outerMorph`, `textContent` …) whatever the main target is.
    #[must_use]
    pub fn partial(&self, target: &str, swap: &str) -> Self {
        let (target, swap) = (Self::escape(target), Self::escape(swap));
        Self(format!(
            r#"<hx-partial hx-target="{target}" hx-swap="{swap}">{self}</hx-partial>"#
        ))
    }

    /// The markup.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The markup, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for SafeHtml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for SafeHtml {}

/// An icon of the sprite, hidden from screen readers: a word stands beside it.
/// The states of the counterpart mark are `agreed`, `here`, `joining`, `apart`,
/// `versions`, `parked`; all names are the ids in `assets/icons.svg` without `i-`.
pub fn icon(name: &str) -> SafeHtml {
    sized_icon(name, "")
}

/// [`icon`] in another size: `small`, `large` or `huge`.
pub fn sized_icon(name: &str, size: &str) -> SafeHtml {
    debug_assert!(
        crate::assets::has_icon(name),
        "the sprite has no icon {name}"
    );
    let sprite = crate::assets::url("icons.svg");
    let (name, size) = (SafeHtml::escape(name), SafeHtml::escape(size));
    let size = if size.0.is_empty() {
        String::new()
    } else {
        format!(r#" data-size="{size}""#)
    };
    SafeHtml(format!(
        r##"<svg class="icon"{size} aria-hidden="true"><use href="{sprite}#i-{name}"/></svg>"##
    ))
}
