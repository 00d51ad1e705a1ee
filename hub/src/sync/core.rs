//! What a connection needs of the hub's core.

use std::future::Future;
use std::sync::Arc;

use domain::id::{BranchId, DocumentId};
use sync_protocol::block::LogEntry;
use sync_protocol::certificate::NodeName;
use sync_protocol::feed::{Cursor, FeedId, FeedTip};
use sync_protocol::head::{Countersignature, SignedHead};
use sync_protocol::hub_session::{NodeState, OutFeedBlock};
use sync_protocol::look_up::{LookUp, Reply};
use sync_protocol::mending::Gap;
use sync_protocol::mending::feed::FeedSpan;
use sync_protocol::message::{Ack, Close, CloseReason, GivenKey, Grant, Hello, Join, Renew};
use tokio::sync::{broadcast, oneshot};

use crate::app::mending::MendStep;
use crate::app::{Hub, LinkChange, SessionEvent, look_up};
use crate::ca::{Ca, NodeCertificate};
use crate::error::HubError;

/// The hub's core as connections see it. Every refusal is a [`Close`]: its reason and sentence reach the branch.
pub trait HubCore: Send + Sync + 'static {
    /// Whether a node may speak at all: it is known, holds this key, and is not revoked.
    fn standing(
        &self,
        certificate: &NodeCertificate,
    ) -> impl Future<Output = Result<(), Close>> + Send;

    /// Raises the node's session number and reads its state.
    fn admit(
        &self,
        name: NodeName,
        hello: Hello,
    ) -> impl Future<Output = Result<NodeState, Close>> + Send;

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

    /// Packed blocks for entries of a feed that the branch lost; none where they are not here or not sound.
    fn read_feed_span(
        &self,
        name: NodeName,
        feed: FeedId,
        span: FeedSpan,
    ) -> impl Future<Output = Result<Vec<Vec<u8>>, Close>> + Send;

    /// The ends of the feeds that a branch reads.
    fn feed_tips(
        &self,
        branch: BranchId,
    ) -> impl Future<Output = Result<Vec<(FeedId, FeedTip)>, Close>> + Send;

    /// Remembers how far the node has applied its feeds.
    fn store_cursors(
        &self,
        name: NodeName,
        cursors: Vec<Cursor>,
    ) -> impl Future<Output = Result<(), Close>> + Send;

    /// Keeps person keys that the node may give.
    fn store_keys(
        &self,
        name: NodeName,
        keys: Vec<GivenKey>,
    ) -> impl Future<Output = Result<(), Close>> + Send;

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

    /// Goes on with an order to ask the node for what is missing of its log; gives what to ask for next.
    fn mend(&self, name: NodeName, step: MendStep) -> impl Future<Output = Option<Gap>> + Send;

    /// Answers what somebody at the node's branch asks.
    fn look_up(&self, name: NodeName, asked: LookUp) -> impl Future<Output = Reply> + Send;

    /// Records that something is wrong between the hub and the node.
    fn incident(&self, name: NodeName, detail: String) -> impl Future<Output = ()> + Send;

    /// What happened to the line to a node.
    fn link(&self, name: NodeName, change: LinkChange) -> impl Future<Output = ()> + Send;

    /// Feeds that grow, from now on.
    fn feed_watch(&self) -> broadcast::Receiver<(FeedId, FeedTip)>;

    /// Sessions that must end, from now on.
    fn session_watch(&self) -> broadcast::Receiver<SessionEvent>;

    /// Makes a machine a node, if its join code is good.
    fn join(&self, join: Join) -> impl Future<Output = Result<Grant, Close>> + Send;

    /// A fresh certificate for a known node that is not revoked.
    fn renew(
        &self,
        certificate: NodeCertificate,
        renew: Renew,
    ) -> impl Future<Output = Result<Grant, Close>> + Send;
}

/// The hub and its authority, as connections see them.
#[derive(Debug, Clone)]
pub struct Core {
    /// The hub.
    pub hub: Arc<Hub>,
    /// The authority.
    pub ca: Arc<Ca>,
}

fn failed(error: HubError) -> Close {
    tracing::warn!(%error, "a session cannot be served");
    let reason = if error.is_transient() {
        CloseReason::Busy
    } else {
        CloseReason::Internal
    };
    Close {
        reason,
        detail: "the hub cannot serve this session now".to_owned(),
    }
}

impl HubCore for Core {
    async fn standing(&self, certificate: &NodeCertificate) -> Result<(), Close> {
        self.hub.standing(certificate).await?;
        Ok(())
    }

    async fn admit(&self, name: NodeName, hello: Hello) -> Result<NodeState, Close> {
        self.hub.admit(name.node, name.branch, &hello).await
    }

    async fn submit(
        &self,
        name: NodeName,
        session: u64,
        entries: Vec<LogEntry>,
    ) -> oneshot::Receiver<Result<Ack, Close>> {
        self.hub.submit(name.node, session, entries).await
    }

    async fn read_feed(
        &self,
        name: NodeName,
        feed: FeedId,
        after: u64,
        limit_bytes: usize,
    ) -> Result<Vec<OutFeedBlock>, Close> {
        self.hub
            .read_feed(name.branch, feed, after, limit_bytes)
            .await
            .map_err(failed)
    }

    async fn read_feed_span(
        &self,
        name: NodeName,
        feed: FeedId,
        span: FeedSpan,
    ) -> Result<Vec<Vec<u8>>, Close> {
        let blocks = self.hub.read_feed_span(name.branch, feed, &span).await;
        let blocks = blocks.map_err(failed)?;
        tracing::warn!(%span, node = %name.node, blocks = blocks.len(), "a branch lost feed entries and asked for them");
        Ok(blocks)
    }

    async fn feed_tips(&self, branch: BranchId) -> Result<Vec<(FeedId, FeedTip)>, Close> {
        self.hub.feed_tips(branch).await.map_err(failed)
    }

    async fn store_cursors(&self, name: NodeName, cursors: Vec<Cursor>) -> Result<(), Close> {
        self.hub
            .store_cursors(name.node, &cursors)
            .await
            .map_err(failed)
    }

    async fn store_keys(&self, name: NodeName, keys: Vec<GivenKey>) -> Result<(), Close> {
        self.hub.store_keys(name.node, keys).await.map_err(failed)
    }

    async fn keys_for(
        &self,
        name: NodeName,
        persons: Vec<DocumentId>,
    ) -> Result<Vec<GivenKey>, Close> {
        self.hub
            .keys_for(name.branch, &persons)
            .await
            .map_err(failed)
    }

    async fn check_head(
        &self,
        name: NodeName,
        head: SignedHead,
    ) -> Result<Option<Countersignature>, Close> {
        self.hub.check_head(name.node, &head).await.map_err(failed)
    }

    async fn mend(&self, name: NodeName, step: MendStep) -> Option<Gap> {
        let gap = self.hub.mend(name.node, step).await;
        gap.unwrap_or_else(|error| {
            tracing::warn!(%error, node = %name.node, "the log is mended later");
            None
        })
    }

    async fn look_up(&self, name: NodeName, asked: LookUp) -> Reply {
        look_up::answer(&self.hub, name, &asked).await
    }

    async fn incident(&self, name: NodeName, detail: String) {
        if let Err(error) = self
            .hub
            .incident(Some(name.branch), "session", &detail)
            .await
        {
            tracing::warn!(%error, detail, "an incident was not recorded");
        }
    }

    async fn link(&self, name: NodeName, change: LinkChange) {
        if let Err(error) = self.hub.link(name.node, change).await {
            tracing::debug!(%error, "the time of contact was not kept");
        }
    }

    fn feed_watch(&self) -> broadcast::Receiver<(FeedId, FeedTip)> {
        self.hub.feed_watch()
    }

    fn session_watch(&self) -> broadcast::Receiver<SessionEvent> {
        self.hub.session_watch()
    }

    async fn join(&self, join: Join) -> Result<Grant, Close> {
        Ok(self.hub.join(&self.ca, &join).await?)
    }

    async fn renew(&self, certificate: NodeCertificate, renew: Renew) -> Result<Grant, Close> {
        Ok(self.hub.renew(&self.ca, &certificate, &renew).await?)
    }
}
