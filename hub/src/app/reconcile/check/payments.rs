//! Captures against the provider's statement, payouts against their lines.

use std::collections::BTreeMap;

use domain::id::PaymentId;
use domain::payment::PaymentRecord;
use domain::reconcile::{Outcome, PaymentsFacts, SettledPayment, judge_payments};

use super::Ground;
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::payments::payment::records;
use crate::store::reconciliation::payments as store;

pub(super) async fn check(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
) -> Result<Outcome, HubError> {
    let branch = ground.branch.id;
    let stretch = ground.stretch();
    let (mut payments, matched) = store::settled(sql, branch, stretch).await?;
    only_by_providers(sql, &mut payments).await?;
    let mut facts = PaymentsFacts {
        payments,
        unmatched: store::unmatched(sql, branch, stretch).await?,
        members: store::odd_members(sql, branch, stretch).await?,
        payouts: Vec::new(),
        matched,
    };
    if branch.is_nil() {
        facts.payouts = store::payouts(sql, stretch).await?;
    }
    Ok(judge_payments(&facts, &ground.day, ground.patience))
}

/// Of what went back only what a provider gave back stands on a statement.
async fn only_by_providers(
    sql: &mut PgConnection,
    payments: &mut [SettledPayment],
) -> Result<(), HubError> {
    let ids: Vec<PaymentId> = payments
        .iter()
        .filter(|payment| payment.repaid_minor != 0)
        .map(|payment| payment.payment)
        .collect();
    if ids.is_empty() {
        return Ok(());
    }
    let mut repaid: BTreeMap<PaymentId, BTreeMap<_, i64>> = BTreeMap::new();
    for (payment, record) in records(sql, &ids).await? {
        if let PaymentRecord::Repayment(result) = record
            && result.amount_minor > 0
        {
            let known = repaid.entry(payment).or_default();
            known.entry(result.repayment).or_insert(result.amount_minor);
        }
    }
    for payment in payments {
        if payment.repaid_minor != 0 {
            let known = repaid.get(&payment.payment);
            payment.repaid_minor = known.map_or(0, |known| known.values().sum());
        }
    }
    Ok(())
}
