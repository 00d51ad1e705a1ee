//! Health and metrics: for the machine's watcher, without signing in.
//!
//! A branch is ready when its own disk answers; the hub being away is no reason to be unready. Nothing here names a
//! person or an order.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use utoipa::ToSchema;
use web_kit::Problem;

use super::metrics::LogFigures;
use super::state::EdgeState;
use crate::error::AppError;
use crate::store::sync;
use crate::sync::LinkState;

/// That the program runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    #[schema(value_type = String, example = "ok")]
    pub status: &'static str,
    /// The program's version.
    #[schema(value_type = String)]
    pub version: &'static str,
}

/// Whether requests can be answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// Whether everything that local work needs is there.
    pub ready: bool,
    /// What is not ready; empty when ready.
    pub missing: Vec<String>,
    /// The line to the hub, which local work does not need.
    #[schema(value_type = String, example = "connected")]
    pub link: &'static str,
}

/// The routes, for the pages' address or for one of their own.
pub(crate) fn routes() -> Router<EdgeState> {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
}

/// Says that the program runs.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()),
    responses((status = 200, body = Health)))]
pub(crate) async fn healthz() -> Json<Health> {
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// Says whether the branch can work, and what is missing if it cannot. 200 also while the hub is out of reach.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
pub(crate) async fn readyz(State(state): State<EdgeState>) -> Response {
    let mut missing = Vec::new();
    if let Err(error) = state
        .store()
        .read(|reader| sync::state(reader).map(drop))
        .await
    {
        tracing::error!(%error, "the store cannot be read");
        missing.push("the database can be read".to_owned());
    }
    match state.store().write(|_| Ok(())).await {
        Ok(()) => {}
        Err(AppError::Busy) => missing.push("room in the queue of writes".to_owned()),
        Err(error) => {
            tracing::error!(%error, "the store cannot be written");
            missing.push("the database can be written".to_owned());
        }
    }
    let status = if missing.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = Readiness {
        ready: missing.is_empty(),
        missing,
        link: state.sync().status().state.as_str(),
    };
    (status, Json(body)).into_response()
}

/// Figures in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "health", security(()),
    responses((status = 200, body = String, content_type = "text/plain"),
        (status = 503, body = web_kit::problem::ProblemBody, content_type = "application/problem+json")))]
pub(crate) async fn metrics(State(state): State<EdgeState>) -> Result<Response, Problem> {
    let log = state.store().read(sync::state).await?;
    let figures = LogFigures {
        connected: state.sync().status().state == LinkState::Connected,
        seq: log.tip.seq,
        stored: log.stored.seq,
        applied: log.applied,
    };
    let text = state.metrics().render(&figures).map_err(|error| {
        tracing::error!(%error, "the metrics cannot be written");
        Problem::internal()
    })?;
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, content_type)], text).into_response())
}
