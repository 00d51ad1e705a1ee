//! Parked changes that hang on a change which was not here, released by themselves once it is.
//!
//! A change travels in one entry of one log, so what is lacking is an entry that has not come yet, one that is lost and
//! comes back by its place ([`super::mending`]), or one that is parked itself. Whichever it was: once all that the parked
//! changes hang on stands in its documents, they are taken as a person would have them released, through the same checks
//! and in one commit with the verdict that says so. What people dropped stays dropped, and nothing is applied twice (INV-3).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use automerge::ChangeHash;
use domain::id::DocumentId;
use sync_protocol::document::Document;
use sync_protocol::item::{Change, Item, Verdict, VerdictKind, command};
use sync_protocol::scanner::{ScanLimits, scan_change};

use super::apply::{Decoded, Entry, held_entry, open_body};
use super::{Actor, Hub};
use crate::error::{HubError, refuses_values};
use crate::store::db::PgConnection;
use crate::store::sync::document;
use crate::store::sync::parked::{self as store, LackingRow};

/// Parked transactions that are looked at in one turn, the oldest first.
const AT_ONCE: i64 = 1_000;

/// What the verdict says.
const REASON: &str = "the change that it hangs on is here now";

/// Releases what of the parked changes has all that it hangs on, of these documents or of all; how many transactions.
///
/// # Errors
/// When the database fails.
pub async fn release_ready(
    hub: &Arc<Hub>,
    documents: Option<&BTreeSet<DocumentId>>,
) -> Result<u64, HubError> {
    let mut wanted = documents.cloned();
    let mut count = 0;
    // What is released may be what another parked transaction hangs on.
    loop {
        let rows = {
            let mut connection = hub.pool().acquire().await?;
            store::lacking(&mut connection, wanted.as_ref(), AT_ONCE).await?
        };
        let mut changed = BTreeSet::new();
        for row in rows {
            let Some(touched) = ready(hub, &row).await? else {
                continue;
            };
            if release(hub, &row).await? {
                changed.extend(touched);
                count += 1;
            }
        }
        if changed.is_empty() {
            return Ok(count);
        }
        wanted = Some(changed);
    }
}

/// The documents of a parked transaction, where all that its changes hang on is here.
async fn ready(hub: &Hub, row: &LackingRow) -> Result<Option<Vec<DocumentId>>, HubError> {
    let mut connection = hub.snapshot().await?;
    let entry = match held_entry(&mut connection, row.position).await {
        Ok(Some(entry)) => entry,
        // The entry is lost or damaged: it comes back by its place in the log.
        Ok(None) => return Ok(None),
        Err(error) if error.is_transient() => return Err(error),
        Err(error) => {
            tracing::debug!(%error, position = %row.position, "a parked entry does not read");
            return Ok(None);
        }
    };
    let changes = changes_of(&entry);
    let ids: Vec<DocumentId> = changes.iter().map(|change| change.document).collect();
    let known = open(&mut connection, &ids).await?;
    let mut own: BTreeSet<[u8; 32]> = BTreeSet::new();
    for change in changes {
        let Ok(scanned) = scan_change(&change.chunk, &ScanLimits::PROTOCOL_1) else {
            return Ok(None);
        };
        let document = known.get(&change.document);
        let is_here = |dep: &[u8; 32]| {
            own.contains(dep)
                || document.is_some_and(|document| {
                    let meta = document
                        .automerge()
                        .get_change_meta_by_hash(&ChangeHash(*dep));
                    meta.is_some()
                })
        };
        if !scanned.deps.iter().all(is_here) {
            return Ok(None);
        }
        own.insert(scanned.hash);
    }
    Ok(Some(ids))
}

fn changes_of(entry: &Entry) -> Vec<&Change> {
    let changes = entry.items.iter().filter_map(|decoded| match decoded {
        Decoded::Item(item) => match item.as_ref() {
            Item::Change(change) => Some(change),
            _ => None,
        },
        _ => None,
    });
    changes.collect()
}

async fn open(
    connection: &mut PgConnection,
    documents: &[DocumentId],
) -> Result<BTreeMap<DocumentId, Document>, HubError> {
    let bodies = document::bodies(connection, documents).await?;
    let opened = tokio::task::spawn_blocking(move || {
        let opened = bodies.into_iter().map(open_body);
        opened.collect::<Result<Vec<Document>, HubError>>()
    });
    let opened = opened.await??;
    Ok(opened
        .into_iter()
        .map(|document| (document.id(), document))
        .collect())
}

/// Releases a parked transaction, unless somebody was first or the checks still refuse it.
async fn release(hub: &Arc<Hub>, row: &LackingRow) -> Result<bool, HubError> {
    let mut tx = hub.begin(Actor::SYSTEM, command::VERDICT).await?;
    let open = store::by_id(tx.sql(), row.id).await?;
    if open.is_none_or(|open| open.state != 1) {
        return Ok(false);
    }
    tx.fact(Item::Verdict(Verdict {
        position: row.position,
        item: None,
        verdict: VerdictKind::Released,
        reason: REASON.to_owned(),
    }));
    match tx.commit().await {
        Ok(_) => {
            tracing::info!(position = %row.position, "parked changes were released: {REASON}");
            Ok(true)
        }
        Err(HubError::Refused { detail }) => {
            tracing::debug!(detail, position = %row.position, "parked changes are refused again");
            Ok(false)
        }
        Err(HubError::Database(error)) if refuses_values(&error) => {
            tracing::warn!(%error, position = %row.position, "parked changes stay parked");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
