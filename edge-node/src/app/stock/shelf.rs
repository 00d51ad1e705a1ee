//! The stock list as the shelves stand, and what each quantity of a part is made of.

use domain::id::{IdBytes, PartId};
use domain::part::PartRow;
use domain::permission::Permission;
use web_kit::list::{ListQuery, Page};

use super::{StockRow, find_part, require, show};
use crate::app::{cursor, place};
use crate::error::AppError;
use crate::store::stock::shelf::{self, ReservedFor, ShelfCounts, ShelfFilter, ShelfPart};
use crate::store::stock::{self as rows, Elsewhere};
use crate::store::{Actor, Reader};

/// Name of the list in cursors.
const LIST: &str = "shelf";
/// Most orders that are named for one part's reservations.
const ORDERS_MAX: u32 = 200;

/// A page of the list by category and sku. Where it begins is the cursor's to say, whatever the filter's `after`.
pub fn list(
    reader: &Reader<'_>,
    actor: &Actor,
    filter: ShelfFilter,
    page: &ListQuery,
) -> Result<Page<ShelfPart>, AppError> {
    require(actor, Permission::StockRead)?;
    let filter = ShelfFilter {
        after: place(page, LIST)?,
        ..filter
    };
    let found = shelf::list(reader, &filter, page.limit.saturating_add(1))?;
    Ok(Page::cut(found, page.limit, |last| {
        cursor(LIST, &(&last.row.category, &last.row.sku))
    }))
}

/// How many parts the list's views have, and the catalogue's categories.
pub fn overview(
    reader: &Reader<'_>,
    actor: &Actor,
) -> Result<(ShelfCounts, Vec<String>), AppError> {
    require(actor, Permission::StockRead)?;
    Ok((shelf::counts(reader)?, shelf::categories(reader)?))
}

/// A part with its sums and where else it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartOnShelf {
    /// The part.
    pub id: PartId,
    /// Its row in the catalogue.
    pub row: PartRow,
    /// Its stock and settings here.
    pub stock: StockRow,
    /// Movements in this branch's ledger.
    pub movements: u64,
    /// Other branches that had it, most first.
    pub elsewhere: Vec<Elsewhere>,
}

/// One part, by sku or barcode.
pub fn get(reader: &Reader<'_>, actor: &Actor, sku: &str) -> Result<PartOnShelf, AppError> {
    require(actor, Permission::StockRead)?;
    let (id, row) = find_part(reader, sku)?;
    let balance = rows::balance(reader, id)?;
    Ok(PartOnShelf {
        id,
        stock: show(reader, id, row.clone(), balance)?,
        row,
        movements: balance.movements,
        elsewhere: rows::elsewhere(reader, id)?,
    })
}

/// Ids of a part's movements that have not had their effect at the hub.
pub fn not_at_hub(
    reader: &Reader<'_>,
    actor: &Actor,
    part: PartId,
) -> Result<Vec<String>, AppError> {
    require(actor, Permission::StockRead)?;
    let ids = shelf::not_at_hub(reader, part)?;
    Ok(ids.iter().map(|id| IdBytes(id).to_string()).collect())
}

/// The orders that keep pieces of a part, newest first.
pub fn reserved_for(
    reader: &Reader<'_>,
    actor: &Actor,
    part: PartId,
) -> Result<Vec<ReservedFor>, AppError> {
    require(actor, Permission::StockRead)?;
    shelf::reserved_for(reader, part, ORDERS_MAX)
}
