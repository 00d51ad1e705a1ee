//! What lists have in common: the ways to their other pages, and what narrows them.

/// The ways to the first and to the next page of a list (`_pager.html`).
#[derive(Debug)]
pub(crate) struct Pager {
    /// The first page, where another is shown.
    pub(crate) first: Option<String>,
    /// The page that follows.
    pub(crate) next: Option<String>,
    /// What leads to the first.
    pub(crate) first_words: &'static str,
    /// What leads on.
    pub(crate) next_words: &'static str,
}

/// One of the choices above a list, as an address.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Where it leads.
    pub(crate) href: String,
    /// Its words.
    pub(crate) words: String,
    /// Whether it is what is shown.
    pub(crate) is_current: bool,
}
