//! The connections of this process, and what each must hear of.
//!
//! A mailbox holds only the newest end of each feed, so it never grows with the number of events. It is opened before the
//! node's state is read, so that nothing can slip between the state and the first event.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::BranchId;
use sync_protocol::certificate::NodeName;
use sync_protocol::feed::{FeedId, FeedKind, FeedTip};
use sync_protocol::message::{Close, CloseReason};
use sync_protocol::position::NodeId;
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;

use super::core::HubCore;
use crate::app::SessionEvent;

/// What waits for a connection.
#[derive(Debug, Default)]
pub(super) struct Mail {
    /// Feeds that grew, with their ends.
    pub grown: BTreeMap<FeedId, FeedTip>,
    /// The session must end.
    pub end: Option<Close>,
    /// The node is to be asked for what is missing of its log.
    pub mend: bool,
}

/// One connection's mail.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    mail: Mutex<Mail>,
    arrived: Notify,
}

impl Mailbox {
    fn put(&self, change: impl FnOnce(&mut Mail)) {
        change(&mut self.mail.lock().unwrap_or_else(PoisonError::into_inner));
        self.arrived.notify_one();
    }

    /// Waits until there is mail and takes it all.
    pub(super) async fn take(&self) -> Mail {
        self.arrived.notified().await;
        std::mem::take(&mut *self.mail.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Debug)]
struct Entry {
    name: NodeName,
    session: Option<u64>,
    /// `None` until the node's state is known: then every availability feed could be its own.
    availability: Option<FeedId>,
    mailbox: Arc<Mailbox>,
}

impl Entry {
    fn reads(&self, feed: FeedId) -> bool {
        match feed.kind {
            FeedKind::Private => feed == FeedId::private(self.name.branch),
            FeedKind::Availability => self.availability.is_none_or(|own| own == feed),
            FeedKind::Chain | FeedKind::Register => true,
        }
    }
}

/// All connections that speak `counterpart/1`.
#[derive(Debug, Default)]
pub(super) struct Registry {
    connections: Mutex<Connections>,
}

#[derive(Debug, Default)]
struct Connections {
    next: u64,
    open: BTreeMap<u64, Entry>,
}

/// A place in the registry; leaving the scope takes the connection out.
#[derive(Debug)]
pub(super) struct Place {
    registry: Arc<Registry>,
    number: u64,
    /// The connection's mail.
    pub(super) mailbox: Arc<Mailbox>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.registry.lock().open.remove(&self.number);
    }
}

impl Place {
    /// The node was admitted: older sessions of it end here, or this one, if it is the older.
    pub(super) fn admitted(&self, session: u64, feeds: &[(FeedId, FeedTip)]) {
        let mut connections = self.registry.lock();
        let Some(own) = connections.open.get_mut(&self.number) else {
            return;
        };
        own.session = Some(session);
        own.availability = feeds
            .iter()
            .map(|(feed, _)| *feed)
            .find(|feed| feed.kind == FeedKind::Availability);
        let node = own.name.node;
        let newest = connections.sessions_of(node).max().unwrap_or(session);
        connections.end_older(node, newest);
    }
}

impl Connections {
    fn sessions_of(&self, node: NodeId) -> impl Iterator<Item = u64> {
        self.open
            .values()
            .filter(move |entry| entry.name.node == node)
            .filter_map(|entry| entry.session)
    }

    fn end_older(&self, node: NodeId, newest: u64) {
        for entry in self.open.values() {
            if entry.name.node == node && entry.session.is_some_and(|session| session < newest) {
                let detail = "a newer session of this node took over".to_owned();
                entry.mailbox.put(|mail| {
                    mail.end = Some(Close {
                        reason: CloseReason::Replaced,
                        detail,
                    })
                });
            }
        }
    }
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection of a node.
    pub(super) fn enter(self: &Arc<Self>, name: NodeName) -> Place {
        let mailbox = Arc::new(Mailbox::default());
        let mut connections = self.lock();
        connections.next += 1;
        let number = connections.next;
        let entry = Entry {
            name,
            session: None,
            availability: None,
            mailbox: mailbox.clone(),
        };
        connections.open.insert(number, entry);
        Place {
            registry: self.clone(),
            number,
            mailbox,
        }
    }

    fn feed_grew(&self, feed: FeedId, tip: FeedTip) {
        for entry in self.lock().open.values().filter(|entry| entry.reads(feed)) {
            entry.mailbox.put(|mail| {
                let known = mail.grown.entry(feed).or_insert(tip);
                if tip.n > known.n {
                    *known = tip;
                }
            });
        }
    }

    fn session_event(&self, event: SessionEvent) {
        let connections = self.lock();
        match event {
            SessionEvent::Replaced { node, session } => connections.end_older(node, session),
            SessionEvent::Mend { node } => {
                let open = connections.open.values();
                for entry in open.filter(|entry| entry.name.node == node) {
                    entry.mailbox.put(|mail| mail.mend = true);
                }
            }
            SessionEvent::Revoked { node } => {
                for entry in connections
                    .open
                    .values()
                    .filter(|entry| entry.name.node == node)
                {
                    let detail = "this machine was revoked".to_owned();
                    entry.mailbox.put(|mail| {
                        mail.end = Some(Close {
                            reason: CloseReason::Revoked,
                            detail,
                        })
                    });
                }
            }
        }
    }

    fn branches(&self) -> BTreeSet<BranchId> {
        self.lock()
            .open
            .values()
            .map(|entry| entry.name.branch)
            .collect()
    }

    /// Hands on what the core tells until it is gone. When something was missed the ends of all feeds are read again; a
    /// replaced or revoked node whose event was missed is stopped by its next commit.
    pub(super) async fn dispatch<C: HubCore>(self: Arc<Self>, core: Arc<C>) {
        let mut feeds = core.feed_watch();
        let mut sessions = core.session_watch();
        loop {
            tokio::select! {
                grew = feeds.recv() => match grew {
                    Ok((feed, tip)) => self.feed_grew(feed, tip),
                    Err(RecvError::Closed) => return,
                    Err(RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, "growth of feeds was missed; reading their ends");
                        self.read_tips(core.as_ref()).await;
                    }
                },
                event = sessions.recv() => match event {
                    Ok(event) => self.session_event(event),
                    Err(RecvError::Closed) => return,
                    Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "ends of sessions were missed"),
                },
            }
        }
    }

    async fn read_tips<C: HubCore>(&self, core: &C) {
        for branch in self.branches() {
            for (feed, tip) in core.feed_tips(branch).await.unwrap_or_default() {
                self.feed_grew(feed, tip);
            }
        }
    }
}
