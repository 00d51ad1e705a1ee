//! Who calls, by bearer token or by cookie.
//! A token is never printed by accident.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::request::Builder;
use axum::routing::get;
use web_kit::{Credentials, SessionCookie, SessionToken};

use crate::support::{Answer, App, send};

fn router() -> Router {
    Router::new()
        .route(
            "/me",
            get(|credentials: Credentials| async move { format!("{:?}", credentials.source) }),
        )
        .route(
            "/maybe",
            get(
                |credentials: Option<Credentials>| async move { credentials.is_some().to_string() },
            ),
        )
        .with_state(App)
}

fn token() -> SessionToken {
    SessionToken::from_random([9; 32])
}

async fn me(request: Builder) -> Answer {
    send(&router(), request, Body::empty()).await
}

#[tokio::test]
async fn a_bearer_and_a_cookie_are_told_apart() {
    let bearer =
        Request::get("/me").header("authorization", format!("bearer {}", token().reveal()));
    assert_eq!(me(bearer).await.text(), "Bearer");
    let cookie = format!("a=b; __Host-counterpart-00c0ffee={}; c=d", token().reveal());
    assert_eq!(
        me(Request::get("/me").header("cookie", cookie))
            .await
            .text(),
        "Cookie"
    );
}

#[tokio::test]
async fn no_or_wrong_credentials_are_401() {
    me(Request::get("/me")).await.problem(401);
    let other_node = format!("__Host-counterpart-00000001={}", token().reveal());
    me(Request::get("/me").header("cookie", other_node))
        .await
        .problem(401);
    let good_cookie = format!("__Host-counterpart-00c0ffee={}", token().reveal());
    for wrong in ["Basic YTpi", "Bearer", "Bearer short", "Bearer \u{fc}"] {
        let request = Request::get("/me")
            .header("authorization", wrong)
            .header("cookie", &good_cookie);
        me(request).await.problem(401);
    }
    assert_eq!(me(Request::get("/maybe")).await.text(), "false");
    me(Request::get("/maybe").header("authorization", "Basic YTpi"))
        .await
        .problem(401);
}

#[test]
fn the_cookie_is_bound_to_host_and_node() {
    let cookie = SessionCookie::for_node("00c0ffee");
    let set = cookie.set(&token(), 43_200);
    let text = set.to_str().unwrap();
    assert!(text.starts_with("__Host-counterpart-00c0ffee="));
    for attribute in [
        "; Path=/",
        "; Max-Age=43200",
        "; HttpOnly",
        "; Secure",
        "; SameSite=Strict",
    ] {
        assert!(text.contains(attribute), "{text}");
    }
    assert!(!text.contains("Domain"));
    assert!(cookie.clear().to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(
        SessionCookie::for_node("a;b=c\r\n").name(),
        "__Host-counterpart-abc"
    );
}

#[test]
fn a_token_shows_itself_only_when_asked() {
    assert_eq!(SessionToken::parse(&token().reveal()), Some(token()));
    assert_eq!(SessionToken::parse("x"), None);
    assert_eq!(token().reveal().len(), 43);
    assert_eq!(format!("{:?}", token()), "SessionToken(…)");
    assert_ne!(token().hash(), [9; 32]);
}
