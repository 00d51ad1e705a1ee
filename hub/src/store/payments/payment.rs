//! Payments: their records, and where each stands.

use domain::id::{BranchId, PaymentId, ReceiptId, StaffId};
use domain::money::Currency;
use domain::payment::{PaymentFold, PaymentRecord};
use domain::till::CardWay;
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};
use sync_protocol::money::payment_record;
use sync_protocol::position::Position;

use crate::error::HubError;
use crate::store::bulk::column;
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
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into payments.record select * from unnest(
            $1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::integer[],
            $8::integer[], $9::integer[], $10::bytea[], $11::uuid[], $12::bigint[])",
    )
    .bind(column(rows, |row| row.branch.uuid()))
    .bind(column(rows, |row| row.payment.uuid()))
    .bind(column(rows, |row| row.ord))
    .bind(column(rows, |row| node_number(row.position.node)))
    .bind(column(rows, |row| big(row.position.epoch.0)))
    .bind(column(rows, |row| big(row.position.seq)))
    .bind(column(rows, |row| i32::from(row.item)))
    .bind(column(rows, |row| i32::from(row.n)))
    .bind(column(rows, |row| i32::from(row.kind)))
    .bind(column(rows, |row| row.body.as_slice()))
    .bind(column(rows, |row| row.staff.uuid()))
    .bind(column(rows, |row| row.at_ms))
    .execute(connection)
    .await?;
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

/// Writes payments, new and changed, each once.
pub async fn save(connection: &mut PgConnection, rows: &[PaymentWrite]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    // The currency as well: a payment may be called off before its receipt says in which one it is asked.
    sqlx::query(
        "insert into payments.payment select * from unnest(
            $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
            $9::bigint[], $10::bigint[], $11::bigint[], $12::boolean[], $13::text[], $14::text[], $15::bigint[],
            $16::bigint[])
         on conflict (branch_id, payment) do update set receipt = excluded.receipt, tender = excluded.tender,
            way = excluded.way, state = excluded.state, currency = excluded.currency,
            asked_minor = excluded.asked_minor, captured_minor = excluded.captured_minor,
            repay_asked_minor = excluded.repay_asked_minor, repaid_minor = excluded.repaid_minor,
            called_off = excluded.called_off, reference = excluded.reference, detail = excluded.detail,
            updated_ms = excluded.updated_ms",
    )
    .bind(column(rows, |row| row.belongs.branch.uuid()))
    .bind(column(rows, |row| row.payment.uuid()))
    .bind(column(rows, |row| row.belongs.receipt.map(AsUuid::uuid)))
    .bind(column(rows, |row| {
        row.fold.tender.map_or("", |tender| tender.as_str())
    }))
    .bind(column(rows, |row| row.belongs.way.map(|way| way.as_str())))
    .bind(column(rows, |row| row.fold.state.as_str()))
    .bind(column(rows, |row| row.belongs.currency.as_str()))
    .bind(column(rows, |row| row.fold.asked_minor))
    .bind(column(rows, |row| row.fold.captured_minor))
    .bind(column(rows, |row| row.fold.repay_asked_minor))
    .bind(column(rows, |row| row.fold.repaid_minor))
    .bind(column(rows, |row| row.fold.called_off))
    .bind(column(rows, |row| row.reference.as_str()))
    .bind(column(rows, |row| row.fold.detail.as_str()))
    .bind(column(rows, |row| row.belongs.created_ms))
    .bind(column(rows, |row| row.updated_ms))
    .execute(connection)
    .await?;
    Ok(())
}
