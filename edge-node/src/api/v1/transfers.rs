//! Transfers between branches: asking, sending, taking in. All of it also while cut off.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::TransferId;
use domain::transfer::TransferState;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{ReadErrors, RequiredKeyHeader, WriteErrors};
use web_kit::{ApiPath, ApiQuery, KeyedCommand, ListQuery, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::command::command;
use crate::api::state::EdgeState;
use crate::app::transfer::{self, ReceiveInput, ShipInput, Transfer, TransferInput};
use web_kit::wire::TransferStateForm;

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new()
        .routes(routes!(list, request))
        .routes(routes!(get))
        .routes(routes!(ship))
        .routes(routes!(receive))
}

/// What a list of transfers is narrowed to.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TransferQuery {
    /// Only those in this state.
    #[serde(default)]
    #[param(required = false, value_type = TransferStateForm)]
    state: Option<TransferState>,
}

/// Lists transfers from and to this branch, newest first.
#[utoipa::path(get, path = "/api/v1/transfers", tag = "transfers", params(TransferQuery, ListQuery),
    extensions(("x-permission" = json!("transfers_read"))),
    responses((status = 200, body = Page<Transfer>), ReadErrors))]
async fn list(
    State(edge): State<EdgeState>,
    who: May<may::TransfersRead>,
    page: ListQuery,
    ApiQuery(TransferQuery { state }): ApiQuery<TransferQuery>,
) -> Result<Json<Page<Transfer>>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| transfer::list(reader, &actor, state, &page));
    Ok(Json(read.await?))
}

/// Asks for a transfer; the hub makes the plan.
#[utoipa::path(post, path = "/api/v1/transfers", tag = "transfers", params(RequiredKeyHeader),
    request_body = TransferInput,
    extensions(("x-permission" = json!("transfers_request"))),
    responses((status = 201, body = Transfer), WriteErrors))]
async fn request(
    State(edge): State<EdgeState>,
    who: May<may::TransfersRequest>,
    KeyedCommand { body, request }: KeyedCommand<TransferInput>,
) -> Result<Response, Problem> {
    command(
        &edge,
        &who,
        request,
        StatusCode::CREATED,
        move |tx, actor| transfer::request(tx, actor, body),
    )
    .await
}

/// One transfer.
#[utoipa::path(get, path = "/api/v1/transfers/{id}", tag = "transfers",
    params(("id" = String, Path, format = "uuid", description = "The transfer")),
    extensions(("x-permission" = json!("transfers_read"))),
    responses((status = 200, body = Transfer), ReadErrors))]
async fn get(
    State(edge): State<EdgeState>,
    who: May<may::TransfersRead>,
    ApiPath(id): ApiPath<TransferId>,
) -> Result<Json<Transfer>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| transfer::get(reader, &actor, id));
    Ok(Json(read.await?))
}

/// Sends a transfer: what is named, or all that is planned.
#[utoipa::path(post, path = "/api/v1/transfers/{id}/ship", tag = "transfers",
    params(("id" = String, Path, format = "uuid", description = "The transfer"), RequiredKeyHeader),
    request_body = Option<ShipInput>,
    extensions(("x-permission" = json!("transfers_ship"))),
    responses((status = 200, body = Transfer), WriteErrors))]
async fn ship(
    State(edge): State<EdgeState>,
    who: May<may::TransfersShip>,
    ApiPath(id): ApiPath<TransferId>,
    KeyedCommand { body, request }: KeyedCommand<Option<ShipInput>>,
) -> Result<Response, Problem> {
    command(&edge, &who, request, StatusCode::OK, move |tx, actor| {
        transfer::ship(tx, actor, id, body.unwrap_or_default())
    })
    .await
}

/// Takes goods in: what is named, or all that is on its way, as good.
#[utoipa::path(post, path = "/api/v1/transfers/{id}/receive", tag = "transfers",
    params(("id" = String, Path, format = "uuid", description = "The transfer"), RequiredKeyHeader),
    request_body = Option<ReceiveInput>,
    extensions(("x-permission" = json!("transfers_receive"))),
    responses((status = 200, body = Transfer), WriteErrors))]
async fn receive(
    State(edge): State<EdgeState>,
    who: May<may::TransfersReceive>,
    ApiPath(id): ApiPath<TransferId>,
    KeyedCommand { body, request }: KeyedCommand<Option<ReceiveInput>>,
) -> Result<Response, Problem> {
    command(&edge, &who, request, StatusCode::OK, move |tx, actor| {
        transfer::receive(tx, actor, id, body.unwrap_or_default())
    })
    .await
}
