//! What of the exchange with the hub the store knows: log, feeds, what waits.
//!
//! Whether the line is up is the sync driver's to say, not the store's.

use domain::permission::Permission;
use domain::transfer::TransferState;
use serde::Serialize;
use sync_protocol::feed::FeedKind;
use sync_protocol::item::command;
use sync_protocol::position::Epoch;
use utoipa::ToSchema;

use super::require;
use crate::error::AppError;
use crate::store::{Actor, Reader, order, parked, sync, transfer};
use web_kit::wire::Time;

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

/// What waits to go out, by what people call it, the oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingKind {
    /// What it is.
    pub kind: WorkKind,
    /// Transactions.
    pub transactions: u64,
    /// When the oldest was written.
    pub oldest_at: Time,
}

/// What a transaction is about, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkKind {
    /// Intake, edits, steps, lines, notes and estimates of orders.
    Orders,
    /// Customers.
    Customers,
    /// Movements by hand, bins, reorder points.
    Stock,
    /// Steps of transfers.
    Transfers,
    /// Settled conflicts and decisions.
    Decisions,
    /// Imported records.
    Imports,
    /// The machine's own.
    System,
}

impl WorkKind {
    const fn of(code: u16) -> Self {
        match code {
            command::INTAKE..=command::ORDER_ESTIMATE => Self::Orders,
            command::CUSTOMER => Self::Customers,
            command::STOCK | command::STOCK_SETTINGS => Self::Stock,
            command::TRANSFER => Self::Transfers,
            command::SETTLE => Self::Decisions,
            command::IMPORT => Self::Imports,
            _ => Self::System,
        }
    }
}

/// What waits to go out, by kind.
pub fn waiting(reader: &Reader<'_>, actor: &Actor) -> Result<Vec<WaitingKind>, AppError> {
    require(actor, Permission::BasicsRead)?;
    let mut kinds: Vec<WaitingKind> = Vec::new();
    for row in sync::waiting::list(reader)? {
        let kind = WorkKind::of(row.command);
        match kinds.iter_mut().find(|there| there.kind == kind) {
            Some(there) => there.transactions += row.transactions,
            None => kinds.push(WaitingKind {
                kind,
                transactions: row.transactions,
                oldest_at: Time(row.oldest_at_ms),
            }),
        }
    }
    Ok(kinds)
}

/// An item that is parked, here or at the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedEntry {
    /// The machine that wrote it.
    pub node: String,
    /// Its number in that machine's log.
    pub seq: u64,
    /// Why.
    pub reason: String,
    /// Whether the hub parked it (else this node did).
    pub at_hub: bool,
}

/// What is parked.
pub fn parked_entries(reader: &Reader<'_>, actor: &Actor) -> Result<Vec<ParkedEntry>, AppError> {
    require(actor, Permission::ParkedRead)?;
    let entry = |item: parked::ParkedItem| ParkedEntry {
        node: item.position.node.to_string(),
        seq: item.position.seq,
        reason: item.reason,
        at_hub: item.at_hub,
    };
    Ok(parked::list(reader)?.into_iter().map(entry).collect())
}

/// How much there is to find here, and how old what comes from elsewhere is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holdings {
    /// Orders held here.
    pub orders: u64,
    /// Transfers that may be sent or taken in now.
    pub transfers: u64,
}

/// What this place holds to work with.
pub fn holdings(reader: &Reader<'_>, actor: &Actor) -> Result<Holdings, AppError> {
    require(actor, Permission::BasicsRead)?;
    let ready = [
        TransferState::Approved,
        TransferState::Shipped,
        TransferState::ReceivedShort,
    ];
    Ok(Holdings {
        orders: order::count(reader)?,
        transfers: transfer::count(reader, &ready)?,
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
