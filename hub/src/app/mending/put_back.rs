//! Proven entries go back into the log, in one commit with the note that says so.

use std::sync::Arc;

use sync_protocol::block::LogEntry;
use sync_protocol::item::{AuditNote, Item, command};
use sync_protocol::mending::Proven;

use super::Order;
use crate::app::commit::blocks_from;
use crate::app::{Actor, Hub, NodeRow, uuid_v4};
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::sync::log::{self, RawBlock};
use crate::store::sync::{mending as store, node};

/// What is left to write of proven entries: runs that follow each other, each with the hash before it.
type Runs<'a> = Vec<([u8; 32], &'a [LogEntry])>;

/// Gives whether anything was there to be done.
pub(super) async fn put_back(
    hub: &Arc<Hub>,
    row: &NodeRow,
    order: &Order,
    proven: &Proven,
) -> Result<bool, HubError> {
    let actor = Actor {
        staff: order.ordered_by,
        terminal: 0,
    };
    let mut tx = hub.begin(actor, command::NIGHT).await?;
    let (damaged, missing) = look(tx.sql(), row, proven).await?;
    let count: usize = missing.iter().map(|(_, run)| run.len()).sum();
    let (Some(first), Some(last)) = (proven.entries.first(), proven.entries.last()) else {
        return Ok(false);
    };
    if count == 0 && damaged.is_empty() {
        return Ok(false);
    }
    for block in &damaged {
        store::take_out(tx.sql(), block).await?;
    }
    let epoch = first.position.epoch;
    for (before, run) in missing {
        let entries: Vec<_> = run
            .iter()
            .map(|entry| (entry.transaction.to_bytes(), entry.hash))
            .collect();
        let Some(begin) = run.first().map(|entry| entry.position.seq) else {
            continue;
        };
        let blocks = blocks_from((row.branch, row.node, epoch), begin, before, &entries);
        log::insert_blocks(tx.sql(), blocks).await?;
    }
    let detail = format!(
        "log of {}: transactions {} to {} were asked for again, {count} put back, {} damaged blocks taken out",
        row.node,
        first.position.seq,
        last.position.seq,
        damaged.len()
    );
    store::count(tx.sql(), row.branch, row.node, count as u64).await?;
    let (id, now_ms) = (uuid_v4(hub.env().random()), hub.env().now_ms());
    node::insert_incident(tx.sql(), row.branch, id, now_ms, "mending", &detail).await?;
    tracing::warn!(detail, "a log was mended");
    tx.fact(Item::Note(AuditNote {
        subject: *row.branch.as_bytes(),
        text: detail,
    }));
    tx.commit().await?;
    Ok(true)
}

/// Blocks in the place of the proven entries that are not what these are, and entries that no sound block holds.
async fn look<'a>(
    connection: &mut PgConnection,
    row: &NodeRow,
    proven: &'a Proven,
) -> Result<(Vec<RawBlock>, Runs<'a>), HubError> {
    let entries = &proven.entries;
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        return Ok((Vec::new(), Vec::new()));
    };
    let (epoch, first, last) = (first.position.epoch, first.position.seq, last.position.seq);
    let there = store::overlapping(connection, row.branch, row.node, epoch, first, last).await?;
    let index = |seq: u64| usize::try_from(seq.checked_sub(first)?).ok();
    let mut held = vec![false; entries.len()];
    let mut damaged = Vec::new();
    for block in there {
        let sound = block.sound_entries().unwrap_or_default();
        let end = sound.last().and_then(|end| {
            let known = entries.get(index(end.position.seq)?)?;
            (known.hash == end.hash).then_some(())
        });
        if end.is_none() {
            damaged.push(block);
            continue;
        }
        for entry in sound {
            if let Some(held) = index(entry.position.seq).and_then(|index| held.get_mut(index)) {
                *held = true;
            }
        }
    }
    let mut runs: Runs<'a> = Vec::new();
    let mut at = 0;
    while at < entries.len() {
        let length = held[at..].iter().take_while(|is| **is == held[at]).count();
        if !held[at] {
            let before = match at {
                0 => proven.before.hash,
                at => entries[at - 1].hash,
            };
            runs.push((before, &entries[at..at + length]));
        }
        at += length;
    }
    Ok((damaged, runs))
}
