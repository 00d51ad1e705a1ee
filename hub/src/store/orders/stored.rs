//! The view of an order as JSON in its row, read back: what lists show without loading documents.

use std::collections::BTreeMap;

use domain::id::{BranchId, DocumentId, EventId, LineId, PartId, StaffId, VisitId};
use domain::money::Currency;
use domain::order::{
    Device, Estimate, EstimateAnswer, Line, LineKind, Note, OrderView, Outcome, Status, StatusEvent,
};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::HubError;

#[derive(Deserialize)]
struct StoredOrder {
    number: String,
    branch: BranchId,
    visit: VisitId,
    customer: Option<DocumentId>,
    source: Option<String>,
    prices_include_tax: bool,
    currency: Currency,
    device: StoredDevice,
    promised_at_ms: Option<i64>,
    technician: Option<StaffId>,
    urgent: bool,
    terms_at_ms: Option<i64>,
    diagnosis: String,
    outcome: Option<Outcome>,
    lines: Vec<StoredLine>,
    notes: Vec<StoredNote>,
    events: Vec<StoredEvent>,
    estimates: Vec<StoredEstimate>,
    status: Status,
    status_conflict: bool,
    created_at_ms: i64,
    conflicts: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct StoredDevice {
    category: String,
    brand: String,
    model: String,
    serial: String,
    fault: String,
    accessories: BTreeMap<String, String>,
    condition: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct StoredLine {
    id: LineId,
    kind: LineKind,
    text: String,
    sku: Option<String>,
    part: Option<PartId>,
    quantity: i64,
    unit_minor: i64,
    tax_bp: u32,
}

#[derive(Deserialize)]
struct StoredNote {
    id: EventId,
    text: String,
    staff: StaffId,
    at_ms: i64,
}

#[derive(Deserialize)]
struct StoredEvent {
    id: EventId,
    rank: i64,
    to: Option<Status>,
    outcome: Option<Outcome>,
    staff: StaffId,
    at_ms: i64,
    undoes: Option<EventId>,
}

#[derive(Deserialize)]
struct StoredEstimate {
    id: EventId,
    version: u32,
    gross_minor: i64,
    answer: Option<EstimateAnswer>,
    by: Option<String>,
    at_ms: Option<i64>,
}

/// Reads the JSON of a view; conflicts are only counted, their values stand in the document.
pub(super) fn read(text: &str) -> Result<(OrderView, usize), HubError> {
    let stored: StoredOrder = serde_json::from_str(text)
        .map_err(|_| HubError::Row("an order's view that does not read"))?;
    let StoredDevice {
        category,
        brand,
        model,
        serial,
        fault,
        accessories,
        condition,
    } = stored.device;
    let lines = stored.lines.into_iter().map(|line| {
        let StoredLine {
            id,
            kind,
            text,
            sku,
            part,
            quantity,
            unit_minor,
            tax_bp,
        } = line;
        Line {
            id,
            kind,
            text,
            sku,
            part,
            quantity,
            unit_minor,
            tax_bp,
        }
    });
    let notes = stored.notes.into_iter().map(
        |StoredNote {
             id,
             text,
             staff,
             at_ms,
         }| Note {
            id,
            text,
            staff,
            at_ms,
        },
    );
    let events = stored.events.into_iter().map(|event| {
        let StoredEvent {
            id,
            rank,
            to,
            outcome,
            staff,
            at_ms,
            undoes,
        } = event;
        StatusEvent {
            id,
            rank,
            to,
            outcome,
            staff,
            at_ms,
            undoes,
        }
    });
    let estimates = stored.estimates.into_iter().map(|estimate| {
        let StoredEstimate {
            id,
            version,
            gross_minor,
            answer,
            by,
            at_ms,
        } = estimate;
        Estimate {
            id,
            version,
            gross_minor,
            answer,
            by,
            at_ms,
        }
    });
    let view = OrderView {
        number: stored.number,
        branch: stored.branch,
        visit: stored.visit,
        customer: stored.customer,
        source: stored.source,
        prices_include_tax: stored.prices_include_tax,
        currency: stored.currency,
        device: Device {
            category,
            brand,
            model,
            serial,
            fault,
            accessories,
            condition,
        },
        promised_at_ms: stored.promised_at_ms,
        technician: stored.technician,
        urgent: stored.urgent,
        terms_at_ms: stored.terms_at_ms,
        diagnosis: stored.diagnosis,
        outcome: stored.outcome,
        lines: lines.collect(),
        notes: notes.collect(),
        events: events.collect(),
        estimates: estimates.collect(),
        status: stored.status,
        status_conflict: stored.status_conflict,
        created_at_ms: stored.created_at_ms,
        conflicts: Vec::new(),
    };
    Ok((view, stored.conflicts.len()))
}
