//! Where a change stands among a document's changes: number, first operation, dependencies, ancestry.
//!
//! Automerge checks none of these itself, and a wrong one leaves a saved document that never loads again.

use automerge::{Automerge, ChangeHash};
use std::collections::BTreeSet;

use super::ChangeRefusal;
use crate::hash::Hash;
use crate::scanner::ScannedChange;

pub(super) fn check(
    automerge: &Automerge,
    heads: &[Hash],
    scanned: &ScannedChange<'_>,
) -> Result<(), ChangeRefusal> {
    let mut last_operation = 0;
    for dep in &scanned.deps {
        let meta = automerge
            .get_change_meta_by_hash(&ChangeHash(*dep))
            .ok_or(ChangeRefusal::UnknownDependency(*dep))?;
        last_operation = last_operation.max(meta.max_op);
    }
    if scanned.start_op != last_operation + 1 {
        return Err(ChangeRefusal::StartOp {
            expected: last_operation + 1,
            found: scanned.start_op,
        });
    }
    let own = own_changes(automerge, scanned.actor);
    let expected = own.len() as u64 + 1;
    if scanned.seq != expected {
        return Err(ChangeRefusal::Seq {
            expected,
            found: scanned.seq,
        });
    }
    let Some(former) = own.last() else {
        return Ok(());
    };
    let sees_all = heads.iter().all(|head| scanned.deps.contains(head));
    if sees_all || is_ancestor(automerge, former, &scanned.deps) {
        Ok(())
    } else {
        Err(ChangeRefusal::Ancestry)
    }
}

fn own_changes(automerge: &Automerge, actor: &[u8]) -> Vec<Hash> {
    let mut own: Vec<(u64, Hash)> = automerge
        .get_changes_meta(&[])
        .into_iter()
        .filter(|meta| meta.actor.to_bytes() == actor)
        .map(|meta| (meta.seq, meta.hash.0))
        .collect();
    own.sort_unstable();
    own.into_iter().map(|(_, hash)| hash).collect()
}

fn is_ancestor(automerge: &Automerge, wanted: &Hash, from: &[Hash]) -> bool {
    let mut open: Vec<Hash> = from.to_vec();
    let mut seen = BTreeSet::new();
    while let Some(hash) = open.pop() {
        if hash == *wanted {
            return true;
        }
        if seen.insert(hash)
            && let Some(meta) = automerge.get_change_meta_by_hash(&ChangeHash(hash))
        {
            open.extend(meta.deps.iter().map(|dep| dep.0));
        }
    }
    false
}
