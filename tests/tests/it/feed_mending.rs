//! What a branch lost of its feeds comes back from the hub, over the real line.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rusqlite::Connection;
use serde_json::{Value, json};
use sqlx::Row as _;
use tests::process::chain::api::Api;
use tests::process::chain::wait::{level, until, until_link};
use tests::process::chain::{Chain, PATIENCE, Plan};
use tests::process::edge::Edge;
use tests::process::hub::Database;

use super::sound::ensure_converged;

/// Feed kind and number of an entry → its bytes and running hash.
type Rows = BTreeMap<(i64, i64), (Vec<u8>, Vec<u8>)>;

const PRIVATE: i64 = 1;
const CHAIN: i64 = 2;

fn rows(edge: &Edge) -> Result<Rows> {
    let database = edge.database()?;
    let mut statement = database.prepare("select kind, n, bytes, running from feed_entry")?;
    let found = statement.query_map([], |row| {
        Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?)))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Changes one row of a feed, beside the program or without it.
fn plant(edge: &Edge, statement: &str, kind: i64, n: i64) -> Result<()> {
    let database = Connection::open(edge.dir().join("counterpart.db"))?;
    database.busy_timeout(Duration::from_secs(10))?;
    let changed = database.execute(statement, (kind, n))?;
    ensure!(changed == 1, "{statement} {kind}/{n}");
    Ok(())
}

const DELETE: &str = "delete from feed_entry where kind = ?1 and n = ?2";
const OTHER_BYTES: &str =
    "update feed_entry set bytes = zeroblob(length(bytes)) where kind = ?1 and n = ?2";
const UNCHAIN: &str = "update feed_entry set running = zeroblob(32) where kind = ?1 and n = ?2";

async fn until_same(edge: &Edge, wanted: &Rows) -> Result<()> {
    until("the feeds are whole", PATIENCE, async || {
        let found = rows(edge)?;
        let differing = wanted
            .iter()
            .filter(|(key, row)| found.get(*key) != Some(*row));
        let differing: Vec<_> = differing.map(|(key, _)| *key).collect();
        Ok(if differing.is_empty() {
            Ok(())
        } else {
            Err(format!("{differing:?}"))
        })
    })
    .await
}

async fn incidents(manager: &Api) -> Result<Vec<String>> {
    let all = manager.list("/api/v1/incidents").await?;
    let of_kind = all.iter().filter(|one| one["kind"] == "mending");
    Ok(of_kind.map(|one| one["detail"].to_string()).collect())
}

/// Goal: entries of the feeds that were deleted or changed in a branch's database come back from the hub when the program
/// starts, or when somebody asks; they are as they were, nothing is applied again, and it is on record. What the hub lost
/// too is noted once and not asked for again and again (INV-3, INV-9).
#[tokio::test]
async fn what_a_branch_lost_of_its_feeds_comes_back() {
    comes_back().await.unwrap();
}

async fn comes_back() -> Result<()> {
    let mut chain = Chain::start(&Plan {
        parts: 12,
        database: Database::Private,
        ..Plan::of(&["MEF"])
    })
    .await?;
    let manager = chain.manager(0).await?;
    manager.take_in("before", "rattles").await?;
    level(&manager, PATIENCE).await?;
    chain.edges[0].stop().await?;
    let sound = rows(&chain.edges[0])?;
    let end = |kind: i64| sound.keys().filter(|key| key.0 == kind).count() as i64;
    ensure!(end(CHAIN) > 6 && end(PRIVATE) > 0, "{:?}", sound.keys());
    for (statement, kind, n) in [
        (DELETE, CHAIN, 1),
        (DELETE, CHAIN, 3),
        (OTHER_BYTES, CHAIN, 4),
        (UNCHAIN, CHAIN, 6),
        (DELETE, CHAIN, end(CHAIN)),
        (OTHER_BYTES, PRIVATE, end(PRIVATE)),
    ] {
        plant(&chain.edges[0], statement, kind, n)?;
    }
    ensure!(chain.edges[0].verified().await.is_err(), "verify names it");
    chain.edges[0].start().await?;
    until_same(&chain.edges[0], &sound).await?;
    chain.edges[0].verified().await?;
    let manager = chain.manager(0).await?;
    let on_record = incidents(&manager).await?;
    ensure!(
        on_record.iter().any(|one| one.contains("chain feed"))
            && on_record.iter().any(|one| one.contains("private feed"))
            && on_record.iter().all(|one| one.contains("are put back")),
        "{on_record:?}"
    );
    asked_for(&mut chain, &manager, &sound, on_record.len()).await?;
    chain.edges[0].verified().await?;
    chain.hub.verified().await?;
    ensure_converged(&chain).await
}

/// While the program runs: by command, and where the hub does not have it either.
async fn asked_for(chain: &mut Chain, manager: &Api, sound: &Rows, on_record: usize) -> Result<()> {
    plant(&chain.edges[0], DELETE, CHAIN, 2)?;
    manager.send("/api/v1/sync/check", &Value::Null).await?;
    until_same(&chain.edges[0], sound).await?;
    ensure!(incidents(manager).await?.len() == on_record + 1);

    let mut hub = chain.hub.connect().await?;
    let lost = sqlx::query(
        "delete from sync.feed_entry where feed = decode('02' || repeat('00', 16), 'hex') and n = 5
         returning feed, n, running, bytes",
    );
    let lost = lost.fetch_one(&mut hub).await?;
    plant(&chain.edges[0], UNCHAIN, CHAIN, 5)?;
    manager.send("/api/v1/sync/check", &Value::Null).await?;
    let refused = until("the hub says that it is gone", PATIENCE, async || {
        let on_record = incidents(manager).await?;
        let refused = on_record
            .iter()
            .filter(|one| one.contains("did not come back"));
        let refused = refused.count();
        Ok(if refused > 0 {
            Ok(refused)
        } else {
            Err(format!("{on_record:?}"))
        })
    })
    .await?;
    manager.send("/api/v1/sync/pause", &Value::Null).await?;
    until_link(manager, "paused", PATIENCE).await?;
    manager.send("/api/v1/sync/resume", &Value::Null).await?;
    until_link(manager, "connected", PATIENCE).await?;
    manager.take_in("after", "squeaks").await?;
    level(manager, PATIENCE).await?;
    let again = incidents(manager).await?;
    let again = again.iter().filter(|one| one.contains("did not come back"));
    ensure!(again.count() == refused, "a new session asks no more");

    let feed: Vec<u8> = lost.try_get(0)?;
    let back = sqlx::query("insert into sync.feed_entry values ($1, $2, $3, $4)");
    let back = back.bind(feed).bind(lost.try_get::<i64, _>(1)?);
    let back = back.bind(lost.try_get::<Vec<u8>, _>(2)?);
    let back = back.bind(lost.try_get::<Vec<u8>, _>(3)?);
    back.execute(&mut hub).await.context("the row as it was")?;
    let body = json!({});
    manager.send("/api/v1/sync/check", &body).await?;
    until_same(&chain.edges[0], sound).await
}
