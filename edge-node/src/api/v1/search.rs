//! Search. By POST, so that a name or phone number never stands in an address.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::errors;
use web_kit::{ApiJson, Problem};

use crate::api::caller::{May, may};
use crate::api::state::EdgeState;
use crate::app::search::{self, SearchAnswer, SearchInput};

/// Errors of a search: it reads, by a body.
struct SearchErrors;

impl utoipa::IntoResponses for SearchErrors {
    fn responses()
    -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        errors(&[400, 401, 403, 413, 422, 503])
    }
}

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new().routes(routes!(find))
}

/// Finds orders, customers and parts by number, serial, fault, name, phone, e-mail, sku. Changes nothing, so an
/// `Idempotency-Key` is not looked at.
#[utoipa::path(post, path = "/api/v1/search", tag = "search", request_body = SearchInput,
    extensions(("x-permission" = json!("search"))),
    responses((status = 200, body = SearchAnswer), SearchErrors))]
async fn find(
    State(edge): State<EdgeState>,
    who: May<may::Search>,
    ApiJson(input): ApiJson<SearchInput>,
) -> Result<Json<SearchAnswer>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| search::find(reader, &actor, &input));
    Ok(Json(read.await?))
}
