//! Idempotency keys of commands and forms, and what a replayed answer looks like.
//! Two different requests never share a fingerprint.

use axum::body::Body;
use axum::http::{HeaderValue, Request};
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use web_kit::idempotency::mark_replayed;
use web_kit::{
    ApiCommand, FormKey, IdempotencyKey, KeyedCommand, NoBody, PageForm, PlainForm, Problem,
};

use crate::support::{Answer, App, send};

#[derive(Deserialize)]
struct Note {
    text: String,
}

#[derive(Deserialize)]
struct Intake {
    name: String,
    #[serde(default)]
    accessory: Vec<String>,
}

fn router() -> Router {
    let api = Router::new()
        .route("/notes", post(|key: Option<IdempotencyKey>| async move { format!("{:?}", key.is_some()) }))
        .route("/money", post(|_: IdempotencyKey| async { "paid" }))
        .route(
            "/orders/{id}/notes",
            post(|command: ApiCommand<Note>| async move {
                let request = command.request;
                Json(json!({"text": command.body.text, "key": request.key, "route": request.route, "hmac": request.body_hmac}))
            }),
        )
        .route(
            "/orders/{id}/pay",
            post(|command: KeyedCommand<NoBody>| async move {
                let key = command.request.require_key()?.to_owned();
                Ok::<_, Problem>(mark_replayed(key.into_response()))
            }),
        );
    Router::new()
        .route(
            "/sign-in",
            post(|PlainForm(form): PlainForm<web_kit::SignInForm>| async move { form.username }),
        )
        .nest("/api/v1", api)
        .route(
            "/intake",
            post(|form: PageForm<Intake>| async move {
                format!(
                    "{} {} {:?}",
                    form.fields.name,
                    form.fields.accessory.len(),
                    form.request.key
                )
            }),
        )
        .with_state(App)
}

async fn with_key(path: &str, key: &[u8], body: &'static str) -> Answer {
    let value = HeaderValue::from_bytes(key).unwrap();
    send(
        &router(),
        Request::post(path).header("idempotency-key", value),
        body,
    )
    .await
}

#[tokio::test]
async fn a_key_has_1_to_255_visible_characters() {
    let longest = "k".repeat(255);
    for good in ["k", "6f1c-\"quoted\"", longest.as_str()] {
        assert_eq!(
            with_key("/api/v1/money", good.as_bytes(), "").await.status,
            200
        );
    }
    let too_long = "k".repeat(256);
    for bad in [
        "".as_bytes(),
        b"two words",
        too_long.as_bytes(),
        b"k\xc3\xa9y",
        b"tab\tbed",
    ] {
        with_key("/api/v1/money", bad, "").await.problem(400);
        with_key("/api/v1/notes", bad, "").await.problem(400);
    }
    let twice = Request::post("/api/v1/money")
        .header("idempotency-key", "a")
        .header("idempotency-key", "b");
    send(&router(), twice, "").await.problem(400);
}

#[tokio::test]
async fn a_missing_key_matters_only_where_it_is_required() {
    assert_eq!(
        send(&router(), Request::post("/api/v1/notes"), "")
            .await
            .text(),
        "false"
    );
    send(&router(), Request::post("/api/v1/money"), "")
        .await
        .problem(400);
    send(&router(), Request::post("/api/v1/orders/1/pay"), "")
        .await
        .problem(400);
}

#[tokio::test]
async fn a_command_brings_body_and_fingerprint() {
    let first = with_key("/api/v1/orders/1/notes", b"k", r#"{"text":"a"}"#)
        .await
        .json();
    assert_eq!(
        (first["text"].as_str(), first["key"].as_str()),
        (Some("a"), Some("k"))
    );
    assert_eq!(first["route"], "POST /api/v1/orders/1/notes");
    let again = with_key("/api/v1/orders/1/notes", b"k", r#"{"text":"a"}"#)
        .await
        .json();
    assert_eq!(first, again);
    let other_body = with_key("/api/v1/orders/1/notes", b"k", r#"{"text":"b"}"#)
        .await
        .json();
    let other_order = with_key("/api/v1/orders/2/notes", b"k", r#"{"text":"a"}"#)
        .await
        .json();
    assert_ne!(first["hmac"], other_body["hmac"]);
    assert_ne!(first["hmac"], other_order["hmac"]);
    assert_eq!(
        with_key("/api/v1/orders/1/notes", b"k", "{}")
            .await
            .pointers(),
        ["/text"]
    );
    with_key("/api/v1/orders/1/notes", b"k", "")
        .await
        .problem(400);
}

#[tokio::test]
async fn a_command_without_a_body_takes_nothing_or_an_empty_object() {
    for body in ["", "{}", "null", " { } "] {
        let answer = with_key("/api/v1/orders/1/pay", b"k", body).await;
        assert_eq!(
            (answer.text(), answer.header("idempotency-replayed")),
            ("k", "true")
        );
    }
    assert_eq!(
        with_key("/api/v1/orders/1/pay", b"k", r#"{"x":1}"#)
            .await
            .pointers(),
        ["/x"]
    );
    with_key("/api/v1/orders/1/pay", b"k", "[")
        .await
        .problem(400);
}

#[tokio::test]
async fn a_form_brings_its_own_key() {
    let form =
        || Request::post("/intake").header("content-type", "application/x-www-form-urlencoded");
    let key = FormKey::from_random([3; 16]);
    let body = format!("key={key}&name=Ada+L.&accessory=bag&accessory=charger");
    let answer = send(&router(), form(), body).await;
    assert_eq!(answer.text(), format!("Ada L. 2 Some(\"{key}\")"));
    let signing_in =
        || Request::post("/sign-in").header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(
        send(&router(), signing_in(), "username=elif&password=x")
            .await
            .text(),
        "elif"
    );
    send(&router(), signing_in(), "username=%00")
        .await
        .problem(422);
    send(&router(), Request::post("/sign-in"), "username=elif")
        .await
        .problem(400);
    send(&router(), form(), "name=Ada").await.problem(400);
    send(&router(), form(), "key=&name=Ada").await.problem(400);
    send(&router(), form(), "key=k").await.problem(422);
    send(&router(), form(), "key=k&name=a%00b")
        .await
        .problem(422);
    send(
        &router(),
        Request::post("/intake"),
        Body::from("key=k&name=a"),
    )
    .await
    .problem(400);
}
