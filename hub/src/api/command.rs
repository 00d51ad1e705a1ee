//! Commands: idempotency check, use case and stored answer in one transaction of the hub; the answer as a response.
//!
//! A refusal is never stored, because it changed nothing.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use serde::Serialize;
use web_kit::idempotency::mark_replayed;
use web_kit::{ETag, IdempotentRequest, Problem};

use super::caller::Caller;
use super::state::HubState;
use crate::app::HubTx;
use crate::app::error::AppError;
use crate::app::idempotency::{Answer, Answered, Request, once};
use crate::error::HubError;

/// Runs a command once per idempotency key; `code` is one of [`sync_protocol::item::command`].
///
/// # Errors
/// What the use case says, or what the core could not do, as a problem.
pub(crate) async fn command<F>(
    state: &HubState,
    caller: &Caller,
    code: u16,
    request: IdempotentRequest,
    work: F,
) -> Result<Response, Problem>
where
    F: for<'a> FnOnce(&'a mut HubTx) -> BoxFuture<'a, Result<Answer, AppError>> + Send,
{
    let request = Request {
        key: request.key,
        route: request.route,
        fingerprint: request.body_hmac,
    };
    let answered = once(state.hub(), caller.person.actor(), code, &request, work).await?;
    Ok(respond(answered))
}

/// What a use case made, as an answer; `tag` names its version.
///
/// # Errors
/// Never for the answers of this API; what serde says otherwise.
pub(crate) fn answer<T: Serialize>(
    status: StatusCode,
    tag: Option<&ETag>,
    body: &T,
) -> Result<Answer, AppError> {
    let body = serde_json::to_value(body)
        .map_err(|_| AppError::Hub(HubError::Row("an answer that does not serialise")))?;
    Ok(Answer {
        status: status.as_u16(),
        tag: tag.map(ToString::to_string),
        body,
    })
}

/// An answer, new or replayed, as a response.
pub(crate) fn respond(answered: Answered) -> Response {
    let Answered { answer, is_replay } = answered;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let tag = answer
        .tag
        .as_deref()
        .and_then(|tag| HeaderValue::from_str(tag).ok());
    let headers: Vec<(HeaderName, HeaderValue)> =
        tag.into_iter().map(|tag| (header::ETAG, tag)).collect();
    let mut response = if answer.body.is_null() {
        status.into_response()
    } else {
        (status, axum::Json(answer.body)).into_response()
    };
    response.headers_mut().extend(headers);
    if is_replay {
        mark_replayed(response)
    } else {
        response
    }
}
