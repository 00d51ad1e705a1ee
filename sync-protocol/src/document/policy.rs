//! Field policy on the operations of a change: where each one writes, what, and over which earlier values.
//!
//! Patches would hide a value that loses; operations hide nothing. An operation's predecessors must be exactly the
//! values that its author saw under that key, so a change can neither resurrect nor quietly settle anything.

use automerge::legacy::{Key, ObjectId, Op, OpId, OpType};
use automerge::{Automerge, Change, ChangeHash, ObjId, ObjType, Prop, ROOT, ReadDoc, ScalarValue};
use domain::document::policy::{Writer, check_change};
use domain::document::{DocumentKind, Edit, EditOp, Scalar, join_path};
use std::collections::BTreeMap;

use super::ChangeRefusal;

const DEPTH: usize = 4;

struct Walk<'a> {
    automerge: &'a Automerge,
    deps: Vec<ChangeHash>,
    created: BTreeMap<OpId, Vec<String>>,
    written: BTreeMap<(ObjectId, String), OpId>,
}

pub(super) fn check(
    automerge: &Automerge,
    kind: DocumentKind,
    writer: Writer,
    creating: bool,
    change: &Change,
) -> Result<(), ChangeRefusal> {
    let expanded = change.decode();
    let mut walk = Walk {
        automerge,
        deps: expanded.deps.clone(),
        created: BTreeMap::new(),
        written: BTreeMap::new(),
    };
    let mut edits = Vec::with_capacity(expanded.operations.len());
    for (index, op) in expanded.operations.iter().enumerate() {
        let id = OpId(
            expanded.start_op.get() + index as u64,
            expanded.actor_id.clone(),
        );
        let path = walk.path_of(op)?;
        walk.check_predecessors(op, &path)?;
        if matches!(op.action, OpType::Make(_)) {
            walk.created.insert(id.clone(), path.clone());
        }
        if let Key::Map(key) = &op.key {
            walk.written.insert((op.obj.clone(), key.to_string()), id);
        }
        edits.push(edit_of(op, path)?);
    }
    check_change(kind, writer, creating, &edits)
        .map_err(|error| ChangeRefusal::Policy(error.to_string()))
}

fn refusal(path: &[String], reason: &str) -> ChangeRefusal {
    ChangeRefusal::Policy(format!("{}: {reason}", join_path(path)))
}

fn edit_of(op: &Op, path: Vec<String>) -> Result<Edit, ChangeRefusal> {
    let edit_op = match &op.action {
        OpType::Make(ObjType::Map) if op.pred.is_empty() => EditOp::MakeMap,
        OpType::Make(ObjType::Map) => {
            return Err(refusal(&path, "a map takes the place of something"));
        }
        OpType::Delete => EditOp::Delete,
        OpType::Put(value) => EditOp::Put(
            scalar_of(value)
                .ok_or_else(|| refusal(&path, "this type of value is not used in documents"))?,
        ),
        _ => {
            return Err(refusal(
                &path,
                "only maps and plain values are used in documents",
            ));
        }
    };
    Ok(Edit { path, op: edit_op })
}

fn scalar_of(value: &ScalarValue) -> Option<Scalar> {
    Some(match value {
        ScalarValue::Null => Scalar::Null,
        ScalarValue::Boolean(value) => Scalar::Bool(*value),
        ScalarValue::Int(value) => Scalar::Int(*value),
        ScalarValue::Str(value) => Scalar::Str(value.to_string()),
        ScalarValue::Bytes(value) => Scalar::Bytes(value.clone()),
        _ => return None,
    })
}

impl Walk<'_> {
    fn path_of(&self, op: &Op) -> Result<Vec<String>, ChangeRefusal> {
        let Key::Map(key) = &op.key else {
            return Err(refusal(&[], "documents have maps only"));
        };
        let mut path = match &op.obj {
            ObjectId::Root => Vec::new(),
            ObjectId::Id(id) => match self.created.get(id) {
                Some(path) => path.clone(),
                None => self.path_in_document(id)?,
            },
        };
        path.push(key.to_string());
        if path.len() > DEPTH {
            return Err(refusal(&path, "documents are at most four levels deep"));
        }
        Ok(path)
    }

    fn path_in_document(&self, id: &OpId) -> Result<Vec<String>, ChangeRefusal> {
        let unknown = || {
            refusal(
                &[],
                "the operation writes into an object that the document does not have",
            )
        };
        let object = ObjId::Id(id.counter(), id.actor().clone(), 0);
        let parents = self.automerge.parents(&object).map_err(|_| unknown())?;
        let mut path = Vec::new();
        for (_, prop) in parents.path() {
            match prop {
                Prop::Map(key) => path.push(key),
                Prop::Seq(_) => return Err(unknown()),
            }
        }
        if path.is_empty() {
            Err(unknown())
        } else {
            Ok(path)
        }
    }

    fn check_predecessors(&self, op: &Op, path: &[String]) -> Result<(), ChangeRefusal> {
        let Key::Map(key) = &op.key else {
            return Ok(());
        };
        let mut named: Vec<OpId> = op.pred.iter().cloned().collect();
        let mut seen = match self.written.get(&(op.obj.clone(), key.to_string())) {
            Some(own) => vec![own.clone()],
            None => self.values_seen(op, key)?,
        };
        named.sort_unstable_by(compare);
        seen.sort_unstable_by(compare);
        if named == seen {
            Ok(())
        } else {
            Err(refusal(
                path,
                "the operation does not replace exactly the values that its author saw",
            ))
        }
    }

    fn values_seen(&self, op: &Op, key: &str) -> Result<Vec<OpId>, ChangeRefusal> {
        let object = match &op.obj {
            ObjectId::Root => ROOT,
            ObjectId::Id(id) if self.created.contains_key(id) => return Ok(Vec::new()),
            ObjectId::Id(id) => ObjId::Id(id.counter(), id.actor().clone(), 0),
        };
        let values = self
            .automerge
            .get_all_at(&object, key, &self.deps)
            .map_err(|error| ChangeRefusal::Apply(error.to_string()))?;
        Ok(values
            .into_iter()
            .filter_map(|(_, id)| match id {
                ObjId::Id(counter, actor, _) => Some(OpId(counter, actor)),
                ObjId::Root => None,
            })
            .collect())
    }
}

fn compare(a: &OpId, b: &OpId) -> std::cmp::Ordering {
    (a.counter(), a.actor()).cmp(&(b.counter(), b.actor()))
}
