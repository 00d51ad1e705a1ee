//! Feeds: entries kept as they came, applied whole, the cursor in the same commit (INV-3, INV-24).
//!
//! A branch never stops at an entry: an item that cannot be applied is parked, an incident says so, and the cursor
//! goes on. A block that does not follow the cursor is refused, for then one of the two sides went back in time.

mod lost;

use rusqlite::{Connection, OptionalExtension};
use sync_protocol::feed::{Cursor, FeedBlock, FeedEntry, FeedId, FeedKind, FeedTip};
use sync_protocol::hash::Hash;
use sync_protocol::message::FeedHead;

use super::project::{ApplyContext, Source};
use super::tx::WriteTx;
use super::value::{hash, signed, unsigned};
use super::{Store, Touched, incident, log};
use crate::error::{AppError, StoreError};
use crate::identity::NodeIdentity;

pub use lost::FeedStep;

/// Entries that one commit takes at most, so that people's writes in between wait for 5 ms at most.
const ENTRIES_PER_COMMIT: usize = 16;
/// Items that one commit takes, unless a single entry has more.
const ITEMS_PER_COMMIT: usize = 24;

/// How far a feed is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedProgress {
    /// Which feed.
    pub feed: FeedId,
    /// Number of the last entry applied.
    pub cursor: u64,
    /// Number of the last entry that the hub told of.
    pub head: u64,
}

/// The feeds that a node reads.
pub(crate) fn feeds_of(identity: &NodeIdentity) -> Vec<FeedId> {
    vec![
        FeedId::private(identity.branch),
        FeedId::chain(),
        FeedId::availability(&identity.region),
        FeedId::register(),
    ]
}

fn tip_of(conn: &Connection, kind: FeedKind) -> Result<Option<FeedTip>, StoreError> {
    let found = conn
        .prepare_cached("select n, running from feed_cursor where kind = ?1")?
        .query_row([kind as u8], |row| {
            Ok(FeedTip {
                n: unsigned(row, 0)?,
                running: hash(row, 1)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// The cursors of all feeds that have entries.
pub(crate) fn cursors(conn: &Connection) -> Result<Vec<Cursor>, StoreError> {
    let mut cursors = Vec::new();
    for kind in FeedKind::ALL {
        if let Some(tip) = tip_of(conn, kind)? {
            cursors.push(Cursor::new(kind, tip.n, &tip.running));
        }
    }
    Ok(cursors)
}

pub(crate) fn progress(
    conn: &Connection,
    identity: &NodeIdentity,
) -> Result<Vec<FeedProgress>, StoreError> {
    let mut progress = Vec::new();
    for feed in feeds_of(identity) {
        let cursor = tip_of(conn, feed.kind)?.map_or(0, |tip| tip.n);
        let head = conn
            .prepare_cached("select n from feed_head where kind = ?1")?
            .query_row([feed.kind as u8], |row| unsigned(row, 0))
            .optional()?
            .unwrap_or(0);
        progress.push(FeedProgress {
            feed,
            cursor,
            head: head.max(cursor),
        });
    }
    Ok(progress)
}

fn keep_head(conn: &Connection, head: &FeedHead) -> Result<(), StoreError> {
    conn.prepare_cached(
        "insert into feed_head (kind, scope, n, running, mac) values (?1, ?2, ?3, ?4, ?5)
         on conflict (kind) do update set scope = excluded.scope, n = excluded.n, running = excluded.running,
             mac = excluded.mac",
    )?
    .execute((head.feed_kind, &head.scope, signed(head.n), &head.running, &head.mac))?;
    Ok(())
}

/// One entry of a feed, as stored, and the running hash behind it.
pub(crate) fn entry(
    conn: &Connection,
    kind: i64,
    n: u64,
) -> Result<Option<(FeedEntry, Hash)>, StoreError> {
    let found = conn
        .prepare_cached("select bytes, running from feed_entry where kind = ?1 and n = ?2")?
        .query_row((kind, signed(n)), |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, hash(row, 1)?))
        })
        .optional()?;
    Ok(match found {
        Some((bytes, running)) => Some((FeedEntry::from_bytes(&bytes)?, running)),
        None => None,
    })
}

impl Store {
    /// Applies a block of a feed, entry by entry whole, in commits of a few milliseconds each; gives the cursor
    /// behind it. Entries that are here already are passed over. `head` is kept in the last of the commits.
    ///
    /// # Errors
    /// A conflict `feed-gap` when the block does not follow the cursor.
    pub async fn apply_feed_block(
        &self,
        block: FeedBlock,
        head: Option<FeedHead>,
    ) -> Result<Cursor, AppError> {
        let FeedBlock {
            feed,
            first,
            before,
            entries,
        } = block;
        if !self.feeds().contains(&feed) {
            return Err(AppError::conflict(
                "foreign-feed",
                "this feed is not one that the branch reads",
            ));
        }
        let mut tip = FeedTip {
            n: first - 1,
            running: before,
        };
        let mut rest = entries.into_iter().peekable();
        while rest.peek().is_some() {
            let mut group = Vec::new();
            let mut items = 0;
            while let Some(entry) = rest.peek() {
                items += entry.items.len();
                if group.len() >= ENTRIES_PER_COMMIT
                    || (!group.is_empty() && items > ITEMS_PER_COMMIT)
                {
                    break;
                }
                group.extend(rest.next());
            }
            let head = head.clone().filter(|_| rest.peek().is_none());
            tip = self
                .write(move |tx| {
                    let tip = apply_group(tx, feed, tip, &group)?;
                    if let Some(head) = head {
                        keep_head(tx.conn(), &head)?;
                    }
                    Ok(tip)
                })
                .await?;
        }
        Ok(Cursor::new(feed.kind, tip.n, &tip.running))
    }
}

fn apply_group(
    tx: &mut WriteTx<'_>,
    feed: FeedId,
    before: FeedTip,
    entries: &[FeedEntry],
) -> Result<FeedTip, AppError> {
    let known = tip_of(tx.conn(), feed.kind)?.unwrap_or(FeedTip {
        n: 0,
        running: feed.start(),
    });
    if before.n > known.n {
        let detail = format!("entry {} does not follow entry {}", before.n + 1, known.n);
        return Err(AppError::conflict("feed-gap", detail));
    }
    let mut tip = before;
    for entry in entries {
        if tip.n == known.n && tip.running != known.running {
            let detail = format!("the hub's entry {} is another one than is here", known.n);
            return Err(AppError::conflict("feed-fork", detail));
        }
        let n = tip.n + 1;
        let running = entry.running(&tip.running, n);
        if n > known.n {
            apply_entry(tx, feed.kind, n, entry, &running)?;
        }
        tip = FeedTip { n, running };
    }
    if tip.n > known.n {
        tx.conn()
            .prepare_cached(
                "insert into feed_cursor (kind, n, running) values (?1, ?2, ?3)
                 on conflict (kind) do update set n = excluded.n, running = excluded.running",
            )?
            .execute((feed.kind as u8, signed(tip.n), &tip.running))?;
        tx.touch(Touched::Sync);
    }
    Ok(tip)
}

fn apply_entry(
    tx: &mut WriteTx<'_>,
    kind: FeedKind,
    n: u64,
    entry: &FeedEntry,
    running: &Hash,
) -> Result<(), AppError> {
    let bytes = entry.to_bytes();
    tx.conn()
        .prepare_cached("insert into feed_entry (kind, n, bytes, running) values (?1, ?2, ?3, ?4)")?
        .execute((kind as u8, signed(n), &bytes, running))?;
    log::applied(tx.conn(), kind as i64, n)?;
    tx.wrote(4 * bytes.len());
    let parked = super::parked::here(tx.conn())?;
    apply_items(&mut tx.projector(), kind, entry)?;
    let now_parked = super::parked::here(tx.conn())?;
    if now_parked > parked {
        let detail = format!(
            "entry {n} of the {} feed (transaction {}) could not be applied in full: {} of its items are parked",
            kind.as_str(),
            entry.origin,
            now_parked - parked
        );
        incident::record(tx, "feed_item", &detail)?;
    }
    raise_clock(tx, entry.header.hlc)
}

/// Applies the items of an entry; the rebuild does the same.
pub(crate) fn apply_items(
    projector: &mut super::project::Projector<'_>,
    kind: FeedKind,
    entry: &FeedEntry,
) -> Result<(), StoreError> {
    let cx = ApplyContext {
        origin: entry.origin,
        header: entry.header,
        source: Source::Feed(kind),
    };
    for (index, item) in &entry.items {
        projector.apply_raw(&cx, *index, item)?;
    }
    Ok(())
}

fn raise_clock(tx: &mut WriteTx<'_>, hlc: u64) -> Result<(), AppError> {
    // A clock a day ahead of ours is shown, and not followed: it would mark everything written here.
    let limit = u64::try_from(tx.now_ms().saturating_add(86_400_000)).unwrap_or(0) << 16;
    if hlc > limit {
        return Ok(());
    }
    tx.saw_hlc(hlc);
    let start = tx.identity().line_start();
    tx.conn()
        .prepare_cached(
            "insert into sync_state (id, ack_epoch, ack_seq, ack_hash, applied, hlc) values (1, 0, 0, ?1, 0, ?2)
             on conflict (id) do update set hlc = max(hlc, excluded.hlc)",
        )?
        .execute((&start, signed(hlc)))?;
    Ok(())
}
