//! Documents as they are: JSON with heads, or a save that any Automerge library loads.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use domain::document::{DocumentKind, tree};
use domain::id::DocumentId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sync_protocol::hash::document_hash;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::ReadErrors;
use web_kit::{ApiPath, ApiQuery, Cursor, IfNoneMatch, ListQuery, Page, Problem};

use super::orders::tag_of;
use crate::api::caller::{May, may};
use crate::api::state::HubState;
use crate::api::wire::place;
use crate::app::branch::{Codes, code_of};
use crate::app::document::{self, Digest, DocumentRecord};
use crate::app::error::AppError;
use web_kit::wire::{DocumentKindForm, Time, hex};

const LIST: &str = "documents";
const OCTET_STREAM: &str = "application/octet-stream";

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(digest))
        .routes(routes!(get))
}

/// A document in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DocumentEntry {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: DocumentId,
    /// What it is about; null for a kind of a newer version.
    #[schema(required = true, value_type = Option<DocumentKindForm>)]
    pub kind: Option<DocumentKind>,
    /// Code of the branch that it belongs to.
    pub branch: String,
    /// How many changes it has.
    pub version: i64,
    /// Sorted heads, as hexadecimal text.
    pub heads: Vec<String>,
    /// Hash over id and heads.
    pub hash: String,
    /// When it began.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

impl DocumentEntry {
    fn of(record: &DocumentRecord, branch: String) -> Self {
        Self {
            id: record.id,
            kind: record.kind,
            branch,
            version: record.version,
            heads: record.heads.iter().map(|head| hex(head)).collect(),
            hash: hex(&document_hash(record.id.as_bytes(), &record.heads)),
            created_at: Time(record.created_ms),
            updated_at: Time(record.updated_ms),
        }
    }
}

/// A document.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DocumentAnswer {
    /// The document without its content.
    #[serde(flatten)]
    pub entry: DocumentEntry,
    /// What stands in it; sealed values as hexadecimal text.
    #[schema(value_type = Object)]
    pub content: Value,
}

/// What a list of documents is narrowed to.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DocumentQuery {
    /// Only those of this kind.
    #[serde(default)]
    #[param(required = false, value_type = DocumentKindForm)]
    kind: Option<DocumentKind>,
    /// Only those of this branch, by code or id.
    #[serde(default)]
    #[param(required = false, max_length = 36)]
    branch: Option<String>,
}

/// Lists documents, newest first.
#[utoipa::path(get, path = "/api/v1/documents", tag = "documents", params(DocumentQuery, ListQuery),
    extensions(("x-permission" = json!("documents_read"))),
    responses((status = 200, body = Page<DocumentEntry>), ReadErrors))]
async fn list(
    State(state): State<HubState>,
    who: May<may::DocumentsRead>,
    ApiQuery(query): ApiQuery<DocumentQuery>,
    page: ListQuery,
) -> Result<Json<Page<DocumentEntry>>, Problem> {
    let (after, limit) = (place(&page, LIST)?, i64::from(page.limit) + 1);
    let branch = query.branch.as_deref();
    let (found, codes): (_, Codes) =
        document::list(state.hub(), &who.person, query.kind, branch, after, limit).await?;
    let cut = Page::cut(found, page.limit, |last| {
        Cursor::encode(LIST, &(last.created_ms, *last.id.as_bytes()))
    });
    Ok(Json(cut.map(|record| {
        DocumentEntry::of(&record, code_of(&codes, record.branch))
    })))
}

/// How many documents there are, and one hash over all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DigestAnswer {
    /// All documents asked for.
    pub count: u64,
    /// Hash over (document, heads) of all.
    pub digest: String,
    /// The same per branch, over all documents that the branch has.
    pub branches: Vec<BranchDigest>,
}

/// The documents that one branch has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BranchDigest {
    /// The branch's code.
    pub branch: String,
    /// How many.
    pub count: u64,
    /// Hash over (document, heads).
    pub digest: String,
}

impl BranchDigest {
    fn of(digest: Digest) -> Self {
        Self {
            branch: digest.branch,
            count: digest.count,
            digest: hex(&digest.digest),
        }
    }
}

/// Which documents.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DigestQuery {
    /// Only those that this branch has, by code or id.
    #[serde(default)]
    #[param(required = false, max_length = 36)]
    branch: Option<String>,
}

/// Count and hash over (document, heads): of what a branch has, or of all; two places with the same digest hold the
/// same.
#[utoipa::path(get, path = "/api/v1/documents/digest", tag = "documents", params(DigestQuery),
    extensions(("x-permission" = json!("documents_read"))),
    responses((status = 200, body = DigestAnswer), ReadErrors))]
async fn digest(
    State(state): State<HubState>,
    who: May<may::DocumentsRead>,
    ApiQuery(query): ApiQuery<DigestQuery>,
) -> Result<Json<DigestAnswer>, Problem> {
    let name = query.branch.as_deref().filter(|name| !name.is_empty());
    let found = document::digests(state.hub(), &who.person, name).await?;
    let (count, digest) = match (name, found.as_slice()) {
        (Some(_), [only]) => (only.count, only.digest),
        (Some(_), _) => return Err(AppError::NotFound { what: "branch" }.into()),
        (None, _) => {
            who.person.require_chain()?;
            document::digest_of_all(state.hub()).await?
        }
    };
    let branches = found.into_iter().map(BranchDigest::of).collect();
    Ok(Json(DigestAnswer {
        count,
        digest: hex(&digest),
        branches,
    }))
}

/// One document as JSON. With `Accept: application/octet-stream` an Automerge save.
#[utoipa::path(get, path = "/api/v1/documents/{id}", tag = "documents",
    params(("id" = String, Path, format = "uuid", description = "The document")),
    extensions(("x-permission" = json!("documents_read"))),
    responses((status = 200, headers(("ETag" = String, description = "The version")), content(
        (DocumentAnswer = "application/json"), (Vec<u8> = "application/octet-stream"))), ReadErrors))]
async fn get(
    State(state): State<HubState>,
    who: May<may::DocumentsRead>,
    ApiPath(id): ApiPath<DocumentId>,
    known: IfNoneMatch,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = document::get(state.hub(), &who.person, id).await?;
    let tag = tag_of(&found.record.heads);
    let vary = (header::VARY, HeaderValue::from_static("Accept"));
    if wants_bytes(&headers) {
        let head = [
            (header::CONTENT_TYPE, HeaderValue::from_static(OCTET_STREAM)),
            vary,
        ];
        return Ok(known.answer(tag, (head, found.document.save())));
    }
    let content = tree(found.document.automerge()).map_err(AppError::from)?;
    let content = serde_json::to_value(content).map_err(|error| {
        tracing::error!(%error, "a document does not serialise");
        Problem::internal()
    })?;
    let entry = DocumentEntry::of(&found.record, found.branch);
    Ok((tag, [vary], Json(DocumentAnswer { entry, content })).into_response())
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
