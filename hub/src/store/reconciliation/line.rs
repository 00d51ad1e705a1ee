//! The log of a branch, its signed heads and the times of its papers, as a night looks at them.

use domain::id::BranchId;
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};
use sync_protocol::head::{HeadClaim, SignedHead};
use sync_protocol::position::NodeId;

use crate::error::HubError;
use crate::store::ids::{AsUuid, big, hash_of, node_number, node_of, tip_of, unsigned};
use crate::store::sync::log::RawBlock;

/// A block that does not continue the one before, or is the first of its log.
#[derive(Debug, FromRow)]
pub struct Seam {
    /// Whose log.
    pub node: i64,
    /// Its first transaction.
    pub first_seq: i64,
    /// Chain hash before it.
    pub before: Vec<u8>,
    /// Last transaction of the block before.
    pub prev_last: Option<i64>,
}

/// Blocks of a branch that do not continue the one before, with the first of each log.
pub async fn seams(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<Vec<Seam>, sqlx::Error> {
    sqlx::query_as(
        "select node, first_seq, before, prev_last from (
            select node, first_seq, before, lag(last_seq) over w as prev_last, lag(after) over w as prev_after
            from sync.log_block where branch_id = $1 window w as (partition by node order by first_seq, epoch)) t
         where prev_last is null or prev_last <> first_seq - 1 or prev_after <> before order by node, first_seq",
    )
    .bind(branch.uuid())
    .fetch_all(connection)
    .await
}

/// Where the log of each machine of a branch ends: last transaction and chain hash.
pub async fn ends(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<Vec<(NodeId, u64, Vec<u8>)>, HubError> {
    let rows: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as(
        "select distinct on (node) node, last_seq, after from sync.log_block where branch_id = $1
         order by node, last_seq desc",
    )
    .bind(branch.uuid())
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(node, seq, after)| Ok((node_of(node)?, unsigned(seq), after)))
        .collect()
}

/// Blocks of a machine's log that end behind `after`, in order, at most `limit`.
pub async fn blocks_behind(
    connection: &mut PgConnection,
    branch: BranchId,
    node: NodeId,
    after: u64,
    limit: i64,
) -> Result<Vec<RawBlock>, sqlx::Error> {
    sqlx::query_as(
        "select * from sync.log_block where branch_id = $1 and node = $2 and last_seq > $3
         order by first_seq limit $4",
    )
    .bind(branch.uuid())
    .bind(node_number(node))
    .bind(big(after))
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Every so many-th block up to `until`, another choice each day.
pub async fn sampled_blocks(
    connection: &mut PgConnection,
    branch: BranchId,
    node: NodeId,
    until: u64,
    day: i32,
) -> Result<Vec<RawBlock>, sqlx::Error> {
    sqlx::query_as(
        "select * from sync.log_block where branch_id = $1 and node = $2 and last_seq <= $3
         and mod(first_seq + $4, 97) = 0 order by first_seq limit 64",
    )
    .bind(branch.uuid())
    .bind(node_number(node))
    .bind(big(until))
    .bind(i64::from(day))
    .fetch_all(connection)
    .await
}

type RawHead = (i64, i64, i64, Vec<u8>, Vec<u8>, Vec<u8>, Option<Vec<u8>>);

/// The newest signed head of each machine of a branch, with the hub's countersignature.
pub async fn newest_heads(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<Vec<(SignedHead, Option<Vec<u8>>)>, HubError> {
    let rows: Vec<RawHead> = sqlx::query_as(
        "select distinct on (node) node, epoch, seq, hash, stock, signature, countersignature from audit.signed_head
         where branch_id = $1 order by node, seq desc, seen_ms desc",
    )
    .bind(branch.uuid())
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(
            |(node, epoch, seq, hash, stock, signature, countersignature)| {
                let claim = HeadClaim {
                    node: node_of(node)?,
                    tip: tip_of(epoch, seq, &hash)?,
                    stock: hash_of(&stock)?,
                };
                Ok((SignedHead { claim, signature }, countersignature))
            },
        )
        .collect()
}

/// A paper with its business day and its time.
#[derive(Debug, FromRow)]
pub struct TimedPaper {
    /// What it is.
    pub kind: String,
    /// Its id.
    pub subject: Uuid,
    /// Its business day.
    pub business_day: i32,
    /// Its time.
    pub at_ms: i64,
}

/// Papers of a business day whose time lies more than a day outside, and papers of the time whose day does.
pub async fn off_papers(
    connection: &mut PgConnection,
    branch: BranchId,
    day: i32,
    (start_ms, end_ms): (i64, i64),
) -> Result<Vec<TimedPaper>, sqlx::Error> {
    const DAY_MS: i64 = 86_400_000;
    sqlx::query_as(
        "select 'receipt' as kind, receipt as subject, business_day, at_ms from payments.receipt
            where branch_id = $1 and business_day = $2 and (at_ms < $3 or at_ms >= $4)
         union all
         select 'refund', refund, business_day, at_ms from payments.refund
            where branch_id = $1 and business_day = $2 and (at_ms < $3 or at_ms >= $4)
         union all
         select 'receipt', receipt, business_day, at_ms from payments.receipt
            where branch_id = $1 and at_ms >= $5 and at_ms < $6 and abs(business_day - $2) > 1
         order by at_ms, subject limit 500",
    )
    .bind(branch.uuid())
    .bind(day)
    .bind(start_ms - DAY_MS)
    .bind(end_ms + DAY_MS)
    .bind(start_ms)
    .bind(end_ms)
    .fetch_all(connection)
    .await
}
