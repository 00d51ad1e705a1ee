//! Entries of a feed that a branch lost and asks the hub for again.
//!
//! The branch names a span of a feed that it reads and knows the running hash behind the last entry of it: that of its
//! cursor, or of an entry that hangs on it. The hub answers with ordinary feed blocks: the last entries of the span, as
//! many as fit. An answer counts only when it ends in that hash, whole or not at all (INV-9, INV-19); nothing of it is
//! ever applied, because what lies behind a cursor was (INV-3).

use serde::{Deserialize, Serialize};

use super::{KeptEntry, NotBack};
use crate::error::DecodeError;
use crate::feed::{FeedBlock, FeedEntry, FeedId, FeedKind, FeedTip};
use crate::hash::Hash;
use crate::limits::{BLOCK_BYTES, FEED_BLOCK_BYTES_MAX, RETURNED_BYTES, WANT_TRANSACTIONS};

/// Entries of a feed that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedSpan {
    /// Which feed of the reader's.
    pub kind: FeedKind,
    /// The first entry.
    pub first: u64,
    /// The last entry.
    pub last: u64,
}

impl FeedSpan {
    /// How many entries that are.
    pub const fn count(&self) -> u64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }

    pub(crate) fn check(&self) -> Result<(), DecodeError> {
        if self.first == 0 || self.first > self.last || self.last > i64::MAX as u64 {
            return Err(DecodeError::Form {
                what: "span of a feed",
                reason: "numbers count from 1, the last is not before the first",
            });
        }
        if self.count() > WANT_TRANSACTIONS {
            return Err(DecodeError::Limit {
                what: "feed entries in Want",
                value: self.count(),
                limit: WANT_TRANSACTIONS,
            });
        }
        Ok(())
    }
}

impl std::fmt::Display for FeedSpan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (first, last) = (self.first, self.last);
        write!(f, "{first} to {last} of the {} feed", self.kind.as_str())
    }
}

/// What is lost of a feed: a span, and the running hash behind its last entry, which tells the right answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedGap {
    /// Which feed.
    pub feed: FeedId,
    /// Which entries.
    pub span: FeedSpan,
    /// Running hash behind the last of them.
    pub end: Hash,
}

/// Entries that are proven to be what was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenFeed {
    /// Which feed.
    pub feed: FeedId,
    /// The feed before the first of them.
    pub before: FeedTip,
    /// The entries in order, each with the tip behind it; at least one.
    pub entries: Vec<(FeedTip, FeedEntry)>,
}

/// An answer as it comes in, block by block.
#[derive(Debug)]
pub struct FeedAnswer {
    gap: FeedGap,
    before: FeedTip,
    entries: Vec<(FeedTip, FeedEntry)>,
    size_bytes: usize,
}

impl FeedAnswer {
    /// Waits for the answer to a question.
    pub const fn to(gap: FeedGap) -> Self {
        FeedAnswer {
            gap,
            before: FeedTip {
                n: 0,
                running: [0; 32],
            },
            entries: Vec::new(),
            size_bytes: 0,
        }
    }

    /// What was asked for.
    pub const fn gap(&self) -> &FeedGap {
        &self.gap
    }

    /// Whether a block can be part of it.
    pub fn takes(&self, block: &FeedBlock) -> bool {
        let span = &self.gap.span;
        block.feed == self.gap.feed && block.first >= span.first && last_of(block) <= span.last
    }

    /// Adds a block of so many bytes; gives the entries once they are whole and proven.
    ///
    /// # Errors
    /// When it is not what was lost; then nothing of it is.
    pub fn add(
        &mut self,
        block: FeedBlock,
        size_bytes: usize,
    ) -> Result<Option<ProvenFeed>, NotBack> {
        let mut tip = match self.entries.last() {
            Some((tip, _)) => *tip,
            None => {
                self.before = FeedTip {
                    n: block.first - 1,
                    running: block.before,
                };
                self.before
            }
        };
        if (tip.n + 1, tip.running) != (block.first, block.before) {
            return Err(NotBack::OtherContent);
        }
        self.size_bytes = self.size_bytes.saturating_add(size_bytes);
        if self.size_bytes > RETURNED_BYTES + FEED_BLOCK_BYTES_MAX {
            return Err(NotBack::TooMuch);
        }
        for entry in block.entries {
            let n = tip.n + 1;
            let running = entry.running(&tip.running, n);
            tip = FeedTip { n, running };
            self.entries.push((tip, entry));
        }
        if tip.n < self.gap.span.last {
            return Ok(None);
        }
        if tip.running != self.gap.end {
            return Err(NotBack::OtherContent);
        }
        Ok(Some(ProvenFeed {
            feed: self.gap.feed,
            before: self.before,
            entries: std::mem::take(&mut self.entries),
        }))
    }
}

fn last_of(block: &FeedBlock) -> u64 {
    let count = block.entries.len() as u64;
    block.first.saturating_add(count).saturating_sub(1)
}

/// Whether a kept entry is what the running hashes before and behind it say.
pub fn is_sound(before: &Hash, entry: &KeptEntry) -> bool {
    FeedEntry::from_bytes(&entry.bytes)
        .is_ok_and(|read| read.running(before, entry.seq) == entry.hash)
}

/// The bytes of the feed blocks that answer a question: of the entries kept in `kept`, which follow each other up to the
/// last of the span, the last ones that are sound and fit. `before` is the running hash before the first. Empty where the
/// last one is not there or not sound.
pub fn feed_blocks_for(
    feed: FeedId,
    span: &FeedSpan,
    before: &Hash,
    kept: &[KeptEntry],
) -> Vec<Vec<u8>> {
    if kept.last().is_none_or(|last| last.seq != span.last) {
        return Vec::new();
    }
    let before_of = |index: usize| match index {
        0 => *before,
        index => kept[index - 1].hash,
    };
    let mut first = kept.len();
    let mut size_bytes = 0_usize;
    while let Some(index) = first.checked_sub(1) {
        let entry = &kept[index];
        size_bytes = size_bytes.saturating_add(entry.bytes.len());
        let fits = first == kept.len() || size_bytes <= RETURNED_BYTES;
        let follows = entry.seq + (kept.len() - index) as u64 == span.last + 1;
        if !fits || !follows || !is_sound(&before_of(index), entry) {
            break;
        }
        first = index;
    }
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    for (index, entry) in kept.iter().enumerate().skip(first) {
        match blocks.last_mut() {
            Some(block) if block.len() + entry.bytes.len() <= BLOCK_BYTES => {
                block.extend_from_slice(&entry.bytes);
            }
            _ => {
                let mut block = FeedBlock::start_bytes(feed, entry.seq, &before_of(index));
                block.extend_from_slice(&entry.bytes);
                blocks.push(block);
            }
        }
    }
    blocks
}
