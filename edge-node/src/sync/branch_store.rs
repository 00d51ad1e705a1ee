//! What the line needs of the branch's database.

use std::future::Future;
use std::time::Duration;

use domain::id::DocumentId;
use sync_protocol::feed::{Cursor, FeedBlock, FeedId};
use sync_protocol::head::{Countersignature, HeadClaim, SignedHead};
use sync_protocol::mending::LogSpan;
use sync_protocol::mending::feed::FeedGap;
use sync_protocol::message::{Ack, FeedHead, GivenKey, Hello, Welcome};
use sync_protocol::position::Tip;
use tokio::sync::watch;

use crate::error::AppError;
use crate::store::log::ReadLog;
use crate::store::{FeedStep, Store};

/// The program's version, as Hello says it.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// While the writer's queue is full the line steps back for people at the counter and tries again after this time.
const BUSY_RETRY: Duration = Duration::from_millis(20);
/// A clock further from the hub's than this is marked, in milliseconds.
const CLOCK_OFF_MS: u64 = 60_000;

/// What a session begins with.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Tip, lineage, cursors and keys, read in one moment.
    pub hello: Hello,
    /// The feeds that this branch reads.
    pub feeds: Vec<FeedId>,
}

/// The branch's database as the line sees it.
pub trait BranchStore: Clone + Send + Sync + 'static {
    /// The end of the log, as it grows.
    fn tips(&self) -> watch::Receiver<Tip>;

    /// Number of the newest entry that a signed head should vouch for soon.
    fn vouch_for(&self) -> u64;

    /// How often the feeds were to be looked through for entries that are lost here, as it grows.
    fn feed_checks(&self) -> watch::Receiver<u64>;

    /// Everything that Hello says.
    fn opening(&self) -> impl Future<Output = Result<Opening, AppError>> + Send;

    /// Whole blocks behind `after`, at most about `limit_bytes` packed, one at least.
    fn read_log(
        &self,
        after: Tip,
        limit_bytes: usize,
    ) -> impl Future<Output = Result<ReadLog, AppError>> + Send;

    /// Packed blocks for entries that the hub lost; none where they are not here or not sound.
    fn read_span(
        &self,
        span: LogSpan,
    ) -> impl Future<Output = Result<Vec<Vec<u8>>, AppError>> + Send;

    /// Remembers what the hub has.
    fn acknowledge(&self, ack: Ack) -> impl Future<Output = Result<(), AppError>> + Send;

    /// Takes the hub's time and schema.
    fn welcomed(&self, welcome: &Welcome) -> impl Future<Output = Result<(), AppError>> + Send;

    /// Applies a feed block, moves the cursor with it and keeps the head that it reaches.
    fn apply_feed(
        &self,
        block: FeedBlock,
        head: Option<FeedHead>,
    ) -> impl Future<Output = Result<Cursor, AppError>> + Send;

    /// Goes on with looking for lost entries of the feeds; gives what the hub is to be asked for next.
    fn mend_feeds(
        &self,
        step: FeedStep,
    ) -> impl Future<Output = Result<Option<FeedGap>, AppError>> + Send;

    /// Keeps person keys.
    fn store_keys(&self, keys: Vec<GivenKey>) -> impl Future<Output = Result<(), AppError>> + Send;

    /// Person keys for the hub; no persons = all that were created here.
    fn keys_for_hub(
        &self,
        persons: Vec<DocumentId>,
    ) -> impl Future<Output = Result<Vec<GivenKey>, AppError>> + Send;

    /// Number of the last entry that a signed head of this node vouches for.
    fn last_head_seq(&self) -> impl Future<Output = Result<u64, AppError>> + Send;

    /// Tip and stock digest of one moment.
    fn head_claim(&self) -> impl Future<Output = Result<HeadClaim, AppError>> + Send;

    /// Keeps a head that this node signed.
    fn store_head(&self, head: SignedHead) -> impl Future<Output = Result<(), AppError>> + Send;

    /// Keeps the hub's countersignature.
    fn store_countersignature(
        &self,
        signature: Countersignature,
    ) -> impl Future<Output = Result<(), AppError>> + Send;

    /// Records that something is wrong between the node and the hub.
    fn incident(&self, detail: String) -> impl Future<Output = Result<(), AppError>> + Send;
}

async fn patiently<T, F: Future<Output = Result<T, AppError>>>(
    mut work: impl FnMut() -> F,
) -> Result<T, AppError> {
    loop {
        match work().await {
            Err(AppError::Busy) => tokio::time::sleep(BUSY_RETRY).await,
            done => return done,
        }
    }
}

impl BranchStore for Store {
    fn tips(&self) -> watch::Receiver<Tip> {
        self.tip()
    }

    fn vouch_for(&self) -> u64 {
        Store::vouch_for(self)
    }

    fn feed_checks(&self) -> watch::Receiver<u64> {
        Store::feed_checks(self)
    }

    async fn opening(&self) -> Result<Opening, AppError> {
        Ok(Opening {
            hello: self.hello(VERSION).await?,
            feeds: self.feeds(),
        })
    }

    async fn read_log(&self, after: Tip, limit_bytes: usize) -> Result<ReadLog, AppError> {
        self.read_blocks(after, limit_bytes).await
    }

    async fn read_span(&self, span: LogSpan) -> Result<Vec<Vec<u8>>, AppError> {
        Store::read_span(self, span).await
    }

    async fn acknowledge(&self, ack: Ack) -> Result<(), AppError> {
        patiently(|| Store::acknowledge(self, ack)).await
    }

    async fn welcomed(&self, welcome: &Welcome) -> Result<(), AppError> {
        let now_ms = u64::try_from(self.env().now_ms()).unwrap_or(0);
        self.mark_clock(now_ms.abs_diff(welcome.hlc >> 16) > CLOCK_OFF_MS);
        Ok(())
    }

    async fn apply_feed(
        &self,
        block: FeedBlock,
        head: Option<FeedHead>,
    ) -> Result<Cursor, AppError> {
        patiently(|| self.apply_feed_block(block.clone(), head.clone())).await
    }

    async fn mend_feeds(&self, step: FeedStep) -> Result<Option<FeedGap>, AppError> {
        Store::mend_feeds(self, step).await
    }

    async fn store_keys(&self, keys: Vec<GivenKey>) -> Result<(), AppError> {
        patiently(|| Store::store_keys(self, keys.clone())).await
    }

    async fn keys_for_hub(&self, persons: Vec<DocumentId>) -> Result<Vec<GivenKey>, AppError> {
        self.read_keys(persons).await
    }

    async fn last_head_seq(&self) -> Result<u64, AppError> {
        Store::last_head_seq(self).await
    }

    async fn head_claim(&self) -> Result<HeadClaim, AppError> {
        Store::head_claim(self).await
    }

    async fn store_head(&self, head: SignedHead) -> Result<(), AppError> {
        patiently(|| Store::store_head(self, head.clone())).await
    }

    async fn store_countersignature(&self, signature: Countersignature) -> Result<(), AppError> {
        patiently(|| Store::store_countersignature(self, signature.clone())).await
    }

    async fn incident(&self, detail: String) -> Result<(), AppError> {
        patiently(|| self.record_incident("line", detail.clone())).await
    }
}
