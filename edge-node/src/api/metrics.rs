//! Figures for Prometheus: requests by route, and how far the branch is from the hub.
//!
//! Labels are routes, methods and statuses only, so their number is bounded and no id or person is among them.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::state::EdgeState;

const BUCKETS_S: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.03, 0.05, 0.1, 0.3, 1.0, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: String,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    method: String,
    route: String,
    status: u16,
}

/// The registry and what is counted by hand.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Family<Answer, Counter>,
    durations: Family<Route, Histogram>,
    link_connected: Gauge,
    log_seq: Gauge<u64, AtomicU64>,
    log_stored: Gauge<u64, AtomicU64>,
    log_applied: Gauge<u64, AtomicU64>,
    imported_rows: Counter,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

/// What the gauges show at a scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogFigures {
    /// Whether the line to the hub is up.
    pub connected: bool,
    /// The log's last entry.
    pub seq: u64,
    /// The last one that the hub stored.
    pub stored: u64,
    /// The last one that the hub applied.
    pub applied: u64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Everything at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("counterpart_edge");
        let requests = Family::<Answer, Counter>::default();
        let durations =
            Family::<Route, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS_S));
        let link_connected = Gauge::default();
        let log_seq = Gauge::<u64, AtomicU64>::default();
        let log_stored = Gauge::<u64, AtomicU64>::default();
        let log_applied = Gauge::<u64, AtomicU64>::default();
        let imported_rows = Counter::default();
        registry.register("http_requests", "Answered requests", requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "Time to the head of the answer",
            durations.clone(),
        );
        registry.register(
            "link_connected",
            "1 while the line to the hub is up",
            link_connected.clone(),
        );
        registry.register("log_seq", "Last entry of the log", log_seq.clone());
        registry.register(
            "log_stored",
            "Last entry stored at the hub",
            log_stored.clone(),
        );
        registry.register(
            "log_applied",
            "Last entry applied at the hub",
            log_applied.clone(),
        );
        registry.register(
            "imported_rows",
            "Rows read by imports",
            imported_rows.clone(),
        );
        Self {
            registry: Arc::new(registry),
            requests,
            durations,
            link_connected,
            log_seq,
            log_stored,
            log_applied,
            imported_rows,
        }
    }

    /// Counts rows that an import read.
    pub fn imported(&self, rows: u64) {
        self.imported_rows.inc_by(rows);
    }

    /// The text that Prometheus reads.
    ///
    /// # Errors
    /// Never for a text in memory; the writer's own error otherwise.
    pub fn render(&self, figures: &LogFigures) -> Result<String, std::fmt::Error> {
        self.link_connected.set(i64::from(figures.connected));
        self.log_seq.set(figures.seq);
        self.log_stored.set(figures.stored);
        self.log_applied.set(figures.applied);
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Counts every answer by its route; an address without a route counts as one.
pub(crate) async fn count(
    State(state): State<EdgeState>,
    request: Request,
    next: Next,
) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unknown", |path| path.as_str())
        .to_owned();
    let method = request.method().to_string();
    let began = Instant::now();
    let response = next.run(request).await;
    let metrics = state.metrics();
    let status = response.status().as_u16();
    metrics
        .durations
        .get_or_create(&Route {
            method: method.clone(),
            route: route.clone(),
        })
        .observe(began.elapsed().as_secs_f64());
    metrics
        .requests
        .get_or_create(&Answer {
            method,
            route,
            status,
        })
        .inc();
    response
}
