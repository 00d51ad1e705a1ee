//! Automerge documents: which kinds there are, how they are read and how a change is made.
//!
//! A document holds maps and scalars only, at most four keys deep; strings are scalars. Changes are made on a copy with
//! time 0 and no message, so that their bytes say nothing but the edits. Nothing here ever stores or sends.

mod conflict;
mod edit;
pub mod policy;
mod tree;

pub use conflict::{Conflict, ConflictValue, conflicts, settle};
pub use edit::{Applied, Edit, EditOp, apply_edits};
pub use tree::{Tree, tree};

use crate::code::codes;
use serde::{Serialize, Serializer};
use thiserror::Error;

/// The deepest path, in keys.
pub const MAX_DEPTH: usize = 4;
/// The most entries that a document may have for it to be read.
pub const MAX_ENTRIES: usize = 50_000;
/// The value of `v` in every document.
pub const DOCUMENT_VERSION: i64 = 1;

codes! {
    /// What a document is about.
    pub enum DocumentKind as "document kind" {
        /// A repair order: one device.
        Order = 1 "order",
        /// A person.
        Customer = 2 "customer",
        /// Where and how one part is kept at one branch.
        Inventory = 3 "inventory",
    }
}

/// A value at the end of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scalar {
    /// Nothing; our own edits delete the key instead.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number: money in minor units, milliseconds, a count.
    Int(i64),
    /// Text.
    Str(String),
    /// Bytes: sealed values.
    Bytes(Vec<u8>),
}

impl Scalar {
    /// The Automerge value that this is written as.
    pub fn to_automerge(&self) -> automerge::ScalarValue {
        match self {
            Self::Null => automerge::ScalarValue::Null,
            Self::Bool(value) => automerge::ScalarValue::Boolean(*value),
            Self::Int(value) => automerge::ScalarValue::Int(*value),
            Self::Str(value) => automerge::ScalarValue::Str(value.as_str().into()),
            Self::Bytes(value) => automerge::ScalarValue::Bytes(value.clone()),
        }
    }

    /// The same, strictly: only the five kinds that we write. For checking the operations of a received change.
    pub fn from_automerge(value: &automerge::ScalarValue) -> Option<Self> {
        match value {
            automerge::ScalarValue::Null => Some(Self::Null),
            automerge::ScalarValue::Boolean(value) => Some(Self::Bool(*value)),
            automerge::ScalarValue::Int(value) => Some(Self::Int(*value)),
            automerge::ScalarValue::Str(value) => Some(Self::Str(value.to_string())),
            automerge::ScalarValue::Bytes(value) => Some(Self::Bytes(value.clone())),
            _ => None,
        }
    }
}

/// Bytes become lower-case hexadecimal text in JSON.
impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Str(value) => serializer.serialize_str(value),
            Self::Bytes(value) => {
                let text: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
                serializer.serialize_str(&text)
            }
        }
    }
}

/// Why a document cannot be read or changed.
#[derive(Debug, Error)]
pub enum DocumentError {
    /// A value that every document of the kind has is absent.
    #[error("{path} is missing")]
    Missing {
        /// Where it should stand.
        path: String,
    },
    /// A value of another type than the path has.
    #[error("{path} cannot be read")]
    Malformed {
        /// Where it stands.
        path: String,
    },
    /// More entries than [`MAX_ENTRIES`].
    #[error("the document has too many entries")]
    TooLarge,
    /// An edit whose path is empty, too deep or whose text is too long.
    #[error("the edit of {path} is out of bounds")]
    Bounds {
        /// The path.
        path: String,
    },
    /// An edit below something that is no map.
    #[error("there is no map that could hold {path}")]
    NoContainer {
        /// The path.
        path: String,
    },
    /// An edit that would make a map where something stands already.
    #[error("{path} exists already")]
    Exists {
        /// The path.
        path: String,
    },
    /// Automerge refused.
    #[error("the document library refused")]
    Automerge(#[from] automerge::AutomergeError),
    /// Automerge did not hand out the change just made.
    #[error("the change just made is not in the document")]
    NoChange,
}

/// A path as text: `lines/ID/kind`.
pub fn join_path<S: AsRef<str>>(path: &[S]) -> String {
    let keys: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
    keys.join("/")
}
