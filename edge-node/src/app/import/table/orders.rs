//! An open order of the old program.
//!
//! It is known by its number there and gets one of its own here. A row that says something else later changes device,
//! promise and urgency; where the order stands is the shop's from the first moment on.

use domain::document::DocumentKind;
use domain::id::{DocumentId, EventId, StaffId, VisitId};
use domain::order::{
    Device, NewOrder, OrderError, OrderPatch, Outcome, Status, StatusMove, add_note, create_order,
    patch_order, read_order,
};
use domain::patch::Patch;
use domain::text::{FAULT_MAX, NAME_MAX, NOTE_MAX, SERIAL_MAX};
use jiff::tz::TimeZone;
use sync_protocol::hash::Hash;
use sync_protocol::item::{ImportRecord, Item};

use super::customers::{self, Known, PersonRow, said};
use super::values::{self, block, line, moment, required, shortened};
use super::{Cells, Done, Fault, Field, Kind, fingerprint, source};
use crate::app::intake::free_number;
use crate::error::AppError;
use crate::store::{Reader, WriteTx, import_record, order};

const ID_MAX: usize = 120;
const NOON: i8 = 12;
const ACCESSORIES_MAX: usize = 50;

/// A row about an order.
#[derive(Debug, Clone)]
pub(super) struct OrderRow {
    id: String,
    customer_id: String,
    person: Option<PersonRow>,
    device: Device,
    accessories: Vec<String>,
    status: Status,
    taken_in_ms: Option<i64>,
    promised_ms: Option<i64>,
    urgent: bool,
    note: String,
}

impl OrderRow {
    pub(super) fn of(cells: &Cells, zone: &TimeZone) -> Result<Self, Fault> {
        let said_status = cells.get(Field::Status);
        let status = match values::read_status(said_status) {
            Some(Some(status)) => status,
            Some(None) => {
                return Err(Fault::Ended {
                    found: shortened(said_status),
                });
            }
            None => {
                return Err(Fault::Status {
                    found: shortened(said_status),
                });
            }
        };
        let urgent = values::read_yes(cells.get(Field::Urgent)).ok_or_else(|| Fault::YesNo {
            field: Field::Urgent,
            found: shortened(cells.get(Field::Urgent)),
        })?;
        let person = match cells.get(Field::Name) {
            "" => None,
            _ => Some(PersonRow::of(cells)?.without_note()),
        };
        let accessories: Vec<String> = line(cells, Field::Accessories, NAME_MAX * ACCESSORIES_MAX)?
            .split([',', ';'])
            .map(|word| word.trim().to_owned())
            .filter(|word| !word.is_empty())
            .collect();
        if accessories.len() > ACCESSORIES_MAX
            || accessories.iter().any(|word| word.len() > NAME_MAX)
        {
            return Err(Fault::TooLong {
                field: Field::Accessories,
                max: NAME_MAX,
            });
        }
        Ok(Self {
            id: required(cells, Field::OrderId, ID_MAX)?,
            customer_id: line(cells, Field::CustomerId, ID_MAX)?,
            person,
            device: Device {
                category: line(cells, Field::Category, NAME_MAX)?,
                brand: line(cells, Field::Brand, NAME_MAX)?,
                model: line(cells, Field::Model, NAME_MAX)?,
                serial: line(cells, Field::Serial, SERIAL_MAX)?,
                fault: block(cells, Field::Fault, FAULT_MAX)?,
                ..Device::default()
            },
            accessories,
            status,
            taken_in_ms: moment(cells, Field::TakenIn, zone, NOON)?,
            promised_ms: moment(cells, Field::Promised, zone, values::EVENING)?,
            urgent,
            note: block(cells, Field::Note, NOTE_MAX)?,
        })
    }

    pub(super) fn source(&self) -> String {
        source(Kind::Orders, &[&self.id])
    }

    /// Nothing about the person is in it: that is not the order's to remember.
    fn fingerprint(&self) -> Hash {
        let Device {
            category,
            brand,
            model,
            serial,
            fault,
            ..
        } = &self.device;
        let time = |at_ms: Option<i64>| at_ms.map(|at_ms| at_ms.to_string()).unwrap_or_default();
        let (taken_in, promised) = (time(self.taken_in_ms), time(self.promised_ms));
        let accessories = self.accessories.join("\n");
        let urgent = if self.urgent { "urgent" } else { "" };
        fingerprint(
            b"counterpart order row 1",
            [
                category.as_str(),
                brand,
                model,
                serial,
                fault,
                &accessories,
                self.status.as_str(),
                &taken_in,
                &promised,
                urgent,
                &self.note,
            ],
        )
    }
}

/// What would become of the row.
pub(super) fn forecast(
    reader: &Reader<'_>,
    row: &OrderRow,
) -> Result<Result<Done, Fault>, AppError> {
    Ok(match import_record::get(reader, &row.source())? {
        Some((_, before)) if before == row.fingerprint() => Ok(Done::Skipped),
        Some(_) => Ok(Done::Changed),
        None if is_nobody(reader, row)? => Err(Fault::UnknownCustomer {
            id: row.customer_id.clone(),
        }),
        None => Ok(Done::Created),
    })
}

fn is_nobody(reader: &Reader<'_>, row: &OrderRow) -> Result<bool, AppError> {
    if row.person.is_some() || row.customer_id.is_empty() {
        return Ok(false);
    }
    let source = source(Kind::Customers, &[&row.customer_id]);
    Ok(import_record::get(reader, &source)?.is_none())
}

/// Takes the order over.
pub(super) fn take(
    tx: &mut WriteTx<'_>,
    staff: StaffId,
    known: &mut Known,
    row: &OrderRow,
) -> Result<Result<Done, Fault>, AppError> {
    let source = row.source();
    let remembered = import_record::get(&tx.reader(), &source)?;
    let taken = match remembered {
        Some((_, before)) if before == row.fingerprint() => return Ok(Ok(Done::Skipped)),
        Some((id, _)) => change(tx, id, row)?.map(|()| (id, Done::Changed)),
        None => create(tx, staff, known, row)?.map(|id| (id, Done::Created)),
    };
    let (order, done) = match taken {
        Ok(taken) => taken,
        Err(fault) => return Ok(Err(fault)),
    };
    tx.fact(Item::ImportRecord(ImportRecord {
        source,
        order,
        fingerprint: row.fingerprint(),
    }))?;
    Ok(Ok(done))
}

fn create(
    tx: &mut WriteTx<'_>,
    staff: StaffId,
    known: &mut Known,
    row: &OrderRow,
) -> Result<Result<DocumentId, Fault>, AppError> {
    if is_nobody(&tx.reader(), row)? {
        return Ok(Err(Fault::UnknownCustomer {
            id: row.customer_id.clone(),
        }));
    }
    let customer = match customer_of(tx, known, row)? {
        Ok(customer) => customer,
        Err(fault) => return Ok(Err(fault)),
    };
    let settings = tx.settings()?;
    let at_ms = row.taken_in_ms.unwrap_or_else(|| tx.now_ms());
    let moves = road_to(row.status)
        .iter()
        .map(|to| StatusMove {
            id: EventId::from_random(&mut tx.random()),
            to: *to,
            outcome: (*to == Status::Ready).then_some(Outcome::Repaired),
            at_ms,
        })
        .collect();
    let mut device = row.device.clone();
    for word in &row.accessories {
        let key = EventId::from_random(&mut tx.random()).to_string();
        device.accessories.insert(key, word.clone());
    }
    let new = NewOrder {
        number: free_number(tx)?,
        branch: tx.identity().branch,
        visit: VisitId::from_random(&mut tx.random()),
        customer,
        source: Some(row.source()),
        prices_include_tax: settings.prices_include_tax,
        currency: settings.currency,
        device,
        promised_at_ms: row.promised_ms,
        technician: None,
        urgent: row.urgent,
        terms_at_ms: None,
        staff,
        moves,
    };
    let edits = match create_order(&new) {
        Ok(edits) => edits,
        Err(error) => return Ok(Err(in_words(error))),
    };
    let id = DocumentId::from_random(&mut tx.random());
    tx.edit_document(id, DocumentKind::Order, &edits)?;
    if !row.note.is_empty()
        && let Some(document) = tx.document(id)?
    {
        let view = read_order(document.automerge())?;
        let note = EventId::from_random(&mut tx.random());
        let edits = add_note(&view, note, &row.note, staff, at_ms)?;
        tx.edit_document(id, DocumentKind::Order, &edits)?;
    }
    Ok(Ok(id))
}

fn customer_of(
    tx: &mut WriteTx<'_>,
    known: &mut Known,
    row: &OrderRow,
) -> Result<Result<Option<DocumentId>, Fault>, AppError> {
    if !row.customer_id.is_empty() {
        let source = source(Kind::Customers, &[&row.customer_id]);
        if let Some((id, _)) = import_record::get(&tx.reader(), &source)? {
            let record = crate::store::customer::get(&tx.reader(), id)?;
            return Ok(Ok(record.map(|record| record.merged_into.unwrap_or(id))));
        }
    }
    match &row.person {
        Some(person) => Ok(customers::person_of(tx, known, person)?.map(Some)),
        None => Ok(Ok(None)),
    }
}

fn change(
    tx: &mut WriteTx<'_>,
    id: DocumentId,
    row: &OrderRow,
) -> Result<Result<(), Fault>, AppError> {
    let Some(found) = order::get(&tx.reader(), id)? else {
        // The order is no longer at this branch; what the row says is remembered all the same.
        return Ok(Ok(()));
    };
    let set = |text: &str| {
        if text.is_empty() {
            Patch::Keep
        } else {
            Patch::Set(text.to_owned())
        }
    };
    let patch = OrderPatch {
        category: set(&row.device.category),
        brand: set(&row.device.brand),
        model: set(&row.device.model),
        serial: set(&row.device.serial),
        fault: set(&row.device.fault),
        promised_at_ms: row.promised_ms.map_or(Patch::Keep, Patch::Set),
        urgent: Patch::Set(row.urgent),
        ..OrderPatch::default()
    };
    let edits = match patch_order(&found.view, &patch) {
        Ok(edits) => edits,
        Err(error) => return Ok(Err(in_words(error))),
    };
    if !edits.is_empty() {
        tx.edit_document(id, DocumentKind::Order, &edits)?;
    }
    Ok(Ok(()))
}

/// The steps by which an order comes to stand there, each an allowed move.
const fn road_to(status: Status) -> &'static [Status] {
    use Status::{AwaitingApproval, AwaitingParts, Diagnosing, InRepair, Ready, Received};
    match status {
        Diagnosing => &[Received, Diagnosing],
        AwaitingApproval => &[Received, Diagnosing, AwaitingApproval],
        AwaitingParts => &[Received, Diagnosing, AwaitingParts],
        InRepair => &[Received, InRepair],
        Ready => &[Received, InRepair, Ready],
        _ => &[Received],
    }
}

fn in_words(error: OrderError) -> Fault {
    match error {
        OrderError::Fields(problems) => said(&problems),
        other => Fault::Said(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_road_is_allowed() {
        for status in [
            Status::Received,
            Status::Diagnosing,
            Status::AwaitingApproval,
            Status::AwaitingParts,
            Status::InRepair,
            Status::Ready,
        ] {
            let road = road_to(status);
            assert_eq!(road.last(), Some(&status));
            for pair in road.windows(2) {
                let outcome = (pair[1] == Status::Ready).then_some(Outcome::Repaired);
                assert_eq!(domain::order::check_move(pair[0], pair[1], outcome), Ok(()));
            }
        }
    }
}
