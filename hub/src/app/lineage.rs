//! Admission of sessions, what the hub knows of nodes, and the state of the lines to them.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use domain::id::BranchId;
use sync_protocol::feed::{Cursor, FeedId};
use sync_protocol::hub_session::NodeState;
use sync_protocol::line::{Lineage, LineageRow};
use sync_protocol::message::{Close, CloseReason, Hello};
use sync_protocol::position::NodeId;
use sync_protocol::transaction::next_hlc;

pub use crate::store::sync::node::NodeRow;

use super::Hub;
use super::watch::{Activity, SessionEvent, Topic};
use crate::error::HubError;
use crate::store::db;
use crate::store::locations;
use crate::store::sync::{feed, log, node};

/// Highest schema that a branch's database may have with this release: all numbers of protocol 1's first line.
const BRANCH_SCHEMA: u32 = 1_000;

/// The line to a node, as this process sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Whether a session is open here.
    pub is_connected: bool,
    /// Number of the newest session here.
    pub session: u64,
    /// Since when it is so.
    pub since_ms: i64,
    /// When the node was last heard.
    pub last_contact_ms: i64,
}

/// What happened to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkChange {
    /// A session opened.
    Connected {
        /// Its number.
        session: u64,
    },
    /// Something was heard.
    Contact {
        /// In this session.
        session: u64,
    },
    /// Nothing was heard for longer than any line that is well is silent.
    Silent {
        /// In this session, which may still come back.
        session: u64,
    },
    /// A session ended.
    Gone {
        /// Its number.
        session: u64,
    },
}

impl Link {
    /// Notes a change; gives whether it is one that people see at once.
    fn change(&mut self, change: LinkChange, now_ms: i64) -> bool {
        match change {
            LinkChange::Connected { session } => {
                *self = Self {
                    is_connected: true,
                    session,
                    since_ms: now_ms,
                    last_contact_ms: now_ms,
                };
                true
            }
            LinkChange::Contact { session } if session == self.session => {
                let is_back = !self.is_connected;
                if is_back {
                    (self.is_connected, self.since_ms) = (true, now_ms);
                }
                self.last_contact_ms = now_ms;
                is_back
            }
            LinkChange::Silent { session } if session == self.session && self.is_connected => {
                (self.is_connected, self.since_ms) = (false, self.last_contact_ms);
                true
            }
            // The end of a session that fell silent before is nothing new.
            LinkChange::Gone { session } if session == self.session && self.is_connected => {
                (self.is_connected, self.since_ms) = (false, now_ms);
                self.last_contact_ms = now_ms;
                true
            }
            LinkChange::Contact { .. } | LinkChange::Silent { .. } | LinkChange::Gone { .. } => {
                false
            }
        }
    }
}

/// Lines by node.
#[derive(Debug, Default)]
pub(crate) struct Links(BTreeMap<NodeId, Link>);

/// The feeds that a branch of this region reads.
pub fn branch_feeds(branch: BranchId, region: &str) -> Vec<FeedId> {
    vec![
        FeedId::private(branch),
        FeedId::chain(),
        FeedId::availability(region),
        FeedId::register(),
    ]
}

fn refuse(reason: CloseReason, detail: &str) -> Close {
    Close {
        reason,
        detail: detail.to_owned(),
    }
}

impl Hub {
    /// Takes a Hello: raises the node's session number, so that no older session commits anything more (INV-10), and
    /// gives what the session needs to know. `branch` is the one of the node's certificate.
    pub async fn admit(
        &self,
        node: NodeId,
        branch: BranchId,
        hello: &Hello,
    ) -> Result<NodeState, Close> {
        match self.try_admit(node, branch, hello).await {
            Ok(Ok(state)) => {
                self.watch.session(SessionEvent::Replaced {
                    node,
                    session: state.session,
                });
                Ok(state)
            }
            Ok(Err(close)) => Err(close),
            Err(error) => {
                tracing::warn!(%error, %node, "a node cannot be admitted now");
                Err(refuse(
                    CloseReason::Busy,
                    "the hub cannot take in sessions now",
                ))
            }
        }
    }

    async fn try_admit(
        &self,
        node: NodeId,
        branch: BranchId,
        hello: &Hello,
    ) -> Result<Result<NodeState, Close>, HubError> {
        let mut sql = db::begin(&self.pool).await?;
        let version: String = hello
            .version
            .chars()
            .filter(|character| !character.is_control())
            .collect();
        let raised =
            node::raise_session(&mut sql, node, hello.tip.seq, &version, self.env.now_ms()).await?;
        let Some(row) = raised else {
            let known = node::find(&mut sql, node).await?;
            return Ok(Err(match known {
                Some(_) => refuse(CloseReason::Revoked, "this machine was revoked"),
                None => refuse(CloseReason::Held, "the hub does not know this machine"),
            }));
        };
        if row.branch != branch {
            return Ok(Err(refuse(
                CloseReason::Protocol,
                "the machine belongs to another branch",
            )));
        }
        self.watch.notify(&mut sql).await?;
        sql.commit().await?;
        let lineage = self.lineage(node).await?;
        if row.tip.epoch != hello.current_epoch && lineage.row(hello.current_epoch).is_some() {
            let detail =
                "the machine says Hello in an epoch that it had left: its database may be a clone";
            self.incident(Some(branch), "clone", detail).await?;
            return Ok(Err(refuse(CloseReason::Held, detail)));
        }
        Ok(Ok(self.node_state(row, lineage, hello).await?))
    }

    async fn node_state(
        &self,
        row: NodeRow,
        lineage: Lineage,
        hello: &Hello,
    ) -> Result<NodeState, HubError> {
        let feeds = self.feeds_of(row.branch).await?;
        let mut connection = self.pool.acquire().await?;
        let tips = feed::tips(&mut connection, &feeds).await?;
        let mut known_cursors = Vec::with_capacity(hello.cursors.len());
        for cursor in &hello.cursors {
            let known = match feeds.iter().find(|feed| feed.kind == cursor.kind) {
                Some(feed) => feed::knows(&mut connection, *feed, cursor).await?,
                None => false,
            };
            known_cursors.push(known);
        }
        let head = log::read_head(&mut connection).await?;
        drop(connection);
        let (keys, missing_keys) = self.key_state(row.branch).await?;
        Ok(NodeState {
            session: row.session,
            tip: row.tip,
            applied: row.applied,
            lineage,
            feeds: tips,
            known_cursors,
            keys,
            missing_keys,
            schema: BRANCH_SCHEMA,
            hlc: next_hlc(head.hlc, self.env.now_ms()),
        })
    }

    /// The feeds that a branch reads.
    pub(crate) async fn feeds_of(&self, branch: BranchId) -> Result<Vec<FeedId>, HubError> {
        let mut connection = self.pool.acquire().await?;
        let region = locations::region(&mut connection, branch)
            .await?
            .unwrap_or_default();
        Ok(branch_feeds(branch, &region))
    }

    /// The epochs that the hub holds of a node, oldest first.
    pub async fn lineage(&self, node: NodeId) -> Result<Lineage, HubError> {
        let mut connection = self.pool.acquire().await?;
        let rows: Vec<LineageRow> = node::lineage(&mut connection, &[node])
            .await?
            .into_iter()
            .map(|(_, row)| row)
            .collect();
        Lineage::new(rows).map_err(|_| HubError::Row("a lineage that does not hang together"))
    }

    /// Remembers how far a node has applied its feeds.
    pub async fn store_cursors(&self, node: NodeId, cursors: &[Cursor]) -> Result<(), HubError> {
        let mut connection = self.pool.acquire().await?;
        if let Some(row) = node::find(&mut connection, node).await? {
            node::save_cursors(&mut connection, row.branch, node, cursors).await?;
        }
        Ok(())
    }

    /// How far nodes have applied their feeds.
    pub async fn cursors(&self) -> Result<BTreeMap<NodeId, Vec<Cursor>>, HubError> {
        let mut connection = self.pool.acquire().await?;
        let mut cursors: BTreeMap<NodeId, Vec<Cursor>> = BTreeMap::new();
        for (node, cursor) in node::cursors(&mut connection).await? {
            cursors.entry(node).or_default().push(cursor);
        }
        Ok(cursors)
    }

    /// One node.
    pub async fn node(&self, node: NodeId) -> Result<Option<NodeRow>, HubError> {
        let mut connection = self.pool.acquire().await?;
        node::find(&mut connection, node).await
    }

    /// The nodes of a branch, the newest first.
    pub async fn nodes(&self, branch: BranchId) -> Result<Vec<NodeRow>, HubError> {
        let mut connection = self.pool.acquire().await?;
        node::of_branch(&mut connection, branch).await
    }

    /// All nodes, by branch.
    pub async fn all_nodes(&self) -> Result<Vec<NodeRow>, HubError> {
        let mut connection = self.pool.acquire().await?;
        node::all(&mut connection).await
    }

    /// Notes what happened to the line to a node.
    pub async fn link(&self, node: NodeId, change: LinkChange) -> Result<(), HubError> {
        let now_ms = self.env.now_ms();
        let news = {
            let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
            let link = links.0.entry(node).or_insert(Link {
                is_connected: false,
                session: 0,
                since_ms: now_ms,
                last_contact_ms: now_ms,
            });
            let is_news = link.change(change, now_ms);
            is_news.then_some(link.last_contact_ms)
        };
        if let Some(heard_ms) = news {
            self.watch.activity(Activity {
                topics: [Topic::Links].into(),
                documents: Vec::new(),
            });
            let mut connection = self.pool.acquire().await?;
            node::set_contact(&mut connection, node, heard_ms).await?;
        }
        Ok(())
    }

    /// The lines that this process has or had.
    pub fn links(&self) -> BTreeMap<NodeId, Link> {
        self.links
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .clone()
    }

    pub(crate) fn connected_sessions(&self) -> BTreeMap<NodeId, u64> {
        let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links
            .0
            .iter()
            .filter(|(_, link)| link.is_connected)
            .map(|(node, link)| (*node, link.session))
            .collect()
    }
}
