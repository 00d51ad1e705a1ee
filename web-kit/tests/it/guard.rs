//! What surrounds every route: headers, allowed hosts, requests of other sites, problems as pages.
//! No answer ever goes out without the headers.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::request::Builder;
use axum::routing::{get, post};
use web_kit::{Guard, HostAllowList, Language, Problem, ProblemPages, Side, assets};

use crate::support::{Answer, send};

fn guard(over_tls: bool) -> Guard {
    let pages = ProblemPages {
        side: Side::Branch,
        language: Language::English,
        place: "Leipzig <Süd>".into(),
        home: "/".into(),
        sign_in: "/sign-in".into(),
    };
    Guard {
        hosts: HostAllowList::loopback_and(["shop.example", "2001:db8::7"]),
        pages,
        over_tls,
    }
}

fn router() -> Router {
    let routes = Router::new()
        .route("/", get(|| async { "start" }))
        .route("/secret", get(|| async { Problem::unauthorized() }))
        .route(
            "/boom",
            get(|| async {
                if true {
                    panic!("inside")
                }
            }),
        )
        .route(
            "/form",
            post(|| async { Problem::invalid_field("/name", "A <name> is needed.") }),
        )
        .route(
            "/api/v1/things",
            post(|| async { "made" }).get(|| async { Problem::unauthorized() }),
        )
        .merge(assets::routes());
    guard(false).around(routes)
}

async fn ask(request: Builder) -> Answer {
    let has_host = request
        .headers_ref()
        .is_some_and(|headers| headers.contains_key("host"));
    let request = if has_host {
        request
    } else {
        request.header("host", "127.0.0.1:8101")
    };
    send(&router(), request, Body::empty()).await
}

#[tokio::test]
async fn every_answer_carries_the_headers() {
    for path in [
        "/",
        "/nowhere",
        "/boom",
        "/api/v1/things",
        "/assets/app.css",
    ] {
        let answer = ask(Request::get(path)).await;
        assert!(
            answer
                .header("content-security-policy")
                .starts_with("default-src 'self'; "),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(answer.header("strict-transport-security"), "");
        assert_ne!(answer.header("cache-control"), "");
    }
    assert_eq!(
        ask(Request::get("/")).await.header("cache-control"),
        "no-store"
    );
    let over_tls = guard(true).around(Router::new().route("/", get(|| async {})));
    let answer = send(
        &over_tls,
        Request::get("/").header("host", "localhost"),
        Body::empty(),
    )
    .await;
    assert!(
        answer
            .header("strict-transport-security")
            .contains("max-age=")
    );
}

#[tokio::test]
async fn only_its_own_names_are_answered() {
    for host in [
        "localhost",
        "LOCALHOST:1",
        "127.0.0.1:8101",
        "[::1]:80",
        "shop.example",
        "shop.example.:443",
        "[2001:db8::7]:1",
    ] {
        assert_eq!(
            ask(Request::get("/").header("host", host)).await.status,
            200,
            "{host}"
        );
    }
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "shop.example@evil.example",
        "",
        "a b",
        "10.0.0.1",
    ] {
        let answer = ask(Request::post("/api/v1/things").header("host", host)).await;
        answer.problem(403);
    }
    send(&router(), Request::get("/api/v1/things"), Body::empty())
        .await
        .problem(400);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_write() {
    let post = || Request::post("/api/v1/things").header("host", "localhost:8101");
    for forged in [
        post().header("sec-fetch-site", "cross-site"),
        post().header("sec-fetch-site", "same-site"),
        post().header("origin", "http://evil.example"),
        post().header("origin", "http://localhost:8102"),
        post().header("origin", "null"),
    ] {
        ask(forged).await.problem(403);
    }
    for own in [
        post(),
        post().header("sec-fetch-site", "same-origin"),
        post().header("origin", "http://localhost:8101"),
    ] {
        assert_eq!(ask(own).await.text(), "made");
    }
}

#[tokio::test]
async fn people_read_problems_as_pages() {
    let page = ask(Request::get("/nowhere")).await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (404, "text/html; charset=utf-8")
    );
    assert!(
        page.text().contains("Leipzig &#60;Süd&#62;"),
        "{}",
        page.text()
    );
    let boom = ask(Request::get("/boom")).await;
    assert_eq!(boom.status, 500);
    assert!(!boom.text().contains("inside"));
    let fragment = Request::post("/form")
        .header("hx-request", "true")
        .header("hx-request-type", "partial");
    let fragment = ask(fragment).await;
    assert_eq!(fragment.status, 422);
    assert!(fragment.text().starts_with("<div class=\"banner\""));
    assert!(fragment.text().contains("A &#60;name&#62; is needed."));
}

#[tokio::test]
async fn who_is_not_signed_in_is_sent_to_the_door() {
    let page = ask(Request::get("/secret?status=ready&x=1")).await;
    assert_eq!(
        (page.status.as_u16(), page.header("location")),
        (303, "/sign-in?next=/secret%3Fstatus%3Dready%26x%3D1")
    );
    let by_htmx = ask(Request::get("/secret")
        .header("hx-request", "true")
        .header("hx-request-type", "partial"))
    .await;
    assert_eq!(
        (by_htmx.status.as_u16(), by_htmx.header("hx-redirect")),
        (401, "/sign-in")
    );
    ask(Request::get("/api/v1/things")).await.problem(401);
}

#[tokio::test]
async fn the_api_gets_problems_as_json() {
    ask(Request::get("/api/v1/nowhere")).await.problem(404);
    ask(Request::delete("/api/v1/things")).await.problem(405);
    ask(Request::get("/assets/none.js")).await.problem(404);
}
