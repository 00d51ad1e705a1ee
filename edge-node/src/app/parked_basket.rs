//! Baskets put aside at the till while somebody fetches a purse or another customer is quicker.
//!
//! A matter of this counter: nothing of it is written to the log, nothing is reserved, and what a basket comes to is
//! worked out again when it is shown.

use domain::id::StaffId;
use domain::permission::Permission;
use serde::{Deserialize, Serialize};
use web_kit::order::person;

use super::basket::{BasketView, quote};
use super::require;
use super::till::SaleInput;
use crate::error::AppError;
use crate::store::money::parked_basket::{self as rows, ParkedRecord};
use crate::store::{Actor, Reader, WriteTx};

/// Most baskets that wait at once.
pub const MOST_PARKED: usize = 50;

/// A basket that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Parked {
    /// Its number, which never comes again.
    pub id: i64,
    /// When it was put aside, in milliseconds since 1970.
    pub at_ms: i64,
    /// By whom.
    pub staff: Option<StaffId>,
    /// What it comes to now.
    pub view: BasketView,
}

/// A basket that was put aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PutAside {
    /// Its number.
    pub id: i64,
}

/// A basket that was taken back, to go on with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TakenBack {
    /// The basket.
    pub sale: SaleInput,
}

/// The baskets that wait, oldest first.
pub fn list(reader: &Reader<'_>, actor: &Actor) -> Result<Vec<Parked>, AppError> {
    require(actor, Permission::TillUse)?;
    let found = rows::list(reader)?;
    found
        .into_iter()
        .map(|record| {
            Ok(Parked {
                id: record.id,
                at_ms: record.at_ms,
                staff: person(record.staff),
                view: quote(reader, actor, &sale_of(&record)?)?,
            })
        })
        .collect()
}

/// Puts a basket aside. What it is paid with is not kept.
pub fn park(tx: &mut WriteTx<'_>, actor: &Actor, sale: &SaleInput) -> Result<PutAside, AppError> {
    require(actor, Permission::TillUse)?;
    if quote(&tx.reader(), actor, sale)?.is_empty() {
        return Err(AppError::field("/orders", "name an order or a part"));
    }
    if rows::list(&tx.reader())?.len() >= MOST_PARKED {
        let detail = "so many baskets wait already; take one back first";
        return Err(AppError::conflict("parked-full", detail));
    }
    let kept = SaleInput {
        tenders: Vec::new(),
        ..sale.clone()
    };
    let text = serde_json::to_string(&kept)?;
    let id = rows::add(tx, &text, actor.staff)?;
    Ok(PutAside { id })
}

/// Takes a basket back; the one that stood at the till instead, if any, is put aside.
pub fn take_back(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: i64,
    instead: &SaleInput,
) -> Result<TakenBack, AppError> {
    require(actor, Permission::TillUse)?;
    let Some(record) = rows::get(&tx.reader(), id)? else {
        let detail = "this basket was taken back already";
        return Err(AppError::conflict("parked-gone", detail));
    };
    let sale = sale_of(&record)?;
    rows::remove(tx, id)?;
    if !quote(&tx.reader(), actor, instead)?.is_empty() {
        park(tx, actor, instead)?;
    }
    Ok(TakenBack { sale })
}

fn sale_of(record: &ParkedRecord) -> Result<SaleInput, AppError> {
    Ok(serde_json::from_str(&record.sale)?)
}
