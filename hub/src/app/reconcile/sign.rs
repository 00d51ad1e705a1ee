//! Signing a night off, and opening it again: items of the hub's log, the newest word counts.

use domain::day::SignOff;
use domain::id::BranchId;
use domain::reconcile::CheckState;
use domain::text::{REASON_MAX, clean_line};
use sync_protocol::item::Item;

use super::read::{Filter, Night, Signed, read};
use crate::app::HubTx;
use crate::app::error::AppError;
use crate::app::session::Person;

/// A person's word on a night.
#[derive(Debug, Clone, Default)]
pub struct SignOffInput {
    /// The branch; none for the whole chain.
    pub branch: Option<BranchId>,
    /// Why; needed where not all is green, and to open it again.
    pub reason: String,
}

/// Signs a night off.
///
/// # Errors
/// A night that there is not, another branch's, no reason where not all is green, what is signed already.
pub async fn sign_off(
    tx: &mut HubTx,
    person: &Person,
    day: i32,
    input: &SignOffInput,
) -> Result<Night, AppError> {
    let night = of(tx, person, day, input).await?;
    if signed(&night, input).is_some() {
        let detail = "this night is signed off already";
        return Err(AppError::conflict("signed", detail));
    }
    let reason = reason_of(input)?;
    if night.state != CheckState::Green && reason.is_empty() {
        return Err(AppError::field("/reason", "must say why: not all is green"));
    }
    say(tx, person, night, (day, input), (true, reason))
}

/// Opens a night again.
///
/// # Errors
/// A night that there is not, another branch's, no reason, what nobody signed off.
pub async fn reopen(
    tx: &mut HubTx,
    person: &Person,
    day: i32,
    input: &SignOffInput,
) -> Result<Night, AppError> {
    let night = of(tx, person, day, input).await?;
    let reason = reason_of(input)?;
    if reason.is_empty() {
        return Err(AppError::field("/reason", "must say why"));
    }
    if signed(&night, input).is_none() {
        let detail = "nobody signed this night off";
        return Err(AppError::conflict("not-signed", detail));
    }
    say(tx, person, night, (day, input), (false, reason))
}

async fn of(
    tx: &mut HubTx,
    person: &Person,
    day: i32,
    input: &SignOffInput,
) -> Result<Night, AppError> {
    match input.branch {
        Some(branch) => person.require_branch(branch)?,
        None => person.require_chain()?,
    }
    let filter = Filter {
        branch: input.branch,
        ..Filter::default()
    };
    read(tx.sql(), person, day, filter).await
}

/// The word on what the input names: a branch that the whole chain's word covers has none of its own to take back.
fn signed<'a>(night: &'a Night, input: &SignOffInput) -> Option<&'a Signed> {
    match input.branch {
        None => night.signed.as_ref(),
        Some(_) => night.branches.first()?.signed.as_ref(),
    }
}

fn reason_of(input: &SignOffInput) -> Result<String, AppError> {
    clean_line(&input.reason, REASON_MAX).map_err(|error| AppError::field("/reason", error))
}

fn say(
    tx: &mut HubTx,
    person: &Person,
    mut night: Night,
    (day, input): (i32, &SignOffInput),
    (signed, reason): (bool, String),
) -> Result<Night, AppError> {
    tx.fact(Item::SignOff(SignOff {
        business_day: day,
        branch: input.branch.unwrap_or(BranchId::NIL),
        signed,
        reason: reason.clone(),
    }));
    let word = signed.then(|| Signed {
        name: person.name.clone(),
        at_ms: tx.at_ms(),
        reason,
    });
    if input.branch.is_none() {
        night.signed.clone_from(&word);
    }
    for branch in &mut night.branches {
        branch.signed.clone_from(&word);
    }
    Ok(night)
}
