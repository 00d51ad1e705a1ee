//! People: who works where, in which role, with which password.
//!
//! Names and roles go to every branch, a password's hash only where the person works. A password is never kept.

pub mod password;

use domain::id::{BranchId, StaffId};
use domain::sensitive::Sensitive;
use domain::staff::{CredentialRow, Role, StaffRow};
use sync_protocol::item::{Item, Row};

use super::branch::codes_to_ids;
use super::error::AppError;
use super::session::Person;
use super::{Hub, HubTx};
use crate::error::HubError;
use crate::store::rows::{RowKind, next_version};
use crate::store::scope::Place;
use crate::store::staff::read as store;
pub use crate::store::staff::read::StaffRecord;

/// A new person.
#[derive(Debug, Clone)]
pub struct NewStaff {
    /// The name to sign in with.
    pub username: String,
    /// The name to show.
    pub name: String,
    /// What the person is.
    pub role: Role,
    /// Codes of the branches where the person works; empty for everywhere.
    pub branches: Vec<String>,
    /// Hash of the password, from [`new_password`].
    pub password_hash: String,
}

/// What to change about a person.
#[derive(Debug, Clone, Default)]
pub struct StaffPatch {
    /// The name to sign in with.
    pub username: Option<String>,
    /// The name to show.
    pub name: Option<String>,
    /// What the person is.
    pub role: Option<Role>,
    /// Codes of all branches where the person works.
    pub branches: Option<Vec<String>>,
    /// Whether the person may sign in.
    pub active: Option<bool>,
    /// Hash of a new password.
    pub password_hash: Option<String>,
}

/// Hashes a new password. Before the transaction begins, because it takes its time.
///
/// # Errors
/// Where the password is too short or too long.
pub async fn new_password(hub: &Hub, password: Sensitive<String>) -> Result<String, AppError> {
    if let Some(refusal) = password::refusal(password.expose()) {
        return Err(AppError::field("/password", refusal));
    }
    password::hash(hub.env(), password).await.map_err(|error| {
        tracing::error!(%error, "a password could not be hashed");
        AppError::Hub(HubError::Row("a password that could not be hashed"))
    })
}

/// Adds a person.
///
/// # Errors
/// Wrong fields, a user name that is taken.
pub async fn create(tx: &mut HubTx, new: NewStaff) -> Result<StaffRecord, AppError> {
    let branches = codes_to_ids(tx.sql(), &new.branches).await;
    let fields = StaffRow {
        username: new.username,
        name: new.name,
        role: new.role,
        branches: Vec::new(),
        active: true,
    };
    let mut fields = checked(fields, branches)?;
    require_free(tx, &fields.username, None).await?;
    let id = StaffId::from_random(&mut tx.hub().env().entropy());
    fields.active = true;
    let at_ms = tx.at_ms();
    tx.fact(Item::Staff(Row {
        id,
        version: 1,
        deleted: false,
        fields: fields.clone(),
    }));
    tx.fact(credential(id, 1, new.password_hash));
    Ok(StaffRecord {
        id,
        version: 1,
        fields,
        created_ms: at_ms,
        updated_ms: at_ms,
    })
}

/// Field problems of the row and of its branches in one answer.
fn checked(
    fields: StaffRow,
    branches: Result<Vec<BranchId>, AppError>,
) -> Result<StaffRow, AppError> {
    let (branches, mut found) = match branches {
        Ok(branches) => (branches, Vec::new()),
        Err(AppError::Invalid(problems)) => (Vec::new(), problems),
        Err(error) => return Err(error),
    };
    match (StaffRow { branches, ..fields }).validate() {
        Ok(fields) if found.is_empty() => Ok(fields),
        Ok(_) => Err(AppError::Invalid(found)),
        Err(mut problems) => {
            problems.append(&mut found);
            Err(AppError::Invalid(problems))
        }
    }
}

fn credential(staff: StaffId, version: u64, password_hash: String) -> Item {
    Item::Credential(Row {
        id: staff,
        version,
        deleted: false,
        fields: CredentialRow {
            staff,
            password_hash,
        },
    })
}

async fn require_free(
    tx: &mut HubTx,
    username: &str,
    own: Option<StaffId>,
) -> Result<(), AppError> {
    match store::person(tx.sql(), None, Some(username)).await? {
        Some(other) if Some(other.id) != own => Err(AppError::conflict(
            "username-taken",
            format!("the user name {username} is taken"),
        )),
        _ => Ok(()),
    }
}

/// Changes a person. Sessions end where password, role, branches or state changed. `check` holds the caller's
/// condition against the row's version.
///
/// # Errors
/// Wrong fields, a user name that is taken, a stale base.
pub async fn patch(
    tx: &mut HubTx,
    person: &Person,
    id: StaffId,
    check: impl FnOnce(u64) -> Result<(), AppError> + Send,
    patch: StaffPatch,
) -> Result<StaffRecord, AppError> {
    let record = store::person(tx.sql(), Some(id), None)
        .await?
        .ok_or(AppError::NotFound { what: "person" })?;
    check(record.version)?;
    if id == person.id && patch.active == Some(false) {
        return Err(AppError::conflict(
            "own-account",
            "nobody can deactivate himself",
        ));
    }
    let branches = match &patch.branches {
        Some(codes) => codes_to_ids(tx.sql(), codes).await,
        None => Ok(record.fields.branches.clone()),
    };
    let old = record.fields.clone();
    let fields = StaffRow {
        username: patch.username.unwrap_or_else(|| old.username.clone()),
        name: patch.name.unwrap_or_else(|| old.name.clone()),
        role: patch.role.unwrap_or(old.role),
        branches: Vec::new(),
        active: patch.active.unwrap_or(old.active),
    };
    let fields = checked(fields, branches)?;
    require_free(tx, &fields.username, Some(id)).await?;
    let is_other =
        (fields.role, &fields.branches, fields.active) != (old.role, &old.branches, old.active);
    if is_other || patch.password_hash.is_some() {
        store::delete_sessions_of(tx.sql(), id).await?;
    }
    if let Some(hash) = patch.password_hash {
        let version = next_version(tx.sql(), RowKind::Credential, *id.as_bytes()).await?;
        tx.fact(credential(id, version, hash));
    }
    if fields == old {
        return Ok(record);
    }
    let version = next_version(tx.sql(), RowKind::Staff, *id.as_bytes()).await?;
    let updated_ms = tx.at_ms();
    tx.fact(Item::Staff(Row {
        id,
        version,
        deleted: false,
        fields: fields.clone(),
    }));
    Ok(StaffRecord {
        version,
        fields,
        updated_ms,
        ..record
    })
}

/// People, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    hub: &Hub,
    person: &Person,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<StaffRecord>, AppError> {
    let mut connection = hub.pool().acquire().await?;
    Ok(store::people(&mut connection, &person.scope(), place, limit).await?)
}

/// One person.
///
/// # Errors
/// When there is none, or none that the caller may see.
pub async fn get(hub: &Hub, person: &Person, id: StaffId) -> Result<StaffRecord, AppError> {
    let mut connection = hub.pool().acquire().await?;
    let record = store::person(&mut connection, Some(id), None).await?;
    let scope = person.scope();
    record
        .filter(|record| {
            let branches = &record.fields.branches;
            branches.is_empty() || branches.iter().any(|branch| scope.allows(*branch))
        })
        .ok_or(AppError::NotFound { what: "person" })
}

/// The names of these people.
///
/// # Errors
/// When the database fails.
pub async fn names(
    hub: &Hub,
    people: &[StaffId],
) -> Result<std::collections::BTreeMap<StaffId, String>, AppError> {
    let mut connection = hub.pool().acquire().await?;
    Ok(store::names(&mut connection, people)
        .await?
        .into_iter()
        .collect())
}

/// People of these branches by name, at most `limit`; those of the whole chain belong to each.
///
/// # Errors
/// When the database fails.
pub async fn list_of(
    hub: &Hub,
    scope: &crate::store::scope::Scope,
    limit: i64,
) -> Result<Vec<StaffRecord>, AppError> {
    let mut connection = hub.snapshot().await?;
    Ok(store::people(&mut connection, scope, None, limit).await?)
}

/// People of a list, with the way to the rest.
#[derive(Debug)]
pub struct StaffPage {
    /// The people, those who may sign in first, by name.
    pub people: Vec<StaffRecord>,
    /// How many the list has in all.
    pub count: u64,
    /// The last one here, where more follow.
    pub next: Option<StaffId>,
}

/// People of these branches whose name or user name holds all of `words`, by name, behind the person `after`; those of
/// the whole chain belong to each branch.
///
/// # Errors
/// When the database fails.
pub async fn by_name(
    hub: &Hub,
    scope: &crate::store::scope::Scope,
    words: &str,
    after: Option<StaffId>,
    most: usize,
) -> Result<StaffPage, AppError> {
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let mut connection = hub.snapshot().await?;
    let count = store::count(&mut connection, scope, &words).await?;
    let mut people = store::by_name(&mut connection, scope, &words, after, limit).await?;
    let is_more = people.len() > most;
    people.truncate(most);
    Ok(StaffPage {
        next: people.last().filter(|_| is_more).map(|record| record.id),
        people,
        count,
    })
}
