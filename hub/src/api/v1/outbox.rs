//! What is to be asked of those outside, and how they are doing.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::extract::query_text;
use web_kit::openapi::ReadErrors;
use web_kit::{ApiQuery, Problem};

use crate::api::caller::{May, may};
use crate::api::state::HubState;
use crate::api::wire::time;
use crate::app::money::read;
use crate::outside::DependencyHealth;
use crate::store::sync::outbox::Job;

/// Most jobs of an answer.
const MOST: i64 = 500;

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(providers))
        .routes(routes!(outbox))
}

/// Something that is to be asked of somebody outside.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutboxJob {
    /// `ask`, `cancel` or `repay`.
    kind: String,
    /// The payment.
    #[schema(format = "uuid")]
    payment_id: String,
    /// The attempt at the provider.
    attempt: u16,
    /// How often it failed.
    tries: u32,
    /// Why it failed last.
    last_error: String,
    /// When it was asked for.
    #[schema(format = "date-time")]
    created_at: String,
}

impl OutboxJob {
    pub(super) fn of(job: Job) -> Self {
        Self {
            kind: job.kind,
            payment_id: job.payment.to_string(),
            attempt: job.attempt,
            tries: job.tries,
            last_error: job.last_error,
            created_at: time(job.created_ms),
        }
    }
}

/// How those outside are doing that the hub calls.
#[utoipa::path(get, path = "/api/v1/providers", tag = "money",
    responses((status = 200, body = Vec<DependencyHealth>), ReadErrors))]
async fn providers(
    State(state): State<HubState>,
    _who: May<may::MoneyRead>,
) -> Result<Json<Vec<DependencyHealth>>, Problem> {
    Ok(Json(state.hub().outside().health()))
}

/// Which jobs.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OutboxQuery {
    /// `waiting` or `dead`; `dead` where it is not said.
    #[serde(default, deserialize_with = "query_text")]
    state: Option<String>,
}

/// What is to be asked of somebody outside and waits, or was given up; oldest first.
#[utoipa::path(get, path = "/api/v1/outbox", tag = "money", params(OutboxQuery),
    responses((status = 200, body = Vec<OutboxJob>), ReadErrors))]
async fn outbox(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    ApiQuery(query): ApiQuery<OutboxQuery>,
) -> Result<Json<Vec<OutboxJob>>, Problem> {
    let wanted = query.state.as_deref().unwrap_or("dead");
    let jobs = read::jobs(state.hub(), &who.person, wanted, MOST).await?;
    Ok(Json(jobs.into_iter().map(OutboxJob::of).collect()))
}
