//! Where a transfer stands: a fold over the records that a node has, in any order.
//!
//! A branch knows only some of them, and the fold says what those come to. Of two shipments the first given counts, of
//! two arrivals with one number likewise; the caller gives records in the order in which they were accepted.

use super::{Arrival, Plan, PlanState, Shipment, TransferRequest, TransferState};
use crate::id::{BranchId, PartId};
use crate::stock::{Movement, MovementKind};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One record about a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferRecord {
    /// A branch asks.
    Request(TransferRequest),
    /// The hub's plan, or its end.
    Plan(Plan),
    /// The goods left.
    Shipment(Shipment),
    /// Goods arrived.
    Arrival(Arrival),
    /// Pieces in transit written off or found again; other kinds say nothing that shipment and arrival do not.
    Movement(Movement),
}

/// The pieces of one part in a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct TransferBalance {
    /// What the plan says, or the request while there is no plan.
    pub planned: i64,
    /// What left.
    pub shipped: i64,
    /// What arrived good.
    pub good: i64,
    /// What arrived damaged.
    pub damaged: i64,
    /// What the last arrival looked for in vain.
    pub missing: i64,
    /// What was written off, less what was found again.
    pub lost: i64,
}

impl TransferBalance {
    /// What arrived.
    pub const fn arrived(&self) -> i64 {
        self.good + self.damaged
    }

    /// What is on its way by the ledger; below zero where more arrived or was written off than left.
    pub const fn in_transit(&self) -> i64 {
        self.shipped - self.arrived() - self.lost
    }

    /// Pieces that were written off and arrived nevertheless: the hub takes them back with `transit_found`.
    pub fn found_owed(&self) -> i64 {
        (-self.in_transit()).clamp(0, self.lost.max(0))
    }
}

/// What the records come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TransferFold {
    /// Where the transfer stands.
    pub state: TransferState,
    /// Where from.
    pub from: BranchId,
    /// Where to.
    pub to: BranchId,
    /// The pieces by part.
    pub lines: BTreeMap<PartId, TransferBalance>,
    /// The version of the next plan.
    pub next_version: u32,
    /// The number of the next arrival.
    pub next_arrival: u16,
    /// Whether it was called off and left nevertheless: shown to people, the goods count.
    pub shipped_despite_cancel: bool,
}

impl TransferFold {
    /// Pieces of all parts on their way.
    pub fn in_transit(&self) -> i64 {
        self.lines.values().map(TransferBalance::in_transit).sum()
    }

    /// Whether nothing more is to come.
    pub const fn is_ended(&self) -> bool {
        matches!(
            self.state,
            TransferState::Received | TransferState::Lost | TransferState::Cancelled
        )
    }
}

/// Folds the records of one transfer. `None` while there is no record that names it.
pub fn fold_transfer(records: &[TransferRecord]) -> Option<TransferFold> {
    let mut facts = Facts::default();
    for record in records {
        facts.add(record);
    }
    facts.finish()
}

#[derive(Default)]
struct Facts<'a> {
    request: Option<&'a TransferRequest>,
    plan: Option<&'a Plan>,
    shipment: Option<&'a Shipment>,
    arrivals: BTreeMap<u16, &'a Arrival>,
    lost: BTreeMap<PartId, i64>,
    keys: BTreeSet<crate::stock::BusinessKey>,
}

impl<'a> Facts<'a> {
    fn add(&mut self, record: &'a TransferRecord) {
        match record {
            TransferRecord::Request(request) => {
                self.request.get_or_insert(request);
            }
            TransferRecord::Plan(plan) => {
                let newer = self
                    .plan
                    .is_none_or(|old| (plan.version, plan.state) > (old.version, old.state));
                if newer {
                    self.plan = Some(plan);
                }
            }
            TransferRecord::Shipment(shipment) => {
                self.shipment.get_or_insert(shipment);
            }
            TransferRecord::Arrival(arrival) => {
                self.arrivals.entry(arrival.number).or_insert(arrival);
            }
            TransferRecord::Movement(movement) => self.add_movement(movement),
        }
    }

    fn add_movement(&mut self, movement: &Movement) {
        let change = match movement.kind {
            MovementKind::TransitLost => movement.quantity,
            MovementKind::TransitFound => -movement.quantity,
            _ => return,
        };
        if movement
            .business_key()
            .is_none_or(|key| self.keys.insert(key))
        {
            *self.lost.entry(movement.part).or_default() += change;
        }
    }

    fn finish(self) -> Option<TransferFold> {
        let known = self.request.is_some() || self.plan.is_some() || self.shipment.is_some();
        if !known && self.arrivals.is_empty() {
            return None;
        }
        let lines = self.balances();
        let ends = self.plan.map(|plan| (plan.from, plan.to));
        let (from, to) = ends
            .or(self.request.map(|request| (request.from, request.to)))
            .unwrap_or_default();
        let moved = self.shipment.is_some() || !self.arrivals.is_empty();
        let cancelled = self
            .plan
            .is_some_and(|plan| plan.state == PlanState::Cancelled);
        Some(TransferFold {
            state: self.state(&lines, moved),
            from,
            to,
            lines,
            next_version: self.plan.map_or(0, |plan| plan.version).saturating_add(1),
            next_arrival: self
                .arrivals
                .keys()
                .next_back()
                .map_or(0, |number| *number)
                .saturating_add(1),
            shipped_despite_cancel: cancelled && moved,
        })
    }

    fn balances(&self) -> BTreeMap<PartId, TransferBalance> {
        let mut lines: BTreeMap<PartId, TransferBalance> = BTreeMap::new();
        let planned = self
            .plan
            .map(|plan| &plan.lines)
            .or(self.request.map(|request| &request.lines));
        for line in planned.into_iter().flatten() {
            lines.entry(line.part).or_default().planned += i64::from(line.quantity);
        }
        for line in self.shipment.iter().flat_map(|shipment| &shipment.lines) {
            lines.entry(line.part).or_default().shipped += i64::from(line.quantity);
        }
        for line in self.arrivals.values().flat_map(|arrival| &arrival.lines) {
            let balance = lines.entry(line.part).or_default();
            balance.good += i64::from(line.good);
            balance.damaged += i64::from(line.damaged);
            balance.missing = i64::from(line.missing);
        }
        for (part, lost) in &self.lost {
            lines.entry(*part).or_default().lost += lost;
        }
        lines
    }

    fn state(&self, lines: &BTreeMap<PartId, TransferBalance>, moved: bool) -> TransferState {
        let plan = self.plan.map(|plan| plan.state);
        if !moved {
            return match plan {
                None => TransferState::Requested,
                Some(PlanState::Cancelled) => TransferState::Cancelled,
                Some(PlanState::Disputed) => TransferState::Disputed,
                Some(PlanState::Approved | PlanState::Settled) => TransferState::Approved,
            };
        }
        // An arrival may be known before its shipment is; then the plan says what left.
        let left = |line: &TransferBalance| {
            if self.shipment.is_some() {
                line.shipped
            } else {
                line.planned
            }
        };
        if lines.values().all(|line| line.arrived() >= left(line)) {
            return TransferState::Received;
        }
        if lines
            .values()
            .all(|line| line.arrived() + line.lost >= left(line))
        {
            return TransferState::Lost;
        }
        match plan {
            Some(PlanState::Disputed) => TransferState::Disputed,
            _ if !self.arrivals.is_empty() => TransferState::ReceivedShort,
            _ => TransferState::Shipped,
        }
    }
}
