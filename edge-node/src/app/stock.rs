//! Stock: how many there are and why, movements by hand, where and how a part is kept.
//!
//! A quantity is only ever moved. What is taken is held against the shelf in the same commit (INV-6): by hand nobody
//! takes more than is on hand, orders and transfers take no more than is free.

pub mod delivery;
pub mod shelf;

use std::collections::BTreeSet;

use domain::document::DocumentKind;
use domain::id::{DocumentId, IdBytes, PartId, StaffId, parse_uuid};
use domain::inventory::{InventoryPatch, create_inventory, patch_inventory, read_inventory};
use domain::part::PartRow;
use domain::patch::Patch;
use domain::permission::Permission;
use domain::problem::Problems;
use domain::quantity::Quantity;
use domain::stock::{self as rules, Account, MovementKind, movement_text, reason_and_reference};
use domain::text;
use geo::{Distance, Haversine, Point};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sync_protocol::item::{Item, command};
use utoipa::ToSchema;
use web_kit::etag::{ETag, IfMatch};
use web_kit::list::{ListQuery, Page};

use super::part::wanted;
use super::{check_heads, cursor, place, require};
use crate::error::AppError;
use crate::store::catalogue::{self, PartFilter};
use crate::store::stock::{self as rows, Balance, MovementRecord};
use crate::store::{Actor, Reader, WriteTx, document, inventory};
use web_kit::order::person;
use web_kit::wire::{AccountForm, HandKindForm, MovementKindForm, Time};

const LIST: &str = "stock";
const MOVEMENTS: &str = "movements";
/// Longest reason, in bytes.
const REASON_MAX: usize = 250;
/// Longest reference, in bytes.
const REFERENCE_MAX: usize = 120;
/// Most branches that are named to somebody who finds too few pieces here.
const ELSEWHERE_MAX: usize = 20;

/// A part and how many there are here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StockRow {
    /// The part.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// On the shelves.
    pub on_hand: i64,
    /// Kept for order lines.
    pub reserved: i64,
    /// On hand and not reserved.
    pub free: i64,
    /// On its way to this branch.
    pub in_transit: i64,
    /// At how many pieces to order more.
    #[schema(required = true)]
    pub reorder_point: Option<i64>,
    /// Where it lies.
    #[schema(required = true)]
    pub bin: Option<String>,
    /// A note about how it is kept here.
    #[schema(required = true)]
    pub note: Option<String>,
    /// Barcodes that mean it here, beside the catalogue's.
    pub barcodes: BTreeSet<String>,
    /// When it last changed; null while it never moved.
    #[schema(required = true)]
    pub as_of: Option<Time>,
    /// The tag of its settings.
    #[serde(skip)]
    #[schema(ignore)]
    pub(crate) etag: ETag,
}

impl StockRow {
    /// The tag of this state of its document.
    pub fn etag(&self) -> ETag {
        self.etag.clone()
    }
}

/// Which rows of the stock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StockFilter {
    /// Text in sku or name.
    pub q: Option<String>,
    /// The whole catalogue, not only what ever moved here.
    pub everything: bool,
}

/// A movement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = StockMovement)]
pub struct Movement {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// When.
    pub at: Time,
    /// What it is.
    #[schema(value_type = MovementKindForm)]
    pub kind: MovementKind,
    /// Pieces.
    pub quantity: i64,
    /// The account that they left.
    #[schema(value_type = AccountForm)]
    pub from_account: Account,
    /// The account that they entered.
    #[schema(value_type = AccountForm)]
    pub to_account: Account,
    /// Why.
    #[schema(required = true)]
    pub reason: Option<String>,
    /// What it belongs to: an order's number, a transfer's id, a delivery note.
    #[schema(required = true)]
    pub reference: Option<String>,
    /// The order or transfer that it belongs to.
    #[schema(required = true, format = "uuid")]
    pub subject_id: Option<String>,
    /// Who; null for the system.
    #[schema(required = true, value_type = Option<String>, format = "uuid")]
    pub staff_id: Option<StaffId>,
    /// On hand behind it.
    pub balance_after: i64,
    /// Another movement says the same and counts; this one moved nothing.
    pub superseded: bool,
}

/// A movement by hand.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MovementInput {
    /// What it is.
    #[schema(value_type = HandKindForm)]
    pub kind: MovementKind,
    /// Pieces.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub quantity: i64,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 250)]
    pub reason: Option<String>,
    /// A delivery note, a count sheet.
    #[serde(default)]
    #[schema(max_length = 120)]
    pub reference: Option<String>,
}

/// How a part is kept here. Absent fields stay, null clears.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockSettings {
    /// Where it lies.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 64)]
    pub bin: Patch<String>,
    /// At how many pieces to order more.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 1_000_000)]
    pub reorder_point: Patch<i64>,
    /// A note.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 8000)]
    pub note: Patch<String>,
    /// All barcodes that mean it here; those not in the list are removed.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub barcodes: Option<BTreeSet<String>>,
}

/// Stock by sku.
pub fn list(
    reader: &Reader<'_>,
    actor: &Actor,
    filter: &StockFilter,
    page: &ListQuery,
) -> Result<Page<StockRow>, AppError> {
    require(actor, Permission::StockRead)?;
    let filter = PartFilter {
        text: wanted(filter.q.as_deref()),
        after_sku: place(page, LIST)?,
        stocked_only: !filter.everything,
    };
    let found = catalogue::parts(reader, &filter, page.limit.saturating_add(1))?;
    let Page { items, next_cursor } =
        Page::cut(found, page.limit, |last| cursor(LIST, &last.row.sku));
    let items = items
        .into_iter()
        .map(|part| show(reader, part.id, part.row, part.balance))
        .collect::<Result<_, _>>()?;
    Ok(Page { items, next_cursor })
}

/// The stock of one part.
pub fn get(reader: &Reader<'_>, actor: &Actor, sku: &str) -> Result<StockRow, AppError> {
    require(actor, Permission::StockRead)?;
    let (id, row) = find_part(reader, sku)?;
    show(reader, id, row, rows::balance(reader, id)?)
}

/// Movements of a part, newest first.
pub fn movements(
    reader: &Reader<'_>,
    actor: &Actor,
    sku: &str,
    page: &ListQuery,
) -> Result<Page<Movement>, AppError> {
    require(actor, Permission::StockRead)?;
    let (id, _) = find_part(reader, sku)?;
    let found = rows::movements(
        reader,
        Some(id),
        place(page, MOVEMENTS)?,
        page.limit.saturating_add(1),
    )?;
    Ok(Page::cut(found, page.limit, |last| cursor(MOVEMENTS, &last.row)).map(show_movement))
}

/// One movement of this branch's ledger, by its id.
pub fn movement(reader: &Reader<'_>, actor: &Actor, id: &str) -> Result<Movement, AppError> {
    require(actor, Permission::StockRead)?;
    let unknown = AppError::NotFound { what: "movement" };
    let Ok(id) = parse_uuid(id) else {
        return Err(unknown);
    };
    Ok(show_movement(rows::movement(reader, id)?.ok_or(unknown)?))
}

/// Moves stock by hand: opening, delivery, found, lost, scrapped.
pub fn move_by_hand(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    sku: &str,
    input: MovementInput,
) -> Result<Movement, AppError> {
    require(
        actor,
        match input.kind {
            MovementKind::AdjustFound | MovementKind::AdjustLost => Permission::StockAdjust,
            _ => Permission::StockMove,
        },
    )?;
    let (part, _) = find_part(&tx.reader(), sku)?;
    let mut problems = Problems::new();
    problems.check(
        input.kind.by_hand(),
        "/kind",
        "must be opening, receive, adjust_found, adjust_lost or scrap; other kinds come from their own actions",
    );
    let quantity = problems.take(
        "/quantity",
        Quantity::new(input.quantity).map(Quantity::as_i64),
    );
    let reason = problems.take("/reason", said(input.reason.as_deref(), REASON_MAX));
    let reference = problems.take(
        "/reference",
        said(input.reference.as_deref(), REFERENCE_MAX),
    );
    problems.finish(()).map_err(AppError::Invalid)?;
    let mut movement = rules::Movement::new(tx.identity().branch, part, input.kind, quantity);
    movement.text = movement_text(&reason, &reference);
    if movement.on_hand_delta() < 0 {
        let on_hand = rows::balance(&tx.reader(), part)?.on_hand;
        if on_hand < quantity {
            return Err(short(&tx.reader(), part, on_hand, quantity)?);
        }
    }
    tx.begin(command::STOCK, actor)?;
    let id = tx.fact(Item::Movement(movement))?;
    let record =
        rows::movement(&tx.reader(), id)?.ok_or(AppError::NotFound { what: "movement" })?;
    Ok(show_movement(record))
}

fn said(text: Option<&str>, max_bytes: usize) -> Result<String, text::TextError> {
    text::clean_line(text.unwrap_or_default(), max_bytes)
}

/// Sets where and how a part is kept here.
pub fn set(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    sku: &str,
    if_match: &IfMatch,
    input: StockSettings,
) -> Result<StockRow, AppError> {
    require(actor, Permission::InventoryWrite)?;
    let (part, row) = find_part(&tx.reader(), sku)?;
    let known = inventory::of_part(&tx.reader(), part)?.map(|setting| setting.document);
    let patch = InventoryPatch {
        bin: input.bin,
        reorder_point: input.reorder_point,
        note: input.note,
        barcodes: input.barcodes,
    };
    let (id, edits) = match known {
        Some(id) => {
            let document = tx
                .document(id)?
                .ok_or(AppError::NotFound { what: "settings" })?;
            check_heads(if_match, document.heads())?;
            let view = read_inventory(document.automerge())?;
            (id, patch_inventory(&view, &patch))
        }
        None => {
            check_heads(if_match, &[])?;
            let branch = tx.identity().branch;
            (
                DocumentId::from_random(&mut tx.random()),
                create_inventory(branch, part, &patch),
            )
        }
    };
    let edits = edits.map_err(AppError::Invalid)?;
    tx.begin(command::STOCK_SETTINGS, actor)?;
    if !edits.is_empty() {
        tx.edit_document(id, DocumentKind::Inventory, &edits)?;
    }
    let reader = tx.reader();
    let balance = rows::balance(&reader, part)?;
    show(&reader, part, row, balance)
}

/// The part with this sku, else with this barcode.
pub(crate) fn find_part(reader: &Reader<'_>, sku: &str) -> Result<(PartId, PartRow), AppError> {
    let sku = sku.trim();
    if let Some(found) = catalogue::part_by_sku(reader, sku)? {
        return Ok(found);
    }
    let unknown = AppError::NotFound { what: "part" };
    let Some(id) = catalogue::part_by_barcode(reader, sku)? else {
        return Err(unknown);
    };
    Ok((id, catalogue::part(reader, id)?.ok_or(unknown)?))
}

/// Refuses to take more than is free.
pub(crate) fn check_free(reader: &Reader<'_>, part: PartId, want: i64) -> Result<(), AppError> {
    let Balance {
        on_hand, reserved, ..
    } = rows::balance(reader, part)?;
    match rules::check_free(on_hand, reserved, want) {
        Ok(()) => Ok(()),
        Err(error) => Err(short(reader, part, error.free, want)?),
    }
}

/// What is said when there are not enough: how many are free here, and where others are, nearest first.
pub(crate) fn short(
    reader: &Reader<'_>,
    part: PartId,
    free: i64,
    want: i64,
) -> Result<AppError, AppError> {
    let detail = format!("only {} are free here, {want} are wanted", free.max(0));
    Ok(AppError::conflict("short-of-stock", detail)
        .with("free", free)
        .with("elsewhere", elsewhere(reader, part)?))
}

fn elsewhere(reader: &Reader<'_>, part: PartId) -> Result<Vec<Value>, AppError> {
    let here = point(reader, reader.identity().branch)?;
    let mut found = Vec::new();
    for place in rows::elsewhere(reader, part)? {
        let there = point(reader, place.branch)?;
        let distance_m = here
            .zip(there)
            .map(|(here, there)| Haversine.distance(here, there));
        found.push((distance_m.unwrap_or(f64::INFINITY), place));
    }
    // The rows come with the most pieces first; of equally far branches that order stays.
    found.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    found.truncate(ELSEWHERE_MAX);
    let show = |(distance_m, place): (f64, rows::Elsewhere)| {
        let mut shown = json!({
            "branch": place.code.unwrap_or_else(|| place.branch.to_string()),
            "quantity": place.quantity,
            "as_of": Time(place.as_of_ms),
        });
        if distance_m.is_finite() {
            shown["distance_m"] = json!(distance_m.round());
        }
        shown
    };
    Ok(found.into_iter().map(show).collect())
}

fn point(reader: &Reader<'_>, branch: domain::id::BranchId) -> Result<Option<Point>, AppError> {
    let location = catalogue::branch(reader, branch)?.and_then(|row| row.location);
    Ok(location.map(|location| Point::new(location.longitude(), location.latitude())))
}

pub(crate) fn show(
    reader: &Reader<'_>,
    id: PartId,
    row: PartRow,
    balance: Balance,
) -> Result<StockRow, AppError> {
    let setting = inventory::of_part(reader, id)?;
    let heads = match &setting {
        Some(setting) => {
            document::row(reader, setting.document)?.map_or_else(Vec::new, |row| row.heads)
        }
        None => Vec::new(),
    };
    let setting = setting.unwrap_or_default();
    Ok(StockRow {
        sku: row.sku,
        name: row.name,
        on_hand: balance.on_hand,
        reserved: balance.reserved,
        free: balance.free(),
        in_transit: balance.in_transit,
        reorder_point: setting.reorder_point,
        bin: setting.bin,
        note: setting.note,
        barcodes: setting.barcodes,
        as_of: (balance.as_of_ms > 0).then_some(Time(balance.as_of_ms)),
        etag: ETag::of_heads(&heads),
    })
}

/// A movement as it is shown.
pub(crate) fn show_movement(record: MovementRecord) -> Movement {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let subject = (record.subject != [0; 16]).then(|| IdBytes(&record.subject).to_string());
    let (reason, reference) = match subject.clone() {
        Some(subject) if record.kind.of_transfer() => (text(&record.text), Some(subject)),
        // An order is known by its number, which is the movement's text.
        Some(subject) => (None, text(&record.text).or(Some(subject))),
        None => {
            let (reason, reference) = reason_and_reference(&record.text);
            (text(reason), text(reference))
        }
    };
    Movement {
        id: IdBytes(&record.id).to_string(),
        at: Time(record.at_ms),
        kind: record.kind,
        quantity: record.quantity,
        from_account: record.from,
        to_account: record.to,
        reason,
        reference,
        subject_id: subject,
        staff_id: person(record.staff),
        balance_after: record.balance_after,
        superseded: record.superseded,
    }
}
