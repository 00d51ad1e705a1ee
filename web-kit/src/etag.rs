//! Strong entity tags and the conditions that callers put on them (RFC 9110 §8.8, §13).
//!
//! A tag says which state of a resource was read, never anything about its
//! content that a person could read. `If-Match` is optional everywhere; when it
//! is there and does not hold, the answer is 412 and nothing was changed.

use std::convert::Infallible;
use std::fmt;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::problem::Problem;

const TAG_BYTES: usize = 16;

/// A strong entity tag; writes itself into a response's `ETag` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// The tag of a representation by its bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::of_digest(Sha256::new().chain_update(b"bytes\0").chain_update(bytes))
    }

    /// The tag of a document by its heads, in whatever order they come.
    pub fn of_heads<H: AsRef<[u8]>>(heads: impl IntoIterator<Item = H>) -> Self {
        let mut sorted: Vec<H> = heads.into_iter().collect();
        sorted.sort_unstable_by(|a, b| a.as_ref().cmp(b.as_ref()));
        let mut hash = Sha256::new().chain_update(b"heads\0");
        for head in &sorted {
            hash.update((head.as_ref().len() as u64).to_be_bytes());
            hash.update(head.as_ref());
        }
        Self::of_digest(hash)
    }

    /// The tag of a row by its version.
    pub fn of_version(version: u64) -> Self {
        Self(format!("\"v{version}\""))
    }

    /// The tag of several parts that make one resource.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a ETag>) -> Self {
        let mut hash = Sha256::new().chain_update(b"parts\0");
        for part in parts {
            hash.update(part.0.as_bytes());
        }
        Self::of_digest(hash)
    }

    fn of_digest(hash: Sha256) -> Self {
        let digest = hash.finalize();
        Self(format!(
            "\"{}\"",
            URL_SAFE_NO_PAD.encode(&digest[..TAG_BYTES])
        ))
    }

    /// The tag with its quotes, as in the header.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn header_value(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl IntoResponseParts for ETag {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        if let Some(value) = self.header_value() {
            parts.headers_mut().insert(header::ETAG, value);
        }
        Ok(parts)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Condition {
    #[default]
    Absent,
    Any,
    Tags(Vec<Tag>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag {
    weak: bool,
    quoted: String,
}

impl Condition {
    fn read(headers: &HeaderMap, name: &HeaderName) -> Result<Self, Problem> {
        let mut tags = Vec::new();
        for value in headers.get_all(name) {
            let unreadable =
                || Problem::bad_request(format!("{name} is not a list of entity tags."));
            let text = value.to_str().map_err(|_| unreadable())?.trim();
            if text == "*" {
                return Ok(Self::Any);
            }
            read_tags(text, &mut tags).ok_or_else(unreadable)?;
        }
        if headers.contains_key(name) {
            Ok(Self::Tags(tags))
        } else {
            Ok(Self::Absent)
        }
    }
}

/// Reads `"a", W/"b"`; none when it is not such a list.
fn read_tags(text: &str, tags: &mut Vec<Tag>) -> Option<()> {
    let mut rest = text;
    loop {
        let (weak, quoted) = match rest.strip_prefix("W/") {
            Some(after) => (true, after),
            None => (false, rest),
        };
        let inner = quoted.strip_prefix('"')?;
        let end = inner.find('"')?;
        tags.push(Tag {
            weak,
            quoted: format!("\"{}\"", &inner[..end]),
        });
        rest = inner[end + 1..].trim_start();
        if rest.is_empty() {
            return Some(());
        }
        rest = rest.strip_prefix(',')?.trim_start();
    }
}

/// The caller's `If-Match`, absent included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IfMatch(Condition);

impl IfMatch {
    /// Holds the condition against the resource's present tag, before any change.
    ///
    /// # Errors
    /// 412 when the caller named other states only. Weak tags never match.
    pub fn check(&self, current: &ETag) -> Result<(), Problem> {
        let holds = match &self.0 {
            Condition::Absent | Condition::Any => true,
            Condition::Tags(tags) => tags.iter().any(|tag| !tag.weak && tag.quoted == current.0),
        };
        if holds { Ok(()) } else { Err(Problem::stale()) }
    }

    /// True when the caller put a condition.
    pub fn is_given(&self) -> bool {
        self.0 != Condition::Absent
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Condition::read(&parts.headers, &header::IF_MATCH).map(Self)
    }
}

/// The caller's `If-None-Match`, absent included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IfNoneMatch(Condition);

impl IfNoneMatch {
    /// True when the caller already holds this state.
    pub fn has(&self, current: &ETag) -> bool {
        match &self.0 {
            Condition::Absent => false,
            Condition::Any => true,
            Condition::Tags(tags) => tags.iter().any(|tag| tag.quoted == current.0),
        }
    }

    /// `response` with its tag, or 304 without a body when the caller holds it.
    pub fn answer(&self, tag: ETag, response: impl IntoResponse) -> Response {
        if self.has(&tag) {
            (StatusCode::NOT_MODIFIED, tag, ()).into_response()
        } else {
            (tag, response).into_response()
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Condition::read(&parts.headers, &header::IF_NONE_MATCH).map(Self)
    }
}
