//! With what a basket is paid: tenders as they are asked for, how far promises and accounts go, and why not.

use domain::id::PaymentId;
use domain::money::Currency;
use domain::problem::Problems;
use domain::till::{CardWay, Tender, TenderLine, TillError};
use web_kit::wire::money;

use super::TenderInput;
use super::basket::Basket;
use crate::error::AppError;
use crate::store::money::{account, rules};
use crate::store::{Reader, WriteTx};

/// Promises go as far as the hub lets them: what is asked of cards and not captured, with what is asked now.
pub(super) fn check_promises(
    reader: &Reader<'_>,
    tenders: &[TenderLine],
    currency: Currency,
) -> Result<(), AppError> {
    let cards = tenders.iter().filter(|one| one.tender == Tender::Card);
    let asked = cards
        .map(|one| one.amount_minor)
        .fold(0, i64::saturating_add);
    if asked <= 0 {
        return Ok(());
    }
    let promised = rules::promised(reader, currency.as_str())?;
    let limit = rules::till_rules(reader)?.promise_limit_minor;
    let left = limit.saturating_sub(promised).max(0);
    if asked <= left {
        return Ok(());
    }
    let detail = "so much may not be promised; take cash or a bank transfer, or wait until cards are captured";
    let left = money(left, currency);
    Err(AppError::conflict("promise-limit", detail)
        .with("left", serde_json::to_value(left).unwrap_or_default()))
}

/// On account buys who has an account, as far as it goes.
pub(super) fn check_account(
    reader: &Reader<'_>,
    basket: &Basket,
    tenders: &[TenderLine],
    currency: Currency,
) -> Result<(), AppError> {
    let on_account = tenders.iter().filter(|one| one.tender == Tender::Account);
    let wanted = on_account
        .map(|one| one.amount_minor)
        .fold(0, i64::saturating_add);
    if wanted <= 0 {
        return Ok(());
    }
    let customer = basket
        .customer
        .ok_or_else(|| AppError::field("/customer_id", "say on whose account it goes"))?;
    let paid_otherwise: i64 = tenders
        .iter()
        .filter(|one| one.tender != Tender::Account)
        .map(|one| one.amount_minor)
        .fold(0, i64::saturating_add);
    if paid_otherwise < basket.claim_minor() {
        let detail = "what is owed on account is not paid by owing it again";
        return Err(AppError::conflict("claim-on-account", detail));
    }
    let Some(account) = account::account(reader, customer)? else {
        let detail = "this customer does not buy on account; the hub opens accounts";
        return Err(AppError::conflict("no-account", detail));
    };
    let left = account
        .limit_minor
        .saturating_sub(account::owed_by(reader, customer)?)
        .max(0);
    if wanted <= left {
        return Ok(());
    }
    let detail = "the account does not go so far";
    let left = money(left, currency);
    Err(AppError::conflict("account-limit", detail)
        .with("left", serde_json::to_value(left).unwrap_or_default()))
}

pub(super) fn tenders(
    tx: &WriteTx<'_>,
    input: &[TenderInput],
    currency: Currency,
) -> Result<Vec<TenderLine>, AppError> {
    let usual = if rules::till_rules(&tx.reader())?.reader {
        CardWay::Reader
    } else {
        CardWay::Link
    };
    let mut problems = Problems::new();
    let mut tenders = Vec::new();
    for (at, wanted) in input.iter().enumerate() {
        let pointer = |field: &str| format!("/tenders/{at}/{field}");
        let tender = wanted.tender.parse::<Tender>().ok();
        problems.check(
            tender.is_some(),
            &pointer("tender"),
            "must be cash, card, bank or account",
        );
        problems.check(
            wanted.amount.currency == currency,
            &pointer("amount/currency"),
            "must be the currency of this branch",
        );
        let given = wanted.given.unwrap_or(wanted.amount);
        problems.check(
            given.currency == currency,
            &pointer("given/currency"),
            "must be the currency of this branch",
        );
        let way = match wanted.via.as_deref() {
            None => Some(usual),
            Some(via) => via.parse::<CardWay>().ok(),
        };
        problems.check(way.is_some(), &pointer("via"), "must be reader or link");
        if let Some(tender) = tender {
            tenders.push(TenderLine {
                payment: PaymentId::from_random(&mut tx.random()),
                tender,
                amount_minor: wanted.amount.amount_minor,
                given_minor: given.amount_minor,
                way: way.filter(|_| tender == Tender::Card),
            });
        }
    }
    problems.finish(tenders).map_err(AppError::Invalid)
}

pub(super) fn refused(error: TillError, currency: Currency) -> AppError {
    match error {
        TillError::Unequal { due_minor, .. } => {
            let due = money(due_minor, currency);
            let detail = "the tenders do not come to what is due";
            AppError::conflict("unequal", detail)
                .with("due", serde_json::to_value(due).unwrap_or_default())
        }
        TillError::Tender { number, .. } => {
            AppError::field(&format!("/tenders/{}", number.saturating_sub(1)), error)
        }
        other => AppError::field("/tenders", other),
    }
}
