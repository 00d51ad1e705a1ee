//! Schema `orders`: what pages and programs read of repair orders, kept from their documents.

pub mod day;
pub mod read;
mod stored;

use domain::id::{BranchId, DocumentId};
use domain::order::OrderView;
use sqlx::PgConnection;
use sqlx::types::Uuid;
use sync_protocol::hash::Hash;

use crate::store::ids::{AsUuid, OfUuid};

/// An order's row.
#[derive(Debug)]
pub struct OrderWrite {
    /// The document.
    pub document: DocumentId,
    /// What it says.
    pub view: OrderView,
    /// The same as JSON text.
    pub json: String,
    /// How many changes it has.
    pub version: i64,
    /// The newest time of its changes.
    pub updated_ms: i64,
}

/// Writes orders, new and changed.
pub async fn save(connection: &mut PgConnection, rows: &[OrderWrite]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let texts = |field: fn(&OrderWrite) -> String| rows.iter().map(field).collect::<Vec<String>>();
    let maybe = |field: fn(&OrderWrite) -> Option<Uuid>| {
        rows.iter().map(field).collect::<Vec<Option<Uuid>>>()
    };
    let numbers = |field: fn(&OrderWrite) -> i64| rows.iter().map(field).collect::<Vec<i64>>();
    sqlx::query(
        "insert into orders.repair_order
         select branch_id, document, number, visit, customer, technician, source, status, outcome, urgent,
            promised_ms, conflicts, version, created_ms, updated_ms, view::jsonb
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[],
            $9::text[], $10::boolean[], $11::bigint[], $12::integer[], $13::bigint[], $14::bigint[], $15::bigint[],
            $16::text[]) as t (branch_id, document, number, visit, customer, technician, source, status, outcome,
            urgent, promised_ms, conflicts, version, created_ms, updated_ms, view)
         on conflict (branch_id, document) do update set customer = excluded.customer,
            technician = excluded.technician, status = excluded.status, outcome = excluded.outcome,
            urgent = excluded.urgent, promised_ms = excluded.promised_ms, conflicts = excluded.conflicts,
            version = excluded.version, updated_ms = excluded.updated_ms, view = excluded.view",
    )
    .bind(rows.iter().map(|row| row.view.branch.uuid()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.document.uuid()).collect::<Vec<_>>())
    .bind(texts(|row| row.view.number.clone()))
    .bind(rows.iter().map(|row| row.view.visit.as_bytes().uuid()).collect::<Vec<_>>())
    .bind(maybe(|row| row.view.customer.map(AsUuid::uuid)))
    .bind(maybe(|row| row.view.technician.map(AsUuid::uuid)))
    .bind(rows.iter().map(|row| row.view.source.clone()).collect::<Vec<_>>())
    .bind(texts(|row| row.view.status.as_str().to_owned()))
    .bind(rows.iter().map(|row| row.view.outcome.map(|outcome| outcome.as_str())).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.view.urgent).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.view.promised_at_ms).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.view.conflicts.len() as i32).collect::<Vec<_>>())
    .bind(numbers(|row| row.version))
    .bind(numbers(|row| row.view.created_at_ms))
    .bind(numbers(|row| row.updated_ms))
    .bind(texts(|row| row.json.clone()))
    .execute(&mut *connection)
    .await?;
    save_find_texts(connection, rows).await
}

/// What search looks for, written only where it is new.
async fn save_find_texts(
    connection: &mut PgConnection,
    rows: &[OrderWrite],
) -> Result<(), sqlx::Error> {
    let of = |row: &OrderWrite| {
        let device = &row.view.device;
        [
            &row.view.number,
            &device.serial,
            &device.category,
            &device.brand,
            &device.model,
            &device.fault,
        ]
        .map(String::as_str)
        .join(" ")
    };
    sqlx::query(
        "insert into orders.find_text
         select branch_id, document, lower(text) from unnest($1::uuid[], $2::uuid[], $3::text[])
            as t (branch_id, document, text)
         on conflict (branch_id, document) do update set text = excluded.text where find_text.text <> excluded.text",
    )
    .bind(rows.iter().map(|row| row.view.branch.uuid()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.document.uuid()).collect::<Vec<_>>())
    .bind(rows.iter().map(of).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Which orders have these numbers.
pub async fn with_numbers(
    connection: &mut PgConnection,
    numbers: &[String],
) -> Result<Vec<(String, DocumentId)>, sqlx::Error> {
    let rows: Vec<(String, Uuid)> =
        sqlx::query_as("select number, document from orders.repair_order where number = any($1)")
            .bind(numbers)
            .fetch_all(connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(number, document)| (number, DocumentId::of_uuid(document)))
        .collect())
}

/// An imported record.
#[derive(Debug, Clone)]
pub struct ImportWrite {
    /// Who imported it.
    pub branch: BranchId,
    /// The record.
    pub source: String,
    /// The order that it became.
    pub document: DocumentId,
    /// Over its meaningful fields.
    pub fingerprint: Hash,
}

/// Writes imported records; the last of one source counts.
pub async fn save_imports(
    connection: &mut PgConnection,
    rows: &[&ImportWrite],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into orders.import_record select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bytea[])
         on conflict (branch_id, source)
         do update set document = excluded.document, fingerprint = excluded.fingerprint",
    )
    .bind(rows.iter().map(|row| row.branch.uuid()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.source.clone()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.document.uuid()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.fingerprint.to_vec()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// How many orders each branch has.
pub async fn counts(connection: &mut PgConnection) -> Result<Vec<(BranchId, u64)>, sqlx::Error> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "select branch_id, count(*) from orders.repair_order group by branch_id order by branch_id",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(branch, count)| (BranchId::of_uuid(branch), count.cast_unsigned()))
        .collect())
}

/// The view of an order as its row keeps it.
pub fn stored_view(text: &str) -> Result<domain::order::OrderView, crate::error::HubError> {
    stored::read(text).map(|(view, _)| view)
}
