//! Signing in and out by API.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::sensitive::Sensitive;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{ReadErrors, SignInErrors};
use web_kit::{ApiJson, Problem, SessionAnswer, SessionStaff, SessionToken, SignInRequest};

use crate::api::caller::Caller;
use crate::api::state::HubState;
use crate::api::wire::time;
use crate::app::session::{self, SessionKind};

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new().routes(routes!(sign_in, who, sign_out))
}

/// Signs in; the token lives one hour at most.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = SignInRequest, security(()),
    responses((status = 201, body = SessionAnswer), SignInErrors))]
async fn sign_in(
    State(state): State<HubState>,
    ApiJson(SignInRequest { username, password }): ApiJson<SignInRequest>,
) -> Result<(StatusCode, Json<SessionAnswer>), Problem> {
    state.count_try(&username)?;
    let hash_of = |token| SessionToken::from_random(token).hash();
    let begun = session::sign_in(
        state.hub(),
        &username,
        Sensitive::new(password),
        SessionKind::Token,
        hash_of,
    )
    .await?;
    state.forgive(&username);
    let answer = SessionAnswer {
        token: SessionToken::from_random(*begun.token.expose()).reveal(),
        expires_at: time(begun.expires_ms),
        staff: SessionStaff {
            id: begun.person.id.to_string(),
            name: begun.person.name,
            role: begun.person.role.to_string(),
        },
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// The session of the caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnSession {
    /// Who is signed in.
    staff: SessionStaff,
    /// When the session ends at the latest.
    #[schema(format = "date-time")]
    expires_at: String,
}

/// Says who is signed in.
#[utoipa::path(get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = OwnSession), ReadErrors))]
async fn who(caller: Caller) -> Json<OwnSession> {
    let Caller {
        person, expires_ms, ..
    } = caller;
    let staff = SessionStaff {
        id: person.id.to_string(),
        name: person.name,
        role: person.role.to_string(),
    };
    Json(OwnSession {
        staff,
        expires_at: time(expires_ms),
    })
}

/// Signs out: the token is void at once.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session",
    responses((status = 204, description = "Signed out"), ReadErrors))]
async fn sign_out(State(state): State<HubState>, caller: Caller) -> Result<StatusCode, Problem> {
    session::sign_out(state.hub(), &caller.token_hash).await?;
    Ok(StatusCode::NO_CONTENT)
}
