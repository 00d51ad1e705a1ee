//! Conflicts: several different values that were written under one key without knowledge of each other.
//!
//! A pure function of the document, so every node finds the same ones. Equal values are no conflict, and a conflict is
//! never settled by anything but a later write of that key.

use super::policy::{self, Form};
use super::tree::lenient;
use super::{DocumentError, DocumentKind, Edit, MAX_ENTRIES, Scalar};
use automerge::{Automerge, ObjId, ObjType, ROOT, ReadDoc, Value, ValueRef};
use serde::Serialize;

/// One key with several different values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The keys from the root.
    pub path: Vec<String>,
    /// The values in the order of their operations; the last is the one that is shown meanwhile.
    pub values: Vec<ConflictValue>,
}

/// One of the values, and the operation that wrote it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ConflictValue {
    /// The operation's counter.
    pub op_counter: u64,
    /// The actor that wrote it.
    pub actor: Vec<u8>,
    /// The value.
    pub value: Scalar,
}

/// The conflicts of a document, by path. Only paths that documents of this kind have are looked at.
pub fn conflicts(document: &Automerge, kind: DocumentKind) -> Result<Vec<Conflict>, DocumentError> {
    let mut found = Vec::new();
    let mut entries = 0;
    let mut open: Vec<(ObjId, Vec<String>)> = vec![(ROOT, Vec::new())];
    while let Some((map, parents)) = open.pop() {
        for item in document.map_range(&map, ..) {
            entries += 1;
            if entries > MAX_ENTRIES {
                return Err(DocumentError::TooLarge);
            }
            let is_map = matches!(item.value, ValueRef::Object(ObjType::Map | ObjType::Table));
            if !is_map && !item.conflict {
                continue;
            }
            let mut path = parents.clone();
            path.push(item.key.to_string());
            let Some(form) = policy::form_of(kind, &path) else {
                continue;
            };
            if matches!(form, Form::Map) {
                if is_map {
                    open.push((item.id(), path));
                }
            } else {
                let values = values_of(document, &map, &item.key)?;
                let differ = values.windows(2).any(|pair| pair[0].value != pair[1].value);
                if differ {
                    found.push(Conflict { path, values });
                }
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// The edit that settles a conflict: what is right is written once more, over all of the values.
pub fn settle(conflict: &Conflict, right: Scalar) -> Edit {
    Edit::put(&conflict.path, right)
}

fn values_of(
    document: &Automerge,
    map: &ObjId,
    key: &str,
) -> Result<Vec<ConflictValue>, DocumentError> {
    let mut values = Vec::new();
    for (value, id) in document.get_all(map, key)? {
        let scalar = match value {
            Value::Scalar(scalar) => lenient(&scalar),
            Value::Object(ObjType::Text) => Some(Scalar::Str(document.text(&id)?)),
            Value::Object(_) => None,
        };
        if let (Some(value), ObjId::Id(op_counter, actor, _)) = (scalar, id) {
            values.push(ConflictValue {
                op_counter,
                actor: actor.to_bytes().to_vec(),
                value,
            });
        }
    }
    values.sort();
    Ok(values)
}
