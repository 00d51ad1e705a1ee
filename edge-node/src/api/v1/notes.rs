//! Notes of an order.

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
use crate::app::order::form::{NoteInput, Order};
use crate::app::order::note;

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new().routes(routes!(add))
}

/// Writes a note. Answers with the order.
#[utoipa::path(post, path = "/api/v1/orders/{id}/notes", tag = "orders",
    params(("id" = String, Path, format = "uuid", description = "The order"), MatchHeader, KeyHeader),
    request_body = NoteInput,
    extensions(("x-permission" = json!("orders_write"))),
    responses((status = 201, body = Order), WriteErrors))]
async fn add(
    State(edge): State<EdgeState>,
    who: May<may::OrdersWrite>,
    ApiPath(id): ApiPath<DocumentId>,
    if_match: IfMatch,
    ApiCommand { body, request }: ApiCommand<NoteInput>,
) -> Result<Response, Problem> {
    command(
        &edge,
        &who,
        request,
        StatusCode::CREATED,
        move |tx, actor| note::add(tx, actor, id, &if_match, body),
    )
    .await
}
