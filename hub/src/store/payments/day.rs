//! The words of branches and people about a day.

use domain::day::{DayClosed, SignOff};
use domain::id::{BranchId, StaffId};
use sqlx::PgConnection;
use sync_protocol::item::encode_body;
use sync_protocol::position::Position;

use crate::store::bulk::column;
use crate::store::ids::{AsUuid, big, node_number};

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
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into reconciliation.day_closed select * from unnest(
            $1::uuid[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::integer[],
            $8::bytea[], $9::bigint[])",
    )
    .bind(column(rows, |row| row.branch.uuid()))
    .bind(column(rows, |row| row.closed.business_day))
    .bind(column(rows, |row| row.ord))
    .bind(column(rows, |row| node_number(row.position.node)))
    .bind(column(rows, |row| big(row.position.epoch.0)))
    .bind(column(rows, |row| big(row.position.seq)))
    .bind(column(rows, |row| i32::from(row.item)))
    .bind(column(rows, |row| encode_body(&row.closed)))
    .bind(column(rows, |row| row.at_ms))
    .execute(connection)
    .await?;
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
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into reconciliation.sign_off select * from unnest(
            $1::uuid[], $2::integer[], $3::bigint[], $4::bigint[], $5::integer[], $6::boolean[], $7::text[],
            $8::uuid[], $9::bigint[])",
    )
    .bind(column(rows, |row| row.sign_off.branch.uuid()))
    .bind(column(rows, |row| row.sign_off.business_day))
    .bind(column(rows, |row| row.ord))
    .bind(column(rows, |row| big(row.position.seq)))
    .bind(column(rows, |row| i32::from(row.item)))
    .bind(column(rows, |row| row.sign_off.signed))
    .bind(column(rows, |row| row.sign_off.reason.as_str()))
    .bind(column(rows, |row| row.staff.uuid()))
    .bind(column(rows, |row| row.at_ms))
    .execute(connection)
    .await?;
    Ok(())
}
