//! Asking machines again for what the hub lost of their logs.
//!
//! An order names a machine. While that machine is connected, its log is looked through from the end; what is missing or
//! damaged is asked for again, and what comes back is put where it was, once it is proven to be the very thing. Nothing
//! has an effect a second time: the tables have had it. What is sound is never touched (INV-9, INV-19).

mod gap;
mod put_back;

use std::sync::Arc;

use domain::id::{BranchId, StaffId};
use sync_protocol::mending::{Gap, LogSpan, Proven};
use sync_protocol::position::NodeId;

use super::watch::SessionEvent;
use super::{Hub, HubTx, NodeRow, Topic};
use crate::error::HubError;
use crate::store::db;
use crate::store::reconciliation::again::ask_again;
use crate::store::sync::{mending as store, node};

pub use crate::store::sync::mending::Order;

/// What a connection tells of a machine's log.
#[derive(Debug)]
pub enum MendStep {
    /// There may be an order.
    Begin,
    /// Entries came back.
    PutBack(Proven),
    /// Entries did not come back, and why.
    NotBack(LogSpan, String),
}

/// Orders all machines of a branch that may speak to be asked for what is missing of their logs; gives them.
///
/// # Errors
/// When the database fails.
pub async fn order(
    hub: &Hub,
    branch: BranchId,
    by: StaffId,
    now_ms: i64,
) -> Result<Vec<NodeId>, HubError> {
    let mut connection = hub.pool().acquire().await?;
    let nodes = store::order(&mut connection, branch, by, now_ms).await?;
    hub.watch.notify(&mut connection).await?;
    for node in &nodes {
        hub.watch.session(SessionEvent::Mend { node: *node });
    }
    Ok(nodes)
}

/// The same within a transaction; the connections of the machine hear of it.
///
/// # Errors
/// When the database fails.
pub async fn order_in(
    tx: &mut HubTx,
    branch: BranchId,
    by: StaffId,
) -> Result<Vec<NodeId>, HubError> {
    let now_ms = tx.at_ms();
    store::order(tx.sql(), branch, by, now_ms).await
}

impl Hub {
    /// Goes on with the order of a connected machine; gives what it is to be asked for next.
    ///
    /// # Errors
    /// When the database fails: the order stays, and is begun again later.
    pub async fn mend(
        self: &Arc<Self>,
        node: NodeId,
        step: MendStep,
    ) -> Result<Option<Gap>, HubError> {
        let mut connection = self.pool().acquire().await?;
        let Some(row) = node::find(&mut connection, node).await? else {
            return Ok(None);
        };
        let order = store::of_node(&mut connection, row.branch, node).await?;
        let Some(order) = order.filter(|order| order.is_waiting) else {
            return Ok(None);
        };
        drop(connection);
        let mut came_back = order.put_back > 0;
        let below = match step {
            MendStep::Begin => None,
            MendStep::PutBack(proven) => {
                came_back |= put_back::put_back(self, &row, &order, &proven).await?;
                Some((proven.before.seq, proven.before.hash))
            }
            MendStep::NotBack(span, why) => {
                let mut connection = self.pool().acquire().await?;
                let detail = format!("entries {span} did not come back: {why}");
                store::refuse(&mut connection, row.branch, node, &detail).await?;
                drop(connection);
                self.incident(Some(row.branch), "mending", &detail).await?;
                return Ok(None);
            }
        };
        let mut reading = self.snapshot().await?;
        let found = gap::find(&mut reading, &row, below).await?;
        reading.rollback().await?;
        if found.is_none() {
            self.whole(&row, came_back).await?;
        }
        Ok(found)
    }

    /// The order is carried out. Nights that found this log red are done once more, where anything came back: an order
    /// that found nothing to do, or that was refused, changes no night.
    async fn whole(&self, row: &NodeRow, came_back: bool) -> Result<(), HubError> {
        let mut commit = db::begin(self.pool()).await?;
        store::done(&mut commit, row.branch, row.node).await?;
        let nights = if came_back {
            ask_again(&mut commit, row.branch).await?
        } else {
            0
        };
        self.watch.notify(&mut commit).await?;
        commit.commit().await?;
        tracing::info!(node = %row.node, nights, "the log of this machine is whole");
        self.tell(Topic::Exceptions);
        if came_back {
            self.tell(Topic::Parked);
        }
        if nights > 0 {
            self.tell(Topic::Nights);
        }
        Ok(())
    }

    /// Machines connected here whose order waits are told to their connections.
    pub(crate) async fn follow_mending(&self) -> Result<(), HubError> {
        let connected = self.connected_sessions();
        if connected.is_empty() {
            return Ok(());
        }
        let mut connection = self.pool().acquire().await?;
        for node in store::waiting(&mut connection).await? {
            if connected.contains_key(&node) {
                self.watch.session(SessionEvent::Mend { node });
            }
        }
        Ok(())
    }
}
