//! Orders: reading them, changing their fields.
//!
//! The steps of an order's life stand in the modules below. What an order reserves and uses of stock is written in the
//! same transaction as its lines and its status.

pub mod board;
pub mod estimate;
pub mod form;
pub mod history;
pub mod line;
pub mod note;
pub(crate) mod show;
pub mod status;

use std::collections::BTreeMap;

use domain::document::{DocumentKind, Edit};
use domain::env::Entropy;
use domain::id::{DocumentId, EventId, StaffId, VisitId};
use domain::number::parse_order_number;
use domain::order::{OrderView, Status, patch_order};
use domain::patch::Patch;
use domain::permission::Permission;
use domain::problem::{FieldProblem, Problems};
use domain::text::{self, NAME_MAX};
use sync_protocol::item::command;
use web_kit::etag::IfMatch;
use web_kit::list::{ListQuery, Page};

use super::{check_heads, cursor, place, require};
use crate::error::AppError;
use crate::store::order::{self as rows, OrderRecord};
use crate::store::{Actor, Reader, WriteTx, customer, staff};
pub use form::{DeviceInput, DevicePatch, Order, OrderFilter, OrderPatch};
use show::Shower;
use web_kit::wire::Time;

/// Name of the list in cursors.
const LIST: &str = "orders";
/// The most orders that one customer's or one visit's list gives.
const OF_ONE_MAX: u32 = 500;

/// One order.
pub fn get(reader: &Reader<'_>, actor: &Actor, id: DocumentId) -> Result<Order, AppError> {
    require(actor, Permission::OrdersRead)?;
    let record = rows::get(reader, id)?.ok_or(AppError::NotFound { what: "order" })?;
    Shower::new(reader).order(record)
}

/// Orders, newest first.
pub fn list(
    reader: &Reader<'_>,
    actor: &Actor,
    filter: &OrderFilter,
    page: &ListQuery,
) -> Result<Page<Order>, AppError> {
    require(actor, Permission::OrdersRead)?;
    let wanted = filter.q.as_deref().map(str::trim).filter(|q| !q.is_empty());
    let filter = rows::OrderFilter {
        status: filter.status,
        since_ms: filter.since.map(|Time(at_ms)| at_ms),
        number_or_serial: wanted.map(|q| parse_order_number(q).unwrap_or_else(|_| q.to_owned())),
        before_row: place(page, LIST)?,
    };
    let found = rows::list(reader, &filter, page.limit.saturating_add(1))?;
    show_page(
        reader,
        Page::cut(found, page.limit, |last| cursor(LIST, &last.row)),
    )
}

/// The orders of a visit, in the order in which they were taken in.
pub fn of_visit(
    reader: &Reader<'_>,
    actor: &Actor,
    visit: VisitId,
) -> Result<Vec<Order>, AppError> {
    require(actor, Permission::OrdersRead)?;
    Ok(show_page(reader, Page::whole(rows::of_visit(reader, visit)?))?.items)
}

/// The orders of a customer, newest first.
pub fn of_customer(
    reader: &Reader<'_>,
    actor: &Actor,
    customer: DocumentId,
    limit: u32,
) -> Result<Vec<Order>, AppError> {
    require(actor, Permission::OrdersRead)?;
    let found = rows::of_customer(reader, customer, limit.min(OF_ONE_MAX))?;
    Ok(show_page(reader, Page::whole(found))?.items)
}

fn show_page(reader: &Reader<'_>, page: Page<OrderRecord>) -> Result<Page<Order>, AppError> {
    let mut shower = Shower::new(reader);
    let next_cursor = page.next_cursor;
    let items = page
        .items
        .into_iter()
        .map(|record| shower.order(record))
        .collect::<Result<_, _>>()?;
    Ok(Page { items, next_cursor })
}

/// Changes an order's fields; what is not mentioned stays.
pub fn patch(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: DocumentId,
    if_match: &IfMatch,
    input: OrderPatch,
) -> Result<Order, AppError> {
    require(actor, Permission::OrdersWrite)?;
    let record = open(tx, id, if_match)?;
    check_people(&tx.reader(), &input)?;
    let view = &record.view;
    let device = input.device;
    let accessories = match device.accessories {
        Patch::Keep => None,
        Patch::Clear => Some(BTreeMap::new()),
        Patch::Set(wish) => Some(keyed_accessories(
            &view.device.accessories,
            &wish,
            &mut tx.random(),
        )?),
    };
    let condition = match device.condition {
        Patch::Keep => None,
        Patch::Clear => Some(BTreeMap::new()),
        Patch::Set(wish) => Some(wish),
    };
    let edits = patch_order(
        view,
        &domain::order::OrderPatch {
            customer: input.customer_id,
            promised_at_ms: input.promised_at.map(|Time(at_ms)| at_ms),
            technician: input.technician_id,
            urgent: input.urgent,
            terms_at_ms: input.terms_accepted_at.map(|Time(at_ms)| at_ms),
            diagnosis: input.diagnosis,
            category: device.category,
            brand: device.brand,
            model: device.model,
            serial: device.serial,
            fault: device.fault,
            accessories,
            condition,
        },
    )?;
    tx.begin(command::ORDER_EDIT, actor)?;
    write(tx, id, &edits)
}

fn check_people(reader: &Reader<'_>, input: &OrderPatch) -> Result<(), AppError> {
    let mut problems = Vec::new();
    if let Patch::Set(customer) = input.customer_id
        && customer::get(reader, customer)?.is_none()
    {
        problems.push(FieldProblem::new(
            "/customer_id",
            "there is no such customer here",
        ));
    }
    if let Patch::Set(technician) = input.technician_id
        && !works_here(reader, technician)?
    {
        problems.push(FieldProblem::new(
            "/technician_id",
            "nobody with this id works at this branch",
        ));
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(AppError::Invalid(problems))
    }
}

fn works_here(reader: &Reader<'_>, person: StaffId) -> Result<bool, AppError> {
    Ok(staff::get(reader, person)?.is_some_and(|row| row.works_at(reader.identity().branch)))
}

/// Gives each accessory its key: the one that it has, or a new one.
pub(crate) fn keyed_accessories(
    shown: &BTreeMap<String, String>,
    wish: &[String],
    entropy: &mut impl Entropy,
) -> Result<BTreeMap<String, String>, AppError> {
    let mut problems = Problems::new();
    let mut free: Vec<(&String, &String)> = shown.iter().collect();
    let mut keyed = BTreeMap::new();
    problems.check(
        wish.len() <= 100,
        "/device/accessories",
        "must not have more than 100 entries",
    );
    for (i, text) in wish.iter().enumerate().take(100) {
        let text = problems.take(
            &format!("/device/accessories/{i}"),
            text::required_line(text, NAME_MAX),
        );
        let key = match free.iter().position(|(_, there)| **there == text) {
            Some(at) => free.swap_remove(at).0.clone(),
            None => EventId::from_random(entropy).to_string(),
        };
        keyed.insert(key, text);
    }
    problems.finish(keyed).map_err(AppError::Invalid)
}

/// The order as it is now, when the caller knows it as it is.
pub(crate) fn open(
    tx: &mut WriteTx<'_>,
    id: DocumentId,
    if_match: &IfMatch,
) -> Result<OrderRecord, AppError> {
    let record = rows::get(&tx.reader(), id)?.ok_or(AppError::NotFound { what: "order" })?;
    check_heads(if_match, &record.heads)?;
    Ok(record)
}

/// Writes edits, if there are any, and shows the order behind them.
pub(crate) fn write(
    tx: &mut WriteTx<'_>,
    id: DocumentId,
    edits: &[Edit],
) -> Result<Order, AppError> {
    if !edits.is_empty() {
        tx.edit_document(id, DocumentKind::Order, edits)?;
    }
    shown(tx, id)
}

/// The order as this write has made it.
pub(crate) fn shown(tx: &WriteTx<'_>, id: DocumentId) -> Result<Order, AppError> {
    let reader = tx.reader();
    let record = rows::get(&reader, id)?.ok_or(AppError::NotFound { what: "order" })?;
    Shower::new(&reader).order(record)
}

/// Whether nothing more happens to the device.
pub(crate) fn is_ended(status: Status) -> bool {
    matches!(status, Status::Collected | Status::Cancelled)
}

/// Refuses what needs an order that has not ended.
pub(crate) fn check_not_ended(view: &OrderView) -> Result<(), AppError> {
    if !is_ended(view.status) {
        return Ok(());
    }
    let detail = format!(
        "the order is {}: its lines stay as they are; undo that step first",
        view.status
    );
    Err(AppError::conflict("order-ended", detail))
}
