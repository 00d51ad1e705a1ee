//! A branch's facts: made and changed by managers. Its code stays once orders or machines bear it.

use domain::branch::{BranchRow, Location};
use domain::id::BranchId;
use domain::money::Currency;
use sync_protocol::item::{Item, Row};

use super::{BranchRecord, store};
use crate::app::HubTx;
use crate::app::error::AppError;
use crate::store::orders;
use crate::store::rows::{RowKind, next_version};
use crate::store::sync::node;

/// A new branch.
#[derive(Debug, Clone)]
pub struct NewBranch {
    /// Begins every number.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Its address.
    pub address: String,
    /// Degrees north and east.
    pub location: Option<(f64, f64)>,
    /// An IANA time zone.
    pub time_zone: String,
    /// The currency of its prices.
    pub currency: Currency,
    /// How many orders it can have open.
    pub capacity: i64,
    /// Whether its prices include tax.
    pub prices_include_tax: bool,
    /// When it is open.
    pub opening_hours: String,
    /// The language of its pages and papers.
    pub language: String,
}

/// What to change about a branch.
#[derive(Debug, Clone, Default)]
pub struct BranchPatch {
    /// Its code; only while nothing bears it.
    pub code: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// Degrees north and east; `Some(None)` for not known.
    pub location: Option<Option<(f64, f64)>>,
    /// An IANA time zone.
    pub time_zone: Option<String>,
    /// The currency of its prices.
    pub currency: Option<Currency>,
    /// How many orders it can have open.
    pub capacity: Option<i64>,
    /// Whether its prices include tax.
    pub prices_include_tax: Option<bool>,
    /// Whether it is open for business.
    pub active: Option<bool>,
    /// When it is open.
    pub opening_hours: Option<String>,
    /// The language of its pages and papers.
    pub language: Option<String>,
}

fn point(location: Option<(f64, f64)>) -> Result<Option<Location>, AppError> {
    match location {
        None => Ok(None),
        Some((latitude, longitude)) => match Location::from_degrees(latitude, longitude) {
            Some(location) => Ok(Some(location)),
            None => Err(AppError::field("/location", "must lie on the globe")),
        },
    }
}

fn capacity(pieces: i64) -> Result<u32, AppError> {
    u32::try_from(pieces).map_err(|_| AppError::field("/capacity", "must be from 0 to 1000000"))
}

fn checked(fields: BranchRow) -> Result<BranchRow, AppError> {
    let mut problems = domain::problem::Problems::new();
    let zone = jiff::tz::TimeZone::get(fields.time_zone.trim());
    problems.check(
        zone.is_ok(),
        "/time_zone",
        "must be an IANA time zone such as Europe/Berlin",
    );
    let found = problems.into_vec();
    match fields.validate() {
        Ok(fields) if found.is_empty() => Ok(fields),
        Ok(_) => Err(AppError::Invalid(found)),
        Err(mut all) => {
            all.extend(found);
            Err(AppError::Invalid(all))
        }
    }
}

async fn require_free(tx: &mut HubTx, code: &str, own: Option<BranchId>) -> Result<(), AppError> {
    match store::branch(tx.sql(), None, Some(code)).await? {
        Some(other) if Some(other.id) != own => Err(AppError::conflict(
            "code-taken",
            format!("another branch has the code {code}"),
        )),
        _ => Ok(()),
    }
}

/// Makes a branch.
///
/// # Errors
/// Wrong fields, a code that is taken.
pub async fn create(tx: &mut HubTx, new: NewBranch) -> Result<BranchRecord, AppError> {
    let fields = checked(BranchRow {
        code: new.code,
        name: new.name,
        region: new.region,
        address: new.address,
        location: point(new.location)?,
        time_zone: new.time_zone,
        currency: new.currency,
        capacity: capacity(new.capacity)?,
        prices_include_tax: new.prices_include_tax,
        active: true,
        opening_hours: new.opening_hours,
        language: new.language,
    })?;
    require_free(tx, &fields.code, None).await?;
    let id = BranchId::from_random(&mut tx.hub().env().entropy());
    let at_ms = tx.at_ms();
    tx.fact(Item::Branch(Row {
        id,
        version: 1,
        deleted: false,
        fields: fields.clone(),
    }));
    Ok(BranchRecord {
        id,
        version: 1,
        fields,
        created_ms: at_ms,
        updated_ms: at_ms,
    })
}

/// Changes a branch; `check` holds the caller's condition against the row's version.
///
/// # Errors
/// Wrong fields, a code that is in use, a stale base.
pub async fn patch(
    tx: &mut HubTx,
    id: BranchId,
    check: impl FnOnce(u64) -> Result<(), AppError> + Send,
    patch: BranchPatch,
) -> Result<BranchRecord, AppError> {
    let record = store::branch(tx.sql(), Some(id), None)
        .await?
        .ok_or(AppError::NotFound { what: "branch" })?;
    check(record.version)?;
    let old = record.fields.clone();
    let fields = checked(BranchRow {
        code: patch.code.unwrap_or_else(|| old.code.clone()),
        name: patch.name.unwrap_or_else(|| old.name.clone()),
        region: patch.region.unwrap_or_else(|| old.region.clone()),
        address: patch.address.unwrap_or_else(|| old.address.clone()),
        location: match patch.location {
            None => old.location,
            Some(location) => point(location)?,
        },
        time_zone: patch.time_zone.unwrap_or_else(|| old.time_zone.clone()),
        currency: patch.currency.unwrap_or(old.currency),
        capacity: patch.capacity.map_or(Ok(old.capacity), capacity)?,
        prices_include_tax: patch.prices_include_tax.unwrap_or(old.prices_include_tax),
        active: patch.active.unwrap_or(old.active),
        opening_hours: patch
            .opening_hours
            .unwrap_or_else(|| old.opening_hours.clone()),
        language: patch.language.unwrap_or_else(|| old.language.clone()),
    })?;
    if fields.code != old.code {
        let in_use = orders::read::has_any(tx.sql(), id).await?
            || !node::of_branch(tx.sql(), id).await?.is_empty();
        if in_use {
            let detail = "orders or machines bear this code already";
            return Err(AppError::conflict("code-in-use", detail));
        }
        require_free(tx, &fields.code, Some(id)).await?;
    }
    if fields == old {
        return Ok(record);
    }
    let version = next_version(tx.sql(), RowKind::Branch, *id.as_bytes()).await?;
    let updated_ms = tx.at_ms();
    tx.fact(Item::Branch(Row {
        id,
        version,
        deleted: false,
        fields: fields.clone(),
    }));
    Ok(BranchRecord {
        version,
        fields,
        updated_ms,
        ..record
    })
}
