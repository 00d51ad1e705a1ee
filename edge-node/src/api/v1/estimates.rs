//! Estimates of an order and the customer's answers.

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
use crate::app::order::estimate;
use crate::app::order::form::{AnswerInput, EstimateInput, Order};

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new()
        .routes(routes!(add))
        .routes(routes!(answer))
}

/// Makes the next version of the estimate; without an amount it is what the lines come to. Answers with the order.
#[utoipa::path(post, path = "/api/v1/orders/{id}/estimates", tag = "orders",
    params(("id" = String, Path, format = "uuid", description = "The order"), MatchHeader, KeyHeader),
    request_body = Option<EstimateInput>,
    extensions(("x-permission" = json!("orders_write"))),
    responses((status = 201, body = Order), WriteErrors))]
async fn add(
    State(edge): State<EdgeState>,
    who: May<may::OrdersWrite>,
    ApiPath(id): ApiPath<DocumentId>,
    if_match: IfMatch,
    ApiCommand { body, request }: ApiCommand<Option<EstimateInput>>,
) -> Result<Response, Problem> {
    command(
        &edge,
        &who,
        request,
        StatusCode::CREATED,
        move |tx, actor| estimate::add(tx, actor, id, &if_match, body.unwrap_or_default()),
    )
    .await
}

/// Writes the customer's answer to a version of the estimate. Answers with the order.
#[utoipa::path(post, path = "/api/v1/orders/{id}/estimates/{version}/answer", tag = "orders",
    params(("id" = String, Path, format = "uuid", description = "The order"),
        ("version" = u32, Path, minimum = 1, description = "Which version"), MatchHeader, KeyHeader),
    request_body = AnswerInput,
    extensions(("x-permission" = json!("orders_write"))),
    responses((status = 200, body = Order), WriteErrors))]
async fn answer(
    State(edge): State<EdgeState>,
    who: May<may::OrdersWrite>,
    ApiPath((id, version)): ApiPath<(DocumentId, u32)>,
    if_match: IfMatch,
    ApiCommand { body, request }: ApiCommand<AnswerInput>,
) -> Result<Response, Problem> {
    command(&edge, &who, request, StatusCode::OK, move |tx, actor| {
        estimate::answer(tx, actor, id, version, &if_match, body)
    })
    .await
}
