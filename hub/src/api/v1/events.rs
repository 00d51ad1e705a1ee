//! The stream of what happens.

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::ReadErrors;

use crate::api::caller::Caller;
use crate::api::live;
use crate::api::state::HubState;

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new().routes(routes!(events))
}

/// Server-sent events: which things changed. Begins with `resync`.
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    responses((status = 200, body = String, content_type = "text/event-stream"), ReadErrors))]
async fn events(State(state): State<HubState>, caller: Caller) -> Response {
    web_kit::event_stream(live::events(state, caller))
}
