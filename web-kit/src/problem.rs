//! RFC 9457 problem documents: the one form in which the API says no.
//!
//! A [`Problem`] is an ordinary error value that handlers return. It never
//! carries internals: what went wrong inside is logged where it happened, and a
//! 500 says only that it was our fault. Each response also carries its problem
//! as an extension, so that the page layer can say the same in HTML.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;

use axum::Json;
use axum::extract::OriginalUri;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Media type of a problem document.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// One thing that is wrong with the input, by its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// RFC 6901 pointer into the body (`/lines/0/quantity`); for a query parameter
    /// `/` and its name; empty for the body as a whole.
    #[schema(example = "/lines/0/quantity")]
    pub pointer: String,
    /// What is wrong with it, in a sentence for a person.
    pub detail: String,
}

impl FieldError {
    /// An error at `pointer`.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            detail: detail.into(),
        }
    }
}

/// The members of a problem document as they go over the wire.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `urn:counterpart:problem:<slug>`, or `about:blank` when the status says it all.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "urn:counterpart:problem:move-not-allowed")]
    pub kind: Cow<'static, str>,
    /// A short name of the kind of problem.
    #[schema(value_type = String)]
    pub title: Cow<'static, str>,
    /// The HTTP status, repeated.
    pub status: u16,
    /// What happened this time, in a sentence for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What is wrong with the input, each by its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldError>,
    /// Members of this kind of problem alone, such as `allowed`, `free`, `elsewhere`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub extra: Map<String, Value>,
}

/// A refusal or failure on its way to the caller.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    inner: Box<Inner>,
}

#[derive(Debug, Clone, PartialEq)]
struct Inner {
    status: StatusCode,
    retry_after_s: Option<u64>,
    body: ProblemBody,
}

impl Problem {
    /// A problem of no special kind: `about:blank` with the status' own title.
    pub fn new(status: StatusCode) -> Self {
        let body = ProblemBody {
            kind: Cow::Borrowed("about:blank"),
            title: Cow::Borrowed(status.canonical_reason().unwrap_or("Problem")),
            status: status.as_u16(),
            detail: None,
            errors: Vec::new(),
            extra: Map::new(),
        };
        Self {
            inner: Box::new(Inner {
                status,
                retry_after_s: None,
                body,
            }),
        }
    }

    /// Names the kind of problem: `type` becomes `urn:counterpart:problem:<slug>`.
    #[must_use]
    pub fn kind(mut self, slug: &str, title: &'static str) -> Self {
        self.inner.body.kind = Cow::Owned(format!("urn:counterpart:problem:{slug}"));
        self.inner.body.title = Cow::Borrowed(title);
        self
    }

    /// Says what happened this time.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.inner.body.detail = Some(detail.into());
        self
    }

    /// Adds one error by its place.
    #[must_use]
    pub fn error(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.inner
            .body
            .errors
            .push(FieldError::new(pointer, detail));
        self
    }

    /// Adds several errors.
    #[must_use]
    pub fn errors(mut self, errors: impl IntoIterator<Item = FieldError>) -> Self {
        self.inner.body.errors.extend(errors);
        self
    }

    /// Adds a member of this kind of problem. The names of RFC 9457 itself are not
    /// for this and are left as they are.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        let reserved = ["type", "title", "status", "detail", "errors"];
        debug_assert!(
            !reserved.contains(&name),
            "{name} is a member of every problem"
        );
        if !reserved.contains(&name) {
            self.inner.body.extra.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Adds `Retry-After` in whole seconds.
    #[must_use]
    pub fn retry_after_s(mut self, seconds: u64) -> Self {
        self.inner.retry_after_s = Some(seconds);
        self
    }

    /// 400: the request cannot be read, or a required header is missing.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST)
            .kind("unreadable", "The request cannot be read")
            .detail(detail)
    }

    /// 401: nobody is signed in.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED)
            .kind("not-signed-in", "Not signed in")
            .detail("Sign in first. A session ends after a while without use.")
    }

    /// 401 for a sign-in that failed; says nothing about which part was wrong.
    pub fn wrong_credentials() -> Self {
        Self::new(StatusCode::UNAUTHORIZED)
            .kind("wrong-credentials", "Not signed in")
            .detail("This user name and password do not belong together.")
    }

    /// 403: signed in, and not allowed to do this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN)
            .kind("not-allowed", "Not allowed")
            .detail(detail)
    }

    /// 404: there is no such thing here.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND)
            .kind("unknown", "Unknown")
            .detail(detail)
    }

    /// 409: the state of things does not allow it. `slug` and `title` name the rule.
    pub fn conflict(slug: &str, title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT)
            .kind(slug, title)
            .detail(detail)
    }

    /// 412: somebody changed it since the caller read it.
    pub fn stale() -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED)
            .kind("stale", "Changed meanwhile")
            .detail("This was changed since it was read. Read it again and repeat.")
    }

    /// 413: the body is larger than `limit_bytes`.
    pub fn too_large(limit_bytes: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE)
            .kind("too-large", "Too large")
            .detail(format!("The body may have {limit_bytes} bytes at most."))
            .with("limit_bytes", limit_bytes)
    }

    /// 422: readable but wrong; `errors` name the places.
    pub fn invalid(errors: impl IntoIterator<Item = FieldError>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY)
            .kind("invalid", "Readable but wrong")
            .detail("Nothing was changed.")
            .errors(errors)
    }

    /// 422 for one place.
    pub fn invalid_field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::invalid([FieldError::new(pointer, detail)])
    }

    /// 422: the idempotency key was used for another request before.
    pub fn key_reused() -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY)
            .kind(
                "idempotency-key-reused",
                "This key belongs to another request",
            )
            .detail("The Idempotency-Key was used with another route or body. Nothing was changed.")
    }

    /// 429: too many tries; come back after `seconds`.
    pub fn too_many(seconds: u64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS)
            .kind("too-many", "Too many tries")
            .detail(format!("Try again in {seconds} s."))
            .retry_after_s(seconds)
    }

    /// 503: something this request needs is missing; `missing` says what.
    pub fn unavailable(missing: impl Into<String>) -> Self {
        let missing = missing.into();
        Self::new(StatusCode::SERVICE_UNAVAILABLE)
            .kind("unavailable", "Not available now")
            .detail(format!("Missing at the moment: {missing}."))
            .with("missing", missing)
    }

    /// 500: our fault. The cause belongs in the log, not here.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR)
            .detail("The program failed at this request. The cause is in its log.")
    }

    /// The status it answers with.
    pub fn status(&self) -> StatusCode {
        self.inner.status
    }

    /// The members as they go over the wire.
    pub fn body(&self) -> &ProblemBody {
        &self.inner.body
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.inner.body.status, self.inner.body.title)
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.inner.status, Json(&self.inner.body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.inner.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.inner.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Fallback of a router: an address that nothing answers.
pub async fn unknown_route(OriginalUri(uri): OriginalUri) -> Problem {
    Problem::not_found(format!("Nothing is at {}.", uri.path()))
}

/// Fallback of a router: an address that does not take this method.
pub async fn wrong_method(method: Method, OriginalUri(uri): OriginalUri) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED)
        .detail(format!("{} does not take {method}.", uri.path()))
}

/// Turns a panic of a handler into a 500 that says nothing about it; the panic's
/// place is in the log already, by the panic hook.
pub fn panic_response(_panic: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::internal().into_response()
}

/// Makes a refusal from inside a sentence: those are written without capital and full stop.
#[must_use]
pub fn sentence(text: &str) -> String {
    let mut sentence = String::with_capacity(text.len() + 1);
    let mut letters = text.chars();
    if let Some(first) = letters.next() {
        sentence.extend(first.to_uppercase());
    }
    sentence.push_str(letters.as_str());
    if !sentence.is_empty() && !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}
