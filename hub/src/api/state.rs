//! What the handlers of the running hub share.
//!
//! It holds handles and limits, no data of the chain: those are asked of the database each time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::extract::FromRef;
use tokio::sync::watch;
use web_kit::{
    FailureLimiter, FailureLimits, FormKey, HostAllowList, IdempotencySecret, Problem,
    SessionCookie,
};

use crate::app::Hub;
use crate::app::search::People;
use crate::ca::Ca;

/// What the state is made of.
#[derive(Debug)]
pub struct StateParts {
    /// The core.
    pub hub: Arc<Hub>,
    /// The authority of the chain.
    pub ca: Arc<Ca>,
    /// Names under which browsers reach the hub.
    pub hosts: HostAllowList,
    /// Whether pages go over TLS.
    pub over_tls: bool,
    /// Turns true when the program is to end: event streams end then.
    pub stopping: watch::Receiver<bool>,
}

/// The handlers' state; cheap to clone.
#[derive(Debug, Clone)]
pub struct HubState(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: StateParts,
    cookie: SessionCookie,
    secret: IdempotencySecret,
    people: People,
    tries: Mutex<FailureLimiter>,
    started: Instant,
}

impl HubState {
    /// The state of a hub that is about to be served.
    pub fn new(parts: StateParts) -> Self {
        let secret = IdempotencySecret::new(parts.hub.keys().idempotency);
        Self(Arc::new(Inner {
            people: People::new(&parts.hub),
            parts,
            cookie: SessionCookie::for_node("hub"),
            secret,
            tries: Mutex::new(FailureLimiter::new(FailureLimits::default())),
            started: Instant::now(),
        }))
    }

    /// The core.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.0.parts.hub
    }

    /// The authority of the chain.
    pub fn ca(&self) -> &Arc<Ca> {
        &self.0.parts.ca
    }

    /// The index of persons for search.
    pub fn people(&self) -> &People {
        &self.0.people
    }

    /// Names under which browsers reach the hub.
    pub fn hosts(&self) -> HostAllowList {
        self.0.parts.hosts.clone()
    }

    /// Whether pages go over TLS.
    pub fn is_over_tls(&self) -> bool {
        self.0.parts.over_tls
    }

    /// The cookie of page sessions.
    pub fn cookie(&self) -> &SessionCookie {
        &self.0.cookie
    }

    /// Turns true when the program is to end.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.0.parts.stopping.clone()
    }

    /// A key for a form that is being drawn.
    pub fn form_key(&self) -> FormKey {
        FormKey::from_random(self.hub().env().random())
    }

    /// Counts a try to sign in.
    ///
    /// # Errors
    /// 429 with the seconds to wait.
    pub fn count_try(&self, username: &str) -> Result<(), Problem> {
        let now_ms = u64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut tries = self.0.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries.attempt(username, now_ms)
    }

    /// Forgets the failed tries of a user name.
    pub fn forgive(&self, username: &str) {
        let mut tries = self.0.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries.succeeded(username);
    }
}

impl FromRef<HubState> for IdempotencySecret {
    fn from_ref(state: &HubState) -> Self {
        state.0.secret.clone()
    }
}

impl FromRef<HubState> for SessionCookie {
    fn from_ref(state: &HubState) -> Self {
        state.0.cookie.clone()
    }
}
