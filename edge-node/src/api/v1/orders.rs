//! Orders: taking devices in, reading, changing fields.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::id::DocumentId;
use domain::order::Status;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{KeyHeader, MatchHeader, ReadErrors, WriteErrors};
use web_kit::{ApiCommand, ApiPath, ApiQuery, IfMatch, ListQuery, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::command::command;
use crate::api::state::EdgeState;
use crate::app::intake::{self, NewVisit, Visit};
use crate::app::order;
use crate::app::order::form::{Order, OrderFilter, OrderPatch};
use web_kit::wire::{StatusForm, Time};

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new()
        .routes(routes!(list, take_in))
        .routes(routes!(get, patch))
}

/// What a list of orders is narrowed to.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OrderQuery {
    /// Only those in this status.
    #[serde(default)]
    #[param(required = false, value_type = StatusForm)]
    status: Option<Status>,
    /// Only those changed at or after this time.
    #[serde(default)]
    #[param(required = false, value_type = String, format = "date-time")]
    since: Option<Time>,
    /// Only those with this number or serial; never a name, phone or e-mail.
    #[serde(default, deserialize_with = "web_kit::extract::query_text")]
    #[param(required = false, max_length = 200)]
    q: Option<String>,
}

/// Lists orders, newest first.
#[utoipa::path(get, path = "/api/v1/orders", tag = "orders", params(OrderQuery, ListQuery),
    extensions(("x-permission" = json!("orders_read"))),
    responses((status = 200, body = Page<Order>), ReadErrors))]
async fn list(
    State(edge): State<EdgeState>,
    who: May<may::OrdersRead>,
    page: ListQuery,
    ApiQuery(OrderQuery { status, since, q }): ApiQuery<OrderQuery>,
) -> Result<Json<Page<Order>>, Problem> {
    let actor = who.actor();
    let filter = OrderFilter { status, since, q };
    let read = edge
        .store()
        .read(move |reader| order::list(reader, &actor, &filter, &page));
    Ok(Json(read.await?))
}

/// Takes devices in: one order per device, all of one visit.
#[utoipa::path(post, path = "/api/v1/orders", tag = "orders", params(KeyHeader), request_body = NewVisit,
    extensions(("x-permission" = json!("orders_write"))),
    responses((status = 201, body = Visit), WriteErrors))]
async fn take_in(
    State(edge): State<EdgeState>,
    who: May<may::OrdersWrite>,
    ApiCommand { body, request }: ApiCommand<NewVisit>,
) -> Result<Response, Problem> {
    command(
        &edge,
        &who,
        request,
        StatusCode::CREATED,
        move |tx, actor| intake::take_in(tx, actor, body),
    )
    .await
}

/// One order.
#[utoipa::path(get, path = "/api/v1/orders/{id}", tag = "orders",
    params(("id" = String, Path, format = "uuid", description = "The order")),
    extensions(("x-permission" = json!("orders_read"))),
    responses((status = 200, body = Order, headers(("ETag" = String, description = "The version"))), ReadErrors))]
async fn get(
    State(edge): State<EdgeState>,
    who: May<may::OrdersRead>,
    ApiPath(id): ApiPath<DocumentId>,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let found = edge
        .store()
        .read(move |reader| order::get(reader, &actor, id))
        .await?;
    Ok((found.etag.clone(), Json(found)).into_response())
}

/// Changes fields of an order: absent fields stay, null clears.
#[utoipa::path(patch, path = "/api/v1/orders/{id}", tag = "orders",
    params(("id" = String, Path, format = "uuid", description = "The order"), MatchHeader, KeyHeader),
    request_body = OrderPatch,
    extensions(("x-permission" = json!("orders_write"))),
    responses((status = 200, body = Order, headers(("ETag" = String, description = "The version"))), WriteErrors))]
async fn patch(
    State(edge): State<EdgeState>,
    who: May<may::OrdersWrite>,
    ApiPath(id): ApiPath<DocumentId>,
    if_match: IfMatch,
    ApiCommand { body, request }: ApiCommand<OrderPatch>,
) -> Result<Response, Problem> {
    command(&edge, &who, request, StatusCode::OK, move |tx, actor| {
        order::patch(tx, actor, id, &if_match, body)
    })
    .await
}
