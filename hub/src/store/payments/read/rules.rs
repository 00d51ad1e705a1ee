//! Rules of the tills, customers on account, and the events that were taken.

use domain::id::{BranchId, DocumentId};
use sqlx::PgConnection;
use sqlx::types::{Json, Uuid};

use crate::store::ids::{AsUuid, OfUuid};

/// Customers who buy on account: limit and days.
pub async fn accounts(
    connection: &mut PgConnection,
) -> Result<Vec<(DocumentId, i64, i32)>, sqlx::Error> {
    let rows: Vec<(Uuid, i64, i32)> = sqlx::query_as(
        "select customer, limit_minor, due_days from payments.account where not deleted order by customer",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, limit_minor, due_days)| (DocumentId::of_uuid(id), limit_minor, due_days))
        .collect())
}

/// The version of an account's row; 0 where there is none.
pub async fn account_version(
    connection: &mut PgConnection,
    customer: DocumentId,
) -> Result<i64, sqlx::Error> {
    let row: Option<(i64,)> =
        sqlx::query_as("select version from payments.account where customer = $1")
            .bind(customer.uuid())
            .fetch_optional(connection)
            .await?;
    Ok(row.map_or(0, |row| row.0))
}

/// The rules of the tills of a branch, or of all: version and fields.
pub async fn rules(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<Option<(i64, domain::till::TillRules)>, sqlx::Error> {
    let row: Option<(i64, Json<domain::till::TillRules>)> = sqlx::query_as(
        "select version, fields from payments.till_rules where branch = $1 and not deleted",
    )
    .bind(branch.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(version, fields)| (version, fields.0)))
}

/// The rules of the tills of every branch that has its own, and of all others under nil.
pub async fn all_rules(
    connection: &mut PgConnection,
) -> Result<Vec<(BranchId, domain::till::TillRules)>, sqlx::Error> {
    let rows: Vec<(Uuid, Json<domain::till::TillRules>)> =
        sqlx::query_as("select branch, fields from payments.till_rules where not deleted")
            .fetch_all(connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(branch, fields)| (BranchId::of_uuid(branch), fields.0))
        .collect())
}

/// One customer's account: version, limit and days; none where it ended or never was.
pub async fn account(
    connection: &mut PgConnection,
    customer: DocumentId,
) -> Result<Option<(i64, i64, i32)>, sqlx::Error> {
    sqlx::query_as(
        "select version, limit_minor, due_days from payments.account where customer = $1 and not deleted",
    )
    .bind(customer.uuid())
    .fetch_optional(connection)
    .await
}

/// Keeps that an event of a provider was taken; whether it is new.
pub async fn keep_event(
    connection: &mut PgConnection,
    provider: &str,
    event: &str,
    at_ms: i64,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "insert into payments.provider_event values ($1, $2, $3) on conflict do nothing",
    )
    .bind(provider)
    .bind(event)
    .bind(at_ms)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}
