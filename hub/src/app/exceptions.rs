//! What people must look at: exceptions, decisions, parked transactions, incidents; for conflicts of fields see
//! [`super::conflict`].
//!
//! All of it is listed here; settling comes from its own acts, and an exception ends when its cause does, or when a
//! person closes what nothing else ends.

mod close;

pub(crate) use close::markable;
pub use close::{CLOSABLE, closable, close, decision_about, reopen};

use std::collections::BTreeMap;

use domain::document::DocumentKind;
use domain::id::{BranchId, DocumentId, PartId, StaffId, TransferId};
use domain::permission::{Permission, Side, allows};

use super::error::AppError;
use super::session::Person;
use super::{Hub, HubTx, branch};
use crate::store::audit::read as audit;
pub use crate::store::audit::read::{ExceptionPlace, ExceptionRecord};
use crate::store::inventory::read::{part_names, parts_of_facts};
use crate::store::orders::day::numbers;
use crate::store::scope::{Place, Scope};
use crate::store::staff::read::{StaffRecord, names as staff_names, person as staff_person};
use crate::store::sync::read as store;
pub use crate::store::sync::read::{IncidentRecord, ParkedRecord};

/// Kinds of exceptions that ask people to decide something.
pub const DECISIONS: [&str; 4] = [
    "status_conflict",
    "negative_stock",
    "transfer",
    "transfer_found",
];

/// Exceptions, the newest first, with the codes of branches; of `kinds` only, where given.
///
/// # Errors
/// When the database fails.
pub async fn list(
    hub: &Hub,
    person: &Person,
    kinds: Option<&[&str]>,
    place: Option<ExceptionPlace>,
    limit: i64,
) -> Result<(Vec<ExceptionRecord>, branch::Codes), AppError> {
    let mut connection = hub.snapshot().await?;
    let found = audit::exceptions(&mut connection, &person.scope(), kinds, place, limit).await?;
    Ok((found, branch::codes(&mut connection).await?))
}

/// Exceptions of these branches, the newest first, with the codes of branches; of `kinds` only, where given.
///
/// # Errors
/// When the database fails.
pub async fn list_of(
    hub: &Hub,
    scope: &Scope,
    kinds: Option<&[&str]>,
    limit: i64,
) -> Result<(Vec<ExceptionRecord>, branch::Codes), AppError> {
    let mut connection = hub.snapshot().await?;
    let found = audit::exceptions(&mut connection, scope, kinds, None, limit).await?;
    Ok((found, branch::codes(&mut connection).await?))
}

/// What an exception is about, and where that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An order.
    Order {
        /// Its document.
        id: DocumentId,
        /// Its number.
        number: String,
    },
    /// A person.
    Customer(DocumentId),
    /// A part.
    Part {
        /// Its sku.
        sku: String,
        /// Its name.
        name: String,
    },
    /// A transfer.
    Transfer(TransferId),
}

/// What exceptions are about, by their subjects; what is not known is left out.
///
/// # Errors
/// When the database fails.
pub async fn subjects(
    hub: &Hub,
    found: &[ExceptionRecord],
) -> Result<BTreeMap<[u8; 16], Subject>, AppError> {
    let of_kinds = |kinds: &[&str]| -> Vec<[u8; 16]> {
        found
            .iter()
            .filter(|record| kinds.contains(&record.kind.as_str()))
            .map(|record| record.subject)
            .collect()
    };
    let documents: Vec<DocumentId> = of_kinds(&["conflict", "status_conflict", "double_number"])
        .into_iter()
        .map(DocumentId::from_bytes)
        .collect();
    let mut connection = hub.snapshot().await?;
    let mut known = BTreeMap::new();
    for document in store::documents_of(&mut connection, &documents).await? {
        if document.kind == Some(DocumentKind::Customer) {
            known.insert(*document.id.as_bytes(), Subject::Customer(document.id));
        }
    }
    for (id, number) in numbers(&mut connection, &documents).await? {
        known.insert(*id.as_bytes(), Subject::Order { id, number });
    }
    let doubles: Vec<(BranchId, [u8; 16])> = found
        .iter()
        .filter(|record| record.kind == "superseded")
        .map(|record| (record.branch, record.subject))
        .collect();
    let moved = parts_of_facts(&mut connection, &doubles).await?;
    let mut parts: Vec<PartId> = of_kinds(&["negative_stock"])
        .into_iter()
        .map(PartId::from_bytes)
        .collect();
    parts.extend(moved.iter().map(|(_, part)| *part));
    let parts: BTreeMap<PartId, Subject> = part_names(&mut connection, &parts)
        .await?
        .into_iter()
        .map(|(id, sku, name)| (id, Subject::Part { sku, name }))
        .collect();
    known.extend(
        parts
            .iter()
            .map(|(id, part)| (*id.as_bytes(), part.clone())),
    );
    for (fact, part) in moved {
        known.extend(parts.get(&part).map(|part| (fact, part.clone())));
    }
    for id in of_kinds(&["transfer", "transfer_found"]) {
        known.insert(id, Subject::Transfer(TransferId::from_bytes(id)));
    }
    Ok(known)
}

/// Who looks into an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The person.
    pub staff: StaffId,
    /// The name.
    pub name: String,
    /// Since when.
    pub since_ms: i64,
}

/// What names an exception: branch, kind, subject.
pub type ExceptionKey = (BranchId, String, [u8; 16]);

/// Who looks into which exceptions.
///
/// # Errors
/// When the database fails.
pub async fn owners(hub: &Hub) -> Result<BTreeMap<ExceptionKey, Owner>, AppError> {
    let mut connection = hub.snapshot().await?;
    let rows = audit::owners(&mut connection).await?;
    let ids: Vec<StaffId> = rows.iter().map(|row| row.staff).collect();
    let names: BTreeMap<StaffId, String> = staff_names(&mut connection, &ids)
        .await?
        .into_iter()
        .collect();
    let owner = |row: audit::OwnerRecord| {
        let owner = Owner {
            name: names.get(&row.staff).cloned().unwrap_or_default(),
            staff: row.staff,
            since_ms: row.since_ms,
        };
        ((row.branch, row.kind, row.subject), owner)
    };
    Ok(rows.into_iter().map(owner).collect())
}

/// One exception that is open.
///
/// # Errors
/// When there is none, or none that the person may see.
pub async fn get(
    hub: &Hub,
    person: &Person,
    key: &ExceptionKey,
) -> Result<ExceptionRecord, AppError> {
    let mut connection = hub.snapshot().await?;
    audit::exception(&mut connection, key)
        .await?
        .filter(|record| person.scope().allows(record.branch))
        .ok_or(AppError::NotFound { what: "exception" })
}

/// Has somebody look into an exception, or nobody any more. Gives who did before.
///
/// # Errors
/// An exception that is not open, a person who may not see it at the hub.
pub async fn assign(
    tx: &mut HubTx,
    person: &Person,
    key: &ExceptionKey,
    owner: Option<StaffId>,
) -> Result<Option<StaffId>, AppError> {
    let missing = AppError::NotFound { what: "exception" };
    let record = audit::exception(tx.sql(), key).await?.ok_or(missing)?;
    if !person.scope().allows(record.branch) {
        return Err(AppError::NotFound { what: "exception" });
    }
    if let Some(owner) = owner {
        let known = staff_person(tx.sql(), Some(owner), None).await?;
        let may = known.is_some_and(|known| may_own(&known, record.branch));
        if !may {
            let detail = "must be somebody who sees this at the hub";
            return Err(AppError::field("/owner", detail));
        }
    }
    let before = audit::owner(tx.sql(), key).await?;
    let now_ms = tx.at_ms();
    audit::save_owner(tx.sql(), key, owner, now_ms).await?;
    Ok(before)
}

/// Whether a person may look into exceptions of a branch at the hub.
pub fn may_own(record: &StaffRecord, branch: BranchId) -> bool {
    let fields = &record.fields;
    let sees = fields.branches.is_empty() || fields.branches.contains(&branch);
    fields.active && sees && allows(fields.role, Permission::ExceptionsRead, Side::Hub)
}

/// Parked transactions, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn parked(
    hub: &Hub,
    person: &Person,
    place: Option<Place>,
    limit: i64,
) -> Result<(Vec<ParkedRecord>, branch::Codes), AppError> {
    let mut connection = hub.snapshot().await?;
    let found = store::parked(&mut connection, &person.scope(), place, limit).await?;
    Ok((found, branch::codes(&mut connection).await?))
}

/// Incidents, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn incidents(
    hub: &Hub,
    person: &Person,
    place: Option<Place>,
    limit: i64,
) -> Result<(Vec<IncidentRecord>, branch::Codes), AppError> {
    let mut connection = hub.snapshot().await?;
    let found = store::incidents(&mut connection, &person.scope(), place, limit).await?;
    Ok((found, branch::codes(&mut connection).await?))
}

/// Where an exception stands in its list.
pub fn place_of(record: &ExceptionRecord) -> ExceptionPlace {
    (
        record.at_ms,
        *record.branch.as_bytes(),
        record.kind.clone(),
        record.subject,
    )
}
