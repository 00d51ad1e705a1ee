//! Money at the counter, step by step: split and given back, promised and captured, owed and paid off, parked and closed.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::browser::Key;
use tests::process::chain::api::Api;
use tests::process::chain::wait::until_link;
use tests::process::chain::{PATIENCE, Plan, id_of};
use tests::process::provider::open_provider;

use super::stage::Stage;

/// Goal: a sale paid in parts is given back line by line, to the tender it came by, with the way of the goods, and every
/// figure on paper is right.
/// Method: two parts by scan, 25.00 in cash and the rest by bank; then one piece goes back to the shelf and one to the
/// scrap. Papers, stock and payments are compared.
#[tokio::test]
async fn a_split_sale_is_given_back_by_line_with_the_way_of_the_goods() {
    split().await.unwrap();
}

/// Goal: a card promised while cut off is shown as a promise with the exposure, and becomes a link and then money on the
/// same page without a reload, once the line is back.
/// Method: a real hub with a double of the provider. The line is cut, the sale made, the line mended, the customer pays;
/// a mark in the page's window tells whether it was loaded again.
#[tokio::test]
async fn a_card_promised_while_cut_off_is_settled_on_the_open_page() {
    promise().await.unwrap();
}

/// Goal: a business customer pays off what was taken on account, in part, found by name or from their page; a basket
/// waits while somebody else is served; and the day is closed after the blind count.
/// Method: one branch, by keyboard where a clerk uses it; the hub is killed before the till is counted. Each paper and
/// each page says the figures.
#[tokio::test]
async fn an_account_is_paid_off_a_basket_waits_and_the_day_is_closed() {
    account().await.unwrap();
}

async fn open_till(manager: &Api) -> Result<()> {
    let float = json!({ "float": { "amount_minor": 10_000, "currency": "EUR" } });
    let session = manager.send("/api/v1/cash-sessions", &float).await;
    session.map(drop)
}

async fn on_hand(manager: &Api, sku: &str) -> Result<i64> {
    let stock: Value = manager.stock(sku).await?;
    stock["on_hand"].as_i64().context("pieces on hand")
}

/// The number of the paper in front.
async fn number(stage: &Stage) -> Result<String> {
    let path = stage.browser.path().await?;
    Ok(path.rsplit('/').next().unwrap_or_default().to_owned())
}

async fn no_errors(stage: &Stage) -> Result<()> {
    let errors = stage.browser.take_errors().await?;
    ensure!(errors.is_empty(), "{errors:?}");
    Ok(())
}

async fn split() -> Result<()> {
    let Some(mut stage) = Stage::open(&Plan::of(&["B1"])).await? else {
        return Ok(());
    };
    let manager = stage.chain.manager(0).await?;
    open_till(&manager).await?;
    stage.sign_in_manager(0).await?;
    stage.go(0, "/till").await?;
    stage.browser.scan_all(&["P-01", "P-02", "P-01"]).await?;
    stage
        .browser
        .until_text("#pay .due-figure", "30.04")
        .await?;
    stage.browser.click("#pay [data-key=f3]").await?;
    stage.until_focus("split-cash").await?;
    stage.browser.type_text("25").await?;
    stage.browser.fill("#split-bank", "5.04").await?;
    stage.browser.press(Key::Enter).await?;
    stage.browser.until_at("/receipts/*").await?;
    let sold = number(&stage).await?;
    for words in ["30.04", "25.00", "5.04"] {
        stage.browser.until_text(".receipt", words).await?;
    }
    stage
        .browser
        .until_text("#receipt aside", "waits for the bank")
        .await?;
    ensure!(on_hand(&manager, "P-01").await? == 8);
    give_back(&mut stage).await.context("the refund")?;
    let paper = stage.browser.text(".receipt").await?;
    for words in ["20.03", "the wrong ones", &sold] {
        ensure!(paper.contains(words), "{words} is not on {paper}");
    }
    stage.browser.inspect("money-refund-paper").await?;
    ensure!(on_hand(&manager, "P-01").await? == 9, "back on the shelf");
    ensure!(on_hand(&manager, "P-02").await? == 9, "scrapped");
    let receipt = manager.get(&format!("/api/v1/receipts/{sold}")).await?;
    ensure!(receipt["due"]["amount_minor"] == 3_004, "{receipt}");
    stage.go(0, &format!("/receipts/{sold}")).await?;
    stage.browser.until_text("#receipt aside", "−20.03").await?;
    // The drawer has the float and what stayed of the sale: 25.00 less 20.03.
    let sessions = manager.list("/api/v1/cash-sessions").await?;
    let path = format!("/api/v1/cash-sessions/{}/close", id_of(&sessions[0])?);
    let pieces = [(10_000, 1), (200, 2), (50, 1), (20, 2), (5, 1), (2, 1)];
    let counted = pieces.map(|(value, n)| json!({ "value_minor": value, "pieces": n }));
    let count = json!({ "counted": counted });
    let closed = manager.send(&path, &count).await?;
    let difference = &closed["report"]["difference"]["amount_minor"];
    ensure!(*difference == 0, "{closed}");
    no_errors(&stage).await
}

/// One piece of each, in cash; the second line is scrap.
async fn give_back(stage: &mut Stage) -> Result<()> {
    stage.browser.click(".headbar a[data-key=f]").await?;
    stage.browser.until_shown("#refund").await?;
    let scrap = "const lines = [...document.querySelectorAll('#refund-lines tbody tr')]; \
        const of = (name) => lines.find((line) => line.querySelector('td.num').textContent === name); \
        lines.forEach((line) => { line.querySelector('[name=pieces]').value = '1'; }); \
        const one = of('1').querySelector('[name=goods]'); one.value = 'scrap'; \
        one.dispatchEvent(new Event('input', { bubbles: true })); return lines.length";
    let lines = stage.browser.ask(scrap, &[]).await?;
    ensure!(lines == 2, "two lines: {lines}");
    stage
        .browser
        .until_text("#refund-sum .due-figure", "20.03")
        .await?;
    stage.browser.fill("#reason", "the wrong ones").await?;
    stage.browser.inspect("money-refund").await?;
    let cash = "return document.querySelector('#back-1').value";
    let cash = stage.browser.ask(cash, &[]).await?;
    ensure!(cash == "20.03", "all of it in cash: {cash}");
    stage
        .browser
        .click("#refund-sum button[type=submit]")
        .await?;
    stage.browser.until_text("h1", "A000002").await
}

async fn promise() -> Result<()> {
    let Some(mut stage) = Stage::open(&Plan::of(&["B1"])).await? else {
        return Ok(());
    };
    let (stripe, _) = open_provider(&mut stage.chain, false, &[]).await?;
    stage.chain.until_level().await?;
    let manager = stage.chain.manager(0).await?;
    stage.sign_in_manager(0).await?;
    manager.send("/api/v1/sync/pause", &Value::Null).await?;
    until_link(&manager, "paused", PATIENCE).await?;
    stage.go(0, "/till?part=P-01&n=1&part=P-02&n=1").await?;
    stage
        .browser
        .until_text("#pay .due-figure", "20.03")
        .await?;
    stage.browser.click("#pay [data-key=f2]").await?;
    stage
        .browser
        .until_text("#pay [data-way=card]", "Queued")
        .await?;
    stage.browser.inspect("money-promise-till").await?;
    stage.browser.click("#pay footer button").await?;
    stage.browser.until_at("/receipts/*").await?;
    let money = "#receipt aside";
    stage.browser.until_text(money, "waits to be asked").await?;
    stage
        .browser
        .until_text(".receipt", "Card, not taken yet")
        .await?;
    let mark = "window.isTheSamePage = true; return true";
    stage.browser.ask(mark, &[]).await?;
    let exposure = manager.get("/api/v1/payments").await?;
    let promised = &exposure["exposure"]["promised"]["amount_minor"];
    ensure!(*promised == 2_003, "{exposure}");
    manager.send("/api/v1/sync/resume", &Value::Null).await?;
    stage.browser.until_shown(".pay-code a").await?;
    stage.browser.inspect("money-promise-link").await?;
    let link = "return document.querySelector('.pay-code a').href";
    let link = stage.browser.ask(link, &[]).await?;
    let state = stripe.state().await?;
    let links = state["payment_link"].as_array().context("links")?;
    let found = links.iter().find(|one| one["url"] == link);
    let id = found
        .and_then(|one| one["id"].as_str())
        .with_context(|| format!("{link} is none of {links:?}"))?;
    stripe
        .control(&format!("links/{id}/pay"), json!({}))
        .await?;
    stage.browser.until_gone(".pay-code").await?;
    stage.browser.until_text(money, "paid").await?;
    let paper = stage.browser.text(".receipt").await?;
    ensure!(!paper.contains("not taken yet"), "{paper}");
    let kept = stage
        .browser
        .ask("return window.isTheSamePage === true", &[])
        .await?;
    ensure!(kept == true, "the page was loaded again");
    stage.browser.inspect("money-promise-captured").await?;
    let exposure = manager.get("/api/v1/payments").await?;
    let promised = &exposure["exposure"]["promised"]["amount_minor"];
    ensure!(*promised == 0, "{exposure}");
    no_errors(&stage).await
}

async fn account() -> Result<()> {
    let Some(mut stage) = Stage::open(&Plan::of(&["B1"])).await? else {
        return Ok(());
    };
    let manager = stage.chain.manager(0).await?;
    let firm = firm(&stage, &manager).await.context("a firm that owes")?;
    open_till(&manager).await?;
    stage.sign_in_manager(0).await?;
    pay_off(&mut stage, &firm).await.context("paying off")?;
    park(&mut stage).await.context("parking")?;
    stage.kill_hub().await?;
    close_day(&mut stage, &manager).await.context("the day")?;
    no_errors(&stage).await?;
    stage.chain.hub.start().await?;
    stage.chain.until_level().await
}

/// A customer with an account who took two pieces for 20.00 on it; gives the id.
async fn firm(stage: &Stage, manager: &Api) -> Result<String> {
    let visit = json!({
        "customer": { "name": "Hartmann Logistik GmbH", "phone": "+49 30 5556677" },
        "devices": [{ "category": "Laptop", "brand": "Acme", "model": "Book", "fault": "no light" }],
    });
    let visit = manager.send("/api/v1/orders", &visit).await?;
    let firm = visit["items"][0]["customer"]["id"].as_str();
    let firm = firm.context("a customer")?.to_owned();
    stage.chain.until_level().await?;
    let central = stage.chain.hub.api("central").await?;
    let account = json!({ "limit_minor": 50_000, "due_days": 14 });
    let path = format!("/api/v1/customers/{firm}/account");
    central.send(&path, &account).await?;
    stage.chain.until_level().await?;
    let sale = json!({
        "customer_id": firm, "parts": [{ "sku": "P-00", "quantity": 2 }],
        "tenders": [{ "tender": "account", "amount": { "amount_minor": 2_000, "currency": "EUR" } }],
    });
    manager.send("/api/v1/sales", &sale).await?;
    Ok(firm)
}

/// Name, Enter, Enter, the amount, Enter; the rest from the person's page.
async fn pay_off(stage: &mut Stage, firm: &str) -> Result<()> {
    stage.go(0, "/till").await?;
    stage
        .browser
        .fill(".headbar [name=code]", "hartmann")
        .await?;
    stage.browser.press(Key::Enter).await?;
    stage
        .browser
        .until_text("[data-found]", "owes 20.00")
        .await?;
    stage.browser.inspect("money-account-found").await?;
    let pick = format!("[data-found] a[href*='customer={firm}']");
    stage.browser.click(&pick).await?;
    stage
        .browser
        .until_text("#pay .due-figure", "20.00")
        .await?;
    stage.browser.fill("#claim", "5").await?;
    stage.browser.press(Key::Enter).await?;
    stage.browser.until_text("#pay .due-figure", "5.00").await?;
    stage
        .browser
        .until_text("#basket", "15.00 stays owed")
        .await?;
    stage.browser.inspect("money-account-part").await?;
    stage.until_focus("given").await?;
    stage.browser.press(Key::Enter).await?;
    stage.browser.until_at("/receipts/*").await?;
    stage
        .browser
        .until_text(".receipt", "What was owed")
        .await?;
    stage.go(0, &format!("/people/{firm}")).await?;
    stage.browser.until_text("#h-account", "Owed").await?;
    let page = stage.browser.text("main").await?;
    for words in ["EUR 15.00", "−5.00", "485.00 of 500.00"] {
        ensure!(page.contains(words), "{words} is not in {page}");
    }
    stage.browser.inspect("money-account-person").await?;
    stage.browser.click("main a[data-key=z]").await?;
    stage
        .browser
        .until_text("#pay .due-figure", "15.00")
        .await?;
    stage.until_focus("given").await?;
    stage.browser.type_text("20").await?;
    stage.browser.until_text("[data-back]", "5.00").await?;
    stage.browser.press(Key::Enter).await?;
    stage.browser.until_at("/receipts/*").await?;
    stage.browser.until_text(".change", "5.00").await?;
    stage.go(0, &format!("/people/{firm}")).await?;
    stage.browser.until_text("main", "EUR 0.00").await
}

/// F8 puts the basket aside, another customer is served, F9 takes it back.
async fn park(stage: &mut Stage) -> Result<()> {
    stage.go(0, "/till").await?;
    stage.browser.scan_all(&["P-00", "P-00"]).await?;
    stage
        .browser
        .until_text("#pay .due-figure", "20.00")
        .await?;
    stage.until_focus("given").await?;
    stage.browser.press(Key::F8).await?;
    stage.browser.until_text(".parked", "2 articles").await?;
    stage.browser.until_text(".parked", "20.00").await?;
    stage.browser.inspect("money-parked").await?;
    stage.browser.scan("P-00").await?;
    stage
        .browser
        .until_text("#pay .due-figure", "10.00")
        .await?;
    stage.browser.until_shown(".parked").await?;
    stage.browser.inspect("money-parked-beside").await?;
    stage.until_focus("given").await?;
    stage.browser.press(Key::Enter).await?;
    stage.browser.until_at("/receipts/*").await?;
    stage.go(0, "/till").await?;
    stage.browser.press(Key::F9).await?;
    stage
        .browser
        .until_text("#pay .due-figure", "20.00")
        .await?;
    stage.browser.until_gone(".parked").await?;
    stage.until_focus("given").await?;
    stage.browser.press(Key::Enter).await?;
    stage.browser.until_at("/receipts/*").await
}

/// What came in cash is counted, a euro less than there should be; then the day is closed, cut off from the hub.
async fn close_day(stage: &mut Stage, manager: &Api) -> Result<()> {
    stage.go(0, "/cash").await?;
    stage
        .browser
        .until_text("#days", "Count and close it first")
        .await?;
    let count = "const put = (value, pieces) => { document.getElementById('pieces-' + value).value = pieces; }; \
        put(10000, '1'); put(2000, '2'); put(500, '1'); put(200, '2'); \
        document.getElementById('count').dispatchEvent(new Event('input', { bubbles: true })); return true";
    stage.browser.ask(count, &[]).await?;
    stage.browser.until_text("[data-total]", "149.00").await?;
    stage.browser.click("#count footer button").await?;
    stage.until_focus("reason").await?;
    stage.browser.type_text("a euro rolled away").await?;
    stage.browser.chord(Key::Control, Key::Enter).await?;
    stage.browser.until_at("/cash/*").await?;
    for words in [
        "B1-Z-A000001",
        "150.00",
        "149.00",
        "−1.00",
        "a euro rolled away",
    ] {
        stage.browser.until_text(".receipt", words).await?;
    }
    stage.browser.until_shown("[data-print=receipt]").await?;
    stage.browser.inspect("money-day-report").await?;
    stage.go(0, "/cash").await?;
    stage.browser.inspect("money-days-open").await?;
    stage.browser.click("#days button[type=submit]").await?;
    stage.browser.until_at("/business-days/*").await?;
    let page = stage.browser.text("main").await?;
    for words in ["What the branch said", "B1-Z-A000001", "All together"] {
        ensure!(page.contains(words), "{words} is not in {page}");
    }
    stage.browser.inspect("money-business-day").await?;
    let sessions = manager.list("/api/v1/cash-sessions").await?;
    let report = &sessions[0]["report"];
    ensure!(report["difference"]["amount_minor"] == -100, "{report}");
    stage.go(0, "/cash").await?;
    stage.browser.until_text("#days", "closed").await
}
