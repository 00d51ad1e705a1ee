//! Closing what nothing else ends: somebody looked into it, and says why nothing is left to do.
//!
//! Most exceptions end with their cause: a count, a settled field, a decision about what is parked. A booking that came
//! twice or contradicts another stays true for ever; it ends when a person says so. Closing is an item of the hub's log,
//! so a rebuild gives the same list.

use domain::text::{NOTE_MAX, clean_block};
use sync_protocol::item::{ExceptionMark, Item, Mark};

use super::{DECISIONS, ExceptionKey, ExceptionRecord};
use crate::app::HubTx;
use crate::app::error::AppError;
use crate::app::reconcile::EXCEPTION;
use crate::app::session::Person;
use crate::store::audit::read as audit;

/// Kinds of exceptions that end when a person says so.
pub const CLOSABLE: [&str; 6] = [
    "superseded",
    "contradiction",
    "double_number",
    "transfer",
    "payment",
    "dead_letter",
];

/// What a hub that reads a mark takes as its kind; none for a kind that ends otherwise.
pub fn closable(kind: &str) -> Option<&'static str> {
    CLOSABLE.into_iter().find(|known| *known == kind)
}

/// The same for marks of the log: what people close, and what a night opens and ends.
pub(crate) fn markable(kind: &str) -> Option<&'static str> {
    closable(kind).or((kind == EXCEPTION).then_some(EXCEPTION))
}

/// Closes an exception with a reason; gives what it said.
///
/// # Errors
/// An exception that is not open, one that ends with its cause, no reason.
pub async fn close(
    tx: &mut HubTx,
    person: &Person,
    key: &ExceptionKey,
    reason: &str,
) -> Result<ExceptionRecord, AppError> {
    let record = audit::exception(tx.sql(), key)
        .await?
        .filter(|record| person.scope().allows(record.branch))
        .ok_or(AppError::NotFound { what: "exception" })?;
    if closable(&record.kind).is_none() {
        return Err(ends_otherwise(&record.kind));
    }
    let reason =
        clean_block(reason, NOTE_MAX).map_err(|error| AppError::field("/reason", error))?;
    if reason.is_empty() {
        return Err(AppError::field("/reason", "must say why"));
    }
    tx.fact(mark_of(&record, Mark::Closed { reason }));
    Ok(record)
}

/// Takes that back: the exception stands as it stood.
///
/// # Errors
/// When one of its kind is open there again.
pub async fn reopen(
    tx: &mut HubTx,
    person: &Person,
    record: &ExceptionRecord,
) -> Result<(), AppError> {
    person.require_branch(record.branch)?;
    let key = (record.branch, record.kind.clone(), record.subject);
    if audit::exception(tx.sql(), &key).await?.is_some() {
        return Err(AppError::Stale);
    }
    let mark = Mark::Reopened {
        detail: record.detail.clone(),
        since_ms: record.at_ms,
    };
    tx.fact(mark_of(record, mark));
    Ok(())
}

/// The open decision about a subject, whatever its kind.
///
/// # Errors
/// When there is none that the person may see.
pub async fn decision_about(
    tx: &mut HubTx,
    person: &Person,
    subject: [u8; 16],
) -> Result<ExceptionRecord, AppError> {
    let found = audit::about(tx.sql(), subject, &DECISIONS).await?;
    found
        .into_iter()
        .find(|record| person.scope().allows(record.branch))
        .ok_or(AppError::NotFound { what: "decision" })
}

fn mark_of(record: &ExceptionRecord, mark: Mark) -> Item {
    Item::ExceptionMark(ExceptionMark {
        branch: record.branch,
        kind: record.kind.clone(),
        subject: record.subject,
        mark,
    })
}

/// Where an exception that nobody closes comes to its end.
fn ends_otherwise(kind: &str) -> AppError {
    let detail = match kind {
        "status_conflict" => {
            "steps of an order belong to its branch; settle it there, on the page of decisions"
        }
        "negative_stock" => "this ends when the branch counts the part",
        "transfer_found" => "the hub books the found pieces back by itself",
        EXCEPTION => "this ends when the night is done again and agrees",
        "conflict" => "this ends when one of the versions is kept",
        "parked" => "release the parked entry, or drop it",
        _ => "this ends with its cause",
    };
    AppError::conflict("ends-otherwise", detail)
}
