//! The guard around a whole router: security headers, caching, Host, forged requests.
//!
//! Nothing here knows a person or a route. The policy allows this program's own
//! files only, without inline script or style, so a template that needs either
//! is wrong, not the policy.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::{CsrfLayer, ProtectionError};

use crate::pages::{ProblemPages, show_problems};
use crate::problem::{Problem, panic_response, unknown_route, wrong_method};

/// The content security policy of every answer.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

const HSTS: &str = "max-age=31536000";

/// The names under which this program may be addressed (T-8). A page of another
/// site that points its own name at our address (DNS rebinding) is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAllowList(Arc<BTreeSet<String>>);

impl HostAllowList {
    /// The loopback names and `more` (names or addresses, without port).
    pub fn loopback_and<I, T>(more: I) -> Self
    where
        I: IntoIterator<Item = T>,
        T: AsRef<str>,
    {
        let own = ["localhost", "127.0.0.1", "[::1]"].map(String::from);
        let more = more.into_iter().map(|name| normal(name.as_ref()));
        Self(Arc::new(own.into_iter().chain(more).collect()))
    }

    /// True when `authority` (`name`, `name:port`, `[address]:port`) is one of them;
    /// ports do not matter.
    pub fn allows(&self, authority: &str) -> bool {
        let Ok(authority) = authority.parse::<Authority>() else {
            return false;
        };
        let user_info = authority.as_str().contains('@');
        !user_info && self.0.contains(&normal(authority.host()))
    }
}

fn normal(name: &str) -> String {
    let name = name.trim().trim_end_matches('.').to_ascii_lowercase();
    let is_bare_v6 = name.parse::<std::net::Ipv6Addr>().is_ok();
    if is_bare_v6 {
        format!("[{name}]")
    } else {
        name
    }
}

/// How a router is guarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// The names under which it may be addressed.
    pub hosts: HostAllowList,
    /// How problems look to people.
    pub pages: ProblemPages,
    /// True when it is served over TLS: browsers are then told to keep to that.
    pub over_tls: bool,
}

impl Guard {
    /// Puts everything around a finished router: unknown routes and wrong methods,
    /// panics, forged requests, Host, problems as pages, headers. Routes added
    /// afterwards are not guarded.
    pub fn around<S: Clone + Send + Sync + 'static>(self, router: Router<S>) -> Router<S> {
        let csrf = CsrfLayer::new().with_rejection_response(forged);
        router
            .fallback(unknown_route)
            .method_not_allowed_fallback(wrong_method)
            .layer(csrf)
            .layer(from_fn_with_state(self.hosts, check_host))
            .layer(CatchPanicLayer::custom(panic_response))
            .layer(from_fn_with_state(self.pages, show_problems))
            .layer(from_fn_with_state(self.over_tls, add_headers))
    }
}

fn forged(_reason: ProtectionError) -> Response {
    Problem::forbidden("This request was made by a page of another site.").into_response()
}

async fn check_host(State(hosts): State<HostAllowList>, request: Request, next: Next) -> Response {
    let named = request
        .headers()
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let in_uri = request.uri().authority().map(Authority::as_str);
    match in_uri.or(named) {
        None => Problem::bad_request("The header Host is missing.").into_response(),
        Some(host) if hosts.allows(host) => next.run(request).await,
        Some(_) => Problem::forbidden(
            "This program does not go by that name. Its configuration lists the names.",
        )
        .into_response(),
    }
}

async fn add_headers(State(over_tls): State<bool>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // `no-referrer` would make browsers send `Origin: null` with a form's post,
        // which the check against forged requests must refuse.
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if over_tls {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(HSTS),
        );
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Headers alone, for a listener that serves no pages (metrics, health).
pub fn plain_headers<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router.layer(from_fn(|request: Request, next: Next| {
        add_headers(State(false), request, next)
    }))
}
