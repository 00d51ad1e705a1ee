//! What the process tells itself and other hub processes after a commit.
//!
//! Hints only: whoever misses one finds the same by reading. One NOTIFY per commit wakes the other processes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use domain::id::DocumentId;
use sync_protocol::feed::{FeedId, FeedTip};
use sync_protocol::position::NodeId;
use tokio::sync::{Notify, broadcast};

use super::Hub;
use super::apply::Saved;
use crate::error::HubError;
use crate::store::db::{PgConnection, SqlError};
use crate::store::notice;
use crate::store::sync::{feed, node};

/// What pages show and should look at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Orders.
    Orders,
    /// Customers.
    Customers,
    /// Stock, reservations, settings of parts.
    Stock,
    /// Transfers.
    Transfers,
    /// Branches and their machines.
    Branches,
    /// People.
    Staff,
    /// Catalogue and presets.
    Parts,
    /// The company.
    Settings,
    /// Parked transactions.
    Parked,
    /// Exceptions.
    Exceptions,
    /// Payments, receipts, cash sessions, statements.
    Money,
    /// Nights and what they found.
    Nights,
    /// Lines to branches.
    Links,
}

/// Something changed.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    /// What to look at again.
    pub topics: BTreeSet<Topic>,
    /// Documents that changed.
    pub documents: Vec<DocumentId>,
}

/// What happens to sessions from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEvent {
    /// Sessions of the node below this number.
    Replaced {
        /// Whose.
        node: NodeId,
        /// The newest session.
        session: u64,
    },
    /// All sessions of the node.
    Revoked {
        /// Whose.
        node: NodeId,
    },
    /// The node is to be asked for what is missing of its log.
    Mend {
        /// Whose.
        node: NodeId,
    },
}

pub(crate) struct Watch {
    process: String,
    feeds: broadcast::Sender<(FeedId, FeedTip)>,
    sessions: broadcast::Sender<SessionEvent>,
    activity: broadcast::Sender<Activity>,
    known: Mutex<BTreeMap<FeedId, u64>>,
    zero_crossed: Notify,
    pieces_found: Notify,
}

impl Watch {
    pub(crate) fn new(process: [u8; 8]) -> Self {
        Watch {
            process: format!("{:016x}", u64::from_be_bytes(process)),
            feeds: broadcast::channel(4_096).0,
            sessions: broadcast::channel(256).0,
            activity: broadcast::channel(256).0,
            known: Mutex::new(BTreeMap::new()),
            zero_crossed: Notify::new(),
            pieces_found: Notify::new(),
        }
    }

    /// Tells the other processes, once this SQL transaction commits.
    pub(crate) async fn notify(&self, connection: &mut PgConnection) -> Result<(), SqlError> {
        notice::send(connection, &self.process).await
    }

    // Nobody listening is no failure of a broadcast.
    fn send<T>(sender: &broadcast::Sender<T>, value: T) {
        drop(sender.send(value));
    }

    pub(crate) fn feed_grew(&self, feed: FeedId, tip: FeedTip) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let n = known.entry(feed).or_default();
        if tip.n > *n {
            *n = tip.n;
            Self::send(&self.feeds, (feed, tip));
        }
    }

    pub(crate) fn session(&self, event: SessionEvent) {
        Self::send(&self.sessions, event);
    }

    pub(crate) fn activity(&self, activity: Activity) {
        Self::send(&self.activity, activity);
    }

    /// Tells what a commit did.
    pub(crate) fn committed(&self, saved: &Saved) {
        for (feed, tip) in &saved.feeds {
            self.feed_grew(*feed, *tip);
        }
        for node in &saved.revoked {
            self.session(SessionEvent::Revoked { node: *node });
        }
        if saved.zero_crossed {
            self.zero_crossed.notify_one();
        }
        if saved.pieces_found {
            self.pieces_found.notify_one();
        }
        if !saved.topics.is_empty() {
            let documents = saved
                .documents
                .iter()
                .map(|document| document.id())
                .collect();
            self.activity(Activity {
                topics: saved.topics.clone(),
                documents,
            });
        }
    }
}

impl Hub {
    /// Feeds that grow. A receiver that lags reads [`Hub::feed_tips`] and goes on.
    pub fn feed_watch(&self) -> broadcast::Receiver<(FeedId, FeedTip)> {
        self.watch.feeds.subscribe()
    }

    /// Sessions that must end, or that have something to ask.
    pub fn session_watch(&self) -> broadcast::Receiver<SessionEvent> {
        self.watch.sessions.subscribe()
    }

    /// What changes, for pages.
    pub fn activity(&self) -> broadcast::Receiver<Activity> {
        self.watch.activity.subscribe()
    }
}

impl Hub {
    /// Whether a notice is of this very process.
    pub(crate) fn is_own_notice(&self, notice: &str) -> bool {
        notice == self.watch.process
    }

    /// Tells pages and workers to look at something again that no log carries.
    pub(crate) fn tell(&self, topic: Topic) {
        self.watch.activity(Activity {
            topics: [topic].into(),
            documents: Vec::new(),
        });
    }

    /// Waits until a part reached or left zero.
    pub(crate) async fn zero_crossed(&self) {
        self.watch.zero_crossed.notified().await;
    }

    /// Waits until pieces arrive that were written off.
    pub(crate) async fn pieces_found(&self) {
        self.watch.pieces_found.notified().await;
    }

    /// Finds what other processes committed, and tells it here.
    pub(crate) async fn follow_others(&self) -> Result<(), HubError> {
        let mut connection = self.pool.acquire().await?;
        let mut any = false;
        for (feed, tip) in feed::all_tips(&mut connection).await? {
            let known = self
                .watch
                .known
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&feed)
                .copied();
            if known.is_none_or(|n| n < tip.n) {
                any = true;
                self.watch.feed_grew(feed, tip);
            }
        }
        let connected = self.connected_sessions();
        if !connected.is_empty() {
            for row in node::all(&mut connection).await? {
                match connected.get(&row.node) {
                    Some(_) if row.revoked.is_some() => {
                        self.watch.session(SessionEvent::Revoked { node: row.node })
                    }
                    Some(session) if *session < row.session => {
                        self.watch.session(SessionEvent::Replaced {
                            node: row.node,
                            session: row.session,
                        });
                    }
                    _ => {}
                }
            }
        }
        if any {
            let topics = [
                Topic::Orders,
                Topic::Branches,
                Topic::Staff,
                Topic::Parts,
                Topic::Transfers,
                Topic::Settings,
            ];
            self.watch.activity(Activity {
                topics: topics.into(),
                documents: Vec::new(),
            });
        }
        Ok(())
    }
}
