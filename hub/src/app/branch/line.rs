//! The lines to branches' machines: connected or cut off, since when, and what each side still waits for.

use std::collections::BTreeMap;

use domain::id::BranchId;
use sync_protocol::feed::{Cursor, FeedId};
use sync_protocol::position::NodeId;

use super::BranchRecord;
use crate::app::error::AppError;
use crate::app::{Hub, Link, NodeRow, branch_feeds};
use crate::store::sync::{feed, node};

/// What the line to a branch's machine is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkState {
    /// A machine speaks for it and is not heard.
    CutOff,
    /// No machine has joined yet, or the last was revoked.
    NoMachine,
    /// A session is open.
    Connected,
}

impl LinkState {
    /// The name used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            LinkState::CutOff => "cut_off",
            LinkState::NoMachine => "no_machine",
            LinkState::Connected => "connected",
        }
    }

    /// Every name.
    pub const NAMES: [&'static str; 3] = ["connected", "cut_off", "no_machine"];
}

/// The line to a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BranchLink {
    /// What it is doing.
    pub state: LinkState,
    /// Since when, as far as this process knows.
    pub since_ms: Option<i64>,
    /// When the branch was last heard.
    pub last_contact_ms: Option<i64>,
    /// Transactions of the branch that the hub knows of and does not have yet.
    pub transactions_behind: u64,
    /// Feed entries that the branch has not applied yet.
    pub entries_behind: u64,
    /// The active machine.
    pub node: Option<NodeId>,
}

/// A branch with the state of its line.
#[derive(Debug, Clone, PartialEq)]
pub struct BranchState {
    /// The branch.
    pub record: BranchRecord,
    /// Its line.
    pub link: BranchLink,
}

/// What is known of the lines to all branches at one moment.
#[derive(Debug)]
pub struct Lines {
    active: BTreeMap<BranchId, NodeRow>,
    heads: BTreeMap<FeedId, u64>,
    cursors: BTreeMap<NodeId, Vec<Cursor>>,
    links: BTreeMap<NodeId, Link>,
}

/// The newest machine of each branch that may speak for it.
fn active(nodes: Vec<NodeRow>) -> BTreeMap<BranchId, NodeRow> {
    let mut active: BTreeMap<BranchId, NodeRow> = BTreeMap::new();
    for row in nodes
        .into_iter()
        .filter(|row| row.revoked.is_none() && !row.closed)
    {
        let is_newer = active
            .get(&row.branch)
            .is_none_or(|known| known.enrolled_ms <= row.enrolled_ms);
        if is_newer {
            active.insert(row.branch, row);
        }
    }
    active
}

/// Since when the line to a machine is as it is, as far as this process knows.
fn since(node: &NodeRow, link: Option<&Link>) -> Option<i64> {
    link.map(|link| link.since_ms)
        .or(node.last_contact_ms)
        .or(Some(node.enrolled_ms))
}

impl Lines {
    /// Reads what is known now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read(hub: &Hub) -> Result<Self, AppError> {
        let (nodes, heads) = {
            let mut connection = hub.snapshot().await?;
            let heads = feed::all_tips(&mut connection)
                .await?
                .into_iter()
                .map(|(feed, tip)| (feed, tip.n))
                .collect();
            (node::all(&mut connection).await?, heads)
        };
        Ok(Self {
            active: active(nodes),
            heads,
            cursors: hub.cursors().await?,
            links: hub.links(),
        })
    }

    /// The state of every line that has a machine, and since when.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn states(hub: &Hub) -> Result<Vec<(BranchId, LinkState, Option<i64>)>, AppError> {
        let nodes = active(hub.all_nodes().await?);
        let links = hub.links();
        let state = |node: &NodeRow| match links.get(&node.node) {
            Some(link) if link.is_connected => LinkState::Connected,
            _ => LinkState::CutOff,
        };
        Ok(nodes
            .into_values()
            .map(|node| {
                (
                    node.branch,
                    state(&node),
                    since(&node, links.get(&node.node)),
                )
            })
            .collect())
    }

    /// The line to a branch of a region.
    pub fn of(&self, branch: BranchId, region: &str) -> BranchLink {
        let Some(node) = self.active.get(&branch) else {
            return no_machine();
        };
        let link = self.links.get(&node.node);
        let is_connected = link.is_some_and(|link| link.is_connected);
        let cursors = self.cursors.get(&node.node);
        let applied = |feed: FeedId| {
            let known = cursors
                .into_iter()
                .flatten()
                .find(|cursor| cursor.kind == feed.kind);
            known.map_or(0, |cursor| cursor.n)
        };
        let behind = |feed: &FeedId| {
            let head = self.heads.get(feed).copied().unwrap_or(0);
            head.saturating_sub(applied(*feed))
        };
        BranchLink {
            state: if is_connected {
                LinkState::Connected
            } else {
                LinkState::CutOff
            },
            since_ms: since(node, link),
            last_contact_ms: link
                .map(|link| link.last_contact_ms)
                .max(node.last_contact_ms),
            transactions_behind: node.hello_tip_seq.saturating_sub(node.tip.seq),
            entries_behind: branch_feeds(branch, region).iter().map(behind).sum(),
            node: Some(node.node),
        }
    }
}

/// Puts the state of the lines to branches.
///
/// # Errors
/// When the database fails.
pub async fn with_links(
    hub: &Hub,
    records: Vec<BranchRecord>,
) -> Result<Vec<BranchState>, AppError> {
    let lines = Lines::read(hub).await?;
    let state = |record: BranchRecord| BranchState {
        link: lines.of(record.id, &record.fields.region),
        record,
    };
    Ok(records.into_iter().map(state).collect())
}

fn no_machine() -> BranchLink {
    BranchLink {
        state: LinkState::NoMachine,
        since_ms: None,
        last_contact_ms: None,
        transactions_behind: 0,
        entries_behind: 0,
        node: None,
    }
}

/// When the hub last heard of each branch's stock: now for those that are connected.
///
/// # Errors
/// When the database fails.
pub async fn heard(hub: &Hub) -> Result<BTreeMap<BranchId, i64>, AppError> {
    let (now_ms, links) = (hub.env().now_ms(), hub.links());
    let mut heard = BTreeMap::new();
    for row in hub.all_nodes().await? {
        let link = links.get(&row.node);
        let at_ms = match link {
            Some(link) if link.is_connected => Some(now_ms),
            link => link
                .map(|link| link.last_contact_ms)
                .max(row.last_contact_ms),
        };
        if let Some(at_ms) = at_ms {
            let known: &mut i64 = heard.entry(row.branch).or_insert(at_ms);
            *known = (*known).max(at_ms);
        }
    }
    Ok(heard)
}
