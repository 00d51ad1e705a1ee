//! Search. By POST, so that a name or phone number never stands in an address.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::errors;
use web_kit::{ApiJson, Problem};

use super::customers::Customer;
use super::orders::Order;
use super::parts::Part;
use crate::api::caller::{May, may};
use crate::api::state::HubState;
use crate::app::search;
use web_kit::wire::Personal;

const MAX_BYTES: usize = 400;
const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 100;

/// Errors of a search: it reads, by a body.
struct SearchErrors;

impl utoipa::IntoResponses for SearchErrors {
    fn responses()
    -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        errors(&[400, 401, 403, 413, 422, 503])
    }
}

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new().routes(routes!(find))
}

/// What to look for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchInput {
    /// What was typed or scanned.
    #[schema(value_type = String, max_length = 400)]
    q: Personal,
    /// Hits wanted of each kind.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
}

/// What was found, best first.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchAnswer {
    /// Orders by number, serial, device, fault, or of the customers found.
    orders: Vec<Order>,
    /// Customers by name, phone, e-mail.
    customers: Vec<Customer>,
    /// Parts by sku, name, barcode.
    parts: Vec<Part>,
}

/// Finds orders, customers and parts. Changes nothing, so an `Idempotency-Key` is not looked at.
#[utoipa::path(post, path = "/api/v1/search", tag = "search", request_body = SearchInput,
    extensions(("x-permission" = json!("search"))),
    responses((status = 200, body = SearchAnswer), SearchErrors))]
async fn find(
    State(state): State<HubState>,
    who: May<may::Search>,
    ApiJson(input): ApiJson<SearchInput>,
) -> Result<Json<SearchAnswer>, Problem> {
    let limit = input.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::invalid_field("/limit", "Must be from 1 to 100."));
    }
    if input.q.expose().len() > MAX_BYTES {
        return Err(Problem::invalid_field(
            "/q",
            "Must not be longer than 400 bytes.",
        ));
    }
    let found = search::search(
        state.hub(),
        state.people(),
        &who.person,
        input.q.expose(),
        limit as usize,
    )
    .await?;
    Ok(Json(SearchAnswer {
        orders: found.orders.into_iter().map(Order::of).collect(),
        customers: found.customers.into_iter().map(Customer::of).collect(),
        parts: found.parts.into_iter().map(Part::of).collect(),
    }))
}
