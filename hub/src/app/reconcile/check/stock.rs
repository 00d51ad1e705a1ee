//! Stock: the branch's word against the hub's ledger at the same place of the log, and columns against movements.

use domain::id::PartId;
use domain::reconcile::{Column, Outcome, StockFacts, judge_stock};
use sync_protocol::head::{StockBalance, stock_digest};

use super::Ground;
use crate::store::ids::OfUuid;
use crate::store::reconciliation::day::Word;
use crate::store::reconciliation::goods::PartSums;

pub(super) fn check(ground: &Ground<'_>, word: &Word, sums: &[PartSums]) -> Outcome {
    let then: Vec<StockBalance> = sums
        .iter()
        .filter(|sum| sum.movements_then > 0)
        .map(|sum| StockBalance {
            part: PartId::of_uuid(sum.part),
            on_hand: sum.on_hand_then,
            movements: sum.movements_then.unsigned_abs(),
        })
        .collect();
    let mut facts = StockFacts {
        parts_said: word.closed.parts,
        parts: then.len() as u64,
        is_same: false,
        off: Vec::new(),
        below_zero: Vec::new(),
    };
    facts.is_same =
        facts.parts == word.closed.parts && stock_digest(then) == word.closed.stock_digest;
    for sum in sums {
        let part = PartId::of_uuid(sum.part);
        if sum.on_hand_column != sum.on_hand {
            facts.off.push(Column {
                part,
                column: sum.on_hand_column,
                sum: sum.on_hand,
            });
        }
        if sum.on_hand_column < 0 {
            facts.below_zero.push((part, sum.on_hand_column));
        }
    }
    judge_stock(&facts, &ground.day)
}
