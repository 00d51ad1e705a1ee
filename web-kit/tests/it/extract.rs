//! Bodies, paths and queries that are held against their types.
//! What does not read never reaches a handler, and each refusal names its place.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::{get, post};
use serde::Deserialize;
use web_kit::{ApiJson, ApiPath, ApiQuery, MAX_JSON_BYTES, OptionalJson};

use crate::support::{get as fetch, post_json, send};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Basket {
    lines: Vec<Line>,
    note: Option<String>,
    #[serde(default)]
    labels: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    quantity: u32,
    kind: Kind,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Part,
    Service,
}

#[derive(Deserialize)]
struct Filter {
    #[serde(default)]
    status: Vec<String>,
    from: Option<u32>,
}

fn router() -> Router {
    Router::new()
        .route(
            "/baskets",
            post(|ApiJson(basket): ApiJson<Basket>| async move {
                let parts = basket.lines.iter().filter(|line| matches!(line.kind, Kind::Part)).count();
                let sum: u32 = basket.lines.iter().map(|line| line.quantity).sum();
                format!("{parts} {sum} {} {}", basket.note.is_some(), basket.labels.len())
            }),
        )
        .route(
            "/maybe",
            post(|OptionalJson(line): OptionalJson<Line>| async move { format!("{}", line.is_some()) }),
        )
        .route("/things/{id}", get(|ApiPath(id): ApiPath<u32>| async move { id.to_string() }))
        .route(
            "/search",
            get(|ApiQuery(filter): ApiQuery<Filter>| async move {
                format!("{} {:?}", filter.status.join("+"), filter.from)
            }),
        )
}

#[tokio::test]
async fn good_bodies_pass_with_and_without_content_type() {
    let body = r#"{"lines":[{"quantity":2,"kind":"part"},{"quantity":1,"kind":"service"}]}"#;
    assert_eq!(
        post_json(&router(), "/baskets", body).await.text(),
        "1 3 false 0"
    );
    assert_eq!(
        send(&router(), Request::post("/baskets"), body)
            .await
            .status,
        200
    );
    let vendor = Request::post("/baskets").header(
        "content-type",
        "application/merge-patch+json; charset=utf-8",
    );
    assert_eq!(send(&router(), vendor, body).await.status, 200);
}

#[tokio::test]
async fn unreadable_bodies_are_400_with_their_place() {
    for body in [
        "",
        "{",
        "[1,",
        "{\"lines\":[]} x",
        "\u{feff}{}",
        "{\"note\":\"\\ud800\",\"lines\":[]}",
    ] {
        post_json(&router(), "/baskets", body).await.problem(400);
    }
    // A wrong type before a syntax error: the body cannot be read at all.
    let answer = post_json(&router(), "/baskets", "{\"lines\": 1,\n oops").await;
    assert_eq!(answer.problem(400)["line"], 2);
    post_json(&router(), "/baskets", vec![b'"', 0xff, b'"'])
        .await
        .problem(400);
    let deep = "[".repeat(5000);
    post_json(&router(), "/baskets", deep).await.problem(400);
}

#[tokio::test]
async fn another_content_type_is_400() {
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ] {
        let request = Request::post("/baskets").header("content-type", kind);
        send(&router(), request, "{\"lines\":[]}")
            .await
            .problem(400);
    }
}

#[tokio::test]
async fn wrong_values_are_422_at_their_place() {
    let cases = [
        (
            r#"{"lines":[{"quantity":"two","kind":"part"}]}"#,
            "/lines/0/quantity",
        ),
        (
            r#"{"lines":[{"quantity":1,"kind":"part"},{"quantity":-1,"kind":"part"}]}"#,
            "/lines/1/quantity",
        ),
        (
            r#"{"lines":[{"quantity":99999999999,"kind":"part"}]}"#,
            "/lines/0/quantity",
        ),
        (
            r#"{"lines":[{"quantity":1,"kind":"gift"}]}"#,
            "/lines/0/kind",
        ),
        (r#"{"lines":[{"quantity":1}]}"#, "/lines/0/kind"),
        (
            r#"{"lines":[{"quantity":1,"kind":"part","colour":"red"}]}"#,
            "/lines/0/colour",
        ),
        (r#"{"lines":[],"a/b~c":1}"#, "/a~1b~0c"),
        (r#"{"lines":[],"lines":[]}"#, "/lines"),
        (r#"{"lines":null}"#, "/lines"),
        (r#"{"lines":[],"labels":{"x/y":7}}"#, "/labels/x~1y"),
        (r#"{}"#, "/lines"),
        ("null", ""),
        ("[]", "/lines"),
    ];
    for (body, pointer) in cases {
        let answer = post_json(&router(), "/baskets", body).await;
        let pointers = answer.pointers();
        if body == "[]" {
            assert_eq!(pointers.len(), 1, "{body}");
        } else {
            assert_eq!(pointers, [pointer], "{body}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn nul_is_refused_wherever_it_stands() {
    let answer = post_json(&router(), "/baskets", r#"{"lines":[],"note":"a\u0000b"}"#).await;
    assert_eq!(answer.pointers(), ["/note"]);
    let answer = post_json(
        &router(),
        "/baskets",
        r#"{"lines":[],"labels":{"k":"\u0000"}}"#,
    )
    .await;
    assert_eq!(answer.pointers(), ["/labels/k"]);
    let answer = post_json(
        &router(),
        "/baskets",
        r#"{"lines":[],"labels":{"\u0000":"v"}}"#,
    )
    .await;
    assert_eq!(answer.pointers(), ["/labels"]);
    // Six characters that only look like the escape.
    let answer = post_json(&router(), "/baskets", r#"{"lines":[],"note":"a\\u0000b"}"#).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn more_than_a_mebibyte_is_413_announced_or_not() {
    let long = format!(
        "{{\"lines\":[],\"note\":\"{}\"}}",
        "x".repeat(MAX_JSON_BYTES)
    );
    post_json(&router(), "/baskets", long.clone())
        .await
        .problem(413);
    let announced = Request::post("/baskets").header("content-length", long.len().to_string());
    send(&router(), announced, long.clone()).await.problem(413);
    let pieces: Vec<Result<Vec<u8>, std::io::Error>> = long
        .as_bytes()
        .chunks(64 * 1024)
        .map(|piece| Ok(piece.to_vec()))
        .collect();
    let streamed = Body::from_stream(tokio_stream::iter(pieces));
    post_json(&router(), "/baskets", streamed)
        .await
        .problem(413);
    let fits = format!(
        "{{\"lines\":[],\"note\":\"{}\"}}",
        "x".repeat(MAX_JSON_BYTES - 64)
    );
    assert_eq!(post_json(&router(), "/baskets", fits).await.status, 200);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_400() {
    let pieces = vec![
        Ok("{\"lines\"".to_owned()),
        Err(std::io::Error::other("cut")),
    ];
    post_json(
        &router(),
        "/baskets",
        Body::from_stream(tokio_stream::iter(pieces)),
    )
    .await
    .problem(400);
}

#[tokio::test]
async fn an_optional_body_may_be_absent_but_not_wrong() {
    assert_eq!(
        send(&router(), Request::post("/maybe"), "").await.text(),
        "false"
    );
    let given = post_json(&router(), "/maybe", r#"{"quantity":1,"kind":"part"}"#).await;
    assert_eq!(given.text(), "true");
    assert_eq!(
        post_json(&router(), "/maybe", r#"{"kind":"part"}"#)
            .await
            .pointers(),
        ["/quantity"]
    );
    send(
        &router(),
        Request::post("/maybe").header("content-type", "text/plain"),
        "x",
    )
    .await
    .problem(400);
}

#[tokio::test]
async fn a_path_that_does_not_parse_is_unknown() {
    assert_eq!(fetch(&router(), "/things/7").await.text(), "7");
    for path in [
        "/things/seven",
        "/things/-1",
        "/things/7%00",
        "/things/%ff",
        "/things/99999999999",
    ] {
        fetch(&router(), path).await.problem(404);
    }
}

#[tokio::test]
async fn a_query_is_held_against_its_type() {
    assert_eq!(
        fetch(&router(), "/search?status=ready&status=received&from=3")
            .await
            .text(),
        "ready+received Some(3)"
    );
    assert_eq!(
        fetch(&router(), "/search?from=x").await.pointers(),
        ["/from"]
    );
    fetch(&router(), "/search?status=%00").await.problem(422);
}
