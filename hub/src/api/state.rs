//! What the handlers of the running hub share.
//!
//! It holds handles and limits, no data of the chain: those are asked of the database each time.

use std::net::SocketAddr;
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
use crate::web::said::Memory;

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
    /// Where branches connect, UDP; none where this process takes none.
    pub branches: Option<SocketAddr>,
    /// The names that the operator gave to the hub.
    pub names: Vec<String>,
    /// Turns true when the program is to end: event streams end then.
    pub stopping: watch::Receiver<bool>,
}

/// Where branches join, as a person types it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BranchAddress {
    /// Host and port.
    pub(crate) text: String,
    /// From where it is reached.
    pub(crate) reach: Reach,
}

/// From where the address of branches is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// By the address that it names.
    Named,
    /// By every address of this computer.
    Everywhere,
    /// From this computer alone.
    Loopback,
}

/// The handlers' state; cheap to clone.
#[derive(Debug, Clone)]
pub struct HubState(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: StateParts,
    cookie: SessionCookie,
    secret: IdempotencySecret,
    said: Memory,
    tries: Mutex<FailureLimiter>,
    started: Instant,
}

impl HubState {
    /// The state of a hub that is about to be served.
    pub fn new(parts: StateParts) -> Self {
        let secret = IdempotencySecret::new(parts.hub.keys().idempotency);
        Self(Arc::new(Inner {
            parts,
            said: Memory::default(),
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
        self.hub().people()
    }

    /// What pages are to say once.
    pub(crate) fn said(&self) -> &Memory {
        &self.0.said
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

    /// The address that a branch's machine joins at, as an operator types it.
    pub(crate) fn branch_address(&self) -> BranchAddress {
        let Some(address) = self.0.parts.branches else {
            return BranchAddress {
                text: "HUB:PORT".to_owned(),
                reach: Reach::Named,
            };
        };
        let (ip, port) = (address.ip(), address.port());
        let name = self.0.parts.names.first();
        if ip.is_loopback() {
            return BranchAddress {
                text: address.to_string(),
                reach: Reach::Loopback,
            };
        }
        if !ip.is_unspecified() {
            let text = name.map_or_else(|| address.to_string(), |name| format!("{name}:{port}"));
            return BranchAddress {
                text,
                reach: Reach::Named,
            };
        }
        let own = rustix::system::uname();
        let own = own.nodename().to_string_lossy().into_owned();
        BranchAddress {
            text: format!("{}:{port}", name.cloned().unwrap_or(own)),
            reach: Reach::Everywhere,
        }
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
