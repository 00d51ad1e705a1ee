//! What people should look at: incidents, decisions, conflicts, and settling them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::DocumentId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{KeyHeader, ReadErrors, WriteErrors};
use web_kit::{ApiCommand, ApiPath, ListQuery, NoBody, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::command::command;
use crate::api::state::EdgeState;
use crate::app::decision::{
    self, Conflict, Decision, Incident, ResolveInput, SettleInput, Settled,
};

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new()
        .routes(routes!(incidents))
        .routes(routes!(decisions))
        .routes(routes!(settle))
        .routes(routes!(conflicts))
        .routes(routes!(resolve))
        .routes(routes!(undo))
}

/// Lists what happened to the machinery, newest first.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "exceptions", params(ListQuery),
    extensions(("x-permission" = json!("exceptions_read"))),
    responses((status = 200, body = Page<Incident>), ReadErrors))]
async fn incidents(
    State(edge): State<EdgeState>,
    who: May<may::ExceptionsRead>,
    page: ListQuery,
) -> Result<Json<Page<Incident>>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| decision::incidents(reader, &actor, &page));
    Ok(Json(read.await?))
}

/// Lists decisions that wait for a person.
#[utoipa::path(get, path = "/api/v1/decisions", tag = "exceptions",
    extensions(("x-permission" = json!("exceptions_read"))),
    responses((status = 200, body = Page<Decision>), ReadErrors))]
async fn decisions(
    State(edge): State<EdgeState>,
    who: May<may::ExceptionsRead>,
) -> Result<Json<Page<Decision>>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| decision::decisions(reader, &actor));
    Ok(Json(read.await?))
}

/// Settles a decision.
#[utoipa::path(post, path = "/api/v1/decisions/{id}/settle", tag = "exceptions",
    params(("id" = String, Path, format = "uuid", description = "The decision"), KeyHeader),
    request_body = SettleInput,
    extensions(("x-permission" = json!("exceptions_settle"))),
    responses((status = 200, body = Settled), WriteErrors))]
async fn settle(
    State(edge): State<EdgeState>,
    who: May<may::ExceptionsSettle>,
    ApiPath(id): ApiPath<DocumentId>,
    ApiCommand { body, request }: ApiCommand<SettleInput>,
) -> Result<Response, Problem> {
    command(&edge, &who, request, StatusCode::OK, move |tx, actor| {
        decision::settle(tx, actor, &id.to_string(), &body)
    })
    .await
}

/// Lists keys of documents that have several different values.
#[utoipa::path(get, path = "/api/v1/conflicts", tag = "exceptions",
    extensions(("x-permission" = json!("exceptions_read"))),
    responses((status = 200, body = Page<Conflict>), ReadErrors))]
async fn conflicts(
    State(edge): State<EdgeState>,
    who: May<may::ExceptionsRead>,
) -> Result<Json<Page<Conflict>>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| decision::conflicts(reader, &actor));
    Ok(Json(read.await?))
}

/// Resolves a conflict: keeps one value, or both, or takes another.
#[utoipa::path(post, path = "/api/v1/conflicts/{id}/resolve", tag = "exceptions",
    params(("id" = String, Path, format = "uuid", description = "The conflict"), KeyHeader),
    request_body = ResolveInput,
    extensions(("x-permission" = json!("exceptions_settle"))),
    responses((status = 200, body = Settled), WriteErrors))]
async fn resolve(
    State(edge): State<EdgeState>,
    who: May<may::ExceptionsSettle>,
    ApiPath(id): ApiPath<DocumentId>,
    ApiCommand { body, request }: ApiCommand<ResolveInput>,
) -> Result<Response, Problem> {
    command(&edge, &who, request, StatusCode::OK, move |tx, actor| {
        decision::resolve(tx, actor, &id.to_string(), &body)
    })
    .await
}

/// Takes the resolution of a conflict back.
#[utoipa::path(post, path = "/api/v1/conflicts/{id}/undo", tag = "exceptions",
    params(("id" = String, Path, format = "uuid", description = "The conflict"), KeyHeader),
    extensions(("x-permission" = json!("exceptions_settle"))),
    responses((status = 200, body = Settled), WriteErrors))]
async fn undo(
    State(edge): State<EdgeState>,
    who: May<may::ExceptionsSettle>,
    ApiPath(id): ApiPath<DocumentId>,
    ApiCommand { request, .. }: ApiCommand<NoBody>,
) -> Result<Response, Problem> {
    command(&edge, &who, request, StatusCode::OK, move |tx, actor| {
        decision::undo(tx, actor, &id.to_string())
    })
    .await
}
