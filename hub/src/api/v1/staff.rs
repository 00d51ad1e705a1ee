//! People: added, changed. A password is only ever read, never shown.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::id::StaffId;
use domain::sensitive::Sensitive;
use domain::staff::Role;
use serde::{Deserialize, Serialize};
use sync_protocol::item::command as codes;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{KeyHeader, MatchHeader, ReadErrors, WriteErrors};
use web_kit::{ApiCommand, ApiPath, Cursor, ETag, IfMatch, ListQuery, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::command::{answer, command};
use crate::api::state::HubState;
use crate::api::wire::{check_version, place, time};
use crate::app::branch::{self, Codes, code_of};
use crate::app::error::AppError;
use crate::app::staff::{self, NewStaff, StaffPatch};
use crate::store::staff::read::StaffRecord;

const LIST: &str = "staff";

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, patch))
}

/// A person who works here.
#[derive(Debug, Serialize, ToSchema)]
pub struct StaffMember {
    /// The person's id.
    #[schema(format = "uuid")]
    id: String,
    /// The name to sign in with.
    username: String,
    /// The name to show.
    name: String,
    /// clerk, technician, branch_manager, central_manager, auditor or operator.
    role: String,
    /// Codes of the branches where the person works; empty for the whole chain.
    branches: Vec<String>,
    /// Whether the person may sign in.
    active: bool,
    /// When the person was added.
    #[schema(format = "date-time")]
    created_at: String,
    /// When it was last changed.
    #[schema(format = "date-time")]
    updated_at: String,
}

impl StaffMember {
    fn of(record: StaffRecord, codes: &Codes) -> Self {
        let fields = record.fields;
        Self {
            id: record.id.to_string(),
            username: fields.username,
            name: fields.name,
            role: fields.role.to_string(),
            branches: fields
                .branches
                .iter()
                .map(|branch| code_of(codes, *branch))
                .collect(),
            active: fields.active,
            created_at: time(record.created_ms),
            updated_at: time(record.updated_ms),
        }
    }
}

/// A new person.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StaffInput {
    /// The name to sign in with.
    #[schema(example = "ada")]
    username: String,
    /// The name to show.
    #[schema(example = "Ada Lovelace")]
    name: String,
    /// clerk, technician, branch_manager, central_manager, auditor or operator.
    #[schema(value_type = String, example = "clerk")]
    role: Role,
    /// Codes of the branches where the person works; none for the whole chain.
    #[serde(default)]
    branches: Vec<String>,
    /// At least 12 characters.
    #[schema(example = "correct horse battery", min_length = 8)]
    password: String,
}

/// What to change about a person; absent fields stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StaffChange {
    username: Option<String>,
    name: Option<String>,
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
    branches: Option<Vec<String>>,
    active: Option<bool>,
    password: Option<String>,
}

/// Lists people, newest first.
#[utoipa::path(get, path = "/api/v1/staff", tag = "staff", params(ListQuery),
    responses((status = 200, body = Page<StaffMember>), ReadErrors))]
async fn list(
    State(state): State<HubState>,
    who: May<may::StaffRead>,
    page: ListQuery,
) -> Result<Json<Page<StaffMember>>, Problem> {
    let after = place(&page, LIST)?;
    let found = staff::list(state.hub(), &who.person, after, i64::from(page.limit) + 1).await?;
    let codes = codes_of(&state).await?;
    let cut = Page::cut(found, page.limit, |last| {
        Cursor::encode(LIST, &(last.created_ms, *last.id.as_bytes()))
    });
    Ok(Json(cut.map(|record| StaffMember::of(record, &codes))))
}

async fn codes_of(state: &HubState) -> Result<Codes, AppError> {
    let mut connection = state.hub().pool().acquire().await?;
    branch::codes(&mut connection).await
}

/// Adds a person; the branches where the person works hear of it at once.
#[utoipa::path(post, path = "/api/v1/staff", tag = "staff", params(KeyHeader), request_body = StaffInput,
    responses((status = 201, body = StaffMember), WriteErrors))]
async fn create(
    State(state): State<HubState>,
    who: May<may::StaffWrite>,
    ApiCommand { body, request }: ApiCommand<StaffInput>,
) -> Result<Response, Problem> {
    who.person.require_chain()?;
    let password_hash = staff::new_password(state.hub(), Sensitive::new(body.password)).await?;
    let new = NewStaff {
        username: body.username,
        name: body.name,
        role: body.role,
        branches: body.branches,
        password_hash,
    };
    command(&state, &who, codes::ROWS, request, move |tx| {
        Box::pin(async move {
            let record = staff::create(tx, new).await?;
            let codes = branch::codes(tx.sql()).await?;
            let tag = ETag::of_version(record.version);
            answer(
                StatusCode::CREATED,
                Some(&tag),
                &StaffMember::of(record, &codes),
            )
        })
    })
    .await
}

/// One person.
#[utoipa::path(get, path = "/api/v1/staff/{id}", tag = "staff",
    params(("id" = String, Path, format = "uuid", description = "The person")),
    responses((status = 200, body = StaffMember, headers(("ETag" = String, description = "The version"))), ReadErrors))]
async fn get(
    State(state): State<HubState>,
    who: May<may::StaffRead>,
    ApiPath(id): ApiPath<StaffId>,
) -> Result<Response, Problem> {
    let found = staff::get(state.hub(), &who.person, id).await?;
    let tag = ETag::of_version(found.version);
    let codes = codes_of(&state).await?;
    Ok((tag, Json(StaffMember::of(found, &codes))).into_response())
}

/// Changes a person; sessions end where password, role, branches or state changed.
#[utoipa::path(patch, path = "/api/v1/staff/{id}", tag = "staff",
    params(("id" = String, Path, format = "uuid", description = "The person"), MatchHeader, KeyHeader),
    request_body = StaffChange,
    responses((status = 200, body = StaffMember, headers(("ETag" = String, description = "The version"))), WriteErrors))]
async fn patch(
    State(state): State<HubState>,
    who: May<may::StaffWrite>,
    ApiPath(id): ApiPath<StaffId>,
    if_match: IfMatch,
    ApiCommand { body, request }: ApiCommand<StaffChange>,
) -> Result<Response, Problem> {
    who.person.require_chain()?;
    let password_hash = match body.password {
        Some(password) => Some(staff::new_password(state.hub(), Sensitive::new(password)).await?),
        None => None,
    };
    let change = StaffPatch {
        username: body.username,
        name: body.name,
        role: body.role,
        branches: body.branches,
        active: body.active,
        password_hash,
    };
    let person = who.person.clone();
    command(&state, &who, codes::ROWS, request, move |tx| {
        Box::pin(async move {
            let record = staff::patch(tx, &person, id, check_version(if_match), change).await?;
            let codes = branch::codes(tx.sql()).await?;
            let tag = ETag::of_version(record.version);
            answer(StatusCode::OK, Some(&tag), &StaffMember::of(record, &codes))
        })
    })
    .await
}
