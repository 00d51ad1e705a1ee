//! Rows of the hub about money: rules of the tills, accounts of customers, statements, corrections; and the words of
//! branches and people about a day.

use domain::day::{DayClosed, MoneyCorrection, SettlementLine, SettlementMatch, SignOff};
use domain::id::{BranchId, DocumentId, StaffId};
use domain::till::{AccountRow, TillRules};
use sqlx::PgConnection;
use sqlx::types::Json;
use sync_protocol::item::{Row, encode_body};
use sync_protocol::position::Position;

use crate::store::ids::{AsUuid, big, node_number};

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

/// Adds lines of statements, each once.
pub async fn insert_settlements(
    connection: &mut PgConnection,
    rows: &[(SettlementLine, i64)],
) -> Result<(), sqlx::Error> {
    for (line, taken_ms) in rows {
        sqlx::query(
            "insert into payments.settlement values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $5, '')
             on conflict do nothing",
        )
        .bind(line.provider.as_str())
        .bind(&line.reference)
        .bind(line.kind.as_str())
        .bind(line.branch.uuid())
        .bind(line.payment.map(AsUuid::uuid))
        .bind(line.repayment.map(AsUuid::uuid))
        .bind(&line.payout)
        .bind(line.amount_minor)
        .bind(line.fee_minor)
        .bind(line.currency.as_str())
        .bind(line.at_ms)
        .bind(taken_ms)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Keeps what people say lines belong to.
pub async fn save_matches(
    connection: &mut PgConnection,
    rows: &[SettlementMatch],
) -> Result<(), sqlx::Error> {
    for row in rows {
        sqlx::query(
            "update payments.settlement set matched = coalesce($3, payment), match_reason = $4
             where provider = $1 and reference = $2",
        )
        .bind(row.provider.as_str())
        .bind(&row.reference)
        .bind(row.payment.map(AsUuid::uuid))
        .bind(&row.reason)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Adds corrections.
pub async fn insert_corrections(
    connection: &mut PgConnection,
    rows: &[(MoneyCorrection, StaffId, i64)],
) -> Result<(), sqlx::Error> {
    for (row, staff, at_ms) in rows {
        sqlx::query(
            "insert into payments.correction values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(row.branch.uuid())
        .bind(row.id.uuid())
        .bind(i16::from(row.from.code()))
        .bind(i16::from(row.to.code()))
        .bind(row.amount_minor)
        .bind(row.currency.as_str())
        .bind(row.undoes.map(AsUuid::uuid))
        .bind(&row.reason)
        .bind(staff.uuid())
        .bind(at_ms)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// A branch's word at the end of a day, and where it stands.
#[derive(Debug, Clone)]
pub struct DayClosedWrite {
    /// The branch.
    pub branch: BranchId,
    /// Where its transaction stands in the apply order.
    pub ord: i64,
    /// The transaction.
    pub position: Position,
    /// The item.
    pub item: u16,
    /// What it says.
    pub closed: DayClosed,
    /// When, as the branch saw it.
    pub at_ms: i64,
}

/// Adds words of branches.
pub async fn insert_days(
    connection: &mut PgConnection,
    rows: &[DayClosedWrite],
) -> Result<(), sqlx::Error> {
    for row in rows {
        sqlx::query(
            "insert into reconciliation.day_closed values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(row.branch.uuid())
        .bind(row.closed.business_day)
        .bind(row.ord)
        .bind(node_number(row.position.node))
        .bind(big(row.position.epoch.0))
        .bind(big(row.position.seq))
        .bind(i32::from(row.item))
        .bind(encode_body(&row.closed))
        .bind(row.at_ms)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// A person's word on a night, and where it stands.
#[derive(Debug, Clone)]
pub struct SignOffWrite {
    /// Where its transaction stands in the apply order.
    pub ord: i64,
    /// The transaction.
    pub position: Position,
    /// The item.
    pub item: u16,
    /// What it says.
    pub sign_off: SignOff,
    /// Who.
    pub staff: StaffId,
    /// When.
    pub at_ms: i64,
}

/// Adds words of people.
pub async fn insert_sign_offs(
    connection: &mut PgConnection,
    rows: &[SignOffWrite],
) -> Result<(), sqlx::Error> {
    for row in rows {
        sqlx::query(
            "insert into reconciliation.sign_off values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(row.sign_off.branch.uuid())
        .bind(row.sign_off.business_day)
        .bind(row.ord)
        .bind(big(row.position.seq))
        .bind(i32::from(row.item))
        .bind(row.sign_off.signed)
        .bind(&row.sign_off.reason)
        .bind(row.staff.uuid())
        .bind(row.at_ms)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
