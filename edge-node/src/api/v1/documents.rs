//! Documents as they are: JSON with heads, or a save that any Automerge library loads.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use domain::document::DocumentKind;
use domain::id::DocumentId;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::ReadErrors;
use web_kit::{ApiPath, ApiQuery, IfNoneMatch, ListQuery, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::state::EdgeState;
use crate::app::document::{self, DigestAnswer, DocumentAnswer, DocumentEntry};
use web_kit::wire::DocumentKindForm;

const OCTET_STREAM: &str = "application/octet-stream";

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(digest))
        .routes(routes!(get))
}

/// What a list of documents is narrowed to.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DocumentQuery {
    /// Only those of this kind.
    #[serde(default)]
    #[param(required = false, value_type = DocumentKindForm)]
    kind: Option<DocumentKind>,
}

/// Lists documents by id.
#[utoipa::path(get, path = "/api/v1/documents", tag = "documents", params(DocumentQuery, ListQuery),
    extensions(("x-permission" = json!("documents_read"))),
    responses((status = 200, body = Page<DocumentEntry>), ReadErrors))]
async fn list(
    State(edge): State<EdgeState>,
    who: May<may::DocumentsRead>,
    page: ListQuery,
    ApiQuery(DocumentQuery { kind }): ApiQuery<DocumentQuery>,
) -> Result<Json<Page<DocumentEntry>>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| document::list(reader, &actor, kind, &page));
    Ok(Json(read.await?))
}

/// Count and hash over (document, heads) of all documents here: two places with the same digest hold the same.
#[utoipa::path(get, path = "/api/v1/documents/digest", tag = "documents",
    extensions(("x-permission" = json!("documents_read"))),
    responses((status = 200, body = DigestAnswer), ReadErrors))]
async fn digest(
    State(edge): State<EdgeState>,
    who: May<may::DocumentsRead>,
) -> Result<Json<DigestAnswer>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| document::digest(reader, &actor));
    Ok(Json(read.await?))
}

/// One document as JSON, sealed values as bytes in base64. With `Accept: application/octet-stream` an Automerge save.
#[utoipa::path(get, path = "/api/v1/documents/{id}", tag = "documents",
    params(("id" = String, Path, format = "uuid", description = "The document")),
    extensions(("x-permission" = json!("documents_read"))),
    responses((status = 200, headers(("ETag" = String, description = "The version")), content(
        (DocumentAnswer = "application/json"), (Vec<u8> = "application/octet-stream"))), ReadErrors))]
async fn get(
    State(edge): State<EdgeState>,
    who: May<may::DocumentsRead>,
    ApiPath(id): ApiPath<DocumentId>,
    known: IfNoneMatch,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let actor = who.actor();
    if wants_bytes(&headers) {
        let read = edge
            .store()
            .read(move |reader| document::save(reader, &actor, id));
        let (bytes, tag) = read.await?;
        let head = [
            (header::CONTENT_TYPE, HeaderValue::from_static(OCTET_STREAM)),
            (header::VARY, HeaderValue::from_static("Accept")),
        ];
        return Ok(known.answer(tag, (head, bytes)));
    }
    let found = edge
        .store()
        .read(move |reader| document::get(reader, &actor, id))
        .await?;
    let head = [(header::VARY, HeaderValue::from_static("Accept"))];
    Ok((found.etag.clone(), head, Json(found)).into_response())
}

/// True when the caller names bytes and not JSON: JSON is what everybody else gets.
fn wants_bytes(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT);
    let mut ranges = accepted
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or("").trim());
    ranges.find(|range| [OCTET_STREAM, "application/json"].contains(range)) == Some(OCTET_STREAM)
}
