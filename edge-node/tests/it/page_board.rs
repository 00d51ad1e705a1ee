//! The board as a browser sees it: lanes, filters, moves with their way back, refusals.

use domain::order::Outcome;
use reqwest::{StatusCode, header};
use serde_json::json;

use crate::api_support::*;
use crate::pages::{Browser, key_of};

async fn order(shop: &Served, key: &str, fault: &str) -> (String, String) {
    let cleo = shop.sign_in("cleo").await;
    let order = cleo.take_in(key, fault).await;
    let text = |name: &str| order[name].as_str().unwrap().to_owned();
    (text("id"), text("number"))
}

fn lane<'a>(board: &'a str, status: &str) -> &'a str {
    let start = board
        .split_once(&format!("id=\"lane-{status}\""))
        .unwrap()
        .1;
    start.split_once("</section>").unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_moves_through_the_lanes_and_back() {
    let shop = Served::open().await;
    let (id, number) = order(&shop, "k-1", "<b>Moth</b>").await;
    let browser = Browser::sign_in(&shop, "tim").await;
    let board = browser.page("/board").await;
    let received = lane(&board, "received");
    assert!(received.contains(&number), "{board}");
    assert!(received.contains("&#60;b&#62;Moth") && !board.contains("<b>Moth"));
    assert!(received.contains("Saved here, not yet at the hub"));
    let form = "key=m-1&to=diagnosing&back=board-all".to_owned();
    let path = format!("/orders/{id}/status");
    let moved = browser.post_fragment(&path, form.clone()).await;
    assert_eq!(moved.status(), StatusCode::OK);
    let answer = moved.text().await.unwrap();
    assert!(lane(&answer, "diagnosing").contains(&number), "{answer}");
    assert!(answer.contains("is now: Diagnosing") && answer.contains("data-key=\"z u\""));
    // A double click: the same form again has no second effect.
    browser.post_fragment(&path, form).await;
    let cleo = shop.sign_in("cleo").await;
    let events = cleo.get(&format!("/api/v1/orders/{id}")).await.ok(200)["events"].clone();
    assert_eq!(events.as_array().unwrap().len(), 2);
    let event = events[1]["id"].as_str().unwrap();
    let undone = browser
        .post_fragment(
            &format!("/orders/{id}/undo"),
            format!("key=u-1&event={event}&back=board-all"),
        )
        .await;
    let answer = undone.text().await.unwrap();
    assert!(lane(&answer, "received").contains(&number), "{answer}");
    assert!(answer.contains("is back: Received"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_begins_with_what_a_screen_shows_and_asks_for_the_rest() {
    let shop = Served::open().await;
    for number in 1..=8 {
        order(&shop, &format!("k-{number}"), "hums").await;
    }
    let browser = Browser::sign_in(&shop, "tim").await;
    let cards = |board: &str| lane(board, "received").matches("class=\"job\"").count();
    let page = browser.page("/board").await;
    assert_eq!(cards(&page), 6);
    assert!(
        page.contains("class=\"painted\" hx-get=\"/board\""),
        "{page}"
    );
    let all = browser.fragment("/board").await.text().await.unwrap();
    assert_eq!(cards(&all), 8);
    assert!(!all.contains("class=\"painted\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_move_says_where_the_order_may_go() {
    let shop = Served::open().await;
    let (id, number) = order(&shop, "k-1", "Moth").await;
    let browser = Browser::sign_in(&shop, "tim").await;
    let path = format!("/orders/{id}/status");
    let refused = browser
        .post_fragment(&path, "key=m-1&to=awaiting_parts&back=board-all".to_owned())
        .await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    let answer = refused.text().await.unwrap();
    assert!(
        answer.contains(
            "stays in Received. From there it goes to: Diagnosing, In repair, Cancelled."
        )
    );
    assert!(lane(&answer, "received").contains(&number));
    // `ready` is asked how it ended; from here it cannot be.
    let ways = format!("/orders/{id}/move?to=ready&back=board-all");
    assert_eq!(browser.fragment(&ways).await.status(), StatusCode::CONFLICT);
    browser
        .post_fragment(&path, "key=m-2&to=in_repair&back=board-all".to_owned())
        .await;
    let asked = browser.fragment(&ways).await.text().await.unwrap();
    for outcome in Outcome::ALL {
        assert!(
            asked.contains(&format!("value=\"ready:{outcome}\"")),
            "{asked}"
        );
    }
    let ready = browser
        .post_fragment(&path, "key=m-3&to=ready:repaired&back=board-all".to_owned())
        .await;
    assert_eq!(ready.status(), StatusCode::OK);
    assert!(lane(&ready.text().await.unwrap(), "ready").contains("since"));
    // Without an outcome nothing moves.
    let (other, _) = order(&shop, "k-2", "Moth").await;
    let path = format!("/orders/{other}/status");
    browser
        .post_fragment(&path, "key=m-4&to=in_repair&back=board-all".to_owned())
        .await;
    let refused = browser
        .post_fragment(&path, "key=m-5&to=ready&back=board-all".to_owned())
        .await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_script_a_card_has_a_page_of_ways() {
    let shop = Served::open().await;
    let (id, number) = order(&shop, "k-1", "Moth").await;
    let browser = Browser::sign_in(&shop, "tim").await;
    let board = browser.page("/board?show=mine").await;
    assert!(board.contains("No open order is yours"));
    let page = browser
        .page(&format!("/orders/{id}/move?back=board-mine"))
        .await;
    assert!(page.contains(&format!("Move {number}")) && page.contains("href=\"/board?show=mine\""));
    let form = format!(
        "key={}&to=cancelled&note=Too+dear&back=board-mine",
        key_of(&page)
    );
    let moved = browser.post(&format!("/orders/{id}/status"), form).await;
    assert_eq!(moved.status(), StatusCode::SEE_OTHER);
    let to = moved.headers()[header::LOCATION].to_str().unwrap();
    assert!(to.starts_with("/board?show=mine&said="), "{to}");
    let again = browser
        .post(
            &format!("/orders/{id}/status"),
            "key=m-9&to=in_repair&back=board-mine".to_owned(),
        )
        .await;
    assert_eq!(again.status(), StatusCode::CONFLICT);
    let page = again.text().await.unwrap();
    assert!(
        page.contains("stays in Cancelled") && page.contains("<html"),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_count_what_is_mine_and_what_is_late() {
    let shop = Served::open().await;
    let (id, number) = order(&shop, "k-1", "Moth").await;
    order(&shop, "k-2", "Ant").await;
    let tim = shop.sign_in("tim").await;
    let me = tim.get("/api/v1/session").await.ok(200)["staff"]["id"].clone();
    let past =
        json!({ "technician_id": me, "promised_at": "2001-01-01T10:00:00Z", "urgent": true });
    tim.patch(&format!("/api/v1/orders/{id}"), None, &past)
        .await
        .ok(200);
    let browser = Browser::sign_in(&shop, "tim").await;
    let mine = browser.page("/board?show=mine").await;
    assert!(lane(&mine, "received").contains(&number) && !mine.contains("Ant"));
    assert!(lane(&mine, "received").contains("Technician TIM"));
    assert!(mine.contains("d late") && mine.contains("Urgent"));
    let late = browser
        .fragment("/board?show=overdue")
        .await
        .text()
        .await
        .unwrap();
    assert!(late.contains("id=\"board-filters\"") && !late.contains("<html"));
    for (label, count) in [("All", 2), ("Mine", 1), ("Overdue", 1)] {
        assert!(
            late.contains(&format!("{label} <span class=\"n\">{count}<")),
            "{late}"
        );
    }
    // Whoever may only read gets no way to move.
    let auditor = Browser::sign_in(&shop, "gus").await;
    assert!(!auditor.page("/board").await.contains("/move?back"));
    let forbidden = auditor
        .post(
            &format!("/orders/{id}/status"),
            "key=m&to=diagnosing".to_owned(),
        )
        .await;
    assert_eq!(forbidden.status(), StatusCode::FORBIDDEN);
}
