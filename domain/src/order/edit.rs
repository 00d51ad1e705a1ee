//! Changing an order: each function gives the edits of one act, or says why it cannot be.
//!
//! Only what differs from the view is written, so posting a shown value never settles a conflict by accident.

use super::{
    MAX_ENTRIES_PER_ORDER, MoveError, OrderView, Outcome, Status, StatusEvent, allowed_moves,
    check_move, status,
};
use crate::document::policy::is_time;
use crate::document::{Edit, Scalar};
use crate::id::{DocumentId, EventId, StaffId};
use crate::money::MoneyError;
use crate::patch::Patch;
use crate::problem::{FieldProblem, Problems};
use crate::text::{self, FAULT_MAX, KEY_MAX, NAME_MAX, NOTE_MAX, SERIAL_MAX, TextError};
use std::collections::BTreeMap;
use thiserror::Error;

/// Why an order cannot be changed so.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OrderError {
    /// Input that is wrong, by field.
    #[error("some fields are wrong")]
    Fields(Vec<FieldProblem>),
    /// A move that the table does not have.
    #[error(transparent)]
    Move(#[from] MoveError),
    /// The first event of an order is `received`.
    #[error("a new order is received first")]
    NotReceived,
    /// No such line.
    #[error("the order has no such line")]
    UnknownLine,
    /// No such event, or one that cannot be undone.
    #[error("there is no such step that could be undone")]
    UnknownEvent,
    /// No such estimate.
    #[error("the order has no such estimate")]
    UnknownEstimate,
    /// The estimate has another answer already.
    #[error("this estimate was answered already; make a new one")]
    Answered,
    /// An amount beyond the bounds.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// No more entries fit.
    #[error("the order takes no more entries")]
    Full,
}

/// What to change in an order.
#[derive(Debug, Clone, Default)]
pub struct OrderPatch {
    /// The customer document.
    pub customer: Patch<DocumentId>,
    /// When it is promised.
    pub promised_at_ms: Patch<i64>,
    /// Who works on it.
    pub technician: Patch<StaffId>,
    /// Whether it goes first.
    pub urgent: Patch<bool>,
    /// When the customer accepted the terms.
    pub terms_at_ms: Patch<i64>,
    /// What was found.
    pub diagnosis: Patch<String>,
    /// The device's kind.
    pub category: Patch<String>,
    /// Its maker.
    pub brand: Patch<String>,
    /// Its model.
    pub model: Patch<String>,
    /// Its serial number.
    pub serial: Patch<String>,
    /// What is wrong with it.
    pub fault: Patch<String>,
    /// All accessories, by id; those not in it are removed.
    pub accessories: Option<BTreeMap<String, String>>,
    /// All conditions; those not in it are removed.
    pub condition: Option<BTreeMap<String, String>>,
}

/// The edits that bring an order from `view` to what `patch` says.
pub fn patch_order(view: &OrderView, patch: &OrderPatch) -> Result<Vec<Edit>, OrderError> {
    let mut problems = Problems::new();
    let mut edits = Vec::new();
    let id = |id: Option<String>| id.map(Scalar::Str);
    edits.extend(field(
        &["customer"],
        id(view.customer.map(|id| id.to_string())),
        patch.customer.map(|id| Scalar::Str(id.to_string())),
    ));
    edits.extend(field(
        &["technician"],
        id(view.technician.map(|id| id.to_string())),
        patch.technician.map(|id| Scalar::Str(id.to_string())),
    ));
    edits.extend(field(
        &["promised_at"],
        view.promised_at_ms.map(Scalar::Int),
        patch.promised_at_ms.map(Scalar::Int),
    ));
    edits.extend(field(
        &["terms_at"],
        view.terms_at_ms.map(Scalar::Int),
        patch.terms_at_ms.map(Scalar::Int),
    ));
    edits.extend(field(
        &["urgent"],
        view.urgent.then_some(Scalar::Bool(true)),
        urgent(patch.urgent),
    ));
    check_times(
        &[
            ("/promised_at", patch.promised_at_ms),
            ("/terms_accepted_at", patch.terms_at_ms),
        ],
        &mut problems,
    );
    let diagnosis = patch
        .diagnosis
        .as_ref()
        .map(|text| text::clean_block(text, NOTE_MAX));
    edits.extend(text_field(
        &["diagnosis"],
        "/diagnosis",
        &view.diagnosis,
        diagnosis,
        &mut problems,
    ));
    edits.extend(patch_device(view, patch, &mut problems));
    problems.finish(edits).map_err(OrderError::Fields)
}

/// Refuses times that RFC 3339 cannot write.
pub(super) fn check_times(times: &[(&str, Patch<i64>)], problems: &mut Problems) {
    for (pointer, at_ms) in times {
        let good = !matches!(at_ms, Patch::Set(at_ms) if !is_time(*at_ms));
        problems.check(good, pointer, "must be a time in the years 0 to 9999");
    }
}

/// Not urgent is the absence of the key.
fn urgent(patch: Patch<bool>) -> Patch<Scalar> {
    match patch {
        Patch::Set(false) | Patch::Clear => Patch::Clear,
        Patch::Set(true) => Patch::Set(Scalar::Bool(true)),
        Patch::Keep => Patch::Keep,
    }
}

fn patch_device(view: &OrderView, patch: &OrderPatch, problems: &mut Problems) -> Vec<Edit> {
    let device = &view.device;
    let mut edits = Vec::new();
    for (name, shown, wish) in [
        ("category", &device.category, &patch.category),
        ("brand", &device.brand, &patch.brand),
        ("model", &device.model, &patch.model),
        ("serial", &device.serial, &patch.serial),
        ("fault", &device.fault, &patch.fault),
    ] {
        let wish = wish.as_ref().map(|value| device_text(name, value));
        edits.extend(text_field(
            &["device", name],
            &format!("/device/{name}"),
            shown,
            wish,
            problems,
        ));
    }
    for (name, shown, wish) in [
        ("accessories", &device.accessories, &patch.accessories),
        ("condition", &device.condition, &patch.condition),
    ] {
        if let Some(wish) = wish {
            edits.extend(patch_map(name, shown, wish, problems));
        }
    }
    edits
}

fn patch_map(
    name: &str,
    shown: &BTreeMap<String, String>,
    wish: &BTreeMap<String, String>,
    problems: &mut Problems,
) -> Vec<Edit> {
    let pointer = format!("/device/{name}");
    problems.check(
        wish.len() <= 100,
        &pointer,
        "must not have more than 100 entries",
    );
    let mut edits = Vec::new();
    for key in shown.keys().filter(|key| !wish.contains_key(*key)) {
        edits.push(Edit::delete(&["device", name, key]));
    }
    for (key, value) in wish {
        let key = problems.take(&pointer, text::required_line(key, KEY_MAX));
        let value = problems.take(&pointer, text::clean_line(value, NAME_MAX));
        if shown.get(&key) != Some(&value) {
            edits.push(Edit::text(&["device", name, &key], value));
        }
    }
    edits
}

/// Cleans a text field of the device by its own rule.
pub(super) fn device_text(field: &str, value: &str) -> Result<String, TextError> {
    match field {
        "fault" => text::clean_block(value, FAULT_MAX),
        "serial" => text::clean_line(value, SERIAL_MAX),
        _ => text::clean_line(value, NAME_MAX),
    }
}

fn text_field(
    path: &[&str],
    pointer: &str,
    shown: &str,
    wish: Patch<Result<String, TextError>>,
    problems: &mut Problems,
) -> Option<Edit> {
    let wish = wish.map(|clean| problems.take(pointer, clean));
    let wish = match wish {
        Patch::Set(text) if text.is_empty() => Patch::Clear,
        other => other.map(Scalar::Str),
    };
    let shown = (!shown.is_empty()).then(|| Scalar::Str(shown.to_owned()));
    field(path, shown, wish)
}

/// The edit that brings one field from what is shown to what is wished, if they differ.
pub(crate) fn field(path: &[&str], shown: Option<Scalar>, wish: Patch<Scalar>) -> Option<Edit> {
    match wish {
        Patch::Keep => None,
        Patch::Clear => shown.map(|_| Edit::delete(path)),
        Patch::Set(value) if shown.as_ref() == Some(&value) => None,
        Patch::Set(value) => Some(Edit::put(path, value)),
    }
}

/// Adds a note.
pub fn add_note(
    view: &OrderView,
    id: EventId,
    note: &str,
    staff: StaffId,
    at_ms: i64,
) -> Result<Vec<Edit>, OrderError> {
    if view.notes.len() >= MAX_ENTRIES_PER_ORDER {
        return Err(OrderError::Full);
    }
    let mut problems = Problems::new();
    let note = problems.take("/text", text::clean_block(note, NOTE_MAX));
    problems.check(!note.is_empty(), "/text", "must not be empty");
    let note = problems.finish(note).map_err(OrderError::Fields)?;
    let id = id.to_string();
    let path = |field: &'static str| ["notes", id.as_str(), field].map(str::to_owned);
    let mut edits = vec![
        Edit::map(&["notes", id.as_str()]),
        Edit::text(&path("text"), note),
        Edit::int(&path("at"), at_ms),
    ];
    if !staff.is_nil() {
        edits.push(Edit::text(&path("staff"), staff.to_string()));
    }
    Ok(edits)
}

/// Moves an order as a person wishes. With a status conflict it may be moved from any of the rival states.
pub fn move_status(
    view: &OrderView,
    to: Status,
    outcome: Option<Outcome>,
    id: EventId,
    staff: StaffId,
    at_ms: i64,
) -> Result<Vec<Edit>, OrderError> {
    let fold = view.fold();
    let rivals = view
        .events
        .iter()
        .filter(|event| fold.conflict && fold.deciding.contains(&event.id));
    let from = rivals
        .filter_map(|event| event.to)
        .find(|from| allowed_moves(*from).contains(&to))
        .unwrap_or(fold.status);
    check_move(from, to, outcome)?;
    let outcome = match to {
        Status::Ready => outcome,
        Status::Collected => fold.outcome,
        _ => None,
    };
    new_event(
        view,
        StatusEvent {
            id,
            rank: fold.next_rank,
            to: Some(to),
            outcome,
            staff,
            at_ms,
            undoes: None,
        },
    )
}

/// Settles a status conflict: one of the rival events is said once more, above all of them.
pub fn settle_status(
    view: &OrderView,
    keep: EventId,
    id: EventId,
    staff: StaffId,
    at_ms: i64,
) -> Result<Vec<Edit>, OrderError> {
    let fold = view.fold();
    let known = fold.conflict && fold.deciding.contains(&keep);
    let kept = view
        .events
        .iter()
        .find(|event| known && event.id == keep)
        .ok_or(OrderError::UnknownEvent)?;
    let (to, outcome) = (kept.to, kept.outcome);
    new_event(
        view,
        StatusEvent {
            id,
            rank: fold.next_rank,
            to,
            outcome,
            staff,
            at_ms,
            undoes: None,
        },
    )
}

/// Undoes an event: a new event takes it out of the fold. The last one that says a status cannot be undone.
pub fn undo_status(
    view: &OrderView,
    undoes: EventId,
    id: EventId,
    staff: StaffId,
    at_ms: i64,
) -> Result<Vec<Edit>, OrderError> {
    let active = status::active_events(&view.events);
    let target = active
        .iter()
        .find(|event| event.id == undoes)
        .ok_or(OrderError::UnknownEvent)?;
    let others_say = active
        .iter()
        .any(|event| event.id != undoes && event.to.is_some());
    if target.to.is_some() && !others_say {
        return Err(OrderError::UnknownEvent);
    }
    let rank = view.fold().next_rank;
    new_event(
        view,
        StatusEvent {
            id,
            rank,
            to: None,
            outcome: None,
            staff,
            at_ms,
            undoes: Some(undoes),
        },
    )
}

fn new_event(view: &OrderView, event: StatusEvent) -> Result<Vec<Edit>, OrderError> {
    if view.events.len() >= MAX_ENTRIES_PER_ORDER || event.rank > status::MAX_RANK {
        return Err(OrderError::Full);
    }
    Ok(event_edits(&event))
}

/// The edits that write one event.
pub(super) fn event_edits(event: &StatusEvent) -> Vec<Edit> {
    let id = event.id.to_string();
    let path = |field: &'static str| ["status", id.as_str(), field].map(str::to_owned);
    let mut edits = vec![
        Edit::map(&["status", id.as_str()]),
        Edit::int(&path("rank"), event.rank),
        Edit::int(&path("at"), event.at_ms),
    ];
    edits.extend(event.to.map(|to| Edit::text(&path("to"), to.as_str())));
    edits.extend(
        event
            .outcome
            .map(|outcome| Edit::text(&path("outcome"), outcome.as_str())),
    );
    edits.extend(
        (!event.staff.is_nil()).then(|| Edit::text(&path("staff"), event.staff.to_string())),
    );
    edits.extend(
        event
            .undoes
            .map(|undoes| Edit::text(&path("undoes"), undoes.to_string())),
    );
    edits
}
