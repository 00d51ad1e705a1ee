//! The company's settings: what stands on every receipt, and which taxes there are.

use std::collections::BTreeMap;

use domain::company::{CompanyRow, TaxRateRow};
use domain::id::BranchId;
use sync_protocol::item::{Item, Row};

use super::error::AppError;
use super::{Hub, HubTx};
use crate::store::locations::read as store;
use crate::store::rows::{RowKind, next_version};

/// What to change.
#[derive(Debug, Clone, Default)]
pub struct CompanyPatch {
    /// Its name in law.
    pub legal_name: Option<String>,
    /// Its tax number.
    pub tax_id: Option<String>,
    /// All tax rates.
    pub tax_rates: Option<Vec<TaxRateRow>>,
    /// All texts of receipts.
    pub receipt_texts: Option<BTreeMap<String, String>>,
    /// When its branches are open.
    pub opening_hours: Option<String>,
}

/// The settings and their version; empty and 0 before the first.
///
/// # Errors
/// When the database fails.
pub async fn get(hub: &Hub) -> Result<(u64, CompanyRow), AppError> {
    let mut connection = hub.snapshot().await?;
    Ok(store::company(&mut connection).await?.unwrap_or_default())
}

/// Changes the settings; `check` holds the caller's condition against their version.
///
/// # Errors
/// Wrong fields, a stale base.
pub async fn patch(
    tx: &mut HubTx,
    check: impl FnOnce(u64) -> Result<(), AppError> + Send,
    patch: CompanyPatch,
) -> Result<(u64, CompanyRow), AppError> {
    let (version, old) = store::company(tx.sql()).await?.unwrap_or_default();
    check(version)?;
    let fields = CompanyRow {
        legal_name: patch.legal_name.unwrap_or_else(|| old.legal_name.clone()),
        tax_id: patch.tax_id.unwrap_or_else(|| old.tax_id.clone()),
        tax_rates: patch.tax_rates.unwrap_or_else(|| old.tax_rates.clone()),
        receipt_texts: patch
            .receipt_texts
            .unwrap_or_else(|| old.receipt_texts.clone()),
        opening_hours: patch
            .opening_hours
            .unwrap_or_else(|| old.opening_hours.clone()),
    };
    let fields = fields.validate()?;
    if fields == old {
        return Ok((version, old));
    }
    let version = next_version(tx.sql(), RowKind::Company, *BranchId::NIL.as_bytes()).await?;
    tx.fact(Item::Company(Row {
        id: BranchId::NIL,
        version,
        deleted: false,
        fields: fields.clone(),
    }));
    Ok((version, fields))
}
