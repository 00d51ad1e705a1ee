//! The audit chain, hashed again from the stored logs.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use sync_protocol::item::command as codes;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{ReadErrors, RequiredKeyHeader, WriteErrors};
use web_kit::{ApiQuery, KeyedCommand, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::command::{answer, command};
use crate::api::state::HubState;
use crate::app::audit::{self, ChainState, HeadRecord};
use crate::app::branch::named;
use crate::app::error::AppError;
use crate::app::mending::{Order, order_in};
use web_kit::wire::{Time, hex};

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(verify))
        .routes(routes!(mend))
}

/// Which chains.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Only those of this branch, by code or id.
    #[serde(default)]
    #[param(required = false, max_length = 36)]
    branch: Option<String>,
}

/// A head that a machine signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Head {
    /// Number of the last transaction that it covers.
    seq: i64,
    /// Chain hash behind it, as hexadecimal text.
    hash: String,
    /// The machine's Ed25519 signature, as hexadecimal text.
    signature: String,
    /// The hub's; null where the head is not what the hub has.
    #[schema(required = true)]
    countersignature: Option<String>,
    /// When the hub saw it.
    seen_at: Time,
}

impl Head {
    fn of(record: &HeadRecord) -> Self {
        Self {
            seq: record.seq,
            hash: hex(&record.hash),
            signature: hex(&record.signature),
            countersignature: record.countersignature.as_deref().map(hex),
            seen_at: Time(record.seen_ms),
        }
    }
}

/// The chain of one machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Chain {
    /// Code of the branch.
    branch: String,
    /// The machine.
    #[schema(example = "0000002a")]
    node: String,
    /// Transactions that hang together from the start.
    length: u64,
    /// Chain hash behind the last of them, as hexadecimal text.
    hash: String,
    /// Whether that is all of them.
    intact: bool,
    /// The first position that is missing or does not hang together.
    #[schema(required = true, example = "0000002a.0123456789abcdef.17")]
    first_bad: Option<String>,
    /// The newest head that the machine signed.
    #[schema(required = true)]
    signed_head: Option<Head>,
    /// The order to ask the machine for what is missing, while it is carried out or where it could not be.
    #[schema(required = true)]
    mending: Option<MendingOrder>,
}

/// An order to ask a machine for what is missing of its log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MendingOrder {
    /// waiting or refused.
    state: String,
    /// When it was given.
    ordered_at: Time,
    /// Transactions that came back so far.
    put_back: u64,
    /// Why no more came.
    detail: String,
}

impl MendingOrder {
    fn of(order: &Order) -> Self {
        Self {
            state: if order.is_waiting {
                "waiting"
            } else {
                "refused"
            }
            .to_owned(),
            ordered_at: Time(order.ordered_ms),
            put_back: order.put_back,
            detail: order.detail.clone(),
        }
    }
}

impl Chain {
    fn of(state: ChainState) -> Self {
        Self {
            branch: state.branch,
            node: state.node.node.to_string(),
            length: state.length,
            hash: hex(&state.hash),
            intact: state.first_bad.is_none(),
            first_bad: state.first_bad.map(|position| position.to_string()),
            signed_head: state.head.as_ref().map(Head::of),
            mending: state.mending.as_ref().map(MendingOrder::of),
        }
    }
}

/// Verifies the chains of all machines, or of those of one branch.
#[utoipa::path(get, path = "/api/v1/audit/verify", tag = "audit", params(AuditQuery),
    extensions(("x-permission" = json!("audit_read"))),
    responses((status = 200, body = Page<Chain>), ReadErrors))]
async fn verify(
    State(state): State<HubState>,
    who: May<may::AuditRead>,
    ApiQuery(query): ApiQuery<AuditQuery>,
) -> Result<Json<Page<Chain>>, Problem> {
    let chains = audit::verify(state.hub(), &who.person, query.branch.as_deref()).await?;
    Ok(Json(Page::whole(
        chains.into_iter().map(Chain::of).collect(),
    )))
}

/// Whose logs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MendInput {
    /// Code or id of the branch.
    #[schema(max_length = 36, example = "BER")]
    branch: String,
}

/// Machines that are asked for what is missing of their logs.
#[derive(Debug, Serialize, ToSchema)]
pub struct MendOrdered {
    /// They are asked while they are connected.
    machines: Vec<String>,
}

/// Has the machines of a branch asked again for what is missing or damaged of their logs here. It goes on after the
/// answer; `GET /api/v1/audit/verify` says how far it is.
#[utoipa::path(post, path = "/api/v1/audit/mend", tag = "audit", params(RequiredKeyHeader),
    request_body = MendInput,
    extensions(("x-permission" = json!("night_mend"))),
    responses((status = 202, body = MendOrdered), WriteErrors))]
async fn mend(
    State(state): State<HubState>,
    who: May<may::NightMend>,
    KeyedCommand { body, request }: KeyedCommand<MendInput>,
) -> Result<Response, Problem> {
    let person = who.person.clone();
    let response = command(&state, &who, codes::NIGHT, request, move |tx| {
        Box::pin(async move {
            let branch = named(tx.sql(), "/branch", &body.branch).await?;
            person.require_branch(branch)?;
            let nodes = order_in(tx, branch, person.id).await?;
            let machines = nodes.iter().map(ToString::to_string).collect();
            answer(StatusCode::ACCEPTED, None, &MendOrdered { machines })
        })
    })
    .await?;
    state.hub().follow_mending().await.map_err(AppError::from)?;
    Ok(response)
}
