//! A document as plain nested maps.
//!
//! Reading is bounded in depth and entries, whatever the document holds. The JavaScript library writes text as objects:
//! those read as text too. Lists and unknown values read as [`Tree::Other`]; nothing is ever guessed.

use super::{DocumentError, MAX_DEPTH, MAX_ENTRIES, Scalar};
use automerge::{Automerge, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, ValueRef};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// A map, a value, or something that no document of ours holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// Keys and what stands under them.
    Map(BTreeMap<String, Tree>),
    /// A value; where several were written at the same time, the one that Automerge shows.
    Scalar(Scalar),
    /// A list, a float, something too deep.
    Other,
}

impl Tree {
    /// What stands under `path`.
    pub fn get(&self, path: &[&str]) -> Option<&Tree> {
        path.iter().try_fold(self, |tree, key| match tree {
            Self::Map(map) => map.get(*key),
            _ => None,
        })
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Map(map) => map.serialize(serializer),
            Self::Scalar(scalar) => scalar.serialize(serializer),
            Self::Other => serializer.serialize_unit(),
        }
    }
}

/// Reads a document.
pub fn tree(document: &Automerge) -> Result<Tree, DocumentError> {
    let mut entries = 0;
    read_map(document, &ROOT, 0, &mut entries)
}

fn read_map(
    document: &Automerge,
    map: &ObjId,
    depth: usize,
    entries: &mut usize,
) -> Result<Tree, DocumentError> {
    if depth > MAX_DEPTH {
        return Ok(Tree::Other);
    }
    let mut out = BTreeMap::new();
    for item in document.map_range(map, ..) {
        *entries += 1;
        if *entries > MAX_ENTRIES {
            return Err(DocumentError::TooLarge);
        }
        let value = match &item.value {
            ValueRef::Object(ObjType::Map | ObjType::Table) => {
                read_map(document, &item.id(), depth + 1, entries)?
            }
            ValueRef::Object(ObjType::Text) => Tree::Scalar(Scalar::Str(document.text(item.id())?)),
            ValueRef::Object(ObjType::List) => Tree::Other,
            ValueRef::Scalar(value) => {
                lenient(&ScalarValue::from(value)).map_or(Tree::Other, Tree::Scalar)
            }
        };
        out.insert(item.key.into_owned(), value);
    }
    Ok(Tree::Map(out))
}

/// What a value says, also when another library chose another number type for it.
pub(super) fn lenient(value: &ScalarValue) -> Option<Scalar> {
    match value {
        ScalarValue::Uint(number) => i64::try_from(*number).ok().map(Scalar::Int),
        ScalarValue::Timestamp(number) => Some(Scalar::Int(*number)),
        other => Scalar::from_automerge(other),
    }
}
