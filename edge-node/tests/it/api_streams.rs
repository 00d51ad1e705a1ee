//! Documents, exports, imports, events, and the switch of the line.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::{Body, Method};
use serde_json::{Value, json};

use crate::api_support::*;

const ORDS: &str = "id,data_provider,country,partner_product_category,product_category,brand,year_of_manufacture,\
                    product_age,repair_status,repair_barrier_if_end_of_life,group_identifier,event_date,problem\n";

fn ords(records: std::ops::Range<u32>) -> String {
    let row = |id: u32| {
        format!(
            "{id},Test,DEU,Kitchen ~ Kettle,Kettle,Acme,2015,8,Fixed,,one,2024-05-03,Leaks no. {id}\n"
        )
    };
    ORDS.to_owned() + &records.map(row).collect::<String>()
}

async fn import(client: &Client, key: Option<&str>, body: impl Into<Body>) -> Got {
    let mut request = client
        .request(Method::POST, "/api/v1/imports/ords")
        .header("content-type", "text/csv");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    Got::of(request.body(body).send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_twice_creates_nothing_new() {
    let shop = Served::open().await;
    let ada = shop.sign_in("ada").await;
    let report = import(&ada, None, ords(0..150)).await.ok(200);
    let counts = |read, created, skipped| json!({ "read": read, "created": created, "changed": 0, "skipped": skipped, "rejected": 0, "errors": [] });
    assert_eq!(report, counts(150, 150, 0));
    assert_eq!(
        import(&ada, None, ords(100..160)).await.ok(200),
        counts(60, 10, 50)
    );
    let keyed = import(&ada, Some("i-1"), ords(160..170)).await.ok(200);
    assert_eq!(keyed, counts(10, 10, 0));
    let replay = import(&ada, Some("i-1"), ords(160..170)).await;
    assert_eq!(replay.header("idempotency-replayed"), Some("true"));
    assert_eq!(replay.ok(200), keyed);
    import(&ada, Some("i-1"), ords(170..180)).await.problem(422);
    assert_eq!(
        import(&ada, None, ords(170..180)).await.ok(200),
        counts(10, 10, 0)
    );
    import(&ada, None, "no,header\n1,2\n").await.problem(422);
    import(&ada, None, "").await.problem(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_upload_leaves_whole_batches_and_can_be_repeated() {
    let shop = Served::open().await;
    let ada = shop.sign_in("ada").await;
    let text = ords(0..300);
    let half = Bytes::from(text.as_bytes()[..text.len() / 2].to_vec());
    let broken = futures_util::stream::iter([Ok(half), Err(std::io::Error::other("cut"))]);
    let request = ada
        .request(Method::POST, "/api/v1/imports/ords")
        .body(Body::wrap_stream(broken));
    assert!(request.send().await.is_err());
    let rest = import(&ada, None, text).await.ok(200);
    let (created, skipped) = (
        rest["created"].as_u64().unwrap(),
        rest["skipped"].as_u64().unwrap(),
    );
    assert_eq!(created + skipped, 300);
    assert_eq!(skipped % 64, 0, "whole batches");
    let all = ada
        .request(Method::GET, "/api/v1/exports/orders.jsonl")
        .send()
        .await
        .unwrap();
    assert_eq!(all.text().await.unwrap().lines().count(), 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_hold_everything() {
    let shop = Served::open().await;
    let ada = shop.sign_in("ada").await;
    import(&ada, None, ords(0..700)).await.ok(200);
    let get = |file: &'static str| {
        let request = ada.request(Method::GET, &format!("/api/v1/exports/{file}"));
        async move { request.send().await.unwrap() }
    };
    let csv = get("orders.csv").await;
    assert_eq!(
        csv.headers()["content-disposition"],
        "attachment; filename=\"orders.csv\""
    );
    assert_eq!(csv.text().await.unwrap().lines().count(), 701);
    let lines = get("orders.jsonl").await.text().await.unwrap();
    assert_eq!(lines.lines().count(), 700);
    assert!(
        lines
            .lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok())
    );
    for file in [
        "customers.csv",
        "customers.jsonl",
        "stock.csv",
        "stock.jsonl",
        "movements.csv",
        "movements.jsonl",
    ] {
        assert!(get(file).await.status().is_success(), "{file}");
    }
    Got::of(get("secrets.csv").await).await.problem(404);
    Got::of(get("orders.xml").await).await.problem(404);
    shop.sign_in("cleo")
        .await
        .get("/api/v1/exports/orders.csv")
        .await
        .problem(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_comes_as_json_and_as_a_save() {
    let shop = Served::open().await;
    let ada = shop.sign_in("ada").await;
    let order = ada.take_in("k-1", "No power").await;
    let id = order["id"].as_str().unwrap();
    let path = format!("/api/v1/documents/{id}");
    let json = ada.get(&path).await;
    let tag = json.header("etag").unwrap().to_owned();
    let json = json.ok(200);
    assert_eq!(json["heads"], order["heads"]);
    assert_eq!(json["content"]["number"], order["number"]);
    let request = ada
        .request(Method::GET, &path)
        .header("accept", "application/octet-stream");
    let save = request.try_clone().unwrap().send().await.unwrap();
    assert_eq!(save.headers()["etag"], tag.as_str());
    let document = automerge::Automerge::load(&save.bytes().await.unwrap()).unwrap();
    let heads: Vec<String> = document
        .get_heads()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(json!(heads), order["heads"]);
    let known = request.header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(known.status(), 304);
    let digest = ada.get("/api/v1/documents/digest").await.ok(200);
    assert_eq!(digest["count"], 1);
    let list = ada.get("/api/v1/documents?kind=order").await.ok(200);
    assert_eq!(list["items"][0]["id"], id);
    assert_eq!(
        ada.get("/api/v1/documents?kind=customer").await.ok(200)["items"],
        json!([])
    );
    ada.get("/api/v1/documents?kind=secret").await.problem(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_told_to_who_listens() {
    let shop = Served::open().await;
    let ada = shop.sign_in("ada").await;
    Got::of(
        shop.http
            .get(format!("{}/api/v1/events", shop.url))
            .send()
            .await
            .unwrap(),
    )
    .await
    .problem(401);
    let stream = ada
        .request(Method::GET, "/api/v1/events")
        .send()
        .await
        .unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut events = Events {
        pieces: stream.bytes_stream().boxed(),
        held: String::new(),
    };
    assert_eq!(events.next().await.unwrap().0, "resync");
    let order = ada.take_in("k-1", "No power").await;
    let told = events.until("orders-changed").await;
    assert_eq!(told["ids"], json!([order["id"]]));
    events.until("status-changed").await;
    ada.post_plain("/api/v1/sync/pause", &json!({}))
        .await
        .ok(200);
    events.until("status-changed").await;
    shop.stop();
    while events.next().await.is_some() {}
}

/// Reads a stream of events.
struct Events {
    pieces: futures_util::stream::BoxStream<'static, reqwest::Result<Bytes>>,
    held: String,
}

impl Events {
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.held.split_once("\n\n") {
                let line = |name: &str| {
                    event
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .map(str::to_owned)
                };
                let (name, data) = (line("event: "), line("data: "));
                self.held = rest.to_owned();
                if let (Some(name), Some(data)) = (name, data) {
                    return Some((name, serde_json::from_str(&data).unwrap()));
                }
                continue;
            }
            let piece = tokio::time::timeout(Duration::from_secs(20), self.pieces.next())
                .await
                .unwrap();
            self.held
                .push_str(std::str::from_utf8(&piece?.unwrap()).unwrap());
        }
    }

    async fn until(&mut self, wanted: &str) -> Value {
        loop {
            let (name, data) = self.next().await.expect("the stream goes on");
            if name == wanted {
                return data;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_is_cut_and_restored_by_its_switch() {
    let shop = Served::open().await;
    let ada = shop.sign_in("ada").await;
    ada.take_in("k-1", "No power").await;
    let paused = ada
        .post("/api/v1/sync/pause", "p-1", &json!({}))
        .await
        .ok(200);
    assert_eq!(
        (&paused["link"], &paused["transport"]),
        (&json!("paused"), &json!("quic"))
    );
    assert_eq!(paused["pending"]["transactions"], 1);
    assert_eq!(
        paused["log"],
        json!({ "seq": 1, "stored": 0, "applied": 0 })
    );
    assert_eq!(paused["feeds"].as_array().unwrap().len(), 4);
    assert_ne!(
        ada.post_plain("/api/v1/sync/resume", &json!({}))
            .await
            .ok(200)["link"],
        "paused"
    );
    // The first answer is replayed, the switch is not turned again.
    let replay = ada.post("/api/v1/sync/pause", "p-1", &json!({})).await;
    assert_eq!(replay.header("idempotency-replayed"), Some("true"));
    assert_ne!(replay.ok(200)["link"], "paused");
    shop.sign_in("cleo")
        .await
        .post_plain("/api/v1/sync/pause", &json!({}))
        .await
        .problem(403);
    for path in [
        "/api/v1/incidents",
        "/api/v1/decisions",
        "/api/v1/conflicts",
    ] {
        assert!(ada.get(path).await.ok(200)["items"].is_array(), "{path}");
    }
    let nothing = "/api/v1/decisions/00000000-0000-4000-8000-000000000000/settle";
    ada.post_plain(nothing, &json!({ "choice": "counted", "reason": "x" }))
        .await
        .problem(404);
}
