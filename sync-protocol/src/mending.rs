//! Entries of a log that a side lost and asks for again.
//!
//! The hub names a span and the chain hash behind its last entry. Whoever wrote the log answers with ordinary blocks: the
//! last entries of the span, as many as fit. Because each hash commits to everything before it, an answer that ends in the
//! named hash is the very thing that was lost, and one that does not is refused whole (INV-9, INV-19). Nothing here
//! decides what is lost or where it is kept. [`feed`] is the same for what a branch lost of a feed.

pub mod feed;

use serde::{Deserialize, Serialize};

use crate::block::{Block, BlockWriter, LogEntry};
use crate::error::DecodeError;
use crate::hash::Hash;
use crate::limits::{BLOCK_BYTES_MAX, RETURNED_BYTES, WANT_TRANSACTIONS};
use crate::position::{Epoch, NodeId, Tip, chain};
use crate::transaction::Transaction;

/// Entries of one epoch of a log that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSpan {
    /// Whose log.
    pub node: NodeId,
    /// Which epoch.
    pub epoch: Epoch,
    /// The first entry.
    pub first: u64,
    /// The last entry.
    pub last: u64,
}

impl LogSpan {
    /// How many entries that are.
    pub const fn count(&self) -> u64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }

    pub(crate) fn check(&self) -> Result<(), DecodeError> {
        let is_span = self.epoch != Epoch::NONE && self.first > 0 && self.first <= self.last;
        if !is_span || self.last > i64::MAX as u64 {
            return Err(DecodeError::Form {
                what: "span of a log",
                reason: "epoch and numbers count from 1, the last is not before the first",
            });
        }
        if self.count() > WANT_TRANSACTIONS {
            return Err(DecodeError::Limit {
                what: "transactions in Want",
                value: self.count(),
                limit: WANT_TRANSACTIONS,
            });
        }
        Ok(())
    }
}

impl std::fmt::Display for LogSpan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (node, epoch) = (self.node, self.epoch);
        write!(f, "{node}.{epoch}.{} to {}", self.first, self.last)
    }
}

/// What is lost: a span, and the chain hash behind its last entry, which tells the right answer from any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Which entries.
    pub span: LogSpan,
    /// Chain hash behind the last of them.
    pub end: Hash,
}

/// Entries that are proven to be what was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The chain before the first of them; its epoch is that of the span, whatever the entry before has.
    pub before: Tip,
    /// The entries, in order, at least one.
    pub entries: Vec<LogEntry>,
}

/// Why lost entries did not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotBack {
    /// The side that was asked does not have them.
    #[error("the machine does not have them either")]
    Absent,
    /// What came is something else.
    #[error("what the machine sent does not come to the hash that is known here")]
    OtherContent,
    /// More came than was asked for.
    #[error("the machine sent more than an answer may hold")]
    TooMuch,
}

/// An answer as it comes in, block by block.
#[derive(Debug)]
pub struct Answer {
    gap: Gap,
    before: Hash,
    entries: Vec<LogEntry>,
    size_bytes: usize,
}

impl Answer {
    /// Waits for the answer to a question.
    pub const fn to(gap: Gap) -> Self {
        Answer {
            gap,
            before: [0; 32],
            entries: Vec::new(),
            size_bytes: 0,
        }
    }

    /// What was asked for.
    pub const fn gap(&self) -> &Gap {
        &self.gap
    }

    /// Whether a block can be part of it.
    pub fn takes(&self, block: &Block) -> bool {
        let span = &self.gap.span;
        let last = last_of(block);
        block.node == span.node
            && block.epoch == span.epoch
            && block.first_seq >= span.first
            && last <= span.last
    }

    /// Adds a block of so many bytes; gives the entries once they are whole and proven.
    ///
    /// # Errors
    /// When it is not what was lost; then nothing of it is.
    pub fn add(&mut self, block: Block, size_bytes: usize) -> Result<Option<Proven>, NotBack> {
        let follows = self
            .entries
            .last()
            .is_some_and(|last| last.position.seq + 1 == block.first_seq);
        if !follows {
            // A block that was on its way before the question came may be of the same span.
            self.entries.clear();
            self.size_bytes = 0;
            self.before = block.before;
        }
        let hash = self.entries.last().map_or(self.before, |last| last.hash);
        if block.before != hash {
            return Err(NotBack::OtherContent);
        }
        self.size_bytes = self.size_bytes.saturating_add(size_bytes);
        if self.size_bytes > RETURNED_BYTES + BLOCK_BYTES_MAX {
            return Err(NotBack::TooMuch);
        }
        let is_last = last_of(&block) == self.gap.span.last;
        self.entries.extend(block.entries());
        if !is_last {
            return Ok(None);
        }
        let entries = std::mem::take(&mut self.entries);
        let end = entries.last().map(|entry| entry.hash);
        let first = entries.first().map(|entry| entry.position.seq);
        match first {
            Some(first) if end == Some(self.gap.end) => Ok(Some(Proven {
                before: Tip {
                    epoch: self.gap.span.epoch,
                    seq: first - 1,
                    hash: self.before,
                },
                entries,
            })),
            _ => Err(NotBack::OtherContent),
        }
    }
}

fn last_of(block: &Block) -> u64 {
    let count = block.transactions.len() as u64;
    block.first_seq.saturating_add(count).saturating_sub(1)
}

/// An entry of a log or a feed as it is kept by who gives it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptEntry {
    /// Its number.
    pub seq: u64,
    /// The bytes of the transaction or the feed entry.
    pub bytes: Vec<u8>,
    /// Chain or running hash behind it.
    pub hash: Hash,
}

/// The bytes of the blocks that answer a question: of the entries kept in `kept`, which follow each other up to the last
/// of the span, the last ones that are sound and fit. `before` is the chain hash before the first. Empty where the last
/// one is not there or not sound.
pub fn blocks_for(span: &LogSpan, before: &Hash, kept: &[KeptEntry]) -> Vec<Vec<u8>> {
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
        if !fits || !follows || !is_sound(span, &before_of(index), entry) {
            break;
        }
        first = index;
    }
    let mut blocks = Vec::new();
    let mut open: Option<BlockWriter> = None;
    for (index, entry) in kept.iter().enumerate().skip(first) {
        if let Some(writer) = &mut open
            && writer.push(span.epoch, entry.seq, &entry.bytes)
        {
            continue;
        }
        let mut writer = BlockWriter::new(span.node, span.epoch, entry.seq, &before_of(index));
        writer.push(span.epoch, entry.seq, &entry.bytes);
        blocks.extend(open.replace(writer).map(BlockWriter::finish));
    }
    blocks.extend(open.map(BlockWriter::finish));
    blocks
}

fn is_sound(span: &LogSpan, before: &Hash, entry: &KeptEntry) -> bool {
    Transaction::from_bytes(&entry.bytes).is_ok_and(|transaction| {
        chain(before, span.epoch, entry.seq, &transaction.hash()) == entry.hash
    })
}
