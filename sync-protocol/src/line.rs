//! Lines: the epochs of a node's log, each with its parent link, and how two tips relate.
//!
//! A line is the path from a tip back over parent links to the start. Nobody grants epochs, so a restored or cloned
//! machine always has a fresh one; where its parent link hangs tells what happened to it.

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::position::{Epoch, Tip};

/// One epoch and the entry before its first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineageRow {
    /// The epoch.
    pub epoch: Epoch,
    /// Epoch, seq and chain hash of the entry before; epoch 0 and seq 0 for none.
    pub parent: Tip,
}

/// The epochs of one line, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lineage {
    rows: Vec<LineageRow>,
}

/// A lineage that does not hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineageError {
    /// A parent names an epoch that the lineage does not have before it.
    #[error("epoch {0} hangs on an epoch that the lineage does not have")]
    UnknownParent(Epoch),
    /// An epoch twice.
    #[error("epoch {0} stands twice in the lineage")]
    Twice(Epoch),
    /// A parent's number goes back.
    #[error("the parent of epoch {0} lies before its grandparent")]
    Backwards(Epoch),
}

/// How the hub's tip of a node relates to the line that the node shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meeting {
    /// The hub holds a prefix of the branch's line: send what follows the hub's tip.
    Normal,
    /// The branch's tip lies on the hub's line: the branch lost entries and can recover them.
    BranchLost,
    /// Each has entries that the other's line lacks; they part at this entry.
    Fork {
        /// The last common entry's number.
        common_seq: u64,
    },
}

impl Lineage {
    /// A lineage of rows, oldest first, checked.
    pub fn new(rows: Vec<LineageRow>) -> Result<Self, LineageError> {
        let mut lineage = Lineage::default();
        for row in rows {
            lineage.push(row)?;
        }
        Ok(lineage)
    }

    /// Adds the next epoch. The first row's parent is taken as given: it may be the start or an older epoch that
    /// the reader knows.
    pub fn push(&mut self, row: LineageRow) -> Result<(), LineageError> {
        if self.rows.iter().any(|known| known.epoch == row.epoch) {
            return Err(LineageError::Twice(row.epoch));
        }
        if let Some(first) = self.rows.first() {
            let at_start =
                row.parent.seq == first.parent.seq && row.parent.epoch == first.parent.epoch;
            let Some(parent) = self
                .rows
                .iter()
                .find(|known| known.epoch == row.parent.epoch)
            else {
                if at_start {
                    self.rows.push(row);
                    return Ok(());
                }
                return Err(LineageError::UnknownParent(row.epoch));
            };
            if row.parent.seq <= parent.parent.seq {
                return Err(LineageError::Backwards(row.epoch));
            }
        }
        self.rows.push(row);
        Ok(())
    }

    /// The rows, oldest first.
    pub fn rows(&self) -> &[LineageRow] {
        &self.rows
    }

    /// The row of `epoch`.
    pub fn row(&self, epoch: Epoch) -> Option<&LineageRow> {
        self.rows.iter().find(|row| row.epoch == epoch)
    }

    /// Whether entry (`epoch`, `seq`) lies on the path from `tip` back to the start.
    pub fn contains(&self, tip: &Tip, epoch: Epoch, seq: u64) -> bool {
        let mut end = *tip;
        loop {
            if end.epoch == epoch {
                let first = self.row(epoch).map_or(1, |row| row.parent.seq + 1);
                return seq <= end.seq && (seq >= first || seq == 0);
            }
            match self.row(end.epoch) {
                Some(row) if row.parent.epoch != end.epoch => end = row.parent,
                _ => return false,
            }
        }
    }

    /// The rows that a reader who holds `known` does not have: those behind the epoch of `known`.
    pub fn since(&self, known: Epoch) -> Vec<LineageRow> {
        match self.rows.iter().position(|row| row.epoch == known) {
            Some(index) => self.rows[index + 1..].to_vec(),
            None => self.rows.clone(),
        }
    }
}

/// How the hub's line (`hub`, `hub_tip`) and the branch's (`branch`, `branch_tip`) meet. Both lineages reach back to
/// the node's start.
pub fn meet(hub: &Lineage, hub_tip: &Tip, branch: &Lineage, branch_tip: &Tip) -> Meeting {
    if hub_tip.seq == 0 || branch.contains(branch_tip, hub_tip.epoch, hub_tip.seq) {
        return Meeting::Normal;
    }
    if branch_tip.seq == 0 || hub.contains(hub_tip, branch_tip.epoch, branch_tip.seq) {
        return Meeting::BranchLost;
    }
    Meeting::Fork {
        common_seq: common_seq(hub, hub_tip, branch, branch_tip),
    }
}

fn common_seq(hub: &Lineage, hub_tip: &Tip, branch: &Lineage, branch_tip: &Tip) -> u64 {
    let mut end = *branch_tip;
    loop {
        if hub.contains(hub_tip, end.epoch, end.seq) {
            return end.seq;
        }
        if let Some(limit) = end_of_epoch_on(hub, hub_tip, end.epoch) {
            return limit.min(end.seq);
        }
        match branch.row(end.epoch) {
            Some(row) if row.parent.epoch != end.epoch => end = row.parent,
            _ => return 0,
        }
    }
}

fn end_of_epoch_on(lineage: &Lineage, tip: &Tip, epoch: Epoch) -> Option<u64> {
    let mut end = *tip;
    loop {
        if end.epoch == epoch {
            return Some(end.seq);
        }
        match lineage.row(end.epoch) {
            Some(row) if row.parent.epoch != end.epoch => end = row.parent,
            _ => return None,
        }
    }
}

/// The lineage row of a fresh epoch behind `tip`.
pub fn next_epoch(epoch: Epoch, tip: Tip) -> LineageRow {
    LineageRow { epoch, parent: tip }
}

/// The parent of a line's first epoch: (0, 0, `h(0)`).
pub fn no_parent(start: Hash) -> Tip {
    Tip::start(start)
}
