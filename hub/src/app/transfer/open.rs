//! Transfers that are still to be ended, each with what happened to it: what managers work from.
//!
//! Pieces on their way always have an owner, the branch that sent them, until they arrive or are written off.

use std::collections::BTreeMap;

use domain::id::{StaffId, TransferId};
use domain::transfer::{PlanState, TransferRecord as Fact, TransferState};

use super::{Names, TransferView, store};
use crate::app::Hub;
use crate::app::error::AppError;
use crate::app::session::Person;
use crate::store::db::PgConnection;
use crate::store::inventory::transfer::{RecordStep, steps};
use crate::store::staff::read as staff;

/// One record about a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it says.
    pub record: Fact,
    /// Who, by name; empty for the system.
    pub by: String,
    /// When, as the writer saw it.
    pub at_ms: i64,
}

/// A transfer and what happened to it.
#[derive(Debug, Clone)]
pub struct TransferCard {
    /// Where it stands.
    pub view: TransferView,
    /// Its records in the order in which they were accepted.
    pub steps: Vec<Step>,
}

impl TransferCard {
    /// Since when it stands where it stands, as its records say.
    pub fn since_ms(&self) -> i64 {
        let state = self.view.fold.state;
        let began = self.steps.iter().rev().find(|step| match &step.record {
            Fact::Request(_) => state == TransferState::Requested,
            Fact::Plan(plan) => match plan.state {
                PlanState::Approved => state == TransferState::Approved,
                PlanState::Disputed => state == TransferState::Disputed,
                PlanState::Cancelled => state == TransferState::Cancelled,
                PlanState::Settled => state == TransferState::Lost,
            },
            Fact::Shipment(_) => state == TransferState::Shipped,
            Fact::Arrival(_) => matches!(
                state,
                TransferState::Received | TransferState::ReceivedShort
            ),
            Fact::Movement(_) => state == TransferState::Lost,
        });
        began.map_or(self.view.updated_ms, |step| step.at_ms)
    }

    /// When its pieces left, while some are on their way.
    pub fn on_the_way_since_ms(&self) -> Option<i64> {
        if self.view.fold.in_transit() <= 0 {
            return None;
        }
        self.steps
            .iter()
            .find_map(|step| matches!(step.record, Fact::Shipment(_)).then_some(step.at_ms))
    }
}

/// Transfers that are open, and the pieces on their way by the ledger.
#[derive(Debug, Clone)]
pub struct OpenTransfers {
    /// The transfers, the newest first.
    pub cards: Vec<TransferCard>,
    /// Pieces on their way by the branches' columns; none where the person sees only some branches.
    pub by_ledger: Option<i64>,
}

/// Open transfers, and those that ended at or after `ended_ms`.
///
/// # Errors
/// When the database fails.
pub async fn open(
    hub: &Hub,
    person: &Person,
    ended_ms: i64,
    limit: i64,
) -> Result<OpenTransfers, AppError> {
    let mut connection = hub.snapshot().await?;
    let rows = store::open_transfers(&mut connection, &person.scope(), ended_ms, limit).await?;
    let by_ledger = if person.branches.is_empty() {
        Some(store::kept_in_transit(&mut connection).await?)
    } else {
        None
    };
    let cards = cards(&mut connection, rows).await?;
    Ok(OpenTransfers { cards, by_ledger })
}

/// One transfer with what happened to it.
///
/// # Errors
/// When there is none, or none that the person may see.
pub async fn card(hub: &Hub, person: &Person, id: TransferId) -> Result<TransferCard, AppError> {
    let mut connection = hub.snapshot().await?;
    let row = super::find(&mut connection, person, id).await?;
    let mut found = cards(&mut connection, vec![row]).await?;
    found.pop().ok_or(AppError::NotFound { what: "transfer" })
}

async fn cards(
    connection: &mut PgConnection,
    rows: Vec<store::TransferRecord>,
) -> Result<Vec<TransferCard>, AppError> {
    let ids: Vec<TransferId> = rows.iter().map(|row| row.id).collect();
    let all = steps(connection, &ids).await?;
    let mut writers: Vec<StaffId> = all.iter().map(|step| step.staff).collect();
    writers.sort_unstable();
    writers.dedup();
    let names: BTreeMap<StaffId, String> = staff::names(connection, &writers)
        .await?
        .into_iter()
        .collect();
    let of_parts = Names::read(connection, all.iter().map(|step| &step.record)).await?;
    let mut by_transfer: BTreeMap<TransferId, Vec<RecordStep>> = BTreeMap::new();
    for step in all {
        by_transfer.entry(step.transfer).or_default().push(step);
    }
    rows.into_iter()
        .map(|row| {
            let steps = by_transfer.remove(&row.id).unwrap_or_default();
            let facts = steps.iter().map(|step| step.record.clone()).collect();
            let steps = steps.into_iter().map(|step| Step {
                by: names.get(&step.staff).cloned().unwrap_or_default(),
                record: step.record,
                at_ms: step.at_ms,
            });
            Ok(TransferCard {
                steps: steps.collect(),
                view: of_parts.view(row, facts)?,
            })
        })
        .collect()
}
