//! Putting right what a night found: amounts of the ledger by a correction, lines of statements by a match. Both have a
//! reason, stand in the hub's log, and can be taken back.

use std::collections::BTreeMap;

use domain::day::{MoneyCorrection, SettlementMatch};
use domain::id::{BranchId, CorrectionId, PaymentId};
use domain::ledger::MoneyAccount;
use domain::money::Currency;
use domain::payment::{PaymentOutcome, PaymentResult, Provider};
use domain::text::{REASON_MAX, required_line};
use domain::till::Tender;
use sync_protocol::item::Item;

use crate::app::branch::{code_of, codes, named};
use crate::app::error::AppError;
use crate::app::session::Person;
use crate::app::{Hub, HubTx};
use crate::error::HubError;
use crate::store::ids::OfUuid;
use crate::store::payments::payment::belongs;
use crate::store::payments::read::payment as payment_row;
use crate::store::reconciliation::ledger::account_of;
use crate::store::reconciliation::run::{self as store, CorrectionRow};
use crate::store::staff::read::names;

/// An amount to be put right.
#[derive(Debug, Clone)]
pub struct NewCorrection {
    /// Code or id of the branch.
    pub branch: String,
    /// The account that it leaves.
    pub from: MoneyAccount,
    /// The account that it enters.
    pub to: MoneyAccount,
    /// Minor units, above zero.
    pub amount_minor: i64,
    /// The currency.
    pub currency: Currency,
    /// Why.
    pub reason: String,
}

/// An amount that was put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// Its id.
    pub id: CorrectionId,
    /// Code of the branch.
    pub branch: String,
    /// The account that it leaves.
    pub from: MoneyAccount,
    /// The account that it enters.
    pub to: MoneyAccount,
    /// Minor units.
    pub amount_minor: i64,
    /// The currency.
    pub currency: String,
    /// The correction that it takes back.
    pub undoes: Option<CorrectionId>,
    /// Whether it was taken back.
    pub is_undone: bool,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When.
    pub at_ms: i64,
}

/// Puts an amount right.
///
/// # Errors
/// Wrong fields, another branch's ledger.
pub async fn correct(
    tx: &mut HubTx,
    person: &Person,
    new: &NewCorrection,
) -> Result<Correction, AppError> {
    let branch = named(tx.sql(), "/branch", &new.branch).await?;
    let correction = MoneyCorrection {
        id: CorrectionId::from_random(&mut tx.hub().env().entropy()),
        branch,
        from: new.from,
        to: new.to,
        amount_minor: new.amount_minor,
        currency: new.currency,
        undoes: None,
        reason: reason_of(&new.reason)?,
    };
    write(tx, person, correction).await
}

/// Takes a correction back.
///
/// # Errors
/// One that there is not, that is taken back already, or that takes another back; no reason.
pub async fn undo_correction(
    tx: &mut HubTx,
    person: &Person,
    id: CorrectionId,
    reason: &str,
) -> Result<Correction, AppError> {
    let missing = AppError::NotFound { what: "correction" };
    let rows = store::corrections(tx.sql(), Some(*id.as_bytes()), 1).await?;
    let row = rows.into_iter().next().ok_or(missing)?;
    if !person.scope().allows(row.branch) {
        return Err(AppError::NotFound { what: "correction" });
    }
    let reason = reason_of(reason)?;
    if row.is_undone || row.undoes.is_some() {
        let detail = "this correction is taken back already, or takes another back";
        return Err(AppError::conflict("undone", detail));
    }
    let correction = MoneyCorrection {
        id: CorrectionId::from_random(&mut tx.hub().env().entropy()),
        branch: row.branch,
        from: account_of(row.to)?,
        to: account_of(row.from)?,
        amount_minor: row.amount_minor,
        currency: row
            .currency
            .parse()
            .map_err(|_| HubError::Row("a currency that is none"))?,
        undoes: Some(id),
        reason,
    };
    write(tx, person, correction).await
}

async fn write(
    tx: &mut HubTx,
    person: &Person,
    correction: MoneyCorrection,
) -> Result<Correction, AppError> {
    person.require_branch(correction.branch)?;
    let pointer = if correction.amount_minor <= 0 {
        "/amount_minor"
    } else {
        "/to"
    };
    correction
        .check_form()
        .map_err(|error| AppError::field(pointer, error))?;
    let codes = codes(tx.sql()).await?;
    let view = Correction {
        id: correction.id,
        branch: code_of(&codes, correction.branch),
        from: correction.from,
        to: correction.to,
        amount_minor: correction.amount_minor,
        currency: correction.currency.to_string(),
        undoes: correction.undoes,
        is_undone: false,
        reason: correction.reason.clone(),
        by: person.name.clone(),
        at_ms: tx.at_ms(),
    };
    tx.fact(Item::MoneyCorrection(correction));
    Ok(view)
}

/// Corrections that the person may see, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn corrections(
    hub: &Hub,
    person: &Person,
    limit: i64,
) -> Result<Vec<Correction>, AppError> {
    let mut sql = hub.snapshot().await?;
    let codes = codes(&mut sql).await?;
    let rows = store::corrections(&mut sql, None, limit).await?;
    let people: Vec<_> = rows.iter().map(|row| row.staff).collect();
    let people: BTreeMap<_, _> = names(&mut sql, &people).await?.into_iter().collect();
    let view = |row: CorrectionRow| -> Result<Correction, AppError> {
        Ok(Correction {
            id: CorrectionId::from_bytes(row.id),
            branch: code_of(&codes, row.branch),
            from: account_of(row.from)?,
            to: account_of(row.to)?,
            amount_minor: row.amount_minor,
            currency: row.currency,
            undoes: row.undoes.map(CorrectionId::from_bytes),
            is_undone: row.is_undone,
            reason: row.reason,
            by: people.get(&row.staff).cloned().unwrap_or_default(),
            at_ms: row.at_ms,
        })
    };
    rows.into_iter()
        .filter(|row| person.scope().allows(row.branch))
        .map(view)
        .collect()
}

/// What a line of a statement belongs to.
#[derive(Debug, Clone)]
pub struct Match {
    /// Whose statement.
    pub provider: Provider,
    /// The line.
    pub reference: String,
    /// The payment; none takes an earlier word back.
    pub payment: Option<PaymentId>,
    /// Why.
    pub reason: String,
}

/// Says which payment a line of a statement belongs to, or takes that back.
///
/// # Errors
/// A line or a payment that there is not, another branch's, no reason.
pub async fn match_line(tx: &mut HubTx, person: &Person, said: &Match) -> Result<(), AppError> {
    let line = store::settlement_line(tx.sql(), said.provider.as_str(), &said.reference).await?;
    let (branch, amount_minor, currency, matched) =
        line.ok_or_else(|| AppError::field("/reference", "there is no such line"))?;
    see(person, branch)?;
    let matched = matched.map(PaymentId::of_uuid);
    if said.provider == Provider::Bank && matched != said.payment {
        still_free(tx, matched, &said.reference).await?;
    }
    if let Some(payment) = said.payment {
        let known = belongs(tx.sql(), &[payment]).await?;
        let (_, known) = known
            .first()
            .ok_or_else(|| AppError::field("/payment", "there is no such payment"))?;
        see(person, known.branch)?;
    }
    let item = SettlementMatch {
        provider: said.provider,
        reference: said.reference.clone(),
        payment: said.payment,
        reason: reason_of(&said.reason)?,
    };
    item.check_form()
        .map_err(|error| AppError::field("/reference", error))?;
    if let (Provider::Bank, Some(payment)) = (said.provider, said.payment) {
        let came = came(tx, payment, (amount_minor, &currency), &said.reference).await?;
        came.into_iter().for_each(|item| tx.fact(item));
    }
    tx.fact(Item::SettlementMatch(item));
    Ok(())
}

/// Money that came by a line of the bank stays where it was counted: a capture is never taken back.
async fn still_free(
    tx: &mut HubTx,
    matched: Option<PaymentId>,
    reference: &str,
) -> Result<(), AppError> {
    let Some(payment) = matched else {
        return Ok(());
    };
    let row = payment_row(tx.sql(), payment).await?;
    if row.is_some_and(|row| row.captured_minor > 0 && row.reference == reference) {
        let detail = "the payment counts as paid by this line; give it back or correct the ledger";
        return Err(AppError::conflict("came-by-it", detail));
    }
    Ok(())
}

/// A transfer that brings what a payment waits for pays it, whoever saw that it belongs there.
async fn came(
    tx: &mut HubTx,
    payment: PaymentId,
    (amount_minor, currency): (i64, &str),
    reference: &str,
) -> Result<Option<Item>, AppError> {
    let row = payment_row(tx.sql(), payment).await?;
    let fits = row.filter(|row| {
        let is_open = ["queued", "processing", "declined"].contains(&row.state.as_str());
        is_open
            && row.tender == Tender::Bank.as_str()
            && row.currency.as_str() == currency
            && row.asked_minor - row.captured_minor == amount_minor
    });
    Ok(fits.map(|row| {
        Item::PaymentResult(PaymentResult {
            payment: row.id,
            attempt: 1,
            outcome: PaymentOutcome::Captured,
            amount_minor,
            tender: Tender::Bank,
            provider: Provider::Bank,
            reference: reference.to_owned(),
            detail: String::new(),
        })
    }))
}

fn see(person: &Person, branch: BranchId) -> Result<(), AppError> {
    if branch.is_nil() {
        person.require_chain()
    } else {
        person.require_branch(branch)
    }
}

fn reason_of(reason: &str) -> Result<String, AppError> {
    required_line(reason, REASON_MAX).map_err(|error| AppError::field("/reason", error))
}
