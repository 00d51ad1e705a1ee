//! What is to be asked of a provider, put into the outbox in the commit of its cause.

use domain::id::{BranchId, PaymentId};
use sqlx::PgConnection;
use sync_protocol::position::Position;

use crate::store::bulk::column;
use crate::store::ids::{AsUuid, big, node_number};

/// Something that is to be asked of a provider.
#[derive(Debug, Clone, Copy)]
pub struct JobWrite {
    /// Whose.
    pub branch: BranchId,
    /// The transaction that asks for it.
    pub position: Position,
    /// The item.
    pub item: u16,
    /// The tender in the item.
    pub n: u16,
    /// What is to be done: `ask`, `cancel`, `repay`.
    pub kind: &'static str,
    /// The payment, or the tender of a refund.
    pub subject: [u8; 16],
    /// The payment.
    pub payment: PaymentId,
    /// When it was asked for.
    pub at_ms: i64,
}

/// Puts jobs into the outbox, each once.
pub async fn insert(connection: &mut PgConnection, rows: &[JobWrite]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into sync.outbox
         select branch_id, node, epoch, seq, item, n, kind, subject, payment, 'waiting', 0, 1, 0, 0, '', at_ms, at_ms
         from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[], $6::integer[], $7::text[],
            $8::uuid[], $9::uuid[], $10::bigint[])
            as t (branch_id, node, epoch, seq, item, n, kind, subject, payment, at_ms)
         on conflict do nothing",
    )
    .bind(column(rows, |row| row.branch.uuid()))
    .bind(column(rows, |row| node_number(row.position.node)))
    .bind(column(rows, |row| big(row.position.epoch.0)))
    .bind(column(rows, |row| big(row.position.seq)))
    .bind(column(rows, |row| i32::from(row.item)))
    .bind(column(rows, |row| i32::from(row.n)))
    .bind(column(rows, |row| row.kind))
    .bind(column(rows, |row| row.subject.uuid()))
    .bind(column(rows, |row| row.payment.uuid()))
    .bind(column(rows, |row| row.at_ms))
    .execute(connection)
    .await?;
    Ok(())
}
