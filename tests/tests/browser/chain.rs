//! The hub's people: what they change reaches the branches, and they see who needs them.

use anyhow::{Context as _, Result, ensure};
use tests::process::chain::wait::until;
use tests::process::chain::{PASSWORD, PATIENCE, Plan};

use super::stage::{Stage, sign_in};

/// Goal: the hub's pages steer the chain: a price changed there is the branch's price, a person added there signs in at
/// the branch, and the network page names the branch that is gone.
/// Method: one browser, the hub in one tab and a branch in another; each change is made on the hub's page and seen on the
/// branch's; then a branch ends under the open map.
#[tokio::test]
async fn prices_and_people_reach_the_branch_and_the_map_names_the_one_that_is_gone() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let plan = Plan {
        parts: 2,
        ..Plan::of(&["B1", "B2"])
    };
    let Some(mut stage) = Stage::open(&plan).await? else {
        return Ok(());
    };
    let branch = stage.browser.tab().await?;
    stage.sign_in_manager(0).await?;
    stage.browser.open_tab().await?;
    stage.sign_in_hub("central").await?;
    price(&mut stage).await.context("a new price")?;
    stage.sign_out().await?;
    stage.sign_in_hub("operator").await?;
    person(&mut stage).await.context("a new person")?;
    network(&mut stage).await.context("the network")?;
    stage.browser.switch_to(&branch).await?;
    stage.sign_out().await?;
    let board = stage.branch(0, "/");
    sign_in(&mut stage.browser, &board, "nina", PASSWORD).await?;
    let errors = stage.browser.take_errors().await?;
    ensure!(errors.is_empty(), "{errors:?}");
    Ok(())
}

async fn price(stage: &mut Stage) -> Result<()> {
    stage.go_hub("/catalogue").await?;
    stage.browser.click("main a[href$='/P-01']").await?;
    stage.browser.fill("#price", "77.70").await?;
    stage
        .browser
        .click("main form button[type=submit][data-kind=primary]")
        .await?;
    let manager = stage.chain.manager(0).await?;
    until("the price arrives", PATIENCE, async || {
        let part = manager.get("/api/v1/parts/P-01").await?;
        Ok(if part["price"]["amount_minor"] == 7770 {
            Ok(())
        } else {
            Err(part.to_string())
        })
    })
    .await
}

async fn person(stage: &mut Stage) -> Result<()> {
    stage.go_hub("/staff/new").await?;
    stage.browser.fill("#name", "Nina New").await?;
    stage.browser.fill("#username", "nina").await?;
    stage.browser.fill("#password", PASSWORD).await?;
    stage.browser.click("input[name=role][value=clerk]").await?;
    stage
        .browser
        .click("input[name=branches][value=B1]")
        .await?;
    stage
        .browser
        .click("main form button[type=submit][data-kind=primary]")
        .await?;
    stage.browser.until_text("main", "Nina New").await?;
    let edge = &stage.chain.edges[0];
    edge.api_when_known("nina", PATIENCE).await.map(drop)
}

/// The map is drawn, and the list beside it has the branch that ended first.
async fn network(stage: &mut Stage) -> Result<()> {
    stage.go_hub("/network").await?;
    let drawn = "const c = document.getElementById('map'); if (!c?.width) return false; \
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; \
        const seen = new Set(); for (let i = 0; i < d.length; i += 4) seen.add((d[i] << 16) | (d[i + 1] << 8) | d[i + 2]); \
        return seen.size > 3";
    stage
        .browser
        .until_true("the map is drawn", drawn, &[])
        .await?;
    stage.chain.edges[1].stop().await?;
    stage
        .browser
        .until_shown("#worst .worst[data-code=B2][data-tone=apart]")
        .await?;
    stage.browser.inspect("hub-network-one-gone").await?;
    stage.browser.click("#worst .worst h3 a").await?;
    stage.browser.until_text("main, header", "B2").await?;
    stage.chain.edges[1].start().await?;
    stage.go_hub("/network").await?;
    stage
        .browser
        .until_gone("#worst .worst[data-code=B2]")
        .await
}
