//! People of other branches while the hub is away: the API and the pages say so at once, and nothing else waits.

use reqwest::StatusCode;
use serde_json::json;

use crate::api_support::*;
use crate::pages::{Browser, key_of};

const STRANGER: &str = "0f0f0f0f-0f0f-4f0f-8f0f-0f0f0f0f0f0f";

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_the_answer_says_what_to_do_and_who_is_here_needs_no_hub() {
    let shop = Served::open().await;
    let ada = shop.sign_in("ada").await;
    let asked = json!({ "q": "Großmann" });
    let problem = ada
        .post_plain("/api/v1/customers/lookup", &asked)
        .await
        .problem(503);
    assert!(
        problem["type"].as_str().unwrap().ends_with("cut-off"),
        "{problem}"
    );
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("take the person in as new"),
        "{problem}"
    );
    for wrong in [
        json!({ "q": "ab" }),
        json!({ "q": "abc", "limit": 0 }),
        json!({ "q": "abc", "limit": 11 }),
    ] {
        ada.post_plain("/api/v1/customers/lookup", &wrong)
            .await
            .problem(422);
    }
    let path = format!("/api/v1/customers/{STRANGER}/attach");
    ada.post(&path, "bring-1", &json!(null)).await.problem(503);

    let person = json!({ "name": "Teodora Marković" });
    let person = ada
        .post("/api/v1/customers", "new-1", &person)
        .await
        .ok(201);
    let path = format!(
        "/api/v1/customers/{}/attach",
        person["id"].as_str().unwrap()
    );
    let here = ada.post(&path, "bring-2", &json!(null)).await.ok(200);
    assert_eq!(here["name"], "Teodora Marković");
    let again = ada.post(&path, "bring-2", &json!(null)).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let auditor = shop.sign_in("gus").await;
    auditor
        .post(&path, "bring-3", &json!(null))
        .await
        .problem(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_say_that_nobody_can_be_brought_and_keep_what_was_typed() {
    let shop = Served::open().await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    let found = browser.post("/find", "q=Markovic".to_owned()).await;
    let found = found.text().await.unwrap();
    assert!(found.contains("not known here now"), "{found}");
    assert!(
        !found.contains("id=\"elsewhere\""),
        "nothing is asked without a line: {found}"
    );

    let form = browser.page("/intake").await;
    let bring = format!("key={}&q=Markovic&then=intake", key_of(&form));
    let refused = browser
        .post(&format!("/people/{STRANGER}/bring"), bring)
        .await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    let page = refused.text().await.unwrap();
    assert!(page.contains("value=\"Markovic\""), "{page}");
    assert!(page.contains("Take the person in as new"), "{page}");

    let pick = format!("who=Markovic&person=elsewhere-{STRANGER}&fault=hums");
    let draft = browser
        .post("/intake/draft", pick.clone())
        .await
        .text()
        .await
        .unwrap();
    assert!(draft.contains("hx-target=\"#people\""), "{draft}");
    assert!(draft.contains("Take the person in as new"), "{draft}");
    assert!(
        draft.contains("id=\"person-new\""),
        "the way on is there: {draft}"
    );
    let saved = format!("key={}&{pick}&category=Radio", key_of(&form));
    let saved = browser.post("/intake", saved).await;
    assert_eq!(
        saved.status(),
        StatusCode::SERVICE_UNAVAILABLE,
        "nobody is taken in without the person"
    );
    let page = saved.text().await.unwrap();
    assert!(
        page.contains("Take the person in as new") && page.contains("hums"),
        "{page}"
    );
}
