//! Stripe's statement: balance transactions with their fees, and payouts with what they hold.
//!
//! A charge or refund stands twice: once as what came or went, once below the payout that sent it to the bank. A payout
//! stands once as a whole, which belongs to no branch. Only payouts that were paid count.

use domain::day::{SettlementKind, SettlementLine};
use domain::id::BranchId;
use domain::money::Currency;
use domain::payment::Provider;

use super::amount::from_stripe;
use super::client::{Client, Form};
use super::pay::{all, branch_of, form, mark};
use super::types::{BalanceTransaction, Metadata, Payout};
use super::{META_PAYMENT, META_REPAYMENT};
use crate::payment::provider::{ProviderError, Settlement, said};

/// A payout is on its way for days before it is paid: as many are looked at again.
const PAYOUT_WAY_MS: i64 = 14 * 86_400_000;

pub(super) async fn lines(
    client: &Client,
    settlement: &Settlement,
) -> Result<Vec<SettlementLine>, ProviderError> {
    let query = [
        since(settlement.since_ms),
        ("expand[]".to_owned(), "data.source".to_owned()),
    ];
    let mut lines = Vec::new();
    for transaction in transactions(client, query.to_vec()).await? {
        lines.extend(line(&transaction)?);
    }
    let payouts_since_ms = settlement.since_ms.saturating_sub(PAYOUT_WAY_MS);
    let query = vec![since(payouts_since_ms)];
    let payouts: Vec<Payout> = all(client, "/v1/payouts", &query).await?;
    for payout in payouts {
        if payout.status == "paid" && !settlement.known_payouts.contains(&payout.id) {
            lines.extend(payout_lines(client, &payout).await?);
        }
    }
    Ok(lines)
}

fn since(at_ms: i64) -> (String, String) {
    let seconds = at_ms.max(0) / 1_000;
    ("created[gte]".to_owned(), seconds.to_string())
}

async fn transactions(
    client: &Client,
    query: Form,
) -> Result<Vec<BalanceTransaction>, ProviderError> {
    all(client, "/v1/balance_transactions", &query).await
}

/// What came or went; a payout has its own lines.
fn line(transaction: &BalanceTransaction) -> Result<Option<SettlementLine>, ProviderError> {
    let amounts = Amounts::read(&transaction.id, &transaction.currency)?;
    let amount_minor = amounts.whole(transaction.amount)?;
    let fee_minor = amounts.whole(transaction.fee)?;
    let (kind, amount_minor, fee_minor) = match transaction.kind.as_str() {
        "payout" | "payout_cancel" | "payout_failure" => return Ok(None),
        "charge" | "payment" => (SettlementKind::Charge, amount_minor, fee_minor),
        "refund" | "payment_refund" => (SettlementKind::Refund, amount_minor, fee_minor),
        "stripe_fee" | "stripe_fx_fee" | "tax_fee" => {
            (SettlementKind::Fee, 0, fee_minor - amount_minor)
        }
        _ => (SettlementKind::Adjustment, amount_minor, fee_minor),
    };
    let marks = marks(transaction);
    Ok(Some(SettlementLine {
        provider: Provider::Stripe,
        reference: transaction.id.clone(),
        kind,
        branch: branch_of(&marks),
        payment: mark(&marks, META_PAYMENT),
        repayment: mark(&marks, META_REPAYMENT),
        payout: String::new(),
        amount_minor,
        fee_minor,
        currency: amounts.currency,
        at_ms: transaction.created.saturating_mul(1_000),
    }))
}

async fn payout_lines(
    client: &Client,
    payout: &Payout,
) -> Result<Vec<SettlementLine>, ProviderError> {
    let amounts = Amounts::read(&payout.id, &payout.currency)?;
    let at_ms = payout
        .arrival_date
        .max(payout.created)
        .saturating_mul(1_000);
    let whole = SettlementLine {
        provider: Provider::Stripe,
        reference: payout.id.clone(),
        kind: SettlementKind::Payout,
        branch: BranchId::NIL,
        payment: None,
        repayment: None,
        payout: payout.id.clone(),
        amount_minor: amounts.whole(payout.amount)?,
        fee_minor: 0,
        currency: amounts.currency,
        at_ms,
    };
    let query = form([
        ("payout", payout.id.clone()),
        ("expand[]", "data.source".to_owned()),
    ]);
    let mut lines = vec![whole.clone()];
    for transaction in transactions(client, query).await? {
        if transaction.kind == "payout" {
            continue;
        }
        let marks = marks(&transaction);
        let amounts = Amounts::read(&transaction.id, &transaction.currency)?;
        lines.push(SettlementLine {
            reference: format!("{}/{}", payout.id, transaction.id),
            branch: branch_of(&marks),
            payment: mark(&marks, META_PAYMENT),
            repayment: mark(&marks, META_REPAYMENT),
            amount_minor: amounts.whole(transaction.net)?,
            currency: amounts.currency,
            ..whole.clone()
        });
    }
    Ok(lines)
}

fn marks(transaction: &BalanceTransaction) -> Metadata {
    let source = transaction
        .source
        .as_ref()
        .and_then(|source| source.whole());
    source
        .and_then(|source| source.metadata.clone())
        .unwrap_or_default()
}

/// Amounts of one object in its currency.
struct Amounts<'a> {
    object: &'a str,
    currency: Currency,
}

impl<'a> Amounts<'a> {
    fn read(object: &'a str, currency: &str) -> Result<Self, ProviderError> {
        let currency = currency.to_ascii_uppercase().parse();
        let currency = currency.map_err(|_| odd(object))?;
        Ok(Self { object, currency })
    }

    fn whole(&self, amount: i64) -> Result<i64, ProviderError> {
        from_stripe(amount, self.currency).ok_or_else(|| odd(self.object))
    }
}

fn odd(object: &str) -> ProviderError {
    ProviderError::Unavailable {
        reason: format!("Stripe says of {} what cannot be", said(object)),
        retry_after_ms: None,
    }
}
