//! The night: a normal one is signed off, a bad one is found, explained, settled and then signed off.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tests::browser::Key;
use tests::process::chain::api::Api;
use tests::process::chain::wait::until;
use tests::process::chain::{PATIENCE, Plan, id_of};

use super::stage::Stage;

/// Goal: a manager signs off a normal night in a few clicks, and finds, explains and settles a bad one without leaving
/// the pages.
/// Method: two branches close their day, the hub does the night. All green: from any page the bar at the foot leads to
/// it, one button signs. Then a drawer lacks nine euros with a reason and a piece of stock is planted at the hub; run
/// again the page follows by itself. Two clicks lead from the matrix to the part. The row is put right, the cash
/// difference by a correction, and run again only what is explained is left: opened, signed with a reason.
#[tokio::test]
async fn a_normal_night_is_signed_and_a_bad_one_found_explained_and_settled() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let Some(mut stage) = Stage::open(&Plan::of(&["B1", "B2"])).await? else {
        return Ok(());
    };
    let central = stage.chain.hub.api("central").await?;
    let date = close_days(&stage).await.context("the day ends")?;
    until_night(&central, &date, "green").await?;
    stage.sign_in_hub("central").await?;
    normal(&mut stage, &date).await.context("a normal night")?;
    let mut database = stage.chain.hub.connect().await?;
    plant(&stage, &mut database).await.context("planting")?;
    find(&mut stage, &date).await.context("finding")?;
    settle(&mut stage, &mut database, &date)
        .await
        .context("settling")?;
    let errors = stage.browser.take_errors().await?;
    ensure!(errors.is_empty(), "{errors:?}");
    Ok(())
}

/// Every branch says what it has, and the hub hears it; gives the business date.
pub async fn close_days(stage: &Stage) -> Result<String> {
    let mut database = stage.chain.hub.connect().await?;
    let today = "select (now() at time zone 'Europe/Berlin')::date::text";
    let date: String = sqlx::query_scalar(today).fetch_one(&mut database).await?;
    database.close().await?;
    for index in 0..stage.chain.edges.len() {
        let manager = stage.chain.manager(index).await?;
        let body = json!({ "business_date": date });
        manager.send("/api/v1/business-days", &body).await?;
    }
    stage.chain.until_level().await?;
    Ok(date)
}

/// Does the night until it came to this; heads are signed a moment after the day ended.
pub async fn until_night(central: &Api, date: &str, state: &str) -> Result<()> {
    let path = format!("/api/v1/reconciliations/{date}");
    let body = json!({ "business_date": date });
    until(&format!("the night is {state}"), PATIENCE * 2, async || {
        central.send("/api/v1/reconciliations", &body).await?;
        let night = central.found(&path).await?;
        Ok(match night {
            Ok(night) if is_done(&night) && night["state"] == state => Ok(()),
            Ok(night) => Err(night.to_string()),
            Err(error) => Err(error),
        })
    })
    .await
}

/// Does the night, and waits until every branch was looked at; one without a machine has no word to look at.
pub async fn until_done(central: &Api, date: &str) -> Result<()> {
    let path = format!("/api/v1/reconciliations/{date}");
    let body = json!({ "business_date": date });
    central.send("/api/v1/reconciliations", &body).await?;
    until("the night is done", PATIENCE * 2, async || {
        Ok(match central.found(&path).await? {
            Ok(night) if is_over(&night) => Ok(()),
            Ok(night) => Err(night.to_string()),
            Err(error) => Err(error),
        })
    })
    .await
}

fn is_over(night: &Value) -> bool {
    let branches = night["branches"].as_array().into_iter().flatten();
    let is_over = |one: &Value| one["run"] == "done" || one["run"] == "unreconciled";
    branches.clone().count() > 1 && branches.clone().all(is_over)
}

fn is_done(night: &Value) -> bool {
    let branches = night["branches"].as_array().into_iter().flatten();
    branches.clone().count() > 1 && branches.clone().all(|one| one["run"] == "done")
}

/// From any page: the bar, the button.
async fn normal(stage: &mut Stage, date: &str) -> Result<()> {
    stage.go_hub("/orders").await?;
    let bar = "#statusbar a[href='/nights']";
    let words = "2 of 2 agree, not signed";
    stage.browser.until_text(bar, words).await?;
    stage.browser.click(bar).await?;
    stage
        .browser
        .until_text("#cell", "Everything agrees")
        .await?;
    stage.browser.inspect("night-green").await?;
    stage
        .browser
        .click("#night-head form[action$='/sign'] button")
        .await?;
    stage.browser.until_at(&format!("/nights/{date}")).await?;
    stage
        .browser
        .until_text("#night-head", "Signed off by")
        .await?;
    let words = "2 of 2 agree, signed";
    stage.browser.until_text(bar, words).await?;
    eprintln!("a normal night is signed off: 2 clicks");
    Ok(())
}

/// A drawer that lacks nine euros, said so at the count, and a piece too many at the hub.
async fn plant(stage: &Stage, database: &mut PgConnection) -> Result<()> {
    let manager = stage.chain.manager(0).await?;
    let float = json!({ "float": { "amount_minor": 10_000, "currency": "EUR" } });
    let sessions = "/api/v1/cash-sessions";
    let session = id_of(&manager.send(sessions, &float).await?)?;
    let count = json!({ "counted": [{ "value_minor": 100, "pieces": 91 }], "reason": "a note went missing" });
    let path = format!("{sessions}/{session}/close");
    manager.send(&path, &count).await?;
    close_days(stage).await?;
    move_piece(database, 1).await
}

async fn move_piece(database: &mut PgConnection, by: i64) -> Result<()> {
    let done = sqlx::query(
        "update inventory.stock s set on_hand = on_hand + $1 from inventory.part p, locations.branch b
         where s.part = p.part and p.sku = 'P-00' and s.branch_id = b.branch and b.code = 'B1'",
    )
    .bind(by)
    .execute(database)
    .await?;
    ensure!(done.rows_affected() == 1, "{} rows", done.rows_affected());
    Ok(())
}

/// Run again, the page follows; from the matrix two clicks to the part.
async fn find(stage: &mut Stage, date: &str) -> Result<()> {
    stage.go_hub(&format!("/nights/{date}")).await?;
    run_again(stage).await?;
    let stock = "#n-B1 a.badge[href*='check=stock']";
    stage.browser.until_shown(stock).await?;
    let cash = "#n-B1 a.badge[href*='check=cash']";
    stage.browser.until_text(cash, "−9.00").await?;
    stage.browser.inspect("night-red").await?;
    stage.browser.click(stock).await?;
    let record = "#cell .night-records a[href^='/stock/P-00']";
    stage.browser.until_shown(record).await?;
    stage.browser.inspect("night-cell").await?;
    stage.browser.click(record).await?;
    stage.browser.until_at("/stock/P-00").await?;
    eprintln!("from the matrix to the record: 2 clicks");
    stage.go_hub(&format!("/nights/{date}/B1")).await?;
    stage
        .browser
        .until_text("#cash", "a note went missing")
        .await?;
    stage.browser.inspect("night-branch").await
}

async fn run_again(stage: &mut Stage) -> Result<()> {
    let button = "#night-head form[action='/nights/run'] button";
    stage.browser.click(button).await?;
    stage.browser.until_text("#toasts", "being checked").await
}

/// The row is put right, the difference by a correction; what is left is explained.
async fn settle(stage: &mut Stage, database: &mut PgConnection, date: &str) -> Result<()> {
    move_piece(database, -1).await?;
    stage
        .go_hub(&format!("/nights/{date}?branch=B1&check=cash"))
        .await?;
    stage
        .browser
        .click("#cell a[href^='/nights/corrections']")
        .await?;
    stage.until_focus("reason").await?;
    stage.browser.inspect("night-correction").await?;
    stage
        .browser
        .type_text("written off, the note is gone")
        .await?;
    stage.browser.press(Key::Enter).await?;
    stage
        .browser
        .until_text("#corrections", "written off, the note is gone")
        .await?;
    stage.browser.click("#to-night").await?;
    stage.browser.until_at(&format!("/nights/{date}")).await?;
    run_again(stage).await?;
    let stock = "#n-B1 a.badge[href*='check=stock']";
    stage.browser.until_gone(stock).await?;
    // What was signed before it was run again is looked into again, and signed with what was learnt.
    let sign = format!("#night-head a[href^='/nights/{date}/sign']");
    stage.browser.click(&sign).await?;
    stage.until_focus("reason").await?;
    stage
        .browser
        .type_text("the drawer of B1 was counted later")
        .await?;
    stage.browser.press(Key::Enter).await?;
    stage
        .browser
        .until_text(&sign, "Sign with 1 open point")
        .await?;
    stage.browser.click(&sign).await?;
    stage.until_focus("reason").await?;
    stage.browser.inspect("night-sign").await?;
    stage
        .browser
        .type_text("nine euros written off, all else agrees")
        .await?;
    stage.browser.press(Key::Enter).await?;
    stage
        .browser
        .until_text("#night-head", "Signed off by")
        .await?;
    stage.go_hub(&format!("/nights/{date}/report")).await?;
    stage
        .browser
        .until_text(".night-report", "nine euros written off")
        .await?;
    stage.browser.inspect("night-report").await
}
