//! Kills of the hub, and immediate stops of its Postgres.

use std::time::Duration;

use anyhow::{Result, ensure};
use tests::process::chain::api::Api;
use tests::process::chain::wait::until;
use tests::process::chain::{Chain, PATIENCE, Plan};
use tests::process::hub::Database;
use tests::process::relay::Faults;

use super::sound::{ensure_converged, orders_at_branch};

const ORDERS: usize = 150;
const WRITERS: usize = 6;
/// Slow enough that every fault meets a catch-up in full swing.
const RATE_BYTES: u64 = 12_000;

/// Goal: a catch-up that is torn again and again by SIGKILL of the hub and by immediate stops of Postgres loses and
/// doubles nothing (INV-2, INV-3, F-11).
/// Method: two branches collect orders while the hub is down and send them over slow lines; each time the hub has
/// stored some more, the next fault comes. Then the lines are fast again, and everything must agree.
#[tokio::test]
async fn a_catch_up_survives_kills_of_the_hub_and_of_postgres() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let plan = Plan {
        database: Database::Private,
        relayed: true,
        opening: 50,
        ..Plan::of(&["ONE", "TWO"])
    };
    let mut chain = Chain::start(&plan).await?;
    chain.hub.stop().await?;
    let managers = [chain.manager(0).await?, chain.manager(1).await?];
    let (one, two) = tokio::join!(
        fill(&managers[0], &chain.skus),
        fill(&managers[1], &chain.skus)
    );
    one?;
    two?;
    for relay in &chain.relays {
        relay.set_faults(Faults {
            rate_bytes: Some(RATE_BYTES),
            ..Faults::NONE
        });
    }
    chain.hub.start().await?;
    for round in 0..6 {
        until_more_is_stored(&managers).await?;
        if round % 2 == 0 {
            chain.hub.kill().await?;
            chain.hub.start().await?;
        } else {
            crash_postgres(&mut chain).await?;
        }
    }
    for relay in &chain.relays {
        relay.set_faults(Faults::NONE);
    }
    ensure_converged(&chain).await?;
    for edge in &chain.edges {
        let orders = orders_at_branch(edge)?.len();
        ensure!(orders == ORDERS, "{} has {orders} orders", edge.code);
    }
    chain.hub.verified().await?;
    Ok(())
}

async fn fill(manager: &Api, skus: &[String]) -> Result<()> {
    let work = (0..WRITERS).map(|writer| {
        let (manager, skus) = (manager.clone(), skus.to_vec());
        tokio::spawn(async move {
            for number in (writer..ORDERS).step_by(WRITERS) {
                let order = manager.take_in(&format!("order-{number}"), "hums").await?;
                let id = order["id"].as_str().unwrap_or_default();
                manager.move_order(id, "in_repair", None).await?;
                manager
                    .add_part_line(id, &skus[number % skus.len()], 1)
                    .await?;
            }
            Ok::<(), anyhow::Error>(())
        })
    });
    for writer in work.collect::<Vec<_>>() {
        writer.await??;
    }
    Ok(())
}

async fn stored(managers: &[Api]) -> Result<(u64, u64)> {
    let (mut stored, mut written) = (0, 0);
    for manager in managers {
        let log = manager.get("/api/v1/sync").await?["log"].clone();
        stored += log["stored"].as_u64().unwrap_or_default();
        written += log["seq"].as_u64().unwrap_or_default();
    }
    Ok((stored, written))
}

/// Waits until the hub has acknowledged more than just now; there must be something left to send.
async fn until_more_is_stored(managers: &[Api]) -> Result<()> {
    let (before, written) = stored(managers).await?;
    ensure!(
        before < written,
        "everything was sent before the last fault came: {before} of {written}"
    );
    until("the hub stores more", PATIENCE, async || {
        let (now, _) = stored(managers).await?;
        Ok(if now > before {
            Ok(())
        } else {
            Err(format!("{now} of {written}"))
        })
    })
    .await
}

/// The hub itself sees that its Postgres is gone and starts it again.
async fn crash_postgres(chain: &mut Chain) -> Result<()> {
    let gone = chain.hub.crash_postgres()?;
    let hub = &chain.hub;
    until("another Postgres runs", PATIENCE, async || {
        Ok(match hub.postmaster() {
            Ok(pid) if pid != gone => Ok(()),
            Ok(_) => Err("the old one".to_owned()),
            Err(error) => Err(format!("{error:#}")),
        })
    })
    .await?;
    until("the hub's database answers", PATIENCE, async || {
        Ok(
            match tokio::time::timeout(Duration::from_secs(5), hub.connect()).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(format!("{error:#}")),
                Err(_) => Err("silence".to_owned()),
            },
        )
    })
    .await?;
    chain.hub.check()
}
