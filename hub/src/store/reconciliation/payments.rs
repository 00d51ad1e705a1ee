//! Captures and lines of statements, promises, money given back.

use domain::id::{BranchId, PaymentId, ReceiptId, RefundId};
use domain::money::Currency;
use domain::reconcile::{
    LinesOfPayment, Member, OpenPromise, OverRepaid, Payout, SettledPayment, UnmatchedLine,
    WaitingRefund,
};
use domain::till::TillRules;
use sqlx::types::{Json, Uuid};
use sqlx::{FromRow, PgConnection};

use super::ledger::currency_of;
use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid};

/// The stretch of time that a night looks at.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    /// What changed before was judged by earlier nights.
    pub since_ms: i64,
    /// The end of the business day.
    pub end_ms: i64,
}

#[derive(FromRow)]
struct RawPayment {
    payment: Uuid,
    currency: String,
    asked_minor: i64,
    captured_minor: i64,
    repaid_minor: i64,
    updated_ms: i64,
    charges: i64,
    charged: i64,
    refunded: i64,
    lines: i64,
    first_currency: Option<String>,
    last_currency: Option<String>,
}

impl RawPayment {
    fn typed(self) -> Result<SettledPayment, HubError> {
        let is_one = self.first_currency == self.last_currency;
        let of_lines = self.first_currency.as_deref().filter(|_| is_one);
        let lines = LinesOfPayment {
            charges: u32::try_from(self.charges).unwrap_or(u32::MAX),
            charged_minor: self.charged,
            refunded_minor: self.refunded,
            currency: of_lines.map(currency_of).transpose()?,
        };
        Ok(SettledPayment {
            payment: PaymentId::of_uuid(self.payment),
            currency: currency_of(&self.currency)?,
            asked_minor: self.asked_minor,
            captured_minor: self.captured_minor,
            repaid_minor: self.repaid_minor,
            updated_ms: self.updated_ms,
            lines: (self.lines > 0).then_some(lines),
        })
    }
}

macro_rules! payments {
    () => {
        "select p.payment, p.currency, p.asked_minor, p.captured_minor, p.repaid_minor, p.updated_ms,
            l.charges, l.charged, l.refunded, l.lines, l.first_currency, l.last_currency
         from payments.payment p cross join lateral (
            select count(*) filter (where kind = 'charge') as charges,
                coalesce(sum(amount_minor) filter (where kind = 'charge'), 0)::bigint as charged,
                coalesce(sum(amount_minor) filter (where kind = 'refund'), 0)::bigint as refunded,
                count(*) as lines, min(currency) as first_currency, max(currency) as last_currency
            from payments.settlement s where s.matched = p.payment and s.kind in ('charge', 'refund')
                and s.settled_ms < $3) l
         where p.branch_id = $1 and p.tender in ('card', 'bank', '') and p.updated_ms >= $2 and p.created_ms < $3
         and (p.captured_minor > 0 or l.lines > 0)"
    };
}

/// Payments by card and bank that do not simply agree with their lines, and how many do.
pub async fn settled(
    connection: &mut PgConnection,
    branch: BranchId,
    stretch: Stretch,
) -> Result<(Vec<SettledPayment>, u64), HubError> {
    let rows: Vec<RawPayment> = sqlx::query_as(concat!(
        "select * from (",
        payments!(),
        ") t where not (lines > 0 and charged = captured_minor and refunded = -repaid_minor
            and first_currency = currency and last_currency = currency and captured_minor <= asked_minor)
         order by payment limit 2000"
    ))
    .bind(branch.uuid())
    .bind(stretch.since_ms)
    .bind(stretch.end_ms)
    .fetch_all(&mut *connection)
    .await?;
    let all: i64 = sqlx::query_scalar(concat!("select count(*) from (", payments!(), ") t"))
        .bind(branch.uuid())
        .bind(stretch.since_ms)
        .bind(stretch.end_ms)
        .fetch_one(connection)
        .await?;
    let others = all.unsigned_abs().saturating_sub(rows.len() as u64);
    let rows: Result<Vec<SettledPayment>, HubError> =
        rows.into_iter().map(RawPayment::typed).collect();
    Ok((rows?, others))
}

/// Lines of statements for a branch (nil: for none) that belong to no payment.
pub async fn unmatched(
    connection: &mut PgConnection,
    branch: BranchId,
    stretch: Stretch,
) -> Result<Vec<UnmatchedLine>, HubError> {
    let rows: Vec<(String, String, String, i64, String)> = sqlx::query_as(
        "select provider, reference, kind, amount_minor, currency from payments.settlement s
         where branch = $1 and kind in ('charge', 'refund', 'adjustment') and settled_ms >= $2 and settled_ms < $3
         and not exists (select 1 from payments.payment p where p.payment = s.matched)
         order by settled_ms, reference limit 1000",
    )
    .bind(branch.uuid())
    .bind(stretch.since_ms)
    .bind(stretch.end_ms)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(provider, reference, kind, amount_minor, currency)| {
            Ok(UnmatchedLine {
                provider: provider
                    .parse()
                    .map_err(|_| HubError::Row("an unknown provider"))?,
                reference,
                kind,
                amount_minor,
                currency: currency_of(&currency)?,
            })
        })
        .collect()
}

/// Lines of payouts for a branch (nil: for none) that pay another amount than the line that they name comes to.
pub async fn odd_members(
    connection: &mut PgConnection,
    branch: BranchId,
    stretch: Stretch,
) -> Result<Vec<Member>, HubError> {
    let rows: Vec<(String, String, i64, i64, String)> = sqlx::query_as(
        "select m.payout, m.reference, m.amount_minor, coalesce(c.amount_minor - c.fee_minor, 0), m.currency
         from payments.settlement m left join payments.settlement c on c.provider = m.provider
            and c.reference = substr(m.reference, length(m.payout) + 2)
         where m.branch = $1 and m.kind = 'payout' and m.reference <> m.payout
         and m.settled_ms >= $2 and m.settled_ms < $3
         and m.amount_minor <> coalesce(c.amount_minor - c.fee_minor, 0)
         order by m.settled_ms, m.reference limit 1000",
    )
    .bind(branch.uuid())
    .bind(stretch.since_ms)
    .bind(stretch.end_ms)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(payout, reference, said_minor, due_minor, currency)| {
            Ok(Member {
                payout,
                reference,
                said_minor,
                due_minor,
                currency: currency_of(&currency)?,
            })
        })
        .collect()
}

/// Payouts as a whole, with the sum of their lines.
pub async fn payouts(
    connection: &mut PgConnection,
    stretch: Stretch,
) -> Result<Vec<Payout>, HubError> {
    let rows: Vec<(String, i64, i64, String)> = sqlx::query_as(
        "select w.reference, w.amount_minor, coalesce((select sum(m.amount_minor) from payments.settlement m
            where m.payout = w.payout and m.provider = w.provider and m.kind = 'payout' and m.reference <> w.reference),
            0)::bigint, w.currency
         from payments.settlement w where w.branch = $1 and w.kind = 'payout' and w.reference = w.payout
         and w.settled_ms >= $2 and w.settled_ms < $3 order by w.settled_ms, w.reference limit 1000",
    )
    .bind(BranchId::NIL.uuid())
    .bind(stretch.since_ms)
    .bind(stretch.end_ms)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(payout, sent_minor, lines_minor, currency)| {
            Ok(Payout {
                payout,
                sent_minor,
                lines_minor,
                currency: currency_of(&currency)?,
            })
        })
        .collect()
}

/// The rules of the tills of a branch.
pub async fn rules(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<TillRules, sqlx::Error> {
    let row: Option<Json<TillRules>> = sqlx::query_scalar(
        "select fields from payments.till_rules where branch = any($1) and not deleted order by branch desc limit 1",
    )
    .bind([branch.uuid(), BranchId::NIL.uuid()].as_slice())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| row.0).unwrap_or_default())
}

/// Card payments of a branch that are asked for and not captured: how many, what is open, and the oldest.
pub async fn promises(
    connection: &mut PgConnection,
    branch: BranchId,
    currency: Currency,
    end_ms: i64,
) -> Result<(u64, i64, Vec<OpenPromise>), sqlx::Error> {
    let (count, open_minor): (i64, i64) = sqlx::query_as(
        "select count(*), coalesce(sum(asked_minor - captured_minor), 0)::bigint from payments.payment
         where branch_id = $1 and tender = 'card' and state in ('queued', 'processing', 'declined')
         and currency = $2 and created_ms < $3",
    )
    .bind(branch.uuid())
    .bind(currency.as_str())
    .bind(end_ms)
    .fetch_one(&mut *connection)
    .await?;
    let rows: Vec<(Uuid, i64, i64)> = sqlx::query_as(
        "select payment, asked_minor - captured_minor, created_ms from payments.payment
         where branch_id = $1 and tender = 'card' and state in ('queued', 'processing', 'declined')
         and currency = $2 and created_ms < $3 order by created_ms, payment limit 500",
    )
    .bind(branch.uuid())
    .bind(currency.as_str())
    .bind(end_ms)
    .fetch_all(connection)
    .await?;
    let open = rows
        .into_iter()
        .map(|(payment, open_minor, since_ms)| OpenPromise {
            payment: PaymentId::of_uuid(payment),
            open_minor,
            since_ms,
        });
    Ok((count.unsigned_abs(), open_minor, open.collect()))
}

/// Payments of a branch of which more went back than came.
pub async fn over_repaid(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<Vec<OverRepaid>, HubError> {
    let rows: Vec<(Uuid, String, i64, i64)> = sqlx::query_as(
        "select payment, currency, captured_minor, repaid_minor from payments.payment
         where branch_id = $1 and repaid_minor > captured_minor order by payment limit 1000",
    )
    .bind(branch.uuid())
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(payment, currency, captured_minor, repaid_minor)| {
            Ok(OverRepaid {
                payment: PaymentId::of_uuid(payment),
                currency: currency_of(&currency)?,
                captured_minor,
                repaid_minor,
            })
        })
        .collect()
}

/// Payments whose provider has not given back what was asked: payment, open, since when, currency.
pub async fn repayments_due(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<Vec<(PaymentId, i64, i64, Currency)>, HubError> {
    let rows: Vec<(Uuid, i64, i64, String)> = sqlx::query_as(
        "select payment, repay_asked_minor - repaid_minor, updated_ms, currency from payments.payment
         where branch_id = $1 and repay_asked_minor > repaid_minor order by updated_ms, payment limit 1000",
    )
    .bind(branch.uuid())
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(payment, open, since_ms, currency)| {
            let currency = currency_of(&currency)?;
            Ok((PaymentId::of_uuid(payment), open, since_ms, currency))
        })
        .collect()
}

/// Receipts with a refund of this day of which more was given back than they came to, and the day's refunds.
pub async fn refunds_of_day(
    connection: &mut PgConnection,
    branch: BranchId,
    day: i32,
) -> Result<(u64, Vec<(ReceiptId, i64, i64, Currency)>), HubError> {
    let count: i64 = sqlx::query_scalar(
        "select count(*) from payments.refund where branch_id = $1 and business_day = $2",
    )
    .bind(branch.uuid())
    .bind(day)
    .fetch_one(&mut *connection)
    .await?;
    let rows: Vec<(Uuid, i64, i64, String)> = sqlx::query_as(
        "select r.receipt, greatest(r.gross_minor, r.due_minor), f.back, r.currency from payments.receipt r
         join (select receipt, sum(amount_minor)::bigint as back from payments.refund where receipt in (
                select receipt from payments.refund where branch_id = $1 and business_day = $2)
            group by receipt) f on f.receipt = r.receipt
         where r.branch_id = $1 and f.back > greatest(r.gross_minor, r.due_minor) order by r.receipt limit 1000",
    )
    .bind(branch.uuid())
    .bind(day)
    .fetch_all(connection)
    .await?;
    let over: Result<Vec<_>, HubError> = rows
        .into_iter()
        .map(|(receipt, paid, back, currency)| {
            let currency = currency_of(&currency)?;
            Ok((ReceiptId::of_uuid(receipt), paid, back, currency))
        })
        .collect();
    Ok((count.unsigned_abs(), over?))
}

/// Refunds that were asked for and that nobody decided.
pub async fn undecided(
    connection: &mut PgConnection,
    branch: BranchId,
    end_ms: i64,
) -> Result<Vec<WaitingRefund>, HubError> {
    let rows: Vec<(Uuid, String, i64, i64)> = sqlx::query_as(
        "select refund, currency, amount_minor, at_ms from payments.refund_asked
         where branch_id = $1 and state = 'asked' and at_ms < $2 order by at_ms, refund limit 1000",
    )
    .bind(branch.uuid())
    .bind(end_ms)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(refund, currency, amount_minor, since_ms)| {
            Ok(WaitingRefund {
                refund: RefundId::of_uuid(refund),
                currency: currency_of(&currency)?,
                amount_minor,
                since_ms,
            })
        })
        .collect()
}

/// Whether any line or payout of these days belongs to no branch.
pub async fn has_common(
    connection: &mut PgConnection,
    stretch: Stretch,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "select exists (select 1 from payments.settlement where branch = $1 and settled_ms >= $2 and settled_ms < $3)",
    )
    .bind(BranchId::NIL.uuid())
    .bind(stretch.since_ms)
    .bind(stretch.end_ms)
    .fetch_one(connection)
    .await
}
