//! The API's description: parts that every route shares, its address, and a page
//! to read it.
//!
//! The page is rendered here, from the document itself, without scripts and
//! without anything from the internet; the usual viewers need inline styles that
//! our content policy forbids. Nothing here describes a route.

use std::collections::BTreeMap;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{Object, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, Content, OpenApi, OpenApiVersion, Ref, RefOr, ResponseBuilder,
};
use utoipa::{IntoParams, IntoResponses, ToSchema};

use crate::etag::{ETag, IfNoneMatch};
use crate::problem::{FieldError, PROBLEM_JSON, Problem, ProblemBody};
use crate::reference;
use crate::session::SessionCookie;
use crate::shell::html;

/// Address of the description.
pub const OPENAPI_PATH: &str = "/api/v1/openapi.json";
/// Address of the page to read it.
pub const REFERENCE_PATH: &str = "/api/v1/docs";

type Responses = BTreeMap<String, RefOr<utoipa::openapi::Response>>;

/// Errors of a route that only reads: 401, 403, 404, 422, 503.
#[derive(Debug, Clone, Copy)]
pub struct ReadErrors;

/// Errors of a route that writes: 400, 401, 403, 404, 409, 412, 413, 422, 503.
#[derive(Debug, Clone, Copy)]
pub struct WriteErrors;

/// Errors of signing in: 400, 401, 413, 422, 429, 503.
#[derive(Debug, Clone, Copy)]
pub struct SignInErrors;

/// Every error that the API knows.
#[derive(Debug, Clone, Copy)]
pub struct StandardErrors;

impl IntoResponses for ReadErrors {
    fn responses() -> Responses {
        errors(&[401, 403, 404, 422, 503])
    }
}

impl IntoResponses for WriteErrors {
    fn responses() -> Responses {
        errors(&[400, 401, 403, 404, 409, 412, 413, 422, 503])
    }
}

impl IntoResponses for SignInErrors {
    fn responses() -> Responses {
        errors(&[400, 401, 413, 422, 429, 503])
    }
}

impl IntoResponses for StandardErrors {
    fn responses() -> Responses {
        errors(&[400, 401, 403, 404, 409, 412, 413, 422, 429, 503])
    }
}

/// The problem responses of these statuses, for routes whose set is another.
pub fn errors(statuses: &[u16]) -> Responses {
    statuses
        .iter()
        .map(|status| (status.to_string(), RefOr::T(error_response(*status))))
        .collect()
}

fn error_response(status: u16) -> utoipa::openapi::Response {
    let description = match status {
        400 => "Unreadable, or a required header is missing",
        401 => "Not signed in",
        403 => "Not allowed",
        404 => "Unknown",
        409 => "The state of things does not allow it",
        412 => "Changed since it was read (`If-Match`)",
        413 => "The body is larger than 1 MiB",
        422 => "Readable but wrong; nothing was changed",
        429 => "Too many tries",
        503 => "Something that is needed is missing at the moment",
        _ => "Problem",
    };
    let content = Content::new(Some(Ref::from_schema_name(ProblemBody::name())));
    let response = ResponseBuilder::new()
        .description(description)
        .content(PROBLEM_JSON, content);
    if status == 429 {
        let seconds = HeaderBuilder::new()
            .schema(Some(Object::with_type(Type::Integer)))
            .description(Some("Seconds to wait"));
        response.header("Retry-After", seconds.build()).build()
    } else {
        response.build()
    }
}

/// Adds what all routes share: the schemas of problems, the two ways of showing a
/// token, and that one of them is needed unless a route says otherwise
/// (`security(())`).
pub fn complete(mut document: OpenApi, cookie: &SessionCookie) -> OpenApi {
    let components = document
        .components
        .take()
        .unwrap_or_else(|| ComponentsBuilder::new().build());
    let bearer = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The token of POST /api/v1/session."))
        .build();
    let by_cookie = ApiKeyValue::with_description(cookie.name(), "The session of a page.");
    let components = ComponentsBuilder::from(components)
        .schema_from::<ProblemBody>()
        .schema_from::<FieldError>()
        .security_scheme("bearer", SecurityScheme::Http(bearer))
        .security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(by_cookie)))
        .build();
    document.components = Some(components);
    document.openapi = OpenApiVersion::Version31;
    let none: [String; 0] = [];
    document.security = Some(vec![
        SecurityRequirement::new("bearer", none.clone()),
        SecurityRequirement::new("cookie", none),
    ]);
    document
}

/// All operations of a document, for tests that go over every route.
pub fn operations(document: &OpenApi) -> Vec<(String, &'static str, &Operation)> {
    let mut all = Vec::new();
    for (path, item) in &document.paths.paths {
        let methods = [
            ("GET", &item.get),
            ("POST", &item.post),
            ("PUT", &item.put),
            ("PATCH", &item.patch),
            ("DELETE", &item.delete),
        ];
        for (method, operation) in methods {
            if let Some(operation) = operation {
                all.push((path.clone(), method, operation));
            }
        }
    }
    all
}

/// The routes of the description and of its page. The document is rendered once,
/// here.
///
/// # Errors
/// 500 when the document cannot be serialised or rendered, which is a mistake in
/// the program and shows at start.
pub fn routes<S: Clone + Send + Sync + 'static>(document: &OpenApi) -> Result<Router<S>, Problem> {
    let value = serde_json::to_value(document).map_err(|error| {
        tracing::error!(%error, "the description of the API cannot be serialised");
        Problem::internal()
    })?;
    let json = Bytes::from(value.to_string());
    let tag = ETag::of_bytes(&json);
    let page = reference::render(&value, OPENAPI_PATH)?;
    let serve = move |known: IfNoneMatch| {
        let (tag, json) = (tag.clone(), json.clone());
        async move { known.answer(tag, json_answer(json)) }
    };
    let read = move || {
        let page = page.clone();
        async move { html(page) }
    };
    Ok(Router::new()
        .route(OPENAPI_PATH, get(serve))
        .route(REFERENCE_PATH, get(read)))
}

fn json_answer(json: Bytes) -> Response {
    let head = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (head, json).into_response()
}

/// Gives each operation a name of its own, from its method and address: handlers are called alike in many files.
#[must_use]
pub fn named(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    for (path, item) in &mut document.paths.paths {
        let words: Vec<&str> = path
            .trim_start_matches("/api/v1")
            .split(['/', '{', '}', '.'])
            .filter(|word| !word.is_empty())
            .collect();
        let name = words.join("_");
        let operations = [
            ("get", &mut item.get),
            ("post", &mut item.post),
            ("put", &mut item.put),
            ("patch", &mut item.patch),
            ("delete", &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                operation.operation_id = Some(format!("{method}_{name}"));
            }
        }
    }
    document
}

/// Header of a command that may be repeated.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct KeyHeader {
    /// Same key and body replay the first answer with `Idempotency-Replayed: true`; another body gives 422.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]{1,255}$"
    )]
    pub idempotency_key: Option<String>,
}

/// Header of a command that moves stock or money.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct RequiredKeyHeader {
    /// Required. Same key and body replay the first answer with `Idempotency-Replayed: true`; another body gives 422.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]{1,255}$"
    )]
    pub idempotency_key: String,
}

/// Header of a change to something that was read before.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct MatchHeader {
    /// `ETag` of the version that the change is based on; 412 when there is a newer one.
    #[param(rename = "If-Match")]
    pub if_match: Option<String>,
}
