//! A person of another branch at the counter: found at the hub, brought, served; and the line that drops in between.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tests::browser::Key;
use tests::process::chain::Plan;
use tests::process::chain::api::fresh_key;
use tests::process::chain::wait::until_link;

use super::stage::Stage;

/// Goal: connected, a clerk finds who is known at another branch, brings them and serves them; when the line drops in
/// the middle the page says so, and the work goes on with the person as somebody new.
/// Method: three people are taken in at B1; at B2 one is brought from the page of finding, one by keys at intake; the hub
/// is killed under the third; the pages say what they can and cannot, an order is taken in all the same.
#[tokio::test]
async fn a_person_of_another_branch_is_brought_and_served_and_a_dropped_line_stops_nobody() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let plan = Plan {
        parts: 0,
        opening: 0,
        ..Plan::of(&["B1", "B2"])
    };
    let Some(mut stage) = Stage::open(&plan).await? else {
        return Ok(());
    };
    let home = stage.chain.manager(0).await?;
    for (name, phone) in [
        ("Jürgen Großmann", "+49 30 5557731"),
        ("Zoë Faraway", "+49 30 5558842"),
        ("Erika Dropped", "+49 30 5559953"),
    ] {
        let body = json!({ "name": name, "phone": phone });
        home.post("/api/v1/customers", &fresh_key(), &body).await?;
    }
    stage.chain.until_level().await?;
    stage.sign_in_manager(1).await?;
    found_and_brought(&mut stage)
        .await
        .context("on the page of finding")?;
    served(&mut stage).await.context("at intake")?;
    stage.chain.until_level().await?;
    stage.chain.ensure_equal().await?;
    dropped(&mut stage).await.context("the line drops")?;
    cut_off(&mut stage).await.context("cut off")
}

/// Local results do not wait; the others come beneath them.
async fn found_and_brought(stage: &mut Stage) -> Result<()> {
    stage.go(1, "/find").await?;
    stage.browser.fill("#find-q", "grossmann").await?;
    stage.browser.until_text("#elsewhere", "Großmann").await?;
    stage.browser.until_text("#elsewhere", "Branch B1").await?;
    let shown = stage.browser.text("#elsewhere").await?;
    ensure!(shown.contains("…7731") && !shown.contains("555"), "{shown}");
    stage.browser.inspect("branch-find-elsewhere").await?;
    stage
        .browser
        .click("#elsewhere button[value=person]")
        .await?;
    stage.browser.until_at("/people/*").await?;
    let phone = "return document.querySelector('input[name=phone]').value";
    let phone = stage.browser.ask(phone, &[]).await?;
    ensure!(phone == "+49 30 5557731", "{phone}");
    Ok(())
}

/// By keys: typed, picked, brought, taken in.
async fn served(stage: &mut Stage) -> Result<()> {
    stage.go(1, "/intake").await?;
    stage.until_focus("who").await?;
    stage.browser.type_text("faraway").await?;
    stage
        .browser
        .until_shown("#elsewhere input[name=person]")
        .await?;
    stage.browser.inspect("branch-intake-elsewhere").await?;
    stage.browser.press(Key::Down).await?;
    stage.browser.press(Key::Down).await?;
    stage.browser.press(Key::Enter).await?;
    stage.until_focus("category").await?;
    stage
        .browser
        .until_text("#people", "+49 30 5558842")
        .await?;
    stage.browser.type_text("Radio").await?;
    stage.browser.fill("#fault", "hums").await?;
    stage.browser.chord(Key::Control, Key::Enter).await?;
    stage.browser.until_at("/visits/*").await?;
    stage.browser.until_text("main", "Zoë Faraway").await?;
    let orders = stage.until_orders(1, 1).await?;
    ensure!(orders[0]["customer"]["name"] == "Zoë Faraway", "{orders:?}");
    let errors = stage.browser.take_errors().await?;
    ensure!(errors.is_empty(), "{errors:?}");
    Ok(())
}

/// Found while connected, picked when the hub is gone: the page says so, and the person is taken in as new.
async fn dropped(stage: &mut Stage) -> Result<()> {
    stage.go(1, "/intake").await?;
    stage.until_focus("who").await?;
    stage.browser.type_text("Erika Dropped").await?;
    stage
        .browser
        .until_shown("#elsewhere input[name=person]")
        .await?;
    stage.chain.hub.kill().await?;
    stage.browser.click("#elsewhere .pick").await?;
    stage
        .browser
        .until_text("#people [role=alert]", "person in as new")
        .await?;
    stage.until_focus("person-new").await?;
    stage.browser.type_text(" ").await?;
    stage.until_focus("phone").await?;
    stage.browser.fill("#category", "Kettle").await?;
    stage.browser.fill("#fault", "rusts").await?;
    stage.browser.chord(Key::Control, Key::Enter).await?;
    stage.browser.until_at("/visits/*").await?;
    stage.browser.until_text("main", "Erika Dropped").await?;
    stage.until_orders(1, 2).await.map(drop)
}

async fn cut_off(stage: &mut Stage) -> Result<()> {
    let manager = stage.chain.manager(1).await?;
    until_link(&manager, "cut_off", Duration::from_secs(30)).await?;
    stage.go(1, "/find").await?;
    stage.browser.fill("#find-q", "nobody here").await?;
    stage
        .browser
        .until_text("#found [data-tone=apart]", "not known here now")
        .await?;
    ensure!(
        stage.browser.count("#elsewhere").await? == 0,
        "the hub is asked without a line"
    );
    for (typed, shown) in [("grossmann", "Großmann"), ("8842", "Zoë Faraway")] {
        stage.browser.fill("#find-q", typed).await?;
        stage.browser.until_text("#found", shown).await?;
    }
    let errors = stage.browser.take_errors().await?;
    ensure!(errors.is_empty(), "{errors:?}");
    Ok(())
}
