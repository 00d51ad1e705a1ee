//! Parts: a delivery by scan, and pieces on their way from one branch to another.

use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::{Value, json};
use tests::browser::Key;
use tests::process::chain::api::Api;
use tests::process::chain::wait::until;
use tests::process::chain::{PATIENCE, Plan, id_of};

use super::stage::Stage;

/// Goal: goods are counted by the scanner, each piece once, and a transfer is one story over two branches and the hub;
/// what a branch does of it needs no hub.
/// Method: two branches; a transfer asked for at one, approved at the hub, sent by the other, taken in with a piece
/// missing; a delivery of ten scans in a second while the focus is in another field. Then the hub is killed: another
/// delivery, one transfer is sent, one taken in and one asked for; when the hub is back all of them go on.
#[tokio::test]
async fn deliveries_and_transfers_are_counted_by_scan_also_with_the_hub_killed() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let plan = Plan {
        parts: 3,
        ..Plan::of(&["B1", "B2"])
    };
    let Some(mut stage) = Stage::open(&plan).await? else {
        return Ok(());
    };
    let source = stage.browser.tab().await?;
    stage.sign_in_manager(0).await?;
    let destination = stage.browser.open_tab().await?;
    stage.sign_in_manager(1).await?;
    let hub = stage.browser.open_tab().await?;
    stage.sign_in_hub("central").await?;

    stage.browser.switch_to(&destination).await?;
    ask(&mut stage).await.context("asking for parts")?;
    stage.browser.switch_to(&hub).await?;
    approve(&stage).await.context("approving")?;
    stage.browser.switch_to(&source).await?;
    let id = stage.transfer_in(0, "approved").await?;
    send(&stage, &id).await.context("sending")?;
    stage.browser.switch_to(&destination).await?;
    stage.until_transfer(1, &id, "shipped").await?;
    take_in(&mut stage, &id).await.context("taking in")?;
    stage.browser.switch_to(&hub).await?;
    balanced(&stage).await.context("what the hub says")?;
    let (to_send, to_take_in) = prepared(&stage).await.context("two more")?;
    // A page whose program is killed says so in the log.
    stage.browser.close_tab().await?;

    stage.browser.switch_to(&source).await?;
    delivery(&mut stage, "L-1").await.context("connected")?;
    stage.kill_hub().await?;
    delivery(&mut stage, "L-2").await.context("cut off")?;
    send(&stage, &to_send).await.context("sending, cut off")?;
    stage.browser.switch_to(&destination).await?;
    take_in(&mut stage, &to_take_in)
        .await
        .context("taking in, cut off")?;
    ask(&mut stage).await.context("asking, cut off")?;
    stage.chain.hub.start().await?;
    stage.until_transfer(1, &to_send, "shipped").await?;
    take_in(&mut stage, &to_send)
        .await
        .context("taking in what was sent cut off")?;
    // The session outlived the hub.
    approve(&stage)
        .await
        .context("approving what was asked cut off")?;
    balanced(&stage)
        .await
        .context("what the hub says at last")?;
    stage.chain.ensure_equal().await
}

/// Two transfers of three pieces that need no more of the hub: one to be sent, one to be taken in.
async fn prepared(stage: &Stage) -> Result<(String, String)> {
    let central = stage.chain.hub.api("central").await?;
    let source = stage.chain.manager(0).await?;
    let lines = json!([{ "sku": "P-00", "quantity": 3 }]);
    let mut ids = Vec::new();
    for _ in 0..2 {
        let wish = json!({ "from": "B1", "to": "B2", "lines": lines });
        let made = central.send("/api/v1/transfers", &wish);
        let id = id_of(&made.await?)?;
        let path = format!("/api/v1/transfers/{id}/approve");
        central.send(&path, &Value::Null).await?;
        stage.until_transfer(0, &id, "approved").await?;
        ids.push(id);
    }
    let [to_send, to_take_in] = <[String; 2]>::try_from(ids).map_err(|_| anyhow!("not two"))?;
    let path = format!("/api/v1/transfers/{to_take_in}/ship");
    let body = json!({ "lines": lines });
    source.send(&path, &body).await?;
    stage.until_transfer(1, &to_take_in, "shipped").await?;
    stage.chain.until_level().await?;
    Ok((to_send, to_take_in))
}

/// Three pieces by three scans, from the other branch.
async fn ask(stage: &mut Stage) -> Result<()> {
    stage.go(1, "/transfers/new").await?;
    stage.browser.fill("#note", "for the window").await?;
    for _ in 0..3 {
        stage.browser.scan("P-00").await?;
    }
    stage.browser.until_text("#ask [data-total]", "3").await?;
    stage.browser.choose("#from", "B1").await?;
    stage.browser.click("#ask button[value=ask]").await?;
    stage.browser.until_text("main", "Branch B1").await?;
    Ok(())
}

/// One click on the card; the way here was the other.
async fn approve(stage: &Stage) -> Result<()> {
    stage.go_hub("/transfers").await?;
    stage.browser.click(".move form button").await?;
    stage.browser.until_gone(".move form button").await
}

async fn send(stage: &Stage, id: &str) -> Result<()> {
    open_transfer(stage, 0, id).await?;
    stage.browser.click("#goods button[value=all]").await?;
    stage.browser.until_gone("#goods button[value=all]").await
}

/// Two of three are there; the third is missing, and says so. Then it turns up.
async fn take_in(stage: &mut Stage, id: &str) -> Result<()> {
    let manager = stage.chain.manager(1).await?;
    let before = on_hand(&manager.stock("P-00").await?);
    open_transfer(stage, 1, id).await?;
    stage
        .browser
        .fill("#goods input[name=missing]", "0")
        .await?;
    for _ in 0..2 {
        stage.browser.scan("P-00").await?;
    }
    let good = "return document.querySelector('#goods input[name=quantity]').value === '2'";
    stage
        .browser
        .until_true("two pieces are counted", good, &[])
        .await?;
    stage
        .browser
        .fill("#goods input[name=missing]", "1")
        .await?;
    stage.browser.click("#goods button[value=counted]").await?;
    stage
        .browser
        .until_text("#transfer", "Some are missing")
        .await?;
    let counted = on_hand(&manager.stock("P-00").await?);
    ensure!(
        counted == before + 2,
        "two of three: {before} became {counted}"
    );
    // The last piece is taken in as all that is left.
    stage.browser.click("#goods button[value=all]").await?;
    stage.browser.until_gone("#goods button[value=all]").await?;
    let all = on_hand(&manager.stock("P-00").await?);
    ensure!(all == before + 3, "all three: {before} became {all}");
    Ok(())
}

/// Opens a transfer of a branch from the list.
async fn open_transfer(stage: &Stage, index: usize, id: &str) -> Result<()> {
    stage.go(index, "/transfers").await?;
    stage
        .browser
        .click(&format!("#transfers a[href='/transfers/{id}']"))
        .await?;
    stage.browser.until_shown("#goods").await
}

impl Stage {
    /// The first transfer that a branch has in a state, once there is one.
    async fn transfer_in(&self, index: usize, state: &str) -> Result<String> {
        let manager = self.chain.manager(index).await?;
        until(&format!("a transfer is {state}"), PATIENCE, async || {
            let transfers = manager.list("/api/v1/transfers").await?;
            let found = transfers.iter().find(|transfer| transfer["state"] == state);
            Ok(match found.and_then(|transfer| transfer["id"].as_str()) {
                Some(id) => Ok(id.to_owned()),
                None => Err(json!(transfers).to_string()),
            })
        })
        .await
    }

    /// Waits until a branch has this transfer in a state.
    async fn until_transfer(&self, index: usize, id: &str, state: &str) -> Result<()> {
        let manager = self.chain.manager(index).await?;
        until(&format!("the transfer is {state}"), PATIENCE, async || {
            let found = manager.found(&format!("/api/v1/transfers/{id}")).await?;
            Ok(match found {
                Ok(transfer) if transfer["state"] == state => Ok(()),
                Ok(transfer) => Err(transfer.to_string()),
                Err(error) => Err(error),
            })
        })
        .await
    }
}

/// The hub's page of the part holds its equation.
async fn balanced(stage: &Stage) -> Result<()> {
    stage.chain.until_level().await?;
    stage.go_hub("/stock/P-00").await?;
    stage.browser.until_shown(".equation").await?;
    stage.browser.until_shown(".proved").await
}

/// Ten scans of two parts at the pace of a scanner, the focus in the field of the delivery note.
async fn delivery(stage: &mut Stage, note: &str) -> Result<()> {
    let manager = stage.chain.manager(0).await?;
    let before = both(&manager).await?;
    stage.go(0, "/stock/delivery").await?;
    stage.browser.fill("#reference", note).await?;
    let codes = ["P-01", "P-02"].repeat(5);
    let begun = Instant::now();
    stage.browser.scan_all(&codes).await?;
    eprintln!("ten scans: {} ms", begun.elapsed().as_millis());
    stage
        .browser
        .until_text("#delivery [data-total]", "10")
        .await?;
    let kept = "return document.querySelector('#reference').value === arguments[0] && document.activeElement.id === 'reference'";
    stage
        .browser
        .until_true("the note stays and keeps the focus", kept, &[json!(note)])
        .await?;
    // As after a click beside the form: what saves is saved from anywhere.
    let leave = "document.activeElement.blur(); return document.activeElement === document.body";
    ensure!(
        stage.browser.ask(leave, &[]).await? == json!(true),
        "the field keeps the focus"
    );
    stage.browser.chord(Key::Control, Key::Enter).await?;
    stage.browser.until_shown(".toast").await?;
    let after = both(&manager).await?;
    ensure!(
        after == [before[0] + 5, before[1] + 5],
        "ten scans: {before:?} became {after:?}"
    );
    let errors = stage.browser.take_errors().await?;
    ensure!(errors.is_empty(), "{errors:?}");
    Ok(())
}

async fn both(manager: &Api) -> Result<[i64; 2]> {
    let (first, second) = (manager.stock("P-01").await?, manager.stock("P-02").await?);
    Ok([on_hand(&first), on_hand(&second)])
}

fn on_hand(stock: &Value) -> i64 {
    stock["on_hand"].as_i64().unwrap_or(i64::MIN)
}
