//! Opening stock: pieces that lie on a shelf when the shop begins.
//!
//! A row is known by its part and its bin, and becomes one movement of opening. The ledger is never written again:
//! another figure for the same shelf is refused.

use domain::document::DocumentKind;
use domain::id::{DocumentId, PartId};
use domain::inventory::{InventoryPatch, create_inventory};
use domain::patch::Patch;
use domain::quantity::MAX_QUANTITY;
use domain::stock::{Movement, MovementKind};
use domain::text::SKU_MAX;
use sync_protocol::hash::Hash;
use sync_protocol::item::{ImportRecord, Item};

use super::values::{line, pieces, required};
use super::{Cells, Done, Fault, Field, Kind, fingerprint, source};
use crate::app::stock::find_part;
use crate::error::AppError;
use crate::store::{Reader, WriteTx, import_record, inventory};

const BIN_MAX: usize = 64;

/// A row about a shelf.
#[derive(Debug, Clone)]
pub(super) struct ShelfRow {
    sku: String,
    quantity: i64,
    bin: String,
    reorder_point: Option<i64>,
}

impl ShelfRow {
    pub(super) fn of(cells: &Cells) -> Result<Self, Fault> {
        let sku = required(cells, Field::Sku, SKU_MAX)?;
        let quantity = pieces(cells, Field::Quantity, 0, MAX_QUANTITY)?;
        Ok(Self {
            sku,
            quantity: quantity.ok_or(Fault::Empty {
                field: Field::Quantity,
            })?,
            bin: line(cells, Field::Bin, BIN_MAX)?,
            reorder_point: pieces(cells, Field::ReorderPoint, 0, MAX_QUANTITY)?,
        })
    }

    /// Two rows of one file with the same are about the same shelf.
    pub(super) fn shelf(&self) -> String {
        source(Kind::Stock, &[&self.sku, &self.bin])
    }

    fn fingerprint(&self) -> Hash {
        fingerprint(
            b"counterpart stock row 1",
            [self.quantity.to_string().as_str()],
        )
    }
}

/// Which part it is, its identity, and whether it was taken over already.
fn judge(
    reader: &Reader<'_>,
    row: &ShelfRow,
) -> Result<Result<(PartId, String, bool), Fault>, AppError> {
    let (part, sku) = match find_part(reader, &row.sku) {
        Ok((part, found)) => (part, found.sku),
        Err(AppError::NotFound { .. }) => {
            return Ok(Err(Fault::UnknownSku {
                sku: row.sku.clone(),
            }));
        }
        Err(error) => return Err(error),
    };
    let source = source(Kind::Stock, &[&sku, &row.bin]);
    match import_record::get(reader, &source)? {
        Some((_, before)) if before != row.fingerprint() => Ok(Err(Fault::OtherFigure { sku })),
        known => Ok(Ok((part, source, known.is_some()))),
    }
}

/// What would become of the row.
pub(super) fn forecast(
    reader: &Reader<'_>,
    row: &ShelfRow,
) -> Result<Result<Done, Fault>, AppError> {
    let judged = judge(reader, row)?;
    Ok(judged.map(|(.., is_known)| {
        if is_known {
            Done::Skipped
        } else {
            Done::Created
        }
    }))
}

/// Puts the pieces on the shelf.
pub(super) fn take(tx: &mut WriteTx<'_>, row: &ShelfRow) -> Result<Result<Done, Fault>, AppError> {
    let (part, source, is_known) = match judge(&tx.reader(), row)? {
        Ok(judged) => judged,
        Err(fault) => return Ok(Err(fault)),
    };
    if is_known {
        return Ok(Ok(Done::Skipped));
    }
    settle(tx, part, row)?;
    // An empty shelf moves nothing; it is remembered by the part.
    let mut subject = *part.as_bytes();
    if row.quantity > 0 {
        let branch = tx.identity().branch;
        let mut movement = Movement::new(branch, part, MovementKind::Opening, row.quantity);
        movement.text = source.clone();
        subject = tx.fact(Item::Movement(movement))?;
    }
    tx.fact(Item::ImportRecord(ImportRecord {
        source,
        order: DocumentId::from_bytes(subject),
        fingerprint: row.fingerprint(),
    }))?;
    Ok(Ok(Done::Created))
}

/// Where it lies and when to order more; what people have set already stays.
fn settle(tx: &mut WriteTx<'_>, part: PartId, row: &ShelfRow) -> Result<(), AppError> {
    let says_nothing = row.bin.is_empty() && row.reorder_point.is_none();
    if says_nothing || inventory::of_part(&tx.reader(), part)?.is_some() {
        return Ok(());
    }
    let patch = InventoryPatch {
        bin: if row.bin.is_empty() {
            Patch::Keep
        } else {
            Patch::Set(row.bin.clone())
        },
        reorder_point: row.reorder_point.map_or(Patch::Keep, Patch::Set),
        ..InventoryPatch::default()
    };
    let branch = tx.identity().branch;
    let edits = create_inventory(branch, part, &patch).map_err(AppError::Invalid)?;
    let id = DocumentId::from_random(&mut tx.random());
    tx.edit_document(id, DocumentKind::Inventory, &edits)?;
    Ok(())
}
