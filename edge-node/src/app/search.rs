//! One box: number, name, phone digits, e-mail, serial, words of the fault, sku or barcode.
//!
//! What was typed may be a personal value: it never stands in an address, a log or an error. Of equally good hits the
//! orders that are still open come first.

pub mod words;

use std::collections::BTreeSet;

use domain::id::DocumentId;
use domain::number::parse_order_number;
use domain::order::Status;
use domain::permission::Permission;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::import::table::source_of_order;
use super::part::{self, Part};
use super::require;
use super::stock::find_part;
use crate::error::AppError;
use crate::store::catalogue;
use crate::store::order::{self as orders, OrderRecord, find as finders};
use crate::store::{Actor, Reader, customer, import_record};
use web_kit::wire::{Personal, StatusForm, Time};

/// Hits of a kind when the caller does not say.
const LIMIT: u32 = 20;
/// Most hits of a kind.
const LIMIT_MAX: u32 = 100;
/// Orders of each person found.
const OF_PERSON: u32 = 6;
/// Signs that a barcode has at least.
const BARCODE_MIN: usize = 6;
/// Longest text that is searched for, in bytes.
const TYPED_MAX: usize = 400;

/// What to search for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchInput {
    /// What was typed or scanned.
    #[schema(value_type = String, max_length = 400)]
    pub q: Personal,
    /// Hits wanted of each kind.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100, default = 20)]
    pub limit: Option<u32>,
}

/// What was found, best first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SearchAnswer {
    /// Orders.
    pub orders: Vec<FoundOrder>,
    /// Customers.
    pub customers: Vec<FoundCustomer>,
    /// Parts.
    pub parts: Vec<Part>,
}

/// An order in a list of hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FoundOrder {
    /// The order.
    #[schema(value_type = String, format = "uuid")]
    pub id: DocumentId,
    /// Its number.
    pub number: String,
    /// Where it stands.
    #[schema(value_type = StatusForm)]
    pub status: Status,
    /// Category, brand and model.
    pub device: String,
    /// Its serial number.
    pub serial: String,
    /// What is wrong.
    pub fault: String,
    /// The customer.
    #[schema(required = true, value_type = Option<String>, format = "uuid")]
    pub customer_id: Option<DocumentId>,
    /// The customer's name.
    #[schema(required = true, value_type = Option<String>)]
    pub customer_name: Option<Personal>,
    /// When it was last changed.
    pub updated_at: Time,
}

/// A customer in a list of hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FoundCustomer {
    /// The customer.
    #[schema(value_type = String, format = "uuid")]
    pub id: DocumentId,
    /// Name.
    #[schema(required = true, value_type = Option<String>)]
    pub name: Option<Personal>,
    /// Phone.
    #[schema(required = true, value_type = Option<String>)]
    pub phone: Option<Personal>,
    /// E-mail.
    #[schema(required = true, value_type = Option<String>)]
    pub email: Option<Personal>,
}

/// Finds orders, customers and parts.
pub fn find(
    reader: &Reader<'_>,
    actor: &Actor,
    input: &SearchInput,
) -> Result<SearchAnswer, AppError> {
    require(actor, Permission::Search)?;
    let typed = input.q.expose().trim();
    if typed.len() > TYPED_MAX {
        return Err(AppError::field(
            "/q",
            format!("must not be longer than {TYPED_MAX} bytes"),
        ));
    }
    let limit = input.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(AppError::field(
            "/limit",
            format!("must be a whole number from 1 to {LIMIT_MAX}"),
        ));
    }
    if typed.is_empty() {
        return Ok(SearchAnswer {
            orders: Vec::new(),
            customers: Vec::new(),
            parts: Vec::new(),
        });
    }
    let customers = find_customers(reader, typed, limit)?;
    let orders = find_orders(reader, typed, &customers, limit)?;
    Ok(SearchAnswer {
        orders,
        customers,
        parts: find_parts(reader, typed, limit)?,
    })
}

pub(crate) fn find_customers(
    reader: &Reader<'_>,
    typed: &str,
    limit: u32,
) -> Result<Vec<FoundCustomer>, AppError> {
    let found = reader.persons().search(typed, limit as usize);
    let mut customers = Vec::new();
    for person in found {
        // The index in memory may be a commit ahead of this reading.
        let Some(record) = customer::get(reader, person.id)? else {
            continue;
        };
        // Whoever took this one's place is found by the same words.
        if record.merged_into.is_some() {
            continue;
        }
        let values = record.values.unwrap_or_default();
        customers.push(FoundCustomer {
            id: record.id,
            name: values.name.map(Into::into),
            phone: values.phone.map(Into::into),
            email: values.email.map(Into::into),
        });
    }
    Ok(customers)
}

/// By number or serial; then, the open ones first, by words, by the end of a serial and of the people found.
fn find_orders(
    reader: &Reader<'_>,
    typed: &str,
    customers: &[FoundCustomer],
    limit: u32,
) -> Result<Vec<FoundOrder>, AppError> {
    let number = parse_order_number(typed);
    let is_number = number.is_ok();
    let exact = orders::OrderFilter {
        number_or_serial: Some(number.unwrap_or_else(|_| typed.to_owned())),
        ..Default::default()
    };
    let mut records = orders::list(reader, &exact, limit)?;
    // The number that the old program gave.
    let old = source_of_order(typed);
    if let Some((id, _)) = import_record::get(reader, &old)?
        && records.iter().all(|record| record.id != id)
    {
        records.extend(orders::get(reader, id)?);
    }
    let room = (limit as usize).saturating_sub(records.len());
    // The words of a whole number lead to nothing but its order.
    let mut hits = if is_number && !records.is_empty() {
        Vec::new()
    } else {
        like(reader, typed, customers, limit)?
    };
    hits.sort_unstable_by(|one, other| other.cmp(one));
    hits.dedup();
    hits.retain(|hit| records.iter().all(|record| record.row != hit.row));
    for hit in hits.into_iter().take(room) {
        records.extend(finders::at_row(reader, hit.row)?);
    }
    records
        .into_iter()
        .map(|record| show(reader, record))
        .collect()
}

/// Orders with these words, this end of a serial, or of these people; none of them is read yet.
fn like(
    reader: &Reader<'_>,
    typed: &str,
    customers: &[FoundCustomer],
    limit: u32,
) -> Result<Vec<finders::Hit>, AppError> {
    let mut hits = finders::by_words(reader, &words::wanted(typed), limit)?;
    if !typed.contains(char::is_whitespace) {
        hits.extend(finders::by_serial_end(reader, typed, limit)?);
    }
    for customer in customers {
        hits.extend(finders::of_customer(reader, customer.id, OF_PERSON)?);
    }
    Ok(hits)
}

fn show(reader: &Reader<'_>, record: OrderRecord) -> Result<FoundOrder, AppError> {
    let view = record.view;
    let name = match view.customer {
        Some(id) => customer::name(reader, id)?,
        None => None,
    };
    let device = [view.device.category, view.device.brand, view.device.model];
    Ok(FoundOrder {
        id: record.id,
        number: view.number,
        status: view.status,
        device: device
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" "),
        serial: view.device.serial,
        fault: view.device.fault,
        customer_id: view.customer,
        customer_name: name.map(Into::into),
        updated_at: Time(record.updated_at_ms),
    })
}

fn find_parts(reader: &Reader<'_>, typed: &str, limit: u32) -> Result<Vec<Part>, AppError> {
    let mut parts = Vec::new();
    let may_be_code = typed.len() >= BARCODE_MIN && !typed.contains(char::is_whitespace);
    if may_be_code {
        match find_part(reader, typed) {
            Ok((id, row)) => parts.push(part::show(id, row)),
            Err(AppError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    let like = catalogue::parts_with_words(reader, &words, limit)?;
    parts.extend(like.into_iter().map(|(id, row)| part::show(id, row)));
    let mut seen = BTreeSet::new();
    parts.retain(|part| seen.insert(part.id));
    parts.truncate(limit as usize);
    Ok(parts)
}
