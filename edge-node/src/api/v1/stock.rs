//! Stock: what is there, what moved, movements by hand, and a part's settings at this branch.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{KeyHeader, MatchHeader, ReadErrors, RequiredKeyHeader, WriteErrors};
use web_kit::{ApiCommand, ApiPath, ApiQuery, IfMatch, KeyedCommand, ListQuery, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::command::command;
use crate::api::state::EdgeState;
use crate::app::stock::delivery::{self, Delivery, DeliveryInput};
use crate::app::stock::{self, Movement, MovementInput, StockFilter, StockRow, StockSettings};

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, set))
        .routes(routes!(movements, move_by_hand))
        .routes(routes!(deliver))
}

/// What a list of stock is narrowed to.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StockQuery {
    /// Sku or name holds this, in any case.
    #[serde(default, deserialize_with = "web_kit::extract::query_text")]
    #[param(required = false, max_length = 200)]
    q: Option<String>,
    /// Also parts that never moved here.
    #[serde(default)]
    #[param(required = false, default = false)]
    everything: bool,
}

/// Lists stock by sku.
#[utoipa::path(get, path = "/api/v1/stock", tag = "stock", params(StockQuery, ListQuery),
    extensions(("x-permission" = json!("stock_read"))),
    responses((status = 200, body = Page<StockRow>), ReadErrors))]
async fn list(
    State(edge): State<EdgeState>,
    who: May<may::StockRead>,
    page: ListQuery,
    ApiQuery(StockQuery { q, everything }): ApiQuery<StockQuery>,
) -> Result<Json<Page<StockRow>>, Problem> {
    let actor = who.actor();
    let filter = StockFilter { q, everything };
    let read = edge
        .store()
        .read(move |reader| stock::list(reader, &actor, &filter, &page));
    Ok(Json(read.await?))
}

/// One part's stock, by sku or barcode.
#[utoipa::path(get, path = "/api/v1/stock/{sku}", tag = "stock",
    params(("sku" = String, Path, description = "The part's sku")),
    extensions(("x-permission" = json!("stock_read"))),
    responses((status = 200, body = StockRow), ReadErrors))]
async fn get(
    State(edge): State<EdgeState>,
    who: May<may::StockRead>,
    ApiPath(sku): ApiPath<String>,
) -> Result<Json<StockRow>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| stock::get(reader, &actor, &sku));
    Ok(Json(read.await?))
}

/// Changes a part's bin, reorder point, note and barcodes at this branch.
#[utoipa::path(patch, path = "/api/v1/stock/{sku}", tag = "stock",
    params(("sku" = String, Path, description = "The part's sku"), MatchHeader, KeyHeader),
    request_body = StockSettings,
    extensions(("x-permission" = json!("inventory_write"))),
    responses((status = 200, body = StockRow), WriteErrors))]
async fn set(
    State(edge): State<EdgeState>,
    who: May<may::InventoryWrite>,
    ApiPath(sku): ApiPath<String>,
    if_match: IfMatch,
    ApiCommand { body, request }: ApiCommand<StockSettings>,
) -> Result<Response, Problem> {
    command(&edge, &who, request, StatusCode::OK, move |tx, actor| {
        stock::set(tx, actor, &sku, &if_match, body)
    })
    .await
}

/// Lists a part's movements, newest first.
#[utoipa::path(get, path = "/api/v1/stock/{sku}/movements", tag = "stock",
    params(("sku" = String, Path, description = "The part's sku"), ListQuery),
    extensions(("x-permission" = json!("stock_read"))),
    responses((status = 200, body = Page<Movement>), ReadErrors))]
async fn movements(
    State(edge): State<EdgeState>,
    who: May<may::StockRead>,
    ApiPath(sku): ApiPath<String>,
    page: ListQuery,
) -> Result<Json<Page<Movement>>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| stock::movements(reader, &actor, &sku, &page));
    Ok(Json(read.await?))
}

/// Moves stock by hand: opening, delivery, correction, scrap. Only what is free leaves the shelf; short gives 409 with
/// `free` and `elsewhere`.
#[utoipa::path(post, path = "/api/v1/stock/{sku}/movements", tag = "stock",
    params(("sku" = String, Path, description = "The part's sku"), RequiredKeyHeader),
    request_body = MovementInput,
    extensions(("x-permission" = json!("stock_move"))),
    responses((status = 201, body = Movement), WriteErrors))]
async fn move_by_hand(
    State(edge): State<EdgeState>,
    who: May<may::StockMove>,
    ApiPath(sku): ApiPath<String>,
    KeyedCommand { body, request }: KeyedCommand<MovementInput>,
) -> Result<Response, Problem> {
    command(
        &edge,
        &who,
        request,
        StatusCode::CREATED,
        move |tx, actor| stock::move_by_hand(tx, actor, &sku, body),
    )
    .await
}

/// Books a delivery, or the opening stock of a shelf: several parts at once, all or none.
#[utoipa::path(post, path = "/api/v1/deliveries", tag = "stock", params(RequiredKeyHeader),
    request_body = DeliveryInput,
    extensions(("x-permission" = json!("stock_move"))),
    responses((status = 201, body = Delivery), WriteErrors))]
async fn deliver(
    State(edge): State<EdgeState>,
    who: May<may::StockMove>,
    KeyedCommand { body, request }: KeyedCommand<DeliveryInput>,
) -> Result<Response, Problem> {
    command(
        &edge,
        &who,
        request,
        StatusCode::CREATED,
        move |tx, actor| delivery::deliver(tx, actor, &body),
    )
    .await
}
