//! Cutting availability: what branches last know of each other's free stock.
//!
//! Every few minutes whatever changed, and shortly after a part reached or left zero that part. Rows are facts of
//! node 0 like any other.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::availability::AvailabilityRow;
use domain::id::BranchId;
use sync_protocol::item::{Item, command};

use super::Hub;
use super::command::Actor;
use crate::error::HubError;
use crate::store::{inventory, locations};

/// Rows in one transaction of the hub.
const ROWS: usize = 500;

impl Hub {
    /// Tells the branches what changed; with `only_zero` only parts that reached or left zero. Gives how many rows.
    pub async fn cut_availability(self: &Arc<Self>, only_zero: bool) -> Result<usize, HubError> {
        let mut told = 0;
        loop {
            let mut tx = self.begin(Actor::SYSTEM, command::SYSTEM).await?;
            let branches: BTreeMap<BranchId, String> =
                locations::regions(tx.sql()).await?.into_iter().collect();
            let mut due = inventory::availability_due(tx.sql(), only_zero).await?;
            due.retain(|(branch, ..)| branches.contains_key(branch));
            let as_of_ms = tx.at_ms();
            let rows: Vec<_> = due.iter().take(ROWS).collect();
            for (branch, part, quantity) in &rows {
                let row = AvailabilityRow {
                    branch: *branch,
                    part: *part,
                    quantity: *quantity,
                    as_of_ms,
                };
                tx.fact(Item::Availability(row));
            }
            told += rows.len();
            let is_done = due.len() <= ROWS;
            tx.commit().await?;
            if is_done {
                return Ok(told);
            }
        }
    }
}
