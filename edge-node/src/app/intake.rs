//! Taking in: a customer comes with devices, and each becomes an order of one visit.
//!
//! Customer, visit, orders, their first lines and the parts kept for them are one transaction: all of it is there, or
//! nothing.

pub mod offer;

use domain::document::DocumentKind;
use domain::id::{BranchId, DocumentId, EventId, PresetId, VisitId};
use domain::number::order_number;
use domain::order::{Device, LineKind, NewOrder, Status, StatusMove, create_order};
use domain::permission::Permission;
use serde::{Deserialize, Serialize};
use sync_protocol::item::command;
use utoipa::ToSchema;
use web_kit::etag::IfMatch;

use std::collections::BTreeMap;

use super::customer::{self, CustomerInput};
use super::order::form::{DeviceInput, EstimateInput, LineInput, Order};
use super::order::{estimate, keyed_accessories, line, shown};
use super::{below, require};
use crate::error::AppError;
use crate::store::{Actor, WriteTx, catalogue, customer as customer_rows, order as order_rows};
use web_kit::wire::{Time, money};

/// The most devices of one visit.
pub const DEVICES_MAX: usize = 20;
/// The most presets, and the most parts, of one device.
const LINES_MAX: usize = 10;

/// A visit that begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVisit {
    /// A customer who is known.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub customer_id: Option<DocumentId>,
    /// A customer who is taken in with the devices; null for nobody.
    #[serde(default)]
    pub customer: Option<CustomerInput>,
    /// The devices; each becomes an order.
    #[schema(min_items = 1, max_items = 20)]
    pub devices: Vec<DeviceInput>,
    /// When they are promised.
    #[serde(default)]
    pub promised_at: Option<Time>,
    /// When the customer accepted the terms.
    #[serde(default)]
    pub terms_accepted_at: Option<Time>,
    /// Whether they go first.
    #[serde(default)]
    pub urgent: bool,
}

/// A visit and its orders.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Visit {
    /// The visit.
    #[schema(value_type = String, format = "uuid")]
    pub visit_id: VisitId,
    /// One order per device, in the order in which they were given.
    pub items: Vec<Order>,
}

/// Takes devices in.
pub fn take_in(tx: &mut WriteTx<'_>, actor: &Actor, new: NewVisit) -> Result<Visit, AppError> {
    require(actor, Permission::OrdersWrite)?;
    let devices = devices(tx, &new)?;
    tx.begin(command::INTAKE, actor)?;
    let customer = customer_of(tx, actor, new.customer_id, new.customer)?;
    let settings = tx.settings()?;
    let visit = VisitId::from_random(&mut tx.random());
    let now_ms = tx.now_ms();
    let mut ids = Vec::new();
    for (i, device) in devices.into_iter().enumerate() {
        let received = StatusMove {
            id: EventId::from_random(&mut tx.random()),
            to: Status::Received,
            outcome: None,
            at_ms: now_ms,
        };
        let order = NewOrder {
            number: free_number(tx)?,
            branch: tx.identity().branch,
            visit,
            customer,
            source: None,
            prices_include_tax: settings.prices_include_tax,
            currency: settings.currency,
            device,
            promised_at_ms: new.promised_at.map(|Time(at_ms)| at_ms),
            technician: None,
            urgent: new.urgent,
            terms_at_ms: new.terms_accepted_at.map(|Time(at_ms)| at_ms),
            staff: actor.staff,
            moves: vec![received],
        };
        let edits =
            create_order(&order).map_err(|error| below(&format!("/devices/{i}"), error.into()))?;
        let id = DocumentId::from_random(&mut tx.random());
        tx.edit_document(id, DocumentKind::Order, &edits)?;
        agree(tx, actor, id, &new.devices[i])
            .map_err(|error| below(&format!("/devices/{i}"), error))?;
        ids.push(id);
    }
    let items = ids
        .into_iter()
        .map(|id| shown(tx, id))
        .collect::<Result<_, _>>()?;
    Ok(Visit {
        visit_id: visit,
        items,
    })
}

/// The lines that were agreed on at the counter, and what they come to as the first estimate.
fn agree(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    order: DocumentId,
    device: &DeviceInput,
) -> Result<(), AppError> {
    for (field, length) in [
        ("/presets", device.presets.len()),
        ("/parts", device.parts.len()),
    ] {
        if length > LINES_MAX {
            let detail = format!("must not be more than {LINES_MAX}");
            return Err(AppError::field(field, detail));
        }
    }
    let mut inputs = Vec::new();
    for (i, preset) in device.presets.iter().enumerate() {
        inputs.push((format!("/presets/{i}"), service(tx, i, *preset)?));
    }
    inputs.extend(device.parts.iter().enumerate().map(|(i, sku)| {
        let input = LineInput {
            kind: LineKind::Part,
            text: None,
            sku: Some(sku.clone()),
            quantity: 1,
            unit_price: None,
            tax_rate_bp: None,
        };
        (format!("/parts/{i}"), input)
    }));
    if inputs.is_empty() {
        return Ok(());
    }
    for (place, input) in inputs {
        line::add(tx, actor, order, &IfMatch::default(), input)
            .map_err(|error| below(&place, error))?;
    }
    let of_lines = EstimateInput::default();
    estimate::add(tx, actor, order, &IfMatch::default(), of_lines).map(drop)
}

fn service(tx: &WriteTx<'_>, i: usize, preset: PresetId) -> Result<LineInput, AppError> {
    let row = catalogue::preset(&tx.reader(), preset)?.filter(|row| row.active);
    let row = row.ok_or_else(|| {
        AppError::field(&format!("/presets/{i}"), "there is no such preset any more")
    })?;
    Ok(LineInput {
        kind: LineKind::Service,
        text: Some(row.service),
        sku: None,
        quantity: 1,
        unit_price: Some(money(row.price_minor, row.currency)),
        tax_rate_bp: Some(row.tax_bp),
    })
}

fn devices(tx: &WriteTx<'_>, new: &NewVisit) -> Result<Vec<Device>, AppError> {
    if new.devices.is_empty() {
        return Err(AppError::field(
            "/devices",
            "must not be empty: every device becomes an order",
        ));
    }
    if new.devices.len() > DEVICES_MAX {
        return Err(AppError::field(
            "/devices",
            format!("must not be more than {DEVICES_MAX}; begin another visit"),
        ));
    }
    let none = BTreeMap::new();
    let device = |(i, input): (usize, &DeviceInput)| {
        let pointer = format!("/devices/{i}");
        let accessories = keyed_accessories(&none, &input.accessories, &mut tx.random())
            .map_err(|error| below(&pointer, cut_prefix(error, "/device")))?;
        let fault = with_presets(tx, &input.fault, &input.presets)?;
        let DeviceInput {
            category,
            brand,
            model,
            serial,
            condition,
            ..
        } = input.clone();
        Ok(Device {
            category,
            brand,
            model,
            serial,
            fault,
            accessories,
            condition,
        })
    };
    new.devices.iter().enumerate().map(device).collect()
}

/// The names of the usual faults that were chosen stand before the customer's words.
fn with_presets(tx: &WriteTx<'_>, words: &str, presets: &[PresetId]) -> Result<String, AppError> {
    let mut names = Vec::new();
    for preset in presets.iter().take(LINES_MAX) {
        let row = catalogue::preset(&tx.reader(), *preset)?;
        names.extend(row.map(|row| row.fault).filter(|fault| !fault.is_empty()));
    }
    let names = names.join(", ");
    Ok(match (names.is_empty(), words.trim()) {
        (true, words) => words.to_owned(),
        (false, "") => names,
        (false, words) => format!("{names}. {words}"),
    })
}

/// Pointers of a patch begin at the order, those of a new device at the device.
fn cut_prefix(error: AppError, prefix: &str) -> AppError {
    match error {
        AppError::Invalid(mut problems) => {
            for problem in &mut problems {
                if let Some(rest) = problem.pointer.strip_prefix(prefix) {
                    problem.pointer = rest.to_owned();
                }
            }
            AppError::Invalid(problems)
        }
        other => other,
    }
}

fn customer_of(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    known: Option<DocumentId>,
    new: Option<CustomerInput>,
) -> Result<Option<DocumentId>, AppError> {
    match (known, new) {
        (Some(_), Some(_)) => Err(AppError::field(
            "/customer",
            "give a customer who is known or a new one, not both",
        )),
        (Some(id), None) => match customer_rows::get(&tx.reader(), id)? {
            // A customer who was merged into another is that other one.
            Some(record) => Ok(Some(record.merged_into.unwrap_or(id))),
            None => Err(AppError::field(
                "/customer_id",
                "there is no such customer here",
            )),
        },
        (None, Some(new)) => customer::take_in(tx, actor, new)
            .map(Some)
            .map_err(|error| below("/customer", error)),
        (None, None) => Ok(None),
    }
}

/// Draws an order number that no order has here.
pub(crate) fn free_number(tx: &WriteTx<'_>) -> Result<String, AppError> {
    loop {
        let number = order_number(&tx.identity().code, &mut tx.random());
        if !order_rows::number_is_taken(&tx.reader(), &number)? {
            return Ok(number);
        }
    }
}

/// The home branch of what is taken in here.
pub(crate) fn home(tx: &WriteTx<'_>) -> BranchId {
    tx.identity().branch
}
