//! Refunds that wait for a word.

use domain::id::{BranchId, ReceiptId, RefundId, StaffId};
use domain::money::Currency;
use sqlx::PgConnection;
use sqlx::types::Uuid;

use super::currency_of;
use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid};
use crate::store::scope::Scope;

/// A refund that waits for a word, or has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedRow {
    /// The refund.
    pub id: RefundId,
    /// Whose.
    pub branch: BranchId,
    /// The receipt.
    pub receipt: ReceiptId,
    /// The currency.
    pub currency: Currency,
    /// What goes back.
    pub amount_minor: i64,
    /// `asked`, `approved`, `refused` or `done`.
    pub state: String,
    /// What was asked, as its item says it.
    pub body: Vec<u8>,
    /// Who asked.
    pub staff: StaffId,
    /// When.
    pub at_ms: i64,
}

type RawAsked = (Uuid, Uuid, Uuid, String, i64, String, Vec<u8>, Uuid, i64);

fn asked_of(
    (refund, branch, receipt, currency, amount_minor, state, body, staff, at_ms): RawAsked,
) -> Result<AskedRow, HubError> {
    Ok(AskedRow {
        id: RefundId::of_uuid(refund),
        branch: BranchId::of_uuid(branch),
        receipt: ReceiptId::of_uuid(receipt),
        currency: currency_of(&currency)?,
        amount_minor,
        state,
        body,
        staff: StaffId::of_uuid(staff),
        at_ms,
    })
}

/// Refunds that wait for a word, oldest first.
pub async fn asked(
    connection: &mut PgConnection,
    scope: &Scope,
    limit: i64,
) -> Result<Vec<AskedRow>, HubError> {
    let rows: Vec<RawAsked> = sqlx::query_as(
        "select refund, branch_id, receipt, currency, amount_minor, state, body, staff, at_ms
         from payments.refund_asked
         where state = 'asked' and ($1::uuid[] is null or branch_id = any($1)) order by at_ms limit $2",
    )
    .bind(scope.sql())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(asked_of).collect()
}

/// One refund that was asked for.
pub async fn asked_one(
    connection: &mut PgConnection,
    id: RefundId,
) -> Result<Option<AskedRow>, HubError> {
    let row: Option<RawAsked> = sqlx::query_as(
        "select refund, branch_id, receipt, currency, amount_minor, state, body, staff, at_ms
         from payments.refund_asked where refund = $1 limit 1",
    )
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(asked_of).transpose()
}
