//! A router state and a client for one request.

use axum::Router;
use axum::body::Body;
use axum::extract::FromRef;
use axum::http::request::Builder;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use web_kit::{IdempotencySecret, SessionCookie};

#[derive(Clone)]
pub struct App;

impl FromRef<App> for IdempotencySecret {
    fn from_ref(_: &App) -> Self {
        Self::new([7; 32])
    }
}

impl FromRef<App> for SessionCookie {
    fn from_ref(_: &App) -> Self {
        Self::for_node("00c0ffee")
    }
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts a problem document of this status and gives its members.
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(
            self.status.as_u16(),
            status,
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        assert_eq!(self.header("content-type"), "application/problem+json");
        let members = self.json();
        assert_eq!(members["status"], status);
        assert!(members["type"].is_string() && members["title"].is_string());
        members
    }

    /// The pointers of a 422.
    pub fn pointers(&self) -> Vec<String> {
        let members = self.problem(422);
        let errors = members["errors"].as_array().unwrap().iter();
        errors
            .map(|error| error["pointer"].as_str().unwrap().to_owned())
            .collect()
    }
}

pub async fn send(router: &Router, request: Builder, body: impl Into<Body>) -> Answer {
    let response = router
        .clone()
        .oneshot(request.body(body.into()).unwrap())
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

pub async fn post_json(router: &Router, path: &str, body: impl Into<Body>) -> Answer {
    send(
        router,
        Request::post(path).header("content-type", "application/json"),
        body,
    )
    .await
}

pub async fn get(router: &Router, path: &str) -> Answer {
    send(router, Request::get(path), Body::empty()).await
}
