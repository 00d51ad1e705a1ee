//! Moving an order, and taking a step back.
//!
//! An order that ends gives back what it reserved; one that is taken up again reserves what is still free.

use domain::document::DocumentKind;
use domain::id::{DocumentId, EventId};
use domain::order::{
    LineKind, MoveError, OrderError, OrderView, Status, add_note, move_status, undo_status,
};
use domain::permission::Permission;
use serde_json::Value;
use sync_protocol::item::{Item, Release, Reserve, command};
use web_kit::etag::IfMatch;

use super::super::require;
use super::form::{LineStock, Order, StatusInput, UndoInput};
use super::show::{allowed, line_stock};
use super::{is_ended, open, shown};
use crate::error::AppError;
use crate::store::{Actor, WriteTx, order as rows, stock};

/// Moves an order as a person wishes; a refusal says where it may go.
pub fn move_to(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: DocumentId,
    if_match: &IfMatch,
    input: StatusInput,
) -> Result<Order, AppError> {
    require(actor, Permission::OrdersMove)?;
    let record = open(tx, id, if_match)?;
    let view = &record.view;
    check_home(tx, view)?;
    let (staff, now_ms) = (actor.staff, tx.now_ms());
    let event = EventId::from_random(&mut tx.random());
    let mut edits = move_status(view, input.status, input.outcome, event, staff, now_ms)
        .map_err(|error| refused(error, view))?;
    if input.status == Status::Collected
        && input
            .outcome
            .is_some_and(|outcome| view.outcome != Some(outcome))
    {
        return Err(AppError::field(
            "/outcome",
            "the order keeps the outcome that it became ready with; leave it out",
        ));
    }
    if let Some(note) = input.note.filter(|note| !note.trim().is_empty()) {
        let note_id = EventId::from_random(&mut tx.random());
        let noted = add_note(view, note_id, &note, staff, now_ms).map_err(|error| match error {
            OrderError::Fields(_) => {
                AppError::field("/note", "is too long or holds control characters")
            }
            other => other.into(),
        })?;
        edits.extend(noted);
    }
    tx.begin(command::ORDER_STATUS, actor)?;
    tx.edit_document(id, DocumentKind::Order, &edits)?;
    keep_stock(tx, id, view.status)?;
    shown(tx, id)
}

/// Takes a step back: the last that counts, or the one that is named.
pub fn undo(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: DocumentId,
    if_match: &IfMatch,
    input: UndoInput,
) -> Result<Order, AppError> {
    require(actor, Permission::OrdersMove)?;
    let record = open(tx, id, if_match)?;
    let view = &record.view;
    check_home(tx, view)?;
    let fold = view.fold();
    let undone = match (input.event_id, fold.deciding.as_slice()) {
        (Some(event), _) => event,
        (None, [event]) => *event,
        (None, _) => {
            let detail =
                "several steps contradict each other; say which one to take back in event_id";
            return Err(AppError::conflict("several-steps", detail));
        }
    };
    let event = EventId::from_random(&mut tx.random());
    let edits =
        undo_status(view, undone, event, actor.staff, tx.now_ms()).map_err(
            |error| match error {
                OrderError::UnknownEvent => AppError::conflict(
                    "not-undoable",
                    "this step was undone already, or is the one that the order began with",
                ),
                other => other.into(),
            },
        )?;
    tx.begin(command::ORDER_STATUS, actor)?;
    tx.edit_document(id, DocumentKind::Order, &edits)?;
    keep_stock(tx, id, view.status)?;
    shown(tx, id)
}

/// Who holds the device moves it.
fn check_home(tx: &WriteTx<'_>, view: &OrderView) -> Result<(), AppError> {
    if view.branch == tx.identity().branch {
        return Ok(());
    }
    Err(AppError::conflict(
        "other-branch",
        "the order belongs to another branch, which moves it",
    ))
}

fn refused(error: OrderError, view: &OrderView) -> AppError {
    match error {
        OrderError::Move(error @ (MoveError::NeedsOutcome | MoveError::NoOutcomeHere)) => {
            AppError::field("/outcome", error)
        }
        OrderError::Move(error) => {
            let allowed: Vec<Value> = allowed(view)
                .into_iter()
                .map(|status| status.as_str().into())
                .collect();
            AppError::conflict("move-not-allowed", error.to_string()).with("allowed", allowed)
        }
        other => other.into(),
    }
}

/// Brings reservations in line with the status, when the order ended or was taken up again.
pub(crate) fn keep_stock(
    tx: &mut WriteTx<'_>,
    id: DocumentId,
    before: Status,
) -> Result<(), AppError> {
    let Some(record) = rows::get(&tx.reader(), id)? else {
        return Ok(());
    };
    let view = record.view;
    if is_ended(before) == is_ended(view.status) {
        return Ok(());
    }
    for line in view.lines.iter().filter(|line| line.kind == LineKind::Part) {
        match line_stock(&tx.reader(), id, line)? {
            LineStock::Reserved if is_ended(view.status) => {
                tx.fact(Item::Release(Release {
                    reservation: line.id,
                }))?;
            }
            LineStock::Open if !is_ended(view.status) => {
                let (Some(part), Ok(quantity)) = (line.part, u32::try_from(line.quantity)) else {
                    continue;
                };
                if stock::balance(&tx.reader(), part)?.free() >= line.quantity {
                    tx.fact(Item::Reserve(Reserve {
                        id: line.id,
                        part,
                        quantity,
                    }))?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}
