//! Rows that follow from others, for a night to hold against them.

use domain::id::{BranchId, PaymentId};
use domain::money::Currency;
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};

use super::ledger::{account_of, currency_of};
use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid};

/// A balance that is not the sum of its entries.
#[derive(Debug, Clone)]
pub struct OffBalance {
    /// The currency.
    pub currency: Currency,
    /// The account.
    pub account: domain::ledger::MoneyAccount,
    /// What the table says.
    pub balance_minor: i64,
    /// What the entries come to.
    pub sum_minor: i64,
}

/// Balances of a branch that are not the sum of their entries.
pub async fn off_balances(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<Vec<OffBalance>, HubError> {
    let rows: Vec<(String, i16, i64, i64)> = sqlx::query_as(
        "with moved as (
            select e.currency, t.account, sum(t.moved)::bigint as sum from (
                select currency, from_account, to_account, sum(amount_minor) as amount from payments.entry
                    where branch_id = $1 group by currency, from_account, to_account) e
                cross join lateral (values (e.to_account, e.amount), (e.from_account, -e.amount))
                    as t (account, moved)
            group by e.currency, t.account)
         select coalesce(b.currency, m.currency), coalesce(b.account, m.account), coalesce(b.balance_minor, 0),
            coalesce(m.sum, 0)
         from (select currency, account, balance_minor from payments.balance where branch_id = $1) b
         full join moved m on m.currency = b.currency and m.account = b.account
         where coalesce(b.balance_minor, 0) <> coalesce(m.sum, 0) order by 1, 2",
    )
    .bind(branch.uuid())
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(currency, account, balance_minor, sum_minor)| {
            Ok(OffBalance {
                currency: currency_of(&currency)?,
                account: account_of(account)?,
                balance_minor,
                sum_minor,
            })
        })
        .collect()
}

/// A payment's row, to be held against its records.
#[derive(Debug, Clone, FromRow)]
pub struct PaymentRow {
    /// The payment.
    pub payment: Uuid,
    /// Where it stands.
    pub state: String,
    /// What was asked.
    pub asked_minor: i64,
    /// What came.
    pub captured_minor: i64,
    /// What a refund asks back.
    pub repay_asked_minor: i64,
    /// What went back.
    pub repaid_minor: i64,
    /// Whether it was called off.
    pub called_off: bool,
}

impl PaymentRow {
    /// Its id.
    pub fn id(&self) -> PaymentId {
        PaymentId::of_uuid(self.payment)
    }
}

/// Payments of a branch that changed since `since_ms`, one in so many that there are at most `limit`.
pub async fn payments_since(
    connection: &mut PgConnection,
    branch: BranchId,
    since_ms: i64,
    limit: i64,
) -> Result<Vec<PaymentRow>, sqlx::Error> {
    sqlx::query_as(
        "select payment, state, asked_minor, captured_minor, repay_asked_minor, repaid_minor, called_off
         from payments.payment where branch_id = $1 and updated_ms >= $2 order by payment limit $3",
    )
    .bind(branch.uuid())
    .bind(since_ms)
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// A receipt of the day.
#[derive(Debug, Clone, FromRow)]
pub struct ReceiptRow {
    /// The receipt.
    pub receipt: Uuid,
    /// Goods and work with tax.
    pub gross_minor: i64,
    /// To pay.
    pub due_minor: i64,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// Receipts of a branch and a day, at most `limit`.
pub async fn receipts_of_day(
    connection: &mut PgConnection,
    branch: BranchId,
    day: i32,
    limit: i64,
) -> Result<Vec<ReceiptRow>, sqlx::Error> {
    sqlx::query_as(
        "select receipt, gross_minor, due_minor, body from payments.receipt
         where branch_id = $1 and business_day = $2 order by receipt limit $3",
    )
    .bind(branch.uuid())
    .bind(day)
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Entries about these subjects: subject, from, to, amount.
pub async fn entries_about(
    connection: &mut PgConnection,
    branch: BranchId,
    subjects: &[Uuid],
) -> Result<Vec<(Uuid, i16, i16, i64)>, sqlx::Error> {
    sqlx::query_as(
        "select subject, from_account, to_account, amount_minor from payments.entry
         where branch_id = $1 and subject = any($2) order by subject, from_account, to_account, amount_minor",
    )
    .bind(branch.uuid())
    .bind(subjects)
    .fetch_all(connection)
    .await
}
