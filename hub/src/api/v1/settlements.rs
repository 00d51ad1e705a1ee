//! Statements of providers: what was taken in, the bank's file, and events that say that there is something new.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sync_protocol::item::command as codes;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{RequiredKeyHeader, WriteErrors, errors};
use web_kit::{KeyedCommand, Problem};

use super::payments::Nothing;
use crate::api::caller::{May, may};
use crate::api::command::{answer, command};
use crate::api::state::HubState;
use crate::app::error::AppError;
use crate::app::money::settle;

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(stripe))
        .routes(routes!(take_statement))
        .routes(routes!(bank_statement))
}

/// What became of a statement.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatementTaken {
    /// Lines that were read.
    read: usize,
    /// Lines that were not there yet.
    new: usize,
    /// New lines that paid what a receipt asks for.
    matched: usize,
}

/// Takes in what is new in the statement of the card provider; it happens every hour by itself.
#[utoipa::path(post, path = "/api/v1/settlements/stripe", tag = "money", params(RequiredKeyHeader),
    request_body = Option<Nothing>, responses((status = 200, body = StatementTaken), WriteErrors))]
async fn take_statement(
    State(state): State<HubState>,
    _who: May<may::RefundsApprove>,
    _body: KeyedCommand<Option<Nothing>>,
) -> Result<Json<StatementTaken>, Problem> {
    let taken = settle::take_statement(state.hub()).await?;
    let new = taken.ok_or_else(|| {
        AppError::conflict(
            "no-provider",
            "no card provider is set up; see the configuration of the hub",
        )
    })?;
    Ok(Json(StatementTaken {
        read: new,
        new,
        matched: 0,
    }))
}

/// Takes in a bank's file (CSV with the columns `booked_on`, `reference`, `amount`, `currency` and `text`): what names a
/// receipt and brings what it asks for pays it, the rest waits to be matched by a person. A file with a wrong row changes
/// nothing; rows that are there already are skipped.
#[utoipa::path(post, path = "/api/v1/settlements/bank", tag = "money", params(RequiredKeyHeader),
    request_body = BankFile, responses((status = 200, body = StatementTaken), WriteErrors))]
async fn bank_statement(
    State(state): State<HubState>,
    who: May<may::RefundsApprove>,
    KeyedCommand { body, request }: KeyedCommand<BankFile>,
) -> Result<Response, Problem> {
    command(&state, &who, codes::PAYMENT, request, move |tx| {
        Box::pin(async move {
            let zone = jiff::tz::TimeZone::get(body.time_zone.as_deref().unwrap_or("UTC"))
                .map_err(|_| {
                    AppError::field("/time_zone", "must be a time zone such as Europe/Berlin")
                })?;
            let taken = settle::take_bank_file(tx, body.file.as_bytes(), &zone).await?;
            let shown = StatementTaken {
                read: taken.read,
                new: taken.new,
                matched: taken.matched,
            };
            answer(StatusCode::OK, None, &shown)
        })
    })
    .await
}

/// A bank's file.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BankFile {
    /// The file as text.
    #[schema(
        max_length = 1_000_000,
        example = "booked_on,reference,amount,currency,text\n2026-11-21,7,49.90,EUR,BER-R-A000300\n"
    )]
    file: String,
    /// In which its days are; UTC where it is not said.
    #[serde(default)]
    #[schema(example = "Europe/Berlin")]
    time_zone: Option<String>,
}

/// Errors of an event: it needs no session.
struct EventErrors;

impl utoipa::IntoResponses for EventErrors {
    fn responses()
    -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        errors(&[400, 413, 503])
    }
}

/// Events of Stripe, signed by it. What an event says is not believed: the payment is asked about. Each event is taken
/// once, in whatever order they come.
#[utoipa::path(post, path = "/api/v1/webhooks/stripe", tag = "money", security(()),
    request_body(content = String, content_type = "application/json"),
    responses((status = 204, description = "Taken"), EventErrors))]
async fn stripe(
    State(state): State<HubState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let signature = headers
        .get("stripe-signature")
        .and_then(|value| value.to_str().ok());
    match settle::take_event(state.hub(), signature, &body).await? {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error) => Err(Problem::new(StatusCode::BAD_REQUEST).detail(error.to_string())),
    }
}
