//! The description of the API and the page that shows it.
//! A reference in the description never leads nowhere, and the page never needs a script.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use utoipa::OpenApi;
use web_kit::openapi::{
    OPENAPI_PATH, REFERENCE_PATH, ReadErrors, SignInErrors, WriteErrors, complete, operations,
    routes,
};
use web_kit::{ListQuery, Page, SessionAnswer, SessionCookie, SignInRequest};

use crate::support::{get, send};

#[derive(serde::Serialize, utoipa::ToSchema)]
struct Thing {
    /// How many <things>.
    #[schema(minimum = 1)]
    quantity: u32,
}

#[expect(dead_code, reason = "only its description counts")]
/// Lists things.
#[utoipa::path(get, path = "/api/v1/things", tag = "things", params(ListQuery), responses((status = 200, body = Page<Thing>), ReadErrors))]
fn list_things() {}

#[expect(dead_code, reason = "only its description counts")]
/// Makes a thing.
#[utoipa::path(post, path = "/api/v1/things", tag = "things", responses((status = 201, body = Thing), WriteErrors))]
fn make_thing() {}

#[expect(dead_code, reason = "only its description counts")]
/// Signs in.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = SignInRequest, responses((status = 201, body = SessionAnswer), SignInErrors), security(()))]
fn sign_in() {}

#[derive(OpenApi)]
#[openapi(
    info(title = "Things", version = "1"),
    paths(list_things, make_thing, sign_in)
)]
struct Description;

fn router() -> Router {
    let document = complete(Description::openapi(), &SessionCookie::for_node("0000002a"));
    assert_eq!(operations(&document).len(), 3);
    routes(&document).unwrap()
}

/// Every `$ref` leads somewhere.
fn check_refs(value: &Value, document: &Value) {
    match value {
        Value::Object(members) => {
            if let Some(at) = members.get("$ref").and_then(Value::as_str) {
                assert!(
                    document.pointer(at.trim_start_matches('#')).is_some(),
                    "{at} leads nowhere"
                );
            }
            members
                .values()
                .for_each(|member| check_refs(member, document));
        }
        Value::Array(items) => items.iter().for_each(|item| check_refs(item, document)),
        _ => {}
    }
}

#[tokio::test]
async fn the_description_is_complete() {
    let answer = get(&router(), OPENAPI_PATH).await;
    let document = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    check_refs(&document, &document);
    let post = &document["paths"]["/api/v1/things"]["post"]["responses"];
    for status in [
        "201", "400", "401", "403", "404", "409", "412", "413", "422", "503",
    ] {
        assert!(post[status].is_object(), "{status}");
    }
    let schema = &post["422"]["content"]["application/problem+json"]["schema"]["$ref"];
    assert_eq!(schema, "#/components/schemas/Problem");
    let signing_in = &document["paths"]["/api/v1/session"]["post"];
    assert!(signing_in["responses"]["429"]["headers"]["Retry-After"].is_object());
    assert_eq!(signing_in["security"], serde_json::json!([{}]));
    assert_eq!(document["security"].as_array().unwrap().len(), 2);
    assert_eq!(
        document["components"]["securitySchemes"]["cookie"]["name"],
        "__Host-counterpart-0000002a"
    );
    let limit = &document["paths"]["/api/v1/things"]["get"]["parameters"][0];
    assert_eq!(
        (limit["name"].as_str(), limit["required"].as_bool()),
        (Some("limit"), Some(false)),
        "{limit}"
    );
    let problem = &document["components"]["schemas"]["Problem"];
    for member in ["type", "title", "status", "detail", "errors"] {
        assert!(
            problem["allOf"][1]["properties"][member].is_object(),
            "{problem}"
        );
    }

    let again = Request::get(OPENAPI_PATH).header("if-none-match", answer.header("etag"));
    assert_eq!(send(&router(), again, Body::empty()).await.status, 304);
}

#[tokio::test]
async fn the_page_shows_every_route_without_scripts() {
    let page = get(&router(), REFERENCE_PATH).await;
    let text = page.text();
    for part in [
        "/api/v1/things",
        "POST",
        "id=\"schema-Problem\"",
        "href=\"#schema-Thing\"",
        "Needs no session",
        "How many &#60;things&#62;.",
    ] {
        assert!(text.contains(part), "{part} is missing");
    }
    assert!(!text.contains("<script") && !text.contains("style="));
}
