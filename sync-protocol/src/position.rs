//! Nodes, epochs and positions: the only ids that transactions have.

use std::fmt;
use std::str::FromStr;

use domain::id::BranchId;
use serde::{Deserialize, Serialize};

use crate::error::DecodeError;
use crate::hash::{Domain, Hash, Hasher};

/// A branch machine, or the hub (0). Random 32-bit, unique in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The hub.
    pub const HUB: NodeId = NodeId(0);
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// A random 63-bit number that a node draws at process start and after any failed commit; never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch(pub u64);

impl Epoch {
    /// Stands for "no epoch": the parent of a line's first epoch.
    pub const NONE: Epoch = Epoch(0);

    /// Makes an epoch of random bytes.
    pub fn from_random(bytes: [u8; 8]) -> Self {
        Epoch((u64::from_be_bytes(bytes) >> 1).max(1))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Where a transaction stands in the chain's logs. It is the transaction's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Whose log.
    pub node: NodeId,
    /// Which epoch of that log.
    pub epoch: Epoch,
    /// Counts on along the line, from 1.
    pub seq: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.node, self.epoch, self.seq)
    }
}

/// A text that is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a position reads NODE.EPOCH.SEQ, as in 0000002a.0123456789abcdef.17")]
pub struct PositionTextError;

impl FromStr for Position {
    type Err = PositionTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('.');
        let (Some(node), Some(epoch), Some(seq), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(PositionTextError);
        };
        Ok(Position {
            node: NodeId(u32::from_str_radix(node, 16).map_err(|_| PositionTextError)?),
            epoch: Epoch(u64::from_str_radix(epoch, 16).map_err(|_| PositionTextError)?),
            seq: seq.parse().map_err(|_| PositionTextError)?,
        })
    }
}

impl Position {
    /// The Automerge actor of every change in this entry's epoch: node (4 bytes) ‖ epoch (8 bytes).
    pub fn actor(&self) -> [u8; 12] {
        actor(self.node, self.epoch)
    }

    /// The id of the fact at `item` of this transaction, `H(04 ‖ node ‖ epoch ‖ seq ‖ item index)`.
    pub fn fact_id(&self, item: u16) -> Hash {
        Hasher::new(Domain::Fact)
            .with(&self.node.0.to_be_bytes())
            .with(&self.epoch.0.to_be_bytes())
            .with(&self.seq.to_be_bytes())
            .with(&item.to_be_bytes())
            .finish()
    }

    /// The fact's id in the API: the first 16 bytes of [`Self::fact_id`] as UUID version 8 (RFC 9562).
    pub fn fact_uuid(&self, item: u16) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.fact_id(item)[..16]);
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        bytes
    }
}

/// The Automerge actor of a node's epoch.
pub fn actor(node: NodeId, epoch: Epoch) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&node.0.to_be_bytes());
    bytes[4..].copy_from_slice(&epoch.0.to_be_bytes());
    bytes
}

/// Splits an actor into node and epoch.
pub fn split_actor(actor: &[u8]) -> Result<(NodeId, Epoch), DecodeError> {
    let mut reader = crate::bytes::Reader::new(actor, "actor");
    let parts = (NodeId(reader.u32()?), Epoch(reader.u64()?));
    reader.finish()?;
    Ok(parts)
}

/// The chain hash before the first entry of a branch node's line, `h(0) = H(00 ‖ node ‖ branch id)`.
pub fn start_of_branch_line(node: NodeId, branch: BranchId) -> Hash {
    Hasher::new(Domain::Start)
        .with(&node.0.to_be_bytes())
        .with(branch.as_bytes())
        .finish()
}

/// The chain hash before the first entry of a hub process's line: its epoch stands for the branch id.
pub fn start_of_hub_line(epoch: Epoch) -> Hash {
    let mut padded = [0; 16];
    padded[8..].copy_from_slice(&epoch.0.to_be_bytes());
    Hasher::new(Domain::Start)
        .with(&NodeId::HUB.0.to_be_bytes())
        .with(&padded)
        .finish()
}

/// One step of a log's chain, `h(n) = H(03 ‖ h(n-1) ‖ epoch ‖ seq ‖ transaction hash)`.
pub fn chain(before: &Hash, epoch: Epoch, seq: u64, transaction: &Hash) -> Hash {
    Hasher::new(Domain::Chain)
        .with(before)
        .with(&epoch.0.to_be_bytes())
        .with(&seq.to_be_bytes())
        .with(transaction)
        .finish()
}

/// The end of a log: epoch and seq of its last entry, and the chain hash behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tip {
    /// Epoch of the last entry.
    pub epoch: Epoch,
    /// Number of the last entry; 0 where there is none.
    pub seq: u64,
    /// Chain hash behind it.
    pub hash: Hash,
}

impl Tip {
    /// The tip of a log without entries.
    pub fn start(hash: Hash) -> Self {
        Tip {
            epoch: Epoch::NONE,
            seq: 0,
            hash,
        }
    }
}
