//! Answers that were given before, by staff, route and key. An answer lies sealed.

use domain::id::StaffId;
use sqlx::{FromRow, PgConnection};

use crate::store::ids::AsUuid;

/// A stored answer.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct StoredAnswer {
    /// HMAC of the request's route and body.
    pub fingerprint: Vec<u8>,
    /// The answer's HTTP status.
    pub status: i16,
    /// The answer, sealed under the storage key.
    pub answer: Vec<u8>,
    /// When it was given.
    pub created_ms: i64,
}

/// Finds an answer given after `not_before_ms`.
pub async fn find(
    connection: &mut PgConnection,
    staff: StaffId,
    route: &str,
    key: &str,
    not_before_ms: i64,
) -> Result<Option<StoredAnswer>, sqlx::Error> {
    sqlx::query_as(
        "select fingerprint, status, answer, created_ms from sync.idempotency
         where staff = $1 and route = $2 and key = $3 and created_ms > $4",
    )
    .bind(staff.uuid())
    .bind(route)
    .bind(key)
    .bind(not_before_ms)
    .fetch_optional(connection)
    .await
}

/// Whether the person used this key with another route after `not_before_ms`.
pub async fn used_elsewhere(
    connection: &mut PgConnection,
    staff: StaffId,
    route: &str,
    key: &str,
    not_before_ms: i64,
) -> Result<bool, sqlx::Error> {
    let row: (bool,) = sqlx::query_as(
        "select exists (select 1 from sync.idempotency
         where staff = $1 and route <> $2 and key = $3 and created_ms > $4)",
    )
    .bind(staff.uuid())
    .bind(route)
    .bind(key)
    .bind(not_before_ms)
    .fetch_one(connection)
    .await?;
    Ok(row.0)
}

/// Keeps an answer, over one that is too old to count.
pub async fn insert(
    connection: &mut PgConnection,
    staff: StaffId,
    route: &str,
    key: &str,
    answer: &StoredAnswer,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into sync.idempotency values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (staff, route, key) do update set fingerprint = excluded.fingerprint, status = excluded.status,
            answer = excluded.answer, created_ms = excluded.created_ms",
    )
    .bind(staff.uuid())
    .bind(route)
    .bind(key)
    .bind(&answer.fingerprint)
    .bind(answer.status)
    .bind(&answer.answer)
    .bind(answer.created_ms)
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes answers given up to `until_ms`.
pub async fn purge(connection: &mut PgConnection, until_ms: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query("delete from sync.idempotency where created_ms <= $1")
        .bind(until_ms)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}
