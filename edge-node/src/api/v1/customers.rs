//! Customers: taking in, reading, changing. Personal values are in answers only, never in an address.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::id::DocumentId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{KeyHeader, MatchHeader, ReadErrors, WriteErrors};
use web_kit::{ApiCommand, ApiPath, IfMatch, ListQuery, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::command::command;
use crate::api::state::EdgeState;
use crate::app::customer::{self, Customer, CustomerInput, CustomerPatch};

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, patch))
}

/// Lists customers, newest first.
#[utoipa::path(get, path = "/api/v1/customers", tag = "customers", params(ListQuery),
    extensions(("x-permission" = json!("customers_read"))),
    responses((status = 200, body = Page<Customer>), ReadErrors))]
async fn list(
    State(edge): State<EdgeState>,
    who: May<may::CustomersRead>,
    page: ListQuery,
) -> Result<Json<Page<Customer>>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| customer::list(reader, &actor, &page));
    Ok(Json(read.await?))
}

/// Takes in a customer.
#[utoipa::path(post, path = "/api/v1/customers", tag = "customers", params(KeyHeader), request_body = CustomerInput,
    extensions(("x-permission" = json!("customers_write"))),
    responses((status = 201, body = Customer), WriteErrors))]
async fn create(
    State(edge): State<EdgeState>,
    who: May<may::CustomersWrite>,
    ApiCommand { body, request }: ApiCommand<CustomerInput>,
) -> Result<Response, Problem> {
    command(
        &edge,
        &who,
        request,
        StatusCode::CREATED,
        move |tx, actor| customer::create(tx, actor, body),
    )
    .await
}

/// One customer.
#[utoipa::path(get, path = "/api/v1/customers/{id}", tag = "customers",
    params(("id" = String, Path, format = "uuid", description = "The customer")),
    extensions(("x-permission" = json!("customers_read"))),
    responses((status = 200, body = Customer, headers(("ETag" = String, description = "The version"))), ReadErrors))]
async fn get(
    State(edge): State<EdgeState>,
    who: May<may::CustomersRead>,
    ApiPath(id): ApiPath<DocumentId>,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let found = edge
        .store()
        .read(move |reader| customer::get(reader, &actor, id))
        .await?;
    Ok((found.etag.clone(), Json(found)).into_response())
}

/// Changes a customer: absent fields stay, null clears.
#[utoipa::path(patch, path = "/api/v1/customers/{id}", tag = "customers",
    params(("id" = String, Path, format = "uuid", description = "The customer"), MatchHeader, KeyHeader),
    request_body = CustomerPatch,
    extensions(("x-permission" = json!("customers_write"))),
    responses((status = 200, body = Customer, headers(("ETag" = String, description = "The version"))), WriteErrors))]
async fn patch(
    State(edge): State<EdgeState>,
    who: May<may::CustomersWrite>,
    ApiPath(id): ApiPath<DocumentId>,
    if_match: IfMatch,
    ApiCommand { body, request }: ApiCommand<CustomerPatch>,
) -> Result<Response, Problem> {
    command(&edge, &who, request, StatusCode::OK, move |tx, actor| {
        customer::patch(tx, actor, id, &if_match, body)
    })
    .await
}
