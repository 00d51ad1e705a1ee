//! The audit chain, hashed again from the stored logs.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::ReadErrors;
use web_kit::{ApiQuery, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::state::HubState;
use crate::app::audit::{self, ChainState, HeadRecord};
use web_kit::wire::{Time, hex};

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new().routes(routes!(verify))
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
