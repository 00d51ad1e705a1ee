//! The node's own log: appended by the writer, read in blocks for the hub.
//!
//! `seq` only ever grows along the line; an epoch's lineage row is written with its first entry.

pub(crate) mod header;

use rusqlite::{Connection, OptionalExtension};
use sync_protocol::block::{BlockWriter, LogEntry};
use sync_protocol::branch_session::OutBlock;
use sync_protocol::compress::compress;
use sync_protocol::hash::Hash;
use sync_protocol::line::LineageRow;
use sync_protocol::mending::{KeptEntry, LogSpan, blocks_for};
use sync_protocol::message::GivenKey;
use sync_protocol::position::{Epoch, Position, Tip};
use sync_protocol::transaction::Transaction;

use super::person;
use super::value::{hash, signed, unsigned};
use crate::error::StoreError;
use crate::identity::NodeIdentity;

/// Source number of the own log in `apply_order`.
pub(crate) const SOURCE_OWN: i64 = 0;

/// The answer to a read of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadLog {
    /// Blocks behind the tip that was asked for; none when it is the log's own.
    Blocks(Vec<OutBlock>),
    /// The tip that was asked for is not on this node's line.
    NotOnLine,
}

/// The end of the log.
pub(crate) fn tip(conn: &Connection, identity: &NodeIdentity) -> Result<Tip, StoreError> {
    let last = conn
        .prepare_cached("select epoch, seq, chain from log_entry order by seq desc limit 1")?
        .query_row([], |row| {
            Ok(Tip {
                epoch: Epoch(unsigned(row, 0)?),
                seq: unsigned(row, 1)?,
                hash: hash(row, 2)?,
            })
        })
        .optional()?;
    Ok(last.unwrap_or_else(|| Tip::start(identity.line_start())))
}

/// No transaction of this node has a later clock, nor any that it saw.
pub(crate) fn hlc_floor(conn: &Connection) -> Result<u64, StoreError> {
    let seen = conn
        .prepare_cached("select hlc from sync_state where id = 1")?
        .query_row([], |row| unsigned(row, 0))
        .optional()?
        .unwrap_or(0);
    let last: Option<Vec<u8>> = conn
        .prepare_cached("select bytes from log_entry order by seq desc limit 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let own = match last {
        Some(bytes) => Transaction::from_bytes(&bytes)?.header.hlc,
        None => 0,
    };
    Ok(own.max(seen))
}

/// Appends one entry behind `before`.
pub(crate) fn append(
    conn: &Connection,
    before: &Tip,
    epoch: Epoch,
    seq: u64,
    bytes: &[u8],
    chain: &Hash,
) -> Result<(), StoreError> {
    if before.epoch != epoch {
        conn.prepare_cached("insert into lineage (epoch, parent_epoch, parent_seq, parent_hash) values (?1, ?2, ?3, ?4)")?
            .execute((signed(epoch.0), signed(before.epoch.0), signed(before.seq), &before.hash))?;
    }
    conn.prepare_cached(
        "insert into log_entry (seq, epoch, bytes, chain) values (?1, ?2, ?3, ?4)",
    )?
    .execute((signed(seq), signed(epoch.0), bytes, chain))?;
    header::note(conn, seq, bytes)?;
    applied(conn, SOURCE_OWN, seq)
}

/// Notes that an entry was applied, behind all before it.
pub(crate) fn applied(conn: &Connection, source: i64, n: u64) -> Result<(), StoreError> {
    conn.prepare_cached("insert into apply_order (source, n) values (?1, ?2)")?
        .execute((source, signed(n)))?;
    Ok(())
}

/// The epochs of this node's line behind that of `known`, oldest first.
pub(crate) fn lineage_since(
    conn: &Connection,
    known: Epoch,
) -> Result<Vec<LineageRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "select epoch, parent_epoch, parent_seq, parent_hash from lineage order by parent_seq",
    )?;
    let rows = statement.query_map([], |row| {
        let parent = Tip {
            epoch: Epoch(unsigned(row, 1)?),
            seq: unsigned(row, 2)?,
            hash: hash(row, 3)?,
        };
        Ok(LineageRow {
            epoch: Epoch(unsigned(row, 0)?),
            parent,
        })
    })?;
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let behind = rows
        .iter()
        .position(|row| row.epoch == known)
        .map_or(0, |index| index + 1);
    Ok(rows[behind..].to_vec())
}

/// Whether `tip` is an entry of this line, or its start.
pub(crate) fn is_on_line(
    conn: &Connection,
    identity: &NodeIdentity,
    tip: &Tip,
) -> Result<bool, StoreError> {
    if tip.seq == 0 {
        return Ok(tip.hash == identity.line_start());
    }
    let found = conn
        .prepare_cached("select epoch, chain from log_entry where seq = ?1")?
        .query_row([signed(tip.seq)], |row| {
            Ok((Epoch(unsigned(row, 0)?), hash(row, 1)?))
        })
        .optional()?;
    Ok(found == Some((tip.epoch, tip.hash)))
}

/// Reads whole blocks behind `after`, until they come to `limit_bytes` packed; one block at least.
pub(crate) fn read_blocks(
    conn: &Connection,
    identity: &NodeIdentity,
    storage_key: &[u8; 32],
    after: &Tip,
    limit_bytes: usize,
) -> Result<ReadLog, StoreError> {
    if !is_on_line(conn, identity, after)? {
        return Ok(ReadLog::NotOnLine);
    }
    let mut statement = conn.prepare_cached(
        "select seq, epoch, bytes, chain from log_entry where seq > ?1 order by seq",
    )?;
    let mut rows = statement.query([signed(after.seq)])?;
    let mut blocks = Vec::new();
    let mut packed_bytes = 0;
    let mut open: Option<OpenBlock> = None;
    let mut before = after.hash;
    while let Some(row) = rows.next()? {
        let tip = Tip {
            seq: unsigned(row, 0)?,
            epoch: Epoch(unsigned(row, 1)?),
            hash: hash(row, 3)?,
        };
        let bytes = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
        if let Some(block) = &mut open
            && block.writer.push(tip.epoch, tip.seq, bytes)
        {
            block.last = tip;
        } else {
            if let Some(block) = open.take() {
                blocks.push(block.pack(conn, storage_key)?);
                packed_bytes += blocks
                    .last()
                    .map_or(0, |block: &OutBlock| block.packed.len());
                if packed_bytes >= limit_bytes {
                    break;
                }
            }
            let mut writer = BlockWriter::new(identity.node, tip.epoch, tip.seq, &before);
            writer.push(tip.epoch, tip.seq, bytes);
            open = Some(OpenBlock {
                writer,
                first_seq: tip.seq,
                last: tip,
            });
        }
        before = tip.hash;
    }
    if let Some(block) = open {
        blocks.push(block.pack(conn, storage_key)?);
    }
    Ok(ReadLog::Blocks(blocks))
}

/// Packed blocks for entries that the hub lost; none where they are not here or not sound.
pub(crate) fn read_span(
    conn: &Connection,
    identity: &NodeIdentity,
    span: &LogSpan,
) -> Result<Vec<Vec<u8>>, StoreError> {
    if span.node != identity.node {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "select seq, epoch, bytes, chain from log_entry where seq between ?1 and ?2 order by seq",
    )?;
    let before = span.first.saturating_sub(1);
    let mut rows = statement.query([signed(before), signed(span.last)])?;
    let mut kept: Vec<KeptEntry> = Vec::new();
    let mut hash_before = (before == 0).then(|| identity.line_start());
    while let Some(row) = rows.next()? {
        let entry = KeptEntry {
            seq: unsigned(row, 0)?,
            bytes: row.get(2)?,
            hash: hash(row, 3)?,
        };
        let is_of_span = entry.seq >= span.first && unsigned(row, 1)? == span.epoch.0;
        if is_of_span && hash_before.is_some() {
            kept.push(entry);
        } else {
            kept.clear();
            hash_before = Some(entry.hash);
        }
    }
    let Some(hash_before) = hash_before else {
        return Ok(Vec::new());
    };
    let blocks = blocks_for(span, &hash_before, &kept);
    Ok(blocks.iter().map(|bytes| compress(bytes)).collect())
}

struct OpenBlock {
    writer: BlockWriter,
    first_seq: u64,
    last: Tip,
}

impl OpenBlock {
    fn pack(self, conn: &Connection, storage_key: &[u8; 32]) -> Result<OutBlock, StoreError> {
        let keys: Vec<GivenKey> =
            person::keys_first_used(conn, storage_key, self.first_seq, self.last.seq)?;
        Ok(OutBlock {
            packed: compress(&self.writer.finish()),
            last: self.last,
            keys,
        })
    }
}

/// One entry of the log, as stored.
pub(crate) fn entry(
    conn: &Connection,
    identity: &NodeIdentity,
    seq: u64,
) -> Result<Option<LogEntry>, StoreError> {
    let found = conn
        .prepare_cached("select epoch, bytes, chain from log_entry where seq = ?1")?
        .query_row([signed(seq)], |row| {
            Ok((unsigned(row, 0)?, row.get::<_, Vec<u8>>(1)?, hash(row, 2)?))
        })
        .optional()?;
    let Some((epoch, bytes, hash)) = found else {
        return Ok(None);
    };
    let position = Position {
        node: identity.node,
        epoch: Epoch(epoch),
        seq,
    };
    Ok(Some(LogEntry {
        position,
        transaction: Transaction::from_bytes(&bytes)?,
        hash,
    }))
}
