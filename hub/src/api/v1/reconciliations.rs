//! Nights: what was held against what, what it came to, and who signed it off. The id of a night is its business date.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::BranchId;
use domain::reconcile::{Check, CheckState, Rule};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sync_protocol::item::command as codes;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{ReadErrors, RequiredKeyHeader, WriteErrors};
use web_kit::{ApiPath, ApiQuery, Cursor, KeyedCommand, ListQuery, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::command::{answer, command};
use crate::api::state::HubState;
use crate::api::wire::{Amount, time};
use crate::app::branch::named;
use crate::app::error::AppError;
use crate::app::reconcile::{self as app, SignOffInput};
use crate::app::stock::optional_branch;

const LIST: &str = "reconciliations";

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(list, start))
        .routes(routes!(get))
        .routes(routes!(sign_off))
        .routes(routes!(reopen))
}

/// Who signed a night off.
#[derive(Debug, Serialize, ToSchema)]
pub struct NightSigned {
    /// The person.
    by: String,
    /// When.
    #[schema(format = "date-time")]
    at: String,
    /// Why, where not all was green.
    reason: String,
}

impl NightSigned {
    fn of(signed: app::Signed) -> Self {
        Self {
            by: signed.name,
            at: time(signed.at_ms),
            reason: signed.reason,
        }
    }
}

/// A night in the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReconciliationSummary {
    /// The business date.
    #[schema(format = "date", example = "2026-11-21")]
    id: String,
    /// green, amber, unreconciled or red: the worst of its branches.
    state: String,
    /// Branches that have a night.
    branches: u64,
    /// Branches whose night is done.
    done: u64,
    /// Branches that came to green.
    green: u64,
    /// Branches that came to amber.
    amber: u64,
    /// Branches that came to red.
    red: u64,
    /// Branches whose word is not there.
    unreconciled: u64,
    /// Who signed off the whole chain.
    #[schema(required = true)]
    signed_off: Option<NightSigned>,
}

impl ReconciliationSummary {
    fn of(night: app::NightSummary) -> Self {
        let of = |state| night.counts.get(&state).copied().unwrap_or_default();
        Self {
            id: app::show_day(night.day),
            state: night.state.to_string(),
            branches: night.branches,
            done: night.done,
            green: of(CheckState::Green),
            amber: of(CheckState::Amber),
            red: of(CheckState::Red),
            unreconciled: of(CheckState::Unreconciled),
            signed_off: night.signed.map(NightSigned::of),
        }
    }
}

/// A record behind a check.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckRecord {
    /// amber or red.
    state: String,
    /// What the subject is: payment, part, receipt, session, …
    kind: String,
    /// Its id or name.
    subject: String,
    /// What is the matter.
    detail: String,
    /// What is missing or too much, where it is money.
    #[schema(required = true)]
    amount: Option<Amount>,
}

/// What a check found.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReconciliationCheck {
    /// The check.
    check: String,
    /// green, amber, unreconciled or red.
    state: String,
    /// What is compared.
    compares: String,
    /// When it is red.
    red: String,
    /// When it is amber.
    amber: String,
    /// The way to mend: verify, count, transfer, correct, match, promise, refund, invoice or explain.
    mend: String,
    /// The same in words.
    how: String,
    /// Figures by name: whole numbers and amounts.
    #[schema(value_type = Object)]
    figures: Value,
    /// How many records there are behind it.
    found: i64,
    /// The first of them, where they were asked for.
    records: Vec<CheckRecord>,
}

impl ReconciliationCheck {
    fn of(result: app::CheckResult) -> Self {
        let Rule {
            compares,
            red,
            amber,
            mend,
            how,
            ..
        } = result.check.rule();
        let record = |record: app::RecordView| CheckRecord {
            state: record.state.to_string(),
            kind: record.kind,
            subject: record.subject,
            detail: record.detail,
            amount: record.amount.map(|(amount_minor, currency)| Amount {
                amount_minor,
                currency,
            }),
        };
        Self {
            check: result.check.to_string(),
            state: result.state.to_string(),
            compares: (*compares).to_owned(),
            red: (*red).to_owned(),
            amber: (*amber).to_owned(),
            mend: mend.to_string(),
            how: (*how).to_owned(),
            figures: serde_json::to_value(&result.figures).unwrap_or_default(),
            found: result.found,
            records: result.records.into_iter().map(record).collect(),
        }
    }
}

/// The night of a branch.
#[derive(Debug, Serialize, ToSchema)]
pub struct BranchReconciliation {
    /// Code of the branch; null for what belongs to none.
    #[schema(required = true)]
    branch: Option<String>,
    /// waiting, running, done or unreconciled.
    run: String,
    /// green, amber, unreconciled or red.
    state: String,
    /// The first day that is not reconciled, where this one is not.
    #[schema(required = true, format = "date")]
    since: Option<String>,
    /// When it was begun.
    #[schema(required = true, format = "date-time")]
    started_at: Option<String>,
    /// When it was done.
    #[schema(required = true, format = "date-time")]
    finished_at: Option<String>,
    /// How often it was done.
    rounds: i32,
    /// When it was last done again by itself, because lost entries of the branch's log had come back.
    #[schema(required = true, format = "date-time")]
    done_again_after_mending_at: Option<String>,
    /// Every check.
    checks: Vec<ReconciliationCheck>,
    /// Who signed it off.
    #[schema(required = true)]
    signed_off: Option<NightSigned>,
}

/// A night.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reconciliation {
    /// The business date.
    #[schema(format = "date", example = "2026-11-21")]
    id: String,
    /// The same.
    #[schema(format = "date", example = "2026-11-21")]
    business_date: String,
    /// green, amber, unreconciled or red: the worst of its branches.
    state: String,
    /// By branch.
    branches: Vec<BranchReconciliation>,
    /// Who signed off the whole chain.
    #[schema(required = true)]
    signed_off: Option<NightSigned>,
}

impl BranchReconciliation {
    fn of(night: app::BranchNight) -> Self {
        Self {
            branch: (!night.branch.is_nil()).then_some(night.code),
            run: night.run.as_str().to_owned(),
            state: night.state.to_string(),
            since: night.since.map(app::show_day),
            started_at: night.started_ms.map(time),
            finished_at: night.finished_ms.map(time),
            rounds: night.rounds,
            done_again_after_mending_at: night.redone_ms.map(time),
            checks: night
                .checks
                .into_iter()
                .map(ReconciliationCheck::of)
                .collect(),
            signed_off: night.signed.map(NightSigned::of),
        }
    }
}

impl Reconciliation {
    pub(crate) fn of(night: app::Night) -> Self {
        let branches = night.branches.into_iter();
        Self {
            id: app::show_day(night.day),
            business_date: app::show_day(night.day),
            state: night.state.to_string(),
            branches: branches.map(BranchReconciliation::of).collect(),
            signed_off: night.signed.map(NightSigned::of),
        }
    }
}

fn day_of(id: &str) -> Result<i32, AppError> {
    app::parse_day(id).ok_or(AppError::NotFound { what: "night" })
}

/// Lists nights, the newest first.
#[utoipa::path(get, path = "/api/v1/reconciliations", tag = "reconciliations", params(ListQuery),
    responses((status = 200, body = Page<ReconciliationSummary>), ReadErrors))]
async fn list(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    page: ListQuery,
) -> Result<Json<Page<ReconciliationSummary>>, Problem> {
    let before = page.after::<i32>(LIST)?;
    let limit = i64::from(page.limit) + 1;
    let found = app::list(state.hub(), &who.person, before, limit).await?;
    let cut = Page::cut(found, page.limit, |last| Cursor::encode(LIST, &last.day));
    Ok(Json(cut.map(ReconciliationSummary::of)))
}

/// Which night is to be done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReconciliationInput {
    /// The business date.
    #[schema(format = "date", example = "2026-11-21")]
    business_date: String,
    /// Code or id of a branch; all where it is left out.
    #[serde(default)]
    branch: Option<String>,
}

/// That a night is being done.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReconciliationStarted {
    /// The business date.
    #[schema(format = "date", example = "2026-11-21")]
    id: String,
    /// Where the night is found.
    href: String,
}

/// Does a night, again where it was done; what it finds replaces what was found. It goes on after the answer.
#[utoipa::path(post, path = "/api/v1/reconciliations", tag = "reconciliations", params(RequiredKeyHeader),
    request_body = ReconciliationInput, responses((status = 202, body = ReconciliationStarted), WriteErrors))]
async fn start(
    State(state): State<HubState>,
    who: May<may::NightMend>,
    KeyedCommand { body, request }: KeyedCommand<ReconciliationInput>,
) -> Result<Response, Problem> {
    let now_ms = state.hub().env().now_ms();
    let pointer = "/business_date";
    let day = app::parse_day(&body.business_date)
        .ok_or_else(|| AppError::field(pointer, "must be a date such as 2026-11-21"))?;
    if day > app::business_day(now_ms, "Pacific/Kiritimati") {
        return Err(AppError::field(pointer, "must not lie in the future").into());
    }
    let branch = {
        let mut sql = state.hub().snapshot().await.map_err(AppError::from)?;
        match &body.branch {
            Some(name) => Some(named(&mut sql, "/branch", name).await?),
            None => None,
        }
    };
    match branch {
        Some(branch) => who.person.require_branch(branch)?,
        None => who.person.require_chain()?,
    }
    let response = command(&state, &who, codes::NIGHT, request, move |_| {
        Box::pin(async move {
            let id = app::show_day(day);
            let href = format!("/api/v1/reconciliations/{id}");
            let started = ReconciliationStarted { id, href };
            answer(StatusCode::ACCEPTED, None, &started)
        })
    })
    .await?;
    let hub = Arc::clone(state.hub());
    tokio::spawn(async move {
        if let Err(error) = app::run(&hub, day, branch, now_ms).await {
            tracing::error!(%error, "a night that was asked for failed");
        }
    });
    Ok(response)
}

/// What of a night.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReconciliationFilter {
    /// Code or id of one branch.
    branch: Option<String>,
    /// One check.
    check: Option<String>,
    /// Without the records behind the checks.
    #[serde(default)]
    brief: bool,
}

/// One night: every branch and check, with figures and the records behind them.
#[utoipa::path(get, path = "/api/v1/reconciliations/{id}", tag = "reconciliations",
    params(("id" = String, Path, format = "date", description = "The business date", example = "2026-11-21"),
        ReconciliationFilter),
    responses((status = 200, body = Reconciliation), ReadErrors))]
async fn get(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    ApiPath(id): ApiPath<String>,
    ApiQuery(filter): ApiQuery<ReconciliationFilter>,
) -> Result<Json<Reconciliation>, Problem> {
    let day = day_of(&id)?;
    let check = filter.check.map(|name| name.parse::<Check>()).transpose();
    let check = check.map_err(|_| AppError::field("/check", "must be the name of a check"))?;
    let branch = {
        let mut sql = state.hub().snapshot().await.map_err(AppError::from)?;
        optional_branch(&mut sql, filter.branch.as_deref()).await?
    };
    let filter = app::Filter {
        branch,
        check,
        records: !filter.brief,
    };
    let night = app::get(state.hub(), &who.person, day, filter).await?;
    Ok(Json(Reconciliation::of(night)))
}

/// A word on a night.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NightWordInput {
    /// Code or id of a branch; the whole chain where it is left out.
    #[serde(default)]
    branch: Option<String>,
    /// Why; needed where not all is green, and to open a night again.
    #[serde(default)]
    #[schema(example = "looked into, all explained")]
    reason: String,
}

/// Signs a night off.
#[utoipa::path(post, path = "/api/v1/reconciliations/{id}/sign-off", tag = "reconciliations",
    params(("id" = String, Path, format = "date", description = "The business date", example = "2026-11-21"),
        RequiredKeyHeader),
    request_body = NightWordInput, responses((status = 200, body = Reconciliation), WriteErrors))]
async fn sign_off(
    State(state): State<HubState>,
    who: May<may::NightSign>,
    ApiPath(id): ApiPath<String>,
    command: KeyedCommand<NightWordInput>,
) -> Result<Response, Problem> {
    word(&state, &who, &id, command, true).await
}

/// Opens a night again.
#[utoipa::path(post, path = "/api/v1/reconciliations/{id}/reopen", tag = "reconciliations",
    params(("id" = String, Path, format = "date", description = "The business date", example = "2026-11-21"),
        RequiredKeyHeader),
    request_body = NightWordInput, responses((status = 200, body = Reconciliation), WriteErrors))]
async fn reopen(
    State(state): State<HubState>,
    who: May<may::NightSign>,
    ApiPath(id): ApiPath<String>,
    command: KeyedCommand<NightWordInput>,
) -> Result<Response, Problem> {
    word(&state, &who, &id, command, false).await
}

async fn word(
    state: &HubState,
    who: &May<may::NightSign>,
    id: &str,
    KeyedCommand { body, request }: KeyedCommand<NightWordInput>,
    is_signed: bool,
) -> Result<Response, Problem> {
    let day = day_of(id)?;
    let person = who.person.clone();
    command(state, who, codes::NIGHT, request, move |tx| {
        Box::pin(async move {
            let branch: Option<BranchId> = match &body.branch {
                Some(name) => Some(named(tx.sql(), "/branch", name).await?),
                None => None,
            };
            let input = SignOffInput {
                branch,
                reason: body.reason,
            };
            let night = if is_signed {
                app::sign_off(tx, &person, day, &input).await?
            } else {
                app::reopen(tx, &person, day, &input).await?
            };
            answer(StatusCode::OK, None, &Reconciliation::of(night))
        })
    })
    .await
}
