//! A transfer's records as the steps of its history.

use super::{ArrivalLine, PlanState, TransferLine, TransferRecord};
use crate::code::codes;
use crate::stock::MovementKind;

codes! {
    /// What happened to a transfer.
    pub enum StepKind as "transfer step" {
        /// A branch asked.
        Requested = 1 "requested",
        /// The hub made a plan.
        Approved = 2 "approved",
        /// The hub called it off.
        Cancelled = 3 "cancelled",
        /// The hub looks into it.
        Disputed = 4 "disputed",
        /// The hub settled it.
        Settled = 5 "settled",
        /// The source sent.
        Shipped = 6 "shipped",
        /// The destination took in.
        Arrived = 7 "arrived",
        /// Pieces were written off.
        WrittenOff = 8 "written_off",
        /// Pieces that were written off came after all.
        Found = 9 "found",
    }
}

/// One step of a transfer's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferStep<'a> {
    /// What happened.
    pub kind: StepKind,
    /// How many pieces, good ones where they arrived; none where the step is about none.
    pub pieces: Option<i64>,
    /// Arrived damaged.
    pub damaged: i64,
    /// Looked for and not there.
    pub missing: i64,
    /// Why; empty where nobody said.
    pub reason: &'a str,
}

impl TransferRecord {
    /// The record as a step of the history.
    pub fn step(&self) -> TransferStep<'_> {
        match self {
            Self::Request(request) => TransferStep {
                reason: &request.note,
                ..of(StepKind::Requested, Some(sum(&request.lines)))
            },
            Self::Plan(plan) => {
                let (kind, pieces) = match plan.state {
                    PlanState::Approved => (StepKind::Approved, Some(sum(&plan.lines))),
                    PlanState::Cancelled => (StepKind::Cancelled, None),
                    PlanState::Disputed => (StepKind::Disputed, None),
                    PlanState::Settled => (StepKind::Settled, None),
                };
                TransferStep {
                    reason: &plan.reason,
                    ..of(kind, pieces)
                }
            }
            Self::Shipment(shipment) => of(StepKind::Shipped, Some(sum(&shipment.lines))),
            Self::Arrival(arrival) => {
                let sum = |of: fn(&ArrivalLine) -> u32| {
                    arrival.lines.iter().map(|line| i64::from(of(line))).sum()
                };
                TransferStep {
                    damaged: sum(|line| line.damaged),
                    missing: sum(|line| line.missing),
                    ..of(StepKind::Arrived, Some(sum(|line| line.good)))
                }
            }
            Self::Movement(movement) => TransferStep {
                reason: &movement.text,
                ..of(
                    match movement.kind {
                        MovementKind::TransitFound => StepKind::Found,
                        _ => StepKind::WrittenOff,
                    },
                    Some(movement.quantity),
                )
            },
        }
    }
}

fn of(kind: StepKind, pieces: Option<i64>) -> TransferStep<'static> {
    TransferStep {
        kind,
        pieces,
        damaged: 0,
        missing: 0,
        reason: "",
    }
}

fn sum(lines: &[TransferLine]) -> i64 {
    lines.iter().map(|line| i64::from(line.quantity)).sum()
}
