//! Schema `customers`: sealed personal values, person keys sealed at rest, who was erased.
//!
//! No personal value ever stands here in clear.

pub mod read;

use domain::customer::CustomerView;
use domain::id::{BranchId, DocumentId};
use sqlx::PgConnection;
use sqlx::types::Uuid;

use crate::store::ids::{AsUuid, OfUuid};

/// A customer's row.
#[derive(Debug)]
pub struct CustomerWrite {
    /// The document.
    pub document: DocumentId,
    /// What it says.
    pub view: CustomerView,
    /// `consent` as JSON text.
    pub consent: String,
    /// How many changes it has.
    pub version: i64,
    /// When it began.
    pub created_ms: i64,
    /// The newest time of its changes.
    pub updated_ms: i64,
}

/// Writes customers, new and changed.
pub async fn save(
    connection: &mut PgConnection,
    rows: &[CustomerWrite],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sealed = |field: fn(&CustomerView) -> &Option<Vec<u8>>| {
        rows.iter()
            .map(|row| field(&row.view).clone())
            .collect::<Vec<_>>()
    };
    let numbers = |field: fn(&CustomerWrite) -> i64| rows.iter().map(field).collect::<Vec<i64>>();
    sqlx::query(
        "insert into customers.customer
         select branch_id, document, language, merged_into, consent::jsonb, name, phone, email, address, note,
            conflicts, version, created_ms, updated_ms
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::bytea[], $7::bytea[],
            $8::bytea[], $9::bytea[], $10::bytea[], $11::integer[], $12::bigint[], $13::bigint[], $14::bigint[])
            as t (branch_id, document, language, merged_into, consent, name, phone, email, address, note, conflicts,
            version, created_ms, updated_ms)
         on conflict (branch_id, document) do update set language = excluded.language,
            merged_into = excluded.merged_into, consent = excluded.consent, name = excluded.name,
            phone = excluded.phone, email = excluded.email, address = excluded.address, note = excluded.note,
            conflicts = excluded.conflicts, version = excluded.version, updated_ms = excluded.updated_ms",
    )
    .bind(rows.iter().map(|row| row.view.home.uuid()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.document.uuid()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.view.language.clone()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.view.merged_into.map(AsUuid::uuid)).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.consent.clone()).collect::<Vec<_>>())
    .bind(sealed(|view| &view.name))
    .bind(sealed(|view| &view.phone))
    .bind(sealed(|view| &view.email))
    .bind(sealed(|view| &view.address))
    .bind(sealed(|view| &view.note))
    .bind(rows.iter().map(|row| row.view.conflicts.len() as i32).collect::<Vec<_>>())
    .bind(numbers(|row| row.version))
    .bind(numbers(|row| row.created_ms))
    .bind(numbers(|row| row.updated_ms))
    .execute(connection)
    .await?;
    Ok(())
}

/// A person's key as it lies in the table.
#[derive(Debug, Clone)]
pub struct KeyRow {
    /// Who gave it; nil for the hub.
    pub branch: BranchId,
    /// Whose.
    pub person: DocumentId,
    /// Which key of the person.
    pub generation: u8,
    /// Sealed under the storage key.
    pub sealed: Vec<u8>,
}

type RawKey = (Uuid, Uuid, i16, Vec<u8>);

fn key_row((branch, person, generation, sealed): RawKey) -> KeyRow {
    KeyRow {
        branch: BranchId::of_uuid(branch),
        person: DocumentId::of_uuid(person),
        generation: u8::try_from(generation).unwrap_or(u8::MAX),
        sealed,
    }
}

/// The keys of these persons.
pub async fn keys(
    connection: &mut PgConnection,
    persons: &[DocumentId],
) -> Result<Vec<KeyRow>, sqlx::Error> {
    let rows: Vec<RawKey> = sqlx::query_as(
        "select branch_id, person, generation, sealed from customers.person_key where person = any($1)
         order by person, generation, branch_id",
    )
    .bind(persons.iter().map(|person| person.uuid()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(key_row).collect())
}

/// Every key.
pub async fn all_keys(connection: &mut PgConnection) -> Result<Vec<KeyRow>, sqlx::Error> {
    let rows: Vec<RawKey> = sqlx::query_as(
        "select branch_id, person, generation, sealed from customers.person_key order by person, generation, branch_id",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(key_row).collect())
}

/// Keeps keys; one that is there stays as it is.
pub async fn insert_keys(
    connection: &mut PgConnection,
    rows: &[KeyRow],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into customers.person_key select * from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::bytea[])
         on conflict do nothing",
    )
    .bind(rows.iter().map(|row| row.branch.uuid()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.person.uuid()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| i16::from(row.generation)).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.sealed.clone()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Destroys a person's keys and remembers that.
pub async fn erase(
    connection: &mut PgConnection,
    person: DocumentId,
    at_ms: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("delete from customers.person_key where person = $1")
        .bind(person.uuid())
        .execute(&mut *connection)
        .await?;
    sqlx::query("insert into customers.erased values ($1, $2) on conflict do nothing")
        .bind(person.uuid())
        .bind(at_ms)
        .execute(connection)
        .await?;
    Ok(())
}

/// Which of these persons were erased.
pub async fn erased(
    connection: &mut PgConnection,
    persons: &[DocumentId],
) -> Result<Vec<DocumentId>, sqlx::Error> {
    let rows: Vec<(Uuid,)> =
        sqlx::query_as("select person from customers.erased where person = any($1)")
            .bind(
                persons
                    .iter()
                    .map(|person| person.uuid())
                    .collect::<Vec<_>>(),
            )
            .fetch_all(connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(person,)| DocumentId::of_uuid(person))
        .collect())
}
