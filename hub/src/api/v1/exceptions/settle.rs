//! Settling: a field with several values, a decision, an exception that nothing else ends.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::{BranchId, DocumentId, IdBytes, parse_uuid};
use serde::{Deserialize, Serialize};
use sync_protocol::item::command as codes;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{KeyHeader, WriteErrors};
use web_kit::{ApiPath, KeyedCommand, NoBody, Problem};

use super::ReasonInput;
use crate::api::caller::{May, may};
use crate::api::command::{answer, command};
use crate::api::state::HubState;
use crate::app::conflict::{self, Keep};
use crate::app::error::AppError;
use crate::app::{branch, exceptions};
use web_kit::wire::Personal;

/// The owner of exceptions that no branch has.
const HUB: &str = "hub";
/// The only choice of a decision that is made here.
const CLOSE: &str = "close";

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(close))
        .routes(routes!(settle))
        .routes(routes!(resolve))
        .routes(routes!(undo))
}

/// What became of a decision, a conflict or an exception.
#[derive(Debug, Serialize, ToSchema)]
pub struct Looked {
    /// The conflict, or what the exception is about.
    #[schema(format = "uuid")]
    id: String,
    /// Whether it still waits for a person.
    open: bool,
}

impl Looked {
    fn at(id: [u8; 16], open: bool) -> Self {
        Self {
            id: IdBytes(&id).to_string(),
            open,
        }
    }
}

/// Closes an exception that nothing else ends: `superseded`, `contradiction`, `double_number`, `transfer`. For all
/// others 409 says where they end.
#[utoipa::path(post, path = "/api/v1/exceptions/{owner}/{kind}/{subject_id}/close", tag = "exceptions",
    params(("owner" = String, Path, description = "The branch's code, or `hub`", example = "BER"),
        ("kind" = String, Path, description = "The exception's kind", example = "superseded"),
        ("subject_id" = String, Path, format = "uuid", description = "What it is about"), KeyHeader),
    extensions(("x-permission" = json!("exceptions_settle"))),
    request_body = ReasonInput, responses((status = 200, body = Looked), WriteErrors))]
async fn close(
    State(state): State<HubState>,
    who: May<may::ExceptionsSettle>,
    ApiPath((owner, kind, subject)): ApiPath<(String, String, String)>,
    KeyedCommand { body, request }: KeyedCommand<ReasonInput>,
) -> Result<Response, Problem> {
    let unknown = || Problem::not_found("There is no such exception.");
    let subject = parse_uuid(&subject).map_err(|_| unknown())?;
    let branch = if owner == HUB {
        BranchId::NIL
    } else {
        branch::find(state.hub(), &owner).await?.record.id
    };
    let (person, key) = (who.person.clone(), (branch, kind, subject));
    command(&state, &who, codes::SETTLE, request, move |tx| {
        Box::pin(async move {
            exceptions::close(tx, &person, &key, &body.reason).await?;
            answer(StatusCode::OK, None, &Looked::at(subject, false))
        })
    })
    .await
}

/// What is decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideInput {
    /// `close`: somebody looked into it and nothing is left to do.
    #[schema(example = "close")]
    choice: String,
    /// Why, for the audit.
    #[serde(default)]
    reason: String,
}

/// Settles a decision. What its branch decides, or what ends with its cause, is refused with 409 that says where.
#[utoipa::path(post, path = "/api/v1/decisions/{id}/settle", tag = "exceptions",
    params(("id" = String, Path, format = "uuid", description = "What the decision is about"), KeyHeader),
    extensions(("x-permission" = json!("exceptions_settle"))),
    request_body = DecideInput, responses((status = 200, body = Looked), WriteErrors))]
async fn settle(
    State(state): State<HubState>,
    who: May<may::ExceptionsSettle>,
    ApiPath(id): ApiPath<String>,
    KeyedCommand { body, request }: KeyedCommand<DecideInput>,
) -> Result<Response, Problem> {
    let id = parse_uuid(&id).map_err(|_| Problem::not_found("There is no such decision."))?;
    if body.choice != CLOSE {
        return Err(Problem::invalid_field("/choice", "must be \"close\""));
    }
    let person = who.person.clone();
    command(&state, &who, codes::SETTLE, request, move |tx| {
        Box::pin(async move {
            let record = exceptions::decision_about(tx, &person, id).await?;
            let key = (record.branch, record.kind, record.subject);
            exceptions::close(tx, &person, &key, &body.reason).await?;
            answer(StatusCode::OK, None, &Looked::at(id, false))
        })
    })
    .await
}

/// Which value is to stand there.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepInput {
    /// The letter of a value, or `both` (texts are joined).
    #[serde(default)]
    #[schema(example = "a")]
    keep: String,
    /// Another text instead.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    value: Option<Personal>,
}

impl KeepInput {
    fn keep(self) -> Result<Keep, AppError> {
        match self.value {
            Some(value) => Ok(Keep::Written(value.expose().to_owned())),
            None => Keep::of_word(&self.keep)
                .ok_or_else(|| AppError::field("/keep", "must be the letter of a value, or both")),
        }
    }
}

fn conflict_id(text: &str) -> Result<[u8; 16], Problem> {
    parse_uuid(text).map_err(|_| Problem::not_found("There is no such conflict."))
}

/// Settles a conflict: one value stays, or both texts one after the other, or another text.
#[utoipa::path(post, path = "/api/v1/conflicts/{id}/resolve", tag = "exceptions",
    params(("id" = String, Path, format = "uuid", description = "The conflict"), KeyHeader),
    extensions(("x-permission" = json!("exceptions_settle"))),
    request_body = KeepInput, responses((status = 200, body = Looked), WriteErrors))]
async fn resolve(
    State(state): State<HubState>,
    who: May<may::ExceptionsSettle>,
    ApiPath(id): ApiPath<String>,
    KeyedCommand { body, request }: KeyedCommand<KeepInput>,
) -> Result<Response, Problem> {
    let id = conflict_id(&id)?;
    let person = who.person.clone();
    command(&state, &who, codes::SETTLE, request, move |tx| {
        Box::pin(async move {
            let keep = body.keep()?;
            let document: DocumentId = conflict::document_with(tx, &person, id).await?;
            conflict::resolve(tx, &person, document, id, &keep).await?;
            answer(StatusCode::OK, None, &Looked::at(id, false))
        })
    })
    .await
}

/// Takes the newest settlement of a conflict back: the field shows again what it showed before.
#[utoipa::path(post, path = "/api/v1/conflicts/{id}/undo", tag = "exceptions",
    params(("id" = String, Path, format = "uuid", description = "The conflict"), KeyHeader),
    extensions(("x-permission" = json!("exceptions_settle"))),
    responses((status = 200, body = Looked), WriteErrors))]
async fn undo(
    State(state): State<HubState>,
    who: May<may::ExceptionsSettle>,
    ApiPath(id): ApiPath<String>,
    KeyedCommand { request, .. }: KeyedCommand<NoBody>,
) -> Result<Response, Problem> {
    let id = conflict_id(&id)?;
    let person = who.person.clone();
    command(&state, &who, codes::SETTLE, request, move |tx| {
        Box::pin(async move {
            let document = conflict::document_with(tx, &person, id).await?;
            conflict::undo(tx, &person, document, id).await?;
            answer(StatusCode::OK, None, &Looked::at(id, false))
        })
    })
    .await
}
