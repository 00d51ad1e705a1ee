//! Goods that are kept for a payment.

use std::collections::BTreeMap;

use domain::id::{BranchId, DocumentId, PaymentId};
use domain::payment::HoldState;
use sqlx::PgConnection;

use crate::store::bulk::column;
use crate::store::ids::AsUuid;

/// Goods that are kept for a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldWrite {
    /// The branch.
    pub branch: BranchId,
    /// The payment.
    pub payment: PaymentId,
    /// The order.
    pub order: DocumentId,
    /// Until when.
    pub until_ms: i64,
    /// Begun, or over.
    pub state: HoldState,
}

/// Writes holds. The first word of a hold says which order, the last one how it stands.
pub async fn save(connection: &mut PgConnection, rows: &[HoldWrite]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = folded(rows);
    sqlx::query(
        "insert into payments.hold select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[])
         on conflict (branch_id, payment) do update set state = excluded.state, until_ms = excluded.until_ms",
    )
    .bind(column(&rows, |row| row.branch.uuid()))
    .bind(column(&rows, |row| row.payment.uuid()))
    .bind(column(&rows, |row| row.order.uuid()))
    .bind(column(&rows, |row| row.until_ms))
    .bind(column(&rows, |row| row.state.as_str()))
    .execute(connection)
    .await?;
    Ok(())
}

fn folded(rows: &[HoldWrite]) -> Vec<HoldWrite> {
    let mut holds: BTreeMap<(BranchId, PaymentId), HoldWrite> = BTreeMap::new();
    for row in rows {
        let hold = holds.entry((row.branch, row.payment)).or_insert(*row);
        (hold.until_ms, hold.state) = (row.until_ms, row.state);
    }
    holds.into_values().collect()
}
