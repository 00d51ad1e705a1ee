//! What the tills may do, and who buys on account.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::{BranchId, DocumentId};
use domain::till::{AccountRow, TillRules};
use serde::{Deserialize, Serialize};
use sync_protocol::item::command as codes;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{ReadErrors, RequiredKeyHeader, WriteErrors};
use web_kit::{ApiPath, KeyedCommand, Problem};

use crate::api::caller::{May, may};
use crate::api::command::{answer, command};
use crate::api::state::HubState;
use crate::app::branch;
use crate::app::error::AppError;
use crate::app::money::rules;

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(get_rules, set_rules))
        .routes(routes!(set_account))
}

/// What the tills of a branch may do; amounts in minor units of its currency.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TillRulesForm {
    /// The most that may be promised by card and not captured.
    #[schema(minimum = 0)]
    promise_limit_minor: i64,
    /// After how many days an open promise is a matter for people.
    #[schema(minimum = 0, maximum = 365)]
    promise_days: u16,
    /// What a clerk may give back without another's word.
    #[schema(minimum = 0)]
    refund_clerk_minor: i64,
    /// What a manager of a branch may give back without another's word.
    #[schema(minimum = 0)]
    refund_manager_minor: i64,
    /// Whether a card reader stands on the counter.
    reader: bool,
}

impl From<TillRules> for TillRulesForm {
    fn from(rules: TillRules) -> Self {
        Self {
            promise_limit_minor: rules.promise_limit_minor,
            promise_days: rules.promise_days,
            refund_clerk_minor: rules.refund_clerk_minor,
            refund_manager_minor: rules.refund_manager_minor,
            reader: rules.reader,
        }
    }
}

impl From<TillRulesForm> for TillRules {
    fn from(form: TillRulesForm) -> Self {
        Self {
            promise_limit_minor: form.promise_limit_minor,
            promise_days: form.promise_days,
            refund_clerk_minor: form.refund_clerk_minor,
            refund_manager_minor: form.refund_manager_minor,
            reader: form.reader,
        }
    }
}

/// What the tills of a branch may do.
#[utoipa::path(get, path = "/api/v1/branches/{id}/till-rules", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The branch")),
    responses((status = 200, body = TillRulesForm), ReadErrors))]
async fn get_rules(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    ApiPath(id): ApiPath<BranchId>,
) -> Result<Json<TillRulesForm>, Problem> {
    who.person.require_branch(id)?;
    let (_, found) = rules::get(state.hub(), id).await?;
    Ok(Json(found.into()))
}

/// Sets what the tills of a branch may do.
#[utoipa::path(post, path = "/api/v1/branches/{id}/till-rules", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The branch"), RequiredKeyHeader),
    request_body = TillRulesForm,
    responses((status = 200, body = TillRulesForm), WriteErrors))]
async fn set_rules(
    State(state): State<HubState>,
    who: May<may::SettingsWrite>,
    ApiPath(id): ApiPath<BranchId>,
    KeyedCommand { body, request }: KeyedCommand<TillRulesForm>,
) -> Result<Response, Problem> {
    command(&state, &who, codes::ROWS, request, move |tx| {
        Box::pin(async move {
            let known = branch::codes(tx.sql()).await?;
            if !known.contains_key(&id) {
                return Err(AppError::NotFound { what: "branch" });
            }
            let (_, set) = rules::set(tx, id, body.into()).await?;
            answer(StatusCode::OK, None, &TillRulesForm::from(set))
        })
    })
    .await
}

/// A customer who buys on account.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountForm {
    /// The most that the customer may owe, in minor units; null ends the account.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true, minimum = 0)]
    limit_minor: Option<i64>,
    /// After how many days what is owed is a matter for people.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 365)]
    due_days: u16,
}

/// Opens an account for a customer, changes it, or ends it.
#[utoipa::path(post, path = "/api/v1/customers/{id}/account", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The customer"), RequiredKeyHeader),
    request_body = AccountForm,
    responses((status = 200, body = AccountForm), WriteErrors))]
async fn set_account(
    State(state): State<HubState>,
    who: May<may::SettingsWrite>,
    ApiPath(id): ApiPath<DocumentId>,
    KeyedCommand { body, request }: KeyedCommand<AccountForm>,
) -> Result<Response, Problem> {
    command(&state, &who, codes::ROWS, request, move |tx| {
        Box::pin(async move {
            let account = body.limit_minor.map(|limit_minor| AccountRow {
                limit_minor,
                due_days: body.due_days,
            });
            rules::set_account(tx, id, account).await?;
            answer(StatusCode::OK, None, &body)
        })
    })
    .await
}
