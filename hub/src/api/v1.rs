//! `/api/v1`: one file per resource. Each route is registered together with its description, so that neither exists
//! without the other.

pub mod audit;
pub mod branches;
pub mod cash_sessions;
pub mod corrections;
pub mod customers;
pub mod documents;
pub mod events;
pub mod exceptions;
pub mod exports;
pub mod imports;
pub mod network;
pub mod nodes;
pub mod orders;
pub mod outbox;
pub mod parts;
pub mod payments;
pub mod presets;
pub mod reconciliations;
pub mod refunds;
pub mod search;
pub mod session;
pub mod settings;
pub mod settlements;
pub mod staff;
pub mod stock;
pub mod till_rules;
pub mod transfers;

use utoipa_axum::router::OpenApiRouter;

use super::state::HubState;

/// Every route with its description.
pub(crate) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .merge(session::routes())
        .merge(branches::routes())
        .merge(network::routes())
        .merge(nodes::routes())
        .merge(staff::routes())
        .merge(parts::routes())
        .merge(presets::routes())
        .merge(imports::routes())
        .merge(settings::routes())
        .merge(stock::routes())
        .merge(transfers::routes())
        .merge(orders::routes())
        .merge(payments::routes())
        .merge(refunds::routes())
        .merge(cash_sessions::routes())
        .merge(outbox::routes())
        .merge(till_rules::routes())
        .merge(settlements::routes())
        .merge(customers::routes())
        .merge(search::routes())
        .merge(documents::routes())
        .merge(exceptions::routes())
        .merge(audit::routes())
        .merge(exports::routes())
        .merge(reconciliations::routes())
        .merge(corrections::routes())
        .merge(events::routes())
}
