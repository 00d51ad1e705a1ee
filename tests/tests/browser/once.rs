//! What is sent twice happens once.

use anyhow::{Context as _, Result, ensure};
use tests::process::chain::Plan;

use super::stage::Stage;

/// Goal: nervous hands make one order: a double click, the same form in two tabs, the back button and a reload.
/// Method: each of them at the intake form; after each the branch counts its orders; all once more with the hub killed.
#[tokio::test]
async fn double_click_back_button_and_two_tabs_have_one_effect_also_with_the_hub_killed() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let Some(mut stage) = Stage::open(&Plan::of(&["ONE"])).await? else {
        return Ok(());
    };
    stage.sign_in_manager(0).await?;
    nervous(&mut stage, 0).await.context("connected")?;
    stage.kill_hub().await?;
    nervous(&mut stage, 3).await.context("cut off")?;
    stage.chain.hub.start().await?;
    stage.chain.until_level().await?;
    stage.chain.ensure_equal().await
}

/// At a branch that has so many orders.
async fn nervous(stage: &mut Stage, count: usize) -> Result<()> {
    double_click(stage, count + 1).await?;
    back_button(stage, count + 2).await?;
    two_tabs(stage, count + 3).await?;
    let errors = stage.browser.take_errors().await?;
    ensure!(errors.is_empty(), "{errors:?}");
    Ok(())
}

async fn double_click(stage: &mut Stage, count: usize) -> Result<()> {
    fill(stage, "double click").await?;
    stage
        .browser
        .double_click("#intake button[type=submit]")
        .await?;
    stage.browser.until_at("/visits/*").await?;
    stage.until_orders(0, count).await.map(drop)
}

/// Back to the form that was sent already, and sent again.
async fn back_button(stage: &mut Stage, count: usize) -> Result<()> {
    fill(stage, "back button").await?;
    stage.browser.click("#intake button[type=submit]").await?;
    stage.browser.until_at("/visits/*").await?;
    let first = stage.browser.address().await?;
    stage.browser.reload().await?;
    stage.until_orders(0, count).await?;
    let form = "return document.querySelector('#intake input[name=key]').value";
    stage.browser.back().await?;
    stage.browser.until_at("/intake").await?;
    let key = stage.browser.ask(form, &[]).await?;
    // A browser that brings the old form back brings its key back; one that asks again gets a new, empty form.
    let is_old = stage
        .browser
        .ask("return document.querySelector('#fault').value", &[])
        .await?
        == "back button";
    if is_old {
        stage.browser.click("#intake button[type=submit]").await?;
        stage.browser.until_at("/visits/*").await?;
        let second = stage.browser.address().await?;
        ensure!(first == second, "key {key}: {first} became {second}");
    }
    stage.until_orders(0, count).await.map(drop)
}

/// The same form, with the same key, open in two tabs and sent from both.
async fn two_tabs(stage: &mut Stage, count: usize) -> Result<()> {
    fill(stage, "two tabs").await?;
    let first = stage.browser.tab().await?;
    let form = "return document.querySelector('#intake input[name=key]').value";
    let key = stage.browser.ask(form, &[]).await?;
    let second = stage.browser.open_tab().await?;
    fill(stage, "two tabs").await?;
    let same = "document.querySelector('#intake input[name=key]').value = arguments[0]";
    stage.browser.ask(same, &[key]).await?;
    for tab in [&first, &second] {
        stage.browser.switch_to(tab).await?;
        let send = "document.querySelector('#intake').requestSubmit()";
        stage.browser.ask(send, &[]).await?;
    }
    let mut places = Vec::new();
    for tab in [&first, &second] {
        stage.browser.switch_to(tab).await?;
        stage.browser.until_at("/visits/*").await?;
        places.push(stage.browser.address().await?);
    }
    ensure!(places[0] == places[1], "two tabs, two orders: {places:?}");
    stage.until_orders(0, count).await?;
    stage.browser.close_tab().await?;
    stage.browser.switch_to(&first).await
}

async fn fill(stage: &mut Stage, fault: &str) -> Result<()> {
    stage.go(0, "/intake").await?;
    stage.browser.fill("#category", "Toaster").await?;
    stage.browser.fill("#fault", fault).await
}
