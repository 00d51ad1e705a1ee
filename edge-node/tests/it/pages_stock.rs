//! Stock and transfers as a browser without scripts uses them.

use domain::id::{BranchId, TransferId};
use domain::stock::MovementKind;
use edge_node::app::stock::delivery::{DeliveryInput, DeliveryLine, deliver};
use edge_node::error::AppError;
use edge_node::store::Store;
use reqwest::{Response, StatusCode, header};
use serde_json::json;
use sync_protocol::feed::FeedId;

use crate::api_support::*;
use crate::app_support::*;
use crate::app_transfer::plan;
use crate::pages::{Browser, key_of};
use crate::support::{BRANCH, HubFeed, apply};

#[track_caller]
fn led_to(answer: &Response) -> String {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()[header::LOCATION]
        .to_str()
        .unwrap()
        .to_owned()
}

/// The blocking side of the store, away from the async threads.
fn apart<T: Send + 'static>(shop: &Served, work: impl FnOnce(&Store) -> T + Send + 'static) -> T {
    let store = shop.state.store().clone();
    std::thread::spawn(move || work(&store)).join().unwrap()
}

/// The hub's private feed, behind what a shop is opened with.
pub fn private_feed() -> HubFeed {
    let mut private = HubFeed::new(FeedId::private(BRANCH));
    let credentials = PEOPLE
        .iter()
        .map(|(number, ..)| credential(*number, PASSWORD));
    private.block(&[credentials.collect()]);
    private
}

/// The hub's plan of a transfer.
fn planned(shop: &Served, id: TransferId, from: BranchId, to: BranchId, quantity: u32) {
    apart(shop, move |store| {
        let mut private = private_feed();
        apply(store, private.block(&[vec![plan(id, from, to, quantity)]]));
    });
}

#[test]
fn a_delivery_is_booked_whole_or_not_at_all() {
    let (branch, store, _) = shop();
    let line = |sku: &str, quantity| DeliveryLine {
        sku: sku.to_owned(),
        quantity,
    };
    let book = |kind, lines| {
        let input = DeliveryInput {
            kind,
            reference: Some("L-7".to_owned()),
            reason: None,
            lines,
        };
        act(&store, move |tx, by| deliver(tx, by, &input))
    };
    let wrong = book(
        MovementKind::Receive,
        vec![line("SCR-1", 2), line("NO-9", 1), line("BAT-2", 0)],
    );
    assert_eq!(
        pointers(&wrong.unwrap_err()),
        ["/lines/1/sku", "/lines/2/quantity"]
    );
    assert_eq!(stock_of(&store, "SCR-1").on_hand, 0);
    assert_eq!(
        pointers(&book(MovementKind::Scrap, Vec::new()).unwrap_err()),
        ["/kind", "/lines"]
    );
    let lines = vec![line("SCR-1", 2), line("BAT-2", 1), line("40SCR-1", 3)];
    let booked = book(MovementKind::Receive, lines).unwrap();
    assert_eq!((booked.pieces, booked.items.len()), (6, 2));
    assert_eq!(
        (
            booked.items[0].balance_after,
            booked.items[0].reference.as_deref()
        ),
        (5, Some("L-7"))
    );
    let over = vec![line("SCR-1", 1_000_000), line("SCR-1", 1)];
    assert!(matches!(
        book(MovementKind::Receive, over),
        Err(AppError::Invalid(_))
    ));
    assert_eq!(stock_of(&store, "SCR-1").on_hand, 5);
    assert_verifies(&branch, store);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_taken_back_whole_or_not_at_all() {
    let shop = Served::open().await;
    let browser = Browser::sign_in(&shop, "tim").await;
    let book = "key=d-1&kind=receive&reference=L-7&sku=SCR-1&quantity=2&sku=FAN-3&quantity=1";
    let said = led_to(&browser.post("/stock/delivery", book.to_owned()).await);
    assert!(said.starts_with("/stock/delivery?said="), "{said}");
    let page = browser.page(&said).await;
    let toast = page.split_once("id=\"toasts\"").unwrap().1;
    assert!(
        toast.contains("3 pieces of 2 parts") && toast.contains("data-clears=\"/stock/delivery\""),
        "{toast}"
    );
    let movements: String = toast
        .split("name=\"movement\" value=\"")
        .skip(1)
        .map(|rest| format!("&movement={}", rest.split_once('"').unwrap().0))
        .collect();
    let back = format!("key={}{movements}", key_of(toast));
    for _ in 0..2 {
        let answer = browser.post_fragment("/stock/delivery/undo", back.clone());
        let answer = answer.await.text().await.unwrap();
        assert!(
            answer.contains("3 pieces are booked to the supplier"),
            "{answer}"
        );
    }
    let tim = shop.sign_in("tim").await;
    for sku in ["SCR-1", "FAN-3"] {
        let shelf = tim.get(&format!("/api/v1/stock/{sku}")).await.ok(200);
        assert_eq!(shelf["on_hand"], json!(0));
    }
    let other = format!("key=d-9{movements}");
    let refused = browser.post_fragment("/stock/delivery/undo", other).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert!(refused.text().await.unwrap().contains("It stays booked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_by_api_is_one_effect() {
    let shop = Served::open().await;
    let tim = shop.sign_in("tim").await;
    let body = json!({ "kind": "receive", "lines": [{ "sku": "SCR-1", "quantity": 4 }, { "sku": "FAN-3", "quantity": 1 }] });
    let first = tim.post("/api/v1/deliveries", "d-1", &body).await.ok(201);
    assert_eq!(first["pieces"], 5);
    assert_eq!(
        tim.post("/api/v1/deliveries", "d-1", &body).await.ok(201),
        first
    );
    assert_eq!(
        tim.get("/api/v1/stock/SCR-1").await.ok(200)["on_hand"],
        json!(4)
    );
    let gus = shop.sign_in("gus").await;
    gus.post("/api/v1/deliveries", "d-2", &body)
        .await
        .problem(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_grows_by_codes_and_is_booked_once() {
    let shop = Served::open().await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    let page = browser.page("/stock/delivery").await;
    let key = key_of(&page).to_owned();
    let added = browser
        .post(
            "/stock/delivery",
            format!("key={key}&kind=receive&reference=P-1&code=40SCR-1&action=add"),
        )
        .await;
    assert_eq!(added.status(), StatusCode::OK);
    let page = added.text().await.unwrap();
    assert!(
        page.contains("value=\"SCR-1\"") && page.contains("Part SCR-1"),
        "{page}"
    );
    assert!(page.contains("value=\"P-1\"") && key_of(&page) == key);
    let list = format!("key={key}&kind=receive&reference=P-1&sku=SCR-1&quantity=1");
    let unknown = browser
        .post("/stock/delivery", format!("{list}&code=4711&action=add"))
        .await
        .text()
        .await
        .unwrap();
    assert!(unknown.contains("No part has the code 4711"), "{unknown}");
    let again = browser
        .post("/stock/delivery", format!("{list}&code=SCR-1&action=add"))
        .await
        .text()
        .await
        .unwrap();
    assert!(again.contains("name=\"quantity\" value=\"2\""), "{again}");
    let wrong = browser
        .post(
            "/stock/delivery",
            format!("key={key}&sku=SCR-1&quantity=two&reference=P-1&action=save"),
        )
        .await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let wrong = wrong.text().await.unwrap();
    assert!(
        wrong.contains("value=\"two\"") && wrong.contains("aria-invalid"),
        "{wrong}"
    );
    let empty = browser
        .post("/stock/delivery", format!("key={key}&action=save"))
        .await;
    assert_eq!(empty.status(), StatusCode::UNPROCESSABLE_ENTITY);
    // Two clicks on save: the same form twice.
    let form = format!(
        "key={key}&kind=receive&reference=P-1&sku=SCR-1&quantity=12&sku=BAT-2&quantity=1&code=&action=save"
    );
    let saved = led_to(&browser.post("/stock/delivery", form.clone()).await);
    let again = led_to(&browser.post("/stock/delivery", form).await);
    for said in [&again, &saved] {
        assert!(said.starts_with("/stock/delivery?said="), "{said}");
    }
    assert!(
        browser
            .page(&saved)
            .await
            .contains("13 pieces of 2 parts are booked")
    );
    let part = browser.page("/stock/SCR-1").await;
    for words in ["Received", "P-1", "CLEO", "+12", "What makes 12 on hand"] {
        assert!(part.contains(words), "{words} is missing in {part}");
    }
    assert_eq!(part.matches("+12").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_quantity_leads_to_what_makes_it() {
    let shop = Served::open().await;
    let browser = Browser::sign_in(&shop, "ada").await;
    assert!(
        browser
            .page("/stock")
            .await
            .contains("Nothing lies here yet")
    );
    let ada = shop.sign_in("ada").await;
    let body = json!({ "kind": "receive", "quantity": 3 });
    ada.post("/api/v1/stock/SCR-1/movements", "m-1", &body)
        .await
        .ok(201);
    let order = ada.take_in("k-1", "Screen").await;
    let lines = format!("/api/v1/orders/{}/lines", order["id"].as_str().unwrap());
    ada.post(
        &lines,
        "l-1",
        &json!({ "kind": "part", "sku": "SCR-1", "quantity": 2 }),
    )
    .await
    .ok(201);
    let list = browser.page("/stock").await;
    for words in [
        "href=\"/stock/SCR-1\"",
        "href=\"/stock/SCR-1?of=reserved\"",
        "Reserved 2: what makes it",
    ] {
        assert!(list.contains(words), "{words} is missing in {list}");
    }
    let reserved = browser.page("/stock/SCR-1?of=reserved").await;
    let number = order["number"].as_str().unwrap();
    assert!(
        reserved.contains(number) && reserved.contains("What keeps 2 reserved"),
        "{reserved}"
    );
    // How it is kept: only what the form changed.
    let part = browser.page("/stock/SCR-1").await;
    let key = part.rsplit_once("name=\"key\" value=\"").unwrap().1;
    let key = key.split_once('"').unwrap().0;
    let keep = format!(
        "key={key}&bin=A1-02&was_bin=&reorder_point=4&was_reorder_point=&barcodes=&was_barcodes="
    );
    let saved = led_to(&browser.post("/stock/SCR-1/settings", keep).await);
    let said = browser.page(&saved).await;
    assert!(said.contains("How the part is kept is saved."), "{said}");
    // What was done is said once, and never in the address.
    assert!(!browser.page(&saved).await.contains("is kept is saved"));
    let low = browser.page("/stock?show=reorder").await;
    assert!(low.contains("A1-02") && low.contains("reached"), "{low}");
    assert!(
        browser
            .page("/stock?q=a1-0")
            .await
            .contains("id=\"part-SCR-1\"")
    );
    assert!(
        !browser
            .page("/stock?q=nothing-like-it")
            .await
            .contains("id=\"part-")
    );
    // A word finds what never lay here, too.
    assert!(
        browser
            .page("/stock?q=part")
            .await
            .contains("id=\"part-FAN-3\"")
    );
    assert_eq!(
        browser.get("/stock/NO-9").await.status(),
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        browser.get("/stock?show=x").await.status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_has_a_reason_and_books_once() {
    let shop = Served::open().await;
    let browser = Browser::sign_in(&shop, "ada").await;
    let page = browser.page("/stock/SCR-1").await;
    let key = key_of(&page).to_owned();
    let post = |fields: &str| browser.post("/stock/SCR-1/movements", format!("key={key}&{fields}"));
    let refused = post("kind=adjust_found&quantity=2&reason=").await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let refused = refused.text().await.unwrap();
    assert!(
        refused.contains("reason-problem")
            && refused.contains("value=\"2\"")
            && key_of(&refused) == key,
        "{refused}"
    );
    let short = post("kind=scrap&quantity=2&reason=cracked").await;
    assert_eq!(short.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(short.text().await.unwrap().contains("Only 0 are on hand"));
    let found = led_to(&post("kind=adjust_found&quantity=2&reason=%3Cb%3Eshelf%3C%2Fb%3E").await);
    assert!(found.starts_with("/stock/SCR-1?said="), "{found}");
    let again = led_to(&post("kind=adjust_found&quantity=2&reason=%3Cb%3Eshelf%3C%2Fb%3E").await);
    assert!(browser.page(&again).await.contains("2 on hand now."));
    let page = browser.page(&found).await;
    // Taken back by the opposite move, once, however often it was said.
    let undo = page.split_once("id=\"toasts\"").unwrap().1;
    assert_eq!(key_of(undo), format!("{key}.back"));
    let back = format!(
        "key={}&kind=adjust_lost&quantity=2&reason=wrong+shelf&undo=yes",
        key_of(undo)
    );
    for _ in 0..2 {
        let toast = browser
            .post_fragment("/stock/SCR-1/movements", back.clone())
            .await;
        let toast = toast.text().await.unwrap();
        assert!(
            toast.contains("Taken back: Lost, 2. 0 on hand now.") && !toast.contains("<form"),
            "{toast}"
        );
    }
    let again = "key=again&kind=adjust_found&quantity=2&reason=%3Cb%3Eshelf%3C%2Fb%3E".to_owned();
    led_to(&browser.post("/stock/SCR-1/movements", again).await);
    assert!(
        page.contains("Found: 2. 2 on hand now.") && page.contains("&#60;b&#62;shelf"),
        "{page}"
    );
    // A clerk scraps, and corrects nothing.
    let clerk = Browser::sign_in(&shop, "cleo").await;
    let page = clerk.page("/stock/SCR-1").await;
    assert!(!page.contains("adjust_found") && page.contains("value=\"scrap\""));
    let forbidden = format!(
        "key={}&kind=adjust_found&quantity=1&reason=x",
        key_of(&page)
    );
    assert_eq!(
        clerk
            .post("/stock/SCR-1/movements", forbidden)
            .await
            .status(),
        StatusCode::FORBIDDEN
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_are_asked_for_sent_and_taken_in() {
    let shop = Served::open().await;
    let browser = Browser::sign_in(&shop, "tim").await;
    assert!(
        browser
            .page("/transfers")
            .await
            .contains("Nothing is to be sent")
    );
    let ask = browser.page("/transfers/new?sku=SCR-1&from=MUC").await;
    assert!(ask.contains("value=\"MUC\" selected") && ask.contains("Part SCR-1"));
    let key = key_of(&ask);
    let refused = browser
        .post(
            "/transfers/new",
            format!("key={key}&from=&sku=SCR-1&quantity=2&note=x&action=ask"),
        )
        .await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let asked = browser
        .post(
            "/transfers/new",
            format!("key={key}&from=MUC&sku=SCR-1&quantity=2&note=x&action=ask"),
        )
        .await;
    let asked = led_to(&asked);
    assert!(browser.page(&asked).await.contains("waits for the plan"));
    assert!(browser.page("/transfers").await.contains("h-requested"));

    // Out: more than are free is refused in words, then a part of the plan goes.
    let out = TransferId::from_bytes([3; 16]);
    planned(&shop, out, BRANCH, MUNICH, 3);
    let page = browser.page(&format!("/transfers/{out}")).await;
    assert!(page.contains("Send all that is planned"), "{page}");
    let key = key_of(&page).to_owned();
    let path = format!("/transfers/{out}/ship");
    let ship = |fields: &str| browser.post(&path, format!("key={key}&{fields}"));
    let short = ship("action=all").await;
    assert_eq!(short.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(short.text().await.unwrap().contains("Only 0 are free here"));
    apart(&shop, |store| {
        by_hand(store, "SCR-1", MovementKind::Opening, 9).unwrap();
    });
    let over = ship("sku=SCR-1&quantity=4&action=packed").await;
    assert_eq!(over.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let sent = led_to(&ship("sku=SCR-1&quantity=2&action=packed").await);
    assert!(browser.page(&sent).await.contains("Sent. What was packed"));
    assert!(browser.page("/transfers").await.contains("h-way"));
    let history = browser.page(&format!("/transfers/{out}")).await;
    let (_, history) = history.split_once("What happened").unwrap();
    assert!(
        history.contains("<b>Shipment</b>, 2 pieces") && history.contains("<b>Plan</b>, 3 pieces"),
        "{history}"
    );
    let part = browser.page("/stock/SCR-1").await;
    assert!(part.contains("−2") && part.contains("Sent"), "{part}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_of_transfers_leads_to_all_of_its_kind() {
    let shop = Served::open().await;
    let browser = Browser::sign_in(&shop, "tim").await;
    apart(&shop, |store| {
        let plans = (1..=12).map(|n| plan(TransferId::from_bytes([n; 16]), BRANCH, MUNICH, 1));
        apply(store, private_feed().block(&[plans.collect()]));
    });
    let rows = |page: &str| page.matches("data-row href").count();
    let page = browser.page("/transfers").await;
    assert_eq!(rows(&page), 10, "{page}");
    assert!(page.contains("href=\"/transfers?show=send\"") && page.contains("All 12"));
    let all = browser.page("/transfers?show=send").await;
    assert_eq!(rows(&all), 12, "{all}");
    assert!(all.contains("All transfers") && !all.contains("All 12"));
}
