//! The catalogue: parts with their prices.

pub mod import;

use domain::id::PartId;
use domain::money::Money;
use domain::part::PartRow;
use sync_protocol::item::{Item, Row};

use super::error::AppError;
use super::{Hub, HubTx};
use crate::store::inventory::read as store;
pub use crate::store::inventory::read::PartRecord;
use crate::store::rows::{RowKind, next_version};

/// What to change about a part.
#[derive(Debug, Clone, Default)]
pub struct PartPatch {
    /// Its name.
    pub name: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// Price of one piece.
    pub price: Option<Money>,
    /// Tax rate in basis points.
    pub tax_bp: Option<u32>,
    /// All barcodes.
    pub barcodes: Option<Vec<String>>,
    /// Whether it can still be ordered and sold.
    pub active: Option<bool>,
}

/// Adds a part.
///
/// # Errors
/// Wrong fields, a sku that is taken.
pub async fn create(tx: &mut HubTx, fields: PartRow) -> Result<PartRecord, AppError> {
    let fields = fields.validate()?;
    if store::part_by_sku(tx.sql(), &fields.sku).await?.is_some() {
        return Err(AppError::conflict(
            "sku-taken",
            format!("there is a part {} already", fields.sku),
        ));
    }
    let id = PartId::from_random(&mut tx.hub().env().entropy());
    let updated_ms = tx.at_ms();
    tx.fact(Item::Part(Row {
        id,
        version: 1,
        deleted: false,
        fields: fields.clone(),
    }));
    Ok(PartRecord {
        id,
        version: 1,
        fields,
        updated_ms,
    })
}

/// Changes a part; `check` holds the caller's condition against the row's version.
///
/// # Errors
/// Wrong fields, a stale base.
pub async fn patch(
    tx: &mut HubTx,
    sku: &str,
    check: impl FnOnce(u64) -> Result<(), AppError> + Send,
    patch: PartPatch,
) -> Result<PartRecord, AppError> {
    let record = store::part_by_sku(tx.sql(), sku)
        .await?
        .ok_or(AppError::NotFound { what: "part" })?;
    check(record.version)?;
    let old = record.fields.clone();
    let fields = PartRow {
        sku: old.sku.clone(),
        name: patch.name.unwrap_or_else(|| old.name.clone()),
        category: patch.category.unwrap_or_else(|| old.category.clone()),
        price_minor: patch
            .price
            .map_or(old.price_minor, |price| price.amount_minor),
        currency: patch.price.map_or(old.currency, |price| price.currency),
        tax_bp: patch.tax_bp.unwrap_or(old.tax_bp),
        barcodes: patch.barcodes.unwrap_or_else(|| old.barcodes.clone()),
        active: patch.active.unwrap_or(old.active),
    };
    let fields = fields.validate()?;
    if fields == old {
        return Ok(record);
    }
    let version = next_version(tx.sql(), RowKind::Part, *record.id.as_bytes()).await?;
    let updated_ms = tx.at_ms();
    tx.fact(Item::Part(Row {
        id: record.id,
        version,
        deleted: false,
        fields: fields.clone(),
    }));
    Ok(PartRecord {
        version,
        fields,
        updated_ms,
        ..record
    })
}

/// Parts by sku.
///
/// # Errors
/// When the database fails.
pub async fn list(
    hub: &Hub,
    words: Option<&str>,
    after: Option<&(String, [u8; 16])>,
    limit: i64,
) -> Result<Vec<PartRecord>, AppError> {
    let mut connection = hub.snapshot().await?;
    Ok(store::parts(&mut connection, words, after, limit).await?)
}

/// One part.
///
/// # Errors
/// When there is none.
pub async fn get(hub: &Hub, sku: &str) -> Result<PartRecord, AppError> {
    let mut connection = hub.snapshot().await?;
    store::part_by_sku(&mut connection, sku)
        .await?
        .ok_or(AppError::NotFound { what: "part" })
}
