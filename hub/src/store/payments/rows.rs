//! Rows of the hub about money: rules of the tills and accounts of customers. A person writes one at a time.

use domain::id::{BranchId, DocumentId};
use domain::till::{AccountRow, TillRules};
use sqlx::PgConnection;
use sqlx::types::Json;
use sync_protocol::item::Row;

use crate::store::ids::{AsUuid, big};

/// Writes rules of tills; the newest version counts.
pub async fn save_rules(
    connection: &mut PgConnection,
    rows: &[(Row<BranchId, TillRules>, i64)],
) -> Result<(), sqlx::Error> {
    for (row, at_ms) in rows {
        sqlx::query(
            "insert into payments.till_rules values ($1, $2, $3, $4, $5)
             on conflict (branch) do update set version = excluded.version, deleted = excluded.deleted,
                fields = excluded.fields, updated_ms = excluded.updated_ms
             where payments.till_rules.version < excluded.version",
        )
        .bind(row.id.uuid())
        .bind(big(row.version))
        .bind(row.deleted)
        .bind(Json(row.fields))
        .bind(at_ms)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Writes accounts of customers; the newest version counts.
pub async fn save_accounts(
    connection: &mut PgConnection,
    rows: &[(Row<DocumentId, AccountRow>, i64)],
) -> Result<(), sqlx::Error> {
    for (row, at_ms) in rows {
        sqlx::query(
            "insert into payments.account values ($1, $2, $3, $4, $5, $6)
             on conflict (customer) do update set version = excluded.version, deleted = excluded.deleted,
                limit_minor = excluded.limit_minor, due_days = excluded.due_days, updated_ms = excluded.updated_ms
             where payments.account.version < excluded.version",
        )
        .bind(row.id.uuid())
        .bind(big(row.version))
        .bind(row.deleted)
        .bind(row.fields.limit_minor)
        .bind(i32::from(row.fields.due_days))
        .bind(at_ms)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
