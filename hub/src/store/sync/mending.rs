//! Orders to ask machines again for what the hub lost of their logs.

use domain::id::{BranchId, StaffId};
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};
use sync_protocol::position::{Epoch, NodeId};

use super::log::RawBlock;
use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, big, node_number, node_of, unsigned};

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The machine.
    pub node: NodeId,
    /// When it was given.
    pub ordered_ms: i64,
    /// By whom; nil for a night.
    pub ordered_by: StaffId,
    /// Whether it still waits; otherwise it could not be carried out to its end.
    pub is_waiting: bool,
    /// Transactions that came back so far.
    pub put_back: u64,
    /// Why no more came.
    pub detail: String,
}

#[derive(FromRow)]
struct Raw {
    node: i64,
    ordered_ms: i64,
    ordered_by: Uuid,
    state: String,
    put_back: i64,
    detail: String,
}

impl Raw {
    fn typed(self) -> Result<Order, HubError> {
        Ok(Order {
            node: node_of(self.node)?,
            ordered_ms: self.ordered_ms,
            ordered_by: StaffId::of_uuid(self.ordered_by),
            is_waiting: self.state == "waiting",
            put_back: unsigned(self.put_back),
            detail: self.detail,
        })
    }
}

/// Gives an order for every machine of a branch that may speak; one that waits already stays. Gives the machines.
pub async fn order(
    connection: &mut PgConnection,
    branch: BranchId,
    by: StaffId,
    now_ms: i64,
) -> Result<Vec<NodeId>, HubError> {
    let nodes: Vec<(i64,)> = sqlx::query_as(
        "insert into sync.mending
         select branch_id, node, $2, $3, 'waiting', 0, '' from sync.node
         where branch_id = $1 and revoked_reason is null and not closed
         on conflict (branch_id, node) do update set
            ordered_ms = case when mending.state = 'waiting' then mending.ordered_ms else excluded.ordered_ms end,
            ordered_by = case when mending.state = 'waiting' then mending.ordered_by else excluded.ordered_by end,
            put_back = case when mending.state = 'waiting' then mending.put_back else 0 end,
            state = 'waiting', detail = ''
         returning node",
    )
    .bind(branch.uuid())
    .bind(now_ms)
    .bind(by.uuid())
    .fetch_all(connection)
    .await?;
    nodes.into_iter().map(|(node,)| node_of(node)).collect()
}

/// Machines whose order waits.
pub async fn waiting(connection: &mut PgConnection) -> Result<Vec<NodeId>, HubError> {
    let nodes: Vec<(i64,)> =
        sqlx::query_as("select node from sync.mending where state = 'waiting' order by node")
            .fetch_all(connection)
            .await?;
    nodes.into_iter().map(|(node,)| node_of(node)).collect()
}

/// The order of a machine.
pub async fn of_node(
    connection: &mut PgConnection,
    branch: BranchId,
    node: NodeId,
) -> Result<Option<Order>, HubError> {
    let row: Option<Raw> =
        sqlx::query_as("select * from sync.mending where branch_id = $1 and node = $2")
            .bind(branch.uuid())
            .bind(node_number(node))
            .fetch_optional(connection)
            .await?;
    row.map(Raw::typed).transpose()
}

/// Counts what came back.
pub async fn count(
    connection: &mut PgConnection,
    branch: BranchId,
    node: NodeId,
    transactions: u64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update sync.mending set put_back = put_back + $3 where branch_id = $1 and node = $2",
    )
    .bind(branch.uuid())
    .bind(node_number(node))
    .bind(big(transactions))
    .execute(connection)
    .await?;
    Ok(())
}

/// An order is not carried out any further.
pub async fn refuse(
    connection: &mut PgConnection,
    branch: BranchId,
    node: NodeId,
    detail: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update sync.mending set state = 'refused', detail = $3 where branch_id = $1 and node = $2",
    )
    .bind(branch.uuid())
    .bind(node_number(node))
    .bind(detail)
    .execute(connection)
    .await?;
    Ok(())
}

/// An order is carried out.
pub async fn done(
    connection: &mut PgConnection,
    branch: BranchId,
    node: NodeId,
) -> Result<(), sqlx::Error> {
    sqlx::query("delete from sync.mending where branch_id = $1 and node = $2")
        .bind(branch.uuid())
        .bind(node_number(node))
        .execute(connection)
        .await?;
    Ok(())
}

/// Blocks of an epoch that begin at `until` or before, the last first, at most `limit`.
pub async fn blocks_down(
    connection: &mut PgConnection,
    branch: BranchId,
    node: NodeId,
    epoch: Epoch,
    until: u64,
    limit: i64,
) -> Result<Vec<RawBlock>, sqlx::Error> {
    sqlx::query_as(
        "select * from sync.log_block where branch_id = $1 and node = $2 and epoch = $3 and first_seq <= $4
         order by first_seq desc limit $5",
    )
    .bind(branch.uuid())
    .bind(node_number(node))
    .bind(big(epoch.0))
    .bind(big(until))
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Blocks that hold, or whose rows begin in, the entries `first` to `last` of an epoch.
pub async fn overlapping(
    connection: &mut PgConnection,
    branch: BranchId,
    node: NodeId,
    epoch: Epoch,
    first: u64,
    last: u64,
) -> Result<Vec<RawBlock>, sqlx::Error> {
    sqlx::query_as(
        "select * from sync.log_block where branch_id = $1 and node = $2 and epoch = $3
         and first_seq <= $5 and (last_seq >= $4 or first_seq >= $4) order by first_seq",
    )
    .bind(branch.uuid())
    .bind(node_number(node))
    .bind(big(epoch.0))
    .bind(big(first))
    .bind(big(last))
    .fetch_all(connection)
    .await
}

/// Takes a damaged block out.
pub async fn take_out(connection: &mut PgConnection, block: &RawBlock) -> Result<(), sqlx::Error> {
    sqlx::query(
        "delete from sync.log_block where branch_id = $1 and node = $2 and epoch = $3 and first_seq = $4",
    )
    .bind(block.branch_id)
    .bind(block.node)
    .bind(block.epoch)
    .bind(block.first_seq)
    .execute(connection)
    .await?;
    Ok(())
}
