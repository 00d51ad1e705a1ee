//! Making a new order.
//!
//! The change that creates an order makes every container, so that no two actors ever make the same one, and holds at
//! least the event of being received. An import brings an order to its recorded outcome with several events at once.

use super::edit::{check_times, device_text, event_edits};
use super::{Device, OrderError, Outcome, Status, StatusEvent, check_move};
use crate::document::{DOCUMENT_VERSION, Edit};
use crate::id::{BranchId, DocumentId, EventId, StaffId, VisitId};
use crate::money::Currency;
use crate::number::parse_order_number;
use crate::patch::Patch;
use crate::problem::Problems;
use crate::text::{self, KEY_MAX, NAME_MAX, SOURCE_MAX};
use std::collections::BTreeMap;

/// A status event of a new order; ranks are given in the order of the list.
#[derive(Debug, Clone)]
pub struct StatusMove {
    /// The event's id.
    pub id: EventId,
    /// The new status; of the first move `received`.
    pub to: Status,
    /// With `ready`: the outcome.
    pub outcome: Option<Outcome>,
    /// When it happened.
    pub at_ms: i64,
}

/// A new order.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// The number that people read.
    pub number: String,
    /// The home branch.
    pub branch: BranchId,
    /// The visit.
    pub visit: VisitId,
    /// The customer document.
    pub customer: Option<DocumentId>,
    /// Where an imported record comes from.
    pub source: Option<String>,
    /// Whether unit prices include tax at this branch.
    pub prices_include_tax: bool,
    /// The branch's currency.
    pub currency: Currency,
    /// The device; keys of `accessories` are [`EventId`]s as text.
    pub device: Device,
    /// When it is promised.
    pub promised_at_ms: Option<i64>,
    /// Who works on it.
    pub technician: Option<StaffId>,
    /// Whether it goes first.
    pub urgent: bool,
    /// When the customer accepted the terms.
    pub terms_at_ms: Option<i64>,
    /// Who takes it in; nil for the system.
    pub staff: StaffId,
    /// At least `received`; each following one an allowed move.
    pub moves: Vec<StatusMove>,
}

/// The edits that make a new order from an empty document.
pub fn create_order(new: &NewOrder) -> Result<Vec<Edit>, OrderError> {
    let mut problems = Problems::new();
    let number = problems.take("/number", parse_order_number(&new.number));
    let source = problems.take(
        "/source",
        text::clean_line(new.source.as_deref().unwrap_or_default(), SOURCE_MAX),
    );
    let set = |at_ms: Option<i64>| at_ms.map_or(Patch::Keep, Patch::Set);
    check_times(
        &[
            ("/promised_at", set(new.promised_at_ms)),
            ("/terms_accepted_at", set(new.terms_at_ms)),
        ],
        &mut problems,
    );
    let device = device_edits(&new.device, &mut problems);
    let events = first_events(new)?;
    let mut edits = vec![
        Edit::int(&["v"], DOCUMENT_VERSION),
        Edit::text(&["number"], number),
        Edit::text(&["branch"], new.branch.to_string()),
        Edit::text(&["visit"], new.visit.to_string()),
        Edit::bool(&["prices_include_tax"], new.prices_include_tax),
        Edit::text(&["currency"], new.currency.as_str()),
    ];
    if !source.is_empty() {
        edits.push(Edit::text(&["source"], source));
    }
    edits.extend(
        new.customer
            .map(|id| Edit::text(&["customer"], id.to_string())),
    );
    edits.extend(
        new.promised_at_ms
            .map(|at_ms| Edit::int(&["promised_at"], at_ms)),
    );
    edits.extend(
        new.technician
            .map(|id| Edit::text(&["technician"], id.to_string())),
    );
    edits.extend(new.urgent.then(|| Edit::bool(&["urgent"], true)));
    edits.extend(new.terms_at_ms.map(|at_ms| Edit::int(&["terms_at"], at_ms)));
    edits.extend(device);
    edits.extend(["lines", "notes", "status", "estimates"].map(|key| Edit::map(&[key])));
    edits.extend(events.iter().flat_map(event_edits));
    problems.finish(edits).map_err(OrderError::Fields)
}

fn device_edits(device: &Device, problems: &mut Problems) -> Vec<Edit> {
    let mut edits = ["device", "device/accessories", "device/condition"]
        .map(|path| Edit::map(&path.split('/').collect::<Vec<_>>()))
        .to_vec();
    for (field, value) in [
        ("category", &device.category),
        ("brand", &device.brand),
        ("model", &device.model),
        ("serial", &device.serial),
        ("fault", &device.fault),
    ] {
        let value = problems.take(&format!("/{field}"), device_text(field, value));
        if !value.is_empty() {
            edits.push(Edit::text(&["device", field], value));
        }
    }
    edits.extend(map_edits("accessories", &device.accessories, problems));
    edits.extend(map_edits("condition", &device.condition, problems));
    edits
}

fn map_edits(field: &str, values: &BTreeMap<String, String>, problems: &mut Problems) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (key, value) in values {
        let key = problems.take(&format!("/{field}"), text::required_line(key, KEY_MAX));
        let value = problems.take(&format!("/{field}"), text::clean_line(value, NAME_MAX));
        edits.push(Edit::text(&["device", field, key.as_str()], value));
    }
    problems.check(
        values.len() <= 100,
        &format!("/{field}"),
        "must not have more than 100 entries",
    );
    edits
}

fn first_events(new: &NewOrder) -> Result<Vec<StatusEvent>, OrderError> {
    let mut events: Vec<StatusEvent> = Vec::new();
    let mut outcome = None;
    for (rank, step) in (1..).zip(&new.moves) {
        match events.last().and_then(|event| event.to) {
            None if step.to != Status::Received => return Err(OrderError::NotReceived),
            None => {}
            Some(from) => check_move(from, step.to, step.outcome)?,
        }
        outcome = match step.to {
            Status::Ready => step.outcome,
            Status::Collected => outcome,
            _ => None,
        };
        events.push(StatusEvent {
            id: step.id,
            rank,
            to: Some(step.to),
            outcome,
            staff: new.staff,
            at_ms: step.at_ms,
            undoes: None,
        });
    }
    if events.is_empty() {
        Err(OrderError::NotReceived)
    } else {
        Ok(events)
    }
}
