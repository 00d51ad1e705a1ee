//! Somebody at the counter: taken in, found again, and joined with who they were elsewhere.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tests::browser::Key;
use tests::process::chain::Plan;

use super::stage::Stage;

/// The most keys that a returning person may cost.
const MOST_KEYS: u32 = 35;
/// The most fields that any intake may take.
const MOST_FIELDS: u64 = 12;

/// Goal: the counter works without the mouse, with the hub and without it, within the keys that a clerk is promised; who
/// was here is found by whatever is left of them.
/// Method: a returning person is taken in by keys that are counted, then one with two devices, then one by Tab alone; who was here is searched by
/// phone digits, accents, a typing error, the end of a serial and words of the fault; all once more with the hub killed.
/// When it is back, two records of one person are joined on its page.
#[tokio::test]
async fn people_are_taken_in_by_keys_and_found_again_also_with_the_hub_killed() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let plan = Plan {
        parts: 1,
        ..Plan::of(&["B1"])
    };
    let Some(mut stage) = Stage::open(&plan).await? else {
        return Ok(());
    };
    known(&stage).await?;
    stage.sign_in_manager(0).await?;
    at_the_counter(&mut stage, "no steam", 1)
        .await
        .context("connected")?;
    stage.kill_hub().await?;
    at_the_counter(&mut stage, "no milk", 2)
        .await
        .context("cut off")?;
    stage.chain.hub.start().await?;
    stage.chain.until_level().await?;
    joined(&mut stage).await.context("joining two records")
}

/// Somebody who was here with a device before.
async fn known(stage: &Stage) -> Result<()> {
    let manager = stage.chain.manager(0).await?;
    let body = json!({
        "customer": { "name": "Jürgen Großmann", "phone": "+49 30 5557731", "email": "jg@example.org" },
        "devices": [{ "category": "Coffee machine", "brand": "Acme", "model": "Barista 9", "serial": "SN-48213377", "fault": "leaks" }],
    });
    manager.send("/api/v1/orders", &body).await.map(drop)
}

async fn at_the_counter(stage: &mut Stage, fault: &str, round: usize) -> Result<()> {
    returning(stage, fault)
        .await
        .context("a returning person")?;
    stage.until_orders(0, 4 * round - 2).await?;
    two_devices(stage, round).await.context("two devices")?;
    stage.until_orders(0, 4 * round).await?;
    by_tab_alone(stage, round).await.context("by Tab alone")?;
    stage.until_orders(0, 4 * round + 1).await?;
    found(stage, fault).await.context("found again")?;
    let errors = stage.browser.take_errors().await?;
    ensure!(errors.is_empty(), "{errors:?}");
    Ok(())
}

/// By the last digits of the phone and the device that was here before.
async fn returning(stage: &mut Stage, fault: &str) -> Result<()> {
    stage.go(0, "/board").await?;
    stage.browser.take_key_count();
    stage.browser.type_text("n").await?;
    stage.browser.until_at("/intake").await?;
    stage.until_focus("who").await?;
    count_fields(stage).await?;
    stage.browser.type_text("57731").await?;
    stage.browser.press(Key::Enter).await?;
    stage.until_focus("known-1").await?;
    stage.browser.type_text("1").await?;
    stage.until_focus("fault").await?;
    stage.browser.type_text(fault).await?;
    stage.browser.press(Key::Escape).await?;
    stage.browser.type_text("f").await?;
    stage.browser.type_text("t").await?;
    let fields = counted_fields(stage).await?;
    stage.browser.chord(Key::Control, Key::Enter).await?;
    stage.browser.until_at("/visits/*").await?;
    let keys = stage.browser.take_key_count();
    eprintln!("intake of a returning person: {keys} keys, {fields} fields");
    ensure!(keys <= MOST_KEYS, "{keys} keys");
    stage.browser.until_shown(".receipt").await?;
    stage.browser.until_shown(".device-label svg").await
}

/// Counts from now on which fields of the page in front are changed, by typing, key or click.
async fn count_fields(stage: &Stage) -> Result<()> {
    let script = "window.changedFields = new Set(); \
        for (const kind of ['input', 'change']) addEventListener(kind, (event) => window.changedFields.add(event.target.name), true)";
    stage.browser.ask(script, &[]).await.map(drop)
}

/// How many they were, which must not be too many.
async fn counted_fields(stage: &Stage) -> Result<u64> {
    let counted = stage.browser.ask("return window.changedFields.size", &[]);
    let fields = counted.await?.as_u64().context("fields are a number")?;
    ensure!((1..=MOST_FIELDS).contains(&fields), "{fields} fields");
    Ok(fields)
}

/// A new person with two devices: one visit, an order and a label for each.
async fn two_devices(stage: &mut Stage, round: usize) -> Result<()> {
    stage.go(0, "/intake").await?;
    stage.until_focus("who").await?;
    let name = format!("Zoë Example {}", ["One", "Two"][round - 1]);
    stage.browser.type_text(&name).await?;
    stage.browser.press(Key::Enter).await?;
    stage.until_focus("phone").await?;
    for (category, fault) in [("Kettle", "rusts"), ("Toaster", "burns")] {
        stage.browser.fill("#category", category).await?;
        stage.browser.fill("#fault", fault).await?;
        if category == "Kettle" {
            stage.browser.press(Key::Escape).await?;
            stage.browser.type_text("d").await?;
            stage.browser.until_text(".kept", "Kettle").await?;
            if round == 1 {
                stage.browser.inspect("branch-intake-second").await?;
            }
        }
    }
    stage.browser.chord(Key::Control, Key::Enter).await?;
    stage.browser.until_at("/visits/*").await?;
    let labels = stage.browser.count(".device-label").await?;
    ensure!(labels == 2, "two devices have {labels} labels");
    Ok(())
}

/// A new person, from the board to the order, the fields reached by Tab.
async fn by_tab_alone(stage: &mut Stage, round: usize) -> Result<()> {
    stage.go(0, "/board").await?;
    stage.browser.take_key_count();
    stage.browser.type_text("n").await?;
    stage.browser.until_at("/intake").await?;
    count_fields(stage).await?;
    tab_to(stage, "who").await?;
    stage
        .browser
        .type_text(["Ada Lovelace", "Grace Hopper"][round - 1])
        .await?;
    stage.browser.press(Key::Enter).await?;
    stage.browser.until_shown("#phone").await?;
    for (field, text) in [
        ("phone", "030 555 1200"),
        ("email", "ada@example.org"),
        ("category", "Radio"),
        ("brand", "Acme"),
        ("model", "Wave 3"),
        ("serial", "R-7781"),
        ("fault", "smells"),
    ] {
        tab_to(stage, field).await?;
        stage.browser.type_text(text).await?;
    }
    let fields = counted_fields(stage).await?;
    stage.browser.chord(Key::Control, Key::Enter).await?;
    stage.browser.until_at("/visits/*").await?;
    let keys = stage.browser.take_key_count();
    eprintln!("intake of a new person by Tab alone: {keys} keys, {fields} fields");
    stage.browser.type_text("o").await?;
    stage.browser.until_at("/orders/*").await
}

/// Tab until a field has the focus.
async fn tab_to(stage: &mut Stage, field: &str) -> Result<()> {
    for _ in 0..40 {
        if stage.browser.focused().await? == field {
            return Ok(());
        }
        stage.browser.press(Key::Tab).await?;
    }
    anyhow::bail!("Tab does not come to {field}")
}

async fn found(stage: &mut Stage, fault: &str) -> Result<()> {
    for (typed, shown) in [
        ("7731", "Großmann"),
        ("jurgen grossmann", "Großmann"),
        ("Jürgn Großman", "Großmann"),
        ("213377", "Barista 9"),
        (fault, "Barista 9"),
    ] {
        stage.go(0, "/find").await?;
        stage.browser.fill("#find-q", typed).await?;
        stage
            .browser
            .until_text("#found", shown)
            .await
            .with_context(|| format!("by {typed:?}"))?;
    }
    stage.browser.inspect("branch-find-found").await
}

/// Two records of one person become one, seen by the branch.
async fn joined(stage: &mut Stage) -> Result<()> {
    stage.sign_in_hub("central").await?;
    stage.go_hub("/customers").await?;
    stage
        .browser
        .fill("input[name=q]", "Zoë Example One")
        .await?;
    stage.browser.press(Key::Enter).await?;
    stage.browser.click("main tbody a.go").await?;
    stage.browser.until_shown("[data-key=m]").await?;
    stage.browser.type_text("m").await?;
    stage.browser.fill("#q", "Zoë Example Two").await?;
    stage.browser.press(Key::Enter).await?;
    stage.browser.click("main a[href*='with=']").await?;
    stage.browser.until_shown(".merge table.which").await?;
    stage.browser.inspect("hub-customers-merge-two").await?;
    stage
        .browser
        .click(".merge form button[data-kind=primary]")
        .await?;
    stage.browser.until_at("/customers/*").await?;
    for fault in ["rusts", "burns"] {
        stage.browser.until_text("main", fault).await?;
    }
    stage.chain.until_level().await
}
