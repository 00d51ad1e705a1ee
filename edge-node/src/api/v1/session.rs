//! Signing in and out by API.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{ReadErrors, SignInErrors};
use web_kit::{ApiJson, Problem, SessionAnswer, SessionStaff, SignInRequest};

use crate::api::caller::Caller;
use crate::api::state::EdgeState;
use crate::app::staff::{self, SessionKind};
use web_kit::wire::Time;

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new().routes(routes!(sign_in, who, sign_out))
}

/// The session of the caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnSession {
    /// Who is signed in.
    pub staff: SessionStaff,
    /// When the session ends at the latest; null for a command on the machine itself.
    #[schema(required = true)]
    pub expires_at: Option<Time>,
}

/// Signs in; the token lives one hour at most.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = SignInRequest, security(()),
    responses((status = 201, body = SessionAnswer), SignInErrors))]
async fn sign_in(
    State(state): State<EdgeState>,
    ApiJson(SignInRequest { username, password }): ApiJson<SignInRequest>,
) -> Result<(StatusCode, Json<SessionAnswer>), Problem> {
    let grant = state
        .sign_in(&username, &password, SessionKind::Api)
        .await?;
    let answer = SessionAnswer {
        token: grant.token.reveal(),
        expires_at: grant.expires_at.to_string(),
        staff: SessionStaff {
            id: grant.person.actor.staff.to_string(),
            name: grant.person.name,
            role: grant.person.actor.role.to_string(),
        },
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Says who is signed in.
#[utoipa::path(get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = OwnSession), ReadErrors))]
async fn who(caller: Caller) -> Json<OwnSession> {
    Json(OwnSession {
        staff: SessionStaff {
            id: caller.staff().to_string(),
            name: caller.name().to_owned(),
            role: caller.role().to_string(),
        },
        expires_at: caller.expires_at(),
    })
}

/// Signs out: the token is void at once.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session",
    responses((status = 204, description = "Signed out"), ReadErrors))]
async fn sign_out(State(state): State<EdgeState>, caller: Caller) -> Result<StatusCode, Problem> {
    staff::sign_out(state.store(), caller.token()).await?;
    Ok(StatusCode::NO_CONTENT)
}
