//! The audit chain of branches: every transaction hashed again from the stored blocks, and the newest signed head.

use sync_protocol::hash::Hash;
use sync_protocol::line::LineageRow;
use sync_protocol::position::{Epoch, Position, Tip, start_of_branch_line};

use super::error::AppError;
use super::session::Person;
use super::stock::optional_branch;
use super::{Hub, NodeRow, branch};
use crate::store::audit::read as heads;
pub use crate::store::audit::read::HeadRecord;
use crate::store::db::PgConnection;
use crate::store::sync::mending::Order;
use crate::store::sync::{log, mending, node};

/// Transactions checked at once.
const WINDOW: u64 = 4_096;

/// The chain of one machine.
#[derive(Debug, Clone)]
pub struct ChainState {
    /// Code of the branch.
    pub branch: String,
    /// The machine.
    pub node: NodeRow,
    /// Transactions that hang together from the start.
    pub length: u64,
    /// Chain hash behind the last of them.
    pub hash: Hash,
    /// The first position that does not hang together or is missing.
    pub first_bad: Option<Position>,
    /// The newest head that the machine signed.
    pub head: Option<HeadRecord>,
    /// The order to ask the machine for what is missing, while it is carried out or where it could not be.
    pub mending: Option<Order>,
}

/// Verifies the chains of all machines of a branch, or of all branches that the person may see.
///
/// # Errors
/// An unknown branch.
pub async fn verify(
    hub: &Hub,
    person: &Person,
    branch_name: Option<&str>,
) -> Result<Vec<ChainState>, AppError> {
    let (nodes, codes) = {
        let mut connection = hub.snapshot().await?;
        let only = optional_branch(&mut connection, branch_name).await?;
        let scope = person.scope().narrowed(only);
        let all = node::all(&mut connection).await?;
        let nodes: Vec<NodeRow> = all
            .into_iter()
            .filter(|row| scope.allows(row.branch))
            .collect();
        (nodes, branch::codes(&mut connection).await?)
    };
    let mut chains = Vec::with_capacity(nodes.len());
    for row in nodes {
        chains.push(verify_node(hub, row, &codes).await?);
    }
    Ok(chains)
}

async fn verify_node(
    hub: &Hub,
    row: NodeRow,
    codes: &branch::Codes,
) -> Result<ChainState, AppError> {
    let lineage: Vec<LineageRow> = hub.lineage(row.node).await?.rows().to_vec();
    let mut connection = hub.snapshot().await?;
    let start = start_of_branch_line(row.node, row.branch);
    let mut walk = Walk {
        row: &row,
        tip: Tip {
            epoch: Epoch::NONE,
            seq: 0,
            hash: start,
        },
    };
    let first_bad = walk.along(&mut connection, &lineage).await?;
    let tip = walk.tip;
    let head = heads::newest_head(&mut connection, row.branch, row.node).await?;
    let mending = mending::of_node(&mut connection, row.branch, row.node).await?;
    Ok(ChainState {
        mending,
        branch: branch::code_of(codes, row.branch),
        length: tip.seq,
        hash: tip.hash,
        first_bad,
        head,
        node: row,
    })
}

/// A walk along the line that ends at the node's tip.
struct Walk<'a> {
    row: &'a NodeRow,
    tip: Tip,
}

impl Walk<'_> {
    fn position(&self, epoch: Epoch, seq: u64) -> Position {
        Position {
            node: self.row.node,
            epoch,
            seq,
        }
    }

    /// Goes to the tip; gives the first position that is not as it should be.
    async fn along(
        &mut self,
        connection: &mut PgConnection,
        lineage: &[LineageRow],
    ) -> Result<Option<Position>, AppError> {
        for (epoch, last) in self.stages(lineage) {
            if let Some(bad) = self.epoch(connection, epoch, last).await? {
                return Ok(Some(bad));
            }
        }
        let tip = self.row.tip;
        let is_whole = (self.tip.seq, self.tip.hash) == (tip.seq, tip.hash);
        Ok((!is_whole).then(|| self.position(tip.epoch, self.tip.seq + 1)))
    }

    /// The epochs on the way to the tip, oldest first, each with the last transaction that counts.
    fn stages(&self, lineage: &[LineageRow]) -> Vec<(Epoch, u64)> {
        let mut stages = Vec::new();
        let (mut epoch, mut last) = (self.row.tip.epoch, self.row.tip.seq);
        while epoch != Epoch::NONE && stages.len() <= lineage.len() {
            stages.push((epoch, last));
            let Some(row) = lineage.iter().find(|row| row.epoch == epoch) else {
                break;
            };
            (epoch, last) = (row.parent.epoch, row.parent.seq);
        }
        stages.reverse();
        stages
    }

    async fn epoch(
        &mut self,
        connection: &mut PgConnection,
        epoch: Epoch,
        last: u64,
    ) -> Result<Option<Position>, AppError> {
        while self.tip.seq < last {
            let next = self.tip.seq + 1;
            let until = last.min(self.tip.seq + WINDOW);
            let blocks = log::blocks_between(
                connection,
                self.row.node,
                self.row.branch,
                epoch,
                next,
                until,
            )
            .await?;
            for block in blocks {
                let Ok(block) = block.open() else {
                    return Ok(Some(self.position(epoch, self.tip.seq + 1)));
                };
                let fits = block.node == self.row.node
                    && block.epoch == epoch
                    && block.first_seq == self.tip.seq + 1
                    && block.before == self.tip.hash;
                if !fits {
                    return Ok(Some(self.position(epoch, self.tip.seq + 1)));
                }
                for entry in block
                    .entries()
                    .into_iter()
                    .take_while(|entry| entry.position.seq <= last)
                {
                    self.tip = Tip {
                        epoch,
                        seq: entry.position.seq,
                        hash: entry.hash,
                    };
                }
            }
            if self.tip.seq < next {
                return Ok(Some(self.position(epoch, next)));
            }
        }
        Ok(None)
    }
}
