//! What branches took, gave back and promised, and what waits for people.

use domain::id::BranchId;
use domain::money::Currency;
use sqlx::PgConnection;
use sqlx::types::Uuid;

use super::currency_of;
use crate::error::HubError;
use crate::store::ids::OfUuid;
use crate::store::scope::Scope;

/// What a branch has promised, took and gave back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchMoney {
    /// The branch.
    pub branch: BranchId,
    /// The currency.
    pub currency: Currency,
    /// Asked of cards and not captured.
    pub promised_minor: i64,
    /// Since when the oldest of it is open.
    pub oldest_ms: Option<i64>,
    /// Invoiced and sold since.
    pub taken_minor: i64,
    /// Given back since.
    pub given_back_minor: i64,
    /// How many receipts since.
    pub receipts: i64,
}

/// What each branch has promised, and took and gave back since a time.
pub async fn by_branch(
    connection: &mut PgConnection,
    scope: &Scope,
    since_ms: i64,
) -> Result<Vec<BranchMoney>, HubError> {
    type Raw = (Uuid, String, i64, Option<i64>, i64, i64, i64);
    let rows: Vec<Raw> = sqlx::query_as(
        "select b.branch_id, b.currency,
            coalesce(sum(b.balance_minor) filter (where b.account = 5), 0)::bigint,
            (select min(p.created_ms) from payments.payment p where p.branch_id = b.branch_id and p.tender = 'card'
                and p.state in ('queued', 'processing', 'declined')),
            (select coalesce(sum(r.gross_minor), 0)::bigint from payments.receipt r
                where r.branch_id = b.branch_id and r.currency = b.currency and r.at_ms >= $2),
            (select coalesce(sum(f.amount_minor), 0)::bigint from payments.refund f
                where f.branch_id = b.branch_id and f.currency = b.currency and f.at_ms >= $2),
            (select count(*) from payments.receipt r
                where r.branch_id = b.branch_id and r.currency = b.currency and r.at_ms >= $2)
         from payments.balance b where $1::uuid[] is null or b.branch_id = any($1)
         group by b.branch_id, b.currency order by 3 desc, b.branch_id",
    )
    .bind(scope.sql())
    .bind(since_ms)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(
            |(
                branch,
                currency,
                promised_minor,
                oldest_ms,
                taken_minor,
                given_back_minor,
                receipts,
            )| {
                Ok(BranchMoney {
                    branch: BranchId::of_uuid(branch),
                    currency: currency_of(&currency)?,
                    promised_minor,
                    oldest_ms,
                    taken_minor,
                    given_back_minor,
                    receipts,
                })
            },
        )
        .collect()
}

/// How many wait, and since when the oldest does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queue {
    /// How many.
    pub count: i64,
    /// Since when.
    pub oldest_ms: Option<i64>,
}

/// What of the money waits for people, or for those outside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Refunds that wait for a word.
    pub refunds: Queue,
    /// Lines of statements that belong to no payment.
    pub lines: Queue,
    /// Jobs of the outbox that go on by themselves.
    pub jobs: Queue,
    /// Those of them that failed at least once.
    pub failing: i64,
    /// Dead letters.
    pub dead: Queue,
}

/// What waits.
pub async fn waiting(connection: &mut PgConnection, scope: &Scope) -> Result<Waiting, sqlx::Error> {
    type Raw = (i64, Option<i64>);
    let queue = |(count, oldest_ms): Raw| Queue { count, oldest_ms };
    let refunds: Raw = sqlx::query_as(
        "select count(*), min(at_ms) from payments.refund_asked
         where state = 'asked' and ($1::uuid[] is null or branch_id = any($1))",
    )
    .bind(scope.sql())
    .fetch_one(&mut *connection)
    .await?;
    let lines: Raw = sqlx::query_as(
        "select count(*), min(settled_ms) from payments.settlement s
         where kind in ('charge', 'refund', 'adjustment') and ($1::uuid[] is null or branch = any($1))
           and not exists (select 1 from payments.payment p where p.payment = s.matched)",
    )
    .bind(scope.sql())
    .fetch_one(&mut *connection)
    .await?;
    let jobs: (i64, Option<i64>, i64) = sqlx::query_as(
        "select count(*), min(created_ms), count(*) filter (where last_error <> '') from sync.outbox
         where state = 'waiting' and ($1::uuid[] is null or branch_id = any($1))",
    )
    .bind(scope.sql())
    .fetch_one(&mut *connection)
    .await?;
    let dead: Raw = sqlx::query_as(
        "select count(*), min(created_ms) from sync.outbox
         where state = 'dead' and ($1::uuid[] is null or branch_id = any($1))",
    )
    .bind(scope.sql())
    .fetch_one(connection)
    .await?;
    Ok(Waiting {
        refunds: queue(refunds),
        lines: queue(lines),
        jobs: queue((jobs.0, jobs.1)),
        failing: jobs.2,
        dead: queue(dead),
    })
}

/// Of each branch: refunds that wait for a word, and dead letters.
pub async fn troubles(
    connection: &mut PgConnection,
    scope: &Scope,
) -> Result<Vec<(BranchId, i64, i64)>, sqlx::Error> {
    let rows: Vec<(Uuid, i64, i64)> = sqlx::query_as(
        "select branch_id, sum(refunds)::bigint, sum(dead)::bigint from (
            select branch_id, 1 as refunds, 0 as dead from payments.refund_asked where state = 'asked'
            union all select branch_id, 0, 1 from sync.outbox where state = 'dead') t
         where $1::uuid[] is null or branch_id = any($1) group by branch_id",
    )
    .bind(scope.sql())
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(branch, refunds, dead)| (BranchId::of_uuid(branch), refunds, dead))
        .collect())
}
