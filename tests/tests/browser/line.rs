//! The line to the hub: the drill that cuts it, the line that is really pulled, the hub that is gone, and what two people
//! wrote meanwhile.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::browser::Key;
use tests::process::chain::api::fresh_key;
use tests::process::chain::wait::{until, until_link};
use tests::process::chain::{PATIENCE, Plan, id_of};

use super::stage::Stage;

/// Goal: an outage is practised by one key and seen by everybody, a real one is survived in the middle of an intake, and
/// a field that two people wrote meanwhile is shown as two versions, decided with one key and taken back with one key,
/// with the hub and without it.
/// Method: the drill begins in the middle of a journey; a device is taken in; the hub's page says cut off; branch and hub
/// write the same field; the line comes back, both sides have everything, the versions are settled and unsettled. Then
/// the line is pulled while somebody types; the hub's open page shows the work when it is back. Then the hub is killed,
/// and drill and decision work once more.
#[tokio::test]
async fn drill_outage_and_dead_hub_lose_nothing_and_conflicts_are_settled_and_undone() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let plan = Plan {
        parts: 1,
        relayed: true,
        ..Plan::of(&["B1"])
    };
    let Some(mut stage) = Stage::open(&plan).await? else {
        return Ok(());
    };
    let manager = stage.chain.manager(0).await?;
    let contested = id_of(&manager.take_in(&fresh_key(), "hums").await?)?;
    stage.chain.until_level().await?;
    let branch = stage.browser.tab().await?;
    stage.sign_in_manager(0).await?;
    let hub = stage.browser.open_tab().await?;
    stage.sign_in_hub("central").await?;
    stage.go_hub("/branches").await?;

    stage.browser.switch_to(&branch).await?;
    drill(&mut stage, "connected").await.context("the drill")?;
    stage.browser.inspect("branch-sync-drill").await?;
    let taken = id_of(&manager.take_in(&fresh_key(), "hisses").await?)?;
    stage.browser.until_text("#sync", "1").await?;
    both_write(&stage, &contested).await.context("both write")?;
    stage.browser.switch_to(&hub).await?;
    cut_off_at_hub(&stage, true).await?;

    stage.browser.switch_to(&branch).await?;
    stage.browser.type_text("d").await?;
    stage.browser.until_shown("#pause").await?;
    stage.chain.until_level().await?;
    let central = stage.chain.hub.api("central").await?;
    central.get(&format!("/api/v1/orders/{taken}")).await?;
    stage.browser.switch_to(&hub).await?;
    cut_off_at_hub(&stage, false).await?;
    stage.browser.switch_to(&branch).await?;
    settled_and_undone(&mut stage, &contested)
        .await
        .context("deciding")?;

    let number = pulled(&mut stage).await.context("the line is pulled")?;
    stage.browser.switch_to(&hub).await?;
    stage.go_hub("/branches").await?;
    cut_off_at_hub(&stage, true).await?;
    stage.go_hub("/orders").await?;
    ensure!(
        !stage.browser.text("main").await?.contains(&number),
        "{number} came over a line that is cut"
    );
    stage.chain.relays[0].restore();
    stage
        .browser
        .until_text("main", &number)
        .await
        .context("the hub's open page shows the work")?;
    stage.go_hub("/branches").await?;
    cut_off_at_hub(&stage, false).await?;

    // A page whose program is killed says so in the log.
    stage.browser.close_tab().await?;
    stage.browser.switch_to(&branch).await?;
    let contested = contested_again(&stage).await.context("again")?;
    without_hub(&mut stage, &contested)
        .await
        .context("with the hub killed")
}

/// One key begins it, whatever the link was.
async fn drill(stage: &mut Stage, link: &str) -> Result<()> {
    let manager = stage.chain.manager(0).await?;
    until_link(&manager, link, PATIENCE).await?;
    stage.go(0, "/sync").await?;
    stage.browser.take_key_count();
    stage.browser.type_text("d").await?;
    stage.browser.until_shown("#resume").await?;
    ensure!(stage.browser.take_key_count() == 1, "more than one key");
    until_link(&manager, "paused", PATIENCE).await.map(drop)
}

/// Waits until the hub's open list of branches says that the branch is cut off, or no longer. A line that was pulled is
/// silent for some time before the hub calls it cut.
async fn cut_off_at_hub(stage: &Stage, is_cut_off: bool) -> Result<()> {
    let sign = "return document.querySelector('#branches [data-tone=apart]') !== null";
    let what = "what the hub's page says of the line";
    until(what, PATIENCE, async || {
        let seen = stage.browser.ask(sign, &[]).await?;
        Ok(if seen == is_cut_off {
            Ok(())
        } else {
            Err(stage.browser.text("#branches").await?)
        })
    })
    .await
}

/// The line goes in the middle of an intake; the device is taken in all the same. Gives the order's number.
async fn pulled(stage: &mut Stage) -> Result<String> {
    let manager = stage.chain.manager(0).await?;
    let before = manager.list("/api/v1/orders").await?;
    stage.go(0, "/intake").await?;
    stage.browser.fill("#category", "Amplifier").await?;
    stage.chain.relays[0].cut();
    stage.browser.fill("#fault", "crackles").await?;
    stage.browser.chord(Key::Control, Key::Enter).await?;
    stage.browser.until_at("/visits/*").await?;
    let after = stage.until_orders(0, before.len() + 1).await?;
    let order = after
        .iter()
        .find(|order| !before.iter().any(|old| old["id"] == order["id"]));
    let order = order.context("no new order")?;
    ensure!(order["sync"] == "local", "cut off it is only here: {order}");
    until_link(&manager, "cut_off", PATIENCE).await?;
    stage.go(0, "/sync").await?;
    stage.browser.until_text("#sync", "1").await?;
    stage.browser.inspect("branch-sync-cut-off").await?;
    let number = order["number"].as_str().context("a number")?;
    Ok(number.to_owned())
}

/// Another order whose diagnosis both sides wrote while the branch was on its own.
async fn contested_again(stage: &Stage) -> Result<String> {
    let manager = stage.chain.manager(0).await?;
    let id = id_of(&manager.take_in(&fresh_key(), "hums again").await?)?;
    stage.chain.until_level().await?;
    manager.send("/api/v1/sync/pause", &Value::Null).await?;
    both_write(stage, &id).await?;
    manager.send("/api/v1/sync/resume", &Value::Null).await?;
    stage.chain.until_level().await?;
    stage.until_conflicts(0, 1).await?;
    Ok(id)
}

/// Drill and decision once more; when the hub is back, both sides say the same.
async fn without_hub(stage: &mut Stage, contested: &str) -> Result<()> {
    stage.chain.until_level().await?;
    stage.kill_hub().await?;
    drill(stage, "cut_off").await?;
    stage.browser.type_text("d").await?;
    stage.browser.until_shown("#pause").await?;
    settled_and_undone(stage, contested).await?;
    stage.chain.hub.start().await?;
    stage.chain.until_level().await?;
    stage.chain.ensure_equal().await?;
    let manager = stage.chain.manager(0).await?;
    let central = stage.chain.hub.api("central").await?;
    let path = format!("/api/v1/orders/{contested}");
    let (here, there) = (manager.get(&path).await?, central.get(&path).await?);
    ensure!(
        here["diagnosis"] == there["diagnosis"],
        "{} here, {} at the hub",
        here["diagnosis"],
        there["diagnosis"]
    );
    Ok(())
}

/// The branch without its line and the hub write the same field.
async fn both_write(stage: &Stage, id: &str) -> Result<()> {
    let manager = stage.chain.manager(0).await?;
    let central = stage.chain.hub.api("central").await?;
    for (api, words) in [(&manager, "Capacitor is dry"), (&central, "Fan is worn")] {
        let body = json!({ "diagnosis": words });
        api.patch(&format!("/api/v1/orders/{id}"), &body).await?;
    }
    Ok(())
}

async fn settled_and_undone(stage: &mut Stage, id: &str) -> Result<()> {
    stage.until_conflicts(0, 1).await?;
    stage.go(0, "/decisions").await?;
    for words in ["Capacitor is dry", "Fan is worn"] {
        stage.browser.until_text("#decisions", words).await?;
    }
    stage.browser.inspect("branch-decisions").await?;
    let shown = stage.diagnosis(0, id).await?;
    let key = "const other = [...document.querySelectorAll('#decisions .version')].find((v) => !v.textContent.includes(arguments[0])); \
        return other.querySelector('button[data-key]').dataset.key";
    let key = stage.browser.ask(key, &[json!(shown)]).await?;
    stage.browser.take_key_count();
    stage
        .browser
        .type_text(key.as_str().unwrap_or_default())
        .await?;
    stage
        .browser
        .until_shown("#toasts button[data-key^=z]")
        .await?;
    stage.until_conflicts(0, 0).await?;
    let settled = stage.diagnosis(0, id).await?;
    ensure!(settled != shown, "{shown} stays {settled}");
    // Shown is not yet listening: the page must have its scripts.
    stage.browser.until_at("/decisions").await?;
    stage.browser.type_text("z").await?;
    stage
        .browser
        .until_gone("#toasts button[data-key^=z]")
        .await?;
    until("the field shows what it showed", PATIENCE, async || {
        let now = stage.diagnosis(0, id).await?;
        Ok(if now == shown { Ok(()) } else { Err(now) })
    })
    .await?;
    let keys = stage.browser.take_key_count();
    ensure!(keys == 2, "a decision and its way back take {keys} keys");
    Ok(())
}

impl Stage {
    /// What the diagnosis of an order says at a branch.
    async fn diagnosis(&self, index: usize, id: &str) -> Result<String> {
        let manager = self.chain.manager(index).await?;
        let order = manager.get(&format!("/api/v1/orders/{id}")).await?;
        Ok(order["diagnosis"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits until a branch has so many open conflicts.
    async fn until_conflicts(&self, index: usize, count: usize) -> Result<Vec<Value>> {
        let manager = self.chain.manager(index).await?;
        until(&format!("{count} conflicts"), PATIENCE, async || {
            let conflicts = manager.list("/api/v1/conflicts").await?;
            Ok(if conflicts.len() == count {
                Ok(conflicts)
            } else {
                Err(json!(conflicts).to_string())
            })
        })
        .await
    }
}
