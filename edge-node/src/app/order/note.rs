//! Notes of an order.

use domain::id::{DocumentId, EventId};
use domain::order::add_note;
use domain::permission::Permission;
use sync_protocol::item::command;
use web_kit::etag::IfMatch;

use super::super::require;
use super::form::{NoteInput, Order};
use super::{open, write};
use crate::error::AppError;
use crate::store::{Actor, WriteTx};

/// Writes a note.
pub fn add(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: DocumentId,
    if_match: &IfMatch,
    input: NoteInput,
) -> Result<Order, AppError> {
    require(actor, Permission::OrdersWrite)?;
    let record = open(tx, id, if_match)?;
    let note = EventId::from_random(&mut tx.random());
    let edits = add_note(&record.view, note, &input.text, actor.staff, tx.now_ms())?;
    tx.begin(command::ORDER_NOTE, actor)?;
    write(tx, id, &edits)
}
