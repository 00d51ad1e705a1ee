//! Pieces between branches; the branch that sends answers for them.

use std::collections::BTreeMap;

use domain::id::{BranchId, PartId, TransferId};
use domain::reconcile::{Column, OpenTransfer, Outcome, TransitFacts, judge_transit};
use domain::transfer::{TransferRecord, fold_transfer};

use super::Ground;
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::ids::OfUuid;
use crate::store::inventory::transfer::records;
use crate::store::reconciliation::goods::{self as store, PartSums};

pub(super) async fn check(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
    sums: &[PartSums],
) -> Result<Outcome, HubError> {
    let branch = ground.branch.id;
    let mut facts = TransitFacts {
        orphans: store::orphans(sql, branch).await?,
        ..TransitFacts::default()
    };
    for sum in sums {
        if sum.in_transit_column != sum.in_transit {
            facts.off.push(Column {
                part: PartId::of_uuid(sum.part),
                column: sum.in_transit_column,
                sum: sum.in_transit,
            });
        }
    }
    let open = store::open_transfers(sql, branch).await?;
    add_open(sql, &open, &mut facts).await?;
    Ok(judge_transit(&facts, &ground.day, ground.patience))
}

async fn add_open(
    sql: &mut PgConnection,
    open: &[(TransferId, i64)],
    facts: &mut TransitFacts,
) -> Result<(), HubError> {
    if open.is_empty() {
        return Ok(());
    }
    let ids: Vec<TransferId> = open.iter().map(|(id, _)| *id).collect();
    let mut known: BTreeMap<TransferId, Vec<TransferRecord>> = BTreeMap::new();
    for (transfer, record) in records(sql, &ids).await? {
        known.entry(transfer).or_default().push(record);
    }
    let mut branches: Vec<BranchId> = Vec::new();
    let mut pieces: BTreeMap<TransferId, i64> = BTreeMap::new();
    for (transfer, since_ms) in open {
        let records = known.get(transfer).map(Vec::as_slice).unwrap_or_default();
        let Some(fold) = fold_transfer(records) else {
            continue;
        };
        branches.extend([fold.from, fold.to]);
        pieces.insert(*transfer, fold.in_transit());
        facts.open.push(OpenTransfer {
            transfer: *transfer,
            state: fold.state,
            pieces: fold.in_transit(),
            missing: fold.lines.values().map(|line| line.missing).sum(),
            since_ms: *since_ms,
        });
    }
    let ledger: BTreeMap<TransferId, i64> = store::ledger_of_transfers(sql, &branches, &ids)
        .await?
        .into_iter()
        .collect();
    for (transfer, records) in pieces {
        let booked = ledger.get(&transfer).copied().unwrap_or_default();
        if records != booked {
            facts.unequal.push((transfer, records, booked));
        }
    }
    Ok(())
}
