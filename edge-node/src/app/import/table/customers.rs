//! A customer of the old program.
//!
//! With a number the row is known by it, else by name and phone or e-mail, which are held against everybody who is
//! known here: nobody is taken in twice. What a row said is remembered under the person's own key, so that it says
//! nothing once the key is gone.

use std::collections::{BTreeMap, HashMap};

use domain::document::DocumentKind;
use domain::id::DocumentId;
use domain::patch::Patch;
use domain::sensitive::PersonKey;
use domain::text::{self, ADDRESS_MAX, NAME_MAX, phone_digits};
use sync_protocol::hash::Hash;
use sync_protocol::item::{ImportRecord, Item};

use super::values::{block, formed, line, required};
use super::{Cells, Done, Fault, Field, Kind, fingerprint, source};
use crate::app::customer::{self, CustomerInput, CustomerPatch};
use crate::error::AppError;
use crate::store::{Reader, WriteTx, customer as rows, import_record};
use web_kit::wire::Personal;

const NOTE_MAX: usize = 4_000;
/// So much of an identity is left for the number.
const ID_MAX: usize = 120;
/// How many customers are read at once when everybody is looked at.
const PAGE: u32 = 1_000;

/// A row about a person.
#[derive(Debug, Clone)]
pub(super) struct PersonRow {
    id: String,
    name: Personal,
    phone: Option<Personal>,
    email: Option<Personal>,
    address: Option<Personal>,
    note: Option<Personal>,
    language: Option<String>,
}

impl PersonRow {
    pub(super) fn of(cells: &Cells) -> Result<Self, Fault> {
        let given = line(cells, Field::GivenName, NAME_MAX)?;
        let last = required(cells, Field::Name, NAME_MAX)?;
        let name = if given.is_empty() {
            last
        } else {
            format!("{given} {last}")
        };
        if name.len() > NAME_MAX {
            return Err(Fault::TooLong {
                field: Field::Name,
                max: NAME_MAX,
            });
        }
        let street = block(cells, Field::Address, ADDRESS_MAX)?;
        let postcode = line(cells, Field::Postcode, ADDRESS_MAX)?;
        let town = line(cells, Field::City, ADDRESS_MAX)?;
        let town = format!("{postcode} {town}").trim().to_owned();
        let both = [street, town];
        let address: Vec<&str> = both
            .iter()
            .map(String::as_str)
            .filter(|text| !text.is_empty())
            .collect();
        let address = address.join(", ");
        if address.len() > ADDRESS_MAX {
            return Err(Fault::TooLong {
                field: Field::Address,
                max: ADDRESS_MAX,
            });
        }
        let some = |text: String| (!text.is_empty()).then(|| Personal::new(text));
        Ok(Self {
            id: line(cells, Field::CustomerId, ID_MAX)?,
            name: Personal::new(name),
            phone: formed(cells, Field::Phone, text::clean_phone)?.map(Personal::new),
            email: formed(cells, Field::Email, text::clean_email)?.map(Personal::new),
            address: some(address),
            note: some(block(cells, Field::Note, NOTE_MAX)?),
            language: formed(cells, Field::Language, text::clean_language)?,
        })
    }

    /// The identity by the number; none where the row has none.
    pub(super) fn source(&self) -> Option<String> {
        (!self.id.is_empty()).then(|| source(Kind::Customers, &[&self.id]))
    }

    /// A remark beside an order is about the order.
    pub(super) fn without_note(self) -> Self {
        Self { note: None, ..self }
    }

    fn fingerprint(&self, key: &PersonKey) -> Hash {
        let text = |value: &Option<Personal>| value.clone().unwrap_or_default();
        let values = [
            self.name.clone(),
            text(&self.phone),
            text(&self.email),
            text(&self.address),
            text(&self.note),
        ];
        let language = self.language.as_deref().unwrap_or_default();
        let texts = values.iter().map(Personal::expose).chain([language]);
        fingerprint(
            &[b"counterpart customer row 1".as_slice(), key.expose()].concat(),
            texts,
        )
    }

    fn input(&self) -> CustomerInput {
        CustomerInput {
            name: self.name.clone(),
            phone: self.phone.clone(),
            email: self.email.clone(),
            address: self.address.clone(),
            note: self.note.clone(),
            language: self.language.clone(),
            consent: BTreeMap::new(),
        }
    }

    /// What the row says; an empty cell takes nothing away.
    fn patch(&self) -> CustomerPatch {
        let set = |value: &Option<Personal>| value.clone().map_or(Patch::Keep, Patch::Set);
        CustomerPatch {
            name: Patch::Set(self.name.clone()),
            phone: set(&self.phone),
            email: set(&self.email),
            address: set(&self.address),
            note: set(&self.note),
            language: self.language.clone().map_or(Patch::Keep, Patch::Set),
            consent: BTreeMap::new(),
        }
    }

    fn known_as(&self) -> Vec<Hash> {
        let value = |value: &Option<Personal>| value.clone().unwrap_or_default();
        known_as(&self.name, &value(&self.phone), &value(&self.email))
    }
}

/// By what a person is known again: name with phone, name with e-mail; the name alone where neither is known.
fn known_as(name: &Personal, phone: &Personal, email: &Personal) -> Vec<Hash> {
    let name = name
        .expose()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase();
    let digits = phone_digits(phone.expose());
    let email = email.expose().to_lowercase();
    let mut keys = Vec::new();
    if !digits.is_empty() {
        keys.push(fingerprint(b"phone", [name.as_str(), &digits]));
    }
    if !email.is_empty() {
        keys.push(fingerprint(b"email", [name.as_str(), &email]));
    }
    if keys.is_empty() {
        keys.push(fingerprint(b"name", [name.as_str()]));
    }
    keys
}

/// Everybody who is known here, by what they are known again. In memory only.
#[derive(Debug, Clone, Default)]
pub struct Known(HashMap<Hash, DocumentId>);

impl Known {
    /// Opens every customer's name, phone and e-mail once.
    pub fn load(reader: &Reader<'_>) -> Result<Self, AppError> {
        let mut known = Self::default();
        let mut before = None;
        loop {
            let page = rows::list(reader, before, PAGE)?;
            let Some(last) = page.last() else {
                return Ok(known);
            };
            before = Some(last.row);
            for record in page {
                let Some(values) = record.values else {
                    continue;
                };
                let value = |value: Option<domain::sensitive::Sensitive<String>>| {
                    value.map(Personal::from).unwrap_or_default()
                };
                let id = record.merged_into.unwrap_or(record.id);
                for key in known_as(
                    &value(values.name),
                    &value(values.phone),
                    &value(values.email),
                ) {
                    known.0.insert(key, id);
                }
            }
        }
    }

    fn find(&self, row: &PersonRow) -> Option<DocumentId> {
        row.known_as()
            .iter()
            .find_map(|key| self.0.get(key).copied())
    }

    fn add(&mut self, row: &PersonRow, id: DocumentId) {
        for key in row.known_as() {
            self.0.insert(key, id);
        }
    }
}

/// What would become of the row.
pub(super) fn forecast(
    reader: &Reader<'_>,
    known: &mut Known,
    row: &PersonRow,
) -> Result<Done, AppError> {
    let by_number = match row.source() {
        Some(source) => import_record::get(reader, &source)?,
        None => None,
    };
    let (id, before) = match by_number {
        Some(found) => found,
        None => match known.find(row) {
            None => {
                // A later row about the same person finds this one.
                known.add(row, DocumentId::NIL);
                return Ok(Done::Created);
            }
            Some(_) if !row.id.is_empty() => return Ok(Done::Skipped),
            Some(id) => match import_record::get(reader, &source_of_known(id))? {
                Some(found) => found,
                None => return Ok(Done::Skipped),
            },
        },
    };
    let keys = reader.person_keys(id)?;
    let is_told = keys.iter().any(|key| row.fingerprint(key) == before);
    Ok(if is_told || keys.is_empty() {
        Done::Skipped
    } else {
        Done::Changed
    })
}

fn source_of_known(id: DocumentId) -> String {
    source(Kind::Customers, &["", &id.to_string()])
}

/// Takes the person in, or changes what the row says otherwise than before.
pub(super) fn take(
    tx: &mut WriteTx<'_>,
    known: &mut Known,
    row: &PersonRow,
) -> Result<Result<Done, Fault>, AppError> {
    let by_number = row.source();
    if let Some(source) = &by_number
        && let Some((id, before)) = import_record::get(&tx.reader(), source)?
    {
        return change(tx, id, row, source, before);
    }
    let Some(id) = known.find(row) else {
        return Ok(create(tx, known, row)?.map(|_| Done::Created));
    };
    if let Some(source) = by_number {
        // Who is here already gets the number, so that orders find the person by it.
        remember(tx, id, row, source)?;
        return Ok(Ok(Done::Skipped));
    }
    let source = source_of_known(id);
    match import_record::get(&tx.reader(), &source)? {
        Some((_, before)) => change(tx, id, row, &source, before),
        None => Ok(Ok(Done::Skipped)),
    }
}

/// Whose order it is: somebody who is known, by number or name, else somebody new.
pub(super) fn person_of(
    tx: &mut WriteTx<'_>,
    known: &mut Known,
    row: &PersonRow,
) -> Result<Result<DocumentId, Fault>, AppError> {
    match known.find(row) {
        Some(id) => Ok(Ok(id)),
        None => create(tx, known, row),
    }
}

fn create(
    tx: &mut WriteTx<'_>,
    known: &mut Known,
    row: &PersonRow,
) -> Result<Result<DocumentId, Fault>, AppError> {
    let id = match customer::add(tx, row.input()) {
        Ok(id) => id,
        Err(AppError::Invalid(problems)) => return Ok(Err(said(&problems))),
        Err(error) => return Err(error),
    };
    known.add(row, id);
    let source = row.source().unwrap_or_else(|| source_of_known(id));
    remember(tx, id, row, source)?;
    Ok(Ok(id))
}

fn change(
    tx: &mut WriteTx<'_>,
    id: DocumentId,
    row: &PersonRow,
    source: &str,
    before: Hash,
) -> Result<Result<Done, Fault>, AppError> {
    let reader = tx.reader();
    let keys = reader.person_keys(id)?;
    let record = rows::get(&reader, id)?;
    let is_merged = record
        .as_ref()
        .is_none_or(|record| record.merged_into.is_some());
    let is_told = keys.iter().any(|key| row.fingerprint(key) == before);
    // Whose key is gone was erased, and who was merged is somebody else now: neither is written again.
    if is_told || keys.is_empty() || is_merged {
        return Ok(Ok(Done::Skipped));
    }
    let edits = match customer::edits_of(tx, id, row.patch()) {
        Ok(edits) => edits,
        Err(AppError::Invalid(problems)) => return Ok(Err(said(&problems))),
        Err(error) => return Err(error),
    };
    if !edits.is_empty() {
        tx.edit_document(id, DocumentKind::Customer, &edits)?;
    }
    remember(tx, id, row, source.to_owned())?;
    Ok(Ok(Done::Changed))
}

fn remember(
    tx: &mut WriteTx<'_>,
    id: DocumentId,
    row: &PersonRow,
    source: String,
) -> Result<(), AppError> {
    let keys = tx.reader().person_keys(id)?;
    let Some(key) = keys.iter().max_by_key(|key| key.generation()) else {
        return Ok(());
    };
    tx.fact(Item::ImportRecord(ImportRecord {
        source,
        order: id,
        fingerprint: row.fingerprint(key),
    }))?;
    Ok(())
}

pub(super) fn said(problems: &[domain::problem::FieldProblem]) -> Fault {
    let said: Vec<String> = problems
        .iter()
        .map(|problem| {
            let field = problem.pointer.rsplit('/').next().unwrap_or_default();
            format!("{field} {}", problem.detail)
        })
        .collect();
    Fault::Said(said.join("; "))
}
