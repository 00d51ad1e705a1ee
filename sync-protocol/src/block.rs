//! Log blocks: whole transactions of one epoch, closed at 64 KiB, stored and sent as the same bytes.

use crate::bytes::Reader;
use crate::error::DecodeError;
use crate::hash::Hash;
use crate::limits::{BLOCK_BYTES, BLOCK_BYTES_MAX};
use crate::position::{Epoch, NodeId, Position, Tip, chain};
use crate::transaction::Transaction;

/// Bytes before the first transaction of a block: node, epoch, first seq, chain hash before it.
pub const BLOCK_HEADER_BYTES: usize = 4 + 8 + 8 + 32;

/// A transaction in its place in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Its id.
    pub position: Position,
    /// The transaction.
    pub transaction: Transaction,
    /// Chain hash behind it.
    pub hash: Hash,
}

/// A run of transactions of one epoch with the chain hash before the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Whose log.
    pub node: NodeId,
    /// Which epoch.
    pub epoch: Epoch,
    /// Number of the first transaction.
    pub first_seq: u64,
    /// Chain hash before the first transaction.
    pub before: Hash,
    /// The transactions, at least one.
    pub transactions: Vec<Transaction>,
}

impl Block {
    /// Reads a block and checks its limits; the chain is checked by [`Block::entries`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > BLOCK_BYTES_MAX {
            return Err(DecodeError::Limit {
                what: "block",
                value: bytes.len() as u64,
                limit: BLOCK_BYTES_MAX as u64,
            });
        }
        let mut reader = Reader::new(bytes, "block");
        let mut block = Block {
            node: NodeId(reader.u32()?),
            epoch: Epoch(reader.u64()?),
            first_seq: reader.u64()?,
            before: reader.array()?,
            transactions: Vec::new(),
        };
        if block.epoch == Epoch::NONE || block.first_seq == 0 {
            return Err(DecodeError::Form {
                what: "block",
                reason: "epoch and seq count from 1",
            });
        }
        while reader.remaining() > 0 {
            block.transactions.push(Transaction::decode(&mut reader)?);
        }
        let last = block.first_seq.checked_add(block.transactions.len() as u64);
        if block.transactions.is_empty() || last.is_none_or(|last| last > i64::MAX as u64) {
            return Err(DecodeError::Form {
                what: "block",
                reason: "a block holds one to 2^63 transactions",
            });
        }
        if block.transactions.len() > 1 && bytes.len() > BLOCK_BYTES {
            return Err(DecodeError::Limit {
                what: "block of several transactions",
                value: bytes.len() as u64,
                limit: BLOCK_BYTES as u64,
            });
        }
        Ok(block)
    }

    /// The entries with positions and chain hashes, computed from [`Block::before`].
    pub fn entries(self) -> Vec<LogEntry> {
        let mut hash = self.before;
        let mut entries = Vec::with_capacity(self.transactions.len());
        for (seq, transaction) in (self.first_seq..).zip(self.transactions) {
            hash = chain(&hash, self.epoch, seq, &transaction.hash());
            let position = Position {
                node: self.node,
                epoch: self.epoch,
                seq,
            };
            entries.push(LogEntry {
                position,
                transaction,
                hash,
            });
        }
        entries
    }
}

/// Puts transactions of one epoch into block bytes.
#[derive(Debug)]
pub struct BlockWriter {
    bytes: Vec<u8>,
    epoch: Epoch,
    next_seq: u64,
    count: usize,
}

impl BlockWriter {
    /// Starts a block behind `before`.
    pub fn new(node: NodeId, epoch: Epoch, first_seq: u64, before: &Hash) -> Self {
        let mut bytes = Vec::with_capacity(1024);
        bytes.extend_from_slice(&node.0.to_be_bytes());
        bytes.extend_from_slice(&epoch.0.to_be_bytes());
        bytes.extend_from_slice(&first_seq.to_be_bytes());
        bytes.extend_from_slice(before);
        Self {
            bytes,
            epoch,
            next_seq: first_seq,
            count: 0,
        }
    }

    /// Adds an encoded transaction, or says no: another epoch, not the next number, or the block is full.
    pub fn push(&mut self, epoch: Epoch, seq: u64, transaction: &[u8]) -> bool {
        let full = self.count > 0 && self.bytes.len() + transaction.len() > BLOCK_BYTES;
        if epoch != self.epoch || seq != self.next_seq || full {
            return false;
        }
        self.bytes.extend_from_slice(transaction);
        self.next_seq += 1;
        self.count += 1;
        true
    }

    /// How many transactions are in.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Bytes so far.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The block bytes.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Checks that `block` continues `tip` and gives the tip behind it.
pub fn tip_behind(entries: &[LogEntry], tip: Tip) -> Tip {
    entries.last().map_or(tip, |last| Tip {
        epoch: last.position.epoch,
        seq: last.position.seq,
        hash: last.hash,
    })
}
