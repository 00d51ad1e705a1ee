//! A person with a broken device at the counter.

use anyhow::{Result, ensure};
use tests::browser::Key;
use tests::process::chain::Plan;

use super::stage::{Stage, id_in_address};

/// Goal: the counter works without the mouse, with the hub and without it.
/// Method: `N` opens the form, fields are reached by Tab alone, Ctrl+Enter takes the device in; the order is in the
/// branch and, once there is a line, at the hub. The second person comes while the hub is dead.
#[tokio::test]
async fn devices_are_taken_in_by_keyboard_only_also_with_the_hub_killed() {
    by_keys().await.unwrap();
}

async fn by_keys() -> Result<()> {
    let Some(mut stage) = Stage::open(&Plan::of(&["ONE"])).await? else {
        return Ok(());
    };
    stage.sign_in_manager(0).await?;
    stage.go(0, "/orders").await?;
    stage.browser.inspect("branch-orders-empty").await?;
    let first = take_in(&mut stage, "Ada Lovelace", "leaks").await?;
    stage.browser.inspect("branch-order").await?;
    stage.go(0, "/orders").await?;
    stage.browser.inspect("branch-orders").await?;
    stage.kill_hub().await?;
    stage.go(0, "/orders").await?;
    let second = take_in(&mut stage, "Grace Hopper", "smells").await?;
    stage.go(0, "/orders").await?;
    stage.browser.inspect("branch-orders-cut-off").await?;
    stage.chain.hub.start().await?;
    stage.chain.until_level().await?;
    let central = stage.chain.hub.api("central").await?;
    for (id, fault) in [(&first, "leaks"), (&second, "smells")] {
        let order = central.get(&format!("/api/v1/orders/{id}")).await?;
        ensure!(order.to_string().contains(fault), "{order} at the hub");
    }
    Ok(())
}

/// Takes a device in with keys alone, from the list of orders; gives the order's id.
async fn take_in(stage: &mut Stage, person: &str, fault: &str) -> Result<String> {
    let browser = &mut stage.browser;
    browser.take_key_count();
    browser.type_text("n").await?;
    browser.until_at("/intake").await?;
    browser.until_shown("#fault").await?;
    // The box that finds people has the focus; nobody is found, so Enter means somebody new.
    tab_to(browser, "who").await?;
    browser.type_text(person).await?;
    browser.press(Key::Enter).await?;
    browser.until_shown("#phone").await?;
    tab_to(browser, "category").await?;
    browser.type_text("Kettle").await?;
    tab_to(browser, "fault").await?;
    browser.type_text(fault).await?;
    browser.chord(Key::Control, Key::Enter).await?;
    browser.until_at("/visits/*").await?;
    let keys = browser.take_key_count();
    eprintln!("intake of a new person by keys: {keys} keys");
    browser.type_text("o").await?;
    browser.until_at("/orders/*").await?;
    id_in_address(browser).await
}

/// Tab until a field has the focus.
async fn tab_to(browser: &mut tests::browser::Browser, field: &str) -> Result<()> {
    for _ in 0..40 {
        if browser.focused().await? == field {
            return Ok(());
        }
        browser.press(Key::Tab).await?;
    }
    anyhow::bail!("Tab does not come to {field}")
}
