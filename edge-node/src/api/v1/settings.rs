//! What applies at this branch, and the rows of the chain that people pick from. All of it is changed at the hub.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::ReadErrors;
use web_kit::{Page, Problem};

use crate::api::caller::{May, may};
use crate::api::state::EdgeState;
use crate::app::settings::{self, BranchEntry, Preset, Settings};

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new()
        .routes(routes!(get))
        .routes(routes!(branches))
        .routes(routes!(presets))
}

/// What applies here: legal name, tax, receipt texts, opening hours.
#[utoipa::path(get, path = "/api/v1/settings", tag = "settings", extensions(("x-permission" = json!("basics_read"))),
    responses((status = 200, body = Settings), ReadErrors))]
async fn get(
    State(edge): State<EdgeState>,
    who: May<may::BasicsRead>,
) -> Result<Json<Settings>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| settings::get(reader, &actor));
    Ok(Json(read.await?))
}

/// Lists the chain's branches by code.
#[utoipa::path(get, path = "/api/v1/branches", tag = "settings", extensions(("x-permission" = json!("basics_read"))),
    responses((status = 200, body = Page<BranchEntry>), ReadErrors))]
async fn branches(
    State(edge): State<EdgeState>,
    who: May<may::BasicsRead>,
) -> Result<Json<Page<BranchEntry>>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| settings::branches(reader, &actor));
    Ok(Json(Page::whole(read.await?)))
}

/// Lists the presets of faults and services.
#[utoipa::path(get, path = "/api/v1/presets", tag = "settings", extensions(("x-permission" = json!("basics_read"))),
    responses((status = 200, body = Page<Preset>), ReadErrors))]
async fn presets(
    State(edge): State<EdgeState>,
    who: May<may::BasicsRead>,
) -> Result<Json<Page<Preset>>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| settings::presets(reader, &actor));
    Ok(Json(Page::whole(read.await?)))
}
