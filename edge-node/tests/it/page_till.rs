//! Till, receipts, refunds and cash as a browser without scripts uses them.

use domain::stock::MovementKind;
use edge_node::app::stock::{self, MovementInput};
use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json};

use crate::api_support::*;
use crate::pages::{Browser, key_of};
use crate::support::ACTOR;

#[track_caller]
fn led_to(answer: &Response) -> String {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()[header::LOCATION]
        .to_str()
        .unwrap()
        .to_owned()
}

async fn receive(shop: &Served, sku: &'static str, quantity: i64) {
    let input = MovementInput {
        kind: MovementKind::Receive,
        quantity,
        reason: None,
        reference: None,
    };
    let write = shop
        .state
        .store()
        .write(move |tx| stock::move_by_hand(tx, &ACTOR, sku, input));
    write.await.unwrap();
}

/// An order over work for 79.00 that is ready: its id and number.
async fn ready(shop: &Served) -> (String, String) {
    let cleo = shop.sign_in("cleo").await;
    let order = cleo.take_in("k-ready", "does not charge").await;
    let id = order["id"].as_str().unwrap().to_owned();
    let line = json!({ "kind": "service", "text": "Port <replaced>", "quantity": 1, "tax_rate_bp": 1900,
                       "unit_price": { "amount_minor": 7900, "currency": "EUR" } });
    let path = format!("/api/v1/orders/{id}");
    cleo.post(&format!("{path}/lines"), "k-line", &line)
        .await
        .ok(201);
    for (key, body) in [
        ("k-repair", json!({ "status": "in_repair" })),
        (
            "k-done",
            json!({ "status": "ready", "outcome": "repaired" }),
        ),
    ] {
        cleo.post(&format!("{path}/status"), key, &body)
            .await
            .ok(200);
    }
    (id, order["number"].as_str().unwrap().to_owned())
}

async fn open_till(browser: &Browser<'_>) {
    let opened = browser.post("/cash", "key=c-open&float=100.00".to_owned());
    assert!(led_to(&opened.await).starts_with("/cash?said="));
}

async fn status_of(shop: &Served, id: &str) -> Value {
    let tim = shop.sign_in("tim").await;
    tim.get(&format!("/api/v1/orders/{id}")).await.ok(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_scanned_paid_in_cash_and_has_one_receipt() {
    let shop = Served::open().await;
    let (id, number) = ready(&shop).await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    open_till(&browser).await;
    let order = browser.page(&format!("/orders/{id}")).await;
    assert!(
        order.contains(&format!("href=\"/till?order={id}\"")),
        "{order}"
    );
    assert!(
        order.contains("Collect &#38; pay") || order.contains("Collect &amp; pay"),
        "{order}"
    );
    // The code of the order, as a scanner or a hand types it, leads to the address that says the basket.
    let scanned = browser.post("/till/basket", format!("code={}", number.to_lowercase()));
    let address = led_to(&scanned.await);
    assert_eq!(address, format!("/till?order={id}"));
    let page = browser.page(&address).await;
    for words in [
        "Port &#60;replaced&#62;",
        "EUR 79.00",
        "data-due=\"7900\"",
        "Cash open since",
    ] {
        assert!(page.contains(words), "{words} is missing in {page}");
    }
    let form = format!(
        "key={}&due=7900&order={id}&tender=cash&given=100",
        key_of_pay(&page)
    );
    let paid = led_to(&browser.post("/till", form.clone()).await);
    assert_eq!(paid, "/receipts/BER-R-A000001?fresh=true");
    // A double click, the back button: the same form again is the same receipt.
    assert_eq!(led_to(&browser.post("/till", form).await), paid);
    // Another tab had the order in its basket too.
    let other = format!("key=k-other&due=7900&order={id}&tender=cash");
    let refused = browser.post("/till", other).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let refused = refused.text().await.unwrap();
    assert!(refused.contains("Money goes back by a refund"), "{refused}");
    let receipt = browser.page(&paid).await;
    for words in [
        "EUR 21.00",
        "−21.00",
        "12.61",
        "66.39",
        &number,
        "Port &#60;replaced&#62;",
    ] {
        assert!(receipt.contains(words), "{words} is missing in {receipt}");
    }
    let order = status_of(&shop, &id).await;
    assert_eq!(order["status"], "collected");
    assert_eq!(order["totals"]["paid"]["amount_minor"], 7900);
    assert_eq!(order["totals"]["due"]["amount_minor"], 0);
    let list = browser.page("/receipts").await;
    assert_eq!(list.matches("BER-R-A000001</a>").count(), 1);
    assert_eq!(
        led_to(&browser.get("/receipts?q=1").await),
        "/receipts/BER-R-A000001"
    );
    assert!(
        browser
            .page("/receipts?q=77")
            .await
            .contains("has the number “77”")
    );
}

/// The key of the form that pays; the one of the basket has none.
fn key_of_pay(page: &str) -> &str {
    key_of(page.split_once("id=\"pay\"").unwrap().1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_basket_says_what_stands_in_the_way_and_what_helps() {
    let shop = Served::open().await;
    let cleo = shop.sign_in("cleo").await;
    let order = cleo.take_in("k-1", "no sound").await;
    let id = order["id"].as_str().unwrap();
    let browser = Browser::sign_in(&shop, "cleo").await;
    let page = browser
        .page(&format!("/till?order={id}&part=SCR-1&n=2&part=NO-9&n=x"))
        .await;
    for words in [
        "It stands in Received",
        "value=\"ahead-",
        "Only 0 are free here",
        "No part has this number",
        "No cash session is open",
    ] {
        assert!(page.contains(words), "{words} is missing in {page}");
    }
    assert!(page.contains("type=\"submit\" disabled"), "{page}");
    let ahead = format!("order={id}&action=ahead-{id}");
    let ahead = led_to(&browser.post("/till/basket", ahead).await);
    assert_eq!(ahead, format!("/till?deposit={id}&ahead=0"));
    let typed = format!("deposit={id}&ahead=30.00&action=add");
    let typed = led_to(&browser.post("/till/basket", typed).await);
    assert_eq!(typed, format!("/till?deposit={id}&ahead=3000"));
    let no_cash = format!("key=k-no&due=3000&deposit={id}&ahead=3000&tender=cash");
    let no_cash = browser.post("/till", no_cash).await.text().await.unwrap();
    assert!(
        no_cash.contains("Cash needs one. Nothing was booked."),
        "{no_cash}"
    );
    open_till(&browser).await;
    let short = format!("key=k-short&due=3000&deposit={id}&ahead=3000&tender=cash&given=20");
    let short = browser.post("/till", short).await.text().await.unwrap();
    assert!(
        short.contains("EUR 20.00 is less than EUR 30.00"),
        "{short}"
    );
    let stale = format!("key=k-stale&due=2500&deposit={id}&ahead=3000&tender=cash");
    let stale = browser.post("/till", stale).await.text().await.unwrap();
    assert!(stale.contains("changed to EUR 30.00"), "{stale}");
    let paid = format!("key=k-paid&due=3000&deposit={id}&ahead=3000&tender=cash");
    led_to(&browser.post("/till", paid).await);
    let order = browser.page(&format!("/orders/{id}")).await;
    assert!(
        order.contains("Paid ahead") && order.contains("/receipts/BER-R-A000001"),
        "{order}"
    );
    let unknown = browser
        .post("/till/basket", "code=nobody-knows".to_owned())
        .await;
    assert!(
        unknown
            .text()
            .await
            .unwrap()
            .contains("The basket stays as it is")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_sale_is_given_back_by_line_and_the_promise_called_off() {
    let shop = Served::open().await;
    receive(&shop, "SCR-1", 5).await;
    let browser = Browser::sign_in(&shop, "ada").await;
    open_till(&browser).await;
    let basket = led_to(
        &browser
            .post("/till/basket", "code=40SCR-1".to_owned())
            .await,
    );
    assert_eq!(basket, "/till?part=SCR-1&n=1");
    let more = led_to(
        &browser
            .post(
                "/till/basket",
                "part=SCR-1&n=1&action=more-SCR-1".to_owned(),
            )
            .await,
    );
    assert_eq!(more, "/till?part=SCR-1&n=2");
    let page = browser.page(&more).await;
    let due = page
        .split_once("data-due=\"")
        .unwrap()
        .1
        .split_once('"')
        .unwrap()
        .0;
    let due_minor: i64 = due.parse().unwrap();
    let cash = due_minor / 100 - 10;
    let form = format!(
        "key={}&due={due}&part=SCR-1&n=2&tender=split&cash={cash}",
        key_of_pay(&page)
    );
    let receipt = led_to(&browser.post("/till", form).await);
    let page = browser.page(&receipt).await;
    assert!(
        page.contains("waits to be asked") && page.contains("Card, not taken yet"),
        "{page}"
    );
    // One of two goes back, in cash: that much was captured.
    let refund = "/receipts/BER-R-A000001/refund";
    let form = browser.page(refund).await;
    let line = form.split_once("name=\"line\" value=\"").unwrap().1;
    let line = line.split_once('"').unwrap().0;
    let chosen = format!("line={line}&pieces=1&goods=shelf");
    let quoted = browser
        .post(&format!("{refund}/quote"), chosen.clone())
        .await;
    assert_eq!(quoted.status(), StatusCode::OK);
    let quoted = quoted.text().await.unwrap();
    assert!(quoted.contains("Give back EUR"), "{quoted}");
    let no_reason = browser.post(refund, format!("key=k-r0&{chosen}")).await;
    assert!(
        no_reason
            .text()
            .await
            .unwrap()
            .contains("Say why, in one line")
    );
    let give = format!("key=k-r1&{chosen}&reason=does+not+fit");
    let given = led_to(&browser.post(refund, give.clone()).await);
    assert!(
        given.starts_with("/receipts/BER-R-A000002?said="),
        "{given}"
    );
    led_to(&browser.post(refund, give).await);
    let paper = browser.page("/receipts/BER-R-A000002").await;
    assert!(
        paper.contains("of receipt BER-R-A000001") && paper.contains("does not fit"),
        "{paper}"
    );
    let shelf = shop
        .sign_in("tim")
        .await
        .get("/api/v1/stock/SCR-1")
        .await
        .ok(200);
    assert_eq!(shelf["on_hand"], 4);
    // The card was not taken: nothing is left to give back until it is called off.
    let rest = format!("key=k-r2&{chosen}&reason=too");
    let rest = browser.post(refund, rest).await;
    assert_eq!(rest.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        rest.text()
            .await
            .unwrap()
            .contains("Call the open promise off first")
    );
    let page = browser.page("/receipts/BER-R-A000001").await;
    let payment = page.split_once("name=\"payment\" value=\"").unwrap().1;
    let payment = payment.split_once('"').unwrap().0;
    let off = format!("key=k-off&payment={payment}");
    led_to(&browser.post("/receipts/BER-R-A000001/call-off", off).await);
    assert!(
        browser
            .page("/receipts/BER-R-A000001")
            .await
            .contains("called off")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blind_count_closes_the_till_and_a_difference_needs_a_reason() {
    let shop = Served::open().await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    assert!(browser.page("/cash").await.contains("The till is closed"));
    let wrong = browser.post("/cash", "key=c-0&float=ten".to_owned()).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text().await.unwrap().contains("float-problem"));
    open_till(&browser).await;
    let page = browser.page("/cash").await;
    let id = page.split_once("action=\"/cash/").unwrap().1;
    let id = id.split_once('/').unwrap().0.to_owned();
    let out =
        |key: &str, amount: &str| format!("key={key}&direction=out&amount={amount}&reason=stamps");
    let path = format!("/cash/{id}/movements");
    let too_much = browser
        .post(&path, out("c-1", "500"))
        .await
        .text()
        .await
        .unwrap();
    assert!(too_much.contains("not so much in the drawer"), "{too_much}");
    for _ in 0..2 {
        led_to(&browser.post(&path, out("c-2", "12.50")).await);
    }
    let page = browser.page("/cash").await;
    assert_eq!(page.matches(">stamps<").count(), 1);
    assert!(
        !page.contains("87.50"),
        "what should be there is not in the page: {page}"
    );
    let close = format!("/cash/{id}/close");
    let count = "value=5000&pieces=1&value=1000&pieces=3&value=200&pieces=&left=50";
    let differs = browser.post(&close, format!("key=c-3&{count}")).await;
    assert_eq!(differs.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let differs = differs.text().await.unwrap();
    assert!(
        differs.contains("The count differs") && differs.contains("id=\"reason\""),
        "{differs}"
    );
    assert!(
        !differs.contains("87.50") && !differs.contains("7.50"),
        "{differs}"
    );
    let closed = format!("key=c-3&asked=yes&reason=a+coin+rolled+away&{count}");
    let report = led_to(&browser.post(&close, closed).await);
    assert_eq!(report, format!("/cash/{id}"));
    let report = browser.page(&report).await;
    for words in [
        "BER-Z-A000001",
        "−7.50",
        "87.50",
        "EUR 80.00",
        "a coin rolled away",
        "r-hash",
    ] {
        assert!(report.contains(words), "{words} is missing in {report}");
    }
    let page = browser.page("/cash").await;
    assert!(
        page.contains("BER-Z-A000001") && page.contains("EUR 50.00 was left there"),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_money_are_german_too_and_ask_who_may() {
    let shop = Served::open().await;
    let (id, _) = ready(&shop).await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    open_till(&browser).await;
    let german = browser
        .post("/screen", "language=de&theme=&next=%2Ftill".to_owned())
        .await;
    let mine = german.headers().get_all(header::SET_COOKIE).iter();
    let mine: Vec<String> = mine
        .filter_map(|value| value.to_str().ok())
        .filter_map(|value| value.split(';').next().map(str::to_owned))
        .collect();
    let cookie = format!("{}; {}", browser.cookie, mine.join("; "));
    let browser = Browser {
        shop: &shop,
        cookie,
    };
    let page = browser.page(&format!("/till?order={id}")).await;
    for words in ["Zu zahlen", "EUR 79,00", "Geteilt", "Nächster Kunde"] {
        assert!(page.contains(words), "{words} is missing in {page}");
    }
    let form = format!("key=k-de&due=7900&order={id}&tender=cash&given=79%2C50");
    let receipt = browser
        .page(&led_to(&browser.post("/till", form).await))
        .await;
    assert!(
        receipt.contains("Zurückgeben") && receipt.contains("EUR 0,50"),
        "{receipt}"
    );
    for (path, words) in [
        ("/receipts", "Bezahlt mit"),
        ("/cash", "Zählen und schließen"),
        ("/receipts/BER-R-A000001/refund", "Was zurückkommt"),
    ] {
        assert!(browser.page(path).await.contains(words), "{path}");
    }
    // Who may only look sees receipts and cash, and no form.
    let auditor = Browser::sign_in(&shop, "gus").await;
    assert!(!auditor.page("/cash").await.contains("action=\"/cash"));
    assert!(
        !auditor
            .page("/receipts/BER-R-A000001")
            .await
            .contains("/refund\"")
    );
    let till = auditor.get("/till").await;
    assert_eq!(till.status(), StatusCode::FORBIDDEN);
}
