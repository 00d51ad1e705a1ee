//! The line and the decisions as a browser without scripts uses them, with the hub away.

use domain::document::{DocumentKind, Edit};
use domain::id::DocumentId;
use domain::stock::{Movement, MovementKind};
use reqwest::{StatusCode, header};
use serde_json::json;

use crate::api_support::*;
use crate::app_decision::contradict_through;
use crate::pages::{Browser, key_of};
use crate::pages_stock::private_feed;
use crate::support::{BRANCH, part, write_movement};

#[tokio::test(flavor = "multi_thread")]
async fn the_line_page_says_what_waits_and_what_works() {
    let shop = Served::open().await;
    let browser = Browser::sign_in(&shop, "ada").await;
    let ada = shop.sign_in("ada").await;
    ada.take_in("k-1", "Screen").await;
    let page = browser.page("/sync").await;
    for words in [
        "What works right now",
        "Orders and notes",
        "search in 1 orders",
        "Outage drill: cut the line",
        "Log head",
    ] {
        assert!(page.contains(words), "{words} is missing in {page}");
    }
    assert!(page.contains("href=\"/sync\" class=\"link"), "{page}");
    let cut = browser
        .post("/sync/pause", format!("key={}", key_of(&page)))
        .await;
    assert_eq!(cut.status(), StatusCode::SEE_OTHER);
    let page = browser.page("/sync").await;
    for words in [
        "The shop works on its own.",
        "One transaction is safe on this computer",
        "Take the line up again",
        "Stock of other branches: as of",
    ] {
        assert!(page.contains(words), "{words} is missing in {page}");
    }
    assert_eq!(ada.get("/api/v1/sync").await.ok(200)["link"], "paused");
    let back = browser
        .post("/sync/resume", format!("key={}", key_of(&page)))
        .await;
    assert_eq!(back.status(), StatusCode::SEE_OTHER);
    assert_ne!(ada.get("/api/v1/sync").await.ok(200)["link"], "paused");
    let clerk = Browser::sign_in(&shop, "cleo").await;
    let page = clerk.page("/sync").await;
    assert!(!page.contains("/sync/pause"));
    let refused = clerk.post("/sync/pause", "key=k".to_owned()).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
}

/// A field of a new order that hub and branch wrote apart.
async fn two_versions(shop: &Served) -> String {
    let ada = shop.sign_in("ada").await;
    let order = ada.take_in("k-1", "Screen").await;
    let id: DocumentId = order["id"].as_str().unwrap().parse().unwrap();
    let store = shop.state.store().clone();
    std::thread::spawn(move || {
        let text = |text: &str| Edit::text(&["diagnosis"], text);
        contradict_through(
            &mut private_feed(),
            &store,
            id,
            DocumentKind::Order,
            &[text("port loose, recalled")],
            vec![text("port loose, <b>replaced</b>")],
        );
    })
    .join()
    .unwrap();
    order["number"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_versions_stand_side_by_side_and_are_taken_back() {
    let shop = Served::open().await;
    let number = two_versions(&shop).await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    let page = browser.page("/decisions").await;
    for words in [
        number.as_str(),
        "<b>Diagnosis</b>",
        "Counterpart",
        "at the hub",
        "<mark>recalled</mark>",
        "<mark>&#60;b&#62;replaced&#60;/b&#62;</mark>",
        "data-key=\"a\"",
        "data-key=\"m\"",
    ] {
        assert!(page.contains(words), "{words} is missing in {page}");
    }
    assert!(
        page.contains("href=\"/decisions\" class=\"\" data-tone=\"decide\""),
        "{page}"
    );
    let (_, action) = page.split_once("action=\"/decisions/conflicts/").unwrap();
    let id = action.split_once('/').unwrap().0.to_owned();
    let resolve = format!("/decisions/conflicts/{id}/resolve");
    let key = key_of(&page).to_owned();
    let refused = browser
        .post(
            &resolve,
            format!("key={key}&keep=written&value={}", "x".repeat(9_000)),
        )
        .await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused
            .text()
            .await
            .unwrap()
            .contains("This cannot stand there")
    );
    let both = browser.post(&resolve, format!("key={key}&keep=both")).await;
    let done = both.headers()[header::LOCATION]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(done.starts_with("/decisions?said="), "{done}");
    let page = browser.page(&done).await;
    assert!(
        page.contains("Settled.")
            && page.contains("data-key=\"z u\"")
            && page.contains("Settled lately"),
        "{page}"
    );
    let gone = browser.post(&resolve, "key=other&keep=a".to_owned()).await;
    let gone = gone.headers()[header::LOCATION].to_str().unwrap();
    assert!(
        browser
            .page(gone)
            .await
            .contains("It was settled meanwhile.")
    );
    let undone = browser
        .post(
            &format!("/decisions/conflicts/{id}/undo"),
            "key=undo".to_owned(),
        )
        .await;
    let undone = undone.headers()[header::LOCATION].to_str().unwrap();
    let page = browser.page(undone).await;
    assert!(
        page.contains("Taken back: the field shows") && !page.contains("Settled lately"),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shelf_is_counted_with_a_reason() {
    let shop = Served::open().await;
    let store = shop.state.store().clone();
    std::thread::spawn(move || {
        write_movement(
            &store,
            Movement::new(BRANCH, part(1), MovementKind::Scrap, 4),
        );
    })
    .join()
    .unwrap();
    let browser = Browser::sign_in(&shop, "ada").await;
    let page = browser.page("/decisions").await;
    assert!(page.contains("The records come to −4 pieces"), "{page}");
    let (_, action) = page.split_once("action=\"/decisions/").unwrap();
    let id = action.split_once('/').unwrap().0.to_owned();
    let settle = format!("/decisions/{id}/settle");
    let key = key_of(&page).to_owned();
    for wrong in ["choice=2&reason=", "choice=some&reason=counted"] {
        let refused = browser.post(&settle, format!("key={key}&{wrong}")).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text().await.unwrap().contains("-problem"));
    }
    let done = browser
        .post(&settle, format!("key={key}&choice=2&reason=counted+twice"))
        .await;
    let done = done.headers()[header::LOCATION].to_str().unwrap();
    assert!(browser.page(done).await.contains("The shelf is in line."));
    let ada = shop.sign_in("ada").await;
    assert_eq!(
        ada.get("/api/v1/stock/SCR-1").await.ok(200)["on_hand"],
        json!(2)
    );
    assert!(
        browser
            .page("/decisions")
            .await
            .contains("Nothing waits for a decision")
    );
    // An auditor looks and does not settle.
    let auditor = Browser::sign_in(&shop, "gus").await;
    assert_eq!(
        auditor
            .post(&settle, "key=k&choice=1&reason=x".to_owned())
            .await
            .status(),
        StatusCode::FORBIDDEN
    );
}
