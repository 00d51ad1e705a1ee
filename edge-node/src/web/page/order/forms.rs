//! The forms about the order itself: diagnosis, plan, device, note.
//!
//! Each is drawn by itself, so that a refused one comes back alone with what was typed. A form knows what it was
//! drawn from; where somebody else wrote meanwhile it is refused and shows both.

mod device;
mod diagnosis;
mod note;
mod plan;

use domain::id::DocumentId;
use sync_protocol::hash::sha256;
use web_kit::Toast;

use super::desk::Desk;
use crate::app::order;
use crate::app::order::form::Order;
use crate::error::AppError;
use crate::store::{Actor, WriteTx};
pub(crate) use device::device;
pub(crate) use diagnosis::diagnosis;
pub(crate) use note::note;
pub(crate) use plan::plan;
use web_kit::wire::hex;

/// What a form was drawn from, in few letters.
pub(super) fn mark_of(values: &[&str]) -> String {
    hex(&sha256(values.join("\u{1f}").as_bytes()))[..16].to_owned()
}

fn meanwhile() -> AppError {
    AppError::conflict(
        "changed-meanwhile",
        "somebody else changed it since the form was opened",
    )
}

/// The order, when what the form was drawn from still stands there.
fn unchanged(
    tx: &WriteTx<'_>,
    actor: &Actor,
    id: DocumentId,
    base: &str,
    mark: impl Fn(&Order) -> String,
) -> Result<(), AppError> {
    let order = order::get(&tx.reader(), actor, id)?;
    if mark(&order) == base {
        Ok(())
    } else {
        Err(meanwhile())
    }
}

impl Desk {
    fn saved(&self, order: &Order, did: &str, undo: &str) -> Toast {
        let did = if undo.is_empty() {
            did
        } else {
            self.t().did_undo
        };
        Toast::new(order.number.clone(), did)
    }
}
