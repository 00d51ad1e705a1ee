//! What receipts, refunds and day reports have in common: where they come from, their numbers, and what they did for
//! orders.

use domain::id::{BranchId, DocumentId, StaffId};
use domain::till::PaperKind;
use sqlx::PgConnection;
use sync_protocol::position::Position;

use crate::store::bulk::column;
use crate::store::ids::AsUuid;

/// What every paper has.
#[derive(Debug, Clone, Copy)]
pub struct PaperHead {
    /// Who wrote it.
    pub branch: BranchId,
    /// Where its transaction stands in the apply order.
    pub ord: i64,
    /// The transaction.
    pub position: Position,
    /// Its business day.
    pub business_day: i32,
    /// Who.
    pub staff: StaffId,
    /// When, as the writer saw it.
    pub at_ms: i64,
}

/// The number that a paper has.
#[derive(Debug, Clone, Copy)]
pub struct NumberWrite {
    /// The branch.
    pub branch: BranchId,
    /// Receipts and refunds share their numbers.
    pub kind: PaperKind,
    /// The letter of its series.
    pub series: u8,
    /// The number.
    pub number: u32,
    /// The receipt, refund or session.
    pub subject: [u8; 16],
    /// When, as the writer saw it.
    pub at_ms: i64,
}

/// Keeps the numbers that papers have, each once.
pub async fn insert_numbers(
    connection: &mut PgConnection,
    rows: &[NumberWrite],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into payments.paper select * from unnest(
            $1::uuid[], $2::smallint[], $3::smallint[], $4::bigint[], $5::uuid[], $6::bigint[])
         on conflict do nothing",
    )
    .bind(column(rows, |row| row.branch.uuid()))
    .bind(column(rows, |row| i16::from(row.kind.code())))
    .bind(column(rows, |row| i16::from(row.series)))
    .bind(column(rows, |row| i64::from(row.number)))
    .bind(column(rows, |row| row.subject.uuid()))
    .bind(column(rows, |row| row.at_ms))
    .execute(connection)
    .await?;
    Ok(())
}

/// What a paper did for an order.
#[derive(Debug, Clone, Copy)]
pub struct OrderMoneyWrite {
    /// The branch.
    pub branch: BranchId,
    /// The order.
    pub order: DocumentId,
    /// The receipt or refund.
    pub paper: [u8; 16],
    /// Invoiced by it.
    pub invoiced_minor: i64,
    /// Deposits taken by it, less used up.
    pub deposits_minor: i64,
}

/// Adds what papers did for orders, each once.
pub async fn insert_order_money(
    connection: &mut PgConnection,
    rows: &[OrderMoneyWrite],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into payments.order_money select * from unnest(
            $1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[])
         on conflict do nothing",
    )
    .bind(column(rows, |row| row.branch.uuid()))
    .bind(column(rows, |row| row.order.uuid()))
    .bind(column(rows, |row| row.paper.uuid()))
    .bind(column(rows, |row| row.invoiced_minor))
    .bind(column(rows, |row| row.deposits_minor))
    .execute(connection)
    .await?;
    Ok(())
}
