//! Feeds: what a branch must know, as chained logs that the hub publishes.
//!
//! A feed entry is the part of one accepted transaction that its readers may see, applied whole. A cursor that the
//! hub does not know or that differs means that one of the two went back in time.

use domain::id::BranchId;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::bytes::Reader;
use crate::error::DecodeError;
use crate::hash::{Domain, Hash, Hasher, sha256};
use crate::limits::{FEED_BLOCK_BYTES_MAX, FEED_ENTRY_BYTES, TRANSACTION_ITEMS};
use crate::position::{Epoch, NodeId, Position};
use crate::transaction::{Header, RawItem};

/// What a feed carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum FeedKind {
    /// One branch's own feed.
    Private = 1,
    /// Branches, catalogue, prices, presets, staff names and roles: the same for everyone.
    Chain = 2,
    /// Part × branch quantities of one region.
    Availability = 3,
    /// Irrevocable acts: enrolment, revocation, erasure, closed lines.
    Register = 4,
}

impl FeedKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [FeedKind; 4] = [
        FeedKind::Private,
        FeedKind::Chain,
        FeedKind::Availability,
        FeedKind::Register,
    ];

    /// Reads the number.
    pub fn from_number(number: u8) -> Result<Self, DecodeError> {
        FeedKind::ALL
            .into_iter()
            .find(|kind| *kind as u8 == number)
            .ok_or(DecodeError::Unknown {
                what: "feed kind",
                value: u64::from(number),
            })
    }

    /// The name in the API and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            FeedKind::Private => "private",
            FeedKind::Chain => "chain",
            FeedKind::Availability => "availability",
            FeedKind::Register => "register",
        }
    }
}

/// A feed: kind and scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedId {
    /// What it carries.
    pub kind: FeedKind,
    /// Branch id, first 16 bytes of H(region), or zeros.
    pub scope: [u8; 16],
}

impl FeedId {
    /// A branch's private feed.
    pub fn private(branch: BranchId) -> Self {
        FeedId {
            kind: FeedKind::Private,
            scope: *branch.as_bytes(),
        }
    }

    /// The chain feed.
    pub fn chain() -> Self {
        FeedId {
            kind: FeedKind::Chain,
            scope: [0; 16],
        }
    }

    /// A region's availability feed.
    pub fn availability(region: &str) -> Self {
        let mut scope = [0; 16];
        scope.copy_from_slice(&sha256(region.as_bytes())[..16]);
        FeedId {
            kind: FeedKind::Availability,
            scope,
        }
    }

    /// The register feed.
    pub fn register() -> Self {
        FeedId {
            kind: FeedKind::Register,
            scope: [0; 16],
        }
    }

    /// The 17 bytes.
    pub fn to_bytes(self) -> [u8; 17] {
        let mut out = [0; 17];
        out[0] = self.kind as u8;
        out[1..].copy_from_slice(&self.scope);
        out
    }

    /// Reads the 17 bytes.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(FeedId {
            kind: FeedKind::from_number(reader.u8()?)?,
            scope: reader.array()?,
        })
    }

    /// The running hash of the empty feed, `r(0) = H(06 ‖ feed id)`.
    pub fn start(self) -> Hash {
        Hasher::new(Domain::FeedStart)
            .with(&self.to_bytes())
            .finish()
    }
}

/// How far a reader is: the number of the last entry and the first half of the running hash behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Which feed of the reader's.
    pub kind: FeedKind,
    /// Number of the last entry; 0 for none.
    pub n: u64,
    /// First 16 bytes of r(n).
    pub check: [u8; 16],
}

impl Cursor {
    /// The cursor behind entry `n`.
    pub fn new(kind: FeedKind, n: u64, running: &Hash) -> Self {
        let mut check = [0; 16];
        check.copy_from_slice(&running[..16]);
        Cursor { kind, n, check }
    }
}

/// The end of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedTip {
    /// Number of the last entry.
    pub n: u64,
    /// Running hash behind it.
    pub running: Hash,
}

/// The visible part of one accepted transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEntry {
    /// Whose transaction.
    pub origin: Position,
    /// Its header, as it was written; its item count is that of the whole transaction.
    pub header: Header,
    /// The items that the reader may see, each with its index in the transaction.
    pub items: Vec<(u16, RawItem)>,
}

impl FeedEntry {
    /// The running hash behind this entry as number `n`.
    pub fn running(&self, before: &Hash, n: u64) -> Hash {
        let mut hasher = Hasher::new(Domain::FeedChain)
            .with(before)
            .with(&n.to_be_bytes())
            .with(&self.origin.node.0.to_be_bytes())
            .with(&self.origin.epoch.0.to_be_bytes())
            .with(&self.origin.seq.to_be_bytes())
            .with(&self.header.encode());
        for (index, item) in &self.items {
            hasher.update(&index.to_be_bytes());
            hasher.update(&item.hash());
        }
        hasher.finish()
    }

    /// The entry's bytes: origin, header, count, then index and item for each.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(
            64 + self
                .items
                .iter()
                .map(|(_, item)| 2 + item.encoded_len())
                .sum::<usize>(),
        );
        out.extend_from_slice(&self.origin.node.0.to_be_bytes());
        out.extend_from_slice(&self.origin.epoch.0.to_be_bytes());
        out.extend_from_slice(&self.origin.seq.to_be_bytes());
        out.extend_from_slice(&self.header.encode());
        out.extend_from_slice(&(self.items.len() as u16).to_be_bytes());
        for (index, item) in &self.items {
            out.extend_from_slice(&index.to_be_bytes());
            item.encode(&mut out);
        }
        out
    }

    /// Reads one entry.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let before = reader.remaining();
        let origin = Position {
            node: NodeId(reader.u32()?),
            epoch: Epoch(reader.u64()?),
            seq: reader.u64()?,
        };
        let header = Header::decode(reader)?;
        let count = usize::from(reader.u16()?);
        if count > TRANSACTION_ITEMS {
            return Err(DecodeError::Limit {
                what: "items in a feed entry",
                value: count as u64,
                limit: TRANSACTION_ITEMS as u64,
            });
        }
        let mut items = Vec::with_capacity(count.min(64));
        for _ in 0..count {
            items.push((reader.u16()?, RawItem::decode(reader)?));
        }
        let size = before - reader.remaining();
        if size > FEED_ENTRY_BYTES {
            return Err(DecodeError::Limit {
                what: "feed entry",
                value: size as u64,
                limit: FEED_ENTRY_BYTES as u64,
            });
        }
        Ok(FeedEntry {
            origin,
            header,
            items,
        })
    }

    /// Reads exactly one entry.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, "feed entry");
        let entry = Self::decode(&mut reader)?;
        reader.finish()?;
        Ok(entry)
    }
}

/// A run of entries of one feed with the running hash before the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedBlock {
    /// Which feed.
    pub feed: FeedId,
    /// Number of the first entry.
    pub first: u64,
    /// Running hash before it.
    pub before: Hash,
    /// The entries, at least one.
    pub entries: Vec<FeedEntry>,
}

/// Bytes before the first entry of a feed block.
pub const FEED_BLOCK_HEADER_BYTES: usize = 17 + 8 + 32;

impl FeedBlock {
    /// Starts block bytes; encoded entries are appended behind them.
    pub fn start_bytes(feed: FeedId, first: u64, before: &Hash) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        out.extend_from_slice(&feed.to_bytes());
        out.extend_from_slice(&first.to_be_bytes());
        out.extend_from_slice(before);
        out
    }

    /// Reads a feed block.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > FEED_BLOCK_BYTES_MAX {
            return Err(DecodeError::Limit {
                what: "feed block",
                value: bytes.len() as u64,
                limit: FEED_BLOCK_BYTES_MAX as u64,
            });
        }
        let mut reader = Reader::new(bytes, "feed block");
        let mut block = FeedBlock {
            feed: FeedId::decode(&mut reader)?,
            first: reader.u64()?,
            before: reader.array()?,
            entries: Vec::new(),
        };
        while reader.remaining() > 0 {
            block.entries.push(FeedEntry::decode(&mut reader)?);
        }
        let last = block.first.checked_add(block.entries.len() as u64);
        if block.entries.is_empty()
            || block.first == 0
            || last.is_none_or(|last| last > i64::MAX as u64)
        {
            return Err(DecodeError::Form {
                what: "feed block",
                reason: "entries count from 1 and there is one at least",
            });
        }
        Ok(block)
    }

    /// The tip behind the block.
    pub fn tip(&self) -> FeedTip {
        let mut tip = FeedTip {
            n: self.first - 1,
            running: self.before,
        };
        for entry in &self.entries {
            tip.n += 1;
            tip.running = entry.running(&tip.running, tip.n);
        }
        tip
    }
}

/// The MAC of a flushed feed head: first 16 bytes of HMAC-SHA-256(feed key, "counterpart feed 1" ‖ feed id ‖ n ‖ r(n)).
#[expect(
    clippy::expect_used,
    reason = "HMAC takes keys of any length (RFC 2104)"
)]
pub fn head_mac(feed_key: &[u8; 32], feed: FeedId, tip: &FeedTip) -> [u8; 16] {
    let mut mac = Hmac::<Sha256>::new_from_slice(feed_key).expect("HMAC takes any key length");
    mac.update(b"counterpart feed 1");
    mac.update(&feed.to_bytes());
    mac.update(&tip.n.to_be_bytes());
    mac.update(&tip.running);
    let mut out = [0; 16];
    out.copy_from_slice(&mac.finalize().into_bytes()[..16]);
    out
}
