//! The state of the line as pages and the API show it, and the switch that cuts it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use sync_protocol::feed::{Cursor, FeedKind};
use tokio::sync::{Mutex as AsyncMutex, mpsc, watch};
use tokio::time::Instant;

use super::look_up::{Asked, Questions, WAITING};
use crate::env::Env;

/// A page or an API call within this time counts as somebody watching.
const WATCHED_FOR: Duration = Duration::from_secs(15);

/// How the line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// A session is open and the hub answers.
    Connected,
    /// No session, and the hub was heard a moment ago or never tried before.
    Connecting,
    /// The hub has not answered for ten seconds.
    CutOff,
    /// Somebody cut the line here.
    Paused,
    /// The hub refuses this node until an operator decides.
    Held,
}

impl LinkState {
    /// The name in the API and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            LinkState::Connected => "connected",
            LinkState::Connecting => "connecting",
            LinkState::CutOff => "cut_off",
            LinkState::Paused => "paused",
            LinkState::Held => "held",
        }
    }
}

/// The ends of the hub's feeds as last heard: (feed, number of its last entry).
pub type FeedHeads = Vec<(FeedKind, u64)>;

/// The line at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkStatus {
    /// How it is.
    pub state: LinkState,
    /// Since when, in milliseconds since 1970.
    pub since_ms: i64,
    /// A sentence for people; empty where the state says all.
    pub detail: String,
    /// Number of the open session, as the hub counts them.
    pub session: Option<u64>,
    /// Feeds as last heard.
    pub heads: FeedHeads,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Wish {
    pub(super) is_paused: bool,
    pub(super) is_stopping: bool,
    pub(super) nudges: u64,
}

/// Pauses, resumes and watches the line; cheap to clone.
#[derive(Debug, Clone)]
pub struct SyncHandle {
    wish: Arc<watch::Sender<Wish>>,
    status: watch::Receiver<LinkStatus>,
    watched: Watched,
    questions: mpsc::Sender<Asked>,
}

/// The ends of a [`SyncHandle`] at the driver.
pub(super) struct Ends {
    pub(super) status: watch::Sender<LinkStatus>,
    pub(super) wishes: watch::Receiver<Wish>,
    pub(super) watched: Watched,
    pub(super) questions: Questions,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Watched(Arc<Mutex<Option<Instant>>>);

impl Watched {
    pub(super) fn is_now(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some_and(|at| at.elapsed() < WATCHED_FOR)
    }
}

impl SyncHandle {
    pub(super) fn new(env: &Env) -> (Self, Ends) {
        let first = LinkStatus {
            state: LinkState::Connecting,
            since_ms: env.now_ms(),
            detail: String::new(),
            session: None,
            heads: Vec::new(),
        };
        let (report, status) = watch::channel(first);
        let (wish, wishes) = watch::channel(Wish::default());
        let watched = Watched::default();
        let (questions, to_ask) = mpsc::channel(WAITING);
        let handle = Self {
            wish: Arc::new(wish),
            status,
            watched: watched.clone(),
            questions,
        };
        let ends = Ends {
            status: report,
            wishes,
            watched,
            questions: Arc::new(AsyncMutex::new(to_ask)),
        };
        (handle, ends)
    }

    pub(super) fn questions(&self) -> &mpsc::Sender<Asked> {
        &self.questions
    }

    /// The line now.
    pub fn status(&self) -> LinkStatus {
        self.status.borrow().clone()
    }

    /// The line as it changes.
    pub fn watch(&self) -> watch::Receiver<LinkStatus> {
        self.status.clone()
    }

    /// Cuts the line until [`SyncHandle::resume`].
    pub fn pause(&self) {
        self.wish.send_modify(|wish| wish.is_paused = true);
    }

    /// Takes the line up again.
    pub fn resume(&self) {
        self.wish.send_modify(|wish| {
            wish.is_paused = false;
            wish.nudges += 1;
        });
    }

    /// Tries now rather than when the next attempt is due.
    pub fn nudge(&self) {
        self.wish.send_modify(|wish| wish.nudges += 1);
    }

    /// Somebody looks at a page or asks the API: the hub is asked more often for the next 15 seconds.
    pub fn touch(&self) {
        let was_watched = self.watched.is_now();
        *self
            .watched
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        if !was_watched {
            self.nudge();
        }
    }

    /// Leaves the hub and ends the driver; waits until it has, at most a few seconds.
    pub async fn stop(&self) {
        self.wish.send_modify(|wish| wish.is_stopping = true);
        let mut status = self.status.clone();
        let ended = async { while status.changed().await.is_ok() {} };
        if tokio::time::timeout(Duration::from_secs(5), ended)
            .await
            .is_err()
        {
            tracing::warn!("the line did not end in time");
        }
    }
}

/// Sets the status, where it changes, with its time.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) status: watch::Sender<LinkStatus>,
    pub(super) env: Env,
}

impl Report {
    pub(super) fn set(&self, state: LinkState, detail: &str) {
        self.status.send_if_modified(|status| {
            if status.state == state && status.detail == detail {
                return false;
            }
            if status.state != state {
                status.since_ms = self.env.now_ms();
                tracing::info!(
                    from = status.state.as_str(),
                    to = state.as_str(),
                    detail,
                    "line"
                );
            }
            status.state = state;
            detail.clone_into(&mut status.detail);
            if !matches!(state, LinkState::Connected | LinkState::CutOff) {
                status.session = None;
            }
            true
        });
    }

    pub(super) fn state(&self) -> LinkState {
        self.status.borrow().state
    }

    pub(super) fn welcomed(&self, session: u64, heads: FeedHeads) {
        self.status.send_modify(|status| {
            status.session = Some(session);
            status.heads = heads;
        });
        self.set(LinkState::Connected, "");
    }

    pub(super) fn feed_at_least(&self, cursor: &Cursor) {
        self.status.send_if_modified(|status| {
            let Some(head) = status
                .heads
                .iter_mut()
                .find(|(kind, _)| *kind == cursor.kind)
            else {
                status.heads.push((cursor.kind, cursor.n));
                return true;
            };
            let grows = cursor.n > head.1;
            head.1 = head.1.max(cursor.n);
            grows
        });
    }
}
