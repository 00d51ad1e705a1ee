//! Refunds above the limit of who wants to give them, and the word on them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::RefundId;
use domain::money::Money;
use serde::{Deserialize, Serialize};
use sync_protocol::item::command as codes;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{ReadErrors, RequiredKeyHeader, WriteErrors};
use web_kit::wire::MoneyForm;
use web_kit::{ApiPath, KeyedCommand, Problem};

use crate::api::caller::{May, may};
use crate::api::command::{answer, command};
use crate::api::state::HubState;
use crate::api::wire::time;
use crate::app::branch;
use crate::app::money::read::{self, amount};
use crate::app::money::settle;

/// Most refunds of an answer.
const MOST: i64 = 500;

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(refunds))
        .routes(routes!(decide))
}

/// A refund that waits for a word.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundRequest {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Code of the branch.
    branch: String,
    /// `asked`, `approved`, `refused` or `done`.
    state: String,
    /// What goes back.
    #[schema(value_type = MoneyForm)]
    amount: Money,
    /// Who asked.
    #[schema(required = true)]
    staff_id: Option<String>,
    /// When.
    #[schema(format = "date-time")]
    at: String,
}

impl RefundRequest {
    fn of(row: read::AskedRow, codes: &branch::Codes) -> Self {
        Self {
            id: row.id.to_string(),
            branch: branch::code_of(codes, row.branch),
            state: row.state,
            amount: amount(row.amount_minor, row.currency),
            staff_id: read::who(row.staff),
            at: time(row.at_ms),
        }
    }
}

/// Refunds above the limit of who wants to give them, oldest first.
#[utoipa::path(get, path = "/api/v1/refunds", tag = "money",
    responses((status = 200, body = Vec<RefundRequest>), ReadErrors))]
async fn refunds(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
) -> Result<Json<Vec<RefundRequest>>, Problem> {
    let (found, codes) = read::asked(state.hub(), &who.person, MOST).await?;
    let shown = found.into_iter().map(|row| RefundRequest::of(row, &codes));
    Ok(Json(shown.collect()))
}

/// A word on a refund.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Word {
    /// Yes or no.
    approved: bool,
    /// Why; needed for a no.
    #[serde(default)]
    #[schema(max_length = 400)]
    reason: String,
}

/// Says yes or no to a refund that waits; the branch learns of it and gives the money back.
#[utoipa::path(post, path = "/api/v1/refunds/{id}/decide", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The refund"), RequiredKeyHeader),
    request_body = Word,
    responses((status = 200, body = RefundRequest), WriteErrors))]
async fn decide(
    State(state): State<HubState>,
    who: May<may::RefundsApprove>,
    ApiPath(id): ApiPath<RefundId>,
    KeyedCommand { body, request }: KeyedCommand<Word>,
) -> Result<Response, Problem> {
    let person = who.person.clone();
    command(&state, &who, codes::REFUND, request, move |tx| {
        Box::pin(async move {
            let row = settle::decide(tx, &person, id, body.approved, &body.reason).await?;
            let codes = branch::codes(tx.sql()).await?;
            answer(StatusCode::OK, None, &RefundRequest::of(row, &codes))
        })
    })
    .await
}
