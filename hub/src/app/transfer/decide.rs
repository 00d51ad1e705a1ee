//! What the hub decides about a transfer: a newer plan, and what is written off or found again.
//!
//! Pieces that were written off and arrive nevertheless are taken back by the hub itself: an arrival beats *lost*.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::id::{PartId, TransferId};
use domain::problem::Problems;
use domain::quantity::MAX_QUANTITY;
use domain::stock::{Movement, MovementKind};
use domain::text::{NOTE_MAX, clean_block};
use domain::transfer::{
    Plan, PlanState, TransferError, TransferFold, TransferLine, TransferRecord as Fact,
    fold_transfer, may_approve, may_cancel, may_dispute, may_settle,
};
use sync_protocol::item::{Item, command};

use super::{TransferView, facts_of, find, store, view_of};
use crate::app::command::Actor;
use crate::app::error::AppError;
use crate::app::session::Person;
use crate::app::{Hub, HubTx};
use crate::store::audit::read::open_subjects;
use crate::store::db::PgConnection;

/// The kind of an exception that says that pieces arrived after they were written off.
pub(crate) const FOUND: &str = "transfer_found";

/// Pieces that are given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteOff {
    /// The part.
    pub sku: String,
    /// How many.
    pub lost: i64,
}

/// What the hub decides about a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is to be done.
    Approve,
    /// It is not to be done.
    Cancel,
    /// It is being looked into.
    Dispute,
    /// It was looked into, and these pieces are lost.
    Settle(Vec<WriteOff>),
}

/// Decides about a transfer; `check` holds the caller's condition against the number of records.
///
/// # Errors
/// A state that does not allow it, a stale base, wrong fields.
pub async fn decide(
    tx: &mut HubTx,
    person: &Person,
    id: TransferId,
    check: impl FnOnce(usize) -> Result<(), AppError> + Send,
    decision: &Decision,
    reason: &str,
) -> Result<TransferView, AppError> {
    let reason =
        clean_block(reason, NOTE_MAX).map_err(|error| AppError::field("/reason", error))?;
    let known = find(tx.sql(), person, id).await?;
    let mut facts = facts_of(tx.sql(), id).await?;
    check(facts.len())?;
    let fold = fold_transfer(&facts).ok_or(AppError::NotFound { what: "transfer" })?;
    let mut lost = Vec::new();
    let state = match decision {
        Decision::Approve => may_approve(&fold).map(|()| PlanState::Approved),
        Decision::Cancel => may_cancel(&fold).map(|()| PlanState::Cancelled),
        Decision::Dispute => may_dispute(&fold).map(|()| PlanState::Disputed),
        Decision::Settle(lines) => {
            lost = written_off(tx.sql(), lines).await?;
            may_settle(&fold, &lost).map(|()| PlanState::Settled)
        }
    }
    .map_err(|error| refused(error, &lost))?;
    let needs_reason = matches!(state, PlanState::Disputed | PlanState::Settled);
    if needs_reason && reason.is_empty() {
        return Err(AppError::field(
            "/reason",
            "must say why, for both branches and the audit",
        ));
    }
    for (part, quantity) in lost {
        let kind = MovementKind::TransitLost;
        let mut movement = movement(&fold, id, part, kind, quantity, acts(&facts, kind, part));
        movement.text.clone_from(&reason);
        tx.fact(Item::Movement(movement.clone()));
        facts.push(Fact::Movement(movement));
    }
    let plan = plan_of(&fold, id, state, reason);
    tx.fact(Item::Plan(plan.clone()));
    facts.push(Fact::Plan(plan));
    let updated_ms = tx.at_ms();
    let row = store::TransferRecord {
        updated_ms,
        ..known
    };
    view_of(tx.sql(), row, facts).await
}

/// The plan that does what a request asks for.
pub(super) fn first_plan(facts: &[Fact]) -> Result<Plan, AppError> {
    let fold = fold_transfer(facts).ok_or(AppError::NotFound { what: "transfer" })?;
    let id = facts.iter().find_map(|fact| match fact {
        Fact::Request(request) => Some(request.id),
        _ => None,
    });
    let id = id.ok_or(AppError::NotFound { what: "transfer" })?;
    Ok(plan_of(&fold, id, PlanState::Approved, String::new()))
}

fn plan_of(fold: &TransferFold, id: TransferId, state: PlanState, reason: String) -> Plan {
    let planned = |(part, line): (&PartId, &domain::transfer::TransferBalance)| {
        let quantity = u32::try_from(line.planned).ok().filter(|q| *q > 0)?;
        Some(TransferLine {
            part: *part,
            quantity,
        })
    };
    Plan {
        id,
        from: fold.from,
        to: fold.to,
        lines: fold.lines.iter().filter_map(planned).collect(),
        version: fold.next_version,
        state,
        reason,
    }
}

fn movement(
    fold: &TransferFold,
    id: TransferId,
    part: PartId,
    kind: MovementKind,
    quantity: i64,
    acts: u16,
) -> Movement {
    Movement::new(fold.from, part, kind, quantity).about(
        *id.as_bytes(),
        *part.as_bytes(),
        acts.saturating_add(1),
    )
}

/// How often this was done with the part already.
fn acts(facts: &[Fact], kind: MovementKind, part: PartId) -> u16 {
    let done = facts.iter().filter(|fact| {
        matches!(fact, Fact::Movement(movement) if movement.kind == kind && movement.part == part)
    });
    u16::try_from(done.count()).unwrap_or(u16::MAX)
}

async fn written_off(
    connection: &mut PgConnection,
    lines: &[WriteOff],
) -> Result<Vec<(PartId, i64)>, AppError> {
    if lines.len() > domain::transfer::MAX_LINES {
        return Err(AppError::field(
            "/lines",
            "must not have more than 200 lines",
        ));
    }
    let mut found = Vec::with_capacity(lines.len());
    let mut parts = BTreeSet::new();
    let mut problems = Problems::new();
    for (index, line) in lines.iter().enumerate() {
        let part = store::part_by_sku(connection, &line.sku).await?;
        let sku = format!("/lines/{index}/sku");
        problems.check(part.is_some(), &sku, "there is no such part");
        problems.check(
            (1..=MAX_QUANTITY).contains(&line.lost),
            &format!("/lines/{index}/lost"),
            "must be a whole number from 1 to 1000000",
        );
        if let Some(part) = part {
            problems.check(parts.insert(part.id), &sku, "stands here twice");
            found.push((part.id, line.lost));
        }
    }
    problems.finish(found).map_err(AppError::Invalid)
}

fn refused(error: TransferError, lost: &[(PartId, i64)]) -> AppError {
    let place = |part: PartId| lost.iter().position(|(there, _)| *there == part);
    match error {
        TransferError::State { state, .. } => {
            AppError::conflict("transfer-state", error.to_string()).with("state", state.as_str())
        }
        TransferError::OtherBranch => AppError::conflict("other-branch", error.to_string()),
        TransferError::UnknownPart(part) => AppError::field(
            format!("/lines/{}/sku", place(part).unwrap_or(0)),
            "the transfer has no such part",
        ),
        TransferError::TooMany { part, there } => AppError::field(
            format!("/lines/{}/lost", place(part).unwrap_or(0)),
            format!("only {there} are on their way"),
        ),
    }
}

impl Hub {
    /// Takes back pieces that were written off and arrived nevertheless; gives how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_back_found(self: &Arc<Self>) -> Result<i64, AppError> {
        let mut connection = self.pool().acquire().await?;
        let due = open_subjects(&mut connection, FOUND).await?;
        drop(connection);
        let mut taken = 0;
        for id in due {
            taken += self.take_back(TransferId::from_bytes(id)).await?;
        }
        Ok(taken)
    }

    async fn take_back(self: &Arc<Self>, id: TransferId) -> Result<i64, AppError> {
        let mut tx = self.begin(Actor::SYSTEM, command::TRANSFER).await?;
        let facts = facts_of(tx.sql(), id).await?;
        let Some(fold) = fold_transfer(&facts) else {
            return Ok(0);
        };
        let mut taken = 0;
        for (part, line) in &fold.lines {
            let quantity = line.found_owed();
            if quantity > 0 {
                let kind = MovementKind::TransitFound;
                let acts = acts(&facts, kind, *part);
                let found = movement(&fold, id, *part, kind, quantity, acts);
                tx.fact(Item::Movement(found));
                taken += quantity;
            }
        }
        if taken > 0 {
            tx.commit().await?;
        }
        Ok(taken)
    }
}
