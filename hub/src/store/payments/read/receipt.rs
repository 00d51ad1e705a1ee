//! Receipts of the tills.

use domain::id::{BranchId, DocumentId, PaymentId, ReceiptId, SessionId, StaffId};
use domain::money::Currency;
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};

use super::currency_of;
use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid};
use crate::store::scope::{Place, Scope, behind};

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRow {
    /// Its id.
    pub id: ReceiptId,
    /// Whose.
    pub branch: BranchId,
    /// The letter of its series.
    pub series: u8,
    /// Its number.
    pub number: u32,
    /// The currency.
    pub currency: Currency,
    /// What it comes to.
    pub gross_minor: i64,
    /// What was due.
    pub due_minor: i64,
    /// Who buys, where that is known.
    pub customer: Option<DocumentId>,
    /// Who took it.
    pub staff: StaffId,
    /// When.
    pub at_ms: i64,
}

#[derive(FromRow)]
struct RawReceipt {
    receipt: Uuid,
    branch_id: Uuid,
    series: i16,
    number: i64,
    currency: String,
    gross_minor: i64,
    due_minor: i64,
    customer: Option<Uuid>,
    staff: Uuid,
    at_ms: i64,
}

impl RawReceipt {
    fn typed(self) -> Result<ReceiptRow, HubError> {
        Ok(ReceiptRow {
            id: ReceiptId::of_uuid(self.receipt),
            branch: BranchId::of_uuid(self.branch_id),
            series: u8::try_from(self.series).unwrap_or(b'?'),
            number: u32::try_from(self.number).unwrap_or_default(),
            currency: currency_of(&self.currency)?,
            gross_minor: self.gross_minor,
            due_minor: self.due_minor,
            customer: self.customer.map(DocumentId::of_uuid),
            staff: StaffId::of_uuid(self.staff),
            at_ms: self.at_ms,
        })
    }
}

/// Receipts, newest first; of one cash session, where it is given.
pub async fn receipts(
    connection: &mut PgConnection,
    scope: &Scope,
    session: Option<SessionId>,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<ReceiptRow>, HubError> {
    let (at_ms, id) = behind(place);
    let rows: Vec<RawReceipt> = sqlx::query_as(
        "select receipt, branch_id, series, number, currency, gross_minor, due_minor, customer, staff, at_ms
         from payments.receipt
         where ($1::uuid[] is null or branch_id = any($1)) and ($2::bigint is null or (at_ms, receipt) < ($2, $3))
           and ($4::uuid is null or session = $4)
         order by at_ms desc, receipt desc limit $5",
    )
    .bind(scope.sql())
    .bind(at_ms)
    .bind(id)
    .bind(session.map(AsUuid::uuid))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(RawReceipt::typed).collect()
}

/// One receipt with its bytes.
pub async fn receipt(
    connection: &mut PgConnection,
    id: ReceiptId,
) -> Result<Option<(ReceiptRow, Vec<u8>)>, HubError> {
    #[derive(FromRow)]
    struct Row {
        #[sqlx(flatten)]
        head: RawReceipt,
        body: Vec<u8>,
    }
    let row: Option<Row> = sqlx::query_as(
        "select receipt, branch_id, series, number, currency, gross_minor, due_minor, customer, staff, at_ms, body
         from payments.receipt where receipt = $1 limit 1",
    )
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(|row| Ok((row.head.typed()?, row.body))).transpose()
}

/// Where the payments of these receipts stand: receipt, payment, tender, state, asked, came, went back.
pub async fn tenders_of(
    connection: &mut PgConnection,
    receipts: &[ReceiptId],
) -> Result<Vec<(ReceiptId, TenderState)>, sqlx::Error> {
    let ids: Vec<Uuid> = receipts.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid, Uuid, String, String, i64, i64, i64)> = sqlx::query_as(
        "select receipt, payment, tender, state, asked_minor, captured_minor, repaid_minor from payments.payment
         where receipt = any($1) order by created_ms, payment",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(
            |(receipt, payment, tender, state, asked_minor, captured_minor, repaid_minor)| {
                let state = TenderState {
                    payment: PaymentId::of_uuid(payment),
                    tender,
                    state,
                    asked_minor,
                    captured_minor,
                    repaid_minor,
                };
                (ReceiptId::of_uuid(receipt), state)
            },
        )
        .collect())
}

/// Where one tender of a receipt stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenderState {
    /// The payment.
    pub payment: PaymentId,
    /// With what.
    pub tender: String,
    /// Where it stands.
    pub state: String,
    /// What was asked.
    pub asked_minor: i64,
    /// What came.
    pub captured_minor: i64,
    /// What went back.
    pub repaid_minor: i64,
}

/// The papers of these customers: receipts and refunds with branch, bytes and time, oldest first.
pub async fn papers_of(
    connection: &mut PgConnection,
    customers: &[DocumentId],
) -> Result<Vec<CustomerPaper>, sqlx::Error> {
    let ids: Vec<Uuid> = customers.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid, Uuid, String, bool, Vec<u8>, i64)> = sqlx::query_as(
        "select r.customer, r.branch_id, r.currency, false, r.body, r.at_ms from payments.receipt r
         where r.customer = any($1)
         union all select r.customer, f.branch_id, f.currency, true, f.body, f.at_ms from payments.refund f
            join payments.receipt r on r.branch_id = f.branch_id and r.receipt = f.receipt
         where r.customer = any($1) order by 6",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(
            |(customer, branch, currency, is_refund, body, at_ms)| CustomerPaper {
                customer: DocumentId::of_uuid(customer),
                branch: BranchId::of_uuid(branch),
                currency,
                is_refund,
                body,
                at_ms,
            },
        )
        .collect())
}

/// A receipt or a refund of a customer.
#[derive(Debug, Clone)]
pub struct CustomerPaper {
    /// Whose.
    pub customer: DocumentId,
    /// Where.
    pub branch: BranchId,
    /// In which currency.
    pub currency: String,
    /// Whether it gives back.
    pub is_refund: bool,
    /// The bytes of its item.
    pub body: Vec<u8>,
    /// When.
    pub at_ms: i64,
}
