//! The HTTP face of the branch: routes, who may call them, and how a use case's answer looks outside.
//!
//! Handlers read the request, call one use case and shape its answer. They hold no SQL and no rule of the shop. What
//! a command does, its idempotency check and the stored answer are one job of the store's writer.

pub mod caller;
pub(crate) mod command;
mod health;
pub mod live;
mod metrics;
mod problem;
pub mod state;
pub mod v1;

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::{Problem, openapi};

pub use caller::{Caller, May};
pub use metrics::Metrics;
pub use state::{EdgeState, StateParts};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Counterpart, branch",
        description = "What a branch's edge node answers. All of it works while the hub is out of reach."
    ),
    // Named by the address alone, and no part of any body.
    components(schemas(web_kit::wire::TableKindForm))
)]
struct Description;

fn documented(observed_here: bool) -> OpenApiRouter<EdgeState> {
    let router = OpenApiRouter::with_openapi(Description::openapi()).merge(v1::routes());
    if observed_here {
        router
            .routes(routes!(health::healthz))
            .routes(routes!(health::readyz))
            .routes(routes!(health::metrics))
    } else {
        router
    }
}

/// All routes of the API with their description, health and metrics among them unless they have an address of their
/// own.
///
/// # Errors
/// When the description cannot be rendered, which is a mistake in the program.
pub fn routes(state: &EdgeState) -> Result<Router<EdgeState>, Problem> {
    let (router, document) = documented(state.is_observed_here()).split_for_parts();
    let document = openapi::named(openapi::complete(document, state.cookie()));
    Ok(router.merge(openapi::routes(&document)?))
}

/// Health and metrics for an address of their own.
pub fn health_routes() -> Router<EdgeState> {
    health::routes()
}

/// Counts what the router answers.
pub fn counted(state: &EdgeState, router: Router<EdgeState>) -> Router<EdgeState> {
    router.route_layer(from_fn_with_state(state.clone(), metrics::count))
}

/// The description of all routes, as served.
pub fn description(state: &EdgeState) -> utoipa::openapi::OpenApi {
    openapi::named(openapi::complete(
        documented(true).into_openapi(),
        state.cookie(),
    ))
}
