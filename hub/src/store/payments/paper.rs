//! Receipts and refunds as the tills wrote them, with the numbers of all papers.

use domain::id::{BranchId, DocumentId, ReceiptId, RefundId, StaffId};
use domain::till::{PaperKind, Receipt, ReceiptTotals, Refund, RefundAsked};
use sqlx::PgConnection;
use sqlx::types::Uuid;
use sync_protocol::item::{decode_body, encode_body};
use sync_protocol::position::Position;

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, big, node_number};

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
pub async fn insert_receipts(
    connection: &mut PgConnection,
    rows: &[ReceiptWrite],
) -> Result<(), sqlx::Error> {
    for ReceiptWrite {
        head,
        receipt,
        totals,
    } in rows
    {
        sqlx::query(
            "insert into payments.receipt values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                $17, $18, $19, $20)",
        )
        .bind(head.branch.uuid())
        .bind(receipt.id.uuid())
        .bind(head.ord)
        .bind(node_number(head.position.node))
        .bind(big(head.position.epoch.0))
        .bind(big(head.position.seq))
        .bind(i16::from(receipt.series))
        .bind(i64::from(receipt.number))
        .bind(i32::from(receipt.register))
        .bind(receipt.session.map(AsUuid::uuid))
        .bind(receipt.customer.map(AsUuid::uuid))
        .bind(receipt.currency.as_str())
        .bind(totals.net_minor)
        .bind(totals.tax_minor)
        .bind(totals.gross_minor)
        .bind(totals.due_minor)
        .bind(encode_body(receipt))
        .bind(head.business_day)
        .bind(head.staff.uuid())
        .bind(head.at_ms)
        .execute(&mut *connection)
        .await?;
        let number = (PaperKind::Receipt, receipt.series, receipt.number);
        insert_number(connection, head, number, receipt.id.uuid()).await?;
    }
    Ok(())
}

/// Keeps the number that a paper has.
pub async fn insert_number(
    connection: &mut PgConnection,
    head: &PaperHead,
    (kind, series, number): (PaperKind, u8, u32),
    subject: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into payments.paper values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
    )
    .bind(head.branch.uuid())
    .bind(i16::from(kind.code()))
    .bind(i16::from(series))
    .bind(i64::from(number))
    .bind(subject)
    .bind(head.at_ms)
    .execute(connection)
    .await?;
    Ok(())
}

/// A refund.
#[derive(Debug, Clone)]
pub struct RefundWrite {
    /// Where it comes from.
    pub head: PaperHead,
    /// The refund.
    pub refund: Refund,
}

/// Adds refunds; one that was asked for is done.
pub async fn insert_refunds(
    connection: &mut PgConnection,
    rows: &[RefundWrite],
) -> Result<(), sqlx::Error> {
    for RefundWrite { head, refund } in rows {
        sqlx::query(
            "insert into payments.refund values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(head.branch.uuid())
        .bind(refund.id.uuid())
        .bind(refund.receipt.uuid())
        .bind(head.ord)
        .bind(i16::from(refund.series))
        .bind(i64::from(refund.number))
        .bind(refund.session.map(AsUuid::uuid))
        .bind(refund.currency.as_str())
        .bind(refund.amount().unwrap_or_default())
        .bind(encode_body(refund))
        .bind(head.business_day)
        .bind(head.staff.uuid())
        .bind(head.at_ms)
        .execute(&mut *connection)
        .await?;
        let number = (PaperKind::Receipt, refund.series, refund.number);
        insert_number(connection, head, number, refund.id.uuid()).await?;
        sqlx::query(
            "update payments.refund_asked set state = 'done' where branch_id = $1 and refund = $2",
        )
        .bind(head.branch.uuid())
        .bind(refund.id.uuid())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Adds refunds that wait for a word.
pub async fn insert_asked(
    connection: &mut PgConnection,
    rows: &[(PaperHead, RefundAsked)],
) -> Result<(), sqlx::Error> {
    for (head, asked) in rows {
        sqlx::query(
            "insert into payments.refund_asked values ($1, $2, $3, $4, $5, 'asked', '', null, $6, $7, $8)
             on conflict do nothing",
        )
        .bind(head.branch.uuid())
        .bind(asked.id.uuid())
        .bind(asked.receipt.uuid())
        .bind(asked.currency.as_str())
        .bind(asked.amount_minor)
        .bind(encode_body(asked))
        .bind(head.staff.uuid())
        .bind(head.at_ms)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// A word on a refund.
#[derive(Debug, Clone)]
pub struct DecidedWrite {
    /// The branch that asked.
    pub branch: BranchId,
    /// What it asked for.
    pub refund: RefundId,
    /// Yes or no.
    pub approved: bool,
    /// Why.
    pub reason: String,
    /// Who said it.
    pub staff: StaffId,
}

/// Keeps words on refunds.
pub async fn save_decided(
    connection: &mut PgConnection,
    rows: &[DecidedWrite],
) -> Result<(), sqlx::Error> {
    for row in rows {
        let state = if row.approved { "approved" } else { "refused" };
        sqlx::query(
            "update payments.refund_asked set state = $3, reason = $4, decided_by = $5
             where branch_id = $1 and refund = $2 and state <> 'done'",
        )
        .bind(row.branch.uuid())
        .bind(row.refund.uuid())
        .bind(state)
        .bind(&row.reason)
        .bind(row.staff.uuid())
        .execute(&mut *connection)
        .await?;
    }
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

/// Adds what papers did for orders.
pub async fn insert_order_money(
    connection: &mut PgConnection,
    rows: &[OrderMoneyWrite],
) -> Result<(), sqlx::Error> {
    for row in rows {
        sqlx::query(
            "insert into payments.order_money values ($1, $2, $3, $4, $5) on conflict do nothing",
        )
        .bind(row.branch.uuid())
        .bind(row.order.uuid())
        .bind(row.paper.uuid())
        .bind(row.invoiced_minor)
        .bind(row.deposits_minor)
        .execute(&mut *connection)
        .await?;
    }
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

/// The refunds of these receipts, in the order in which they were accepted.
pub async fn refunds_of(
    connection: &mut PgConnection,
    receipts: &[ReceiptId],
) -> Result<Vec<Refund>, HubError> {
    let ids: Vec<Uuid> = receipts.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Vec<u8>,)> = sqlx::query_as(
        "select body from payments.refund where receipt = any($1) order by receipt, ord, number",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(body,)| Ok(decode_body(&body, "Refund")?))
        .collect()
}

/// Which of these refunds are there.
pub async fn known_refunds(
    connection: &mut PgConnection,
    ids: &[RefundId],
) -> Result<Vec<RefundId>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid,)> =
        sqlx::query_as("select refund from payments.refund where refund = any($1)")
            .bind(ids)
            .fetch_all(connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(id,)| RefundId::of_uuid(id))
        .collect())
}
