//! What of the exchange with the hub the store knows: log, feeds, what waits.
//!
//! Whether the line is up is the sync driver's to say, not the store's.

use domain::permission::Permission;
use serde::Serialize;
use sync_protocol::feed::FeedKind;
use sync_protocol::position::Epoch;
use utoipa::ToSchema;

use super::require;
use super::wire::Time;
use crate::error::AppError;
use crate::store::{Actor, Reader, sync};

/// The state of the exchange, without the line's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SyncStatus {
    /// Code of this branch.
    pub branch: String,
    /// The node's number.
    pub node: String,
    /// The epoch in which this process writes; opaque.
    pub epoch: String,
    /// The node's own log.
    pub log: LogStatus,
    /// What the hub has not stored.
    pub pending: Pending,
    /// What comes from the hub.
    pub feeds: Vec<FeedStatus>,
    /// Fields with several different values.
    pub conflicts: u64,
    /// Decisions that wait for people.
    pub decisions: u64,
    /// Items that were parked and not settled.
    pub parked: u64,
}

/// The node's own log, as numbers of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct LogStatus {
    /// The last one.
    pub seq: u64,
    /// The last that the hub has on disk.
    pub stored: u64,
    /// The last that has had its effects at the hub.
    pub applied: u64,
}

/// What waits to go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Pending {
    /// Transactions.
    pub transactions: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest was written.
    #[schema(required = true)]
    pub oldest_at: Option<Time>,
}

/// How far a feed is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeedStatus {
    /// Which feed.
    #[schema(example = "chain")]
    pub name: String,
    /// Number of the last entry applied.
    pub cursor: u64,
    /// Number of the last entry that the hub told of.
    pub head: u64,
}

/// The state now. `epoch` is [`crate::store::Store::epoch`].
pub fn get(reader: &Reader<'_>, actor: &Actor, epoch: Epoch) -> Result<SyncStatus, AppError> {
    require(actor, Permission::BasicsRead)?;
    let state = sync::state(reader)?;
    Ok(SyncStatus {
        branch: reader.identity().code.clone(),
        node: reader.identity().node.to_string(),
        epoch: epoch.to_string(),
        log: LogStatus {
            seq: state.tip.seq,
            stored: state.stored.seq,
            applied: state.applied,
        },
        pending: Pending {
            transactions: state.pending_transactions,
            bytes: state.pending_bytes,
            oldest_at: state.oldest_pending_at_ms.map(Time),
        },
        feeds: state
            .feeds
            .iter()
            .map(|feed| FeedStatus {
                name: feed_name(feed.feed.kind).to_owned(),
                cursor: feed.cursor,
                head: feed.head,
            })
            .collect(),
        conflicts: state.conflicts,
        decisions: state.decisions,
        parked: state.parked,
    })
}

const fn feed_name(kind: FeedKind) -> &'static str {
    match kind {
        FeedKind::Private => "private",
        FeedKind::Chain => "chain",
        FeedKind::Availability => "availability",
        FeedKind::Register => "register",
    }
}
