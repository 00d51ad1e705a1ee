//! Payments by card and bank, and their records.

use domain::id::{BranchId, PaymentId, ReceiptId, StaffId};
use domain::money::Currency;
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};
use sync_protocol::item::kind;

use super::currency_of;
use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid};
use crate::store::scope::{Place, Scope, behind};

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    /// Its id.
    pub id: PaymentId,
    /// Whose.
    pub branch: BranchId,
    /// The receipt that asks for it.
    pub receipt: Option<ReceiptId>,
    /// With what.
    pub tender: String,
    /// Where it stands.
    pub state: String,
    /// The currency.
    pub currency: Currency,
    /// What was asked.
    pub asked_minor: i64,
    /// What came.
    pub captured_minor: i64,
    /// What refunds ask back.
    pub repay_asked_minor: i64,
    /// What went back.
    pub repaid_minor: i64,
    /// Whether the branch called it off.
    pub called_off: bool,
    /// The provider's name for it.
    pub reference: String,
    /// The newest link or reason.
    pub detail: String,
    /// When it was asked for.
    pub created_ms: i64,
    /// When something was last heard of it.
    pub updated_ms: i64,
}

/// The columns of [`RawPayment`], in a statement where `p` is the table.
macro_rules! columns {
    () => {
        "p.branch_id, p.payment, p.receipt, p.tender, p.state, p.currency, p.asked_minor, p.captured_minor, \
         p.repay_asked_minor, p.repaid_minor, p.called_off, p.reference, p.detail, p.created_ms, p.updated_ms"
    };
}

#[derive(FromRow)]
struct RawPayment {
    branch_id: Uuid,
    payment: Uuid,
    receipt: Option<Uuid>,
    tender: String,
    state: String,
    currency: String,
    asked_minor: i64,
    captured_minor: i64,
    repay_asked_minor: i64,
    repaid_minor: i64,
    called_off: bool,
    reference: String,
    detail: String,
    created_ms: i64,
    updated_ms: i64,
}

impl RawPayment {
    fn typed(self) -> Result<PaymentRow, HubError> {
        Ok(PaymentRow {
            id: PaymentId::of_uuid(self.payment),
            branch: BranchId::of_uuid(self.branch_id),
            receipt: self.receipt.map(ReceiptId::of_uuid),
            tender: self.tender,
            state: self.state,
            currency: currency_of(&self.currency)?,
            asked_minor: self.asked_minor,
            captured_minor: self.captured_minor,
            repay_asked_minor: self.repay_asked_minor,
            repaid_minor: self.repaid_minor,
            called_off: self.called_off,
            reference: self.reference,
            detail: self.detail,
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
        })
    }
}

/// Payments by card and bank, newest first.
pub async fn payments(
    connection: &mut PgConnection,
    scope: &Scope,
    states: Option<&[&str]>,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<PaymentRow>, HubError> {
    let (at_ms, id) = behind(place);
    let rows: Vec<RawPayment> = sqlx::query_as(
        concat!(
            "select ", columns!(), " from payments.payment p
             where ($1::uuid[] is null or branch_id = any($1)) and tender in ('card', 'bank')
               and ($2::text[] is null or state = any($2)) and ($3::bigint is null or (created_ms, payment) < ($3, $4))
             order by created_ms desc, payment desc limit $5"
        ),
    )
    .bind(scope.sql())
    .bind(states)
    .bind(at_ms)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(RawPayment::typed).collect()
}

/// One payment.
pub async fn payment(
    connection: &mut PgConnection,
    id: PaymentId,
) -> Result<Option<PaymentRow>, HubError> {
    let row: Option<RawPayment> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from payments.payment p where payment = $1 limit 1"
    ))
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(RawPayment::typed).transpose()
}

/// A record of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRow {
    /// The item's kind.
    pub kind: u16,
    /// The bytes of the record.
    pub body: Vec<u8>,
    /// Who; nil for the system.
    pub staff: StaffId,
    /// When.
    pub at_ms: i64,
}

/// The records of a payment, oldest first.
pub async fn steps(
    connection: &mut PgConnection,
    payment: PaymentId,
) -> Result<Vec<StepRow>, HubError> {
    let rows: Vec<(i32, Vec<u8>, Uuid, i64)> = sqlx::query_as(
        "select kind, body, staff, at_ms from payments.record where payment = $1 order by ord, seq, item, n",
    )
    .bind(payment.uuid())
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(kind, body, staff, at_ms)| StepRow {
            kind: u16::try_from(kind).unwrap_or(kind::RECEIPT),
            body,
            staff: StaffId::of_uuid(staff),
            at_ms,
        })
        .collect())
}

/// Series and number of receipts.
pub async fn receipt_numbers(
    connection: &mut PgConnection,
    ids: &[ReceiptId],
) -> Result<Vec<(ReceiptId, u8, u32)>, HubError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid, i16, i64)> = sqlx::query_as(
        "select receipt, series, number from payments.receipt where receipt = any($1)",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, series, number)| {
            let series = u8::try_from(series).unwrap_or(b'?');
            let number = u32::try_from(number).unwrap_or_default();
            (ReceiptId::of_uuid(id), series, number)
        })
        .collect())
}

/// The bank payments that wait, by the receipt that asks for them.
pub async fn awaited_of_receipts(
    connection: &mut PgConnection,
) -> Result<Vec<(PaymentRow, u8, u32)>, HubError> {
    #[derive(FromRow)]
    struct Row {
        #[sqlx(flatten)]
        payment: RawPayment,
        series: i16,
        number: i64,
    }
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        ", r.series, r.number from payments.payment p
             join payments.receipt r on r.branch_id = p.branch_id and r.receipt = p.receipt
             where p.tender = 'bank' and p.state in ('queued', 'processing', 'declined')"
    ))
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let series = u8::try_from(row.series).unwrap_or(b'?');
            let number = u32::try_from(row.number).unwrap_or_default();
            Ok((row.payment.typed()?, series, number))
        })
        .collect()
}
