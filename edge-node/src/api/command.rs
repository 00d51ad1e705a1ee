//! Commands: idempotency check, use case and stored answer in one job of the writer; the answer as a response.
//!
//! A refusal is never stored, because it changed nothing.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use web_kit::idempotency::mark_replayed;
use web_kit::{ETag, IdempotentRequest, Problem};

use super::caller::Caller;
use super::state::EdgeState;
use crate::error::AppError;
use crate::store::idempotency::{Answer, Answered, Request};
use crate::store::{Actor, WriteTx};

/// Runs a command once per idempotency key.
///
/// # Errors
/// What the use case says, or what the store could not do.
pub(crate) async fn answered<T, F>(
    state: &EdgeState,
    caller: &Caller,
    request: IdempotentRequest,
    status: StatusCode,
    work: F,
) -> Result<Answered, AppError>
where
    T: Serialize,
    F: FnOnce(&mut WriteTx<'_>, &Actor) -> Result<T, AppError> + Send + 'static,
{
    let actor = caller.actor();
    let write = state.store().write(move |tx| {
        tx.idempotent(&Request::from(&request), actor.staff, |tx| {
            let answer = work(tx, &actor)?;
            Ok(Answer {
                status: status.as_u16(),
                body: serde_json::to_value(answer)?,
            })
        })
    });
    write.await
}

/// [`answered`] as a response.
///
/// # Errors
/// What the use case says, or what the store could not do, as a problem.
pub(crate) async fn command<T, F>(
    state: &EdgeState,
    caller: &Caller,
    request: IdempotentRequest,
    status: StatusCode,
    work: F,
) -> Result<Response, Problem>
where
    T: Serialize,
    F: FnOnce(&mut WriteTx<'_>, &Actor) -> Result<T, AppError> + Send + 'static,
{
    Ok(respond(
        answered(state, caller, request, status, work).await?,
    ))
}

/// An answer, new or replayed, as a response.
pub(crate) fn respond(answered: Answered) -> Response {
    let Answered { answer, is_replay } = answered;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let response = if answer.body.is_null() {
        status.into_response()
    } else {
        with_tag(status, &answer.body)
    };
    if is_replay {
        mark_replayed(response)
    } else {
        response
    }
}

/// A JSON answer; one with heads carries their tag.
pub(crate) fn with_tag(status: StatusCode, body: &Value) -> Response {
    let head = [(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    )];
    match tag_of(body) {
        Some(tag) => (status, tag, head, body.to_string()).into_response(),
        None => (status, head, body.to_string()).into_response(),
    }
}

/// The tag of what an answer shows, from its heads; an answer about a part of an order has them one level down.
fn tag_of(body: &Value) -> Option<ETag> {
    let heads = body
        .get("heads")
        .or_else(|| body.get("order")?.get("heads"))?
        .as_array()?;
    let heads: Option<Vec<Vec<u8>>> = heads.iter().map(|head| unhex(head.as_str()?)).collect();
    heads.map(ETag::of_heads)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}
