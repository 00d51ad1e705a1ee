//! Giving feed entries out to sessions.
//!
//! The second check of INV-11 stands here: a private feed is given to its own branch only.

use std::collections::BTreeSet;

use domain::document::DocumentKind;
use domain::id::{BranchId, DocumentId};
use sync_protocol::compress::compress;
use sync_protocol::feed::{FeedBlock, FeedEntry, FeedId, FeedKind, FeedTip, head_mac};
use sync_protocol::hub_session::OutFeedBlock;
use sync_protocol::item::{Change, Snapshot, decode_body, kind};
use sync_protocol::limits::BLOCK_BYTES;
use sync_protocol::mending::KeptEntry;
use sync_protocol::mending::feed::{FeedSpan, feed_blocks_for};

use super::Hub;
use crate::error::HubError;
use crate::store::sync::feed;

/// Entries read at once.
const ENTRIES: i64 = 512;

impl Hub {
    /// Entries of `feed` behind number `after` for a session of `branch`, in blocks of at most 64 KiB (a larger entry
    /// alone), about `limit_bytes` packed but one block at least.
    pub async fn read_feed(
        &self,
        branch: BranchId,
        feed: FeedId,
        after: u64,
        limit_bytes: usize,
    ) -> Result<Vec<OutFeedBlock>, HubError> {
        own_feed(branch, feed)?;
        let mut connection = self.pool.acquire().await?;
        let Some(running) = feed::running(&mut connection, feed, after).await? else {
            return Ok(Vec::new());
        };
        let entries = feed::entries(&mut connection, feed, after, ENTRIES).await?;
        drop(connection);
        let mut blocks = Vec::new();
        let mut used = 0;
        let mut open = OpenBlock::new(feed, FeedTip { n: after, running });
        for (n, running, bytes) in entries {
            if !open.is_empty() && open.bytes.len() + bytes.len() > BLOCK_BYTES {
                let next = OpenBlock::new(feed, open.tip);
                let block = self
                    .finish_block(branch, std::mem::replace(&mut open, next))
                    .await?;
                used += block.packed.len();
                blocks.push(block);
                if used >= limit_bytes {
                    return Ok(blocks);
                }
            }
            open.push(n, running, &bytes)?;
        }
        if !open.is_empty() {
            blocks.push(self.finish_block(branch, open).await?);
        }
        Ok(blocks)
    }

    /// Packed blocks for entries of a feed that a branch lost, to a session of that branch; none where they are not here
    /// or not sound. Keys do not travel along: the branch had them with the entries.
    pub async fn read_feed_span(
        &self,
        branch: BranchId,
        feed: FeedId,
        span: &FeedSpan,
    ) -> Result<Vec<Vec<u8>>, HubError> {
        own_feed(branch, feed)?;
        let mut connection = self.pool.acquire().await?;
        let before = span.first.saturating_sub(1);
        // Where the entry before is gone too, what hangs on it is proven from the next one on.
        let known = feed::running(&mut connection, feed, before).await?;
        let limit = i64::try_from(span.count()).unwrap_or(ENTRIES);
        let rows = feed::entries(&mut connection, feed, before, limit).await?;
        drop(connection);
        let mut kept: Vec<KeptEntry> = rows
            .into_iter()
            .filter(|(n, _, _)| *n <= span.last)
            .map(|(n, running, bytes)| KeptEntry {
                seq: n,
                bytes,
                hash: running,
            })
            .collect();
        let before = match known {
            Some(running) => running,
            None if kept.is_empty() => return Ok(Vec::new()),
            None => kept.remove(0).hash,
        };
        let packed = tokio::task::spawn_blocking({
            let span = *span;
            move || {
                let blocks = feed_blocks_for(feed, &span, &before, &kept);
                blocks.iter().map(|bytes| compress(bytes)).collect()
            }
        });
        Ok(packed.await?)
    }

    async fn finish_block(
        &self,
        branch: BranchId,
        block: OpenBlock,
    ) -> Result<OutFeedBlock, HubError> {
        let persons: Vec<DocumentId> = block.persons.into_iter().collect();
        let keys = if persons.is_empty() {
            Vec::new()
        } else {
            self.keys_for(branch, &persons).await?
        };
        Ok(OutFeedBlock {
            feed: block.feed,
            packed: compress(&block.bytes),
            tip: block.tip,
            mac: head_mac(&self.keys.feed, block.feed, &block.tip),
            keys,
        })
    }

    /// The feeds that a branch reads, with their heads.
    pub async fn feed_tips(&self, branch: BranchId) -> Result<Vec<(FeedId, FeedTip)>, HubError> {
        let feeds = self.feeds_of(branch).await?;
        let mut connection = self.pool.acquire().await?;
        feed::tips(&mut connection, &feeds).await
    }
}

fn own_feed(branch: BranchId, feed: FeedId) -> Result<(), HubError> {
    if feed.kind == FeedKind::Private && feed != FeedId::private(branch) {
        return Err(HubError::Refused {
            detail: "the feed is another branch's".to_owned(),
        });
    }
    Ok(())
}

struct OpenBlock {
    feed: FeedId,
    bytes: Vec<u8>,
    first: u64,
    tip: FeedTip,
    persons: BTreeSet<DocumentId>,
}

impl OpenBlock {
    fn new(feed: FeedId, before: FeedTip) -> Self {
        OpenBlock {
            feed,
            bytes: FeedBlock::start_bytes(feed, before.n + 1, &before.running),
            first: before.n + 1,
            tip: before,
            persons: BTreeSet::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.tip.n < self.first
    }

    fn push(&mut self, n: u64, running: [u8; 32], bytes: &[u8]) -> Result<(), HubError> {
        self.bytes.extend_from_slice(bytes);
        self.tip = FeedTip { n, running };
        if self.feed.kind == FeedKind::Private {
            let entry = FeedEntry::from_bytes(bytes)?;
            self.persons.extend(
                entry
                    .items
                    .iter()
                    .filter_map(|(_, item)| person_of(item.kind(), item.body()?)),
            );
        }
        Ok(())
    }
}

/// The person whose values an item of a feed carries.
fn person_of(kind: u16, body: &[u8]) -> Option<DocumentId> {
    let (document, document_kind) = match kind {
        kind::CHANGE => decode_body::<Change>(body, "change")
            .ok()
            .map(|change| (change.document, change.document_kind)),
        kind::SNAPSHOT => decode_body::<Snapshot>(body, "snapshot")
            .ok()
            .map(|snapshot| (snapshot.document, snapshot.document_kind)),
        _ => None,
    }?;
    (document_kind == DocumentKind::Customer as u8).then_some(document)
}
