//! Stock of the chain as its ledgers say it; only branches move it.

mod explain;
mod proposal;

pub use explain::{Explained, MovementOf, Term, explain};
pub use proposal::{Proposal, Shelf, propose};

use domain::id::{BranchId, PartId};

use super::error::AppError;
use super::session::Person;
use super::{Hub, branch};
use crate::store::db::PgConnection;
use crate::store::inventory::read as store;
pub use crate::store::inventory::read::{
    MovementRecord, PartRecord, PartSums, StockPlace, StockRecord,
};

/// A part at a branch, with the age of what is known.
#[derive(Debug, Clone)]
pub struct StockState {
    /// The figures.
    pub record: StockRecord,
    /// Code of the branch.
    pub branch: String,
    /// When that was so.
    pub as_of_ms: Option<i64>,
}

/// Stock by sku and branch; of one part or one branch, where named.
///
/// # Errors
/// An unknown branch.
pub async fn list(
    hub: &Hub,
    person: &Person,
    sku: Option<&str>,
    branch_name: Option<&str>,
    after: Option<&StockPlace>,
    limit: i64,
) -> Result<Vec<StockState>, AppError> {
    let heard = branch::heard(hub).await?;
    let mut connection = hub.snapshot().await?;
    let only = optional_branch(&mut connection, branch_name).await?;
    let codes = branch::codes(&mut connection).await?;
    let scope = person.scope().narrowed(only);
    let rows = store::stock(&mut connection, &scope, sku, after, limit).await?;
    let state = |record: StockRecord| StockState {
        branch: branch::code_of(&codes, record.branch()),
        as_of_ms: heard.get(&record.branch()).copied(),
        record,
    };
    Ok(rows.into_iter().map(state).collect())
}

/// Parts by branches.
#[derive(Debug, Clone, Default)]
pub struct Matrix {
    /// The parts, by sku.
    pub parts: Vec<PartRecord>,
    /// What each branch has of them.
    pub cells: Vec<StockRecord>,
    /// How many parts there are.
    pub all: i64,
    /// Of how many a branch has no more than its reorder point.
    pub short: i64,
}

/// Which parts.
#[derive(Debug, Clone, Default)]
pub struct MatrixQuery {
    /// Words in sku, name or a barcode.
    pub words: Option<String>,
    /// Only where a branch has no more than its reorder point.
    pub only_short: bool,
    /// Behind this sku and part.
    pub after: Option<(String, [u8; 16])>,
    /// How many at most.
    pub limit: i64,
}

/// Parts by branches, as far as the person may see them.
///
/// # Errors
/// When the database fails.
pub async fn matrix(hub: &Hub, person: &Person, query: &MatrixQuery) -> Result<Matrix, AppError> {
    let mut connection = hub.snapshot().await?;
    let scope = person.scope();
    let parts = store::stocked_parts(
        &mut connection,
        &scope,
        query.words.as_deref(),
        query.only_short,
        query.after.as_ref(),
        query.limit,
    )
    .await?;
    let ids: Vec<PartId> = parts.iter().map(|part| part.id).collect();
    let cells = store::stock_of(&mut connection, &scope, &ids).await?;
    let (all, short) = store::stocked_counts(&mut connection, &scope).await?;
    Ok(Matrix {
        parts,
        cells,
        all,
        short,
    })
}

/// What each branch has of one part.
///
/// # Errors
/// When the database fails.
pub async fn of_part(
    hub: &Hub,
    person: &Person,
    part: PartId,
) -> Result<Vec<StockRecord>, AppError> {
    let mut connection = hub.snapshot().await?;
    Ok(store::stock_of(&mut connection, &person.scope(), &[part]).await?)
}

/// The branch of `?branch=`.
///
/// # Errors
/// 422 where there is none of this code or id.
pub async fn optional_branch(
    connection: &mut PgConnection,
    name: Option<&str>,
) -> Result<Option<BranchId>, AppError> {
    match name {
        None | Some("") => Ok(None),
        Some(name) => branch::named(connection, "/branch", name).await.map(Some),
    }
}

/// The balance of a part over the whole chain.
#[derive(Debug, Clone)]
pub struct PartBalance {
    /// The part.
    pub part: PartId,
    /// Its sku; empty while the catalogue lacks the part.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// The terms.
    pub sums: PartSums,
}

/// The balances of parts, by part id.
///
/// # Errors
/// When the database fails.
pub async fn balances(
    hub: &Hub,
    after: Option<[u8; 16]>,
    limit: i64,
) -> Result<Vec<PartBalance>, AppError> {
    let mut connection = hub.snapshot().await?;
    let sums = store::sums(&mut connection, after, limit).await?;
    with_names(&mut connection, sums).await
}

/// The balance of one part.
///
/// # Errors
/// When there is no such part.
pub async fn balance(hub: &Hub, sku: &str) -> Result<PartBalance, AppError> {
    let mut connection = hub.snapshot().await?;
    let part = store::part_by_sku(&mut connection, sku)
        .await?
        .ok_or(AppError::NotFound { what: "part" })?;
    let sums = store::sums_of(&mut connection, part.id).await?;
    Ok(PartBalance {
        part: part.id,
        sku: part.fields.sku,
        name: part.fields.name,
        sums,
    })
}

async fn with_names(
    connection: &mut PgConnection,
    sums: Vec<(PartId, PartSums)>,
) -> Result<Vec<PartBalance>, AppError> {
    let parts: Vec<PartId> = sums.iter().map(|(part, _)| *part).collect();
    let mut names: std::collections::BTreeMap<PartId, (String, String)> =
        store::part_names(connection, &parts)
            .await?
            .into_iter()
            .map(|(part, sku, name)| (part, (sku, name)))
            .collect();
    Ok(sums
        .into_iter()
        .map(|(part, sums)| {
            let (sku, name) = names.remove(&part).unwrap_or_default();
            PartBalance {
                part,
                sku,
                name,
                sums,
            }
        })
        .collect())
}

/// A movement with the code of its branch.
#[derive(Debug, Clone)]
pub struct MovementState {
    /// The movement.
    pub record: MovementRecord,
    /// Code of the branch whose stock moved.
    pub branch: String,
}

/// Movements by branch and id, for exports.
///
/// # Errors
/// When the database fails.
pub async fn movements(
    hub: &Hub,
    person: &Person,
    after: Option<([u8; 16], [u8; 16])>,
    limit: i64,
) -> Result<Vec<MovementState>, AppError> {
    let mut connection = hub.snapshot().await?;
    let codes = branch::codes(&mut connection).await?;
    let found = store::movements(&mut connection, &person.scope(), after, limit).await?;
    let state = |record: MovementRecord| MovementState {
        branch: branch::code_of(&codes, record.branch()),
        record,
    };
    Ok(found.into_iter().map(state).collect())
}
