//! Extractors that answer bad input with a problem: JSON bodies, path and query.
//!
//! Bad input never reaches a handler, never gives a 500 and never changes
//! anything. U+0000 is refused everywhere: Postgres cannot store it, so it must
//! not get into a branch's log either. No extractor here reads more than
//! [`MAX_JSON_BYTES`].

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::error::Category;
use serde_path_to_error::Segment;

use crate::objects::Objects;
use crate::problem::{FieldError, Problem};

/// Largest JSON or form body.
pub const MAX_JSON_BYTES: usize = 1024 * 1024;

const NUL_DETAIL: &str = "The character U+0000 is not allowed.";

/// A JSON body. Unreadable is 400, too large 413, readable but wrong 422 with
/// pointers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiJson<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for ApiJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        require_json(request.headers())?;
        let bytes = read_body(request).await?;
        parse_json(&bytes).map(Self)
    }
}

/// A JSON body that may be left out altogether.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionalJson<T>(pub Option<T>);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let is_json = require_json(request.headers());
        let bytes = read_body(request).await?;
        if bytes.is_empty() {
            return Ok(Self(None));
        }
        is_json?;
        parse_json(&bytes).map(|value| Self(Some(value)))
    }
}

/// Parts of the path. What does not parse (an id that is no UUID) is an unknown
/// address: 404.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiPath<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for ApiPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let unknown = || Problem::not_found("Nothing has this id.");
        if parts.uri.path().contains("%00") {
            return Err(unknown());
        }
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(_) => Err(unknown()),
        }
    }
}

/// Query parameters; wrong ones are 422 with `/name` as pointer. Repeated names
/// make a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiQuery<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parse_urlencoded(parts.uri.query().unwrap_or("").as_bytes()).map(Self)
    }
}

/// The longest text that a list is narrowed to, in characters.
pub const MAX_QUERY_CHARS: usize = 200;

/// A text of a query of at most [`MAX_QUERY_CHARS`], for `deserialize_with`.
///
/// # Errors
/// When it is longer.
pub fn query_text<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(value)?;
    match text {
        Some(text) if text.chars().count() > MAX_QUERY_CHARS => Err(serde::de::Error::custom(
            format!("must not be longer than {MAX_QUERY_CHARS} characters"),
        )),
        text => Ok(text),
    }
}

/// Refuses a content type other than JSON; none at all counts as JSON.
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let essence = value
        .to_str()
        .unwrap_or("")
        .split(';')
        .next()
        .unwrap_or("")
        .trim();
    let essence = essence.to_ascii_lowercase();
    let json = essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"));
    if json {
        Ok(())
    } else {
        Err(Problem::bad_request(
            "Content-Type must be application/json.",
        ))
    }
}

/// Reads a body of at most [`MAX_JSON_BYTES`].
pub(crate) async fn read_body(request: Request) -> Result<Bytes, Problem> {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_JSON_BYTES as u64) {
        return Err(Problem::too_large(MAX_JSON_BYTES));
    }
    let body: Body = request.into_body();
    to_bytes(body, MAX_JSON_BYTES).await.map_err(|error| {
        let too_long = std::error::Error::source(&error)
            .is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
        if too_long {
            Problem::too_large(MAX_JSON_BYTES)
        } else {
            Problem::bad_request("The body ended early.")
        }
    })
}

/// Parses a JSON text as [`ApiJson`] does. For bodies that come by another way.
///
/// # Errors
/// 400 when it is not JSON, 422 when it is not a `T` or holds U+0000.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(Objects(&mut reader));
    let value = match parsed {
        Ok(value) => value,
        Err(error) => return Err(json_problem(bytes, error)),
    };
    reader.end().map_err(|error| unreadable(&error))?;
    refuse_nul(bytes)?;
    Ok(value)
}

fn unreadable(error: &serde_json::Error) -> Problem {
    Problem::bad_request(format!("The body is not JSON: {error}."))
        .with("line", error.line())
        .with("column", error.column())
}

fn json_problem(bytes: &[u8], error: serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let path = error.path().clone();
    let cause = error.into_inner();
    if cause.classify() != Category::Data {
        return unreadable(&cause);
    }
    // The type error may stand before a syntax error: unreadable goes first.
    if let Err(syntax) = serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
        return unreadable(&syntax);
    }
    if let Err(nul) = refuse_nul(bytes) {
        return nul;
    }
    let text = cause.to_string();
    let message = text
        .rfind(" at line ")
        .map_or(text.as_str(), |end| &text[..end]);
    Problem::invalid_field(pointer(path.iter(), message), sentence(message))
}

/// Finds U+0000 in any string or name of a JSON text. In JSON it can only stand
/// as an escape, so most bodies are done after one search.
fn refuse_nul(bytes: &[u8]) -> Result<(), Problem> {
    if !bytes.windows(6).any(|window| window == b"\\u0000") {
        return Ok(());
    }
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        return Ok(());
    };
    let mut errors = Vec::new();
    find_nul(&value, &mut String::new(), &mut errors);
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::invalid(errors))
    }
}

fn find_nul(value: &Value, at: &mut String, errors: &mut Vec<FieldError>) {
    let length = at.len();
    match value {
        Value::String(text) if text.contains('\0') => {
            errors.push(FieldError::new(at.clone(), NUL_DETAIL));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                push_token(at, &index.to_string());
                find_nul(item, at, errors);
                at.truncate(length);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                if name.contains('\0') {
                    errors.push(FieldError::new(
                        at.clone(),
                        "A name holds the character U+0000.",
                    ));
                    continue;
                }
                push_token(at, name);
                find_nul(member, at, errors);
                at.truncate(length);
            }
        }
        _ => {}
    }
}

/// Parses an urlencoded text, from a query or a form.
pub(crate) fn parse_urlencoded<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.windows(3).any(|window| window == b"%00") || bytes.contains(&0) {
        return Err(Problem::invalid_field("", NUL_DETAIL));
    }
    let reader = serde_html_form::Deserializer::from_bytes(bytes);
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let path = error.path().clone();
        let message = error.into_inner().to_string();
        Problem::invalid_field(pointer(path.iter(), &message), sentence(&message))
    })
}

/// Makes an RFC 6901 pointer. serde reports a missing or unknown field at the
/// object that lacks or holds it; the pointer goes on to the field.
fn pointer<'a>(segments: impl Iterator<Item = &'a Segment>, message: &str) -> String {
    let mut at = String::new();
    let mut last = None;
    for segment in segments {
        match segment {
            Segment::Seq { index } => push_token(&mut at, &index.to_string()),
            Segment::Map { key } => push_token(&mut at, key),
            Segment::Enum { variant } => push_token(&mut at, variant),
            Segment::Unknown => continue,
        }
        last = Some(segment);
    }
    if let Some(field) = named_field(message) {
        let there = matches!(last, Some(Segment::Map { key }) if key == field)
            && message.starts_with("unknown");
        if !there {
            push_token(&mut at, field);
        }
    }
    at
}

fn named_field(message: &str) -> Option<&str> {
    ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|start| {
            let rest = message.strip_prefix(start)?;
            rest.split_once('`').map(|(field, _)| field)
        })
}

fn push_token(at: &mut String, token: &str) {
    at.push('/');
    at.push_str(&token.replace('~', "~0").replace('/', "~1"));
}

fn sentence(message: &str) -> String {
    let mut text = String::with_capacity(message.len() + 1);
    let mut letters = message.chars();
    if let Some(first) = letters.next() {
        text.extend(first.to_uppercase());
    }
    text.push_str(letters.as_str());
    text.push('.');
    text
}
