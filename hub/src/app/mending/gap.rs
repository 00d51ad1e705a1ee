//! Looking through a machine's log from its end: what hangs together by hashes down from the tip is proven, and the
//! first entry that does not is the end of a gap.

use sync_protocol::hash::Hash;
use sync_protocol::limits::WANT_TRANSACTIONS;
use sync_protocol::mending::{Gap, LogSpan};
use sync_protocol::position::{Epoch, NodeId};

use crate::app::NodeRow;
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::sync::{mending as store, node};

/// Blocks that are read at once.
const BLOCKS: i64 = 32;

/// A stretch of the line that lies in one epoch.
#[derive(Debug, Clone, Copy)]
struct Stage {
    epoch: Epoch,
    first: u64,
    last: u64,
}

/// The newest entries that are missing or damaged at `below` (number and chain hash) or before it, at most as many as one
/// question may name; none where all of the log is there. Without `below` the whole line is looked through.
pub(super) async fn find(
    connection: &mut PgConnection,
    row: &NodeRow,
    below: Option<(u64, Hash)>,
) -> Result<Option<Gap>, HubError> {
    let stages = stages(connection, row).await?;
    let mut walk = Walk {
        row,
        end: below.unwrap_or((row.tip.seq, row.tip.hash)),
    };
    for stage in stages {
        if stage.first > walk.end.0 {
            continue;
        }
        if let Some(gap) = walk.down(connection, stage).await? {
            return Ok(Some(gap));
        }
    }
    Ok(None)
}

/// The epochs on the way to the tip, the newest first.
async fn stages(connection: &mut PgConnection, row: &NodeRow) -> Result<Vec<Stage>, HubError> {
    let lineage = node::lineage(connection, &[row.node]).await?;
    let mut stages = Vec::new();
    let (mut epoch, mut last) = (row.tip.epoch, row.tip.seq);
    while epoch != Epoch::NONE && stages.len() <= lineage.len() {
        let Some((_, known)) = lineage.iter().find(|(_, known)| known.epoch == epoch) else {
            break;
        };
        let first = known.parent.seq + 1;
        stages.push(Stage { epoch, first, last });
        (epoch, last) = (known.parent.epoch, known.parent.seq);
    }
    Ok(stages)
}

struct Walk<'a> {
    row: &'a NodeRow,
    /// Number and chain hash of the entry that is proven down to here.
    end: (u64, Hash),
}

impl Walk<'_> {
    async fn down(
        &mut self,
        connection: &mut PgConnection,
        stage: Stage,
    ) -> Result<Option<Gap>, HubError> {
        let (branch, node): (_, NodeId) = (self.row.branch, self.row.node);
        let mut until = self.end.0;
        loop {
            let blocks =
                store::blocks_down(connection, branch, node, stage.epoch, until, BLOCKS).await?;
            let Some(lowest) = blocks.last().map(|block| block.first_seq) else {
                return Ok(Some(self.gap(stage, stage.first)));
            };
            for block in &blocks {
                // What is damaged, and what lies over proven entries, counts as not there.
                let Some(entries) = block.sound_entries() else {
                    continue;
                };
                let Some(last) = entries.last() else { continue };
                if (last.position.seq, last.hash) == self.end {
                    self.end = (block.first_seq.unsigned_abs() - 1, block.before_hash());
                } else if last.position.seq < self.end.0 {
                    return Ok(Some(self.gap(stage, last.position.seq + 1)));
                }
                if self.end.0 < stage.first {
                    return Ok(None);
                }
            }
            until = match u64::try_from(lowest - 1) {
                Ok(until) if until >= stage.first => until,
                _ => return Ok(Some(self.gap(stage, stage.first))),
            };
        }
    }

    fn gap(&self, stage: Stage, first: u64) -> Gap {
        let (last, end) = self.end;
        let at_most = (last + 1).saturating_sub(WANT_TRANSACTIONS);
        Gap {
            span: LogSpan {
                node: self.row.node,
                epoch: stage.epoch,
                first: first.max(stage.first).max(at_most),
                last: last.min(stage.last),
            },
            end,
        }
    }
}
