//! The repair order: one device, from the counter and back.
//!
//! An order is an Automerge document that the home branch, a performing branch and the hub edit together. Its status
//! is a fold over events by rank, its totals are computed; neither is ever stored in the document.

mod create;
mod edit;
mod estimate;
mod line;
mod status;
mod view;

pub use create::{NewOrder, StatusMove, create_order};
pub(crate) use edit::field;
pub use edit::{
    OrderError, OrderPatch, add_note, move_status, patch_order, settle_status, undo_status,
};
pub use estimate::{Estimate, EstimateAnswer, MAX_VERSION, add_estimate, answer_estimate};
pub(crate) use line::add_up;
pub use line::{
    Line, LineInput, LineKind, LinePatch, RateTotal, Totals, add_line, change_line, remove_line,
    totals,
};
pub use status::{
    Fold, MAX_RANK, MoveError, Outcome, Status, StatusEvent, allowed_moves, check_move, fold_status,
};
pub use view::{Device, Note, OrderView, read_order};

/// The most lines, notes or events that one order takes through our own edits.
pub const MAX_ENTRIES_PER_ORDER: usize = 500;
