//! People of the chain at its branches.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tests::process::chain::api::Api;
use tests::process::chain::{Chain, PASSWORD, PATIENCE, Plan, add_staff};

/// Goal: a new colleague can work at once, also when the hub is gone a moment later, and only where they work (INV-11).
/// Method: a person of branch ONE is added at the hub; within five seconds ONE knows them, the hub is killed, they
/// sign in. TWO knows their name at most, has no credential of theirs and refuses them.
#[tokio::test]
async fn a_person_added_at_the_hub_signs_in_at_their_branch_within_five_seconds() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let mut chain = Chain::start(&Plan {
        parts: 0,
        opening: 0,
        ..Plan::of(&["ONE", "TWO"])
    })
    .await?;
    let operator = chain.hub.api("operator").await?;
    let added = Instant::now();
    add_staff(&operator, "nina", "clerk", &["ONE"]).await?;
    let nina = chain.edges[0].api_when_known("nina", PATIENCE).await?;
    let took = added.elapsed();
    ensure!(
        took < Duration::from_secs(5),
        "it took {took:?} until nina could sign in"
    );
    nina.get("/api/v1/orders").await?;
    add_staff(&operator, "otto", "clerk", &["ONE"]).await?;
    let added = Instant::now();
    while !chain.edges[0].knows("otto")? {
        ensure!(
            added.elapsed() < Duration::from_secs(5),
            "otto is not known after five seconds"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    chain.hub.kill().await?;
    let otto = chain.edges[0].api("otto").await?;
    otto.take_in("otto-order", "smells").await?;
    chain.hub.start().await?;
    chain.until_level().await?;
    for stranger in ["nina", "otto"] {
        ensure!(
            !chain.edges[1].knows(stranger)?,
            "TWO has a credential of {stranger}"
        );
        let refused = Api::try_sign_in(&chain.edges[1].url(), stranger, PASSWORD).await?;
        let status = refused.err().map(|answer| answer.status);
        ensure!(
            status == Some(401),
            "TWO answers {stranger} with {status:?}"
        );
    }
    Ok(())
}
