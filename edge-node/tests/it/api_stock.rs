//! Stock, lines and transfers by API: keys are required, what is not free is not given.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api_support::*;

async fn deliver(client: &Client, quantity: i64) -> Value {
    let body = json!({ "kind": "receive", "quantity": quantity, "reason": "delivery", "reference": "L-7" });
    client
        .post(
            "/api/v1/stock/SCR-1/movements",
            &format!("deliver-{quantity}"),
            &body,
        )
        .await
        .ok(201)
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_moves_only_with_a_key_and_only_what_is_free() {
    let shop = Served::open().await;
    let tim = shop.sign_in("tim").await;
    let body = json!({ "kind": "receive", "quantity": 3 });
    let missing = tim
        .post_plain("/api/v1/stock/SCR-1/movements", &body)
        .await
        .problem(400);
    assert!(
        missing["detail"]
            .as_str()
            .unwrap()
            .contains("Idempotency-Key")
    );
    let moved = deliver(&tim, 3).await;
    assert_eq!(
        (&moved["kind"], &moved["balance_after"]),
        (&json!("receive"), &json!(3))
    );
    assert_eq!(deliver(&tim, 3).await, moved);
    let order = tim.take_in("k-1", "Screen").await;
    let lines = format!("/api/v1/orders/{}/lines", order["id"].as_str().unwrap());
    tim.post_plain(&lines, &json!({ "kind": "part", "sku": "SCR-1" }))
        .await
        .problem(400);
    let line = tim
        .post(
            &lines,
            "l-1",
            &json!({ "kind": "part", "sku": "SCR-1", "quantity": 2 }),
        )
        .await
        .ok(201);
    assert_eq!(
        (&line["stock"], &line["text"]),
        (&json!("reserved"), &json!("Part SCR-1"))
    );
    assert_eq!(
        line["unit_price"],
        json!({ "amount_minor": 4_990, "currency": "EUR" })
    );
    let short = tim
        .post(
            &lines,
            "l-2",
            &json!({ "kind": "part", "sku": "SCR-1", "quantity": 2 }),
        )
        .await
        .problem(409);
    assert_eq!(short["free"], 1);
    assert!(short["elsewhere"].is_array());
    let stock = tim.get("/api/v1/stock/SCR-1").await.ok(200);
    assert_eq!(
        (&stock["on_hand"], &stock["reserved"], &stock["free"]),
        (&json!(3), &json!(2), &json!(1))
    );
    let consume = format!("{lines}/{}/consume", line["id"].as_str().unwrap());
    tim.post_plain(&consume, &json!({})).await.problem(400);
    let used = tim
        .request(Method::POST, &consume)
        .header("idempotency-key", "u-1")
        .send()
        .await
        .unwrap();
    assert_eq!(Got::of(used).await.ok(200)["stock"], "consumed");
    tim.post(&consume, "u-2", &Value::Null).await.problem(409);
    let stock = tim.get("/api/v1/stock/SCR-1").await.ok(200);
    assert_eq!(
        (&stock["on_hand"], &stock["reserved"]),
        (&json!(1), &json!(0))
    );
    let movements = tim.get("/api/v1/stock/SCR-1/movements").await.ok(200);
    assert_eq!(movements["items"][0]["kind"], "use");
    assert_eq!(movements["items"][0]["reference"], order["number"]);
    assert_eq!(movements["items"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_changed_and_removed_with_what_it_holds() {
    let shop = Served::open().await;
    let tim = shop.sign_in("tim").await;
    deliver(&tim, 5).await;
    let order = tim.take_in("k-1", "Screen").await;
    let lines = format!("/api/v1/orders/{}/lines", order["id"].as_str().unwrap());
    let line = tim
        .post(
            &lines,
            "l-1",
            &json!({ "kind": "part", "sku": "SCR-1", "quantity": 2 }),
        )
        .await
        .ok(201);
    let path = format!("{lines}/{}", line["id"].as_str().unwrap());
    tim.patch(&path, None, &json!({ "quantity": 5 }))
        .await
        .ok(200);
    assert_eq!(
        tim.patch(&path, None, &json!({ "quantity": 6 }))
            .await
            .problem(409)["free"],
        5
    );
    let removed = Got::of(tim.request(Method::DELETE, &path).send().await.unwrap())
        .await
        .ok(200);
    assert_eq!(removed["lines"], json!([]));
    assert_eq!(tim.get("/api/v1/stock/SCR-1").await.ok(200)["free"], 5);
    Got::of(tim.request(Method::DELETE, &path).send().await.unwrap())
        .await
        .problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_part_and_lists_of_parts() {
    let shop = Served::open().await;
    let tim = shop.sign_in("tim").await;
    let set = json!({ "bin": "A1-02", "reorder_point": 4 });
    let row = tim.patch("/api/v1/stock/SCR-1", None, &set).await.ok(200);
    assert_eq!(
        (&row["bin"], &row["reorder_point"]),
        (&json!("A1-02"), &json!(4))
    );
    assert_eq!(
        tim.get("/api/v1/parts?limit=2").await.ok(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(tim.get("/api/v1/parts/BAT-2").await.ok(200)["sku"], "BAT-2");
    let all = tim.get("/api/v1/stock?everything=true").await.ok(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 3);
    tim.get("/api/v1/stock?everything=maybe").await.problem(422);
    tim.get("/api/v1/stock/NO-SUCH").await.problem(404);
    let settings = tim.get("/api/v1/settings").await.ok(200);
    assert_eq!(settings["prices_include_tax"], true);
    assert_eq!(
        tim.get("/api/v1/branches").await.ok(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_asks_for_goods() {
    let shop = Served::open().await;
    let ada = shop.sign_in("ada").await;
    let body = json!({ "from": "MUC", "to": "BER", "lines": [{ "sku": "SCR-1", "quantity": 2 }] });
    ada.post_plain("/api/v1/transfers", &body)
        .await
        .problem(400);
    let asked = ada.post("/api/v1/transfers", "t-1", &body).await.ok(201);
    assert_eq!(
        (&asked["state"], &asked["from"]),
        (&json!("requested"), &json!("MUC"))
    );
    let path = format!("/api/v1/transfers/{}", asked["id"].as_str().unwrap());
    assert_eq!(ada.get(&path).await.ok(200), asked);
    assert_eq!(
        ada.get("/api/v1/transfers?state=requested").await.ok(200)["items"][0],
        asked
    );
    let early = ada
        .post(&format!("{path}/receive"), "t-2", &Value::Null)
        .await
        .problem(409);
    assert_eq!(early["state"], "requested");
    ada.get("/api/v1/transfers?state=lost-and-found")
        .await
        .problem(422);
}
