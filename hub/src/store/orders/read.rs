//! Orders as they are listed and found.

use domain::id::{BranchId, DocumentId};
use domain::order::OrderView;
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};

use super::stored;
use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid};
use crate::store::scope::{Place, Scope, behind};

/// An order's row.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRecord {
    /// The home branch.
    pub branch: BranchId,
    /// The document.
    pub document: DocumentId,
    /// When it was taken in.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
    /// What it says, without the conflicts themselves.
    pub view: OrderView,
    /// How many keys have several values.
    pub conflicts: usize,
}

/// Which orders.
#[derive(Debug, Clone)]
pub struct OrderFilter {
    /// Of these branches.
    pub scope: Scope,
    /// In this status.
    pub status: Option<String>,
    /// Changed at or after this time.
    pub since_ms: Option<i64>,
    /// With these words in number or serial.
    pub number: Option<String>,
    /// With these words in number, serial, device or fault.
    pub words: Option<String>,
    /// Of one of these customers.
    pub customers: Option<Vec<DocumentId>>,
    /// Only where people must decide something.
    pub with_conflicts: bool,
    /// Behind this one in the list.
    pub place: Option<Place>,
    /// How many at most.
    pub limit: i64,
}

impl OrderFilter {
    /// The newest `limit` orders of `scope`.
    pub fn newest(scope: Scope, limit: i64) -> Self {
        OrderFilter {
            scope,
            status: None,
            since_ms: None,
            number: None,
            words: None,
            customers: None,
            with_conflicts: false,
            place: None,
            limit,
        }
    }
}

#[derive(FromRow)]
struct Raw {
    branch_id: Uuid,
    document: Uuid,
    created_ms: i64,
    updated_ms: i64,
    view: String,
}

impl Raw {
    fn typed(self) -> Result<OrderRecord, HubError> {
        let (view, conflicts) = stored::read(&self.view)?;
        Ok(OrderRecord {
            branch: BranchId::of_uuid(self.branch_id),
            document: DocumentId::of_uuid(self.document),
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
            view,
            conflicts,
        })
    }
}

/// Orders, the newest first.
pub async fn orders(
    connection: &mut PgConnection,
    filter: &OrderFilter,
) -> Result<Vec<OrderRecord>, HubError> {
    let (at_ms, id) = behind(filter.place);
    let customers = filter.customers.as_ref().map(|all| {
        all.iter()
            .map(|customer| customer.uuid())
            .collect::<Vec<_>>()
    });
    let rows: Vec<Raw> = sqlx::query_as(
        "select branch_id, document, created_ms, updated_ms, view::text as view from orders.repair_order
         where ($1::uuid[] is null or branch_id = any($1))
         and ($2::text is null or status = $2)
         and ($3::bigint is null or updated_ms >= $3)
         and ($4::text is null or ((branch_id, document) in
            (select f.branch_id, f.document from orders.find_text f where f.text like lower($11))
            and (position(lower($4) in lower(number)) > 0
                or position(lower($4) in lower(view -> 'device' ->> 'serial')) > 0)))
         and ($5::text is null or (branch_id, document) in
            (select f.branch_id, f.document from orders.find_text f where f.text like lower($12)))
         and ($6::uuid[] is null or customer = any($6))
         and (not $7 or conflicts > 0)
         and ($8::bigint is null or (created_ms, document) < ($8, $9::uuid))
         order by created_ms desc, document desc limit $10",
    )
    .bind(filter.scope.sql())
    .bind(&filter.status)
    .bind(filter.since_ms)
    .bind(&filter.number)
    .bind(&filter.words)
    .bind(customers)
    .bind(filter.with_conflicts)
    .bind(at_ms)
    .bind(id)
    .bind(filter.limit)
    .bind(filter.number.as_deref().map(inside))
    .bind(filter.words.as_deref().map(inside))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Raw::typed).collect()
}

/// A pattern for what holds this text.
fn inside(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// One order.
pub async fn order(
    connection: &mut PgConnection,
    document: DocumentId,
) -> Result<Option<OrderRecord>, HubError> {
    let row: Option<Raw> = sqlx::query_as(
        "select branch_id, document, created_ms, updated_ms, view::text as view from orders.repair_order
         where document = $1",
    )
    .bind(document.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(Raw::typed).transpose()
}

/// Whether the branch has an order.
pub async fn has_any(connection: &mut PgConnection, branch: BranchId) -> Result<bool, sqlx::Error> {
    let row: (bool,) =
        sqlx::query_as("select exists (select 1 from orders.repair_order where branch_id = $1)")
            .bind(branch.uuid())
            .fetch_one(connection)
            .await?;
    Ok(row.0)
}

/// The numbers of those of these documents that are orders.
pub async fn numbers(
    connection: &mut PgConnection,
    documents: &[DocumentId],
) -> Result<Vec<(DocumentId, String)>, sqlx::Error> {
    let rows: Vec<(Uuid, String)> =
        sqlx::query_as("select document, number from orders.repair_order where document = any($1)")
            .bind(documents.iter().map(|id| id.uuid()).collect::<Vec<_>>())
            .fetch_all(connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(document, number)| (DocumentId::of_uuid(document), number))
        .collect())
}

/// The orders of these customers, at most `limit`.
pub async fn of_customers(
    connection: &mut PgConnection,
    customers: &[DocumentId],
    limit: i64,
) -> Result<Vec<DocumentId>, sqlx::Error> {
    let rows: Vec<(Uuid,)> = sqlx::query_as(
        "select document from orders.repair_order where customer = any($1) order by document limit $2",
    )
    .bind(customers.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(document,)| DocumentId::of_uuid(document))
        .collect())
}

/// How many orders each of these customers has; who has none is left out.
pub async fn counts_of_customers(
    connection: &mut PgConnection,
    customers: &[DocumentId],
) -> Result<Vec<(DocumentId, i64)>, sqlx::Error> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "select customer, count(*) from orders.repair_order where customer = any($1) group by customer",
    )
    .bind(customers.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(customer, count)| (DocumentId::of_uuid(customer), count))
        .collect())
}
