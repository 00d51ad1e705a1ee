//! Server-sent events as they go over the wire.
//! A stream never stays quiet for so long that it looks dead.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use futures_util::stream;
use serde_json::json;
use web_kit::{LiveEvent, SafeHtml, event_stream};

use crate::support::send;

#[tokio::test]
async fn events_are_named_json_after_the_retry_time() {
    let events = || {
        stream::iter([
            LiveEvent::resync(),
            LiveEvent::named("orders-changed", &json!({"id": "a\nb"})),
            LiveEvent::html(&SafeHtml::escape("<").partial("#n", "textContent")),
        ])
    };
    let router = Router::new().route(
        "/events",
        get(move || async move { event_stream(events()) }),
    );
    let answer = send(&router, Request::get("/events"), Body::empty()).await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    let text = answer.text();
    assert!(
        text.starts_with("retry: 1000\n\nevent: resync\ndata: {}\n\n"),
        "{text}"
    );
    assert!(text.contains("event: orders-changed\ndata: {\"id\":\"a\\nb\"}\n\n"));
    assert!(text.contains("event: html\ndata: {\"html\":\"<hx-partial"));
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_ticks() {
    use http_body_util::BodyExt;
    use tower::ServiceExt;
    let router: Router =
        Router::new().route("/events", get(|| async { event_stream(stream::pending()) }));
    let request = Request::get("/events").body(Body::empty()).unwrap();
    let mut body = router.oneshot(request).await.unwrap().into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(&first[..], b"retry: 1000\n\n");
    let started = tokio::time::Instant::now();
    let tick = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(&tick[..], b"event: tick\ndata: {}\n\n");
    assert_eq!(started.elapsed().as_secs(), web_kit::events::TICK_S);
}
