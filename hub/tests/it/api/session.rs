//! Signing in and out, tries, idle pages, and what bad requests get.

use domain::staff::Role;
use reqwest::Method;
use serde_json::json;

use super::{PASSWORD, Site};

#[tokio::test]
async fn a_person_signs_in_and_out() {
    let site = Site::new().await;
    let manager = site.person(Role::CentralManager, &[]).await;
    let own = manager.get("/api/v1/session").await.with(200);
    assert_eq!(own["staff"]["role"], "central_manager");
    let out = manager
        .send(Method::DELETE, "/api/v1/session", &[], None)
        .await;
    assert_eq!(out.status, 204);
    manager.get("/api/v1/session").await.problem(401);
    let stored = site.world.count("select count(*) from staff.session").await;
    assert_eq!(stored, 0);
}

#[tokio::test]
async fn wrong_passwords_say_nothing_and_are_slowed_down() {
    let site = Site::new().await;
    site.person(Role::Operator, &[]).await;
    for username in ["operator.0", "nobody"] {
        let body = json!({ "username": username, "password": "wrong password" });
        let problem = site
            .send(Method::POST, "/api/v1/session", &[], Some(&body))
            .await
            .problem(401);
        assert_eq!(problem["type"], "urn:counterpart:problem:wrong-credentials");
    }
    let body = json!({ "username": "operator.0", "password": "wrong password" });
    for _ in 0..4 {
        site.send(Method::POST, "/api/v1/session", &[], Some(&body))
            .await
            .problem(401);
    }
    let slowed = site
        .send(Method::POST, "/api/v1/session", &[], Some(&body))
        .await;
    assert!(!slowed.header("retry-after").is_empty());
    slowed.problem(429);
}

#[tokio::test]
async fn who_is_deactivated_is_out_at_once() {
    let site = Site::new().await;
    let operator = site.person(Role::Operator, &[]).await;
    let auditor = site.person(Role::Auditor, &[]).await;
    let id = auditor.get("/api/v1/session").await.with(200)["staff"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    operator
        .patch(&format!("/api/v1/staff/{id}"), &json!({ "active": false }))
        .await
        .with(200);
    auditor.get("/api/v1/branches").await.problem(401);
    let body = json!({ "username": "auditor.1", "password": PASSWORD });
    site.send(Method::POST, "/api/v1/session", &[], Some(&body))
        .await
        .problem(401);
}

#[tokio::test]
async fn a_page_session_ends_without_use() {
    let site = Site::new().await;
    site.person(Role::Operator, &[]).await;
    let form = format!(
        "username=operator.0&password={}",
        PASSWORD.replace(' ', "+")
    );
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let answer = http
        .post(format!("{}/sign-in", site.base))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 303, "{answer:?}");
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    for attribute in [
        "__Host-counterpart-hub=",
        "HttpOnly",
        "Secure",
        "SameSite=Strict",
        "Path=/",
    ] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let get = || async {
        let request = http
            .get(format!("{}/branches", site.base))
            .header("cookie", &cookie);
        request.send().await.unwrap()
    };
    let page = get().await;
    assert_eq!(page.status(), 200);
    assert!(
        page.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("default-src 'self'")
    );
    let token = cookie.split_once('=').unwrap().1;
    let as_bearer = [("Authorization", format!("Bearer {token}"))];
    let as_bearer: Vec<(&str, &str)> = as_bearer
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    site.send(Method::GET, "/api/v1/branches", &as_bearer, None)
        .await
        .problem(401);
    site.world
        .execute("update staff.session set used_ms = used_ms - 15 * 60000 where kind = 2")
        .await;
    assert_eq!(get().await.status(), 303);
}

#[tokio::test]
async fn what_ended_is_deleted() {
    let site = Site::new().await;
    let operator = site.person(Role::Operator, &[]).await;
    operator
        .post("/api/v1/branches", &super::branch_body("BER", 52.5, 13.4))
        .await
        .with(201);
    assert_eq!(hub::app::session::purge(site.hub()).await.unwrap(), 0);
    site.world
        .execute("update sync.idempotency set created_ms = created_ms - 31 * 86400000::bigint")
        .await;
    site.world
        .execute("update staff.session set expires_ms = 1")
        .await;
    assert_eq!(hub::app::session::purge(site.hub()).await.unwrap(), 2);
}

#[tokio::test]
async fn bad_requests_are_clear_problems_and_change_nothing() {
    let site = Site::new().await;
    let operator = site.person(Role::Operator, &[]).await;
    let before = site
        .world
        .count("select sum(n)::bigint from sync.feed")
        .await;
    site.send(Method::GET, "/api/v1/branches", &[], None)
        .await
        .problem(401);
    site.send(Method::GET, "/api/v1/nothing", &[], None)
        .await
        .problem(404);
    site.send(Method::PUT, "/api/v1/branches", &[], None)
        .await
        .problem(405);
    operator
        .get("/api/v1/branches/not-an-id")
        .await
        .problem(404);
    operator.get("/api/v1/branches?limit=0").await.problem(422);
    operator
        .get("/api/v1/branches?cursor=nonsense")
        .await
        .problem(422);
    operator.get("/api/v1/stock?branch=NOPE").await.problem(422);
    let missing = operator
        .post("/api/v1/branches", &json!({ "code": "BER" }))
        .await
        .problem(422);
    assert!(missing["errors"][0]["pointer"].is_string(), "{missing}");
    let mut body = super::branch_body("ber", 52.5, 13.4);
    body["time_zone"] = json!("Mars/Olympus");
    let wrong = operator.post("/api/v1/branches", &body).await.problem(422);
    let pointers: Vec<&str> = wrong["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert!(
        pointers.contains(&"/code") && pointers.contains(&"/time_zone"),
        "{wrong}"
    );
    let mut body = super::branch_body("BER", 52.5, 13.4);
    body["name"] = json!("a\u{0}b");
    operator.post("/api/v1/branches", &body).await.problem(422);
    body["name"] = json!("x".repeat(1024 * 1024));
    operator.post("/api/v1/branches", &body).await.problem(413);
    let short = json!({ "username": "ada", "name": "Ada", "role": "clerk", "branches": [], "password": "short" });
    let refused = operator.post("/api/v1/staff", &short).await.problem(422);
    assert_eq!(refused["errors"][0]["pointer"], "/password");
    let long_key = "k".repeat(256);
    operator
        .keyed(
            "/api/v1/branches",
            &long_key,
            &super::branch_body("BER", 52.5, 13.4),
        )
        .await
        .problem(400);
    assert_eq!(
        site.world
            .count("select sum(n)::bigint from sync.feed")
            .await,
        before
    );
    assert_eq!(
        site.world
            .count("select count(*) from locations.branch")
            .await,
        0
    );
}

#[tokio::test]
async fn health_needs_nobody() {
    let site = Site::new().await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        let got = site.send(Method::GET, path, &[], None).await;
        assert_eq!(
            got.status,
            200,
            "{path}: {}",
            String::from_utf8_lossy(&got.bytes)
        );
    }
}
