//! What applies at this branch, as the hub last said.

use std::collections::BTreeMap;

use domain::id::{BranchId, PresetId};
use domain::money::Money;
use domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::require;
use crate::error::AppError;
use crate::store::{Actor, Reader, catalogue};
use web_kit::wire::{MoneyForm, money};

/// What applies here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Settings {
    /// The company's name in law.
    pub legal_name: String,
    /// Its tax number.
    pub tax_id: String,
    /// The tax rates.
    pub tax_rates: Vec<TaxRate>,
    /// Whether unit prices of new orders include tax.
    pub prices_include_tax: bool,
    /// Currency of new orders.
    pub currency: String,
    /// Texts of receipts, by place or language.
    pub receipt_texts: BTreeMap<String, String>,
    /// When this branch is open.
    pub opening_hours: String,
    /// This branch.
    pub branch: BranchEntry,
}

/// A tax rate by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TaxRate {
    /// Its name.
    pub name: String,
    /// Basis points.
    pub rate_bp: u32,
}

/// A branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BranchEntry {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: BranchId,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: String,
    /// Its time zone.
    pub time_zone: String,
    /// The language of its pages and papers.
    pub language: String,
}

/// A fault and the service for it, with its price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Preset {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: PresetId,
    /// The kind of device that it is for.
    pub category: String,
    /// The fault.
    pub fault: String,
    /// The service.
    pub service: String,
    /// Its price.
    #[schema(value_type = MoneyForm)]
    pub price: Money,
    /// Tax rate in basis points.
    pub tax_rate_bp: u32,
    /// How long it takes.
    pub minutes: u32,
}

/// What applies here; empty texts while the company's row has not arrived.
pub fn get(reader: &Reader<'_>, actor: &Actor) -> Result<Settings, AppError> {
    require(actor, Permission::BasicsRead)?;
    let identity = reader.identity();
    let applies = reader.settings()?;
    let company = catalogue::company(reader)?.unwrap_or_default();
    let row = catalogue::branch(reader, identity.branch)?;
    let branch = match row {
        Some(row) => entry(identity.branch, row),
        None => BranchEntry {
            id: identity.branch,
            code: identity.code.clone(),
            name: identity.name.clone(),
            address: String::new(),
            time_zone: identity.time_zone.clone(),
            language: applies.language.clone(),
        },
    };
    Ok(Settings {
        legal_name: company.legal_name,
        tax_id: company.tax_id,
        tax_rates: company
            .tax_rates
            .into_iter()
            .map(|rate| TaxRate {
                name: rate.name,
                rate_bp: rate.bp,
            })
            .collect(),
        prices_include_tax: applies.prices_include_tax,
        currency: applies.currency.to_string(),
        receipt_texts: company.receipt_texts,
        opening_hours: opening_hours(reader)?,
        branch,
    })
}

/// When this branch is open, in people's words: its own hours, else the company's.
pub(crate) fn opening_hours(reader: &Reader<'_>) -> Result<String, AppError> {
    let own = catalogue::branch(reader, reader.identity().branch)?;
    let own = own.map(|row| row.opening_hours).unwrap_or_default();
    if !own.is_empty() {
        return Ok(own);
    }
    let company = catalogue::company(reader)?;
    Ok(company.map(|row| row.opening_hours).unwrap_or_default())
}

/// All branches, by code.
pub fn branches(reader: &Reader<'_>, actor: &Actor) -> Result<Vec<BranchEntry>, AppError> {
    require(actor, Permission::BasicsRead)?;
    Ok(catalogue::branches(reader)?
        .into_iter()
        .map(|(id, row)| entry(id, row))
        .collect())
}

fn entry(id: BranchId, row: domain::branch::BranchRow) -> BranchEntry {
    BranchEntry {
        id,
        code: row.code,
        name: row.name,
        address: row.address,
        time_zone: row.time_zone,
        language: row.language,
    }
}

/// The presets that are still offered.
pub fn presets(reader: &Reader<'_>, actor: &Actor) -> Result<Vec<Preset>, AppError> {
    require(actor, Permission::BasicsRead)?;
    let offered = catalogue::presets(reader)?
        .into_iter()
        .filter(|(_, row)| row.active);
    Ok(offered
        .map(|(id, row)| Preset {
            id,
            category: row.category,
            fault: row.fault,
            service: row.service,
            price: money(row.price_minor, row.currency),
            tax_rate_bp: row.tax_bp,
            minutes: row.minutes,
        })
        .collect())
}
