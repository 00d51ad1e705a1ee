//! What a connection needs of the hub's core.

use std::future::Future;

use domain::id::{BranchId, DocumentId};
use sync_protocol::block::LogEntry;
use sync_protocol::certificate::NodeName;
use sync_protocol::feed::{Cursor, FeedId, FeedTip};
use sync_protocol::head::{Countersignature, SignedHead};
use sync_protocol::hub_session::{NodeState, OutFeedBlock};
use sync_protocol::message::{Ack, Close, GivenKey, Grant, Hello, Join, Renew};
use sync_protocol::position::NodeId;
use tokio::sync::{broadcast, oneshot};

use crate::ca::NodeCertificate;

/// Something that open sessions must hear of.
#[derive(Debug, Clone)]
pub enum Notice {
    /// A feed grew.
    FeedGrew(FeedId, FeedTip),
    /// A newer Hello of the node raised its session number to this.
    Replaced {
        /// The node.
        node: NodeId,
        /// Its newest session.
        session: u64,
    },
    /// The node may no longer speak.
    Revoked {
        /// The node.
        node: NodeId,
        /// The sentence that the branch shows.
        detail: String,
    },
    /// The hub lacks person keys that this branch should have.
    KeysMissing {
        /// The branch.
        branch: BranchId,
        /// The persons.
        persons: Vec<DocumentId>,
    },
}

/// The hub's core as connections see it. Every refusal is a [`Close`]: its reason and sentence reach the branch.
pub trait HubCore: Send + Sync + 'static {
    /// Whether a node may speak at all: it is known, holds this key, and is not revoked.
    fn standing(&self, certificate: &NodeCertificate) -> impl Future<Output = Result<(), Close>> + Send;

    /// Raises the node's session number and reads its state.
    fn admit(&self, name: NodeName, hello: Hello) -> impl Future<Output = Result<NodeState, Close>> + Send;

    /// Queues entries for the group commit, waiting while the queue is full; the answer comes after the commit.
    fn submit(
        &self,
        name: NodeName,
        session: u64,
        entries: Vec<LogEntry>,
    ) -> impl Future<Output = oneshot::Receiver<Result<Ack, Close>>> + Send;

    /// Entries of a feed behind `after`: at most about `limit_bytes` packed, one entry at least.
    fn read_feed(
        &self,
        name: NodeName,
        feed: FeedId,
        after: u64,
        limit_bytes: usize,
    ) -> impl Future<Output = Result<Vec<OutFeedBlock>, Close>> + Send;

    /// The ends of these feeds.
    fn feed_heads(&self, feeds: Vec<FeedId>) -> impl Future<Output = Result<Vec<(FeedId, FeedTip)>, Close>> + Send;

    /// Remembers how far the node has applied its feeds.
    fn store_cursors(&self, name: NodeName, cursors: Vec<Cursor>) -> impl Future<Output = Result<(), Close>> + Send;

    /// Keeps person keys that the node may give.
    fn store_keys(&self, name: NodeName, keys: Vec<GivenKey>) -> impl Future<Output = Result<(), Close>> + Send;

    /// Person keys that the branch may have; no persons = all of them.
    fn keys_for(
        &self,
        name: NodeName,
        persons: Vec<DocumentId>,
    ) -> impl Future<Output = Result<Vec<GivenKey>, Close>> + Send;

    /// Holds a signed head against the hub's copy; `None` where it does not fit, which is an incident already recorded.
    fn check_head(
        &self,
        name: NodeName,
        head: SignedHead,
    ) -> impl Future<Output = Result<Option<Countersignature>, Close>> + Send;

    /// Records that something is wrong between the hub and the node.
    fn incident(&self, name: NodeName, detail: String) -> impl Future<Output = ()> + Send;

    /// The node's session came up (`true`) or went.
    fn link(&self, name: NodeName, session: u64, is_up: bool) -> impl Future<Output = ()> + Send;

    /// Everything that open sessions must hear of, from now on.
    fn notices(&self) -> broadcast::Receiver<Notice>;

    /// Makes a machine a node, if its join code is good.
    fn join(&self, join: Join) -> impl Future<Output = Result<Grant, Close>> + Send;

    /// A fresh certificate for a known node that is not revoked.
    fn renew(&self, certificate: NodeCertificate, renew: Renew) -> impl Future<Output = Result<Grant, Close>> + Send;
}
