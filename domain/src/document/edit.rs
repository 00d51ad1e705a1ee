//! Edits, and the change that they become.
//!
//! The edited document is a new value: the caller adopts it only after its commit. An edit that says what stands there
//! already makes no operation, and edits that make none make no change.

use super::{DocumentError, MAX_DEPTH, Scalar, join_path};
use crate::text::SCALAR_MAX;
use automerge::transaction::{Transactable, Transaction};
use automerge::{ActorId, Automerge, ObjId, ObjType, ROOT, ReadDoc, Value};

/// One edit of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The keys from the root.
    pub path: Vec<String>,
    /// What happens there.
    pub op: EditOp,
}

/// What an edit does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditOp {
    /// Writes a value.
    Put(Scalar),
    /// Makes an empty map where nothing stands.
    MakeMap,
    /// Removes the key.
    Delete,
}

impl Edit {
    /// Writes a value.
    pub fn put<S: AsRef<str>>(path: &[S], value: Scalar) -> Self {
        Self::new(path, EditOp::Put(value))
    }

    /// Writes text.
    pub fn text<S: AsRef<str>>(path: &[S], value: impl Into<String>) -> Self {
        Self::put(path, Scalar::Str(value.into()))
    }

    /// Writes a number.
    pub fn int<S: AsRef<str>>(path: &[S], value: i64) -> Self {
        Self::put(path, Scalar::Int(value))
    }

    /// Writes yes or no.
    pub fn bool<S: AsRef<str>>(path: &[S], value: bool) -> Self {
        Self::put(path, Scalar::Bool(value))
    }

    /// Makes a map.
    pub fn map<S: AsRef<str>>(path: &[S]) -> Self {
        Self::new(path, EditOp::MakeMap)
    }

    /// Removes a key.
    pub fn delete<S: AsRef<str>>(path: &[S]) -> Self {
        Self::new(path, EditOp::Delete)
    }

    fn new<S: AsRef<str>>(path: &[S], op: EditOp) -> Self {
        Self {
            path: path.iter().map(|key| key.as_ref().to_owned()).collect(),
            op,
        }
    }
}

/// A document after its edits, and the change that made them.
#[derive(Debug)]
pub struct Applied {
    /// The edited copy.
    pub document: Automerge,
    /// The plain change chunk, as it goes into the log.
    pub change: Vec<u8>,
    /// The hash of the change, now the only head.
    pub hash: [u8; 32],
}

/// Applies `edits` to a copy of `document` (or to an empty one) as one change of `actor`. `None` when they change
/// nothing.
pub fn apply_edits(
    document: Option<&Automerge>,
    actor: &[u8],
    edits: &[Edit],
) -> Result<Option<Applied>, DocumentError> {
    let mut document = document.map_or_else(Automerge::new, Automerge::clone);
    document.set_actor(ActorId::from(actor));
    let mut transaction = document.transaction();
    for edit in edits {
        apply_edit(&mut transaction, edit)?;
    }
    // Without commit options the change has time 0 and no message.
    let (Some(hash), _) = transaction.commit() else {
        return Ok(None);
    };
    let change = document
        .get_change_by_hash(&hash)
        .ok_or(DocumentError::NoChange)?;
    let change = change.raw_bytes().to_vec();
    Ok(Some(Applied {
        document,
        change,
        hash: hash.0,
    }))
}

fn apply_edit(transaction: &mut Transaction<'_>, edit: &Edit) -> Result<(), DocumentError> {
    check_bounds(edit)?;
    let Some((key, parents)) = edit.path.split_last() else {
        return Err(bounds(edit));
    };
    let parent = container(transaction, parents, edit)?;
    let present = transaction.get(&parent, key.as_str())?;
    match &edit.op {
        EditOp::Put(_) if matches!(present, Some((Value::Object(ObjType::Map), _))) => {
            return Err(DocumentError::Exists {
                path: join_path(&edit.path),
            });
        }
        EditOp::Put(value) => transaction.put(&parent, key.as_str(), value.to_automerge())?,
        EditOp::MakeMap if present.is_some() => {
            return Err(DocumentError::Exists {
                path: join_path(&edit.path),
            });
        }
        EditOp::MakeMap => {
            transaction.put_object(&parent, key.as_str(), ObjType::Map)?;
        }
        EditOp::Delete if present.is_none() => {}
        EditOp::Delete => transaction.delete(&parent, key.as_str())?,
    }
    Ok(())
}

fn container(
    transaction: &Transaction<'_>,
    parents: &[String],
    edit: &Edit,
) -> Result<ObjId, DocumentError> {
    let mut parent = ROOT;
    for key in parents {
        match transaction.get(&parent, key.as_str())? {
            Some((Value::Object(ObjType::Map), id)) => parent = id,
            _ => {
                return Err(DocumentError::NoContainer {
                    path: join_path(&edit.path),
                });
            }
        }
    }
    Ok(parent)
}

fn check_bounds(edit: &Edit) -> Result<(), DocumentError> {
    let length = match &edit.op {
        EditOp::Put(Scalar::Str(text)) => text.len(),
        EditOp::Put(Scalar::Bytes(bytes)) => bytes.len(),
        _ => 0,
    };
    let keys_fit = edit
        .path
        .iter()
        .all(|key| !key.is_empty() && key.len() <= crate::text::KEY_MAX);
    if length > SCALAR_MAX || edit.path.len() > MAX_DEPTH || !keys_fit {
        Err(bounds(edit))
    } else {
        Ok(())
    }
}

fn bounds(edit: &Edit) -> DocumentError {
    DocumentError::Bounds {
        path: join_path(&edit.path),
    }
}
