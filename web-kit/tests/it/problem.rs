//! Problem documents as callers get them.
//! A refusal never tells what went wrong inside.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use serde_json::json;
use tower_http::catch_panic::CatchPanicLayer;
use web_kit::Problem;
use web_kit::problem::{panic_response, unknown_route, wrong_method};

use crate::support::send;

fn router() -> Router {
    Router::new()
        .route(
            "/boom",
            get(|| async {
                if true {
                    panic!("secret inside")
                }
            }),
        )
        .route(
            "/busy",
            get(|| async {
                Problem::conflict("short", "Not enough stock", "2 are free.")
                    .with("free", 2)
                    .with("elsewhere", json!([{"branch": "LEI", "quantity": 3}]))
                    .error("/quantity", "3 were asked for.")
            }),
        )
        .route("/slow-down", get(|| async { Problem::too_many(17) }))
        .route("/who", get(|| async { Problem::unauthorized() }))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(CatchPanicLayer::custom(panic_response))
}

#[tokio::test]
async fn a_problem_has_its_members_and_those_of_its_kind() {
    let answer = send(&router(), Request::get("/busy"), Body::empty()).await;
    let members = answer.problem(409);
    assert_eq!(members["type"], "urn:counterpart:problem:short");
    assert_eq!(members["free"], 2);
    assert_eq!(members["elsewhere"][0]["branch"], "LEI");
    assert_eq!(members["errors"][0]["pointer"], "/quantity");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems() {
    let unknown = send(&router(), Request::get("/nowhere"), Body::empty()).await;
    assert_eq!(unknown.problem(404)["detail"], "Nothing is at /nowhere.");
    let wrong = send(&router(), Request::delete("/busy"), Body::empty()).await;
    wrong.problem(405);
    assert!(wrong.header("allow").contains("GET"));
}

#[tokio::test]
async fn a_panic_says_nothing_about_itself() {
    let answer = send(&router(), Request::get("/boom"), Body::empty()).await;
    answer.problem(500);
    assert!(!answer.text().contains("secret"));
}

#[tokio::test]
async fn too_many_and_not_signed_in_carry_their_headers() {
    let busy = send(&router(), Request::get("/slow-down"), Body::empty()).await;
    busy.problem(429);
    assert_eq!(busy.header("retry-after"), "17");
    let who = send(&router(), Request::get("/who"), Body::empty()).await;
    who.problem(401);
    assert_eq!(who.header("www-authenticate"), "Bearer");
}

#[test]
fn constructors_answer_with_their_status() {
    let all = [
        (Problem::bad_request("x"), 400),
        (Problem::unauthorized(), 401),
        (Problem::wrong_credentials(), 401),
        (Problem::forbidden("x"), 403),
        (Problem::not_found("x"), 404),
        (Problem::conflict("a", "A", "x"), 409),
        (Problem::stale(), 412),
        (Problem::too_large(1), 413),
        (Problem::invalid_field("/a", "x"), 422),
        (Problem::key_reused(), 422),
        (Problem::too_many(1), 429),
        (Problem::internal(), 500),
        (Problem::unavailable("the hub"), 503),
    ];
    for (problem, status) in all {
        assert_eq!(problem.status(), StatusCode::from_u16(status).unwrap());
        assert_eq!(problem.body().status, status);
    }
}
