//! Receipts as the tills wrote them.

use domain::id::{BranchId, ReceiptId};
use domain::till::{Receipt, ReceiptTotals};
use sqlx::PgConnection;
use sqlx::types::Uuid;
use sync_protocol::item::{decode_body, encode_body};

use super::paper::PaperHead;
use crate::error::HubError;
use crate::store::bulk::column;
use crate::store::ids::{AsUuid, OfUuid, big, node_number};

/// A receipt with what it comes to.
#[derive(Debug, Clone)]
pub struct ReceiptWrite {
    /// Where it comes from.
    pub head: PaperHead,
    /// The receipt.
    pub receipt: Receipt,
    /// What it comes to.
    pub totals: ReceiptTotals,
}

/// Adds receipts.
pub async fn insert(
    connection: &mut PgConnection,
    rows: &[ReceiptWrite],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into payments.receipt select * from unnest(
            $1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::smallint[],
            $8::bigint[], $9::integer[], $10::uuid[], $11::uuid[], $12::text[], $13::bigint[], $14::bigint[],
            $15::bigint[], $16::bigint[], $17::bytea[], $18::integer[], $19::uuid[], $20::bigint[])",
    )
    .bind(column(rows, |row| row.head.branch.uuid()))
    .bind(column(rows, |row| row.receipt.id.uuid()))
    .bind(column(rows, |row| row.head.ord))
    .bind(column(rows, |row| node_number(row.head.position.node)))
    .bind(column(rows, |row| big(row.head.position.epoch.0)))
    .bind(column(rows, |row| big(row.head.position.seq)))
    .bind(column(rows, |row| i16::from(row.receipt.series)))
    .bind(column(rows, |row| i64::from(row.receipt.number)))
    .bind(column(rows, |row| i32::from(row.receipt.register)))
    .bind(column(rows, |row| row.receipt.session.map(AsUuid::uuid)))
    .bind(column(rows, |row| row.receipt.customer.map(AsUuid::uuid)))
    .bind(column(rows, |row| row.receipt.currency.as_str()))
    .bind(column(rows, |row| row.totals.net_minor))
    .bind(column(rows, |row| row.totals.tax_minor))
    .bind(column(rows, |row| row.totals.gross_minor))
    .bind(column(rows, |row| row.totals.due_minor))
    .bind(column(rows, |row| encode_body(&row.receipt)))
    .bind(column(rows, |row| row.head.business_day))
    .bind(column(rows, |row| row.head.staff.uuid()))
    .bind(column(rows, |row| row.head.at_ms))
    .execute(connection)
    .await?;
    Ok(())
}

/// These receipts with their branches.
pub async fn receipts(
    connection: &mut PgConnection,
    ids: &[ReceiptId],
) -> Result<Vec<(BranchId, Receipt)>, HubError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid, Vec<u8>)> =
        sqlx::query_as("select branch_id, body from payments.receipt where receipt = any($1)")
            .bind(ids)
            .fetch_all(connection)
            .await?;
    rows.into_iter()
        .map(|(branch, body)| Ok((BranchId::of_uuid(branch), decode_body(&body, "Receipt")?)))
        .collect()
}
