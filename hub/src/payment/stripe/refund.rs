//! Giving money back to the card that it came from.
//!
//! Once for each attempt by its key; what became of it is read from the payment's own list of refunds, which never lags.

use domain::id::RepaymentId;
use domain::money::{Currency, Money};
use domain::payment::{RepaymentOutcome, repayment_key};

use super::amount::{from_stripe, to_stripe};
use super::client::{CallError, Client};
use super::pay::{all, check_id, form, mark};
use super::types::Refund;
use super::{META_BRANCH, META_PAYMENT, META_REPAYMENT};
use crate::payment::provider::{ProviderError, Repay, RepayStanding, said};

pub(super) async fn repay(client: &Client, repay: &Repay) -> Result<RepayStanding, ProviderError> {
    check_id(&repay.reference)?;
    let mut refund = form([
        ("payment_intent", repay.reference.clone()),
        ("amount", to_stripe(repay.amount)?.to_string()),
    ]);
    for (mark, value) in [
        (META_PAYMENT, repay.payment.to_string()),
        (META_BRANCH, repay.branch.to_string()),
        (META_REPAYMENT, repay.repayment.to_string()),
    ] {
        refund.push((format!("metadata[{mark}]"), value));
    }
    let key = repayment_key(repay.repayment, repay.attempt);
    let refund: Refund = client
        .post("/v1/refunds", &refund, Some(&key))
        .await
        .map_err(CallError::of_deed)?;
    standing(&refund)
}

/// The newest that did not fail, else the newest.
pub(super) async fn find(
    client: &Client,
    repayment: RepaymentId,
    reference: &str,
) -> Result<Option<RepayStanding>, ProviderError> {
    check_id(reference)?;
    let query = form([("payment_intent", reference.to_owned())]);
    let refunds: Vec<Refund> = all(client, "/v1/refunds", &query).await?;
    let mut newest_failed = None;
    for refund in refunds {
        let metadata = refund.metadata.as_ref();
        if metadata.and_then(|marks| mark(marks, META_REPAYMENT)) != Some(repayment) {
            continue;
        }
        let found = standing(&refund)?;
        if found.outcome != RepaymentOutcome::Failed {
            return Ok(Some(found));
        }
        newest_failed.get_or_insert(found);
    }
    Ok(newest_failed)
}

fn standing(refund: &Refund) -> Result<RepayStanding, ProviderError> {
    let odd = || ProviderError::Unavailable {
        reason: format!("Stripe says of {} what cannot be", said(&refund.id)),
        retry_after_ms: None,
    };
    let currency: Currency = refund
        .currency
        .to_ascii_uppercase()
        .parse()
        .map_err(|_| odd())?;
    let amount = from_stripe(refund.amount, currency).ok_or_else(odd)?;
    let outcome = match refund.status.as_deref() {
        Some("succeeded") => RepaymentOutcome::Repaid,
        Some("failed" | "canceled") => RepaymentOutcome::Failed,
        _ => RepaymentOutcome::Asked,
    };
    Ok(RepayStanding {
        reference: refund.id.clone(),
        outcome,
        amount: Money::new(amount, currency).map_err(|_| odd())?,
        reason: said(refund.failure_reason.as_deref().unwrap_or_default()),
    })
}
