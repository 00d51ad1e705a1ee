//! Orders of a branch that were collected without an invoice.

use domain::id::{BranchId, DocumentId};
use domain::order::OrderView;
use domain::reconcile::OverdueOrder;
use sqlx::PgConnection;
use sqlx::types::Uuid;

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid};
use crate::store::orders::stored_view;

/// Orders that were collected from `since_ms` until `end_ms` and have no invoice; imported orders owe nothing.
pub async fn uninvoiced(
    connection: &mut PgConnection,
    branch: BranchId,
    since_ms: i64,
    end_ms: i64,
) -> Result<Vec<(DocumentId, OrderView)>, HubError> {
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "select o.document, o.view::text from orders.repair_order o
         where o.branch_id = $1 and o.status = 'collected' and o.source is null
         and o.updated_ms >= $2 and o.updated_ms < $3
         and not exists (select 1 from payments.order_money m where m.branch_id = o.branch_id
            and m.repair_order = o.document and m.invoiced_minor <> 0)
         order by o.updated_ms, o.document limit 2000",
    )
    .bind(branch.uuid())
    .bind(since_ms)
    .bind(end_ms)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(document, view)| Ok((DocumentId::of_uuid(document), stored_view(&view)?)))
        .collect()
}

/// Orders that were collected, are open, and are open past their promise; imported orders are in none.
pub async fn counts(
    connection: &mut PgConnection,
    branch: BranchId,
    since_ms: i64,
    end_ms: i64,
) -> Result<(i64, i64, i64), sqlx::Error> {
    sqlx::query_as(
        "select (select count(*) from orders.repair_order where branch_id = $1 and status = 'collected'
                and source is null and updated_ms >= $2 and updated_ms < $3),
            count(*), count(*) filter (where promised_ms < $3)
         from orders.repair_order where branch_id = $1 and status not in ('collected', 'cancelled') and source is null",
    )
    .bind(branch.uuid())
    .bind(since_ms)
    .bind(end_ms)
    .fetch_one(connection)
    .await
}

/// Open orders past their promise at `end_ms`, those that wait longest first; imported orders are not among them.
pub async fn overdue(
    connection: &mut PgConnection,
    branch: BranchId,
    end_ms: i64,
) -> Result<Vec<OverdueOrder>, sqlx::Error> {
    let rows: Vec<(Uuid, String, i64)> = sqlx::query_as(
        "select document, number, promised_ms from orders.repair_order
         where branch_id = $1 and status not in ('collected', 'cancelled') and source is null and promised_ms < $2
         order by promised_ms, document limit 100",
    )
    .bind(branch.uuid())
    .bind(end_ms)
    .fetch_all(connection)
    .await?;
    let order = |(document, number, promised_ms)| OverdueOrder {
        order: DocumentId::of_uuid(document),
        number,
        promised_ms,
    };
    Ok(rows.into_iter().map(order).collect())
}
