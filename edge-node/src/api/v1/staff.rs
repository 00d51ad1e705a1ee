//! The people of the chain, as this branch knows them. They are changed at the hub.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::ReadErrors;
use web_kit::{Page, Problem};

use crate::api::caller::{May, may};
use crate::api::state::EdgeState;
use crate::app::staff::{self, StaffEntry};

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Lists people by user name.
#[utoipa::path(get, path = "/api/v1/staff", tag = "settings", extensions(("x-permission" = json!("basics_read"))),
    responses((status = 200, body = Page<StaffEntry>), ReadErrors))]
async fn list(
    State(edge): State<EdgeState>,
    who: May<may::BasicsRead>,
) -> Result<Json<Page<StaffEntry>>, Problem> {
    let actor = who.actor();
    let read = edge.store().read(move |reader| staff::list(reader, &actor));
    Ok(Json(Page::whole(read.await?)))
}
