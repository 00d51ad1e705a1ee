//! Branches: listed and named, with the state of their lines.

mod edit;
mod line;
mod machine;
mod near;

pub use edit::{BranchPatch, NewBranch, create, patch};
pub use line::{BranchLink, BranchState, Lines, LinkState, heard, with_links};
pub use machine::{JOIN_CODE_LIFE, NewJoinCode, machines, new_join_code, revoke};
pub use near::{NearBranch, NearQuery, nearest};

use std::collections::BTreeMap;

use domain::id::BranchId;

use super::Hub;
use super::error::AppError;
use crate::store::db::PgConnection;
use crate::store::inventory::held;
pub use crate::store::inventory::held::Held;
use crate::store::locations::read as store;
pub use crate::store::locations::read::BranchRecord;
use crate::store::scope::{Place, Scope};

/// The codes of branches by id, for answers.
pub type Codes = BTreeMap<BranchId, String>;

/// Reads the codes of all branches.
///
/// # Errors
/// When the database fails.
pub async fn codes(connection: &mut PgConnection) -> Result<Codes, AppError> {
    Ok(store::codes(connection).await?.into_iter().collect())
}

/// The code of a branch; empty for the hub itself.
pub fn code_of(codes: &Codes, branch: BranchId) -> String {
    codes.get(&branch).cloned().unwrap_or_default()
}

/// The branch that a person names by code or id.
///
/// # Errors
/// 422 at `pointer` where there is none.
pub async fn named(
    connection: &mut PgConnection,
    pointer: &str,
    name: &str,
) -> Result<BranchId, AppError> {
    let id = name.parse::<BranchId>().ok();
    let code = if id.is_none() { Some(name) } else { None };
    let record = store::branch(connection, id, code).await?;
    record
        .map(|record| record.id)
        .ok_or_else(|| AppError::field(pointer, "there is no such branch"))
}

/// The branches with these codes.
///
/// # Errors
/// 422 at each code that no branch has.
pub async fn codes_to_ids(
    connection: &mut PgConnection,
    codes: &[String],
) -> Result<Vec<BranchId>, AppError> {
    let known: BTreeMap<String, BranchId> = store::with_codes(connection, codes)
        .await?
        .into_iter()
        .rev()
        .collect();
    let mut ids = Vec::with_capacity(codes.len());
    let mut problems = domain::problem::Problems::new();
    for (index, code) in codes.iter().enumerate() {
        match known.get(code) {
            Some(id) => ids.push(*id),
            None => problems.add(format!("/branches/{index}"), "there is no such branch"),
        }
    }
    problems.finish(ids).map_err(AppError::Invalid)
}

/// Branches with their lines, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    hub: &Hub,
    scope: &Scope,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<BranchState>, AppError> {
    let records = {
        let mut connection = hub.snapshot().await?;
        store::branches(&mut connection, scope, place, limit).await?
    };
    with_links(hub, records).await
}

/// The branch that an address names, by its id or its code.
///
/// # Errors
/// When there is none.
pub async fn find(hub: &Hub, name: &str) -> Result<BranchState, AppError> {
    let missing = || AppError::NotFound { what: "branch" };
    let record = {
        let mut connection = hub.snapshot().await?;
        let id = name.parse::<BranchId>().ok();
        let code = if id.is_none() { Some(name) } else { None };
        store::branch(&mut connection, id, code).await?
    };
    let mut states = with_links(hub, vec![record.ok_or_else(missing)?]).await?;
    states.pop().ok_or_else(missing)
}

/// One branch with its line.
///
/// # Errors
/// When there is none.
pub async fn get(hub: &Hub, id: BranchId) -> Result<BranchState, AppError> {
    let record = {
        let mut connection = hub.snapshot().await?;
        store::branch(&mut connection, Some(id), None).await?
    };
    let record = record.ok_or(AppError::NotFound { what: "branch" })?;
    let mut states = with_links(hub, vec![record]).await?;
    states.pop().ok_or(AppError::NotFound { what: "branch" })
}

/// Time zone and language that most branches have; `None` while there is no branch.
///
/// # Errors
/// When the database fails.
pub async fn usual_place(hub: &Hub) -> Result<Option<(String, String)>, AppError> {
    let mut connection = hub.pool().acquire().await?;
    Ok(store::usual_place(&mut connection).await?)
}

/// What a branch holds, in counts.
///
/// # Errors
/// When the database fails.
pub async fn held(hub: &Hub, id: BranchId) -> Result<Held, AppError> {
    let mut connection = hub.snapshot().await?;
    Ok(held::held(&mut connection, id).await?)
}

/// The codes of all branches.
///
/// # Errors
/// When the database fails.
pub async fn all_codes(hub: &Hub) -> Result<Codes, AppError> {
    let mut connection = hub.snapshot().await?;
    codes(&mut connection).await
}

/// Branches by their codes, without their lines.
///
/// # Errors
/// When the database fails.
pub async fn places(hub: &Hub, scope: &Scope) -> Result<Vec<store::BranchPlace>, AppError> {
    let mut connection = hub.snapshot().await?;
    Ok(store::places(&mut connection, scope).await?)
}
