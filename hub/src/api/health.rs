//! Health and metrics: for the machine's watcher, without signing in.
//!
//! The hub is ready when its database answers; branches being away is no reason to be unready.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use serde::Serialize;
use utoipa::ToSchema;
use web_kit::Problem;

use super::state::HubState;
use crate::app::branch::{self, LinkState};
use crate::outside::{BreakerState, DependencyHealth};
use crate::store::scope::Scope;

/// Branches that metrics look at.
const MOST: i64 = 100_000;

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
    /// Whether everything is there.
    pub ready: bool,
    /// What is not ready; empty when ready.
    pub missing: Vec<String>,
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

/// Says whether the hub can work, and what is missing if it cannot.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
pub(crate) async fn readyz(State(state): State<HubState>) -> Response {
    let mut missing = Vec::new();
    if let Err(error) = state.hub().ping().await {
        tracing::error!(%error, "the database does not answer");
        missing.push("the database answers".to_owned());
    }
    let status = if missing.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        Json(Readiness {
            ready: missing.is_empty(),
            missing,
        }),
    )
        .into_response()
}

/// Figures in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "health", security(()),
    responses((status = 200, body = String, content_type = "text/plain"),
        (status = 503, body = web_kit::problem::ProblemBody, content_type = "application/problem+json")))]
pub(crate) async fn metrics(State(state): State<HubState>) -> Result<Response, Problem> {
    let states = branch::list(state.hub(), &Scope::Chain, None, MOST).await?;
    let gauge = |value: usize| {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        gauge
    };
    let connected = states
        .iter()
        .filter(|branch| branch.link.state == LinkState::Connected)
        .count();
    let behind: u64 = states
        .iter()
        .map(|branch| branch.link.transactions_behind)
        .sum();
    let mut registry = Registry::with_prefix("counterpart_hub");
    registry.register("branches", "Branches of the chain", gauge(states.len()));
    registry.register(
        "branches_connected",
        "Branches with an open session",
        gauge(connected),
    );
    let behind = gauge(usize::try_from(behind).unwrap_or(usize::MAX));
    registry.register(
        "transactions_behind",
        "Transactions that branches named and the hub lacks",
        behind,
    );
    register_outside(&mut registry, &state.hub().outside().health());
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| {
        tracing::error!(%error, "the metrics cannot be written");
        Problem::internal()
    })?;
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, content_type)], text).into_response())
}

/// What the hub calls, one line for each dependency.
fn register_outside(registry: &mut Registry, health: &[DependencyHealth]) {
    let state = Family::<Labels, Gauge>::default();
    let failures = Family::<Labels, Gauge>::default();
    for one in health {
        let labels = vec![("dependency", one.name.clone())];
        let number = match one.state {
            BreakerState::Closed => 0,
            BreakerState::HalfOpen => 1,
            BreakerState::Open => 2,
        };
        state.get_or_create(&labels).set(number);
        failures.get_or_create(&labels).set(i64::from(one.failures));
    }
    registry.register(
        "outside_breaker",
        "Whether a dependency is called: 0 closed, 1 half open, 2 open",
        state,
    );
    registry.register(
        "outside_failures",
        "Failures of a dependency that its breaker counts",
        failures,
    );
}

type Labels = Vec<(&'static str, String)>;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::outside::{Dependency, Outside};

    #[test]
    fn breakers_have_a_line_each() {
        let outside = Outside::default();
        outside.expect(Dependency::Other("mail"));
        let stripe = Dependency::Payment(domain::payment::Provider::Stripe);
        for now_ms in 0..3 {
            outside.end(stripe, now_ms, Some("no answer"));
        }
        let mut registry = Registry::with_prefix("counterpart_hub");
        register_outside(&mut registry, &outside.health());
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "counterpart_hub_outside_breaker{dependency=\"mail\"} 0",
            "counterpart_hub_outside_breaker{dependency=\"stripe\"} 2",
            "counterpart_hub_outside_failures{dependency=\"stripe\"} 3",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
