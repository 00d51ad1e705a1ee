//! Estimates of an order, and what the customer said.

use domain::id::{DocumentId, EventId};
use domain::order::{OrderError, add_estimate, answer_estimate, totals};
use domain::permission::Permission;
use sync_protocol::item::command;
use web_kit::etag::IfMatch;

use super::super::require;
use super::form::{AnswerInput, EstimateInput, Order};
use super::{open, write};
use crate::error::AppError;
use crate::store::{Actor, WriteTx};

/// Makes the next estimate.
pub fn add(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: DocumentId,
    if_match: &IfMatch,
    input: EstimateInput,
) -> Result<Order, AppError> {
    require(actor, Permission::OrdersWrite)?;
    let record = open(tx, id, if_match)?;
    let view = &record.view;
    let gross_minor = match input.gross {
        Some(gross) if gross.currency != view.currency => {
            let detail = format!("the order is in {}", view.currency);
            return Err(AppError::field("/gross/currency", detail));
        }
        Some(gross) if gross.amount_minor < 0 => {
            return Err(AppError::field(
                "/gross/amount_minor",
                "must not be below zero",
            ));
        }
        Some(gross) => gross.amount_minor,
        None if view.lines.is_empty() => {
            return Err(AppError::field(
                "/gross",
                "must be given while the order has no lines",
            ));
        }
        None => {
            totals(view)
                .map_err(|error| AppError::field("/gross", error))?
                .gross_minor
        }
    };
    let estimate = EventId::from_random(&mut tx.random());
    let edits = add_estimate(view, estimate, gross_minor).map_err(|error| match error {
        OrderError::Money(error) => AppError::field("/gross/amount_minor", error),
        other => other.into(),
    })?;
    tx.begin(command::ORDER_ESTIMATE, actor)?;
    write(tx, id, &edits)
}

/// Writes the customer's answer to a version.
pub fn answer(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: DocumentId,
    version: u32,
    if_match: &IfMatch,
    input: AnswerInput,
) -> Result<Order, AppError> {
    require(actor, Permission::OrdersWrite)?;
    let record = open(tx, id, if_match)?;
    let edits = answer_estimate(&record.view, version, input.answer, &input.by, tx.now_ms())?;
    tx.begin(command::ORDER_ESTIMATE, actor)?;
    write(tx, id, &edits)
}
