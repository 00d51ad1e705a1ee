//! Lines of providers' statements.

use domain::id::{BranchId, PaymentId};
use domain::money::Currency;
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};

use super::currency_of;
use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid};
use crate::store::scope::Scope;

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlementRow {
    /// Whose statement.
    pub provider: String,
    /// The provider's name of the line.
    pub reference: String,
    /// What it is.
    pub kind: String,
    /// The branch that it belongs to; nil where the provider does not say.
    pub branch: BranchId,
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

/// The columns of [`RawSettlement`].
macro_rules! columns {
    () => {
        "provider, reference, kind, branch, matched, payout, amount_minor, fee_minor, currency, settled_ms, match_reason"
    };
}

#[derive(FromRow)]
struct RawSettlement {
    provider: String,
    reference: String,
    kind: String,
    branch: Uuid,
    matched: Option<Uuid>,
    payout: String,
    amount_minor: i64,
    fee_minor: i64,
    currency: String,
    settled_ms: i64,
    match_reason: String,
}

impl RawSettlement {
    fn typed(self) -> Result<SettlementRow, HubError> {
        Ok(SettlementRow {
            provider: self.provider,
            reference: self.reference,
            kind: self.kind,
            branch: BranchId::of_uuid(self.branch),
            payment: self.matched.map(PaymentId::of_uuid),
            payout: self.payout,
            amount_minor: self.amount_minor,
            fee_minor: self.fee_minor,
            currency: currency_of(&self.currency)?,
            settled_ms: self.settled_ms,
            match_reason: self.match_reason,
        })
    }
}

/// What statements say of a payment.
pub async fn settlements_of(
    connection: &mut PgConnection,
    payment: PaymentId,
) -> Result<Vec<SettlementRow>, HubError> {
    let rows: Vec<RawSettlement> = sqlx::query_as(
        concat!(
            "select ", columns!(), " from payments.settlement where payment = $1 or matched = $1 order by settled_ms, reference"
        ),
    )
    .bind(payment.uuid())
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(RawSettlement::typed).collect()
}

/// Lines that speak of a payment and belong to none that is known, oldest first.
pub async fn unmatched(
    connection: &mut PgConnection,
    scope: &Scope,
    limit: i64,
) -> Result<Vec<SettlementRow>, HubError> {
    let rows: Vec<RawSettlement> = sqlx::query_as(
        concat!(
            "select ", columns!(), " from payments.settlement s
             where kind in ('charge', 'refund', 'adjustment') and ($1::uuid[] is null or branch = any($1))
               and not exists (select 1 from payments.payment p where p.payment = s.matched)
             order by settled_ms, provider, reference limit $2"
        ),
    )
    .bind(scope.sql())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(RawSettlement::typed).collect()
}

/// Where the last line of a page stood: when it was settled, whose statement, its name.
pub type LinePlace = (i64, String, String);

/// Lines that belong to a payment or need none, newest first.
pub async fn settled_lines(
    connection: &mut PgConnection,
    scope: &Scope,
    place: Option<&LinePlace>,
    limit: i64,
) -> Result<Vec<SettlementRow>, HubError> {
    let rows: Vec<RawSettlement> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from payments.settlement s
             where ($1::uuid[] is null or branch = any($1))
               and ($2::bigint is null or (settled_ms, provider, reference) < ($2, $3, $4))
               and (kind not in ('charge', 'refund', 'adjustment')
                    or exists (select 1 from payments.payment p where p.payment = s.matched))
             order by settled_ms desc, provider desc, reference desc limit $5"
    ))
    .bind(scope.sql())
    .bind(place.map(|place| place.0))
    .bind(place.map(|place| place.1.as_str()))
    .bind(place.map(|place| place.2.as_str()))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(RawSettlement::typed).collect()
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

/// A payment that a line without one could speak of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitting {
    /// The payment.
    pub payment: PaymentId,
    /// Whose.
    pub branch: BranchId,
    /// With what it is asked.
    pub tender: String,
    /// What is open, or came.
    pub amount_minor: i64,
    /// The currency.
    pub currency: Currency,
    /// Series and number of its receipt.
    pub receipt: Option<(u8, u32)>,
}

/// Payments of one of these amounts that no line of a statement speaks of, newest first.
pub async fn fitting(
    connection: &mut PgConnection,
    scope: &Scope,
    amounts: &[i64],
    limit: i64,
) -> Result<Vec<Fitting>, HubError> {
    type Raw = (Uuid, Uuid, String, i64, String, Option<i16>, Option<i64>);
    let rows: Vec<Raw> = sqlx::query_as(
        "select p.payment, p.branch_id, p.tender, p.amount, p.currency, r.series, r.number from (
            select *, case when captured_minor = 0 then asked_minor else captured_minor end as amount
            from payments.payment where tender in ('card', 'bank') and state not in ('failed', 'cancelled')) p
         left join payments.receipt r on r.branch_id = p.branch_id and r.receipt = p.receipt
         where p.amount = any($1) and ($2::uuid[] is null or p.branch_id = any($2))
           and not exists (select 1 from payments.settlement s where s.matched = p.payment and s.kind = 'charge')
         order by p.created_ms desc limit $3",
    )
    .bind(amounts)
    .bind(scope.sql())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(
            |(payment, branch, tender, amount_minor, currency, series, number)| {
                let series = series.map(|series| u8::try_from(series).unwrap_or(b'?'));
                let number = number.map(|number| u32::try_from(number).unwrap_or_default());
                Ok(Fitting {
                    payment: PaymentId::of_uuid(payment),
                    branch: BranchId::of_uuid(branch),
                    tender,
                    amount_minor,
                    currency: currency_of(&currency)?,
                    receipt: series.zip(number),
                })
            },
        )
        .collect()
}

/// The payments of a receipt by one tender, with what is open or came.
pub async fn of_paper(
    connection: &mut PgConnection,
    branch: BranchId,
    (series, number): (u8, u32),
    tender: &str,
) -> Result<Vec<(PaymentId, i64)>, sqlx::Error> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "select p.payment, case when p.captured_minor = 0 then p.asked_minor else p.captured_minor end
         from payments.receipt r join payments.payment p on p.branch_id = r.branch_id and p.receipt = r.receipt
         where r.branch_id = $1 and r.series = $2 and r.number = $3 and p.tender = $4 order by p.created_ms, p.payment",
    )
    .bind(branch.uuid())
    .bind(i16::from(series))
    .bind(i64::from(number))
    .bind(tender)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(payment, amount)| (PaymentId::of_uuid(payment), amount))
        .collect())
}
