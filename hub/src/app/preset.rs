//! Presets: faults and services with their price. They fill in forms; orders keep their own texts and prices.

use domain::id::PresetId;
use domain::money::Money;
use domain::preset::PresetRow;
use sync_protocol::item::{Item, Row};

use super::error::AppError;
use super::{Hub, HubTx};
use crate::store::inventory::preset as store;
pub use crate::store::inventory::preset::PresetRecord;
use crate::store::rows::{RowKind, next_version};
use crate::store::scope::Place;

/// What to change about a preset.
#[derive(Debug, Clone, Default)]
pub struct PresetPatch {
    /// The kind of device that it is for.
    pub category: Option<String>,
    /// The fault.
    pub fault: Option<String>,
    /// The service.
    pub service: Option<String>,
    /// Its price.
    pub price: Option<Money>,
    /// Tax rate in basis points.
    pub tax_bp: Option<u32>,
    /// How long it takes.
    pub minutes: Option<u32>,
    /// Whether it is still offered.
    pub active: Option<bool>,
}

/// Adds a preset.
///
/// # Errors
/// Wrong fields.
pub async fn create(tx: &mut HubTx, fields: PresetRow) -> Result<PresetRecord, AppError> {
    let fields = fields.validate()?;
    let id = PresetId::from_random(&mut tx.hub().env().entropy());
    let updated_ms = tx.at_ms();
    tx.fact(Item::Preset(Row {
        id,
        version: 1,
        deleted: false,
        fields: fields.clone(),
    }));
    Ok(PresetRecord {
        id,
        version: 1,
        fields,
        updated_ms,
    })
}

/// Changes a preset; `check` holds the caller's condition against the row's version.
///
/// # Errors
/// Wrong fields, a stale base.
pub async fn patch(
    tx: &mut HubTx,
    id: PresetId,
    check: impl FnOnce(u64) -> Result<(), AppError> + Send,
    patch: PresetPatch,
) -> Result<PresetRecord, AppError> {
    let record = store::preset(tx.sql(), id)
        .await?
        .ok_or(AppError::NotFound { what: "preset" })?;
    check(record.version)?;
    let old = record.fields.clone();
    let fields = PresetRow {
        category: patch.category.unwrap_or_else(|| old.category.clone()),
        fault: patch.fault.unwrap_or_else(|| old.fault.clone()),
        service: patch.service.unwrap_or_else(|| old.service.clone()),
        price_minor: patch
            .price
            .map_or(old.price_minor, |price| price.amount_minor),
        currency: patch.price.map_or(old.currency, |price| price.currency),
        tax_bp: patch.tax_bp.unwrap_or(old.tax_bp),
        minutes: patch.minutes.unwrap_or(old.minutes),
        active: patch.active.unwrap_or(old.active),
    };
    let fields = fields.validate()?;
    if fields == old {
        return Ok(record);
    }
    let version = next_version(tx.sql(), RowKind::Preset, *id.as_bytes()).await?;
    let updated_ms = tx.at_ms();
    tx.fact(Item::Preset(Row {
        id,
        version,
        deleted: false,
        fields: fields.clone(),
    }));
    Ok(PresetRecord {
        version,
        fields,
        updated_ms,
        ..record
    })
}

/// Presets, the last changed first; `words` stand in category, fault or service.
///
/// # Errors
/// When the database fails.
pub async fn list(
    hub: &Hub,
    words: Option<&str>,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<PresetRecord>, AppError> {
    let mut connection = hub.snapshot().await?;
    Ok(store::presets(&mut connection, words, place, limit).await?)
}

/// One preset.
///
/// # Errors
/// When there is none.
pub async fn get(hub: &Hub, id: PresetId) -> Result<PresetRecord, AppError> {
    let mut connection = hub.snapshot().await?;
    store::preset(&mut connection, id)
        .await?
        .ok_or(AppError::NotFound { what: "preset" })
}
