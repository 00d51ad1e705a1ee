//! Entries of the feeds that this database lost, looked for and put back.
//!
//! A feed is looked through from its cursor downwards: what hangs together by running hashes is proven, because each hash
//! commits to everything before it. The first entry that is not there, or not what its hash says, ends what is sound; the
//! hub is asked for it. What comes back stands in the feed again and is not applied: it was (INV-3).

use rusqlite::{Connection, OptionalExtension};
use sync_protocol::feed::{FeedId, FeedKind, FeedTip};
use sync_protocol::hash::Hash;
use sync_protocol::limits::WANT_TRANSACTIONS;
use sync_protocol::mending::KeptEntry;
use sync_protocol::mending::feed::{FeedGap, FeedSpan, ProvenFeed, is_sound};

use super::tip_of;
use crate::error::{AppError, StoreError};
use crate::store::tx::WriteTx;
use crate::store::value::{hash, signed};
use crate::store::{Store, Touched, incident};

/// Entries that are looked at in one reading, so that pages do not wait for it.
const SLICE: u64 = 256;

/// What became of the last question.
#[derive(Debug)]
pub enum FeedStep {
    /// There was none: every feed is to be looked through.
    Begin,
    /// Entries came back.
    PutBack(ProvenFeed),
    /// Entries did not come back, and why.
    NotBack(FeedSpan, String),
}

/// Where the look at a feed has come to.
#[derive(Debug, Clone, Copy)]
enum Look {
    /// What is behind this entry is sound.
    At(FeedTip),
    /// These are not there or not sound.
    Lost(FeedGap),
}

impl Store {
    /// Goes on with looking for lost entries of the feeds; gives what the hub is to be asked for next, none where all
    /// that can be had is there.
    pub async fn mend_feeds(&self, step: FeedStep) -> Result<Option<FeedGap>, AppError> {
        let mut rest = self.feeds();
        let mut below = None;
        match step {
            FeedStep::Begin => {}
            FeedStep::PutBack(proven) => {
                behind(&mut rest, proven.feed.kind, true);
                below = Some(proven.before);
                self.write(move |tx| put_back(tx, &proven)).await?;
            }
            FeedStep::NotBack(span, why) => {
                behind(&mut rest, span.kind, false);
                let detail = format!("entries {span} are lost here and did not come back: {why}");
                tracing::warn!(detail, "a feed could not be mended");
                self.record_incident("mending", detail).await?;
            }
        }
        for feed in rest {
            if let Some(gap) = self.look_through(feed, below.take()).await? {
                return Ok(Some(gap));
            }
        }
        Ok(None)
    }

    async fn look_through(
        &self,
        feed: FeedId,
        below: Option<FeedTip>,
    ) -> Result<Option<FeedGap>, AppError> {
        let mut end = match below {
            Some(below) => below,
            None => {
                let tip = self.read(move |reader| Ok(tip_of(reader.conn(), feed.kind)?));
                match tip.await? {
                    Some(tip) => tip,
                    None => return Ok(None),
                }
            }
        };
        while end.n > 0 {
            let looked = self.read(move |reader| Ok(look(reader.conn(), feed, end)?));
            match looked.await? {
                Look::At(tip) => end = tip,
                Look::Lost(gap) => return Ok(Some(gap)),
            }
        }
        Ok(None)
    }
}

/// Leaves the feeds from this kind on, with it or without.
fn behind(feeds: &mut Vec<FeedId>, kind: FeedKind, with: bool) {
    let place = feeds.iter().position(|feed| feed.kind == kind);
    let done = place.map_or(0, |place| if with { place } else { place + 1 });
    feeds.drain(..done);
}

/// Looks at the entries before `end`, a slice of them.
fn look(conn: &Connection, feed: FeedId, end: FeedTip) -> Result<Look, StoreError> {
    let mut end = end;
    let stop = end.n.saturating_sub(SLICE);
    while end.n > stop {
        let kept = kept(conn, feed.kind, end.n)?;
        let before = before(conn, feed, end.n)?;
        match (kept, before) {
            (Some(kept), Some(before)) if kept.hash == end.running && is_sound(&before, &kept) => {
                end = FeedTip {
                    n: end.n - 1,
                    running: before,
                };
            }
            _ => return Ok(Look::Lost(gap(conn, feed, end)?)),
        }
    }
    Ok(Look::At(end))
}

/// Entry `n` as it is kept, if it is there.
fn kept(conn: &Connection, kind: FeedKind, n: u64) -> Result<Option<KeptEntry>, StoreError> {
    let found = conn
        .prepare_cached("select bytes, running from feed_entry where kind = ?1 and n = ?2")?
        .query_row((kind as u8, signed(n)), |row| {
            Ok(KeptEntry {
                seq: n,
                bytes: row.get(0)?,
                hash: hash(row, 1)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// The running hash before entry `n`, as the entry before it says.
fn before(conn: &Connection, feed: FeedId, n: u64) -> Result<Option<Hash>, StoreError> {
    if n == 1 {
        return Ok(Some(feed.start()));
    }
    let found = conn
        .prepare_cached("select running from feed_entry where kind = ?1 and n = ?2")?
        .query_row((feed.kind as u8, signed(n - 1)), |row| hash(row, 0))
        .optional()?;
    Ok(found)
}

/// What to ask for: from `end` down to the next entry that agrees with the one before it.
fn gap(conn: &Connection, feed: FeedId, end: FeedTip) -> Result<FeedGap, StoreError> {
    let least = (end.n + 1).saturating_sub(WANT_TRANSACTIONS).max(1);
    let mut first = end.n;
    while first > least {
        let (kept, before) = (
            kept(conn, feed.kind, first - 1)?,
            before(conn, feed, first - 1)?,
        );
        if let (Some(kept), Some(before)) = (kept, before)
            && is_sound(&before, &kept)
        {
            break;
        }
        first -= 1;
    }
    Ok(FeedGap {
        feed,
        span: FeedSpan {
            kind: feed.kind,
            first,
            last: end.n,
        },
        end: end.running,
    })
}

/// Puts proven entries where they were, in one commit with the incident that says so. What is sound stays as it is.
fn put_back(tx: &mut WriteTx<'_>, proven: &ProvenFeed) -> Result<(), AppError> {
    let kind = proven.feed.kind;
    let cursor = tip_of(tx.conn(), kind)?.map_or(0, |tip| tip.n);
    let mut count = 0_u64;
    for (tip, entry) in &proven.entries {
        let bytes = entry.to_bytes();
        let there = kept(tx.conn(), kind, tip.n)?;
        let is_there = there.is_some_and(|there| there.bytes == bytes && there.hash == tip.running);
        if is_there || tip.n > cursor {
            continue;
        }
        tx.conn()
            .prepare_cached(
                "insert into feed_entry (kind, n, bytes, running) values (?1, ?2, ?3, ?4)
                 on conflict (kind, n) do update set bytes = excluded.bytes, running = excluded.running",
            )?
            .execute((kind as u8, signed(tip.n), &bytes, &tip.running))?;
        tx.wrote(bytes.len());
        count += 1;
    }
    let Some((last, _)) = proven.entries.last().filter(|_| count > 0) else {
        return Ok(());
    };
    let detail = format!(
        "entries {} to {} of the {} feed were asked of the hub again, {count} of them were lost or damaged here and are put back",
        proven.before.n + 1,
        last.n,
        kind.as_str(),
    );
    tracing::warn!(detail, "a feed was mended");
    incident::record(tx, "mending", &detail)?;
    tx.touch(Touched::Sync);
    Ok(())
}
