//! The catalogue: parts with their prices, as the hub last sent them.

use domain::id::PartId;
use domain::money::Money;
use domain::part::PartRow;
use domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;
use web_kit::list::{ListQuery, Page};

use super::stock::find_part;
use super::{cursor, place, require};
use crate::error::AppError;
use crate::store::catalogue::{self, PartFilter};
use crate::store::{Actor, Reader};
use web_kit::wire::{MoneyForm, money};

/// Name of the list in cursors.
const LIST: &str = "parts";

/// A part of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Part {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: PartId,
    /// What the chain calls it.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// Its category.
    pub category: String,
    /// Price of one piece.
    #[schema(value_type = MoneyForm)]
    pub price: Money,
    /// Tax rate in basis points.
    pub tax_rate_bp: u32,
    /// Barcodes that mean it everywhere.
    pub barcodes: Vec<String>,
    /// Whether it can still be ordered and sold.
    pub active: bool,
}

/// Parts by sku; `q` is looked for in sku and name.
pub fn list(
    reader: &Reader<'_>,
    actor: &Actor,
    q: Option<&str>,
    page: &ListQuery,
) -> Result<Page<Part>, AppError> {
    require(actor, Permission::BasicsRead)?;
    let filter = PartFilter {
        text: wanted(q),
        after_sku: place(page, LIST)?,
        stocked_only: false,
    };
    let found = catalogue::parts(reader, &filter, page.limit.saturating_add(1))?;
    let page = Page::cut(found, page.limit, |last| cursor(LIST, &last.row.sku));
    Ok(page.map(|part| show(part.id, part.row)))
}

/// The part with this sku or barcode.
pub fn get(reader: &Reader<'_>, actor: &Actor, sku: &str) -> Result<Part, AppError> {
    require(actor, Permission::BasicsRead)?;
    let (id, row) = find_part(reader, sku)?;
    Ok(show(id, row))
}

/// What was typed to search for, if anything.
pub(crate) fn wanted(q: Option<&str>) -> Option<String> {
    q.map(str::trim)
        .filter(|q| !q.is_empty())
        .map(str::to_owned)
}

pub(crate) fn show(id: PartId, row: PartRow) -> Part {
    Part {
        id,
        sku: row.sku,
        name: row.name,
        category: row.category,
        price: money(row.price_minor, row.currency),
        tax_rate_bp: row.tax_bp,
        barcodes: row.barcodes,
        active: row.active,
    }
}
