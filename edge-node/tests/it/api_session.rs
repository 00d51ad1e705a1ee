//! Signing in by API, and that nothing is open without it.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::api_support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_and_signing_out_closes() {
    let shop = Served::open().await;
    let ada = shop.sign_in("ada").await;
    let own = ada.get("/api/v1/session").await.ok(200);
    assert_eq!(own["staff"]["role"], "branch_manager");
    assert_eq!(own["staff"]["name"], "ADA");
    let out = Got::of(
        ada.request(Method::DELETE, "/api/v1/session")
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    let refused = ada.get("/api/v1/orders").await;
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    refused.problem(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_tells_nothing_and_slows_down() {
    let shop = Served::open().await;
    let nobody = shop.nobody();
    let try_it = |username: &'static str| {
        let nobody = nobody.clone();
        let body = json!({ "username": username, "password": "guess" });
        async move { nobody.post_plain("/api/v1/session", &body).await }
    };
    let known = try_it("ada").await.problem(401);
    let unknown = try_it("nobody-here").await.problem(401);
    assert_eq!(known["detail"], unknown["detail"]);
    for _ in 0..4 {
        // Other spellings are the same name.
        try_it(" ADA ").await.problem(401);
    }
    let slowed = try_it("ada").await;
    assert!(slowed.header("retry-after").is_some());
    slowed.problem(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_of_another_branch_does_not_get_in() {
    let shop = Served::open().await;
    let body = json!({ "username": "mia", "password": PASSWORD });
    shop.nobody()
        .post_plain("/api/v1/session", &body)
        .await
        .problem(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_up_token_opens_nothing() {
    let shop = Served::open().await;
    let mut local = shop.nobody();
    "A".repeat(43).clone_into(&mut local.token);
    local.get("/api/v1/session").await.problem(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_needs_no_sign_in_and_no_hub() {
    let shop = Served::open().await;
    let nobody = shop.nobody();
    assert_eq!(nobody.get("/healthz").await.ok(200)["status"], "ok");
    let ready = nobody.get("/readyz").await.ok(200);
    assert_eq!(ready["ready"], true);
    assert_ne!(ready["link"], "connected");
    let metrics = shop
        .http
        .get(format!("{}/metrics", shop.url))
        .send()
        .await
        .unwrap();
    let text = metrics.text().await.unwrap();
    assert!(
        text.contains("counterpart_edge_http_requests_total{"),
        "{text}"
    );
    assert!(text.contains("route=\"/readyz\""), "{text}");
    assert!(text.contains("counterpart_edge_link_connected 0"), "{text}");
}
