//! Reading money for pages and programs.

use domain::id::{BranchId, DocumentId, PaymentId, ReceiptId, RefundId, StaffId};
use domain::money::Currency;
use sqlx::types::{Json, Uuid};
use sqlx::{FromRow, PgConnection};
use sync_protocol::item::kind;

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

fn currency_of(code: &str) -> Result<Currency, HubError> {
    code.parse()
        .map_err(|_| HubError::Row("a currency that is none"))
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
    state: Option<&str>,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<PaymentRow>, HubError> {
    let (at_ms, id) = behind(place);
    let rows: Vec<RawPayment> = sqlx::query_as(
        "select branch_id, payment, receipt, tender, state, currency, asked_minor, captured_minor, repay_asked_minor,
            repaid_minor, called_off, reference, detail, created_ms, updated_ms
         from payments.payment
         where ($1::uuid[] is null or branch_id = any($1)) and tender in ('card', 'bank')
           and ($2::text is null or state = $2) and ($3::bigint is null or (created_ms, payment) < ($3, $4))
         order by created_ms desc, payment desc limit $5",
    )
    .bind(scope.sql())
    .bind(state)
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
    let row: Option<RawPayment> = sqlx::query_as(
        "select branch_id, payment, receipt, tender, state, currency, asked_minor, captured_minor, repay_asked_minor,
            repaid_minor, called_off, reference, detail, created_ms, updated_ms
         from payments.payment where payment = $1 limit 1",
    )
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
    let rows: Vec<Row> = sqlx::query_as(
        "select p.branch_id, p.payment, p.receipt, p.tender, p.state, p.currency, p.asked_minor, p.captured_minor,
            p.repay_asked_minor, p.repaid_minor, p.called_off, p.reference, p.detail, p.created_ms, p.updated_ms,
            r.series, r.number
         from payments.payment p join payments.receipt r on r.branch_id = p.branch_id and r.receipt = p.receipt
         where p.tender = 'bank' and p.state in ('queued', 'processing', 'declined')",
    )
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

/// What a branch has promised, took and gave back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchMoney {
    /// The branch.
    pub branch: BranchId,
    /// The currency.
    pub currency: Currency,
    /// Asked of cards and not captured.
    pub promised_minor: i64,
    /// Since when the oldest of it is open.
    pub oldest_ms: Option<i64>,
    /// Invoiced and sold since.
    pub taken_minor: i64,
    /// Given back since.
    pub given_back_minor: i64,
    /// How many receipts since.
    pub receipts: i64,
}

/// What each branch has promised, and took and gave back since a time.
pub async fn by_branch(
    connection: &mut PgConnection,
    scope: &Scope,
    since_ms: i64,
) -> Result<Vec<BranchMoney>, HubError> {
    type Raw = (Uuid, String, i64, Option<i64>, i64, i64, i64);
    let rows: Vec<Raw> = sqlx::query_as(
        "select b.branch_id, b.currency,
            coalesce(sum(b.balance_minor) filter (where b.account = 5), 0)::bigint,
            (select min(p.created_ms) from payments.payment p where p.branch_id = b.branch_id and p.tender = 'card'
                and p.state in ('queued', 'processing', 'declined')),
            (select coalesce(sum(r.gross_minor), 0)::bigint from payments.receipt r
                where r.branch_id = b.branch_id and r.currency = b.currency and r.at_ms >= $2),
            (select coalesce(sum(f.amount_minor), 0)::bigint from payments.refund f
                where f.branch_id = b.branch_id and f.currency = b.currency and f.at_ms >= $2),
            (select count(*) from payments.receipt r
                where r.branch_id = b.branch_id and r.currency = b.currency and r.at_ms >= $2)
         from payments.balance b where $1::uuid[] is null or b.branch_id = any($1)
         group by b.branch_id, b.currency order by 3 desc, b.branch_id",
    )
    .bind(scope.sql())
    .bind(since_ms)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(
            |(
                branch,
                currency,
                promised_minor,
                oldest_ms,
                taken_minor,
                given_back_minor,
                receipts,
            )| {
                Ok(BranchMoney {
                    branch: BranchId::of_uuid(branch),
                    currency: currency_of(&currency)?,
                    promised_minor,
                    oldest_ms,
                    taken_minor,
                    given_back_minor,
                    receipts,
                })
            },
        )
        .collect()
}

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
    /// When.
    pub at_ms: i64,
}

/// Receipts, newest first.
pub async fn receipts(
    connection: &mut PgConnection,
    scope: &Scope,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<ReceiptRow>, HubError> {
    type Raw = (Uuid, Uuid, i16, i64, String, i64, i64, i64);
    let (at_ms, id) = behind(place);
    let rows: Vec<Raw> = sqlx::query_as(
        "select receipt, branch_id, series, number, currency, gross_minor, due_minor, at_ms from payments.receipt
         where ($1::uuid[] is null or branch_id = any($1)) and ($2::bigint is null or (at_ms, receipt) < ($2, $3))
         order by at_ms desc, receipt desc limit $4",
    )
    .bind(scope.sql())
    .bind(at_ms)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(
            |(id, branch, series, number, currency, gross_minor, due_minor, at_ms)| {
                Ok(ReceiptRow {
                    id: ReceiptId::of_uuid(id),
                    branch: BranchId::of_uuid(branch),
                    series: u8::try_from(series).unwrap_or(b'?'),
                    number: u32::try_from(number).unwrap_or_default(),
                    currency: currency_of(&currency)?,
                    gross_minor,
                    due_minor,
                    at_ms,
                })
            },
        )
        .collect()
}

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlementRow {
    /// Whose statement.
    pub provider: String,
    /// The provider's name of the line.
    pub reference: String,
    /// What it is.
    pub kind: String,
    /// The payment that it belongs to.
    pub payment: Option<PaymentId>,
    /// The payout that it belongs to.
    pub payout: String,
    /// What came.
    pub amount_minor: i64,
    /// What the provider kept.
    pub fee_minor: i64,
    /// The currency.
    pub currency: Currency,
    /// When, by the provider.
    pub settled_ms: i64,
    /// Why a person said what it belongs to.
    pub match_reason: String,
}

type RawSettlement = (
    String,
    String,
    String,
    Option<Uuid>,
    String,
    i64,
    i64,
    String,
    i64,
    String,
);

fn settlement_of(raw: RawSettlement) -> Result<SettlementRow, HubError> {
    let (
        provider,
        reference,
        kind,
        payment,
        payout,
        amount_minor,
        fee_minor,
        currency,
        settled_ms,
        match_reason,
    ) = raw;
    Ok(SettlementRow {
        provider,
        reference,
        kind,
        payment: payment.map(PaymentId::of_uuid),
        payout,
        amount_minor,
        fee_minor,
        currency: currency_of(&currency)?,
        settled_ms,
        match_reason,
    })
}

/// What statements say of a payment.
pub async fn settlements_of(
    connection: &mut PgConnection,
    payment: PaymentId,
) -> Result<Vec<SettlementRow>, HubError> {
    let rows: Vec<RawSettlement> = sqlx::query_as(
        "select provider, reference, kind, matched, payout, amount_minor, fee_minor, currency, settled_ms, match_reason
         from payments.settlement where payment = $1 or matched = $1 order by settled_ms, reference",
    )
    .bind(payment.uuid())
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(settlement_of).collect()
}

/// Lines of statements, newest first.
pub async fn settlements(
    connection: &mut PgConnection,
    unmatched: bool,
    limit: i64,
) -> Result<Vec<SettlementRow>, HubError> {
    let rows: Vec<RawSettlement> = sqlx::query_as(
        "select provider, reference, kind, matched, payout, amount_minor, fee_minor, currency, settled_ms, match_reason
         from payments.settlement where not $1 or (matched is null and kind in ('charge', 'refund', 'adjustment'))
         order by settled_ms desc, reference desc limit $2",
    )
    .bind(unmatched)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(settlement_of).collect()
}

/// Which of these lines are there, and which payouts.
pub async fn known_settlements(
    connection: &mut PgConnection,
    provider: &str,
    references: &[String],
) -> Result<Vec<String>, sqlx::Error> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "select reference from payments.settlement where provider = $1 and reference = any($2)",
    )
    .bind(provider)
    .bind(references)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(reference,)| reference).collect())
}

/// The payouts of a provider whose lines are there, and when its newest line was settled.
pub async fn settled_so_far(
    connection: &mut PgConnection,
    provider: &str,
) -> Result<(Vec<String>, Option<i64>), sqlx::Error> {
    let payouts: Vec<(String,)> = sqlx::query_as(
        "select reference from payments.settlement where provider = $1 and kind = 'payout' and payout = reference",
    )
    .bind(provider)
    .fetch_all(&mut *connection)
    .await?;
    let newest: (Option<i64>,) =
        sqlx::query_as("select max(settled_ms) from payments.settlement where provider = $1")
            .bind(provider)
            .fetch_one(connection)
            .await?;
    Ok((payouts.into_iter().map(|(id,)| id).collect(), newest.0))
}

/// Customers who buy on account: limit and days.
pub async fn accounts(
    connection: &mut PgConnection,
) -> Result<Vec<(DocumentId, i64, i32)>, sqlx::Error> {
    let rows: Vec<(Uuid, i64, i32)> = sqlx::query_as(
        "select customer, limit_minor, due_days from payments.account where not deleted order by customer",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, limit_minor, due_days)| (DocumentId::of_uuid(id), limit_minor, due_days))
        .collect())
}

/// The version of an account's row; 0 where there is none.
pub async fn account_version(
    connection: &mut PgConnection,
    customer: DocumentId,
) -> Result<i64, sqlx::Error> {
    let row: Option<(i64,)> =
        sqlx::query_as("select version from payments.account where customer = $1")
            .bind(customer.uuid())
            .fetch_optional(connection)
            .await?;
    Ok(row.map_or(0, |row| row.0))
}

/// The rules of the tills of a branch, or of all: version and fields.
pub async fn rules(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<Option<(i64, domain::till::TillRules)>, sqlx::Error> {
    let row: Option<(i64, Json<domain::till::TillRules>)> = sqlx::query_as(
        "select version, fields from payments.till_rules where branch = $1 and not deleted",
    )
    .bind(branch.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(version, fields)| (version, fields.0)))
}

/// Keeps that an event of a provider was taken; whether it is new.
pub async fn keep_event(
    connection: &mut PgConnection,
    provider: &str,
    event: &str,
    at_ms: i64,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "insert into payments.provider_event values ($1, $2, $3) on conflict do nothing",
    )
    .bind(provider)
    .bind(event)
    .bind(at_ms)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}
