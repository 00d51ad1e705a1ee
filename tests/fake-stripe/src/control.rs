//! The control plane: customers, card holders, the bank and bad luck, as a test or a person wants them.
//!
//! Nothing of this is Stripe's. All calls are POST with a JSON object, but `state`, `webhooks` and the page of a link.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Refusal, Reply};
use super::fault::Fault;
use super::intent::New;
use super::server::{Shared, respond};
use super::webhook::{self, WebhookFault};
use super::world::{World, number, text};
use super::{balance, charge, intent, link, lock, reader, refund};

type Caller = State<Arc<Shared>>;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_fake/state", get(state))
        .route("/_fake/pay/{id}", get(page).post(page_pay))
        .route("/_fake/webhooks", get(deliveries).post(webhooks))
        .route("/_fake/webhooks/faults", post(webhook_faults))
        .route("/_fake/webhooks/release", post(release))
        .route("/_fake/{*path}", post(act))
}

async fn state(State(shared): Caller) -> Json<Value> {
    Json(lock(&shared.world).shown())
}

/// What customers see who open a link on this machine.
async fn page(State(shared): Caller, Path(id): Path<String>) -> Response {
    let link = lock(&shared.world).get("payment_link", &id);
    let body = match link {
        Err(_) => "<p>There is no such link.</p>".to_owned(),
        Ok(link) if link["active"] != true => "<p>This link is paid or closed.</p>".to_owned(),
        Ok(link) => format!(
            "<form method=post><p>{}.{:02} {}</p><button>Pay</button></form>",
            number(&link, "_amount") / 100,
            number(&link, "_amount") % 100,
            text(&link, "currency").to_uppercase()
        ),
    };
    Html(format!(
        "<!doctype html><html lang=en><title>Pay</title><h1>A double of Stripe</h1>{body}</html>"
    ))
    .into_response()
}

async fn page_pay(State(shared): Caller, Path(id): Path<String>) -> Response {
    match shared.with(|world| link::pay(world, &id, None)) {
        Ok(_) => Redirect::to(&format!("/_fake/pay/{id}")).into_response(),
        Err(refusal) => respond(refusal.status, &refusal.body(), "req_control"),
    }
}

async fn deliveries(State(shared): Caller) -> Json<Value> {
    let courier = lock(&shared.courier);
    Json(json!({ "url": courier.url, "sent": courier.sent, "withheld": courier.withheld }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Webhooks {
    url: Option<String>,
    secret: Option<String>,
}

async fn webhooks(State(shared): Caller, Json(to): Json<Webhooks>) -> Json<Value> {
    let mut courier = lock(&shared.courier);
    courier.url = to.url;
    if let Some(secret) = to.secret {
        courier.secret = secret;
    }
    Json(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Faults {
    fault: WebhookFault,
    #[serde(default = "once")]
    times: usize,
}

const fn once() -> usize {
    1
}

async fn webhook_faults(State(shared): Caller, Json(faults): Json<Faults>) -> Json<Value> {
    let more = std::iter::repeat_n(faults.fault, faults.times);
    lock(&shared.courier).faults.extend(more);
    Json(json!({}))
}

async fn release(State(shared): Caller) -> Result<Json<Value>, StatusCode> {
    let held = lock(&shared.courier).release();
    let http = reqwest::Client::builder().no_proxy().build();
    let http = http.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    for event in &held {
        webhook::send(&shared.courier, &http, event, None).await;
    }
    Ok(Json(json!({ "released": held.len() })))
}

async fn act(State(shared): Caller, Path(path): Path<String>, Json(body): Json<Value>) -> Response {
    let parts: Vec<&str> = path.split('/').collect();
    match shared.with(|world| perform(world, &parts, &body)) {
        Ok(answer) => Json(answer).into_response(),
        Err(refusal) => respond(refusal.status, &refusal.body(), "req_control"),
    }
}

fn perform(world: &mut World, parts: &[&str], body: &Value) -> Reply {
    let declined = body["declined"].as_str();
    match parts {
        ["links", id, "open"] => link::open(world, id),
        ["links", id, "pay"] => link::pay(world, id, declined),
        ["readers"] => Ok(new_reader(world, body)),
        ["readers", id, "tap"] => reader::tap(world, id, None),
        ["readers", id, "decline"] => {
            reader::tap(world, id, Some(declined.unwrap_or("generic_decline")))
        }
        ["readers", id] => {
            world.get("terminal.reader", id)?;
            Ok(world.set(id, body.clone()))
        }
        ["payment_intents", id, "again"] => again(world, id),
        ["transactions"] => new_transaction(world, body),
        ["transactions", id] => change_transaction(world, id, body),
        ["refunds", "next"] => {
            let status = body["status"].as_str().unwrap_or("pending").to_owned();
            world.next_refunds.push(status);
            Ok(json!({}))
        }
        ["refunds", id, "settle"] => {
            let known = world.get("refund", id)?;
            let status = body["status"].as_str().unwrap_or("succeeded");
            Ok(refund::settle(world, &known, status))
        }
        ["payouts"] => balance::pay_out(
            world,
            body["currency"].as_str().unwrap_or("eur"),
            body["short_by"].as_i64().unwrap_or(0),
            body["status"].as_str().unwrap_or("paid"),
        ),
        ["payouts", id, "arrive"] => balance::arrive(world, id),
        ["faults"] => {
            world.faults.push(read::<Fault>(body)?);
            Ok(json!({}))
        }
        ["faults", "clear"] => {
            world.faults.clear();
            Ok(json!({}))
        }
        ["clock"] => {
            world.clock_ms = body["at_ms"].as_i64();
            Ok(json!({ "now_ms": world.now_ms() }))
        }
        ["search_lag"] => {
            world.search_lag_ms = body["lag_ms"].as_i64().unwrap_or(0);
            Ok(json!({}))
        }
        _ => Err(Refusal::new(
            404,
            "invalid_request_error",
            "The control plane has no such call.",
        )),
    }
}

fn read<T: serde::de::DeserializeOwned>(body: &Value) -> Result<T, Refusal> {
    serde_json::from_value(body.clone())
        .map_err(|error| Refusal::invalid("parameter_invalid", error.to_string()))
}

fn new_reader(world: &mut World, body: &Value) -> Value {
    let id = world.next_id("tmr_");
    let reader = json!({ "id": id, "object": "terminal.reader", "action": null,
        "device_type": "simulated_wisepos_e", "label": body["label"].as_str().unwrap_or("till"),
        "livemode": false, "metadata": {}, "status": "online", "created": world.now_s() });
    world.put(reader)
}

/// Takes the money of a captured intent once more, under the same marks.
fn again(world: &mut World, id: &str) -> Reply {
    let first = world.get("payment_intent", id)?;
    if first["status"] != "succeeded" {
        return Err(Refusal::unexpected_state(
            "Only what was captured can be captured twice.",
        ));
    }
    let second = intent::new(
        world,
        &New {
            amount: number(&first, "amount"),
            currency: &text(&first, "currency"),
            capture_method: "automatic",
            methods: first["payment_method_types"].clone(),
            metadata: first["metadata"].clone(),
            description: first["description"].as_str(),
        },
    );
    Ok(charge::authorise(world, &second))
}

/// A line without a charge: a fee of the month, a dispute.
fn new_transaction(world: &mut World, body: &Value) -> Reply {
    let amount = body["amount"]
        .as_i64()
        .ok_or_else(|| Refusal::missing("amount"))?;
    let kind = body["type"].as_str().unwrap_or("adjustment").to_owned();
    let currency = body["currency"].as_str().unwrap_or("eur").to_owned();
    let fee = body["fee"].as_i64().unwrap_or(0);
    Ok(charge::transaction(
        world, &kind, amount, fee, &currency, None,
    ))
}

/// Another amount or fee than was agreed.
fn change_transaction(world: &mut World, id: &str, body: &Value) -> Reply {
    let known = world.get("balance_transaction", id)?;
    let amount = body["amount"].as_i64().unwrap_or(number(&known, "amount"));
    let fee = body["fee"].as_i64().unwrap_or(number(&known, "fee"));
    Ok(world.set(
        id,
        json!({ "amount": amount, "fee": fee, "net": amount - fee }),
    ))
}
