//! Customers as they are listed; personal values come out sealed as they lie.

use std::collections::BTreeMap;

use domain::customer::CustomerView;
use domain::id::{BranchId, DocumentId};
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid};
use crate::store::scope::{Place, Scope, behind};

/// A customer's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRecord {
    /// The document, which is the person.
    pub document: DocumentId,
    /// What it says, sealed; without the conflicts themselves.
    pub view: CustomerView,
    /// How many keys have several values.
    pub conflicts: i32,
    /// When it began.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

#[derive(FromRow)]
struct Raw {
    branch_id: Uuid,
    document: Uuid,
    language: Option<String>,
    merged_into: Option<Uuid>,
    consent: String,
    name: Option<Vec<u8>>,
    phone: Option<Vec<u8>>,
    email: Option<Vec<u8>>,
    address: Option<Vec<u8>>,
    note: Option<Vec<u8>>,
    conflicts: i32,
    created_ms: i64,
    updated_ms: i64,
}

impl Raw {
    fn typed(self) -> Result<CustomerRecord, HubError> {
        let consent: BTreeMap<String, bool> = serde_json::from_str(&self.consent)
            .map_err(|_| HubError::Row("a consent that does not read"))?;
        Ok(CustomerRecord {
            document: DocumentId::of_uuid(self.document),
            view: CustomerView {
                home: BranchId::of_uuid(self.branch_id),
                language: self.language,
                merged_into: self.merged_into.map(DocumentId::of_uuid),
                consent,
                name: self.name,
                phone: self.phone,
                email: self.email,
                address: self.address,
                note: self.note,
                conflicts: Vec::new(),
            },
            conflicts: self.conflicts,
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
        })
    }
}

/// Which customers.
#[derive(Debug, Clone)]
pub struct CustomerFilter {
    /// First served by these branches.
    pub scope: Scope,
    /// These persons only.
    pub persons: Option<Vec<DocumentId>>,
    /// Only where people must decide something.
    pub with_conflicts: bool,
    /// Behind this one in the list.
    pub place: Option<Place>,
    /// How many at most.
    pub limit: i64,
}

/// Customers, the newest first.
pub async fn customers(
    connection: &mut PgConnection,
    filter: &CustomerFilter,
) -> Result<Vec<CustomerRecord>, HubError> {
    let (at_ms, id) = behind(filter.place);
    let persons = filter
        .persons
        .as_ref()
        .map(|all| all.iter().map(|person| person.uuid()).collect::<Vec<_>>());
    let rows: Vec<Raw> = sqlx::query_as(
        "select branch_id, document, language, merged_into, consent::text as consent, name, phone, email, address, note,
            conflicts, created_ms, updated_ms
         from customers.customer
         where ($1::uuid[] is null or branch_id = any($1))
         and ($2::uuid[] is null or document = any($2))
         and (not $3 or conflicts > 0)
         and ($4::bigint is null or (created_ms, document) < ($4, $5::uuid))
         order by created_ms desc, document desc limit $6",
    )
    .bind(filter.scope.sql())
    .bind(persons)
    .bind(filter.with_conflicts)
    .bind(at_ms)
    .bind(id)
    .bind(filter.limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Raw::typed).collect()
}

/// The persons whom this one took the place of.
pub async fn merged_into(
    connection: &mut PgConnection,
    person: DocumentId,
) -> Result<Vec<DocumentId>, sqlx::Error> {
    let rows: Vec<(Uuid,)> = sqlx::query_as(
        "select document from customers.customer where merged_into = $1 order by document",
    )
    .bind(person.uuid())
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(document,)| DocumentId::of_uuid(document))
        .collect())
}

/// Persons who were joined with another, each with the one that stays, by id behind `after`.
pub async fn merged(
    connection: &mut PgConnection,
    after: Option<DocumentId>,
    limit: i64,
) -> Result<Vec<(DocumentId, DocumentId)>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "select document, merged_into from customers.customer
         where merged_into is not null and ($1::uuid is null or document > $1) order by document limit $2",
    )
    .bind(after.map(AsUuid::uuid))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(gone, stays)| (DocumentId::of_uuid(gone), DocumentId::of_uuid(stays)))
        .collect())
}
