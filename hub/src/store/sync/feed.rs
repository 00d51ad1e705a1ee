//! Feeds: heads under their row's lock, entries as published.

use sqlx::PgConnection;
use sync_protocol::bytes::Reader;
use sync_protocol::feed::{Cursor, FeedId, FeedTip};
use sync_protocol::hash::Hash;

use crate::error::HubError;
use crate::store::ids::{big, hash_of, unsigned};

/// Reads a feed id's 17 bytes.
pub fn feed_of(bytes: &[u8]) -> Result<FeedId, HubError> {
    let mut reader = Reader::new(bytes, "feed id");
    let feed = FeedId::decode(&mut reader)?;
    reader.finish()?;
    Ok(feed)
}

type RawTip = (Vec<u8>, i64, Vec<u8>);

fn tip((feed, n, running): RawTip) -> Result<(FeedId, FeedTip), HubError> {
    Ok((
        feed_of(&feed)?,
        FeedTip {
            n: unsigned(n),
            running: hash_of(&running)?,
        },
    ))
}

fn bytes_of(feeds: &[FeedId]) -> Vec<Vec<u8>> {
    feeds.iter().map(|feed| feed.to_bytes().to_vec()).collect()
}

/// Locks the heads of these feeds, in the order of their ids; feeds without entries have none.
pub async fn lock(
    connection: &mut PgConnection,
    feeds: &[FeedId],
) -> Result<Vec<(FeedId, FeedTip)>, HubError> {
    let rows: Vec<RawTip> = sqlx::query_as(
        "select feed, n, running from sync.feed where feed = any($1) order by feed for update",
    )
    .bind(bytes_of(feeds))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(tip).collect()
}

/// The heads of these feeds; an empty feed has its start.
pub async fn tips(
    connection: &mut PgConnection,
    feeds: &[FeedId],
) -> Result<Vec<(FeedId, FeedTip)>, HubError> {
    let rows: Vec<RawTip> =
        sqlx::query_as("select feed, n, running from sync.feed where feed = any($1)")
            .bind(bytes_of(feeds))
            .fetch_all(connection)
            .await?;
    let known: Vec<(FeedId, FeedTip)> = rows.into_iter().map(tip).collect::<Result<_, _>>()?;
    let start = |feed: FeedId| FeedTip {
        n: 0,
        running: feed.start(),
    };
    Ok(feeds
        .iter()
        .map(|feed| {
            (
                *feed,
                known
                    .iter()
                    .find(|(id, _)| id == feed)
                    .map_or_else(|| start(*feed), |(_, tip)| *tip),
            )
        })
        .collect())
}

/// The heads of all feeds.
pub async fn all_tips(connection: &mut PgConnection) -> Result<Vec<(FeedId, FeedTip)>, HubError> {
    let rows: Vec<RawTip> = sqlx::query_as("select feed, n, running from sync.feed")
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(tip).collect()
}

/// An entry with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedEntry {
    /// Which feed.
    pub feed: FeedId,
    /// Its number.
    pub n: u64,
    /// Running hash behind it.
    pub running: Hash,
    /// The entry's bytes.
    pub bytes: Vec<u8>,
}

/// Adds entries and moves the heads.
pub async fn append(
    connection: &mut PgConnection,
    entries: Vec<NumberedEntry>,
    tips: &[(FeedId, FeedTip)],
) -> Result<(), sqlx::Error> {
    let feeds: Vec<Vec<u8>> = entries
        .iter()
        .map(|entry| entry.feed.to_bytes().to_vec())
        .collect();
    let numbers: Vec<i64> = entries.iter().map(|entry| big(entry.n)).collect();
    let running: Vec<Vec<u8>> = entries.iter().map(|entry| entry.running.to_vec()).collect();
    let bytes: Vec<Vec<u8>> = entries.into_iter().map(|entry| entry.bytes).collect();
    sqlx::query(
        "insert into sync.feed_entry select * from unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::bytea[])",
    )
    .bind(feeds)
    .bind(numbers)
    .bind(running)
    .bind(bytes)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "insert into sync.feed select * from unnest($1::bytea[], $2::bigint[], $3::bytea[])
         on conflict (feed) do update set n = excluded.n, running = excluded.running",
    )
    .bind(
        tips.iter()
            .map(|(feed, _)| feed.to_bytes().to_vec())
            .collect::<Vec<_>>(),
    )
    .bind(tips.iter().map(|(_, tip)| big(tip.n)).collect::<Vec<_>>())
    .bind(
        tips.iter()
            .map(|(_, tip)| tip.running.to_vec())
            .collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Entries behind number `after`: number, running hash, bytes; at most `limit`.
pub async fn entries(
    connection: &mut PgConnection,
    feed: FeedId,
    after: u64,
    limit: i64,
) -> Result<Vec<(u64, Hash, Vec<u8>)>, HubError> {
    let rows: Vec<(i64, Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "select n, running, bytes from sync.feed_entry where feed = $1 and n > $2 order by n limit $3",
    )
    .bind(feed.to_bytes().to_vec())
    .bind(big(after))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(n, running, bytes)| Ok((unsigned(n), hash_of(&running)?, bytes)))
        .collect()
}

/// The running hash behind entry `n`; the start's for 0, none where the hub does not have it.
pub async fn running(
    connection: &mut PgConnection,
    feed: FeedId,
    n: u64,
) -> Result<Option<Hash>, HubError> {
    if n == 0 {
        return Ok(Some(feed.start()));
    }
    let row: Option<(Vec<u8>,)> =
        sqlx::query_as("select running from sync.feed_entry where feed = $1 and n = $2")
            .bind(feed.to_bytes().to_vec())
            .bind(big(n))
            .fetch_optional(connection)
            .await?;
    row.map(|(running,)| hash_of(&running)).transpose()
}

/// Whether the hub has the entry that a cursor names, with that hash.
pub async fn knows(
    connection: &mut PgConnection,
    feed: FeedId,
    cursor: &Cursor,
) -> Result<bool, HubError> {
    let running = running(connection, feed, cursor.n).await?;
    Ok(running.is_some_and(|running| running[..16] == cursor.check))
}
