//! A job on its way over the board and over the bench.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::browser::Key;
use tests::process::chain::api::fresh_key;
use tests::process::chain::{Plan, id_of};

use super::stage::Stage;

/// From one key of a quick hand to its next.
const HAND_PACE_S: f64 = 0.06;

/// Goal: board and bench work by hand, by keys and by scan, with the hub and without it.
/// Method: a job is dragged, put back, moved by digits, refused with a reason, and gets a part by a scan while somebody
/// types a note; everything once more after the hub was killed. What the pages did is what the API says, and when the
/// hub is back it says so too.
#[tokio::test]
async fn jobs_go_over_board_and_bench_by_drag_keys_and_scan_also_with_the_hub_killed() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let Some(mut stage) = Stage::open(&Plan::of(&["B1"])).await? else {
        return Ok(());
    };
    stage.sign_in_manager(0).await?;
    let first = a_job(&mut stage, "P-00").await.context("connected")?;
    stage.kill_hub().await?;
    let second = a_job(&mut stage, "P-01").await.context("cut off")?;
    stage.chain.hub.start().await?;
    stage.chain.until_level().await?;
    let central = stage.chain.hub.api("central").await?;
    for id in [first, second] {
        let order = central.get(&format!("/api/v1/orders/{id}")).await?;
        ensure!(order["status"] == "in_repair", "at the hub: {order}");
    }
    Ok(())
}

async fn a_job(stage: &mut Stage, sku: &str) -> Result<String> {
    let manager = stage.chain.manager(0).await?;
    let id = id_of(&manager.take_in(&fresh_key(), "rattles").await?)?;
    stage.go(0, "/board").await?;
    by_drag(stage, &id).await.context("by drag")?;
    by_keys(stage, &id).await.context("by keys")?;
    at_the_bench(stage, &id, sku)
        .await
        .context("at the bench")?;
    scanner_or_hand(stage).await.context("scanner or hand")?;
    let errors = stage.browser.take_errors().await?;
    ensure!(errors.is_empty(), "{errors:?}");
    Ok(id)
}

/// Keys are told apart by when they were pressed: slow ones are a hand's; fast ones are a scan, however busy the tab is
/// when it hears them.
async fn scanner_or_hand(stage: &mut Stage) -> Result<()> {
    let listen = "window.heard = []; document.activeElement.blur(); \
        document.addEventListener('scan', (event) => window.heard.push(event.detail.code));";
    stage.browser.ask(listen, &[]).await?;
    stage.browser.keys_at(&["vvvv-1"], HAND_PACE_S).await?;
    let busy = "setTimeout(() => { const end = performance.now() + 400; while (performance.now() < end); }, 0);";
    stage.browser.ask(busy, &[]).await?;
    stage.browser.scan("vvvv-2").await?;
    let heard = "return window.heard.join(' ') === 'vvvv-2'";
    stage
        .browser
        .until_true("the scan and nothing else is heard", heard, &[])
        .await
}

/// Dragged to the next lane, taken back with the toast, and not let go where it may not go.
async fn by_drag(stage: &mut Stage, id: &str) -> Result<()> {
    let card = format!("#job-{id}");
    in_lane(stage, id, "received").await?;
    stage
        .browser
        .drag(&card, "#lane-diagnosing > header")
        .await?;
    in_lane(stage, id, "diagnosing").await?;
    stage.until_status(0, id, "diagnosing").await?;
    stage.browser.click("#toasts form button").await?;
    in_lane(stage, id, "received").await?;
    stage.until_status(0, id, "received").await?;
    stage.browser.drag(&card, "#lane-collected").await?;
    stage
        .browser
        .until_shown("#toasts .toast[data-tone=late], dialog#dialog [data-tone=late]")
        .await?;
    in_lane(stage, id, "received").await?;
    stage.browser.press(Key::Escape).await?;
    stage.until_status(0, id, "received").await
}

/// Arrows choose the card, digits move it.
async fn by_keys(stage: &mut Stage, id: &str) -> Result<()> {
    stage.go(0, "/board").await?;
    let focused = "return document.activeElement?.closest('.job')?.id ?? ''";
    let card = format!("job-{id}");
    stage.browser.take_key_count();
    let mut keys = [Key::Down, Key::Left, Key::Left, Key::Down, Key::Down].into_iter();
    while stage.browser.ask(focused, &[]).await? != card.as_str() {
        let key = keys.next().context("the arrows do not come to the card")?;
        stage.browser.press(key).await?;
    }
    stage.browser.type_text("2").await?;
    in_lane(stage, id, "diagnosing").await?;
    stage
        .browser
        .until_true(
            "the card keeps the focus",
            &format!("return ({}) === arguments[0]", &focused["return ".len()..]),
            &[json!(card)],
        )
        .await?;
    stage.browser.type_text("5").await?;
    in_lane(stage, id, "in_repair").await?;
    stage.until_status(0, id, "in_repair").await?;
    let count = stage.browser.take_key_count();
    eprintln!("a job over two lanes by keys: {count} keys");
    Ok(())
}

/// A scan while somebody types a note: the part is on the order, the note stays as it was typed; then the part is used.
async fn at_the_bench(stage: &mut Stage, id: &str, sku: &str) -> Result<()> {
    let manager = stage.chain.manager(0).await?;
    let before = manager.stock(sku).await?;
    stage.go(0, &format!("/orders/{id}")).await?;
    let note = "#note-form input[name=text]";
    stage.browser.fill(note, "half a sent").await?;
    stage.browser.scan(sku).await?;
    stage.browser.until_text("#order table tbody", sku).await?;
    stage.browser.type_text("ence").await?;
    let kept = "const e = document.querySelector(arguments[0]); return [e.value, document.activeElement === e]";
    let kept = stage.browser.ask(kept, &[json!(note)]).await?;
    ensure!(
        kept == json!(["half a sentence", true]),
        "the note after the scan: {kept}"
    );
    let reserved = manager.stock(sku).await?;
    ensure!(
        number(&reserved, "reserved") == number(&before, "reserved") + 1,
        "reserved: {before} became {reserved}"
    );
    stage.browser.press(Key::Enter).await?;
    stage
        .browser
        .until_text("#order .timeline", "half a sentence")
        .await?;
    stage
        .browser
        .click("#order form[action$='/consume'] button")
        .await?;
    stage
        .browser
        .until_gone("#order form[action$='/consume']")
        .await?;
    let used = manager.stock(sku).await?;
    ensure!(
        number(&used, "on_hand") == number(&before, "on_hand") - 1,
        "used: {before} became {used}"
    );
    Ok(())
}

fn number(stock: &Value, field: &str) -> i64 {
    stock[field].as_i64().unwrap_or(i64::MIN)
}

async fn in_lane(stage: &Stage, id: &str, lane: &str) -> Result<()> {
    let card = format!("#lane-{lane} #job-{id}:not([data-ui-held])");
    stage.browser.until_shown(&card).await
}
