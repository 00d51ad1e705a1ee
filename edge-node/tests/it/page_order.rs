//! The order's page as a browser uses it: diagnosis, plan, lines, parts by code, estimates, the time line.

use domain::stock::MovementKind;
use edge_node::app::stock::{self, MovementInput};
use reqwest::{StatusCode, header};
use serde_json::Value;

use crate::api_support::*;
use crate::pages::{Browser, key_of};
use crate::support::ACTOR;

async fn order(shop: &Served) -> (String, String) {
    let cleo = shop.sign_in("cleo").await;
    let order = cleo.take_in("k-1", "<i>Coffee</i> over it").await;
    let text = |name: &str| order[name].as_str().unwrap().to_owned();
    (text("id"), text("number"))
}

async fn read(shop: &Served, id: &str) -> Value {
    let tim = shop.sign_in("tim").await;
    tim.get(&format!("/api/v1/orders/{id}")).await.ok(200)
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

/// The part of a page from an element's id to the end.
fn from_id<'a>(page: &'a str, id: &str) -> &'a str {
    page.split_once(&format!("id=\"{id}\"")).unwrap().1
}

fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let start = format!("name=\"{name}\" value=\"");
    let rest = page.split_once(&start).unwrap().1;
    rest.split_once('"').unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_tells_what_who_and_where() {
    let shop = Served::open().await;
    let (id, number) = order(&shop).await;
    let tim = Browser::sign_in(&shop, "tim").await;
    let path = format!("/orders/{id}");
    let form = "key=s-1&to=diagnosing&back=order&note=Smells".to_owned();
    let moved = tim.post(&format!("{path}/status"), form).await;
    let to = moved.headers()[header::LOCATION].to_str().unwrap();
    let page = tim.page(to).await;
    assert!(page.contains("<div class=\"toast\">"), "{page}");
    assert!(page.contains(&number) && page.contains("&#60;i&#62;Coffee"));
    assert!(
        page.contains("aria-current=\"step\"><span>Diagnosing</span>"),
        "{page}"
    );
    assert!(page.contains("<q>Smells</q>") && page.contains("TIM, here"));
    assert!(page.contains("CLEO, here") && page.contains("data-key=\"5\""));
    let fragment = tim.fragment(&path).await.text().await.unwrap();
    assert!(
        fragment.trim_start().starts_with("<div id=\"order\"")
            && fragment.contains("id=\"order-head\"")
    );
    // Whoever may only read sees no form but the shell's own.
    let auditor = Browser::sign_in(&shop, "gus").await;
    let page = auditor.page(&path).await;
    let work = from_id(&page, "order");
    assert!(
        !work.split_once("<dialog").unwrap().0.contains("<form"),
        "{work}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diagnosis_is_never_written_over_what_somebody_else_wrote() {
    let shop = Served::open().await;
    let (id, _) = order(&shop).await;
    let tim = Browser::sign_in(&shop, "tim").await;
    let path = format!("/orders/{id}");
    let page = tim.page(&path).await;
    let form = from_id(&page, "diagnosis-form");
    let (key, base) = (key_of(form).to_owned(), hidden(form, "base").to_owned());
    let sent = format!("key={key}&base={base}&diagnosis=Board+cleaned");
    let saved = tim
        .post_fragment(&format!("{path}/diagnosis"), sent.clone())
        .await;
    assert_eq!(saved.status(), StatusCode::OK);
    let answer = saved.text().await.unwrap();
    assert!(
        answer.contains("diagnosis saved") && answer.contains("TIM, "),
        "{answer}"
    );
    // The double click.
    tim.post_fragment(&format!("{path}/diagnosis"), sent).await;
    assert_eq!(read(&shop, &id).await["diagnosis"], "Board cleaned");
    // Another tab, opened before.
    let late = format!("key=d-2&base={base}&diagnosis=Battery+dead");
    let refused = tim
        .post_fragment(&format!("{path}/diagnosis"), late.clone())
        .await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    let answer = refused.text().await.unwrap();
    assert!(
        answer.contains("Battery dead") && answer.contains("Board cleaned"),
        "{answer}"
    );
    assert!(answer.contains("hx-target=\"#diagnosis-form\""));
    assert_eq!(read(&shop, &id).await["diagnosis"], "Board cleaned");
    let page = tim.post(&format!("{path}/diagnosis"), late).await;
    assert_eq!(page.status(), StatusCode::CONFLICT);
    assert!(page.text().await.unwrap().contains("<html"));
    // Having seen both, the same text is saved.
    let base = hidden(&answer, "base");
    let knowing = format!("key=d-3&base={base}&diagnosis=Battery+dead");
    let saved = tim.post(&format!("{path}/diagnosis"), knowing).await;
    assert_eq!(saved.status(), StatusCode::SEE_OTHER);
    assert_eq!(read(&shop, &id).await["diagnosis"], "Battery dead");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_names_technician_promise_and_priority() {
    let shop = Served::open().await;
    let (id, _) = order(&shop).await;
    let tim = Browser::sign_in(&shop, "tim").await;
    let path = format!("/orders/{id}");
    let page = tim.page(&path).await;
    let plan = from_id(&page, "plan-form");
    let (me, base) = (hidden(plan, "technician"), hidden(plan, "base"));
    let wrong = format!("key=p-1&base={base}&technician={me}&promised=soon&urgent=yes");
    let refused = tim.post_fragment(&format!("{path}/plan"), wrong).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let answer = refused.text().await.unwrap();
    assert!(
        answer.contains("promised-problem") && answer.contains("value=\"soon\""),
        "{answer}"
    );
    let right =
        format!("key=p-1&base={base}&technician={me}&promised=2026-11-24T17%3A00&urgent=yes");
    let saved = tim.post_fragment(&format!("{path}/plan"), right).await;
    let answer = saved.text().await.unwrap();
    assert!(
        answer.contains("plan saved") && answer.contains("TIM works on it"),
        "{answer}"
    );
    let order = read(&shop, &id).await;
    assert_eq!(order["technician_id"], me);
    assert_eq!(order["urgent"], true);
    // The way back stands in the toast.
    let toast = from_id(&answer, "order-head");
    let undo = toast.split_once("class=\"toast\"").unwrap().1;
    let form = format!(
        "key={}&base={}&technician=&promised=&urgent=&undo=yes",
        key_of(undo),
        hidden(undo, "base")
    );
    tim.post_fragment(&format!("{path}/plan"), form).await;
    let order = read(&shop, &id).await;
    assert_eq!(order["technician_id"], Value::Null);
    assert_eq!(order["promised_at"], Value::Null);
    assert_eq!(order["urgent"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanned_part_is_set_aside_and_scanned_again_used() {
    let shop = Served::open().await;
    let (id, _) = order(&shop).await;
    receive(&shop, "SCR-1", 1).await;
    let tim = Browser::sign_in(&shop, "tim").await;
    let path = format!("/orders/{id}/parts");
    let scan = |key: &str, code: &str| format!("key={key}&code={code}");
    let answer = tim.post_fragment(&path, scan("c-1", "SCR-1")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let text = answer.text().await.unwrap();
    assert!(
        text.contains("reserved, 1 ×") && text.contains("/remove"),
        "{text}"
    );
    let order = read(&shop, &id).await;
    assert_eq!(order["lines"][0]["stock"], "reserved");
    tim.post_fragment(&path, scan("c-2", "SCR-1")).await;
    let order = read(&shop, &id).await;
    assert_eq!(order["lines"].as_array().unwrap().len(), 1);
    assert_eq!(order["lines"][0]["stock"], "consumed");
    // The shelf is empty now: the page says where others are, and that nothing was done.
    let short = tim.post_fragment(&path, scan("c-3", "SCR-1")).await;
    assert_eq!(short.status(), StatusCode::CONFLICT);
    let text = short.text().await.unwrap();
    assert!(
        text.contains("0 free here, 1 wanted") && text.contains("#shortage-form"),
        "{text}"
    );
    let unknown = tim.post_fragment(&path, scan("c-4", "NOPE-9")).await;
    assert_eq!(unknown.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let text = unknown.text().await.unwrap();
    assert!(
        text.contains("code-problem") && text.contains("value=\"NOPE-9\""),
        "{text}"
    );
    // The label of an order leads to that order.
    let (other, number) = {
        let cleo = shop.sign_in("cleo").await;
        let other = cleo.take_in("k-9", "Ant").await;
        (
            other["id"].as_str().unwrap().to_owned(),
            other["number"].as_str().unwrap().to_owned(),
        )
    };
    let led = tim.post_fragment(&path, scan("c-5", &number)).await;
    assert_eq!(
        led.headers()["hx-redirect"],
        format!("/orders/{other}").as_str()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_added_changed_removed_and_put_back() {
    let shop = Served::open().await;
    let (id, _) = order(&shop).await;
    let tim = Browser::sign_in(&shop, "tim").await;
    let path = format!("/orders/{id}/lines");
    let wrong = "key=l-1&kind=service&text=Cleaning&quantity=1&price=much&tax=0".to_owned();
    let refused = tim.post_fragment(&path, wrong).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let text = refused.text().await.unwrap();
    assert!(
        text.contains("price-problem") && text.contains("value=\"Cleaning\""),
        "{text}"
    );
    let right = "key=l-1&kind=service&text=Cleaning&quantity=2&price=44.50&tax=1900".to_owned();
    let added = tim.post_fragment(&path, right).await;
    assert_eq!(
        added.status(),
        StatusCode::OK,
        "{}",
        added.text().await.unwrap()
    );
    let order = read(&shop, &id).await;
    let line = order["lines"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(order["totals"]["gross"]["amount_minor"], 8_900);
    let page = tim.page(&format!("/orders/{id}")).await;
    assert!(
        page.contains("89.00") && page.contains("Tax 19 %"),
        "{page}"
    );
    let edit = tim.page(&format!("{path}/{line}")).await;
    assert!(edit.contains("value=\"44.50\""));
    let form = format!(
        "key={}&text=Cleaning&quantity=1&price=50&tax=1900",
        key_of(from_id(&edit, "work"))
    );
    let changed = tim.post(&format!("{path}/{line}"), form).await;
    assert_eq!(changed.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        read(&shop, &id).await["totals"]["gross"]["amount_minor"],
        5_000
    );
    let discount = "key=l-2&kind=discount&text=Regular&quantity=1&price=5&tax=1900".to_owned();
    tim.post_fragment(&path, discount).await;
    assert_eq!(
        read(&shop, &id).await["totals"]["gross"]["amount_minor"],
        4_500
    );
    let removed = tim
        .post_fragment(&format!("{path}/{line}/remove"), "key=r-1".to_owned())
        .await;
    let answer = removed.text().await.unwrap();
    let undo = answer.split_once("class=\"toast\"").unwrap().1;
    let form = format!(
        "key={}&kind=service&text={}&quantity={}&price={}&tax={}&undo=yes",
        key_of(undo),
        hidden(undo, "text"),
        hidden(undo, "quantity"),
        hidden(undo, "price"),
        hidden(undo, "tax")
    );
    tim.post_fragment(&path, form).await;
    let order = read(&shop, &id).await;
    assert_eq!(order["lines"].as_array().unwrap().len(), 2);
    assert_eq!(order["totals"]["gross"]["amount_minor"], 4_500);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_estimate_and_its_answer_stand_in_the_time_line() {
    let shop = Served::open().await;
    let (id, number) = order(&shop).await;
    let tim = Browser::sign_in(&shop, "tim").await;
    let path = format!("/orders/{id}/estimates");
    let wrong = tim
        .post_fragment(&path, "key=e-1&amount=dear".to_owned())
        .await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let made = tim
        .post_fragment(&path, "key=e-1&amount=120".to_owned())
        .await;
    let text = made.text().await.unwrap();
    assert!(
        text.contains("estimate 1 made") && text.contains("EUR 120.00"),
        "{text}"
    );
    let board = tim.page("/board").await;
    assert!(board.contains(&number) && board.contains("EUR 120.00 asked"));
    let form = "key=e-2&answer=approved&by=by+phone".to_owned();
    let answered = tim.post_fragment(&format!("{path}/1/answer"), form).await;
    let text = answered.text().await.unwrap();
    assert!(text.contains("Estimate 1 approved by phone"), "{text}");
    let again = "key=e-3&answer=declined&by=by+phone".to_owned();
    let refused = tim.post_fragment(&format!("{path}/1/answer"), again).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert!(
        refused
            .text()
            .await
            .unwrap()
            .contains("This estimate was answered.")
    );
    let order = read(&shop, &id).await;
    assert_eq!(order["estimates"][0]["answer"], "approved");
    assert_eq!(order["estimates"][0]["by"], "by phone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_leads_to_its_order_and_a_list_can_be_narrowed() {
    let shop = Served::open().await;
    let (id, number) = order(&shop).await;
    let tim = Browser::sign_in(&shop, "tim").await;
    let led = tim
        .get(&format!("/orders?q={}", number.to_lowercase()))
        .await;
    assert_eq!(led.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        led.headers()[header::LOCATION],
        format!("/orders/{id}").as_str()
    );
    let none = tim.page("/orders?q=%22%3E%3Cb%3E1&status=received").await;
    assert!(
        none.contains("No order has this number") && !none.contains("\"><b>1"),
        "{none}"
    );
    assert!(none.contains("q=%22%3E%3Cb%3E1"));
    let list = tim
        .fragment("/orders?status=received")
        .await
        .text()
        .await
        .unwrap();
    assert!(list.contains(&number));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_part_comes_back_to_the_shelf_and_an_answer_is_asked_for_again() {
    let shop = Served::open().await;
    let (id, _) = order(&shop).await;
    receive(&shop, "SCR-1", 1).await;
    let tim = Browser::sign_in(&shop, "tim").await;
    let path = format!("/orders/{id}");
    for key in ["p-1", "p-2"] {
        let scan = format!("key={key}&code=SCR-1");
        let answer = tim.post_fragment(&format!("{path}/parts"), scan).await;
        assert_eq!(answer.status(), StatusCode::OK);
    }
    let line = read(&shop, &id).await["lines"][0].clone();
    assert_eq!(line["stock"], "consumed");
    let line = line["id"].as_str().unwrap();
    let back = format!("{path}/lines/{line}/return");
    for _ in 0..2 {
        let answer = tim.post_fragment(&back, "key=b-1".to_owned()).await;
        let answer = answer.text().await.unwrap();
        assert!(
            answer.contains("back on the shelf and set aside, 1"),
            "{answer}"
        );
    }
    let refused = tim.post_fragment(&back, "key=b-2".to_owned()).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert!(refused.text().await.unwrap().contains("is used up"));
    assert_eq!(read(&shop, &id).await["lines"][0]["stock"], "reserved");
    let shelf = shop.sign_in("tim").await;
    let shelf = shelf.get("/api/v1/stock/SCR-1").await.ok(200);
    assert_eq!(
        (&shelf["on_hand"], &shelf["reserved"]),
        (&1.into(), &1.into())
    );
    // Used a second time, it counts a second time.
    tim.post_fragment(&format!("{path}/parts"), "key=p-3&code=SCR-1".to_owned())
        .await;
    assert_eq!(read(&shop, &id).await["lines"][0]["stock"], "consumed");
    let page = tim.page(&path).await;
    assert_eq!(page.matches(", put back").count(), 1, "{page}");
    assert_eq!(page.matches(", used").count(), 2, "{page}");
    // An answer stays said; the same amount without an answer takes its place.
    tim.post_fragment(&format!("{path}/estimates"), "key=e-1&amount=80".to_owned())
        .await;
    let said = tim
        .post_fragment(
            &format!("{path}/estimates/1/answer"),
            "key=e-2&answer=approved&by=phone".to_owned(),
        )
        .await;
    let said = said.text().await.unwrap();
    let undo = from_id_free(&said);
    assert!(undo.contains("name=\"amount\" value=\"80.00\""), "{said}");
    let again = format!("key={}&amount=80.00&undo=yes", key_of(undo));
    let again = tim.post_fragment(&format!("{path}/estimates"), again).await;
    let again = again.text().await.unwrap();
    assert!(
        again.contains("answer taken back, estimate 2 asks again"),
        "{again}"
    );
    let order = read(&shop, &id).await;
    assert_eq!(order["estimates"][1]["answer"], Value::Null);
    assert_eq!(
        order["estimates"][1]["gross"],
        order["estimates"][0]["gross"]
    );
}

/// The toast of an answer to htmx.
fn from_id_free(answer: &str) -> &str {
    answer.split_once("hx-target=\"#toasts\"").unwrap().1
}
