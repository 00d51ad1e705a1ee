//! Log blocks and the order in which their transactions were applied.

use domain::id::BranchId;
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};
use sync_protocol::block::{Block, LogEntry};
use sync_protocol::compress::decompress;
use sync_protocol::hash::Hash;
use sync_protocol::limits::BLOCK_BYTES_MAX;
use sync_protocol::position::{Epoch, NodeId};

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, big, node_number, node_of, unsigned};

/// The one row that every commit to a log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApplyHead {
    /// The next number of the apply order.
    pub next_ord: i64,
    /// The hub's hybrid clock.
    pub hlc: u64,
}

/// Locks the head of the apply order until the SQL transaction ends.
pub async fn lock_head(connection: &mut PgConnection) -> Result<ApplyHead, sqlx::Error> {
    let (next_ord, hlc): (i64, i64) =
        sqlx::query_as("select next_ord, hlc from sync.apply_head where id = 1 for update")
            .fetch_one(connection)
            .await?;
    Ok(ApplyHead {
        next_ord,
        hlc: unsigned(hlc),
    })
}

/// Reads the head without a lock.
pub async fn read_head(connection: &mut PgConnection) -> Result<ApplyHead, sqlx::Error> {
    let (next_ord, hlc): (i64, i64) =
        sqlx::query_as("select next_ord, hlc from sync.apply_head where id = 1")
            .fetch_one(connection)
            .await?;
    Ok(ApplyHead {
        next_ord,
        hlc: unsigned(hlc),
    })
}

/// Moves the head.
pub async fn save_head(connection: &mut PgConnection, head: ApplyHead) -> Result<(), sqlx::Error> {
    sqlx::query("update sync.apply_head set next_ord = $1, hlc = $2 where id = 1")
        .bind(head.next_ord)
        .bind(big(head.hlc))
        .execute(connection)
        .await?;
    Ok(())
}

/// A run of transactions of one log that were applied one behind the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub ord: i64,
    /// The node's branch; nil for the hub.
    pub branch: BranchId,
    /// Whose log.
    pub node: NodeId,
    /// Which epoch.
    pub epoch: Epoch,
    /// First transaction.
    pub first_seq: u64,
    /// Last transaction.
    pub last_seq: u64,
    /// Why the transactions had no effect, if the database refused them.
    pub refusal: Option<String>,
}

#[derive(FromRow)]
struct RawRun {
    ord: i64,
    branch_id: Uuid,
    node: i64,
    epoch: i64,
    first_seq: i64,
    last_seq: i64,
    refusal: Option<String>,
}

/// Adds runs.
pub async fn insert_runs(connection: &mut PgConnection, runs: &[Run]) -> Result<(), sqlx::Error> {
    let branches: Vec<Uuid> = runs.iter().map(|run| run.branch.uuid()).collect();
    let numbers = |field: fn(&Run) -> i64| runs.iter().map(field).collect::<Vec<i64>>();
    let refusals: Vec<Option<String>> = runs.iter().map(|run| run.refusal.clone()).collect();
    sqlx::query(
        "insert into sync.apply_order select * from unnest(
            $1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[])",
    )
    .bind(numbers(|run| run.ord))
    .bind(branches)
    .bind(numbers(|run| node_number(run.node)))
    .bind(numbers(|run| big(run.epoch.0)))
    .bind(numbers(|run| big(run.first_seq)))
    .bind(numbers(|run| big(run.last_seq)))
    .bind(refusals)
    .execute(connection)
    .await?;
    Ok(())
}

/// The runs behind number `after`, in order, at most `limit`.
pub async fn runs(
    connection: &mut PgConnection,
    after: i64,
    limit: i64,
) -> Result<Vec<Run>, HubError> {
    let rows: Vec<RawRun> =
        sqlx::query_as("select * from sync.apply_order where ord > $1 order by ord limit $2")
            .bind(after)
            .bind(limit)
            .fetch_all(connection)
            .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Run {
                ord: row.ord,
                branch: BranchId::of_uuid(row.branch_id),
                node: node_of(row.node)?,
                epoch: Epoch(unsigned(row.epoch)),
                first_seq: unsigned(row.first_seq),
                last_seq: unsigned(row.last_seq),
                refusal: row.refusal,
            })
        })
        .collect()
}

/// A stored block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBlock {
    /// The node's branch; nil for the hub.
    pub branch: BranchId,
    /// Whose log.
    pub node: NodeId,
    /// Which epoch.
    pub epoch: Epoch,
    /// First transaction.
    pub first_seq: u64,
    /// Last transaction.
    pub last_seq: u64,
    /// Chain hash before the first.
    pub before: Hash,
    /// Chain hash behind the last.
    pub after: Hash,
    /// zstd of the block's bytes.
    pub bytes: Vec<u8>,
}

/// Adds blocks.
pub async fn insert_blocks(
    connection: &mut PgConnection,
    blocks: Vec<StoredBlock>,
) -> Result<(), sqlx::Error> {
    let branches: Vec<Uuid> = blocks.iter().map(|block| block.branch.uuid()).collect();
    let numbers = |field: fn(&StoredBlock) -> i64| blocks.iter().map(field).collect::<Vec<i64>>();
    sqlx::query(
        "insert into sync.log_block select * from unnest(
            $1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bytea[],
            $8::bytea[])",
    )
    .bind(branches)
    .bind(numbers(|block| node_number(block.node)))
    .bind(numbers(|block| big(block.epoch.0)))
    .bind(numbers(|block| big(block.first_seq)))
    .bind(numbers(|block| big(block.last_seq)))
    .bind(blocks.iter().map(|block| block.before.to_vec()).collect::<Vec<_>>())
    .bind(blocks.iter().map(|block| block.after.to_vec()).collect::<Vec<_>>())
    .bind(blocks.into_iter().map(|block| block.bytes).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// A block row as it stands, which verification does not trust.
#[derive(Debug, FromRow)]
pub struct RawBlock {
    /// The node's branch.
    pub branch_id: Uuid,
    /// Whose log.
    pub node: i64,
    /// Which epoch.
    pub epoch: i64,
    /// First transaction.
    pub first_seq: i64,
    /// Last transaction.
    pub last_seq: i64,
    /// Chain hash before.
    pub before: Vec<u8>,
    /// Chain hash behind.
    pub after: Vec<u8>,
    /// zstd of the block.
    pub bytes: Vec<u8>,
}

impl RawBlock {
    /// The block that the bytes hold.
    pub fn open(&self) -> Result<Block, HubError> {
        Ok(Block::decode(&decompress(&self.bytes, BLOCK_BYTES_MAX)?)?)
    }

    /// Its entries, where bytes, row and hashes agree with each other.
    pub fn sound_entries(&self) -> Option<Vec<LogEntry>> {
        let block = self.open().ok()?;
        let is_its_own = node_number(block.node) == self.node
            && block.epoch.0.cast_signed() == self.epoch
            && block.first_seq.cast_signed() == self.first_seq
            && block.before.as_slice() == self.before;
        let entries = block.entries();
        let last = entries.last()?;
        let fits =
            last.hash.as_slice() == self.after && last.position.seq.cast_signed() == self.last_seq;
        (is_its_own && fits).then_some(entries)
    }

    /// The chain hash before it; zeros where the row has something else there.
    pub fn before_hash(&self) -> Hash {
        self.before.as_slice().try_into().unwrap_or_default()
    }
}

/// Blocks of one epoch that hold transactions `first` to `last`.
pub async fn blocks_between(
    connection: &mut PgConnection,
    node: NodeId,
    branch: BranchId,
    epoch: Epoch,
    first: u64,
    last: u64,
) -> Result<Vec<RawBlock>, sqlx::Error> {
    sqlx::query_as(
        "select * from sync.log_block where branch_id = $1 and node = $2 and epoch = $3
         and last_seq >= $4 and first_seq <= $5 order by first_seq",
    )
    .bind(branch.uuid())
    .bind(node_number(node))
    .bind(big(epoch.0))
    .bind(big(first))
    .bind(big(last))
    .fetch_all(connection)
    .await
}

/// Branch, node, epoch and first number of every stored block.
pub async fn block_keys(
    connection: &mut PgConnection,
) -> Result<Vec<(BranchId, NodeId, Epoch, u64)>, HubError> {
    let rows: Vec<(Uuid, i64, i64, i64)> = sqlx::query_as(
        "select branch_id, node, epoch, first_seq from sync.log_block order by branch_id, node, epoch, first_seq",
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(branch, node, epoch, first)| {
            Ok((
                BranchId::of_uuid(branch),
                node_of(node)?,
                Epoch(unsigned(epoch)),
                unsigned(first),
            ))
        })
        .collect()
}
