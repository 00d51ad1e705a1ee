//! What the handlers of one running branch share.
//!
//! It holds handles and limits, no data of the shop: those are asked of the store each time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::extract::FromRef;
use tokio::sync::{broadcast, watch};
use web_kit::{
    FailureLimiter, FailureLimits, FormKey, HostAllowList, IdempotencySecret, Problem,
    SessionCookie, SessionToken, WaitingToasts,
};

use super::live::ImportProgress;
use super::metrics::Metrics;
use crate::app::import::desk::Desk;
use crate::app::import::upload;
use crate::app::staff::{self, Grant, SessionKind};
use crate::store::Store;
use crate::sync::SyncHandle;

/// What the state is made of.
#[derive(Debug)]
pub struct StateParts {
    /// The open store.
    pub store: Store,
    /// The line to the hub.
    pub sync: SyncHandle,
    /// Names under which browsers reach this machine.
    pub hosts: HostAllowList,
    /// Whether pages go over TLS.
    pub over_tls: bool,
    /// Whether health and metrics stand beside the pages.
    pub observed_here: bool,
    /// The token of commands on this machine, made anew by each process.
    pub local_token: SessionToken,
    /// Turns true when the program is to end: event streams end then.
    pub stopping: watch::Receiver<bool>,
}

/// The handlers' state; cheap to clone.
#[derive(Debug, Clone)]
pub struct EdgeState(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: StateParts,
    cookie: SessionCookie,
    secret: IdempotencySecret,
    metrics: Metrics,
    tries: Mutex<FailureLimiter>,
    started: Instant,
    imports: broadcast::Sender<ImportProgress>,
    import_count: AtomicU64,
    desk: Desk,
    toasts: WaitingToasts,
}

impl EdgeState {
    /// The state of a branch that is about to be served.
    pub fn new(parts: StateParts) -> Self {
        let cookie = SessionCookie::for_node(&parts.store.identity().node.to_string());
        upload::remove_left_over(parts.store.dir());
        let secret = IdempotencySecret::new(parts.store.idempotency_key());
        Self(Arc::new(Inner {
            parts,
            cookie,
            secret,
            metrics: Metrics::new(),
            tries: Mutex::new(FailureLimiter::new(FailureLimits::default())),
            started: Instant::now(),
            imports: broadcast::Sender::new(64),
            import_count: AtomicU64::new(0),
            desk: Desk::default(),
            toasts: WaitingToasts::default(),
        }))
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.0.parts.store
    }

    /// The line to the hub.
    pub fn sync(&self) -> &SyncHandle {
        &self.0.parts.sync
    }

    /// Names under which browsers reach this machine.
    pub fn hosts(&self) -> HostAllowList {
        self.0.parts.hosts.clone()
    }

    /// Whether pages go over TLS.
    pub fn is_over_tls(&self) -> bool {
        self.0.parts.over_tls
    }

    /// Whether health and metrics stand beside the pages.
    pub fn is_observed_here(&self) -> bool {
        self.0.parts.observed_here
    }

    /// The cookie of page sessions.
    pub fn cookie(&self) -> &SessionCookie {
        &self.0.cookie
    }

    /// Tables on their way in.
    pub fn desk(&self) -> &Desk {
        &self.0.desk
    }

    /// What forms did, until the page that follows says it.
    pub fn toasts(&self) -> &WaitingToasts {
        &self.0.toasts
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Turns true when the program is to end.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.0.parts.stopping.clone()
    }

    /// Whether this is the token of a command on this machine.
    pub fn is_local(&self, token: &SessionToken) -> bool {
        self.0.parts.local_token == *token
    }

    /// A key for a form that is being drawn.
    pub fn form_key(&self) -> FormKey {
        FormKey::from_random(self.store().env().bytes())
    }

    /// Signs in, and slows down who guesses.
    ///
    /// # Errors
    /// 401 when name and password do not belong together, 429 after too many tries.
    pub async fn sign_in(
        &self,
        username: &str,
        password: &str,
        kind: SessionKind,
    ) -> Result<Grant, Problem> {
        // The name as it is looked up: spelling it otherwise is no way to more tries.
        let counted = username.trim().to_lowercase();
        self.tries().attempt(&counted, self.running_ms())?;
        let grant = staff::sign_in(self.store(), username, password, kind).await?;
        self.tries().succeeded(&counted);
        Ok(grant)
    }

    fn tries(&self) -> MutexGuard<'_, FailureLimiter> {
        self.0.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running_ms(&self) -> u64 {
        u64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// How far imports are, as it happens.
    pub fn imports(&self) -> broadcast::Receiver<ImportProgress> {
        self.0.imports.subscribe()
    }

    /// A number for an import that begins.
    pub fn next_import(&self) -> u64 {
        self.0.import_count.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Tells how far an import is; nobody has to listen.
    pub fn tell_import(&self, progress: ImportProgress) {
        let listeners = self.0.imports.send(progress).unwrap_or(0);
        tracing::trace!(listeners, "import progress told");
    }
}

impl FromRef<EdgeState> for IdempotencySecret {
    fn from_ref(state: &EdgeState) -> Self {
        state.0.secret.clone()
    }
}

impl FromRef<EdgeState> for SessionCookie {
    fn from_ref(state: &EdgeState) -> Self {
        state.0.cookie.clone()
    }
}
