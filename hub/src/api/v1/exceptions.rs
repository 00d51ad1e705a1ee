//! What people must look at: exceptions, decisions, conflicts, parked transactions, incidents; what is parked is released
//! or dropped.

mod settle;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::document::DocumentKind;
use domain::id::{DocumentId, IdBytes, StaffId, parse_uuid};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sync_protocol::item::VerdictKind;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{KeyHeader, ReadErrors, WriteErrors};
use web_kit::{ApiPath, Cursor, KeyedCommand, ListQuery, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::command::respond;
use crate::api::state::HubState;
use crate::api::wire::place;
use crate::app::branch::{Codes, code_of};
use crate::app::conflict::{self, ConflictState, Rival};
use crate::app::exceptions::{
    self, DECISIONS, ExceptionPlace, ExceptionRecord, IncidentRecord, ParkedRecord, place_of,
};
use crate::app::idempotency::Request;
use crate::app::parked::{Settlement, settle as settle_parked};
use web_kit::wire::{DocumentKindForm, Time};

const EXCEPTIONS: &str = "exceptions";
const DECISION_LIST: &str = "decisions";
const CONFLICTS: &str = "conflicts";
const PARKED: &str = "parked";
const INCIDENTS: &str = "incidents";

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(decisions))
        .routes(routes!(conflicts))
        .routes(routes!(parked))
        .routes(routes!(release))
        .routes(routes!(drop_entry))
        .routes(routes!(incidents))
        .merge(settle::routes())
}

/// Something that people must look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Exception {
    /// `conflict`, `status`, `parked`, `superseded`, `contradiction`, `negative_stock`, `transfer`, `transfer_found`,
    /// `double_number` …
    #[schema(example = "negative_stock")]
    kind: String,
    /// Code of the branch that it belongs to; null for the hub.
    #[schema(required = true)]
    branch: Option<String>,
    /// Who has to look at it: the branch's code, or `hub`.
    #[schema(example = "BER")]
    owner: String,
    /// A document, a part, a transfer or a fact, as the kind says.
    #[schema(format = "uuid")]
    subject_id: String,
    /// What is the matter.
    detail: String,
    /// Since when.
    since: Time,
    /// How long it has been open, in seconds.
    age_s: i64,
}

impl Exception {
    fn of(record: ExceptionRecord, codes: &Codes, now_ms: i64) -> Self {
        let branch = (!record.branch.is_nil()).then(|| code_of(codes, record.branch));
        Self {
            owner: branch.clone().unwrap_or_else(|| "hub".to_owned()),
            branch,
            kind: record.kind,
            subject_id: IdBytes(&record.subject).to_string(),
            detail: record.detail,
            since: Time(record.at_ms),
            age_s: (now_ms - record.at_ms).max(0) / 1_000,
        }
    }
}

async fn exceptions_of(
    state: &HubState,
    who: &crate::api::Caller,
    kinds: Option<&[&str]>,
    list: &'static str,
    page: &ListQuery,
) -> Result<Json<Page<Exception>>, Problem> {
    let after = page.after::<ExceptionPlace>(list)?;
    let limit = i64::from(page.limit) + 1;
    let (found, codes) = exceptions::list(state.hub(), &who.person, kinds, after, limit).await?;
    let now_ms = state.hub().env().now_ms();
    let cut = Page::cut(found, page.limit, |last| {
        Cursor::encode(list, &place_of(last))
    });
    Ok(Json(
        cut.map(|record| Exception::of(record, &codes, now_ms)),
    ))
}

/// Lists everything that people must look at, newest first.
#[utoipa::path(get, path = "/api/v1/exceptions", tag = "exceptions", params(ListQuery),
    extensions(("x-permission" = json!("exceptions_read"))),
    responses((status = 200, body = Page<Exception>), ReadErrors))]
async fn list(
    State(state): State<HubState>,
    who: May<may::ExceptionsRead>,
    page: ListQuery,
) -> Result<Json<Page<Exception>>, Problem> {
    exceptions_of(&state, &who, None, EXCEPTIONS, &page).await
}

/// Lists what waits for a decision at a branch or at the hub, newest first.
#[utoipa::path(get, path = "/api/v1/decisions", tag = "exceptions", params(ListQuery),
    extensions(("x-permission" = json!("exceptions_read"))),
    responses((status = 200, body = Page<Exception>), ReadErrors))]
async fn decisions(
    State(state): State<HubState>,
    who: May<may::ExceptionsRead>,
    page: ListQuery,
) -> Result<Json<Page<Exception>>, Problem> {
    exceptions_of(&state, &who, Some(&DECISIONS), DECISION_LIST, &page).await
}

/// A field with several values that were written without knowledge of each other.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Conflict {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// The document.
    #[schema(value_type = String, format = "uuid")]
    document_id: DocumentId,
    /// What the document is about.
    #[schema(value_type = DocumentKindForm)]
    kind: DocumentKind,
    /// Code of the document's branch.
    branch: String,
    /// The number of an order.
    #[schema(required = true)]
    number: Option<String>,
    /// The keys from the root.
    path: Vec<String>,
    /// The values by letter; the last is shown meanwhile.
    values: Vec<ConflictValue>,
}

/// One of the values.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConflictValue {
    /// `a`, `b` …
    #[schema(example = "a")]
    key: String,
    /// The value; a personal one is null where the person's key is not here.
    #[schema(required = true, value_type = Option<Object>)]
    value: Value,
    /// Who wrote it; null for the system.
    #[schema(required = true, value_type = Option<String>, format = "uuid")]
    staff_id: Option<StaffId>,
    /// The person's name.
    #[schema(required = true)]
    staff_name: Option<String>,
    /// When it was written.
    #[schema(required = true)]
    at: Option<Time>,
}

impl Conflict {
    fn of(state: ConflictState) -> Self {
        let values = state
            .values
            .into_iter()
            .zip('a'..='z')
            .map(|(rival, key)| value_of(rival, key));
        Self {
            id: IdBytes(&state.id).to_string(),
            document_id: state.document,
            kind: state.kind,
            branch: state.branch,
            number: state.number,
            values: values.collect(),
            path: state.path,
        }
    }
}

fn value_of(rival: Rival, key: char) -> ConflictValue {
    let (staff_id, staff_name) = rival.staff.unzip();
    ConflictValue {
        key: key.to_string(),
        value: rival
            .value
            .and_then(|value| serde_json::to_value(value).ok())
            .unwrap_or_default(),
        staff_id,
        staff_name: staff_name.flatten(),
        at: rival.at_ms.map(Time),
    }
}

/// Lists conflicts of fields, those of documents changed last first. `limit` counts documents.
#[utoipa::path(get, path = "/api/v1/conflicts", tag = "exceptions", params(ListQuery),
    extensions(("x-permission" = json!("exceptions_read"))),
    responses((status = 200, body = Page<Conflict>), ReadErrors))]
async fn conflicts(
    State(state): State<HubState>,
    who: May<may::ExceptionsRead>,
    page: ListQuery,
) -> Result<Json<Page<Conflict>>, Problem> {
    let after = page.after::<ExceptionPlace>(CONFLICTS)?;
    let found = conflict::conflicts(state.hub(), &who.person, after, page.limit as usize).await?;
    Ok(Json(Page {
        items: found.items.into_iter().map(Conflict::of).collect(),
        next_cursor: found.next.map(|next| Cursor::encode(CONFLICTS, &next)),
    }))
}

/// Something that was kept and not applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Parked {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Code of the branch that wrote it.
    branch: String,
    /// The transaction: node, epoch and number.
    #[schema(example = "0000002a.0123456789abcdef.17")]
    position: String,
    /// Which item; null for all changes of the transaction, or all of it.
    #[schema(required = true)]
    item: Option<u16>,
    /// Why.
    reason: String,
    /// `parked`, `released` or `dropped`.
    state: String,
    /// Who wrote it; null for the system.
    #[schema(required = true, format = "uuid")]
    staff_id: Option<String>,
    /// When it was written.
    at: Time,
}

impl Parked {
    fn of(record: ParkedRecord, codes: &Codes) -> Self {
        Self {
            id: IdBytes(&record.id).to_string(),
            branch: code_of(codes, record.branch),
            position: record.position.to_string(),
            item: record.item,
            reason: record.reason,
            state: match record.state {
                2 => "released",
                3 => "dropped",
                _ => "parked",
            }
            .to_owned(),
            staff_id: (record.staff != [0; 16]).then(|| IdBytes(&record.staff).to_string()),
            at: Time(record.at_ms),
        }
    }
}

/// Lists parked transactions with their reasons, newest first.
#[utoipa::path(get, path = "/api/v1/parked", tag = "exceptions", params(ListQuery),
    extensions(("x-permission" = json!("parked_read"))),
    responses((status = 200, body = Page<Parked>), ReadErrors))]
async fn parked(
    State(state): State<HubState>,
    who: May<may::ParkedRead>,
    page: ListQuery,
) -> Result<Json<Page<Parked>>, Problem> {
    let (after, limit) = (place(&page, PARKED)?, i64::from(page.limit) + 1);
    let (found, codes) = exceptions::parked(state.hub(), &who.person, after, limit).await?;
    let cut = Page::cut(found, page.limit, |last| {
        Cursor::encode(PARKED, &(last.at_ms, last.id))
    });
    Ok(Json(cut.map(|record| Parked::of(record, &codes))))
}

/// Why something parked is decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonInput {
    /// For the branch and for the audit.
    #[schema(example = "the customer confirmed it")]
    reason: String,
}

/// What became of something parked.
#[derive(Debug, Serialize, ToSchema)]
pub struct Settled {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// `released` or `dropped`.
    state: String,
}

/// Checks something parked again and applies it now. Where the checks still refuse it, 409 says why and nothing is
/// changed.
#[utoipa::path(post, path = "/api/v1/parked/{id}/release", tag = "exceptions",
    params(("id" = String, Path, format = "uuid", description = "The parked entry"), KeyHeader),
    extensions(("x-permission" = json!("parked_settle"))),
    request_body = ReasonInput, responses((status = 200, body = Settled), WriteErrors))]
async fn release(
    State(state): State<HubState>,
    who: May<may::ParkedSettle>,
    ApiPath(id): ApiPath<String>,
    command: KeyedCommand<ReasonInput>,
) -> Result<Response, Problem> {
    settle(&state, &who, &id, command, VerdictKind::Released).await
}

/// Leaves something parked out for good.
#[utoipa::path(post, path = "/api/v1/parked/{id}/drop", tag = "exceptions",
    params(("id" = String, Path, format = "uuid", description = "The parked entry"), KeyHeader),
    extensions(("x-permission" = json!("parked_settle"))),
    request_body = ReasonInput, responses((status = 200, body = Settled), WriteErrors))]
async fn drop_entry(
    State(state): State<HubState>,
    who: May<may::ParkedSettle>,
    ApiPath(id): ApiPath<String>,
    command: KeyedCommand<ReasonInput>,
) -> Result<Response, Problem> {
    settle(&state, &who, &id, command, VerdictKind::Dropped).await
}

async fn settle(
    state: &HubState,
    who: &May<may::ParkedSettle>,
    id: &str,
    KeyedCommand { body, request }: KeyedCommand<ReasonInput>,
    verdict: VerdictKind,
) -> Result<Response, Problem> {
    let id = parse_uuid(id).map_err(|_| Problem::not_found("There is no such parked entry."))?;
    let request = Request {
        key: request.key,
        route: request.route,
        fingerprint: request.body_hmac,
    };
    let settlement = Settlement {
        id,
        verdict,
        reason: body.reason,
    };
    let settled = settle_parked(state.hub(), &who.person, &request, settlement).await?;
    Ok(respond(settled))
}

/// Something that happened to the machinery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Incident {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Code of the branch; null for the hub.
    #[schema(required = true)]
    branch: Option<String>,
    /// When.
    at: Time,
    /// What kind.
    kind: String,
    /// What happened.
    detail: String,
}

impl Incident {
    fn of(record: IncidentRecord, codes: &Codes) -> Self {
        Self {
            id: IdBytes(&record.id).to_string(),
            branch: (!record.branch.is_nil()).then(|| code_of(codes, record.branch)),
            at: Time(record.at_ms),
            kind: record.kind,
            detail: record.detail,
        }
    }
}

/// Lists incidents, newest first.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "exceptions", params(ListQuery),
    extensions(("x-permission" = json!("exceptions_read"))),
    responses((status = 200, body = Page<Incident>), ReadErrors))]
async fn incidents(
    State(state): State<HubState>,
    who: May<may::ExceptionsRead>,
    page: ListQuery,
) -> Result<Json<Page<Incident>>, Problem> {
    let (after, limit) = (place(&page, INCIDENTS)?, i64::from(page.limit) + 1);
    let (found, codes) = exceptions::incidents(state.hub(), &who.person, after, limit).await?;
    let cut = Page::cut(found, page.limit, |last| {
        Cursor::encode(INCIDENTS, &(last.at_ms, last.id))
    });
    Ok(Json(cut.map(|record| Incident::of(record, &codes))))
}
