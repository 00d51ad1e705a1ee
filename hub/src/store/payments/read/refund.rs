//! Refunds: those that wait for a word, and what was given back.

use domain::id::{BranchId, ReceiptId, RefundId, SessionId, StaffId};
use domain::money::Currency;
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};

use super::currency_of;
use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid};
use crate::store::scope::{Place, Scope, behind};

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
    /// Why it was decided so.
    pub word: String,
    /// Who decided.
    pub decided_by: Option<StaffId>,
    /// What was asked, as its item says it.
    pub body: Vec<u8>,
    /// Who asked.
    pub staff: StaffId,
    /// When.
    pub at_ms: i64,
}

#[derive(FromRow)]
struct RawAsked {
    refund: Uuid,
    branch_id: Uuid,
    receipt: Uuid,
    currency: String,
    amount_minor: i64,
    state: String,
    reason: String,
    decided_by: Option<Uuid>,
    body: Vec<u8>,
    staff: Uuid,
    at_ms: i64,
}

impl RawAsked {
    fn typed(self) -> Result<AskedRow, HubError> {
        Ok(AskedRow {
            id: RefundId::of_uuid(self.refund),
            branch: BranchId::of_uuid(self.branch_id),
            receipt: ReceiptId::of_uuid(self.receipt),
            currency: currency_of(&self.currency)?,
            amount_minor: self.amount_minor,
            state: self.state,
            word: self.reason,
            decided_by: self.decided_by.map(StaffId::of_uuid),
            body: self.body,
            staff: StaffId::of_uuid(self.staff),
            at_ms: self.at_ms,
        })
    }
}

/// Refunds that wait for a word, oldest first.
pub async fn asked(
    connection: &mut PgConnection,
    scope: &Scope,
    limit: i64,
) -> Result<Vec<AskedRow>, HubError> {
    let rows: Vec<RawAsked> = sqlx::query_as(
        "select refund, branch_id, receipt, currency, amount_minor, state, reason, decided_by, body, staff, at_ms
         from payments.refund_asked
         where state = 'asked' and ($1::uuid[] is null or branch_id = any($1)) order by at_ms limit $2",
    )
    .bind(scope.sql())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(RawAsked::typed).collect()
}

/// One refund that was asked for.
pub async fn asked_one(
    connection: &mut PgConnection,
    id: RefundId,
) -> Result<Option<AskedRow>, HubError> {
    let row: Option<RawAsked> = sqlx::query_as(
        "select refund, branch_id, receipt, currency, amount_minor, state, reason, decided_by, body, staff, at_ms
         from payments.refund_asked where refund = $1 limit 1",
    )
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(RawAsked::typed).transpose()
}

/// What was given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRow {
    /// The refund.
    pub id: RefundId,
    /// Whose.
    pub branch: BranchId,
    /// The receipt.
    pub receipt: ReceiptId,
    /// The letter of its series.
    pub series: u8,
    /// Its number.
    pub number: u32,
    /// The cash session.
    pub session: Option<SessionId>,
    /// The currency.
    pub currency: Currency,
    /// How much.
    pub amount_minor: i64,
    /// The bytes of its item.
    pub body: Vec<u8>,
    /// The business day, days since 1970.
    pub day: i32,
    /// Who gave it.
    pub staff: StaffId,
    /// When.
    pub at_ms: i64,
}

#[derive(FromRow)]
struct RawRefund {
    refund: Uuid,
    branch_id: Uuid,
    receipt: Uuid,
    series: i16,
    number: i64,
    session: Option<Uuid>,
    currency: String,
    amount_minor: i64,
    body: Vec<u8>,
    business_day: i32,
    staff: Uuid,
    at_ms: i64,
}

impl RawRefund {
    fn typed(self) -> Result<RefundRow, HubError> {
        Ok(RefundRow {
            id: RefundId::of_uuid(self.refund),
            branch: BranchId::of_uuid(self.branch_id),
            receipt: ReceiptId::of_uuid(self.receipt),
            series: u8::try_from(self.series).unwrap_or(b'?'),
            number: u32::try_from(self.number).unwrap_or_default(),
            session: self.session.map(SessionId::of_uuid),
            currency: currency_of(&self.currency)?,
            amount_minor: self.amount_minor,
            body: self.body,
            day: self.business_day,
            staff: StaffId::of_uuid(self.staff),
            at_ms: self.at_ms,
        })
    }
}

/// What was given back, newest first; of one business day, where it is named.
pub async fn given(
    connection: &mut PgConnection,
    scope: &Scope,
    day: Option<i32>,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<RefundRow>, HubError> {
    let (at_ms, id) = behind(place);
    let rows: Vec<RawRefund> = sqlx::query_as(
        "select refund, branch_id, receipt, series, number, session, currency, amount_minor, body, business_day, staff,
            at_ms
         from payments.refund
         where ($1::uuid[] is null or branch_id = any($1)) and ($2::integer is null or business_day = $2)
           and ($3::bigint is null or (at_ms, refund) < ($3, $4))
         order by at_ms desc, refund desc limit $5",
    )
    .bind(scope.sql())
    .bind(day)
    .bind(at_ms)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(RawRefund::typed).collect()
}

/// One refund that was given.
pub async fn given_one(
    connection: &mut PgConnection,
    id: RefundId,
) -> Result<Option<RefundRow>, HubError> {
    let row: Option<RawRefund> = sqlx::query_as(
        "select refund, branch_id, receipt, series, number, session, currency, amount_minor, body, business_day, staff,
            at_ms
         from payments.refund where refund = $1 limit 1",
    )
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(RawRefund::typed).transpose()
}

/// What was given back against a receipt, in the order in which it was accepted.
pub async fn given_of(
    connection: &mut PgConnection,
    receipt: ReceiptId,
) -> Result<Vec<RefundRow>, HubError> {
    let rows: Vec<RawRefund> = sqlx::query_as(
        "select refund, branch_id, receipt, series, number, session, currency, amount_minor, body, business_day, staff,
            at_ms
         from payments.refund where receipt = $1 order by ord, number",
    )
    .bind(receipt.uuid())
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(RawRefund::typed).collect()
}
