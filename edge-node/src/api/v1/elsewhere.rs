//! People whom other branches serve: looked up at the hub, and brought here. By POST, so that a name or phone number
//! never stands in an address.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::DocumentId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{KeyHeader, WriteErrors, errors};
use web_kit::{ApiCommand, ApiJson, ApiPath, NoBody, Problem};

use crate::api::caller::{May, may};
use crate::api::command::command;
use crate::api::state::EdgeState;
use crate::app::customer::{self, Customer};
use crate::app::elsewhere::{self, LookUpInput, LookUpResult};

/// Errors of a look-up: it reads, by a body, and needs the hub.
struct LookUpErrors;

impl utoipa::IntoResponses for LookUpErrors {
    fn responses()
    -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        errors(&[400, 401, 403, 413, 422, 429, 503])
    }
}

/// Errors of bringing somebody, who may also be asked for too often.
struct AttachErrors;

impl utoipa::IntoResponses for AttachErrors {
    fn responses()
    -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        let mut all = WriteErrors::responses();
        all.extend(errors(&[429]));
        all
    }
}

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new()
        .routes(routes!(look_up))
        .routes(routes!(attach))
}

/// Finds people of other branches by name, phone or e-mail. The hub is asked; without a line to it the answer is 503.
/// Changes nothing, so an `Idempotency-Key` is not looked at.
#[utoipa::path(post, path = "/api/v1/customers/lookup", tag = "customers", request_body = LookUpInput,
    extensions(("x-permission" = json!("customers_read"))),
    responses((status = 200, body = LookUpResult), LookUpErrors))]
async fn look_up(
    State(edge): State<EdgeState>,
    who: May<may::CustomersRead>,
    ApiJson(input): ApiJson<LookUpInput>,
) -> Result<Json<LookUpResult>, Problem> {
    let found = elsewhere::find(edge.store(), edge.sync(), &who.actor(), &input).await?;
    Ok(Json(found))
}

/// Brings a person of another branch here, and answers when the person is. Who is here already stays; of one who was
/// joined with another it is the one that stays.
#[utoipa::path(post, path = "/api/v1/customers/{id}/attach", tag = "customers",
    params(("id" = String, Path, format = "uuid", description = "The customer"), KeyHeader),
    extensions(("x-permission" = json!("customers_write"))),
    responses((status = 200, body = Customer), AttachErrors))]
async fn attach(
    State(edge): State<EdgeState>,
    who: May<may::CustomersWrite>,
    ApiPath(id): ApiPath<DocumentId>,
    ApiCommand { request, .. }: ApiCommand<NoBody>,
) -> Result<Response, Problem> {
    let here = elsewhere::bring(edge.store(), edge.sync(), &who.actor(), id).await?;
    command(&edge, &who, request, StatusCode::OK, move |tx, _| {
        customer::shown(tx, here)
    })
    .await
}
