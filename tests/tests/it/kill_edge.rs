//! Kills of a branch.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use tests::process::chain::{Chain, Plan};
use tokio::time::Instant;

use super::sound::{ensure_branch_is_sound, ensure_converged, orders_at_branch, plain_id};
use super::writers::{Counter, Written, ensure_replayed, start};

const KILLS: u32 = 30;
const WRITERS: usize = 8;
const ENOUGH_IN_FLIGHT: usize = 4;

/// Goal: no write that was answered is lost by SIGKILL, and none happens twice (INV-1, INV-3, F-1).
/// Method: eight writers, thirty kills in the middle of requests; after each, every answer is looked for by its id and
/// its key, the chain and the ledger are added up by SQL. At the end the branch verifies itself and the hub agrees.
#[tokio::test]
async fn a_branch_that_is_killed_thirty_times_loses_and_doubles_nothing() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let mut chain = Chain::start(&Plan::of(&["KIL"])).await?;
    let manager = chain.manager(0).await?;
    let counter = Counter::open();
    let writers = start(&counter, &manager, &chain.skus, WRITERS);
    for round in 1..=KILLS {
        let seen = counter.count();
        // Another moment in the life of a request each time, and of a process that has only just started.
        until_busy(&counter, seen + 4 + (round as usize * 7) % 29, &writers).await?;
        chain.edges[0].kill().await?;
        counter.alive.send_replace(None);
        chain.edges[0].start().await?;
        let answered = counter.answered(0);
        ensure_all_there(&chain, &answered)?;
        ensure_branch_is_sound(&chain.edges[0])?;
        let newest = answered.len().saturating_sub(WRITERS);
        ensure_replayed(&manager, &answered[newest..]).await?;
        counter.alive.send_replace(Some(round));
    }
    counter.close();
    for writer in writers {
        writer.await??;
    }
    let (answered, unanswered) = (counter.answered(0), counter.unanswered());
    ensure!(
        unanswered >= KILLS as usize,
        "only {unanswered} requests were cut off in {KILLS} kills"
    );
    ensure!(
        orders_at_branch(&chain.edges[0])? == order_ids(&answered),
        "the branch has other orders than it answered"
    );
    ensure_converged(&chain).await
}

async fn until_busy(
    counter: &Counter,
    answers: usize,
    writers: &[tokio::task::JoinHandle<Result<()>>],
) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(60);
    while counter.count() < answers || counter.in_flight() < ENOUGH_IN_FLIGHT {
        let (count, ended) = (
            counter.count(),
            writers.iter().filter(|writer| writer.is_finished()).count(),
        );
        ensure!(ended == 0, "{ended} writers gave up after {count} answers");
        ensure!(
            Instant::now() < end,
            "only {count} answers, {} requests under way",
            counter.in_flight()
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

/// The orders that intakes answered.
fn order_ids(answered: &[Written]) -> BTreeSet<String> {
    let intakes = answered
        .iter()
        .filter(|write| write.path == "/api/v1/orders");
    intakes
        .filter_map(|write| write.answer["items"][0]["id"].as_str())
        .map(plain_id)
        .collect()
}

/// Every order and every movement that was answered is in the branch's tables.
fn ensure_all_there(chain: &Chain, answered: &[Written]) -> Result<()> {
    let edge = &chain.edges[0];
    let there = orders_at_branch(edge)?;
    let lost: Vec<String> = order_ids(answered).difference(&there).cloned().collect();
    ensure!(lost.is_empty(), "answered and lost: {lost:?}");
    let movements = answered
        .iter()
        .filter(|write| write.path.ends_with("/movements") && write.status < 300);
    let database = edge.database()?;
    let mut row = database.prepare("select count(*) from movement where lower(hex(id)) = ?1")?;
    for write in movements {
        let id = plain_id(write.answer["id"].as_str().unwrap_or_default());
        let found: i64 = row.query_row([&id], |row| row.get(0))?;
        ensure!(
            found == 1,
            "movement {id} was answered and is there {found} times"
        );
    }
    Ok(())
}
