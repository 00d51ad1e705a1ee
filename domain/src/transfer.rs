//! Transfers between branches: plan (hub), shipment (source), arrival (destination).
//!
//! Each record reports what its writer did, so all are accepted and folded; a cancellation does nothing once the goods
//! left, and an arrival beats *lost*. A transfer ends at most once: received, lost or cancelled (INV-7).

mod fold;
mod rules;
mod step;

pub use fold::{TransferBalance, TransferFold, TransferRecord, fold_transfer};
pub use rules::{
    TransferError, may_approve, may_cancel, may_dispute, may_receive, may_settle, may_ship,
};
pub use step::{StepKind, TransferStep};

use crate::code::codes;
use crate::id::{BranchId, PartId, TransferId};
use crate::problem::{FieldProblem, Problems};
use crate::quantity::MAX_QUANTITY;
use crate::text::{self, NOTE_MAX};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most lines of one transfer.
pub const MAX_LINES: usize = 200;

codes! {
    /// Where a transfer stands.
    pub enum TransferState as "transfer state" {
        /// A branch asks.
        Requested = 1 "requested",
        /// The hub made a plan.
        Approved = 2 "approved",
        /// The goods left.
        Shipped = 3 "shipped",
        /// All arrived.
        Received = 4 "received",
        /// Some arrived; the rest is on its way.
        ReceivedShort = 5 "received_short",
        /// What did not arrive was written off.
        Lost = 6 "lost",
        /// Called off before it left.
        Cancelled = 7 "cancelled",
        /// The branches do not agree.
        Disputed = 8 "disputed",
    }
}

codes! {
    /// What the hub says about a transfer.
    pub enum PlanState as "plan state" {
        /// Is to be done.
        Approved = 1 "approved",
        /// Is not to be done; a request until shipped.
        Cancelled = 2 "cancelled",
        /// Is being looked into.
        Disputed = 3 "disputed",
        /// Was looked into; what is lost stands in movements.
        Settled = 4 "settled",
    }
}

/// Pieces of one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferLine {
    /// The part.
    pub part: PartId,
    /// Pieces, 1 to 1,000,000.
    pub quantity: u32,
}

/// The body of item kind 24: a branch asks for goods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferRequest {
    /// The transfer.
    pub id: TransferId,
    /// Where from.
    pub from: BranchId,
    /// Where to.
    pub to: BranchId,
    /// What.
    pub lines: Vec<TransferLine>,
    /// Why.
    pub note: String,
}

/// The body of item kind 25: the hub's plan, or its end. The highest version counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The transfer.
    pub id: TransferId,
    /// Where from.
    pub from: BranchId,
    /// Where to.
    pub to: BranchId,
    /// What.
    pub lines: Vec<TransferLine>,
    /// Counts up from 1.
    pub version: u32,
    /// What the hub says.
    pub state: PlanState,
    /// Why.
    pub reason: String,
}

/// The body of item kind 26: the goods left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// The transfer.
    pub transfer: TransferId,
    /// What left.
    pub lines: Vec<TransferLine>,
}

/// The body of item kind 27: goods arrived, one of possibly several times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The transfer.
    pub transfer: TransferId,
    /// Counts up from 1.
    pub number: u16,
    /// What arrived.
    pub lines: Vec<ArrivalLine>,
}

/// What arrived of one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrivalLine {
    /// The part.
    pub part: PartId,
    /// Arrived good: onto the shelf.
    pub good: u32,
    /// Arrived damaged: scrapped.
    pub damaged: u32,
    /// Looked for and not there: stays in transit.
    pub missing: u32,
}

/// What is wrong with the form of a request or plan.
pub fn check_transfer(
    from: BranchId,
    to: BranchId,
    lines: &[TransferLine],
    note: &str,
) -> Vec<FieldProblem> {
    let mut problems = Problems::new();
    problems.check(from != to, "/to", "must be another branch than the source");
    problems.take("/note", text::clean_block(note, NOTE_MAX));
    check_lines(
        lines
            .iter()
            .map(|line| (line.part, i64::from(line.quantity))),
        &mut problems,
    );
    problems.into_vec()
}

/// What is wrong with the form of an arrival.
pub fn check_arrival(arrival: &Arrival) -> Vec<FieldProblem> {
    let mut problems = Problems::new();
    problems.check(arrival.number > 0, "/number", "counts up from 1");
    let pieces = |line: &ArrivalLine| {
        i64::from(line.good) + i64::from(line.damaged) + i64::from(line.missing)
    };
    check_lines(
        arrival.lines.iter().map(|line| (line.part, pieces(line))),
        &mut problems,
    );
    problems.into_vec()
}

fn check_lines(lines: impl ExactSizeIterator<Item = (PartId, i64)>, problems: &mut Problems) {
    problems.check(lines.len() > 0, "/lines", "must not be empty");
    problems.check(
        lines.len() <= MAX_LINES,
        "/lines",
        "must not have more than 200 lines",
    );
    let mut parts = BTreeSet::new();
    for (i, (part, quantity)) in lines.enumerate() {
        let good = (1..=MAX_QUANTITY).contains(&quantity);
        problems.check(
            good,
            &format!("/lines/{i}/quantity"),
            "must be a whole number from 1 to 1000000",
        );
        problems.check(
            parts.insert(part),
            &format!("/lines/{i}/sku"),
            "stands here twice",
        );
    }
}
