//! The priced lines of an order, and the parts that they take from stock.
//!
//! A part line reserves its pieces in the transaction that writes it; using them up is a movement and the end of the
//! reservation in one transaction. Nothing here takes more than is free (INV-6).

use domain::document::DocumentKind;
use domain::id::{DocumentId, LineId, PartId};
use domain::money::Money;
use domain::order::{self as rules, LineKind, OrderView};
use domain::part::PartRow;
use domain::permission::Permission;
use domain::quantity::Quantity;
use domain::stock::{Account, Movement, MovementKind};
use serde::Serialize;
use sync_protocol::item::{Item, Release, Reserve, command};
use utoipa::ToSchema;
use web_kit::etag::IfMatch;

use super::super::require;
use super::super::stock::{check_free, find_part, short};
use super::form::{Line, LineInput, LinePatch, LineStock, Order};
use super::show::line_stock;
use super::{check_not_ended, open, shown, write};
use crate::error::AppError;
use crate::store::order::OrderRecord;
use crate::store::{Actor, Reader, WriteTx, catalogue, stock};

/// An order behind a change of one of its lines.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LineAnswer {
    /// The line.
    #[schema(value_type = String, format = "uuid")]
    pub line_id: LineId,
    /// The order.
    pub order: Order,
}

impl LineAnswer {
    /// The line.
    pub fn line(&self) -> Option<&Line> {
        self.order.lines.iter().find(|line| line.id == self.line_id)
    }
}

/// Adds a line; one for a part reserves its pieces, or says how many are free and where others are.
pub fn add(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: DocumentId,
    if_match: &IfMatch,
    input: LineInput,
) -> Result<LineAnswer, AppError> {
    require(actor, Permission::OrdersWrite)?;
    let record = open(tx, id, if_match)?;
    check_not_ended(&record.view)?;
    let line_id = LineId::from_random(&mut tx.random());
    let part = part_of(&tx.reader(), &input)?;
    let line = fill_in(&tx.reader(), &record.view, line_id, input, part.as_ref())?;
    let edits = rules::add_line(&record.view, &line)?;
    if let Some((part, _)) = part {
        check_free(&tx.reader(), part, line.quantity)?;
    }
    tx.begin(command::ORDER_LINE, actor)?;
    tx.edit_document(id, DocumentKind::Order, &edits)?;
    if let Some((part, _)) = part {
        reserve(tx, line_id, part, line.quantity)?;
    }
    Ok(LineAnswer {
        line_id,
        order: shown(tx, id)?,
    })
}

fn part_of(reader: &Reader<'_>, input: &LineInput) -> Result<Option<(PartId, PartRow)>, AppError> {
    match (input.kind, &input.sku) {
        (LineKind::Part, Some(sku)) => find_part(reader, sku).map(Some).map_err(|_| {
            AppError::field("/sku", "no part of the catalogue has this sku or barcode")
        }),
        (LineKind::Part, None) => Err(AppError::field(
            "/sku",
            "must be given: a part line names a part",
        )),
        (_, Some(_)) => Err(AppError::field(
            "/sku",
            "only a line of kind part names a part; leave it out",
        )),
        (_, None) => Ok(None),
    }
}

/// What the caller left out comes from the part, the tax rate also from the company.
fn fill_in(
    reader: &Reader<'_>,
    view: &OrderView,
    id: LineId,
    input: LineInput,
    part: Option<&(PartId, PartRow)>,
) -> Result<rules::LineInput, AppError> {
    let row = part.map(|(_, row)| row);
    let unit_minor = match (input.unit_price, row) {
        (Some(price), _) => amount(price, view)?,
        (None, Some(row)) if row.currency == view.currency => row.price_minor,
        (None, Some(row)) => {
            let detail = format!(
                "must be given: the catalogue has a price in {}, the order is in {}",
                row.currency, view.currency
            );
            return Err(AppError::field("/unit_price", detail));
        }
        (None, None) => {
            return Err(AppError::field(
                "/unit_price",
                "must be given for a line that is not a part",
            ));
        }
    };
    let tax_bp = match (input.tax_rate_bp, row) {
        (Some(bp), _) => bp,
        (None, Some(row)) => row.tax_bp,
        (None, None) => {
            let company = catalogue::company(reader)?;
            company
                .and_then(|company| company.tax_rates.first().map(|rate| rate.bp))
                .unwrap_or(0)
        }
    };
    let text = input.text.filter(|text| !text.trim().is_empty());
    Ok(rules::LineInput {
        id,
        kind: input.kind,
        text: text
            .or_else(|| row.map(|row| row.name.clone()))
            .unwrap_or_default(),
        sku: row.map(|row| row.sku.clone()),
        part: part.map(|(part, _)| *part),
        quantity: input.quantity,
        unit_minor,
        tax_bp,
    })
}

fn amount(price: Money, view: &OrderView) -> Result<i64, AppError> {
    if price.currency != view.currency {
        return Err(AppError::field(
            "/unit_price/currency",
            format!("the order is in {}", view.currency),
        ));
    }
    if price.amount_minor < 0 {
        return Err(AppError::field(
            "/unit_price/amount_minor",
            "must not be below zero; a discount's is not either",
        ));
    }
    Ok(price.amount_minor)
}

/// Changes a line; another quantity of a part reserves anew.
pub fn change(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: DocumentId,
    line_id: LineId,
    if_match: &IfMatch,
    input: LinePatch,
) -> Result<LineAnswer, AppError> {
    require(actor, Permission::OrdersWrite)?;
    let record = open(tx, id, if_match)?;
    let line = line_in(&record, line_id)?.clone();
    check_not_ended(&record.view)?;
    let patch = rules::LinePatch {
        text: input.text,
        quantity: input.quantity,
        unit_minor: input
            .unit_price
            .map(|price| amount(price, &record.view))
            .transpose()?,
        tax_bp: input.tax_rate_bp,
    };
    let edits = rules::change_line(&record.view, line_id, &patch)?;
    let quantity = input.quantity.filter(|quantity| *quantity != line.quantity);
    let reserves = match (line.part, quantity) {
        (Some(part), Some(quantity)) => Some((
            part,
            quantity,
            check_change(&tx.reader(), id, &line, part, quantity)?,
        )),
        _ => None,
    };
    tx.begin(command::ORDER_LINE, actor)?;
    if let Some((part, quantity, held)) = reserves {
        if held {
            tx.fact(Item::Release(Release {
                reservation: line_id,
            }))?;
        }
        reserve(tx, line_id, part, quantity)?;
    }
    Ok(LineAnswer {
        line_id,
        order: write(tx, id, &edits)?,
    })
}

/// Whether the line's pieces may become `quantity`; gives whether a reservation is open now.
fn check_change(
    reader: &Reader<'_>,
    order: DocumentId,
    line: &rules::Line,
    part: PartId,
    quantity: i64,
) -> Result<bool, AppError> {
    match line_stock(reader, order, line)? {
        LineStock::Consumed => Err(consumed()),
        LineStock::Reserved => {
            let held =
                stock::reservation(reader, line.id)?.map_or(0, |reservation| reservation.quantity);
            let free = stock::balance(reader, part)?.free() + held;
            if free < quantity {
                Err(short(reader, part, free, quantity)?)
            } else {
                Ok(true)
            }
        }
        LineStock::Open => check_free(reader, part, quantity).map(|()| false),
    }
}

/// Removes a line; what it reserved is free again.
pub fn remove(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: DocumentId,
    line_id: LineId,
    if_match: &IfMatch,
) -> Result<Order, AppError> {
    require(actor, Permission::OrdersWrite)?;
    let record = open(tx, id, if_match)?;
    let line = line_in(&record, line_id)?;
    check_not_ended(&record.view)?;
    let stock = line_stock(&tx.reader(), id, line)?;
    if stock == LineStock::Consumed {
        return Err(consumed());
    }
    let edits = rules::remove_line(&record.view, line_id)?;
    tx.begin(command::ORDER_LINE, actor)?;
    if stock == LineStock::Reserved {
        tx.fact(Item::Release(Release {
            reservation: line_id,
        }))?;
    }
    write(tx, id, &edits)
}

/// Uses the pieces of a part line up: a movement and the end of the reservation, in one transaction.
pub fn consume(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: DocumentId,
    line_id: LineId,
    if_match: &IfMatch,
) -> Result<LineAnswer, AppError> {
    require(actor, Permission::StockMove)?;
    let record = open(tx, id, if_match)?;
    let line = line_in(&record, line_id)?;
    check_not_ended(&record.view)?;
    let part = line.part.ok_or_else(|| {
        AppError::conflict(
            "not-a-part",
            "only a line of kind part takes something from stock",
        )
    })?;
    let stock = line_stock(&tx.reader(), id, line)?;
    let balance = stock::balance(&tx.reader(), part)?;
    let there = match stock {
        LineStock::Consumed => return Err(consumed()),
        LineStock::Reserved => balance.on_hand,
        LineStock::Open => balance.free(),
    };
    if there < line.quantity {
        return Err(short(&tx.reader(), part, there, line.quantity)?);
    }
    let number = acts(&tx.reader(), id, line_id, MovementKind::Use)?;
    let mut movement = Movement::new(tx.identity().branch, part, MovementKind::Use, line.quantity)
        .about(*id.as_bytes(), *line_id.as_bytes(), number);
    movement.text.clone_from(&record.view.number);
    tx.begin(command::ORDER_LINE, actor)?;
    if stock == LineStock::Reserved {
        tx.fact(Item::Release(Release {
            reservation: line_id,
        }))?;
    }
    tx.fact(Item::Movement(movement))?;
    Ok(LineAnswer {
        line_id,
        order: shown(tx, id)?,
    })
}

/// Takes the use of a line's pieces back: they come from *used* to the shelf and are set aside for the line again.
pub fn put_back(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: DocumentId,
    line_id: LineId,
    if_match: &IfMatch,
) -> Result<LineAnswer, AppError> {
    require(actor, Permission::StockMove)?;
    let record = open(tx, id, if_match)?;
    let line = line_in(&record, line_id)?;
    check_not_ended(&record.view)?;
    let used = stock::used_quantity(&tx.reader(), id.as_bytes(), line_id.as_bytes())?;
    let (Some(part), Some(quantity)) = (line.part, used) else {
        return Err(AppError::conflict(
            "not-used",
            "no piece of this line is used up",
        ));
    };
    let uses = stock::uses_of(&tx.reader(), id.as_bytes(), line_id.as_bytes())?;
    if uses.iter().any(|used| used.branch != tx.identity().branch) {
        return Err(AppError::conflict(
            "other-branch",
            "the pieces were used at another branch",
        ));
    }
    let number = acts(&tx.reader(), id, line_id, MovementKind::Return)?;
    let mut movement = Movement::new(tx.identity().branch, part, MovementKind::Return, quantity)
        .about(*id.as_bytes(), *line_id.as_bytes(), number);
    movement.from = Account::Used;
    movement.text.clone_from(&record.view.number);
    tx.begin(command::ORDER_LINE, actor)?;
    tx.fact(Item::Movement(movement))?;
    reserve(tx, line_id, part, quantity)?;
    Ok(LineAnswer {
        line_id,
        order: shown(tx, id)?,
    })
}

/// How many acts of a kind there were on a line: the number of the next one.
fn acts(
    reader: &Reader<'_>,
    order: DocumentId,
    line: LineId,
    kind: MovementKind,
) -> Result<u16, AppError> {
    let moves = stock::uses_of(reader, order.as_bytes(), line.as_bytes())?;
    let count = moves.iter().filter(|there| there.kind == kind).count();
    Ok(u16::try_from(count).unwrap_or(u16::MAX))
}

fn line_in(record: &OrderRecord, line: LineId) -> Result<&rules::Line, AppError> {
    record
        .view
        .line(line)
        .ok_or(AppError::NotFound { what: "line" })
}

fn consumed() -> AppError {
    AppError::conflict(
        "line-consumed",
        "the pieces of this line were used up; they cannot be changed any more",
    )
}

fn order_row(tx: &WriteTx<'_>, id: DocumentId) -> Result<OrderRecord, AppError> {
    let found = crate::store::order::get(&tx.reader(), id)?;
    found.ok_or(AppError::NotFound { what: "order" })
}

/// Sets the pieces of every part line aside that has none; refused where one is short.
pub(crate) fn reserve_open(tx: &mut WriteTx<'_>, id: DocumentId) -> Result<(), AppError> {
    let record = order_row(tx, id)?;
    for line in &record.view.lines {
        let (Some(part), LineStock::Open) = (line.part, line_stock(&tx.reader(), id, line)?) else {
            continue;
        };
        check_free(&tx.reader(), part, line.quantity)?;
        reserve(tx, line.id, part, line.quantity)?;
    }
    Ok(())
}

/// Uses up what is set aside for the lines of an order that is handed over.
pub(crate) fn consume_reserved(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: DocumentId,
) -> Result<(), AppError> {
    let record = order_row(tx, id)?;
    for line in &record.view.lines {
        if line.part.is_some() && line_stock(&tx.reader(), id, line)? == LineStock::Reserved {
            consume(tx, actor, id, line.id, &IfMatch::default())?;
        }
    }
    Ok(())
}

fn reserve(tx: &mut WriteTx<'_>, id: LineId, part: PartId, quantity: i64) -> Result<(), AppError> {
    let quantity = Quantity::new(quantity).map_err(|error| AppError::field("/quantity", error))?;
    tx.fact(Item::Reserve(Reserve {
        id,
        part,
        quantity: quantity.as_u32(),
    }))?;
    Ok(())
}
