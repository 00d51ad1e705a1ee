//! An order as the rules and the pages see it, read from its document.
//!
//! The view is a pure function of the document: lines are sorted by id, notes by (time, id), events by (rank, id),
//! estimates by (version, id). A document that passed the policy always reads.

use super::{
    Estimate, EstimateAnswer, Fold, Line, LineKind, Outcome, Status, StatusEvent, fold_status,
};
use crate::document::{Conflict, DocumentError, DocumentKind, conflicts, tree};
use crate::id::{BranchId, DocumentId, EventId, PartId, StaffId, VisitId};
use crate::money::Currency;
use crate::read::Reader;
use automerge::Automerge;
use serde::Serialize;
use std::collections::BTreeMap;

/// An order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrderView {
    /// The number that people read.
    pub number: String,
    /// The home branch.
    pub branch: BranchId,
    /// The visit, which groups the orders of several devices.
    pub visit: VisitId,
    /// The customer document.
    pub customer: Option<DocumentId>,
    /// Where an imported record comes from.
    pub source: Option<String>,
    /// Whether unit prices include tax, as the branch had it when the order was made.
    pub prices_include_tax: bool,
    /// The currency of all its prices.
    pub currency: Currency,
    /// The device.
    pub device: Device,
    /// When it was promised.
    pub promised_at_ms: Option<i64>,
    /// Who works on it.
    pub technician: Option<StaffId>,
    /// Whether it goes first.
    pub urgent: bool,
    /// When the customer accepted the terms.
    pub terms_at_ms: Option<i64>,
    /// What was found; empty while nothing was written.
    pub diagnosis: String,
    /// How the work ended.
    pub outcome: Option<Outcome>,
    /// Services, parts, fees, discounts.
    pub lines: Vec<Line>,
    /// Notes.
    pub notes: Vec<Note>,
    /// What happened to the status.
    pub events: Vec<StatusEvent>,
    /// Estimates.
    pub estimates: Vec<Estimate>,
    /// Where it stands.
    pub status: Status,
    /// Whether people must decide where it stands.
    pub status_conflict: bool,
    /// When it was taken in: the time of the lowest event.
    pub created_at_ms: i64,
    /// Keys with several different values.
    pub conflicts: Vec<Conflict>,
}

/// What was brought in. Empty text means that nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Device {
    /// What kind of thing it is.
    pub category: String,
    /// Who made it.
    pub brand: String,
    /// Which model.
    pub model: String,
    /// Its serial number.
    pub serial: String,
    /// What is wrong, as the customer tells it.
    pub fault: String,
    /// What came with it, by id.
    pub accessories: BTreeMap<String, String>,
    /// In which condition it came, by what was looked at.
    pub condition: BTreeMap<String, String>,
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Its id.
    pub id: EventId,
    /// What was written.
    pub text: String,
    /// By whom; nil for the system.
    pub staff: StaffId,
    /// When, for display.
    pub at_ms: i64,
}

impl OrderView {
    /// What the events come to.
    pub fn fold(&self) -> Fold {
        fold_status(&self.events)
    }

    /// The line with this id.
    pub fn line(&self, id: crate::id::LineId) -> Option<&Line> {
        self.lines.iter().find(|line| line.id == id)
    }
}

/// Reads an order.
pub fn read_order(document: &Automerge) -> Result<OrderView, DocumentError> {
    let tree = tree(document)?;
    let root = Reader::root(&tree);
    let mut view = read_root(&root)?;
    view.device = read_device(&root)?;
    view.lines = root
        .entries("lines")?
        .map(|entry| read_line(&entry?))
        .collect::<Result<_, _>>()?;
    view.notes = root
        .entries("notes")?
        .map(|entry| read_note(&entry?))
        .collect::<Result<_, _>>()?;
    view.events = root
        .entries("status")?
        .map(|entry| read_event(&entry?))
        .collect::<Result<_, _>>()?;
    view.estimates = root
        .entries("estimates")?
        .map(|entry| read_estimate(&entry?))
        .collect::<Result<_, _>>()?;
    view.lines.sort_by_key(|line| line.id);
    view.notes.sort_by_key(|note| (note.at_ms, note.id));
    view.events.sort_by_key(|event| (event.rank, event.id));
    view.estimates
        .sort_by_key(|estimate| (estimate.version, estimate.id));
    let fold = fold_status(&view.events);
    view.status = fold.status;
    view.status_conflict = fold.conflict;
    view.outcome = fold.outcome.or(view.outcome);
    view.created_at_ms = view.events.first().map_or(0, |event| event.at_ms);
    view.conflicts = conflicts(document, DocumentKind::Order)?;
    Ok(view)
}

fn read_root(root: &Reader<'_>) -> Result<OrderView, DocumentError> {
    Ok(OrderView {
        number: root.required_text("number")?,
        branch: root.required("branch")?,
        visit: root.required("visit")?,
        customer: root.optional("customer")?,
        source: root.text("source")?,
        prices_include_tax: root.flag("prices_include_tax")?.unwrap_or(false),
        currency: root.required("currency")?,
        device: Device::default(),
        promised_at_ms: root.int("promised_at")?,
        technician: root.optional("technician")?,
        urgent: root.flag("urgent")?.unwrap_or(false),
        terms_at_ms: root.int("terms_at")?,
        diagnosis: root.text("diagnosis")?.unwrap_or_default(),
        outcome: root.optional("outcome")?,
        lines: Vec::new(),
        notes: Vec::new(),
        events: Vec::new(),
        estimates: Vec::new(),
        status: Status::Received,
        status_conflict: false,
        created_at_ms: 0,
        conflicts: Vec::new(),
    })
}

fn read_device(root: &Reader<'_>) -> Result<Device, DocumentError> {
    let device = root.map("device")?;
    Ok(Device {
        category: device.text("category")?.unwrap_or_default(),
        brand: device.text("brand")?.unwrap_or_default(),
        model: device.text("model")?.unwrap_or_default(),
        serial: device.text("serial")?.unwrap_or_default(),
        fault: device.text("fault")?.unwrap_or_default(),
        accessories: device.texts("accessories")?,
        condition: device.texts("condition")?,
    })
}

fn read_line(entry: &Reader<'_>) -> Result<Line, DocumentError> {
    Ok(Line {
        id: entry.id()?,
        kind: entry.required::<LineKind>("kind")?,
        text: entry.required_text("text")?,
        sku: entry.text("sku")?,
        part: entry.optional::<PartId>("part")?,
        quantity: entry.required_int("quantity")?,
        unit_minor: entry.required_int("unit_minor")?,
        tax_bp: entry.required_u32("tax_bp")?,
    })
}

fn read_note(entry: &Reader<'_>) -> Result<Note, DocumentError> {
    Ok(Note {
        id: entry.id()?,
        text: entry.required_text("text")?,
        staff: entry.optional("staff")?.unwrap_or_default(),
        at_ms: entry.required_int("at")?,
    })
}

fn read_event(entry: &Reader<'_>) -> Result<StatusEvent, DocumentError> {
    Ok(StatusEvent {
        id: entry.id()?,
        rank: entry.required_int("rank")?,
        to: entry.optional("to")?,
        outcome: entry.optional("outcome")?,
        staff: entry.optional("staff")?.unwrap_or_default(),
        at_ms: entry.required_int("at")?,
        undoes: entry.optional("undoes")?,
    })
}

fn read_estimate(entry: &Reader<'_>) -> Result<Estimate, DocumentError> {
    Ok(Estimate {
        id: entry.id()?,
        version: entry.required_u32("version")?,
        gross_minor: entry.required_int("gross_minor")?,
        answer: entry.optional::<EstimateAnswer>("answer")?,
        by: entry.text("by")?,
        at_ms: entry.int("at")?,
    })
}
