//! Signing in, and many programs in one browser.

use anyhow::{Context as _, Result, ensure};
use tests::browser::Key;
use tests::process::chain::api::fresh_key;
use tests::process::chain::{PASSWORD, Plan};

use super::stage::Stage;

/// Goal: people sign in and out, and the programs of a chain get along in one browser.
/// Method: one browser and a chain of three branches; three journeys in it, told below; those of a branch once more with
/// the hub killed.
#[tokio::test]
async fn many_programs_and_many_tabs_share_one_browser_also_with_the_hub_killed() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let plan = Plan {
        parts: 1,
        ..Plan::of(&["B1", "B2", "B3"])
    };
    let Some(mut stage) = Stage::open(&plan).await? else {
        return Ok(());
    };
    in_and_out(&mut stage).await.context("in and out")?;
    eight_tabs(&mut stage).await.context("eight tabs")?;
    four_in_one(&mut stage).await.context("four in one")?;
    stage.kill_hub().await?;
    in_and_out(&mut stage)
        .await
        .context("in and out, cut off")?;
    eight_tabs(&mut stage).await.context("eight tabs, cut off")
}

/// A wrong password first (the name stays, the page says no), then the right one on the way to a page; `?` shows the
/// keys, Escape closes them; after signing out the page is closed, also behind the back button.
async fn in_and_out(stage: &mut Stage) -> Result<()> {
    stage.go(0, "/intake").await?;
    stage.browser.until_at("/sign-in").await?;
    let name = stage.manager_name(0);
    stage.browser.fill("#username", &name).await?;
    stage.browser.fill("#password", "not the password").await?;
    stage.browser.click("main button[type=submit]").await?;
    stage.browser.until_shown("#refused").await?;
    let kept = stage
        .browser
        .ask("return document.querySelector('#username').value", &[]);
    ensure!(kept.await? == name.as_str(), "the name is gone");
    stage.browser.inspect("branch-sign-in-refused").await?;
    stage.browser.fill("#password", PASSWORD).await?;
    stage.browser.click("main button[type=submit]").await?;
    stage.browser.until_at("/intake").await?;
    keys(stage).await?;
    stage.sign_out().await?;
    stage.browser.back().await?;
    stage.browser.until_at("/sign-in").await
}

async fn keys(stage: &mut Stage) -> Result<()> {
    stage.go(0, "/orders").await?;
    stage.browser.type_text("?").await?;
    stage.browser.until_shown("dialog#keys").await?;
    let listed = stage.browser.count("dialog#keys dt").await?;
    ensure!(listed > 0, "no keys are listed");
    stage.browser.inspect("branch-keys").await?;
    stage.browser.press(Key::Escape).await?;
    stage.browser.until_gone("dialog#keys").await
}

/// Signed in at hub and branches in four tabs, each reloaded: all still show their shell. Signing out of one leaves the
/// others signed in.
async fn four_in_one(stage: &mut Stage) -> Result<()> {
    let mut tabs = vec![stage.browser.tab().await?];
    stage.sign_in_hub("central").await?;
    for index in 0..3 {
        tabs.push(stage.browser.open_tab().await?);
        stage.sign_in_manager(index).await?;
    }
    for tab in &tabs {
        stage.browser.switch_to(tab).await?;
        stage.browser.reload().await?;
        stage.browser.until_shown("nav.rail").await?;
    }
    stage.sign_out().await?;
    for tab in &tabs[..3] {
        stage.browser.switch_to(tab).await?;
        stage.browser.reload().await?;
        stage.browser.until_shown("nav.rail").await?;
    }
    let errors = stage.browser.take_errors().await?;
    ensure!(errors.is_empty(), "{errors:?}");
    for tab in [&tabs[0], &tabs[2], &tabs[3]] {
        stage.browser.switch_to(tab).await?;
        stage.browser.close_tab().await?;
    }
    stage.browser.switch_to(&tabs[1]).await?;
    stage.sign_out().await
}

/// A browser has six connections to one host, and live events must not use them up: an order made by somebody else
/// appears in each of eight tabs without a reload, and each still answers.
async fn eight_tabs(stage: &mut Stage) -> Result<()> {
    let mut tabs = vec![stage.browser.tab().await?];
    stage.sign_in_manager(0).await?;
    stage.go(0, "/orders").await?;
    for _ in 1..8 {
        tabs.push(stage.browser.open_tab().await?);
        stage.go(0, "/orders").await?;
    }
    let manager = stage.chain.manager(0).await?;
    let order = manager.take_in(&fresh_key(), "hums loudly").await?;
    let number = order["number"].as_str().unwrap_or_default().to_owned();
    ensure!(!number.is_empty(), "an order without a number: {order}");
    for tab in &tabs {
        stage.browser.switch_to(tab).await?;
        stage.browser.until_text("#orders", &number).await?;
    }
    for tab in &tabs {
        stage.browser.switch_to(tab).await?;
        stage.browser.reload().await?;
        stage.browser.until_text("#orders", &number).await?;
    }
    for tab in tabs.iter().skip(1) {
        stage.browser.switch_to(tab).await?;
        stage.browser.close_tab().await?;
    }
    stage.browser.switch_to(&tabs[0]).await?;
    stage.sign_out().await
}
