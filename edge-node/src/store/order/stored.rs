//! The view of an order as JSON in its row: what lists and pages show without loading the document.
//!
//! Only this module writes and reads that JSON. It says nothing that the document does not.

use std::collections::BTreeMap;

use domain::document::{Conflict, ConflictValue, Scalar};
use domain::id::{BranchId, DocumentId, EventId, LineId, PartId, StaffId, VisitId};
use domain::money::Currency;
use domain::order::{
    Device, Estimate, EstimateAnswer, Line, LineKind, Note, OrderView, Outcome, Status, StatusEvent,
};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;

#[derive(Serialize, Deserialize)]
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
    lines: Vec<StoredOrderLine>,
    notes: Vec<StoredNote>,
    events: Vec<StatusEvent>,
    estimates: Vec<StoredEstimate>,
    status: Status,
    status_conflict: bool,
    created_at_ms: i64,
    conflicts: Vec<StoredConflict>,
}

#[derive(Serialize, Deserialize)]
struct StoredDevice {
    category: String,
    brand: String,
    model: String,
    serial: String,
    fault: String,
    accessories: BTreeMap<String, String>,
    condition: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct StoredOrderLine {
    id: LineId,
    kind: LineKind,
    text: String,
    sku: Option<String>,
    part: Option<PartId>,
    quantity: i64,
    unit_minor: i64,
    tax_bp: u32,
}

#[derive(Serialize, Deserialize)]
struct StoredNote {
    id: EventId,
    text: String,
    staff: StaffId,
    at_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct StoredEstimate {
    id: EventId,
    version: u32,
    gross_minor: i64,
    answer: Option<EstimateAnswer>,
    by: Option<String>,
    at_ms: Option<i64>,
}

/// A conflict as it is stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredConflict {
    path: Vec<String>,
    values: Vec<StoredConflictValue>,
}

#[derive(Serialize, Deserialize)]
struct StoredConflictValue {
    op_counter: u64,
    actor: Vec<u8>,
    value: StoredScalar,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredScalar {
    Null,
    Bool(bool),
    Int(i64),
    Str(String),
    Bytes(Vec<u8>),
}

impl StoredConflict {
    fn of(conflict: &Conflict) -> Self {
        let values = conflict.values.iter().map(|value| StoredConflictValue {
            op_counter: value.op_counter,
            actor: value.actor.clone(),
            value: match &value.value {
                Scalar::Null => StoredScalar::Null,
                Scalar::Bool(value) => StoredScalar::Bool(*value),
                Scalar::Int(value) => StoredScalar::Int(*value),
                Scalar::Str(value) => StoredScalar::Str(value.clone()),
                Scalar::Bytes(value) => StoredScalar::Bytes(value.clone()),
            },
        });
        Self {
            path: conflict.path.clone(),
            values: values.collect(),
        }
    }

    pub(crate) fn into_conflict(self) -> Conflict {
        let values = self.values.into_iter().map(|value| ConflictValue {
            op_counter: value.op_counter,
            actor: value.actor,
            value: match value.value {
                StoredScalar::Null => Scalar::Null,
                StoredScalar::Bool(value) => Scalar::Bool(value),
                StoredScalar::Int(value) => Scalar::Int(value),
                StoredScalar::Str(value) => Scalar::Str(value),
                StoredScalar::Bytes(value) => Scalar::Bytes(value),
            },
        });
        Conflict {
            path: self.path,
            values: values.collect(),
        }
    }
}

/// Conflicts as they are stored.
pub(crate) fn stored_conflicts(conflicts: &[Conflict]) -> impl Iterator<Item = StoredConflict> {
    conflicts.iter().map(StoredConflict::of)
}

/// The JSON of a view.
pub(crate) fn to_json(view: &OrderView) -> Result<String, StoreError> {
    let device = &view.device;
    let stored = StoredOrder {
        number: view.number.clone(),
        branch: view.branch,
        visit: view.visit,
        customer: view.customer,
        source: view.source.clone(),
        prices_include_tax: view.prices_include_tax,
        currency: view.currency,
        device: StoredDevice {
            category: device.category.clone(),
            brand: device.brand.clone(),
            model: device.model.clone(),
            serial: device.serial.clone(),
            fault: device.fault.clone(),
            accessories: device.accessories.clone(),
            condition: device.condition.clone(),
        },
        promised_at_ms: view.promised_at_ms,
        technician: view.technician,
        urgent: view.urgent,
        terms_at_ms: view.terms_at_ms,
        diagnosis: view.diagnosis.clone(),
        outcome: view.outcome,
        lines: view.lines.iter().map(store_line).collect(),
        notes: view.notes.iter().map(store_note).collect(),
        events: view.events.clone(),
        estimates: view.estimates.iter().map(store_estimate).collect(),
        status: view.status,
        status_conflict: view.status_conflict,
        created_at_ms: view.created_at_ms,
        conflicts: stored_conflicts(&view.conflicts).collect(),
    };
    Ok(serde_json::to_string(&stored)?)
}

fn store_line(line: &Line) -> StoredOrderLine {
    let Line {
        id,
        kind,
        text,
        sku,
        part,
        quantity,
        unit_minor,
        tax_bp,
    } = line.clone();
    StoredOrderLine {
        id,
        kind,
        text,
        sku,
        part,
        quantity,
        unit_minor,
        tax_bp,
    }
}

fn store_note(note: &Note) -> StoredNote {
    let Note {
        id,
        text,
        staff,
        at_ms,
    } = note.clone();
    StoredNote {
        id,
        text,
        staff,
        at_ms,
    }
}

fn store_estimate(estimate: &Estimate) -> StoredEstimate {
    let Estimate {
        id,
        version,
        gross_minor,
        answer,
        by,
        at_ms,
    } = estimate.clone();
    StoredEstimate {
        id,
        version,
        gross_minor,
        answer,
        by,
        at_ms,
    }
}

/// Reads the JSON of a view.
pub(crate) fn from_json(text: &str) -> Result<OrderView, StoreError> {
    let stored: StoredOrder = serde_json::from_str(text)?;
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
        let StoredOrderLine {
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
    Ok(OrderView {
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
        events: stored.events,
        estimates: estimates.collect(),
        status: stored.status,
        status_conflict: stored.status_conflict,
        created_at_ms: stored.created_at_ms,
        conflicts: stored
            .conflicts
            .into_iter()
            .map(StoredConflict::into_conflict)
            .collect(),
    })
}
