//! HTTP around the double: who calls, faults, idempotency keys, then the call itself.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

use super::answer::Refusal;
use super::fault::{self, Fault, FaultKind};
use super::webhook::Courier;
use super::world::World;
use super::{control, form, keys, lock, routes};

/// What all calls share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) key: String,
    pub(super) world: Mutex<World>,
    pub(super) courier: Arc<Mutex<Courier>>,
    pub(super) events: mpsc::UnboundedSender<Value>,
    /// Rung when something may have changed.
    pub(super) changed: Notify,
}

impl Shared {
    /// Works on the world and hands what happened to the courier.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        let (result, news) = {
            let mut world = lock(&self.world);
            let result = work(&mut world);
            (result, std::mem::take(&mut world.news))
        };
        for event in news {
            // The courier ends only with the double itself.
            drop(self.events.send(event));
        }
        self.changed.notify_one();
        result
    }
}

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/{*path}", any(api))
        .merge(control::routes())
        .with_state(shared)
}

/// One call as it came.
struct Call {
    method: Method,
    path: String,
    params: Value,
    key: Option<String>,
    request_id: String,
}

async fn api(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request_id = shared.with(|world| world.next_id("req_"));
    match read(&shared, method, &uri, &headers, &body, &request_id) {
        Ok(call) => perform(shared, call).await,
        Err(refusal) => respond(refusal.status, &refusal.body(), &request_id),
    }
}

fn read(
    shared: &Shared,
    method: Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
    request_id: &str,
) -> Result<Call, Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text("authorization").and_then(|value| value.strip_prefix("Bearer "));
    if bearer != Some(shared.key.as_str()) {
        let message = "Invalid API Key provided: sk_test_****";
        return Err(Refusal::new(401, "invalid_request_error", message));
    }
    let body = std::str::from_utf8(body)
        .map_err(|_| Refusal::new(400, "invalid_request_error", "The body is not UTF-8."))?;
    let params = form::parse(if method == Method::GET {
        uri.query().unwrap_or_default()
    } else {
        body
    })?;
    let key = text("idempotency-key").map(str::to_owned);
    let path = uri.path().to_owned();
    let seen = json!({ "method": method.as_str(), "path": path, "idempotency_key": key,
        "version": text("stripe-version"), "request_id": request_id });
    lock(&shared.world).calls.push(seen);
    Ok(Call {
        key: key.filter(|_| method == Method::POST),
        method,
        path,
        params,
        request_id: request_id.to_owned(),
    })
}

async fn perform(shared: Arc<Shared>, call: Call) -> Response {
    let fault = fault::take(&mut lock(&shared.world).faults, &call.method, &call.path);
    let Some(fault) = fault else {
        return done(&shared, &call);
    };
    match fault.fault {
        FaultKind::TimeoutBefore => {
            tokio::time::sleep(fault.delay()).await;
            broken(b"")
        }
        FaultKind::TimeoutAfter => {
            drop(done(&shared, &call));
            tokio::time::sleep(fault.delay()).await;
            broken(b"")
        }
        FaultKind::Broken => {
            drop(done(&shared, &call));
            broken(b"{\"id\":")
        }
        FaultKind::Slow => slow(shared, call, fault).await,
        _ => refused(&shared, &call, &fault),
    }
}

/// Under way for a while; whoever asks meanwhile under the same key is told so.
async fn slow(shared: Arc<Shared>, call: Call, fault: Fault) -> Response {
    if let Err(refusal) = begin(&shared, &call).map(drop) {
        return respond(refusal.status, &refusal.body(), &call.request_id);
    }
    // It goes on when the caller has gone.
    let going_on = tokio::spawn(async move {
        tokio::time::sleep(fault.delay()).await;
        let (status, body) = effect(&shared, &call);
        respond(status, &body, &call.request_id)
    });
    going_on.await.unwrap_or_else(|_| broken(b""))
}

fn refused(shared: &Shared, call: &Call, fault: &Fault) -> Response {
    let broken = || Refusal::new(500, "api_error", "An unknown error occurred.");
    let refusal = match fault.fault {
        FaultKind::Conflict => keys::in_use(),
        FaultKind::RateLimited => Refusal::new(
            429,
            "invalid_request_error",
            "Too many requests. Please slow down.",
        )
        .with("code", "rate_limit"),
        FaultKind::Declined => {
            Refusal::declined(fault.decline_code.as_deref().unwrap_or("generic_decline"))
        }
        FaultKind::Error500Kept => {
            if begin(shared, call).is_ok_and(|known| known.is_none()) {
                keep(shared, call, 500, &broken().body());
            }
            broken()
        }
        FaultKind::Error500After => {
            drop(done(shared, call));
            keep(shared, call, 500, &broken().body());
            broken()
        }
        _ => broken(),
    };
    let mut response = respond(refusal.status, &refusal.body(), &call.request_id);
    if let Some(seconds) = fault.retry_after_s {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The call without a fault.
fn done(shared: &Shared, call: &Call) -> Response {
    match begin(shared, call) {
        Err(refusal) => respond(refusal.status, &refusal.body(), &call.request_id),
        Ok(Some((status, body))) => {
            let mut response = respond(status, &body, &call.request_id);
            response
                .headers_mut()
                .insert("idempotent-replayed", HeaderValue::from_static("true"));
            response
        }
        Ok(None) => {
            let (status, body) = effect(shared, call);
            respond(status, &body, &call.request_id)
        }
    }
}

fn begin(shared: &Shared, call: &Call) -> Result<Option<(u16, Value)>, Refusal> {
    let Some(key) = &call.key else {
        return Ok(None);
    };
    let mut world = lock(&shared.world);
    let now_ms = world.now_ms();
    world.keys.begin(key, &call.path, &call.params, now_ms)
}

fn keep(shared: &Shared, call: &Call, status: u16, body: &Value) {
    if let Some(key) = &call.key {
        lock(&shared.world).keys.keep(key, status, body);
    }
}

/// What the call does, kept under its key; a refusal of its parameters is not kept.
fn effect(shared: &Shared, call: &Call) -> (u16, Value) {
    let reply = shared.with(|world| routes::call(world, &call.method, &call.path, &call.params));
    match reply {
        Ok(body) => {
            keep(shared, call, 200, &body);
            (200, body)
        }
        Err(refusal) => {
            let body = refusal.body();
            let is_of_parameters = body["error"]["code"]
                .as_str()
                .is_some_and(|code| code.starts_with("parameter_"));
            match &call.key {
                Some(key) if is_of_parameters => lock(&shared.world).keys.forget(key),
                _ => keep(shared, call, refusal.status, &body),
            }
            (refusal.status, body)
        }
    }
}

pub(super) fn respond(status: u16, body: &Value, request_id: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, axum::Json(body)).into_response();
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("request-id", id);
    }
    response
}

/// An answer that breaks off.
fn broken(beginning: &'static [u8]) -> Response {
    let gone = || std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let parts = [Ok(Bytes::from_static(beginning)), Err(gone())];
    Response::new(Body::from_stream(tokio_stream::iter(parts)))
}
