//! The chains: the own log from its start, each feed from its start, and what refers to them.

use std::path::Path;

use ed25519_dalek::SigningKey;
use rusqlite::{Connection, OptionalExtension};
use sync_protocol::feed::FeedEntry;
use sync_protocol::head::{HeadClaim, SignedHead};
use sync_protocol::position::{Epoch, Position, Tip, chain};
use sync_protocol::transaction::Transaction;

use super::super::value::{hash, signed, unsigned};
use super::super::{feed, log};
use super::{Differences, LogReport, hex, stored_tip};
use crate::error::StoreError;
use crate::identity::NodeIdentity;

/// Walks the log. Behind a bad entry the walk goes on from what is stored, so that each bad one is named.
pub(super) fn log(
    conn: &Connection,
    identity: &NodeIdentity,
    differences: &mut Differences,
) -> Result<LogReport, StoreError> {
    let mut statement =
        conn.prepare("select seq, epoch, bytes, chain from log_entry order by seq")?;
    let mut rows = statement.query([])?;
    let mut tip = Tip::start(identity.line_start());
    let mut first_bad = None;
    while let Some(row) = rows.next()? {
        let (seq, epoch) = (unsigned(row, 0)?, Epoch(unsigned(row, 1)?));
        let stored = Tip {
            epoch,
            seq,
            hash: hash(row, 3)?,
        };
        let bytes = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
        let position = Position {
            node: identity.node,
            epoch,
            seq,
        };
        if let Some(what) = fault(conn, &tip, &stored, bytes)? {
            first_bad.get_or_insert_with(|| position.to_string());
            differences.add("log_entry", position, what);
        }
        tip = stored;
    }
    drop(rows);
    unused_lineage(conn, differences)?;
    let tip = stored_tip(conn, identity)?;
    Ok(LogReport {
        seq: tip.seq,
        chain: hex(&tip.hash),
        intact: first_bad.is_none(),
        first_bad,
    })
}

fn fault(
    conn: &Connection,
    before: &Tip,
    stored: &Tip,
    bytes: &[u8],
) -> Result<Option<String>, StoreError> {
    if stored.seq != before.seq + 1 {
        return Ok(Some(format!(
            "entries {} to {} are missing before it",
            before.seq + 1,
            stored.seq - 1
        )));
    }
    if stored.epoch != before.epoch && parent_of(conn, stored.epoch)? != Some(*before) {
        return Ok(Some(
            "its epoch does not hang on the entry before it".to_owned(),
        ));
    }
    let transaction = match Transaction::from_bytes(bytes) {
        Ok(transaction) => transaction,
        Err(error) => return Ok(Some(format!("its bytes do not read: {error}"))),
    };
    let expected = chain(&before.hash, stored.epoch, stored.seq, &transaction.hash());
    Ok((expected != stored.hash).then(|| "its bytes do not fit the chain".to_owned()))
}

fn parent_of(conn: &Connection, epoch: Epoch) -> Result<Option<Tip>, StoreError> {
    let found = conn
        .prepare_cached(
            "select parent_epoch, parent_seq, parent_hash from lineage where epoch = ?1",
        )?
        .query_row([signed(epoch.0)], |row| {
            Ok(Tip {
                epoch: Epoch(unsigned(row, 0)?),
                seq: unsigned(row, 1)?,
                hash: hash(row, 2)?,
            })
        })
        .optional()?;
    Ok(found)
}

fn unused_lineage(conn: &Connection, differences: &mut Differences) -> Result<(), StoreError> {
    let mut statement = conn.prepare(
        "select epoch from lineage l
         where not exists (select 1 from log_entry e where e.seq = l.parent_seq + 1 and e.epoch = l.epoch)",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        differences.add(
            "lineage",
            Epoch(unsigned(row, 0)?),
            "no entry begins this epoch",
        );
    }
    Ok(())
}

/// The high-water mark lies beside the key, outside the database.
pub(super) fn high_water(mark: u64, seq: u64, differences: &mut Differences) {
    if mark > seq {
        let what = format!("the log was known to reach {mark} and ends at {seq}: entries are gone");
        differences.add("log_entry", mark, what);
    }
}

pub(super) fn feeds(
    conn: &Connection,
    identity: &NodeIdentity,
    differences: &mut Differences,
) -> Result<(), StoreError> {
    for id in feed::feeds_of(identity) {
        let mut statement = conn.prepare_cached(
            "select n, bytes, running from feed_entry where kind = ?1 order by n",
        )?;
        let mut rows = statement.query([id.kind as u8])?;
        let (mut n, mut running) = (0, id.start());
        while let Some(row) = rows.next()? {
            let next = unsigned(row, 0)?;
            let stored = hash(row, 2)?;
            let key = format!("{}/{next}", id.kind.as_str());
            let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            match FeedEntry::from_bytes(bytes) {
                _ if next != n + 1 => differences.add(
                    "feed_entry",
                    key,
                    format!("entries {} to {} are missing before it", n + 1, next - 1),
                ),
                Err(error) => {
                    differences.add("feed_entry", key, format!("its bytes do not read: {error}"))
                }
                Ok(entry) if entry.running(&running, next) != stored => {
                    differences.add("feed_entry", key, "its bytes do not fit the chain");
                }
                Ok(_) => {}
            }
            (n, running) = (next, stored);
        }
        let cursor = conn
            .prepare_cached("select n, running from feed_cursor where kind = ?1")?
            .query_row([id.kind as u8], |row| {
                Ok((unsigned(row, 0)?, hash(row, 1)?))
            })
            .optional()?;
        if cursor.unwrap_or((0, id.start())) != (n, running) {
            differences.add(
                "feed_cursor",
                id.kind.as_str(),
                format!("it does not stand at the last entry, {n}"),
            );
        }
        check_feed_head(conn, id.kind as u8, id.kind.as_str(), differences)?;
    }
    Ok(())
}

fn check_feed_head(
    conn: &Connection,
    kind: u8,
    name: &str,
    differences: &mut Differences,
) -> Result<(), StoreError> {
    let differs: Option<i64> = conn
        .prepare_cached(
            "select h.n from feed_head h join feed_entry e on e.kind = h.kind and e.n = h.n
             where h.kind = ?1 and h.running <> e.running",
        )?
        .query_row([kind], |row| row.get(0))
        .optional()?;
    if let Some(n) = differs {
        differences.add(
            "feed_head",
            name,
            format!("the hub vouched for another entry {n} than is here"),
        );
    }
    Ok(())
}

/// Every entry of log and feeds was applied exactly once.
pub(super) fn order_of_application(
    conn: &Connection,
    differences: &mut Differences,
) -> Result<(), StoreError> {
    let mut statement = conn.prepare(
        "select 0, seq from log_entry where not exists (select 1 from apply_order where source = 0 and n = seq)
         union all
         select kind, f.n from feed_entry f
             where not exists (select 1 from apply_order a where a.source = f.kind and a.n = f.n)",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (source, n): (i64, i64) = (row.get(0)?, row.get(1)?);
        differences.add(
            "apply_order",
            format!("{source}/{n}"),
            "the entry is not in the order of application",
        );
    }
    let mut statement = conn.prepare(
        "select source, n from apply_order a
         where (source = 0 and not exists (select 1 from log_entry where seq = a.n))
            or (source <> 0 and not exists (select 1 from feed_entry f where f.kind = a.source and f.n = a.n))",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (source, n): (i64, i64) = (row.get(0)?, row.get(1)?);
        let table = if source == log::SOURCE_OWN {
            "log_entry"
        } else {
            "feed_entry"
        };
        differences.add(
            table,
            format!("{source}/{n}"),
            "the entry was applied and is not here",
        );
    }
    Ok(())
}

/// What the hub acknowledged lies on this line.
pub(super) fn acknowledged(
    conn: &Connection,
    identity: &NodeIdentity,
    differences: &mut Differences,
) -> Result<(), StoreError> {
    let found = conn
        .query_row(
            "select ack_epoch, ack_seq, ack_hash, applied from sync_state where id = 1",
            [],
            |row| {
                let tip = Tip {
                    epoch: Epoch(unsigned(row, 0)?),
                    seq: unsigned(row, 1)?,
                    hash: hash(row, 2)?,
                };
                Ok((tip, unsigned(row, 3)?))
            },
        )
        .optional()?;
    if let Some((tip, applied)) = found {
        if !log::is_on_line(conn, identity, &tip)? {
            differences.add(
                "sync_state",
                tip.seq,
                "what the hub acknowledged is not on this line",
            );
        }
        if applied > tip.seq {
            differences.add("sync_state", applied, "more is applied than stored");
        }
    }
    Ok(())
}

/// Every signed head is the chain's, by this node's key.
pub(super) fn signed_heads(
    conn: &Connection,
    identity: &NodeIdentity,
    dir: &Path,
    differences: &mut Differences,
) -> Result<(), StoreError> {
    let seed = std::fs::read(dir.join("secrets").join("node.key")).ok();
    let seed = seed.and_then(|seed| <[u8; 32]>::try_from(seed.as_slice()).ok());
    let public_key = seed.map(|seed| SigningKey::from_bytes(&seed).verifying_key().to_bytes());
    let mut statement =
        conn.prepare("select epoch, seq, hash, stock, signature from signed_head order by seq")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let tip = Tip {
            epoch: Epoch(unsigned(row, 0)?),
            seq: unsigned(row, 1)?,
            hash: hash(row, 2)?,
        };
        let claim = HeadClaim {
            node: identity.node,
            tip,
            stock: hash(row, 3)?,
        };
        let head = SignedHead {
            claim,
            signature: row.get(4)?,
        };
        if !log::is_on_line(conn, identity, &tip)? {
            differences.add(
                "signed_head",
                tip.seq,
                "the head that was signed is not on this line",
            );
        } else if public_key.is_some_and(|key| !head.verify(&key)) {
            differences.add("signed_head", tip.seq, "the signature is not this node's");
        }
    }
    Ok(())
}
