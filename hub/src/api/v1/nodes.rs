//! Machines that speak for branches: listed and revoked.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::BranchId;
use serde::{Deserialize, Serialize};
use sync_protocol::item::command as codes;
use sync_protocol::position::NodeId;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{KeyHeader, ReadErrors, WriteErrors};
use web_kit::{ApiCommand, ApiPath, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::command::{answer, command};
use crate::api::state::HubState;
use crate::api::wire::time;
use crate::app::{NodeRow, branch};

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(of_branch))
        .routes(routes!(revoke))
}

/// A machine.
#[derive(Debug, Serialize, ToSchema)]
pub struct Node {
    /// Eight hexadecimal digits.
    id: String,
    /// Its branch.
    #[schema(format = "uuid")]
    branch_id: String,
    /// `active`, `closed` (another machine took its place) or `revoked`.
    state: String,
    /// Why it was revoked.
    #[schema(required = true)]
    revoked_reason: Option<String>,
    /// The machine that it replaced.
    #[schema(required = true)]
    former: Option<String>,
    /// When it joined.
    #[schema(format = "date-time")]
    enrolled_at: String,
    /// When it was last heard.
    #[schema(required = true, format = "date-time")]
    last_contact: Option<String>,
    /// Transactions stored of its log.
    stored: u64,
    /// Its program's version, as it says.
    version: String,
}

impl Node {
    fn of(row: NodeRow) -> Self {
        let state = match (&row.revoked, row.closed) {
            (Some(_), _) => "revoked",
            (None, true) => "closed",
            (None, false) => "active",
        };
        Self {
            id: row.node.to_string(),
            branch_id: row.branch.to_string(),
            state: state.to_owned(),
            revoked_reason: row.revoked,
            former: row.former.map(|node| node.to_string()),
            enrolled_at: time(row.enrolled_ms),
            last_contact: row.last_contact_ms.map(time),
            stored: row.tip.seq,
            version: row.version,
        }
    }
}

/// The machines of a branch, newest first.
#[utoipa::path(get, path = "/api/v1/branches/{id}/nodes", tag = "branches",
    params(("id" = String, Path, format = "uuid", description = "The branch")),
    responses((status = 200, body = Page<Node>), ReadErrors))]
async fn of_branch(
    State(state): State<HubState>,
    who: May<may::BasicsRead>,
    ApiPath(id): ApiPath<BranchId>,
) -> Result<Json<Page<Node>>, Problem> {
    who.person.require_branch(id)?;
    let machines = branch::machines(state.hub(), id).await?;
    Ok(Json(Page::whole(
        machines.into_iter().map(Node::of).collect(),
    )))
}

/// Why a machine may speak no more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// For the audit and for the machine.
    #[schema(example = "stolen")]
    reason: String,
}

/// Takes a machine's right to speak away, at once; what it wrote before stays.
#[utoipa::path(post, path = "/api/v1/nodes/{id}/revoke", tag = "branches",
    params(("id" = String, Path, description = "The machine, eight hexadecimal digits"), KeyHeader),
    request_body = Revocation,
    responses((status = 200, body = Node), WriteErrors))]
async fn revoke(
    State(state): State<HubState>,
    who: May<may::NodesRevoke>,
    ApiPath(id): ApiPath<String>,
    ApiCommand { body, request }: ApiCommand<Revocation>,
) -> Result<Response, Problem> {
    let unknown = || Problem::not_found("There is no such machine.");
    let node = u32::from_str_radix(&id, 16)
        .ok()
        .filter(|_| id.len() == 8)
        .map(NodeId)
        .ok_or_else(unknown)?;
    let person = who.person.clone();
    command(&state, &who, codes::NODES, request, move |tx| {
        Box::pin(async move {
            let row = branch::revoke(tx, &person, node, &body.reason).await?;
            answer(StatusCode::OK, None, &Node::of(row))
        })
    })
    .await
}
