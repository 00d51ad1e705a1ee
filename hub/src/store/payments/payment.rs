//! Payments: their records, and where each stands.

use domain::id::{BranchId, DocumentId, PaymentId, ReceiptId, StaffId};
use domain::money::Currency;
use domain::payment::{HoldState, PaymentFold, PaymentRecord};
use domain::till::CardWay;
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};
use sync_protocol::money::payment_record;
use sync_protocol::position::Position;

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, big, node_number};

/// A record of a payment.
#[derive(Debug, Clone)]
pub struct RecordWrite {
    /// Whose payment.
    pub branch: BranchId,
    /// The payment.
    pub payment: PaymentId,
    /// Where its transaction stands in the apply order.
    pub ord: i64,
    /// The transaction.
    pub position: Position,
    /// The item.
    pub item: u16,
    /// The tender in the item.
    pub n: u16,
    /// The item's kind.
    pub kind: u16,
    /// The bytes of the record.
    pub body: Vec<u8>,
    /// Who.
    pub staff: StaffId,
    /// When, as the writer saw it.
    pub at_ms: i64,
}

/// Adds records.
pub async fn insert_records(
    connection: &mut PgConnection,
    rows: &[RecordWrite],
) -> Result<(), sqlx::Error> {
    for row in rows {
        sqlx::query(
            "insert into payments.record values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(row.branch.uuid())
        .bind(row.payment.uuid())
        .bind(row.ord)
        .bind(node_number(row.position.node))
        .bind(big(row.position.epoch.0))
        .bind(big(row.position.seq))
        .bind(i32::from(row.item))
        .bind(i32::from(row.n))
        .bind(i32::from(row.kind))
        .bind(&row.body)
        .bind(row.staff.uuid())
        .bind(row.at_ms)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// The records of these payments in the order in which they were accepted.
pub async fn records(
    connection: &mut PgConnection,
    payments: &[PaymentId],
) -> Result<Vec<(PaymentId, PaymentRecord)>, HubError> {
    let ids: Vec<Uuid> = payments.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid, i32, Vec<u8>)> = sqlx::query_as(
        "select payment, kind, body from payments.record where payment = any($1)
         order by payment, ord, seq, item, n",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(payment, kind, body)| {
            let kind =
                u16::try_from(kind).map_err(|_| HubError::Row("an item kind outside 16 bits"))?;
            Ok((PaymentId::of_uuid(payment), payment_record(kind, &body)?))
        })
        .collect()
}

/// Whose a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Belongs {
    /// The branch.
    pub branch: BranchId,
    /// The receipt that asks for it.
    pub receipt: Option<ReceiptId>,
    /// The currency.
    pub currency: Currency,
    /// Of a card: how it is asked.
    pub way: Option<CardWay>,
    /// When it was first heard of.
    pub created_ms: i64,
}

/// Whose these payments are.
pub async fn belongs(
    connection: &mut PgConnection,
    payments: &[PaymentId],
) -> Result<Vec<(PaymentId, Belongs)>, HubError> {
    #[derive(FromRow)]
    struct Row {
        payment: Uuid,
        branch_id: Uuid,
        receipt: Option<Uuid>,
        currency: String,
        way: Option<String>,
        created_ms: i64,
    }
    let ids: Vec<Uuid> = payments.iter().map(|id| id.uuid()).collect();
    let rows: Vec<Row> = sqlx::query_as(
        "select payment, branch_id, receipt, currency, way, created_ms from payments.payment where payment = any($1)",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let belongs = Belongs {
                branch: BranchId::of_uuid(row.branch_id),
                receipt: row.receipt.map(ReceiptId::of_uuid),
                currency: row
                    .currency
                    .parse()
                    .map_err(|_| HubError::Row("a currency that is none"))?,
                way: row.way.and_then(|way| way.parse().ok()),
                created_ms: row.created_ms,
            };
            Ok((PaymentId::of_uuid(row.payment), belongs))
        })
        .collect()
}

/// Where a payment stands.
#[derive(Debug, Clone)]
pub struct PaymentWrite {
    /// The payment.
    pub payment: PaymentId,
    /// Whose it is.
    pub belongs: Belongs,
    /// What its records come to.
    pub fold: PaymentFold,
    /// The provider's newest name for it.
    pub reference: String,
    /// The time of the last record.
    pub updated_ms: i64,
}

/// Writes payments, new and changed.
pub async fn save(connection: &mut PgConnection, rows: &[PaymentWrite]) -> Result<(), sqlx::Error> {
    for row in rows {
        let fold = &row.fold;
        sqlx::query(
            "insert into payments.payment values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
             on conflict (branch_id, payment) do update set receipt = excluded.receipt, tender = excluded.tender,
                way = excluded.way, state = excluded.state, asked_minor = excluded.asked_minor,
                captured_minor = excluded.captured_minor, repay_asked_minor = excluded.repay_asked_minor,
                repaid_minor = excluded.repaid_minor, called_off = excluded.called_off,
                reference = excluded.reference, detail = excluded.detail, updated_ms = excluded.updated_ms",
        )
        .bind(row.belongs.branch.uuid())
        .bind(row.payment.uuid())
        .bind(row.belongs.receipt.map(AsUuid::uuid))
        .bind(fold.tender.map_or("", |tender| tender.as_str()))
        .bind(row.belongs.way.map(|way| way.as_str()))
        .bind(fold.state.as_str())
        .bind(row.belongs.currency.as_str())
        .bind(fold.asked_minor)
        .bind(fold.captured_minor)
        .bind(fold.repay_asked_minor)
        .bind(fold.repaid_minor)
        .bind(fold.called_off)
        .bind(&row.reference)
        .bind(&fold.detail)
        .bind(row.belongs.created_ms)
        .bind(row.updated_ms)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Goods that are kept for a payment.
#[derive(Debug, Clone, Copy)]
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

/// Writes holds.
pub async fn save_holds(
    connection: &mut PgConnection,
    rows: &[HoldWrite],
) -> Result<(), sqlx::Error> {
    for row in rows {
        sqlx::query(
            "insert into payments.hold values ($1, $2, $3, $4, $5)
             on conflict (branch_id, payment) do update set state = excluded.state, until_ms = excluded.until_ms",
        )
        .bind(row.branch.uuid())
        .bind(row.payment.uuid())
        .bind(row.order.uuid())
        .bind(row.until_ms)
        .bind(row.state.as_str())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

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
pub async fn insert_jobs(
    connection: &mut PgConnection,
    rows: &[JobWrite],
) -> Result<(), sqlx::Error> {
    for row in rows {
        sqlx::query(
            "insert into sync.outbox values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', 0, 1, 0, 0, '', $10, $10)
             on conflict do nothing",
        )
        .bind(row.branch.uuid())
        .bind(node_number(row.position.node))
        .bind(big(row.position.epoch.0))
        .bind(big(row.position.seq))
        .bind(i32::from(row.item))
        .bind(i32::from(row.n))
        .bind(row.kind)
        .bind(row.subject.uuid())
        .bind(row.payment.uuid())
        .bind(row.at_ms)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
