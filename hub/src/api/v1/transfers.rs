//! Transfers: asked for, approved, called off, looked into, settled. Goods are moved by the branches.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::id::TransferId;
use domain::transfer::TransferState;
use serde::{Deserialize, Serialize};
use sync_protocol::item::command as codes;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{MatchHeader, ReadErrors, RequiredKeyHeader, WriteErrors};
use web_kit::{
    ApiPath, ApiQuery, Cursor, ETag, IdempotentRequest, IfMatch, KeyedCommand, ListQuery, Page,
    Problem,
};

use crate::api::caller::{May, may};
use crate::api::command::{answer, command};
use crate::api::state::HubState;
use crate::api::wire::{place, time};
use crate::app::error::AppError;
use crate::app::transfer::{self, Decision, NewTransfer, TransferView, WriteOff};

const LIST: &str = "transfers";

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get))
        .routes(routes!(approve))
        .routes(routes!(cancel))
        .routes(routes!(dispute))
        .routes(routes!(settle))
}

/// One part of a transfer.
#[derive(Debug, Serialize, ToSchema)]
pub struct TransferLine {
    /// The part's sku.
    sku: String,
    /// The part's name.
    name: String,
    /// Pieces asked for or planned.
    quantity: i64,
    /// Pieces shipped.
    shipped: i64,
    /// Pieces that arrived good.
    received: i64,
    /// Pieces that arrived damaged.
    damaged: i64,
    /// Pieces that the last arrival looked for in vain.
    missing: i64,
    /// Pieces written off.
    lost: i64,
    /// Pieces on their way.
    in_transit: i64,
}

/// A transfer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Transfer {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Code of the branch that sends.
    from: String,
    /// Code of the branch that gets.
    to: String,
    /// requested, approved, shipped, received, received_short, lost, cancelled or disputed.
    state: String,
    /// Its parts.
    lines: Vec<TransferLine>,
    /// Why it was asked for.
    note: String,
    /// When it began.
    #[schema(format = "date-time")]
    created_at: String,
    /// When it was last heard of.
    #[schema(format = "date-time")]
    updated_at: String,
}

impl Transfer {
    fn of(view: TransferView) -> Self {
        let line = |line: transfer::TransferLineState| TransferLine {
            quantity: line.balance.planned,
            shipped: line.balance.shipped,
            received: line.balance.good,
            damaged: line.balance.damaged,
            missing: line.balance.missing,
            lost: line.balance.lost,
            in_transit: line.balance.in_transit(),
            sku: line.sku,
            name: line.name,
        };
        Self {
            id: view.id.to_string(),
            from: view.from,
            to: view.to,
            state: view.fold.state.to_string(),
            lines: view.lines.into_iter().map(line).collect(),
            note: view.note,
            created_at: time(view.created_ms),
            updated_at: time(view.updated_ms),
        }
    }
}

fn tag(view: &TransferView) -> ETag {
    ETag::of_version(view.records as u64)
}

/// Pieces of a part.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferLineInput {
    /// The part.
    #[schema(example = "DSP-1000")]
    sku: String,
    /// How many.
    #[schema(minimum = 1, maximum = 1_000_000, example = 2)]
    quantity: i64,
}

/// A wish for goods.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferInput {
    /// Code or id of the branch that should send.
    #[schema(example = "BER")]
    from: String,
    /// Code or id of the branch that should get.
    #[schema(example = "HAM")]
    to: String,
    /// At least one.
    lines: Vec<TransferLineInput>,
    /// Why.
    #[serde(default)]
    note: String,
}

/// Which transfers.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TransferFilter {
    /// Only in this state.
    state: Option<String>,
}

/// Lists transfers, newest first.
#[utoipa::path(get, path = "/api/v1/transfers", tag = "transfers", params(TransferFilter, ListQuery),
    responses((status = 200, body = Page<Transfer>), ReadErrors))]
async fn list(
    State(state): State<HubState>,
    who: May<may::TransfersRead>,
    ApiQuery(filter): ApiQuery<TransferFilter>,
    page: ListQuery,
) -> Result<Json<Page<Transfer>>, Problem> {
    let wanted = filter
        .state
        .map(|name| name.parse::<TransferState>())
        .transpose();
    let wanted =
        wanted.map_err(|_| AppError::field("/state", "must be the state of a transfer"))?;
    let after = place(&page, LIST)?;
    let limit = i64::from(page.limit) + 1;
    let found = transfer::list(state.hub(), &who.person, wanted, None, after, limit).await?;
    let cut = Page::cut(found, page.limit, |last| {
        Cursor::encode(LIST, &(last.created_ms, *last.id.as_bytes()))
    });
    Ok(Json(cut.map(Transfer::of)))
}

/// Asks for a transfer.
#[utoipa::path(post, path = "/api/v1/transfers", tag = "transfers", params(RequiredKeyHeader),
    request_body = TransferInput, responses((status = 201, body = Transfer), WriteErrors))]
async fn create(
    State(state): State<HubState>,
    who: May<may::TransfersRequest>,
    KeyedCommand { body, request }: KeyedCommand<TransferInput>,
) -> Result<Response, Problem> {
    let new = NewTransfer {
        from: body.from,
        to: body.to,
        lines: body
            .lines
            .into_iter()
            .map(|line| (line.sku, line.quantity))
            .collect(),
        note: body.note,
        approved: false,
    };
    let person = who.person.clone();
    command(&state, &who, codes::TRANSFER, request, move |tx| {
        Box::pin(async move {
            let view = transfer::request(tx, &person, &new).await?;
            answer(StatusCode::CREATED, Some(&tag(&view)), &Transfer::of(view))
        })
    })
    .await
}

/// One transfer.
#[utoipa::path(get, path = "/api/v1/transfers/{id}", tag = "transfers",
    params(("id" = String, Path, format = "uuid", description = "The transfer")),
    responses((status = 200, body = Transfer, headers(("ETag" = String, description = "The version"))), ReadErrors))]
async fn get(
    State(state): State<HubState>,
    who: May<may::TransfersRead>,
    ApiPath(id): ApiPath<TransferId>,
) -> Result<Response, Problem> {
    let found = transfer::get(state.hub(), &who.person, id).await?;
    Ok((tag(&found), Json(Transfer::of(found))).into_response())
}

/// Why something was decided.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionInput {
    /// For both branches and the audit.
    #[serde(default)]
    reason: String,
}

/// Approves a transfer: the source may ship.
#[utoipa::path(post, path = "/api/v1/transfers/{id}/approve", tag = "transfers",
    params(("id" = String, Path, format = "uuid", description = "The transfer"), MatchHeader, RequiredKeyHeader),
    request_body = Option<DecisionInput>, responses((status = 200, body = Transfer), WriteErrors))]
async fn approve(
    State(state): State<HubState>,
    who: May<may::TransfersApprove>,
    ApiPath(id): ApiPath<TransferId>,
    if_match: IfMatch,
    body: KeyedCommand<Option<DecisionInput>>,
) -> Result<Response, Problem> {
    let (decision, request) = plain(body, Decision::Approve);
    decide(state, who, id, if_match, decision, request).await
}

/// Calls a transfer off, until it is shipped.
#[utoipa::path(post, path = "/api/v1/transfers/{id}/cancel", tag = "transfers",
    params(("id" = String, Path, format = "uuid", description = "The transfer"), MatchHeader, RequiredKeyHeader),
    request_body = Option<DecisionInput>, responses((status = 200, body = Transfer), WriteErrors))]
async fn cancel(
    State(state): State<HubState>,
    who: May<may::TransfersApprove>,
    ApiPath(id): ApiPath<TransferId>,
    if_match: IfMatch,
    body: KeyedCommand<Option<DecisionInput>>,
) -> Result<Response, Problem> {
    let (decision, request) = plain(body, Decision::Cancel);
    decide(state, who, id, if_match, decision, request).await
}

/// Why a transfer is looked into.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisputeInput {
    /// For both branches and the audit.
    #[schema(example = "one box is missing")]
    reason: String,
}

/// Looks into a transfer while goods are on their way; nothing moves by that.
#[utoipa::path(post, path = "/api/v1/transfers/{id}/dispute", tag = "transfers",
    params(("id" = String, Path, format = "uuid", description = "The transfer"), MatchHeader, RequiredKeyHeader),
    request_body = DisputeInput, responses((status = 200, body = Transfer), WriteErrors))]
async fn dispute(
    State(state): State<HubState>,
    who: May<may::TransfersApprove>,
    ApiPath(id): ApiPath<TransferId>,
    if_match: IfMatch,
    KeyedCommand { body, request }: KeyedCommand<DisputeInput>,
) -> Result<Response, Problem> {
    let decision = (Decision::Dispute, body.reason);
    decide(state, who, id, if_match, decision, request).await
}

/// Pieces that are given up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteOffInput {
    /// The part.
    #[schema(example = "DSP-1000")]
    sku: String,
    /// How many are lost.
    #[schema(minimum = 1, maximum = 1_000_000, example = 1)]
    lost: i64,
}

/// How a transfer is settled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleInput {
    /// What is lost; empty when everything is still expected.
    lines: Vec<WriteOffInput>,
    /// For both branches and the audit.
    #[schema(example = "the carrier lost the box")]
    reason: String,
}

/// Settles a transfer: writes off what will not arrive. A piece that arrives nevertheless counts as arrived.
#[utoipa::path(post, path = "/api/v1/transfers/{id}/settle", tag = "transfers",
    params(("id" = String, Path, format = "uuid", description = "The transfer"), MatchHeader, RequiredKeyHeader),
    request_body = SettleInput, responses((status = 200, body = Transfer), WriteErrors))]
async fn settle(
    State(state): State<HubState>,
    who: May<may::TransfersApprove>,
    ApiPath(id): ApiPath<TransferId>,
    if_match: IfMatch,
    KeyedCommand { body, request }: KeyedCommand<SettleInput>,
) -> Result<Response, Problem> {
    let lines = body.lines.into_iter().map(|line| WriteOff {
        sku: line.sku,
        lost: line.lost,
    });
    let decision = (Decision::Settle(lines.collect()), body.reason);
    decide(state, who, id, if_match, decision, request).await
}

/// A decision that names no pieces, and its reason.
fn plain(
    KeyedCommand { body, request }: KeyedCommand<Option<DecisionInput>>,
    decision: Decision,
) -> ((Decision, String), IdempotentRequest) {
    ((decision, body.unwrap_or_default().reason), request)
}

async fn decide(
    state: HubState,
    who: May<may::TransfersApprove>,
    id: TransferId,
    if_match: IfMatch,
    (decision, reason): (Decision, String),
    request: IdempotentRequest,
) -> Result<Response, Problem> {
    let person = who.person.clone();
    let check = move |records: usize| {
        if_match
            .check(&ETag::of_version(records as u64))
            .map_err(|_| AppError::Stale)
    };
    command(&state, &who, codes::TRANSFER, request, move |tx| {
        Box::pin(async move {
            let view = transfer::decide(tx, &person, id, check, &decision, &reason).await?;
            answer(StatusCode::OK, Some(&tag(&view)), &Transfer::of(view))
        })
    })
    .await
}
