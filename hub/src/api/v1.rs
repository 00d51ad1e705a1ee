//! `/api/v1`: one file per resource. Each route is registered together with its description, so that neither exists
//! without the other.

pub mod branches;
pub mod events;
pub mod nodes;
pub mod parts;
pub mod session;
pub mod settings;
pub mod staff;
pub mod stock;
pub mod transfers;

use utoipa_axum::router::OpenApiRouter;

use super::state::HubState;

/// Every route with its description.
pub(crate) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .merge(session::routes())
        .merge(branches::routes())
        .merge(nodes::routes())
        .merge(staff::routes())
        .merge(parts::routes())
        .merge(settings::routes())
        .merge(stock::routes())
        .merge(transfers::routes())
        .merge(events::routes())
}
