//! Money put right by people: corrections of the ledger, and lines of statements matched by hand.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::CorrectionId;
use domain::ledger::MoneyAccount;
use domain::payment::Provider;
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
use crate::api::wire::{Amount, time};
use crate::app::error::AppError;
use crate::app::reconcile::{self as app, Match, NewCorrection};

/// Corrections that are listed.
const LISTED: i64 = 200;

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(list_corrections, correct))
        .routes(routes!(undo_correction))
        .routes(routes!(match_settlement))
}

/// A correction of the money ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct MoneyCorrection {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Code of the branch.
    branch: String,
    /// The account that it leaves.
    from: String,
    /// The account that it enters.
    to: String,
    /// How much.
    amount: Amount,
    /// The correction that it takes back.
    #[schema(required = true, format = "uuid")]
    undoes: Option<String>,
    /// Whether it was taken back.
    undone: bool,
    /// Why.
    reason: String,
    /// When.
    #[schema(format = "date-time")]
    at: String,
}

impl MoneyCorrection {
    fn of(correction: app::Correction) -> Self {
        Self {
            id: correction.id.to_string(),
            branch: correction.branch,
            from: correction.from.to_string(),
            to: correction.to.to_string(),
            amount: Amount {
                amount_minor: correction.amount_minor,
                currency: correction.currency,
            },
            undoes: correction.undoes.map(|id| id.to_string()),
            undone: correction.is_undone,
            reason: correction.reason,
            at: time(correction.at_ms),
        }
    }
}

/// Corrections of the money ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct MoneyCorrections {
    /// The newest first, at most 200.
    items: Vec<MoneyCorrection>,
}

/// Lists corrections of the money ledger, the newest first.
#[utoipa::path(get, path = "/api/v1/money/corrections", tag = "money",
    responses((status = 200, body = MoneyCorrections), ReadErrors))]
async fn list_corrections(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
) -> Result<Json<MoneyCorrections>, Problem> {
    let found = app::corrections(state.hub(), &who.person, LISTED).await?;
    let items = found.into_iter().map(MoneyCorrection::of).collect();
    Ok(Json(MoneyCorrections { items }))
}

/// An amount to be put right.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoneyCorrectionInput {
    /// Code or id of the branch.
    #[schema(example = "BER")]
    branch: String,
    /// The account that it leaves.
    #[schema(example = "difference")]
    from: String,
    /// The account that it enters.
    #[schema(example = "corrections")]
    to: String,
    /// How much, above zero.
    amount: Amount,
    /// Why.
    #[schema(example = "counted twice")]
    reason: String,
}

/// Moves an amount in the ledger of a branch.
#[utoipa::path(post, path = "/api/v1/money/corrections", tag = "money", params(RequiredKeyHeader),
    request_body = MoneyCorrectionInput, responses((status = 201, body = MoneyCorrection), WriteErrors))]
async fn correct(
    State(state): State<HubState>,
    who: May<may::NightMend>,
    KeyedCommand { body, request }: KeyedCommand<MoneyCorrectionInput>,
) -> Result<Response, Problem> {
    let account = |name: &str, pointer: &str| {
        name.parse::<MoneyAccount>()
            .map_err(|_| AppError::field(pointer, "must be an account of the ledger"))
    };
    let money = body.amount.read("/amount")?;
    let new = NewCorrection {
        branch: body.branch,
        from: account(&body.from, "/from")?,
        to: account(&body.to, "/to")?,
        amount_minor: money.amount_minor,
        currency: money.currency,
        reason: body.reason,
    };
    let person = who.person.clone();
    command(&state, &who, codes::NIGHT, request, move |tx| {
        Box::pin(async move {
            let made = app::correct(tx, &person, &new).await?;
            answer(StatusCode::CREATED, None, &MoneyCorrection::of(made))
        })
    })
    .await
}

/// Why a correction is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UndoCorrectionInput {
    /// For the audit.
    #[schema(example = "it was another branch")]
    reason: String,
}

/// Takes a correction back.
#[utoipa::path(post, path = "/api/v1/money/corrections/{id}/undo", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The correction"), RequiredKeyHeader),
    request_body = UndoCorrectionInput, responses((status = 201, body = MoneyCorrection), WriteErrors))]
async fn undo_correction(
    State(state): State<HubState>,
    who: May<may::NightMend>,
    ApiPath(id): ApiPath<CorrectionId>,
    KeyedCommand { body, request }: KeyedCommand<UndoCorrectionInput>,
) -> Result<Response, Problem> {
    let person = who.person.clone();
    command(&state, &who, codes::NIGHT, request, move |tx| {
        Box::pin(async move {
            let made = app::undo_correction(tx, &person, id, &body.reason).await?;
            answer(StatusCode::CREATED, None, &MoneyCorrection::of(made))
        })
    })
    .await
}

/// What a line of a statement belongs to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettlementMatchInput {
    /// stripe or bank.
    #[schema(example = "stripe")]
    provider: String,
    /// The provider's name for the line.
    #[schema(example = "txn_1")]
    reference: String,
    /// The payment; null takes an earlier word back.
    #[schema(format = "uuid")]
    #[serde(default)]
    payment: Option<String>,
    /// Why.
    #[schema(example = "the customer named another order")]
    reason: String,
}

/// Says which payment a line of a statement belongs to, or takes that back.
#[utoipa::path(post, path = "/api/v1/settlements/match", tag = "money", params(RequiredKeyHeader),
    request_body = SettlementMatchInput, responses((status = 200, body = SettlementMatchInput), WriteErrors))]
async fn match_settlement(
    State(state): State<HubState>,
    who: May<may::NightMend>,
    KeyedCommand { body, request }: KeyedCommand<SettlementMatchInput>,
) -> Result<Response, Problem> {
    let provider = body
        .provider
        .parse::<Provider>()
        .map_err(|_| AppError::field("/provider", "must be stripe or bank"))?;
    let payment = body.payment.as_deref().map(str::parse).transpose();
    let payment =
        payment.map_err(|_| AppError::field("/payment", "must be the id of a payment"))?;
    let said = Match {
        provider,
        reference: body.reference.clone(),
        payment,
        reason: body.reason.clone(),
    };
    let person = who.person.clone();
    command(&state, &who, codes::NIGHT, request, move |tx| {
        Box::pin(async move {
            app::match_line(tx, &person, &said).await?;
            answer(StatusCode::OK, None, &body)
        })
    })
    .await
}
