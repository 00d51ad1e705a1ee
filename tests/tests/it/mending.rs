//! What the hub lost of a branch's log comes back from the branch, over the real line.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use edge_node::sync::{SyncConfig, start};
use hub::app::reconcile::{business_day, show_day};
use serde_json::{Value, json};
use sqlx::{PgConnection, Row as _};
use sync_protocol::item::{AuditNote, Item};
use tests::process::chain::api::Api;
use tests::process::chain::wait::{level, until, until_link};
use tests::process::chain::{Chain, PATIENCE, Plan};
use tests::process::hub::Database;

use super::hostile::Evil;
use super::night::{bad, of_branch};
use super::sound::ensure_converged;

/// A row of a branch's log at the hub: first transaction → digest of all of its columns.
type Rows = BTreeMap<i64, String>;

async fn rows(hub: &mut PgConnection, branch: &str) -> Result<Rows> {
    let found = sqlx::query(
        "select first_seq, md5(b::text) as digest from sync.log_block b where branch_id = $1::text::uuid",
    );
    let found = found.bind(branch).fetch_all(hub).await?;
    Ok(found.iter().map(|row| (row.get(0), row.get(1))).collect())
}

async fn plant(
    hub: &mut PgConnection,
    statement: &'static str,
    branch: &str,
    first: i64,
) -> Result<()> {
    let done = sqlx::query(statement).bind(branch).bind(first).execute(hub);
    ensure!(done.await?.rows_affected() == 1, "{statement} {first}");
    Ok(())
}

const DELETE: &str =
    "delete from sync.log_block where branch_id = $1::text::uuid and first_seq = $2";
const FLIP: &str = "update sync.log_block
    set bytes = set_byte(bytes, length(bytes) - 7, get_byte(bytes, length(bytes) - 7) # 16)
    where branch_id = $1::text::uuid and first_seq = $2";
const UNCHAIN: &str =
    "update sync.log_block set before = set_byte(before, 9, get_byte(before, 9) # 1)
    where branch_id = $1::text::uuid and first_seq = $2";

/// What the hub says of the chain of a branch's machine.
async fn chain_of(central: &Api, code: &str) -> Result<Value> {
    let path = format!("/api/v1/audit/verify?branch={code}");
    Ok(central.get(&path).await?["items"][0].clone())
}

async fn until_whole(central: &Api, code: &str) -> Result<Value> {
    until("the log is whole", PATIENCE, async || {
        let chain = chain_of(central, code).await?;
        let is_whole = chain["intact"] == true && chain["mending"].is_null();
        Ok(if is_whole {
            Ok(chain)
        } else {
            Err(chain.to_string())
        })
    })
    .await
}

async fn incidents(central: &Api) -> Result<Vec<Value>> {
    let all = central.list("/api/v1/incidents").await?;
    Ok(all
        .into_iter()
        .filter(|one| one["kind"] == "mending")
        .collect())
}

/// Takes orders in, one by one, so that the hub has many blocks; the machine starts anew on the way.
async fn write(chain: &mut Chain, index: usize, mark: &str) -> Result<()> {
    for round in 0..2 {
        for number in 0..6 {
            let manager = chain.manager(index).await?;
            manager
                .take_in(&format!("{mark}-{round}-{number}"), "rattles")
                .await?;
            level(&manager, PATIENCE).await?;
        }
        if round == 0 {
            chain.edges[index].stop().await?;
            chain.edges[index].start().await?;
        }
    }
    Ok(())
}

/// Goal: rows of a log that were deleted and bytes that were flipped in the hub's database are named by the night, come
/// back from the branch that wrote them, and leave nothing behind: the next night and `hub verify` find nothing, rows
/// that were sound are the very same, and it is on record (INV-9).
/// Method: over several epochs, at the beginning, in the middle and at the end of the log; the hub runs all the while.
#[tokio::test]
async fn what_the_night_finds_lost_is_asked_for_and_comes_back() {
    comes_back().await.unwrap();
}

async fn comes_back() -> Result<()> {
    let mut chain = Chain::start(&Plan {
        parts: 1,
        database: Database::Private,
        ..Plan::of(&["MEA", "MEB"])
    })
    .await?;
    write(&mut chain, 0, "mea").await?;
    let central = chain.hub.api("central").await?;
    let now_ms = edge_node::env::Env::system().now_ms();
    let day = show_day(business_day(now_ms, "Europe/Berlin"));
    for index in 0..2 {
        let manager = chain.manager(index).await?;
        let body = json!({ "business_date": day });
        manager.send("/api/v1/business-days", &body).await?;
        level(&manager, PATIENCE).await?;
    }
    until("heads are seen", PATIENCE, async || {
        let chains = [
            chain_of(&central, "MEA").await?,
            chain_of(&central, "MEB").await?,
        ];
        let is_seen = |chain: &Value| chain["signed_head"]["countersignature"].is_string();
        Ok(if chains.iter().all(is_seen) {
            Ok(())
        } else {
            Err(format!("{chains:?}"))
        })
    })
    .await?;
    let night = night(&chain, &day).await?;
    ensure!(bad(&night).is_empty(), "{:#?}", bad(&night));

    let branch = chain.edges[0].branch_id.clone();
    let mut hub = chain.hub.connect().await?;
    let before = rows(&mut hub, &branch).await?;
    ensure!(before.len() > 12, "many blocks: {}", before.len());
    let firsts: Vec<i64> = before.keys().copied().collect();
    let last = firsts.len() - 1;
    let broken = [firsts[0], firsts[4], firsts[5], firsts[8], firsts[last]];
    plant(&mut hub, DELETE, &branch, broken[0]).await?;
    plant(&mut hub, DELETE, &branch, broken[1]).await?;
    plant(&mut hub, FLIP, &branch, broken[2]).await?;
    plant(&mut hub, UNCHAIN, &branch, broken[3]).await?;
    plant(&mut hub, DELETE, &branch, broken[4]).await?;
    ensure!(chain_of(&central, "MEA").await?["intact"] == false);

    let night = self::night(&chain, &day).await?;
    ensure!(
        of_branch(&night, "MEB")["state"] == "green",
        "{:#?}",
        bad(&night)
    );
    let named = bad(&night);
    ensure!(
        named.len() == 1 && named[0].starts_with("MEA log red: "),
        "{named:#?}"
    );
    for first in broken {
        ensure!(
            named[0].contains(&format!("/{first}: ")),
            "{first} is not named: {named:#?}"
        );
    }
    until_whole(&central, "MEA").await?;
    done_again(&chain, &central, &day).await?;
    let after = rows(&mut hub, &branch).await?;
    for (first, digest) in before.iter().filter(|(first, _)| !broken.contains(first)) {
        ensure!(
            after.get(first) == Some(digest),
            "the sound block at {first} was touched"
        );
    }
    let on_record = incidents(&central).await?;
    ensure!(!on_record.is_empty(), "nothing is on record");
    let text = Value::from(on_record).to_string();
    for first in broken {
        ensure!(
            text.contains(&format!(" {first} to ")) || text.contains("put back"),
            "{text}"
        );
    }
    let night = self::night(&chain, &day).await?;
    ensure!(bad(&night).is_empty(), "{:#?}", bad(&night));
    chain.hub.verified().await?;
    ensure_converged(&chain).await
}

/// The hub does the night again by itself, once, says so, and leaves the other branch's alone.
async fn done_again(chain: &Chain, central: &Api, day: &str) -> Result<()> {
    let path = format!("/api/v1/reconciliations/{day}?brief=true");
    let night = until("the night is done again", PATIENCE, async || {
        let night = central.get(&path).await?;
        let branch = of_branch(&night, "MEA");
        let is_done = branch["done_again_after_mending_at"].is_string();
        Ok(if is_done && branch["run"] == "done" {
            Ok(night)
        } else {
            Err(branch.to_string())
        })
    })
    .await?;
    ensure!(bad(&night).is_empty(), "{:#?}", bad(&night));
    let (mended, other) = (of_branch(&night, "MEA"), of_branch(&night, "MEB"));
    ensure!(mended["rounds"] == 3, "{mended}");
    ensure!(
        other["rounds"] == 2 && other["done_again_after_mending_at"].is_null(),
        "{other}"
    );
    chain.hub.verified().await.map(drop)
}

async fn night(chain: &Chain, day: &str) -> Result<Value> {
    let arguments = ["reconcile", "--business-date", day, "--json"];
    let said = chain.hub.command(&arguments, None).await?;
    serde_json::from_str(&said).with_context(|| format!("no JSON: {said}"))
}

/// Goal: an order waits for a machine that is cut off and is carried out when it is back; where nothing is missing it
/// changes nothing.
/// Method: the whole log of a branch is deleted at the hub; the branch writes on meanwhile.
#[tokio::test]
async fn an_order_waits_for_the_line() {
    waits().await.unwrap();
}

async fn waits() -> Result<()> {
    let mut chain = Chain::start(&Plan {
        parts: 1,
        database: Database::Private,
        ..Plan::of(&["MEC"])
    })
    .await?;
    write(&mut chain, 0, "mec").await?;
    let manager = chain.manager(0).await?;
    let central = chain.hub.api("central").await?;
    manager.send("/api/v1/sync/pause", &Value::Null).await?;
    until_link(&manager, "paused", PATIENCE).await?;
    let branch = chain.edges[0].branch_id.clone();
    let mut hub = chain.hub.connect().await?;
    let deleted = sqlx::query("delete from sync.log_block where branch_id = $1::text::uuid");
    deleted.bind(&branch).execute(&mut hub).await?;
    let body = json!({ "branch": "MEC" });
    let ordered = central.send("/api/v1/audit/mend", &body).await?;
    let machines = ordered["machines"].as_array().map(Vec::len);
    ensure!(machines == Some(1), "{ordered}");
    manager.take_in("while-paused", "squeaks").await?;
    let waiting = chain_of(&central, "MEC").await?;
    ensure!(waiting["mending"]["state"] == "waiting", "{waiting}");
    manager.send("/api/v1/sync/resume", &Value::Null).await?;
    level(&manager, PATIENCE).await?;
    until_whole(&central, "MEC").await?;
    let on_record = incidents(&central).await?;
    central.send("/api/v1/audit/mend", &body).await?;
    until_whole(&central, "MEC").await?;
    ensure!(
        incidents(&central).await? == on_record,
        "nothing was missing"
    );
    chain.hub.verified().await?;
    ensure_converged(&chain).await
}

/// Goal: a branch that answers with other bytes than it wrote is refused and nothing changes; an answer of the right
/// bytes is taken later (INV-19, F-16, F-17).
/// Method: the product's own line over a made-up database that lies: another content, bytes that are no block, nothing.
#[tokio::test]
async fn a_lying_branch_puts_nothing_back() {
    lying().await.unwrap();
}

async fn lying() -> Result<()> {
    let chain = Chain::start(&Plan {
        parts: 1,
        database: Database::Private,
        ..Plan::of(&["MED"])
    })
    .await?;
    let evil = Evil::join(&chain).await?;
    let config = SyncConfig {
        dir: evil.dir.clone(),
        hub: chain.hub.quic().to_string(),
        env: evil.env.clone(),
    };
    let line = start(evil.store.clone(), config)?;
    for number in 1..=3 {
        let note = AuditNote {
            subject: [number; 16],
            text: format!("note {number}"),
        };
        let position = evil.store.append(&[Item::Note(note)], evil.env.now_ms());
        let mut acks = evil.store.acks();
        let stored = acks.wait_for(|ack| ack.is_some_and(|ack| ack.stored.seq == position.seq));
        drop(tokio::time::timeout(PATIENCE, stored).await??);
    }
    let branch = evil.identity.branch.to_string();
    let mut hub = chain.hub.connect().await?;
    let before = rows(&mut hub, &branch).await?;
    ensure!(before.len() == 3, "three blocks: {before:?}");
    plant(&mut hub, DELETE, &branch, 2).await?;
    let lost = rows(&mut hub, &branch).await?;
    let central = chain.hub.api("central").await?;
    let lies: [(Vec<Vec<u8>>, &str); 3] = [
        (
            vec![evil.store.block(2, 1, true)],
            "does not come to the hash",
        ),
        (vec![b"no block at all".to_vec()], ""),
        (Vec::new(), "does not have them either"),
    ];
    for (round, (lie, said)) in lies.into_iter().enumerate() {
        evil.store.answer_with(lie);
        central
            .send("/api/v1/audit/mend", &json!({ "branch": "EVIL" }))
            .await?;
        let refused = until("the answer is refused", PATIENCE, async || {
            let chain = chain_of(&central, "EVIL").await?;
            let is_refused =
                chain["mending"]["state"] == "refused" && evil.store.asked().len() > round;
            Ok(if is_refused {
                Ok(chain)
            } else {
                Err(chain.to_string())
            })
        })
        .await?;
        let detail = refused["mending"]["detail"].as_str().unwrap_or_default();
        ensure!(detail.contains(said), "round {round}: {refused}");
        ensure!(
            rows(&mut hub, &branch).await? == lost,
            "round {round} changed something"
        );
    }
    let asked = evil.store.asked();
    ensure!(
        asked.iter().all(|span| (span.first, span.last) == (2, 2)),
        "{asked:?}"
    );
    evil.store.answer_with(vec![evil.store.block(2, 1, false)]);
    central
        .send("/api/v1/audit/mend", &json!({ "branch": "EVIL" }))
        .await?;
    until_whole(&central, "EVIL").await?;
    ensure!(rows(&mut hub, &branch).await? == before, "it is as it was");
    line.stop().await;
    chain.hub.verified().await.map(drop)
}
