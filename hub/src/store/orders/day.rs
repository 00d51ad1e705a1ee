//! How a day goes: orders taken and collected by the hour, what is open now, and orders by their numbers.
//!
//! Counts only; all of them come from indexes that hold few of a chain's finished orders.

use domain::id::{BranchId, DocumentId};
use sqlx::PgConnection;
use sqlx::types::Uuid;

use crate::store::ids::{AsUuid, OfUuid};
use crate::store::scope::Scope;

const HOUR_MS: i64 = 3_600_000;

/// Orders taken in between two moments, by the hour behind the first.
pub async fn taken(
    connection: &mut PgConnection,
    scope: &Scope,
    from_ms: i64,
    until_ms: i64,
) -> Result<Vec<(i64, i64)>, sqlx::Error> {
    sqlx::query_as(
        "select (created_ms - $2) / $4, count(*) from orders.repair_order
         where created_ms >= $2 and created_ms < $3 and ($1::uuid[] is null or branch_id = any($1))
         group by 1 order by 1",
    )
    .bind(scope.sql())
    .bind(from_ms)
    .bind(until_ms)
    .bind(HOUR_MS)
    .fetch_all(connection)
    .await
}

/// Orders collected between two moments, by the hour behind the first. A collected order is never changed before it
/// was collected, so those changed earlier need no look.
pub async fn collected(
    connection: &mut PgConnection,
    scope: &Scope,
    from_ms: i64,
    until_ms: i64,
) -> Result<Vec<(i64, i64)>, sqlx::Error> {
    sqlx::query_as(
        "select (at_ms - $2) / $4, count(*) from (
            select (select max((event ->> 'at_ms')::bigint) from jsonb_array_elements(view -> 'events') as event
                where event ->> 'to' = 'collected') as at_ms
            from orders.repair_order
            where status = 'collected' and updated_ms >= $2 and ($1::uuid[] is null or branch_id = any($1))) as moves
         where at_ms >= $2 and at_ms < $3 group by 1 order by 1",
    )
    .bind(scope.sql())
    .bind(from_ms)
    .bind(until_ms)
    .bind(HOUR_MS)
    .fetch_all(connection)
    .await
}

/// Open orders of a branch in one status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOrders {
    /// The branch.
    pub branch: BranchId,
    /// The status.
    pub status: String,
    /// How many.
    pub count: u64,
    /// How many of them were promised for an earlier moment.
    pub late: u64,
}

/// Open orders by branch and status.
pub async fn open(
    connection: &mut PgConnection,
    scope: &Scope,
    now_ms: i64,
) -> Result<Vec<OpenOrders>, sqlx::Error> {
    let rows: Vec<(Uuid, String, i64, i64)> = sqlx::query_as(
        "select branch_id, status, count(*), count(*) filter (where promised_ms < $2) from orders.repair_order
         where status not in ('collected', 'cancelled') and ($1::uuid[] is null or branch_id = any($1))
         group by branch_id, status order by branch_id, status",
    )
    .bind(scope.sql())
    .bind(now_ms)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(branch, status, count, late)| OpenOrders {
            branch: BranchId::of_uuid(branch),
            status,
            count: count.unsigned_abs(),
            late: late.unsigned_abs(),
        })
        .collect())
}

/// The numbers of these orders.
pub async fn numbers(
    connection: &mut PgConnection,
    orders: &[DocumentId],
) -> Result<Vec<(DocumentId, String)>, sqlx::Error> {
    let rows: Vec<(Uuid, String)> =
        sqlx::query_as("select document, number from orders.repair_order where document = any($1)")
            .bind(orders.iter().map(|order| order.uuid()).collect::<Vec<_>>())
            .fetch_all(connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(document, number)| (DocumentId::of_uuid(document), number))
        .collect())
}
