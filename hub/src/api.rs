//! The HTTP face of the hub: routes, who may call them, and how a use case's answer looks outside.
//!
//! Handlers read the request, call one use case and shape its answer. They hold no SQL and no rule. What a command
//! does, its idempotency check and the stored answer are one transaction of the hub.

pub mod caller;
pub(crate) mod command;
mod health;
pub mod live;
mod problem;
pub mod state;
pub mod v1;
pub(crate) mod wire;

use axum::Router;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::{Problem, openapi};

pub use caller::Caller;
pub use state::{HubState, StateParts};

#[derive(OpenApi)]
#[openapi(info(
    title = "Counterpart, hub",
    description = "What the hub answers to managers and integrations: the whole chain, as far as branches have told it."
))]
struct Description;

fn documented() -> OpenApiRouter<HubState> {
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(v1::routes())
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
}

/// All routes of the API with their description, health and metrics among them.
///
/// # Errors
/// When the description cannot be rendered, which is a mistake in the program.
pub fn routes(state: &HubState) -> Result<Router<HubState>, Problem> {
    let (router, document) = documented().split_for_parts();
    let document = openapi::named(openapi::complete(document, state.cookie()));
    Ok(router.merge(openapi::routes(&document)?))
}

/// The description of all routes, as served.
pub fn description(state: &HubState) -> utoipa::openapi::OpenApi {
    openapi::named(openapi::complete(
        documented().into_openapi(),
        state.cookie(),
    ))
}
