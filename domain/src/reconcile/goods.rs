//! Pieces: on the shelves, set aside, between branches.

use super::outcome::in_days;
use super::{BusinessDay, Found, Outcome, Patience};
use crate::id::{IdBytes, PartId, TransferId};
use crate::transfer::TransferState;

/// A column kept for a part, and what its records come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The part.
    pub part: PartId,
    /// What the column says.
    pub column: i64,
    /// What the records come to.
    pub sum: i64,
}

/// Pieces of both sides.
#[derive(Debug, Clone, Default)]
pub struct StockFacts {
    /// Parts with movements, as the branch says.
    pub parts_said: u64,
    /// The same by the hub's ledger at that place of the log.
    pub parts: u64,
    /// Whether both digests are one.
    pub is_same: bool,
    /// Parts whose pieces on hand differ from their movements.
    pub off: Vec<Column>,
    /// Parts below zero, with their pieces.
    pub below_zero: Vec<(PartId, i64)>,
}

/// Judges the stock of a branch.
pub fn judge_stock(facts: &StockFacts, day: &BusinessDay) -> Outcome {
    let mut outcome = Outcome::default();
    outcome.count("parts_branch", facts.parts_said);
    outcome.count("parts_hub", facts.parts);
    outcome.count("below_zero", facts.below_zero.len());
    if !facts.is_same {
        let detail = format!(
            "the branch counts other pieces than the hub at the same place of the log: {} parts there, {} here",
            facts.parts_said, facts.parts
        );
        outcome.add(Found::red("digest", day.day, detail));
    }
    for off in &facts.off {
        let detail = format!("{} on hand, its movements come to {}", off.column, off.sum);
        outcome.add(Found::red("part", off.part, detail));
    }
    for (part, pieces) in &facts.below_zero {
        outcome.add(Found::amber("part", part, format!("{pieces} on hand")));
    }
    outcome
}

/// Judges what is set aside: parts whose column differs from their open reservations, of so many.
pub fn judge_reserved(parts: u64, reservations: u64, off: &[Column]) -> Outcome {
    let mut outcome = Outcome::default();
    outcome.count("parts", parts);
    outcome.count("reservations", reservations);
    for off in off {
        let detail = format!(
            "{} set aside, its open reservations come to {}",
            off.column, off.sum
        );
        outcome.add(Found::red("part", off.part, detail));
    }
    outcome
}

/// A transfer that is not ended.
#[derive(Debug, Clone)]
pub struct OpenTransfer {
    /// The transfer.
    pub transfer: TransferId,
    /// Where it stands.
    pub state: TransferState,
    /// Pieces on their way; below zero where more arrived than left.
    pub pieces: i64,
    /// Pieces that the last arrival looked for in vain.
    pub missing: i64,
    /// When it was last heard of.
    pub since_ms: i64,
}

/// Pieces on their way for something that is no transfer.
#[derive(Debug, Clone, Copy)]
pub struct Orphan {
    /// What they are said to be for.
    pub subject: [u8; 16],
    /// The part.
    pub part: PartId,
    /// Pieces.
    pub pieces: i64,
}

/// Pieces between branches.
#[derive(Debug, Clone, Default)]
pub struct TransitFacts {
    /// Transfers that the branch sends or gets and that are not ended.
    pub open: Vec<OpenTransfer>,
    /// Pieces without an owner.
    pub orphans: Vec<Orphan>,
    /// Parts whose pieces in transit differ from their movements.
    pub off: Vec<Column>,
    /// Transfers whose records come to other pieces than the ledger, with both.
    pub unequal: Vec<(TransferId, i64, i64)>,
}

/// Judges what is on its way.
pub fn judge_transit(facts: &TransitFacts, day: &BusinessDay, patience: Patience) -> Outcome {
    let mut outcome = Outcome::default();
    let pieces: i64 = facts.open.iter().map(|open| open.pieces.max(0)).sum();
    outcome.count("transfers", facts.open.len());
    outcome.count("pieces", pieces);
    for open in &facts.open {
        if let Some(found) = judge_open(open, day, patience) {
            outcome.add(found);
        }
    }
    for orphan in &facts.orphans {
        let detail = format!(
            "{} pieces of part {} are on their way for no transfer",
            orphan.pieces, orphan.part
        );
        outcome.add(Found::red("transfer", IdBytes(&orphan.subject), detail));
    }
    for off in &facts.off {
        let detail = format!(
            "{} in transit, its movements come to {}",
            off.column, off.sum
        );
        outcome.add(Found::red("part", off.part, detail));
    }
    for (transfer, records, ledger) in &facts.unequal {
        let detail = format!(
            "its records say that {records} pieces are on their way, the ledger says {ledger}"
        );
        outcome.add(Found::red("transfer", transfer, detail));
    }
    outcome
}

fn judge_open(open: &OpenTransfer, day: &BusinessDay, patience: Patience) -> Option<Found> {
    let transfer = &open.transfer;
    if open.pieces < 0 {
        let more = open.pieces.saturating_neg();
        let detail = format!("{more} more arrived than left");
        return Some(Found::red("transfer", transfer, detail));
    }
    if open.pieces == 0 || !day.is_older(open.since_ms, patience.transit_days) {
        return None;
    }
    let days = in_days(day.age_days(open.since_ms));
    let pieces = open.pieces;
    if open.missing > 0 {
        let detail = format!(
            "{} of {pieces} pieces were looked for in vain {days} ago and nobody settled it",
            open.missing
        );
        return Some(Found::red("transfer", transfer, detail));
    }
    let lost = day.is_older(open.since_ms, patience.transit_days.saturating_mul(3));
    let detail = format!("on their way for {days}, pieces: {pieces}");
    Some(if lost {
        Found::red("transfer", transfer, detail)
    } else {
        Found::amber("transfer", transfer, detail)
    })
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use super::super::{CheckState, DAY_MS};
    use super::*;

    const DAY: BusinessDay = BusinessDay {
        day: 20_000,
        start_ms: 20_000 * DAY_MS,
        end_ms: 20_001 * DAY_MS,
    };

    fn open(pieces: i64, missing: i64, days: i64) -> CheckState {
        let facts = TransitFacts {
            open: vec![OpenTransfer {
                transfer: TransferId::from_bytes([1; 16]),
                state: TransferState::Shipped,
                pieces,
                missing,
                since_ms: DAY.end_ms - days * DAY_MS - 1,
            }],
            ..TransitFacts::default()
        };
        judge_transit(&facts, &DAY, Patience::default()).state()
    }

    #[test]
    fn a_shipment_ages_from_green_to_red() {
        assert_eq!(open(3, 0, 6), CheckState::Green);
        assert_eq!(open(3, 0, 7), CheckState::Amber);
        assert_eq!(open(3, 0, 21), CheckState::Red);
        assert_eq!(open(3, 1, 6), CheckState::Green);
        assert_eq!(
            open(3, 1, 7),
            CheckState::Red,
            "lost, and nobody settled it"
        );
        assert_eq!(open(-1, 0, 0), CheckState::Red);
        assert_eq!(open(0, 0, 100), CheckState::Green);
    }

    #[test]
    fn stock_that_differs_is_red_and_below_zero_is_amber() {
        let part = PartId::from_bytes([2; 16]);
        let mut facts = StockFacts {
            is_same: true,
            ..StockFacts::default()
        };
        assert_eq!(judge_stock(&facts, &DAY).state(), CheckState::Green);
        facts.below_zero.push((part, -1));
        assert_eq!(judge_stock(&facts, &DAY).state(), CheckState::Amber);
        let off = Column {
            part,
            column: 3,
            sum: 4,
        };
        facts.off.push(off);
        let outcome = judge_stock(&facts, &DAY);
        assert_eq!(outcome.state(), CheckState::Red);
        assert_eq!(outcome.records()[0].subject, part.to_string());
        assert_eq!(judge_reserved(1, 1, &[off]).state(), CheckState::Red);
        assert_eq!(judge_reserved(1, 1, &[]).state(), CheckState::Green);
    }
}
