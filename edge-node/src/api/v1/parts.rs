//! The catalogue as this branch knows it. Parts are changed at the hub.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::ReadErrors;
use web_kit::{ApiPath, ApiQuery, ListQuery, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::state::EdgeState;
use crate::app::part::{self, Part};

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
}

/// What a list of parts is narrowed to.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PartQuery {
    /// Sku or name holds this, in any case.
    #[serde(default, deserialize_with = "web_kit::extract::query_text")]
    #[param(required = false, max_length = 200)]
    q: Option<String>,
}

/// Lists parts by sku.
#[utoipa::path(get, path = "/api/v1/parts", tag = "stock", params(PartQuery, ListQuery),
    extensions(("x-permission" = json!("stock_read"))),
    responses((status = 200, body = Page<Part>), ReadErrors))]
async fn list(
    State(edge): State<EdgeState>,
    who: May<may::StockRead>,
    page: ListQuery,
    ApiQuery(PartQuery { q }): ApiQuery<PartQuery>,
) -> Result<Json<Page<Part>>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| part::list(reader, &actor, q.as_deref(), &page));
    Ok(Json(read.await?))
}

/// One part.
#[utoipa::path(get, path = "/api/v1/parts/{sku}", tag = "stock",
    params(("sku" = String, Path, description = "The part's sku")),
    extensions(("x-permission" = json!("stock_read"))),
    responses((status = 200, body = Part), ReadErrors))]
async fn get(
    State(edge): State<EdgeState>,
    who: May<may::StockRead>,
    ApiPath(sku): ApiPath<String>,
) -> Result<Json<Part>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| part::get(reader, &actor, &sku));
    Ok(Json(read.await?))
}
