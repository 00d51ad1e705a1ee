//! Exports: everything held, a chunk at a time, as CSV or as JSON lines.
//!
//! A chunk is one reading, so that an export of any size holds no reading open for long. JSON lines are what the API
//! shows of each thing; CSV has its plain columns.

use std::collections::BTreeMap;
use std::str::FromStr;

use domain::id::PartId;
use domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::customer::{self, Customer};
use super::order::form::Order;
use super::order::show::Shower;
use super::stock::{self, Movement, StockRow};
use super::{Codes, require};
use crate::error::{AppError, StoreError};
use crate::store::catalogue::{self, PartFilter};
use crate::store::{Actor, Reader, customer as customers, order as orders, stock as stock_rows};

/// Things of one chunk.
const CHUNK: u32 = 250;

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
pub enum ExportWhat {
    /// Orders, newest first.
    Orders,
    /// Customers, newest first.
    Customers,
    /// Parts that ever moved here, by sku.
    Stock,
    /// Movements, newest first.
    Movements,
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
pub enum ExportFormat {
    /// Comma-separated, with a header (RFC 4180).
    Csv,
    /// One JSON object per line.
    Jsonl,
}

/// Where the next chunk begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportCursor {
    /// Behind this row.
    Row(i64),
    /// Behind this sku.
    Sku(String),
}

/// A piece of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// What to send.
    pub bytes: Vec<u8>,
    /// Where the next one begins; none at the end.
    pub next: Option<ExportCursor>,
}

impl FromStr for ExportWhat {
    type Err = AppError;

    fn from_str(text: &str) -> Result<Self, AppError> {
        match text {
            "orders" => Ok(Self::Orders),
            "customers" => Ok(Self::Customers),
            "stock" => Ok(Self::Stock),
            "movements" => Ok(Self::Movements),
            _ => Err(AppError::NotFound { what: "export" }),
        }
    }
}

impl FromStr for ExportFormat {
    type Err = AppError;

    fn from_str(text: &str) -> Result<Self, AppError> {
        match text {
            "csv" => Ok(Self::Csv),
            "jsonl" => Ok(Self::Jsonl),
            _ => Err(AppError::NotFound { what: "export" }),
        }
    }
}

/// One chunk; the first one has the header.
pub fn chunk(
    reader: &Reader<'_>,
    actor: &Actor,
    what: ExportWhat,
    format: ExportFormat,
    after: Option<ExportCursor>,
) -> Result<Chunk, AppError> {
    require(actor, Permission::Export)?;
    let is_first = after.is_none();
    let (row, sku) = match after {
        None => (None, None),
        Some(ExportCursor::Row(row)) => (Some(row), None),
        Some(ExportCursor::Sku(sku)) => (None, Some(sku)),
    };
    match what {
        ExportWhat::Orders => {
            let (items, next) = order_items(reader, row)?;
            write(&items, next, format, is_first, flat_order)
        }
        ExportWhat::Customers => {
            let (items, next) = customer_items(reader, row)?;
            write(&items, next, format, is_first, flat_customer)
        }
        ExportWhat::Stock => {
            let (items, next) = stock_items(reader, sku)?;
            write(&items, next, format, is_first, flat_stock)
        }
        ExportWhat::Movements => {
            let (items, next) = movement_items(reader, row)?;
            write(&items, next, format, is_first, flat_movement)
        }
    }
}

type Items<T> = (Vec<T>, Option<ExportCursor>);

/// The cursor behind a full chunk; one that is not full is the last.
fn behind<T>(found: &[T], cursor: impl FnOnce(&T) -> ExportCursor) -> Option<ExportCursor> {
    if found.len() < CHUNK as usize {
        None
    } else {
        found.last().map(cursor)
    }
}

fn order_items(reader: &Reader<'_>, before_row: Option<i64>) -> Result<Items<Order>, AppError> {
    let filter = orders::OrderFilter {
        before_row,
        ..Default::default()
    };
    let found = orders::list(reader, &filter, CHUNK)?;
    let next = behind(&found, |last| ExportCursor::Row(last.row));
    let mut shower = Shower::new(reader);
    let items = found
        .into_iter()
        .map(|record| shower.order(record))
        .collect::<Result<_, _>>()?;
    Ok((items, next))
}

fn customer_items(
    reader: &Reader<'_>,
    before_row: Option<i64>,
) -> Result<Items<Customer>, AppError> {
    let found = customers::list(reader, before_row, CHUNK)?;
    let next = behind(&found, |last| ExportCursor::Row(last.row));
    let mut codes = Codes::default();
    let items = found
        .into_iter()
        .map(|record| customer::show(reader, &mut codes, record))
        .collect::<Result<_, _>>()?;
    Ok((items, next))
}

fn stock_items(
    reader: &Reader<'_>,
    after_sku: Option<String>,
) -> Result<Items<StockRow>, AppError> {
    let filter = PartFilter {
        after_sku,
        stocked_only: true,
        text: None,
    };
    let found = catalogue::parts(reader, &filter, CHUNK)?;
    let next = behind(&found, |last| ExportCursor::Sku(last.row.sku.clone()));
    let items = found
        .into_iter()
        .map(|part| stock::show(reader, part.id, part.row, part.balance))
        .collect::<Result<_, _>>()?;
    Ok((items, next))
}

/// A movement with its part.
#[derive(Debug, Clone, Serialize)]
struct PartMovement {
    sku: String,
    #[serde(flatten)]
    movement: Movement,
}

fn movement_items(
    reader: &Reader<'_>,
    before_row: Option<i64>,
) -> Result<Items<PartMovement>, AppError> {
    let found = stock_rows::movements(reader, None, before_row, CHUNK)?;
    let next = behind(&found, |last| ExportCursor::Row(last.row));
    let mut skus: BTreeMap<PartId, String> = BTreeMap::new();
    let mut items = Vec::new();
    for record in found {
        let part = record.part;
        let sku = match skus.get(&part) {
            Some(sku) => sku.clone(),
            None => catalogue::part(reader, part)?.map_or_else(|| part.to_string(), |row| row.sku),
        };
        skus.insert(part, sku.clone());
        items.push(PartMovement {
            sku,
            movement: stock::show_movement(record),
        });
    }
    Ok((items, next))
}

type Columns<const N: usize> = [(&'static str, String); N];

fn write<T: Serialize, const N: usize>(
    items: &[T],
    next: Option<ExportCursor>,
    format: ExportFormat,
    is_first: bool,
    flat: impl Fn(Option<&T>) -> Columns<N>,
) -> Result<Chunk, AppError> {
    let mut bytes = Vec::new();
    match format {
        ExportFormat::Jsonl => {
            for item in items {
                serde_json::to_writer(&mut bytes, item)?;
                bytes.push(b'\n');
            }
        }
        ExportFormat::Csv => {
            let mut writer = csv::WriterBuilder::new()
                .terminator(csv::Terminator::CRLF)
                .from_writer(&mut bytes);
            if is_first {
                writer
                    .write_record(flat(None).map(|(name, _)| name))
                    .map_err(unwritable)?;
            }
            for item in items {
                writer
                    .write_record(flat(Some(item)).map(|(_, value)| value))
                    .map_err(unwritable)?;
            }
            writer.flush().map_err(|error| unwritable(error.into()))?;
        }
    }
    Ok(Chunk { bytes, next })
}

fn unwritable(error: csv::Error) -> AppError {
    AppError::Store(StoreError::Corrupt {
        table: "export",
        what: error.to_string(),
    })
}

fn shown(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn flat_order(order: Option<&Order>) -> Columns<21> {
    let of = |read: &dyn Fn(&Order) -> String| order.map(read).unwrap_or_default();
    [
        ("id", of(&|order| order.id.to_string())),
        ("number", of(&|order| order.number.clone())),
        ("visit_id", of(&|order| order.visit_id.to_string())),
        ("branch", of(&|order| order.branch.clone())),
        (
            "customer_id",
            of(&|order| shown(order.customer.as_ref().map(|customer| customer.id))),
        ),
        ("category", of(&|order| order.device.category.clone())),
        ("brand", of(&|order| order.device.brand.clone())),
        ("model", of(&|order| order.device.model.clone())),
        ("serial", of(&|order| order.device.serial.clone())),
        ("fault", of(&|order| order.device.fault.clone())),
        ("status", of(&|order| order.status.to_string())),
        ("outcome", of(&|order| shown(order.outcome))),
        ("technician_id", of(&|order| shown(order.technician_id))),
        ("promised_at", of(&|order| shown(order.promised_at))),
        (
            "source",
            of(&|order| order.source.clone().unwrap_or_default()),
        ),
        ("diagnosis", of(&|order| order.diagnosis.clone())),
        (
            "net_minor",
            of(&|order| order.totals.net.amount_minor.to_string()),
        ),
        (
            "gross_minor",
            of(&|order| order.totals.gross.amount_minor.to_string()),
        ),
        (
            "currency",
            of(&|order| order.totals.gross.currency.to_string()),
        ),
        ("created_at", of(&|order| order.created_at.to_string())),
        ("updated_at", of(&|order| order.updated_at.to_string())),
    ]
}

fn flat_customer(customer: Option<&Customer>) -> Columns<10> {
    let of = |read: &dyn Fn(&Customer) -> String| customer.map(read).unwrap_or_default();
    let personal = |value: &Option<web_kit::wire::Personal>| {
        value
            .as_ref()
            .map(|value| value.expose().to_owned())
            .unwrap_or_default()
    };
    [
        ("id", of(&|customer| customer.id.to_string())),
        ("name", of(&|customer| personal(&customer.name))),
        ("phone", of(&|customer| personal(&customer.phone))),
        ("email", of(&|customer| personal(&customer.email))),
        ("address", of(&|customer| personal(&customer.address))),
        (
            "language",
            of(&|customer| customer.language.clone().unwrap_or_default()),
        ),
        ("branch", of(&|customer| customer.branch.clone())),
        ("merged_into", of(&|customer| shown(customer.merged_into))),
        (
            "created_at",
            of(&|customer| customer.created_at.to_string()),
        ),
        (
            "updated_at",
            of(&|customer| customer.updated_at.to_string()),
        ),
    ]
}

fn flat_stock(row: Option<&StockRow>) -> Columns<9> {
    let of = |read: &dyn Fn(&StockRow) -> String| row.map(read).unwrap_or_default();
    [
        ("sku", of(&|row| row.sku.clone())),
        ("name", of(&|row| row.name.clone())),
        ("on_hand", of(&|row| row.on_hand.to_string())),
        ("reserved", of(&|row| row.reserved.to_string())),
        ("free", of(&|row| row.free.to_string())),
        ("in_transit", of(&|row| row.in_transit.to_string())),
        ("reorder_point", of(&|row| shown(row.reorder_point))),
        ("bin", of(&|row| row.bin.clone().unwrap_or_default())),
        ("as_of", of(&|row| shown(row.as_of))),
    ]
}

fn flat_movement(row: Option<&PartMovement>) -> Columns<12> {
    let of =
        |read: &dyn Fn(&Movement) -> String| row.map(|row| read(&row.movement)).unwrap_or_default();
    [
        ("id", of(&|movement| movement.id.clone())),
        ("sku", row.map(|row| row.sku.clone()).unwrap_or_default()),
        ("at", of(&|movement| movement.at.to_string())),
        ("kind", of(&|movement| movement.kind.to_string())),
        ("quantity", of(&|movement| movement.quantity.to_string())),
        (
            "from_account",
            of(&|movement| movement.from_account.to_string()),
        ),
        (
            "to_account",
            of(&|movement| movement.to_account.to_string()),
        ),
        (
            "reason",
            of(&|movement| movement.reason.clone().unwrap_or_default()),
        ),
        (
            "reference",
            of(&|movement| movement.reference.clone().unwrap_or_default()),
        ),
        ("staff_id", of(&|movement| shown(movement.staff_id))),
        (
            "balance_after",
            of(&|movement| movement.balance_after.to_string()),
        ),
        (
            "superseded",
            of(&|movement| movement.superseded.to_string()),
        ),
    ]
}
