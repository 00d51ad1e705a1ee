//! Orders by API: intake, replay, versions, moves, lists.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api_support::*;

fn visit() -> Value {
    json!({
        "customer": { "name": "Ada Lovelace", "phone": "+49 30 1234567" },
        "devices": [
            { "category": "laptop", "brand": "Acme", "model": "X1", "serial": "SN-9", "fault": "No power",
              "accessories": ["charger"], "condition": { "lid": "dent" } },
            { "category": "phone" }
        ],
        "promised_at": "2026-11-24T17:00:00Z"
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_makes_one_order_per_device_and_a_repeat_makes_none() {
    let shop = Served::open().await;
    let cleo = shop.sign_in("cleo").await;
    let first = cleo.post("/api/v1/orders", "k-1", &visit()).await;
    assert_eq!(first.header("idempotency-replayed"), None);
    let first = first.ok(201);
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let order = &first["items"][0];
    assert_eq!(order["status"], "received");
    assert_eq!(order["branch"], "BER");
    assert_eq!(order["customer"]["name"], "Ada Lovelace");
    assert_eq!(order["sync"], "local");
    assert_eq!(order["promised_at"], "2026-11-24T17:00:00Z");
    assert_eq!(
        order["totals"]["due"],
        json!({ "amount_minor": 0, "currency": "EUR" })
    );
    let again = cleo.post("/api/v1/orders", "k-1", &visit()).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.ok(201), first);
    let other = cleo
        .post("/api/v1/orders", "k-1", &json!({ "devices": [{}] }))
        .await
        .problem(422);
    assert_eq!(
        other["type"],
        "urn:counterpart:problem:idempotency-key-reused"
    );
    assert_eq!(
        cleo.get("/api/v1/orders").await.ok(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        cleo.get("/api/v1/customers").await.ok(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_names_its_place_and_changes_nothing() {
    let shop = Served::open().await;
    let cleo = shop.sign_in("cleo").await;
    let cases = [
        (json!({ "devices": [] }), "/devices"),
        (
            json!({ "devices": [{ "serial": "x".repeat(65) }] }),
            "/devices/0/serial",
        ),
        (
            json!({ "devices": [{ "fault": "a\u{0}b" }] }),
            "/devices/0/fault",
        ),
        (
            json!({ "devices": [{}], "promised_at": "soon" }),
            "/promised_at",
        ),
        (
            json!({ "devices": [{}], "customer": { "name": "" } }),
            "/customer/name",
        ),
        (json!({ "devices": [{}], "unknown": 1 }), "/unknown"),
        (
            json!({ "devices": [{}], "customer_id": "00000000-0000-4000-8000-000000000000" }),
            "/customer_id",
        ),
    ];
    for (body, pointer) in cases {
        let problem = cleo.post_plain("/api/v1/orders", &body).await.problem(422);
        assert_eq!(
            problem["errors"][0]["pointer"], pointer,
            "{body} gives {problem}"
        );
    }
    let unreadable = cleo
        .request(Method::POST, "/api/v1/orders")
        .body("{\"devices\":")
        .send()
        .await
        .unwrap();
    Got::of(unreadable).await.problem(400);
    let large = json!({ "devices": [{ "fault": "x".repeat(1_100_000) }] });
    cleo.post_plain("/api/v1/orders", &large).await.problem(413);
    cleo.get("/api/v1/orders/nonsense").await.problem(404);
    cleo.get("/api/v1/nothing-here").await.problem(404);
    Got::of(
        cleo.request(Method::PUT, "/api/v1/orders")
            .send()
            .await
            .unwrap(),
    )
    .await
    .problem(405);
    assert_eq!(cleo.get("/api/v1/orders").await.ok(200)["items"], json!([]));
    assert_eq!(cleo.get("/api/v1/sync").await.ok(200)["log"]["seq"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_based_on_a_version() {
    let shop = Served::open().await;
    let tim = shop.sign_in("tim").await;
    let order = tim.take_in("k-1", "No power").await;
    let path = format!("/api/v1/orders/{}", order["id"].as_str().unwrap());
    let read = tim.get(&path).await;
    let tag = read.header("etag").unwrap().to_owned();
    let changed = tim
        .patch(
            &path,
            Some(&tag),
            &json!({ "diagnosis": "Battery", "urgent": true }),
        )
        .await;
    let newer = changed.header("etag").unwrap().to_owned();
    assert_ne!(newer, tag);
    let body = changed.ok(200);
    assert_eq!(
        (&body["diagnosis"], &body["urgent"]),
        (&json!("Battery"), &json!(true))
    );
    tim.patch(&path, Some(&tag), &json!({ "diagnosis": "Board" }))
        .await
        .problem(412);
    let now = tim.get(&path).await;
    assert_eq!(now.header("etag"), Some(newer.as_str()));
    assert_eq!(now.ok(200)["diagnosis"], "Battery");
    tim.patch(&path, None, &json!({ "diagnosis": null }))
        .await
        .ok(200);
    let stale = tim
        .request(Method::POST, &format!("{path}/status"))
        .header("if-match", &newer)
        .json(&json!({ "status": "in_repair" }));
    Got::of(stale.send().await.unwrap()).await.problem(412);
}

#[tokio::test(flavor = "multi_thread")]
async fn moves_follow_the_table_and_can_be_taken_back() {
    let shop = Served::open().await;
    let tim = shop.sign_in("tim").await;
    let order = tim.take_in("k-1", "No power").await;
    let path = format!("/api/v1/orders/{}", order["id"].as_str().unwrap());
    let status = format!("{path}/status");
    let refused = tim
        .post_plain(&status, &json!({ "status": "collected" }))
        .await
        .problem(409);
    assert_eq!(
        refused["allowed"],
        json!(["diagnosing", "in_repair", "cancelled"])
    );
    tim.post_plain(
        &status,
        &json!({ "status": "in_repair", "note": "On bench 2" }),
    )
    .await
    .ok(200);
    let no_outcome = tim
        .post_plain(&status, &json!({ "status": "ready" }))
        .await
        .problem(422);
    assert_eq!(no_outcome["errors"][0]["pointer"], "/outcome");
    let ready = tim
        .post_plain(
            &status,
            &json!({ "status": "ready", "outcome": "repaired" }),
        )
        .await
        .ok(200);
    assert_eq!(
        (&ready["status"], &ready["outcome"]),
        (&json!("ready"), &json!("repaired"))
    );
    let back = tim
        .post_plain(&format!("{path}/undo"), &json!({}))
        .await
        .ok(200);
    assert_eq!(
        (&back["status"], &back["outcome"]),
        (&json!("in_repair"), &Value::Null)
    );
    assert_eq!(back["notes"][0]["text"], "On bench 2");
    let noted = tim
        .post_plain(&format!("{path}/notes"), &json!({ "text": "Called" }))
        .await
        .ok(201);
    assert_eq!(noted["notes"].as_array().unwrap().len(), 2);
    let estimate = json!({ "gross": { "amount_minor": 8_900, "currency": "EUR" } });
    tim.post_plain(&format!("{path}/estimates"), &estimate)
        .await
        .ok(201);
    let answer = json!({ "answer": "approved", "by": "customer, by phone" });
    let answered = tim
        .post_plain(&format!("{path}/estimates/1/answer"), &answer)
        .await
        .ok(200);
    assert_eq!(answered["estimates"][0]["answer"], "approved");
    tim.post_plain(&format!("{path}/estimates/7/answer"), &answer)
        .await
        .problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_on_where_the_page_before_ended() {
    let shop = Served::open().await;
    let cleo = shop.sign_in("cleo").await;
    let mut taken_in = Vec::new();
    for number in 0..7 {
        let order = cleo.take_in(&format!("k-{number}"), "Fault").await;
        taken_in.insert(0, order["number"].clone());
    }
    let mut listed = Vec::new();
    let mut path = "/api/v1/orders?limit=3".to_owned();
    loop {
        let page = cleo.get(&path).await.ok(200);
        listed.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|order| order["number"].clone()),
        );
        // What comes in between does not shift the pages.
        cleo.take_in(&format!("between-{}", listed.len()), "Fault")
            .await;
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/v1/orders?limit=3&cursor={cursor}");
    }
    assert_eq!(listed, taken_in);
    for wrong in [
        "limit=0",
        "limit=501",
        "limit=x",
        "cursor=abc",
        "status=broken",
        "since=yesterday",
    ] {
        let problem = cleo
            .get(&format!("/api/v1/orders?{wrong}"))
            .await
            .problem(422);
        let name = wrong.split('=').next().unwrap();
        assert_eq!(
            problem["errors"][0]["pointer"],
            format!("/{name}"),
            "{wrong}"
        );
    }
    let number = taken_in[0].as_str().unwrap();
    let by_number = cleo
        .get(&format!("/api/v1/orders?q={}", number.to_lowercase()))
        .await
        .ok(200);
    assert_eq!(by_number["items"].as_array().unwrap().len(), 1);
    let none = cleo
        .get("/api/v1/orders?status=ready&since=2026-01-01T00:00:00Z")
        .await
        .ok(200);
    assert_eq!(none, json!({ "items": [], "next_cursor": null }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_by_name_and_number_without_an_address() {
    let shop = Served::open().await;
    let cleo = shop.sign_in("cleo").await;
    cleo.post("/api/v1/orders", "k-1", &visit()).await.ok(201);
    for typed in ["lovelace", "1234567", "SN-9", "power"] {
        let found = cleo
            .post_plain("/api/v1/search", &json!({ "q": typed }))
            .await
            .ok(200);
        assert!(
            !found["orders"].as_array().unwrap().is_empty(),
            "{typed}: {found}"
        );
    }
    let parts = cleo
        .post_plain("/api/v1/search", &json!({ "q": "SCR", "limit": 5 }))
        .await
        .ok(200);
    assert_eq!(parts["parts"][0]["sku"], "SCR-1");
    cleo.post_plain("/api/v1/search", &json!({ "q": "x", "limit": 0 }))
        .await
        .problem(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_changed_by_what_differs() {
    let shop = Served::open().await;
    let cleo = shop.sign_in("cleo").await;
    let body = json!({ "name": "Grace Hopper", "email": "grace@example.org", "consent": { "mail": true } });
    let made = cleo.post("/api/v1/customers", "c-1", &body).await;
    let tag = made.header("etag").unwrap().to_owned();
    let made = made.ok(201);
    let path = format!("/api/v1/customers/{}", made["id"].as_str().unwrap());
    let read = cleo.get(&path).await;
    assert_eq!(read.header("etag"), Some(tag.as_str()));
    let changed = cleo
        .patch(
            &path,
            Some(&tag),
            &json!({ "phone": "+1 555 0100", "email": null }),
        )
        .await
        .ok(200);
    assert_eq!(
        (&changed["name"], &changed["email"]),
        (&json!("Grace Hopper"), &Value::Null)
    );
    cleo.patch(&path, Some(&tag), &json!({ "name": "G. Hopper" }))
        .await
        .problem(412);
    cleo.patch(&path, None, &json!({ "name": null }))
        .await
        .problem(422);
}
