//! `/api/v1`: one file per resource. Each route is registered together with its description, so that neither exists
//! without the other.

pub mod cash;
pub mod customers;
pub mod documents;
pub mod elsewhere;
pub mod estimates;
pub mod events;
pub mod exceptions;
pub mod exports;
pub mod imports;
pub mod lines;
pub mod notes;
pub mod orders;
pub mod parts;
pub mod payments;
pub mod sales;
pub mod search;
pub mod session;
pub mod settings;
pub mod staff;
pub mod status;
pub mod stock;
pub mod sync;
pub mod transfers;

use utoipa_axum::router::OpenApiRouter;

use super::state::EdgeState;

/// Every route with its description.
pub(crate) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new()
        .merge(session::routes())
        .merge(sync::routes())
        .merge(cash::routes())
        .merge(sales::routes())
        .merge(payments::routes())
        .merge(customers::routes())
        .merge(elsewhere::routes())
        .merge(orders::routes())
        .merge(status::routes())
        .merge(lines::routes())
        .merge(notes::routes())
        .merge(estimates::routes())
        .merge(parts::routes())
        .merge(stock::routes())
        .merge(transfers::routes())
        .merge(documents::routes())
        .merge(exceptions::routes())
        .merge(search::routes())
        .merge(events::routes())
        .merge(exports::routes())
        .merge(imports::routes())
        .merge(settings::routes())
        .merge(staff::routes())
}
