//! Priced lines of an order. A part line sets pieces aside, so adding, changing and using one needs a key.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::{DocumentId, LineId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{KeyHeader, MatchHeader, RequiredKeyHeader, WriteErrors};
use web_kit::{ApiCommand, ApiPath, IfMatch, KeyedCommand, NoBody, Problem};

use crate::api::caller::{May, may};
use crate::api::command::command;
use crate::api::state::EdgeState;
use crate::app::order::form::{Line, LineInput, LinePatch, Order};
use crate::app::order::line::{self, LineAnswer};
use crate::error::AppError;

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new()
        .routes(routes!(add))
        .routes(routes!(change, remove))
        .routes(routes!(consume))
}

/// The line of an answer; it is there, for the use case has just written it.
fn shown(answer: &LineAnswer) -> Result<Line, AppError> {
    answer
        .line()
        .cloned()
        .ok_or(AppError::NotFound { what: "line" })
}

/// Adds a line. One of kind `part` reserves; short of stock gives 409 with `free` and `elsewhere`.
#[utoipa::path(post, path = "/api/v1/orders/{id}/lines", tag = "orders",
    params(("id" = String, Path, format = "uuid", description = "The order"), MatchHeader, RequiredKeyHeader),
    request_body = LineInput,
    extensions(("x-permission" = json!("orders_write"))),
    responses((status = 201, body = Line), WriteErrors))]
async fn add(
    State(edge): State<EdgeState>,
    who: May<may::OrdersWrite>,
    ApiPath(id): ApiPath<DocumentId>,
    if_match: IfMatch,
    KeyedCommand { body, request }: KeyedCommand<LineInput>,
) -> Result<Response, Problem> {
    command(
        &edge,
        &who,
        request,
        StatusCode::CREATED,
        move |tx, actor| shown(&line::add(tx, actor, id, &if_match, body)?),
    )
    .await
}

/// Changes a line; more pieces of a part are reserved, fewer given back.
#[utoipa::path(patch, path = "/api/v1/orders/{id}/lines/{line_id}", tag = "orders",
    params(("id" = String, Path, format = "uuid", description = "The order"),
        ("line_id" = String, Path, format = "uuid", description = "The line"), MatchHeader, KeyHeader),
    request_body = LinePatch,
    extensions(("x-permission" = json!("orders_write"))),
    responses((status = 200, body = Line), WriteErrors))]
async fn change(
    State(edge): State<EdgeState>,
    who: May<may::OrdersWrite>,
    ApiPath((id, line_id)): ApiPath<(DocumentId, LineId)>,
    if_match: IfMatch,
    ApiCommand { body, request }: ApiCommand<LinePatch>,
) -> Result<Response, Problem> {
    command(&edge, &who, request, StatusCode::OK, move |tx, actor| {
        shown(&line::change(tx, actor, id, line_id, &if_match, body)?)
    })
    .await
}

/// Removes a line and gives back what it reserved. Answers with the order.
#[utoipa::path(delete, path = "/api/v1/orders/{id}/lines/{line_id}", tag = "orders",
    params(("id" = String, Path, format = "uuid", description = "The order"),
        ("line_id" = String, Path, format = "uuid", description = "The line"), MatchHeader, KeyHeader),
    extensions(("x-permission" = json!("orders_write"))),
    responses((status = 200, body = Order), WriteErrors))]
async fn remove(
    State(edge): State<EdgeState>,
    who: May<may::OrdersWrite>,
    ApiPath((id, line_id)): ApiPath<(DocumentId, LineId)>,
    if_match: IfMatch,
    ApiCommand { request, .. }: ApiCommand<NoBody>,
) -> Result<Response, Problem> {
    command(&edge, &who, request, StatusCode::OK, move |tx, actor| {
        line::remove(tx, actor, id, line_id, &if_match)
    })
    .await
}

/// Uses the part of a line: its pieces leave the shelf.
#[utoipa::path(post, path = "/api/v1/orders/{id}/lines/{line_id}/consume", tag = "orders",
    params(("id" = String, Path, format = "uuid", description = "The order"),
        ("line_id" = String, Path, format = "uuid", description = "The line"), MatchHeader, RequiredKeyHeader),
    extensions(("x-permission" = json!("stock_move"))),
    responses((status = 200, body = Line), WriteErrors))]
async fn consume(
    State(edge): State<EdgeState>,
    who: May<may::StockMove>,
    ApiPath((id, line_id)): ApiPath<(DocumentId, LineId)>,
    if_match: IfMatch,
    KeyedCommand { request, .. }: KeyedCommand<NoBody>,
) -> Result<Response, Problem> {
    command(&edge, &who, request, StatusCode::OK, move |tx, actor| {
        shown(&line::consume(tx, actor, id, line_id, &if_match)?)
    })
    .await
}
