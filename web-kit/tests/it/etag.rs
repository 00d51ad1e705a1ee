//! Conditional requests: `If-Match` before a write, `If-None-Match` before a read.
//! A write over something that changed since never passes.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::{get, patch};
use web_kit::{ETag, IfMatch, IfNoneMatch, Problem};

use crate::support::send;

fn router() -> Router {
    let read = get(|known: IfNoneMatch| async move { known.answer(ETag::of_version(3), "thing") });
    let write = patch(|condition: IfMatch| async move {
        condition.check(&ETag::of_version(3))?;
        Ok::<_, Problem>("changed")
    });
    Router::new().route("/thing", read.merge(write))
}

async fn status(method: &str, name: &str, value: &str) -> u16 {
    let request = Request::builder()
        .method(method)
        .uri("/thing")
        .header(name, value);
    send(&router(), request, Body::empty())
        .await
        .status
        .as_u16()
}

#[tokio::test]
async fn if_match_holds_stale_writes_off() {
    for fits in ["\"v3\"", "*", "\"v1\", \"v3\"", "\"a,b\",\"v3\""] {
        assert_eq!(status("PATCH", "if-match", fits).await, 200, "{fits}");
    }
    for stale in ["\"v2\"", "W/\"v3\"", "\"v1\" , \"v2\""] {
        assert_eq!(status("PATCH", "if-match", stale).await, 412, "{stale}");
    }
    for unreadable in ["v3", "\"v3", "\"v3\" \"v4\"", "\"v3\",", ""] {
        assert_eq!(
            status("PATCH", "if-match", unreadable).await,
            400,
            "{unreadable}"
        );
    }
    assert_eq!(
        send(&router(), Request::patch("/thing"), Body::empty())
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn who_has_it_already_gets_304() {
    assert_eq!(status("GET", "if-none-match", "W/\"v3\"").await, 304);
    let other = Request::get("/thing").header("if-none-match", "\"v2\"");
    let answer = send(&router(), other, Body::empty()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.text(), answer.header("etag")),
        (200, "thing", "\"v3\"")
    );
}

#[test]
fn heads_make_one_tag_in_any_order() {
    assert_eq!(
        ETag::of_heads([[1; 32], [2; 32]]),
        ETag::of_heads([[2; 32], [1; 32]])
    );
    assert_ne!(ETag::of_heads([[1; 32]]), ETag::of_heads([[2; 32]]));
    assert_ne!(
        ETag::of_heads([b"ab".as_slice(), b"c"]),
        ETag::of_heads([b"a".as_slice(), b"bc"])
    );
    assert_ne!(ETag::of_bytes(b""), ETag::of_heads::<[u8; 32]>([]));
}
