//! What one repair record comes to: an order brought to its recorded outcome, or what changed in it.
//!
//! Ids of the events and notes that the import writes are made of the record's identity, so that it knows its own: an
//! order that people have moved since keeps its status, whatever a later file says.

use std::collections::{BTreeMap, BTreeSet};

use domain::document::{DocumentKind, Edit};
use domain::id::{DocumentId, EventId, StaffId, VisitId};
use domain::money::Currency;
use domain::order::{
    Device, MAX_ENTRIES_PER_ORDER, NewOrder, OrderError, OrderPatch, OrderView, Outcome, Status,
    StatusMove, create_order, patch_order,
};
use domain::patch::Patch;
use domain::text::{self, NAME_MAX, SOURCE_MAX};
use jiff::tz::TimeZone;
use sync_protocol::hash::sha256;
use sync_protocol::item::{ImportRecord, Item};

use super::super::intake::free_number;
use crate::error::AppError;
use crate::ords::{RepairRecord, RepairStatus};
use crate::store::{WriteTx, import_record, order};

/// Keys of the device's condition that the import owns.
const OWN_CONDITIONS: [&str; 3] = ["year_of_manufacture", "product_age", "partner_category"];
/// Events of one order that the import can know as its own.
const OWN_EVENTS: usize = 64;

/// What became of a record.
pub(super) enum Fate {
    Created,
    Changed,
    Skipped,
    Rejected(String),
}

/// Imports records within one transaction.
pub(super) struct Importing<'t, 'a> {
    tx: &'t mut WriteTx<'a>,
    staff: StaffId,
    prices_include_tax: bool,
    currency: Currency,
    zone: TimeZone,
}

impl<'t, 'a> Importing<'t, 'a> {
    pub(super) fn new(tx: &'t mut WriteTx<'a>, staff: StaffId) -> Result<Self, AppError> {
        let settings = tx.settings()?;
        Ok(Self {
            staff,
            prices_include_tax: settings.prices_include_tax,
            currency: settings.currency,
            zone: TimeZone::get(&settings.time_zone).unwrap_or(TimeZone::UTC),
            tx,
        })
    }

    pub(super) fn take(&mut self, record: &RepairRecord) -> Result<Fate, AppError> {
        let source = match source_of(record) {
            Ok(source) => source,
            Err(detail) => return Ok(Fate::Rejected(detail)),
        };
        let fingerprint = record.fingerprint();
        let known = import_record::get(&self.tx.reader(), &source)?;
        if known.is_some_and(|(_, before)| before == fingerprint) {
            return Ok(Fate::Skipped);
        }
        let told = Told {
            at_ms: self.at_ms(record),
            device: device_of(record),
            record,
            source: &source,
        };
        let (order, edits, fate) = match known {
            Some((order, _)) => (order, self.changes(order, &told)?, Fate::Changed),
            None => {
                let order = DocumentId::from_random(&mut self.tx.random());
                (order, self.creation(&told)?, Fate::Created)
            }
        };
        let edits = match edits {
            Ok(edits) => edits,
            Err(detail) => return Ok(Fate::Rejected(detail)),
        };
        if !edits.is_empty() {
            self.tx.edit_document(order, DocumentKind::Order, &edits)?;
        }
        self.tx.fact(Item::ImportRecord(ImportRecord {
            source,
            order,
            fingerprint,
        }))?;
        Ok(fate)
    }

    /// The day of the event begins at midnight in the branch's zone; without a day it is now.
    fn at_ms(&self, record: &RepairRecord) -> i64 {
        let day = record
            .event_date
            .and_then(|day| day.to_zoned(self.zone.clone()).ok());
        day.map_or_else(|| self.tx.now_ms(), |day| day.timestamp().as_millisecond())
    }

    fn creation(&mut self, told: &Told<'_>) -> Result<Result<Vec<Edit>, String>, AppError> {
        let steps = [(Status::Received, None)]
            .into_iter()
            .chain(steps_to(Status::Received, told.target()));
        let moves = steps
            .enumerate()
            .map(|(n, (to, outcome))| StatusMove {
                id: told.event_id(n),
                to,
                outcome,
                at_ms: told.at_ms,
            })
            .collect();
        let order = NewOrder {
            number: free_number(self.tx)?,
            branch: self.tx.identity().branch,
            visit: VisitId::from_random(&mut self.tx.random()),
            customer: None,
            source: Some(told.source.to_owned()),
            prices_include_tax: self.prices_include_tax,
            currency: self.currency,
            device: told.device.clone(),
            promised_at_ms: None,
            technician: None,
            urgent: false,
            terms_at_ms: None,
            staff: self.staff,
            moves,
        };
        let note = told.note().map(|note| self.note_edits(told, &note));
        Ok(create_order(&order).map_err(in_words).map(|mut edits| {
            edits.extend(note.into_iter().flatten());
            edits
        }))
    }

    fn changes(
        &mut self,
        id: DocumentId,
        told: &Told<'_>,
    ) -> Result<Result<Vec<Edit>, String>, AppError> {
        let Some(found) = order::get(&self.tx.reader(), id)? else {
            // The order is no longer at this branch; the record is remembered all the same.
            return Ok(Ok(Vec::new()));
        };
        let view = found.view;
        let mut condition: BTreeMap<String, String> = view.device.condition.clone();
        condition.retain(|key, _| !OWN_CONDITIONS.contains(&key.as_str()));
        condition.extend(told.device.condition.clone());
        let set = |text: &str| Patch::Set(text.to_owned());
        let patch = OrderPatch {
            category: set(&told.device.category),
            brand: set(&told.device.brand),
            fault: set(&told.device.fault),
            condition: Some(condition),
            ..OrderPatch::default()
        };
        Ok(patch_order(&view, &patch)
            .map_err(in_words)
            .map(|mut edits| {
                edits.extend(self.status_edits(&view, told));
                if let Some(note) = told.note()
                    && view.notes.len() < MAX_ENTRIES_PER_ORDER
                    && view
                        .notes
                        .iter()
                        .all(|there| there.id != told.note_id(&note))
                {
                    edits.extend(self.note_edits(told, &note));
                }
                edits
            }))
    }

    /// Brings an order that nobody else has moved to the outcome that the record has now.
    fn status_edits(&self, view: &OrderView, told: &Told<'_>) -> Vec<Edit> {
        let own: BTreeSet<EventId> = (0..OWN_EVENTS).map(|n| told.event_id(n)).collect();
        let untouched = view.events.iter().all(|event| own.contains(&event.id));
        let target = told.target();
        let there = (view.status, view.outcome);
        if !untouched || there == target || view.events.len() + 4 > OWN_EVENTS {
            return Vec::new();
        }
        let mut edits = Vec::new();
        let mut outcome = None;
        for (n, (to, said)) in steps_to(view.status, target).into_iter().enumerate() {
            outcome = if to == Status::Collected {
                outcome
            } else {
                said
            };
            let id = told.event_id(view.events.len() + n).to_string();
            let path = |field: &'static str| ["status", id.as_str(), field].map(str::to_owned);
            let rank = view
                .fold()
                .next_rank
                .saturating_add(i64::try_from(n).unwrap_or(0));
            edits.push(Edit::map(&["status", id.as_str()]));
            edits.push(Edit::int(&path("rank"), rank));
            edits.push(Edit::int(&path("at"), told.at_ms));
            edits.push(Edit::text(&path("to"), to.as_str()));
            edits.extend(
                outcome.map(|outcome: Outcome| Edit::text(&path("outcome"), outcome.as_str())),
            );
            edits.extend(
                (!self.staff.is_nil()).then(|| Edit::text(&path("staff"), self.staff.to_string())),
            );
        }
        edits
    }

    fn note_edits(&self, told: &Told<'_>, note: &str) -> Vec<Edit> {
        let id = told.note_id(note).to_string();
        let path = |field: &'static str| ["notes", id.as_str(), field].map(str::to_owned);
        let mut edits = vec![
            Edit::map(&["notes", id.as_str()]),
            Edit::text(&path("text"), note),
            Edit::int(&path("at"), told.at_ms),
        ];
        edits.extend(
            (!self.staff.is_nil()).then(|| Edit::text(&path("staff"), self.staff.to_string())),
        );
        edits
    }
}

/// What a record says, in the shop's words.
struct Told<'r> {
    record: &'r RepairRecord,
    source: &'r str,
    device: Device,
    at_ms: i64,
}

impl Told<'_> {
    /// Where the order stands when the record is all that is known.
    fn target(&self) -> (Status, Option<Outcome>) {
        match self.record.status {
            RepairStatus::Fixed => (Status::Collected, Some(Outcome::Repaired)),
            RepairStatus::EndOfLife => (Status::Collected, Some(Outcome::Unrepairable)),
            RepairStatus::Repairable | RepairStatus::Unknown => (Status::Received, None),
        }
    }

    fn note(&self) -> Option<String> {
        let note = match (self.record.status, &self.record.barrier) {
            (RepairStatus::Unknown, _) => "outcome unknown".to_owned(),
            (RepairStatus::EndOfLife, Some(barrier)) => {
                shortened(&printable(barrier), text::NOTE_MAX)
            }
            _ => return None,
        };
        Some(note.trim().to_owned()).filter(|note| !note.is_empty())
    }

    fn event_id(&self, n: usize) -> EventId {
        self.own_id(&format!("event {n}"))
    }

    fn note_id(&self, note: &str) -> EventId {
        self.own_id(&format!("note {note}"))
    }

    fn own_id(&self, what: &str) -> EventId {
        let hash = sha256(&[self.source.as_bytes(), b"\0", what.as_bytes()].concat());
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        id[6] = (id[6] & 0x0f) | 0x40;
        id[8] = (id[8] & 0x3f) | 0x80;
        EventId::from_bytes(id)
    }
}

/// The steps behind `from`, each an allowed move when `from` is `received`. A record that was corrected later is
/// said once more above what it said before: the fold has no table.
fn steps_to(from: Status, target: (Status, Option<Outcome>)) -> Vec<(Status, Option<Outcome>)> {
    let (status, outcome) = target;
    if status == from && status == Status::Received {
        return Vec::new();
    }
    if status == Status::Received {
        return vec![(Status::Received, None)];
    }
    let mut steps = vec![(Status::Ready, outcome), (Status::Collected, None)];
    if from == Status::Received {
        let work = if outcome == Some(Outcome::Repaired) {
            Status::InRepair
        } else {
            Status::Diagnosing
        };
        steps.insert(0, (work, None));
    }
    steps
}

/// The order's `source`. A slash in the provider's name is written otherwise, so that no two identities are one.
fn source_of(record: &RepairRecord) -> Result<String, String> {
    let provider = record.data_provider.replace('%', "%25").replace('/', "%2F");
    let source = format!("ords/{provider}/{}", record.id);
    match text::clean_line(&source, SOURCE_MAX) {
        Ok(clean) if clean == source => Ok(source),
        Ok(_) => Err("data_provider and id must not begin or end with spaces".to_owned()),
        Err(error) => Err(format!("data_provider and id together {error}")),
    }
}

fn device_of(record: &RepairRecord) -> Device {
    let mut condition = BTreeMap::new();
    let mut keep = |key: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            condition.insert(key.to_owned(), value);
        }
    };
    let [year, age, partner] = OWN_CONDITIONS;
    keep(
        year,
        record.year_of_manufacture.map(|year| year.to_string()),
    );
    keep(age, record.product_age.clone());
    let partner_category = one_line(&record.partner_category);
    let category = one_line(&record.category);
    keep(
        partner,
        Some(partner_category.clone()).filter(|name| *name != category),
    );
    Device {
        category: if category.is_empty() {
            partner_category
        } else {
            category
        },
        brand: one_line(&record.brand),
        fault: printable(&record.problem),
        condition,
        ..Device::default()
    }
}

/// Published files hold odd characters and whole sentences in short fields: what cannot be shown becomes a space, and
/// what is too long for a name is cut.
fn one_line(text: &str) -> String {
    let spaced: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    shortened(spaced.trim(), NAME_MAX)
}

fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\n' && c != '\t' {
                ' '
            } else {
                c
            }
        })
        .collect()
}

fn shortened(text: &str, max_bytes: usize) -> String {
    let mut end = max_bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].trim_end().to_owned()
}

fn in_words(error: OrderError) -> String {
    match error {
        OrderError::Fields(problems) => {
            let said: Vec<String> = problems
                .iter()
                .map(|problem| {
                    let field = problem.pointer.rsplit('/').next().unwrap_or_default();
                    format!(
                        "{} {}",
                        if field == "fault" { "problem" } else { field },
                        problem.detail
                    )
                })
                .collect();
            said.join("; ")
        }
        other => other.to_string(),
    }
}
