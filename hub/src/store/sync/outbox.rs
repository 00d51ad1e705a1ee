//! What is to be asked of somebody outside: jobs under a lease, tried again, dead letters, played again.
//!
//! A job is written in the commit of its cause, keyed by (position, item). Nothing here calls anybody.

use domain::id::{BranchId, PaymentId};
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};
use sync_protocol::position::Position;

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, big, node_number, position_of};

/// How long a worker has a job for itself.
pub const LEASE_MS: i64 = 60_000;

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Whose.
    pub branch: BranchId,
    /// The transaction that asks for it.
    pub position: Position,
    /// The item.
    pub item: i32,
    /// The tender in the item; the attempt of what asks again.
    pub n: i32,
    /// `ask`, `cancel`, `repay`, or `again` for another attempt.
    pub kind: String,
    /// The payment, or the tender of a refund.
    pub subject: [u8; 16],
    /// The payment.
    pub payment: PaymentId,
    /// How often it failed.
    pub tries: u32,
    /// The attempt at the provider, from 1.
    pub attempt: u16,
    /// When it was asked for, as the branch saw it.
    pub created_ms: i64,
    /// Why it failed last.
    pub last_error: String,
    /// When something last became of it.
    pub updated_ms: i64,
}

#[derive(FromRow)]
struct Raw {
    branch_id: Uuid,
    node: i64,
    epoch: i64,
    seq: i64,
    item: i32,
    n: i32,
    kind: String,
    subject: Uuid,
    payment: Uuid,
    tries: i32,
    attempt: i32,
    created_ms: i64,
    updated_ms: i64,
    last_error: String,
}

impl Raw {
    fn typed(self) -> Result<Job, HubError> {
        Ok(Job {
            branch: BranchId::of_uuid(self.branch_id),
            position: position_of(self.node, self.epoch, self.seq)?,
            item: self.item,
            n: self.n,
            kind: self.kind,
            subject: self.subject.into_bytes(),
            payment: PaymentId::of_uuid(self.payment),
            tries: u32::try_from(self.tries).unwrap_or(0),
            attempt: u16::try_from(self.attempt).unwrap_or(1),
            created_ms: self.created_ms,
            last_error: self.last_error,
            updated_ms: self.updated_ms,
        })
    }
}

/// Takes jobs that are due for a while. Money of a branch waits until its log is applied up to the head that its last
/// Hello named: what comes behind may call it off.
pub async fn take(
    connection: &mut PgConnection,
    now_ms: i64,
    limit: i64,
) -> Result<Vec<Job>, HubError> {
    let rows: Vec<Raw> = sqlx::query_as(
        "update sync.outbox as o set lease_until_ms = $1 + $2
         from (select b.branch_id, b.node, b.epoch, b.seq, b.item, b.n from sync.outbox b
               left join sync.node m on m.branch_id = b.branch_id and m.node = b.node
               where b.state = 'waiting' and b.due_ms <= $1 and b.lease_until_ms <= $1
                 and (m.node is null or m.closed or m.revoked_reason is not null or m.tip_seq >= m.hello_tip_seq)
               order by b.due_ms limit $3 for update of b skip locked) as due
         where o.branch_id = due.branch_id and o.node = due.node and o.epoch = due.epoch and o.seq = due.seq
           and o.item = due.item and o.n = due.n
         returning o.branch_id, o.node, o.epoch, o.seq, o.item, o.n, o.kind, o.subject, o.payment, o.tries, o.attempt,
            o.created_ms, o.updated_ms, o.last_error",
    )
    .bind(now_ms)
    .bind(LEASE_MS)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Raw::typed).collect()
}

/// When the next job is due, of those that nobody has.
pub async fn next_due(connection: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    let row: (Option<i64>,) = sqlx::query_as(
        "select min(greatest(due_ms, lease_until_ms)) from sync.outbox where state = 'waiting'",
    )
    .fetch_one(connection)
    .await?;
    Ok(row.0)
}

/// What became of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// Nothing is left to do.
    Done,
    /// It goes on later.
    Later {
        /// When.
        due_ms: i64,
        /// How often it failed.
        tries: u32,
        /// The attempt at the provider.
        attempt: u16,
        /// Why it failed, where it did.
        error: String,
    },
    /// Somebody must look into it.
    Dead {
        /// Why.
        error: String,
    },
}

/// Keeps what became of a try, and gives the job free.
pub async fn settle(
    connection: &mut PgConnection,
    job: &Job,
    after: &After,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    let (state, due_ms, tries, attempt, error) = match after {
        After::Done => ("done", 0, job.tries, job.attempt, ""),
        After::Later {
            due_ms,
            tries,
            attempt,
            error,
        } => ("waiting", *due_ms, *tries, *attempt, error.as_str()),
        After::Dead { error } => (
            "dead",
            0,
            job.tries.saturating_add(1),
            job.attempt,
            error.as_str(),
        ),
    };
    sqlx::query(
        "update sync.outbox set state = $7, due_ms = $8, tries = $9, attempt = $10, last_error = $11,
            lease_until_ms = 0, updated_ms = $12
         where branch_id = $1 and node = $2 and epoch = $3 and seq = $4 and item = $5 and n = $6",
    )
    .bind(job.branch.uuid())
    .bind(node_number(job.position.node))
    .bind(big(job.position.epoch.0))
    .bind(big(job.position.seq))
    .bind(job.item)
    .bind(job.n)
    .bind(state)
    .bind(due_ms)
    .bind(i32::try_from(tries).unwrap_or(i32::MAX))
    .bind(i32::from(attempt))
    .bind(error)
    .bind(now_ms)
    .execute(connection)
    .await?;
    Ok(())
}

/// Wakes the jobs of a payment: something was heard of it, or a person plays them again. Says how many.
pub async fn wake(
    connection: &mut PgConnection,
    payment: PaymentId,
    now_ms: i64,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "update sync.outbox set state = 'waiting', due_ms = 0, tries = 0, updated_ms = $2 where payment = $1",
    )
    .bind(payment.uuid())
    .bind(now_ms)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Jobs that wait or are dead, the oldest first.
pub async fn open(
    connection: &mut PgConnection,
    state: &str,
    limit: i64,
) -> Result<Vec<Job>, HubError> {
    let rows: Vec<Raw> = sqlx::query_as(
        "select branch_id, node, epoch, seq, item, n, kind, subject, payment, tries, attempt, created_ms, updated_ms,
            last_error
         from sync.outbox where state = $1 order by created_ms limit $2",
    )
    .bind(state)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Raw::typed).collect()
}

/// The jobs of a payment, oldest first.
pub async fn of_payment(
    connection: &mut PgConnection,
    payment: PaymentId,
) -> Result<Vec<Job>, HubError> {
    let rows: Vec<Raw> = sqlx::query_as(
        "select branch_id, node, epoch, seq, item, n, kind, subject, payment, tries, attempt, created_ms, updated_ms,
            last_error
         from sync.outbox where payment = $1 order by created_ms, seq, item, n",
    )
    .bind(payment.uuid())
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Raw::typed).collect()
}
