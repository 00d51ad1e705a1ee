//! The event stream.

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::event_stream;
use web_kit::openapi::errors;

use crate::api::caller::{May, may};
use crate::api::live;
use crate::api::state::EdgeState;

/// Errors of the stream: it is refused before it begins or not at all.
struct StreamErrors;

impl utoipa::IntoResponses for StreamErrors {
    fn responses()
    -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        errors(&[401, 403, 503])
    }
}

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new().routes(routes!(listen))
}

/// Server-sent events: `orders-changed`, `customers-changed`, `stock-changed`, `transfers-changed` with `ids`,
/// `rows-changed` with `kinds`, `money-changed`, `status-changed`, `import-progress`; `resync` at the beginning and after a gap; `tick`
/// every 10 s.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", extensions(("x-permission" = json!("basics_read"))),
    responses((status = 200, body = String, content_type = "text/event-stream"), StreamErrors))]
async fn listen(State(edge): State<EdgeState>, who: May<may::BasicsRead>) -> Response {
    event_stream(live::events(edge, who.0))
}
