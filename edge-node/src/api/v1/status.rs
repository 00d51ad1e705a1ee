//! Moving an order through its life, and taking a step back.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::DocumentId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{KeyHeader, MatchHeader, WriteErrors};
use web_kit::{ApiCommand, ApiPath, IfMatch, Problem};

use crate::api::caller::{May, may};
use crate::api::command::command;
use crate::api::state::EdgeState;
use crate::app::order::form::{Order, StatusInput, UndoInput};
use crate::app::order::status;

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new()
        .routes(routes!(move_to))
        .routes(routes!(undo))
}

/// Moves an order. A move that the table does not have is refused by 409 with `allowed`.
#[utoipa::path(post, path = "/api/v1/orders/{id}/status", tag = "orders",
    params(("id" = String, Path, format = "uuid", description = "The order"), MatchHeader, KeyHeader),
    request_body = StatusInput,
    extensions(("x-permission" = json!("orders_move"))),
    responses((status = 200, body = Order), WriteErrors))]
async fn move_to(
    State(edge): State<EdgeState>,
    who: May<may::OrdersMove>,
    ApiPath(id): ApiPath<DocumentId>,
    if_match: IfMatch,
    ApiCommand { body, request }: ApiCommand<StatusInput>,
) -> Result<Response, Problem> {
    command(&edge, &who, request, StatusCode::OK, move |tx, actor| {
        status::move_to(tx, actor, id, &if_match, body)
    })
    .await
}

/// Takes a step of the status back, the last one when none is named.
#[utoipa::path(post, path = "/api/v1/orders/{id}/undo", tag = "orders",
    params(("id" = String, Path, format = "uuid", description = "The order"), MatchHeader, KeyHeader),
    request_body = Option<UndoInput>,
    extensions(("x-permission" = json!("orders_move"))),
    responses((status = 200, body = Order), WriteErrors))]
async fn undo(
    State(edge): State<EdgeState>,
    who: May<may::OrdersMove>,
    ApiPath(id): ApiPath<DocumentId>,
    if_match: IfMatch,
    ApiCommand { body, request }: ApiCommand<Option<UndoInput>>,
) -> Result<Response, Problem> {
    command(&edge, &who, request, StatusCode::OK, move |tx, actor| {
        status::undo(tx, actor, id, &if_match, body.unwrap_or_default())
    })
    .await
}
