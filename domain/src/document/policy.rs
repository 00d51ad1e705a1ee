//! Which paths a document has, what stands there, and who may write it.
//!
//! One fixed table per kind. The hub holds it against every operation of a received change, and our own edits are
//! tested against it. A path that is not in the table is never accepted; containers are made by the change that
//! creates the document and by no other, so that no two actors ever make the same one.

mod check;
mod table;

pub use check::{
    PolicyAction, PolicyError, check_change, check_operation, is_time, required_paths, table_paths,
};

use super::DocumentKind;
use crate::text;

/// In what capacity somebody writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Writer {
    /// The branch that the document belongs to.
    Home,
    /// A branch that works on the device, or serves the person, without being the home branch.
    Performing,
    /// The hub.
    Hub,
}

impl Writer {
    /// Every capacity.
    pub const ALL: [Self; 3] = [Self::Home, Self::Performing, Self::Hub];

    const fn bit(self) -> u8 {
        match self {
            Self::Home => HOME,
            Self::Performing => PERFORMING,
            Self::Hub => HUB,
        }
    }
}

const HOME: u8 = 1;
const PERFORMING: u8 = 2;
const HUB: u8 = 4;

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A map.
    Map,
    /// One line of text of at most so many bytes.
    Line(usize),
    /// Text of several lines of at most so many bytes.
    Block(usize),
    /// A whole number between these two.
    Int(i64, i64),
    /// Yes or no.
    Bool,
    /// Milliseconds since 1970, within the years 0 to 9999.
    Time,
    /// An id.
    Id,
    /// One of these words.
    Word(&'static [&'static str]),
    /// An ISO 4217 code.
    Currency,
    /// A sealed personal value.
    Sealed,
}

/// One key of a path in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Segment {
    Name(&'static str),
    Id,
    Key,
}

/// When a path may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// Only in the change that creates the document.
    Creation,
    /// Only in the change that makes the map it stands in.
    WithParent,
    /// In any change.
    Always,
}

#[derive(Debug)]
struct Rule {
    path: &'static [Segment],
    form: Form,
    writers: u8,
    when: When,
    removable: bool,
}

/// What stands at `path` in documents of this kind; `None` for a path that they do not have.
pub fn form_of<S: AsRef<str>>(kind: DocumentKind, path: &[S]) -> Option<Form> {
    rule_of(kind, path).map(|rule| rule.form)
}

fn rule_of<S: AsRef<str>>(kind: DocumentKind, path: &[S]) -> Option<&'static Rule> {
    table::rules(kind).iter().find(|rule| {
        rule.path.len() == path.len()
            && rule
                .path
                .iter()
                .zip(path)
                .all(|(segment, key)| segment.fits(key.as_ref()))
    })
}

impl Segment {
    fn fits(self, key: &str) -> bool {
        match self {
            Self::Name(name) => name == key,
            // Lower case only: an id in two spellings would be two entries.
            Self::Id => {
                crate::id::parse_uuid(key).is_ok() && !key.bytes().any(|c| c.is_ascii_uppercase())
            }
            Self::Key => text::required_line(key, text::KEY_MAX).is_ok_and(|clean| clean == key),
        }
    }
}
