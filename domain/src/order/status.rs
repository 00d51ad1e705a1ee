//! The status of an order: a fold over events.
//!
//! Each event carries a rank, one above the highest that its writer saw; the status is what the event with the highest
//! (rank, id) says that is not undone by a higher one. No clock takes part (INV-20), and the table of moves is held
//! only against a person's wish, never against history.

use crate::code::codes;
use crate::id::{EventId, StaffId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use thiserror::Error;

/// The highest rank of an event.
pub const MAX_RANK: i64 = 1_000_000;

codes! {
    /// Where an order stands.
    pub enum Status as "status" {
        /// Taken in.
        Received = 1 "received",
        /// Being looked at.
        Diagnosing = 2 "diagnosing",
        /// The customer is asked.
        AwaitingApproval = 3 "awaiting_approval",
        /// A part is on its way.
        AwaitingParts = 4 "awaiting_parts",
        /// Being repaired.
        InRepair = 5 "in_repair",
        /// Can be fetched.
        Ready = 6 "ready",
        /// Fetched.
        Collected = 7 "collected",
        /// Called off.
        Cancelled = 8 "cancelled",
    }
}

codes! {
    /// How the work ended.
    pub enum Outcome as "outcome" {
        /// It works.
        Repaired = 1 "repaired",
        /// It cannot be made to work.
        Unrepairable = 2 "unrepairable",
        /// The customer did not want it.
        Declined = 3 "declined",
    }
}

/// One thing that happened to the status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusEvent {
    /// Random id; breaks the tie between equal ranks.
    pub id: EventId,
    /// One above the highest rank that the writer saw; from 1.
    pub rank: i64,
    /// The new status; none for an event that only undoes.
    pub to: Option<Status>,
    /// With `ready` and `collected`: how the work ended.
    pub outcome: Option<Outcome>,
    /// Who did it; nil for the system.
    pub staff: StaffId,
    /// When, for display.
    pub at_ms: i64,
    /// The event that this one takes out of the fold.
    pub undoes: Option<EventId>,
}

/// What the events come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fold {
    /// The status; `received` while there is no event.
    pub status: Status,
    /// How the work ended, while the status is `ready` or `collected`.
    pub outcome: Option<Outcome>,
    /// The rank of the next event.
    pub next_rank: i64,
    /// Whether events of the same highest rank say different things: a decision for people.
    pub conflict: bool,
    /// The event that decides, and with a conflict the others of its rank, highest first.
    pub deciding: Vec<EventId>,
}

/// Folds events in any order.
pub fn fold_status(events: &[StatusEvent]) -> Fold {
    let active = active_events(events);
    let says: Vec<&&StatusEvent> = active.iter().filter(|event| event.to.is_some()).collect();
    let next_rank = events
        .iter()
        .map(|event| event.rank)
        .max()
        .unwrap_or(0)
        .saturating_add(1);
    let Some(top) = says.first() else {
        return Fold {
            status: Status::Received,
            outcome: None,
            next_rank,
            conflict: false,
            deciding: Vec::new(),
        };
    };
    let rivals: Vec<&&&StatusEvent> = says
        .iter()
        .take_while(|event| event.rank == top.rank)
        .collect();
    let conflict = rivals
        .iter()
        .any(|event| (event.to, event.outcome) != (top.to, top.outcome));
    let deciding = if conflict {
        rivals.iter().map(|event| event.id).collect()
    } else {
        vec![top.id]
    };
    let status = top.to.unwrap_or(Status::Received);
    let outcome = match status {
        Status::Ready => top.outcome,
        // A device is collected with the outcome it was made ready with, unless the event says otherwise.
        Status::Collected => top.outcome.or_else(|| {
            says.iter()
                .find(|event| event.to == Some(Status::Ready))
                .and_then(|event| event.outcome)
        }),
        _ => None,
    };
    Fold {
        status,
        outcome,
        next_rank,
        conflict,
        deciding,
    }
}

/// The events that nothing higher undoes, from the highest (rank, id) down.
pub(super) fn active_events(events: &[StatusEvent]) -> Vec<&StatusEvent> {
    let mut sorted: Vec<&StatusEvent> = events.iter().collect();
    sorted.sort_by_key(|event| core::cmp::Reverse((event.rank, event.id)));
    let mut undone: BTreeSet<EventId> = BTreeSet::new();
    sorted.retain(|event| {
        let active = !undone.contains(&event.id);
        if active && let Some(target) = event.undoes {
            undone.insert(target);
        }
        active
    });
    sorted
}

/// Why an order cannot be moved there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MoveError {
    /// The table has no such move.
    #[error("an order that is {from} cannot become {to}")]
    NotAllowed {
        /// Where it stands.
        from: Status,
        /// Where it should go.
        to: Status,
    },
    /// `ready` without an outcome.
    #[error("an order becomes ready with an outcome: repaired, unrepairable or declined")]
    NeedsOutcome,
    /// From `awaiting_approval` only a declined order becomes ready.
    #[error("an order that awaits approval becomes ready only as declined")]
    OnlyDeclined,
    /// An outcome where none belongs, or another than the order has.
    #[error("an outcome is given when the order becomes ready")]
    NoOutcomeHere,
}

/// Where an order in this status may be moved.
pub const fn allowed_moves(from: Status) -> &'static [Status] {
    use Status::{
        AwaitingApproval, AwaitingParts, Cancelled, Collected, Diagnosing, InRepair, Ready,
        Received,
    };
    match from {
        Received => &[Diagnosing, InRepair, Cancelled],
        Diagnosing => &[AwaitingApproval, AwaitingParts, InRepair, Ready, Cancelled],
        AwaitingApproval => &[InRepair, AwaitingParts, Diagnosing, Ready, Cancelled],
        AwaitingParts => &[InRepair, AwaitingApproval, Ready, Cancelled],
        InRepair => &[Ready, AwaitingParts, AwaitingApproval, Diagnosing],
        Ready => &[Collected, InRepair],
        Collected | Cancelled => &[],
    }
}

/// Whether a person may move an order so. `collected` keeps the outcome; the caller need not repeat it.
pub fn check_move(from: Status, to: Status, outcome: Option<Outcome>) -> Result<(), MoveError> {
    if !allowed_moves(from).contains(&to) {
        return Err(MoveError::NotAllowed { from, to });
    }
    match (to, outcome) {
        (Status::Ready, None) => Err(MoveError::NeedsOutcome),
        (Status::Ready, Some(outcome))
            if from == Status::AwaitingApproval && outcome != Outcome::Declined =>
        {
            Err(MoveError::OnlyDeclined)
        }
        (Status::Ready | Status::Collected, _) | (_, None) => Ok(()),
        (_, Some(_)) => Err(MoveError::NoOutcomeHere),
    }
}
