//! Idempotency keys: what a caller names so that a repeated request has one effect.
//!
//! This module reads the key and makes the fingerprint of the request; it stores
//! nothing. The executables store both in the commit of the effect. The
//! fingerprint is an HMAC under a secret of the node, so that a stored row says
//! nothing about a body that holds a phone number.

use std::fmt;
use std::sync::Arc;

use axum::extract::{
    FromRef, FromRequest, FromRequestParts, OptionalFromRequestParts, OriginalUri, Request,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::response::Response;
use hmac::{Hmac, KeyInit, Mac};
use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer};
use sha2::Sha256;

use crate::extract::{parse_json, read_body, require_json};
use crate::problem::Problem;

/// The request header.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The response header of a replayed answer.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Most characters of a key.
pub const MAX_KEY_CHARS: usize = 255;

/// The caller's key: 1 to 255 visible ASCII characters. As an extractor it is
/// required (400 when missing); `Option<IdempotencyKey>` takes none as well.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads a key; none when it is empty, too long or has other characters.
    pub fn parse(text: &str) -> Option<Self> {
        let fits =
            (1..=MAX_KEY_CHARS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn from_headers(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        let key = value.to_str().ok().and_then(Self::parse);
        match (key, values.next()) {
            (Some(key), None) => Ok(Some(key)),
            _ => Err(Problem::bad_request(format!(
                "Idempotency-Key must be one value of 1 to {MAX_KEY_CHARS} visible ASCII characters."
            ))),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Self::from_headers(&parts.headers)?.ok_or_else(missing_key)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Problem> {
        Self::from_headers(&parts.headers)
    }
}

fn missing_key() -> Problem {
    Problem::bad_request("Money or stock moves here: the header Idempotency-Key is required.")
}

/// The node's secret under which bodies are fingerprinted. Part of the router's
/// state: `impl FromRef<AppState> for IdempotencySecret`.
#[derive(Clone)]
pub struct IdempotencySecret(Arc<[u8; 32]>);

impl IdempotencySecret {
    /// Takes 32 secret bytes that stay the same as long as keys are kept.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Arc::new(bytes))
    }

    /// HMAC-SHA-256 over the route and the body's bytes.
    ///
    /// # Panics
    /// Never: HMAC takes keys of every length.
    pub fn fingerprint(&self, route: &str, body: &[u8]) -> [u8; 32] {
        let mut mac = match Hmac::<Sha256>::new_from_slice(self.0.as_slice()) {
            Ok(mac) => mac,
            Err(_) => unreachable!("HMAC takes keys of every length"),
        };
        mac.update(&(route.len() as u64).to_be_bytes());
        mac.update(route.as_bytes());
        mac.update(body);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for IdempotencySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencySecret(…)")
    }
}

/// What has to be stored with an effect so that a repeat finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// The caller's key, when one was given.
    pub key: Option<String>,
    /// Method and address (`POST /api/v1/orders/…/payments`), ids included and the
    /// query left out.
    pub route: String,
    /// HMAC of route and body.
    pub body_hmac: [u8; 32],
}

impl IdempotentRequest {
    /// Makes it from its parts.
    pub fn new(
        secret: &IdempotencySecret,
        key: Option<IdempotencyKey>,
        route: String,
        body: &[u8],
    ) -> Self {
        let body_hmac = secret.fingerprint(&route, body);
        Self {
            key: key.map(|key| key.0),
            route,
            body_hmac,
        }
    }

    /// The key of a request that must have one.
    ///
    /// # Errors
    /// 400 when it has none.
    pub fn require_key(&self) -> Result<&str, Problem> {
        self.key.as_deref().ok_or_else(missing_key)
    }
}

/// Method and whole path of a request, also inside nested routers.
pub(crate) fn route_of(parts: &Parts) -> String {
    let uri = parts
        .extensions
        .get::<OriginalUri>()
        .map_or(&parts.uri, |OriginalUri(uri)| uri);
    let method: &Method = &parts.method;
    format!("{method} {}", uri.path())
}

/// A command: the parsed JSON body, and key and fingerprint of the request. An
/// absent body counts as `null`, so `ApiCommand<Option<T>>` and
/// `ApiCommand<NoBody>` take one or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiCommand<T> {
    /// The parsed body.
    pub body: T,
    /// What to store with the effect.
    pub request: IdempotentRequest,
}

impl<S, T> FromRequest<S> for ApiCommand<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
    IdempotencySecret: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        read_command(request, state, false).await
    }
}

/// An [`ApiCommand`] that must bring a key, because money or stock moves: 400
/// without one. `request.key` is always there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedCommand<T> {
    /// The parsed body.
    pub body: T,
    /// What to store with the effect.
    pub request: IdempotentRequest,
}

impl<S, T> FromRequest<S> for KeyedCommand<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
    IdempotencySecret: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let ApiCommand { body, request } = read_command(request, state, true).await?;
        Ok(Self { body, request })
    }
}

async fn read_command<S, T>(
    request: Request,
    state: &S,
    keyed: bool,
) -> Result<ApiCommand<T>, Problem>
where
    T: DeserializeOwned,
    IdempotencySecret: FromRef<S>,
{
    let (parts, body) = request.into_parts();
    let key = IdempotencyKey::from_headers(&parts.headers)?;
    if keyed && key.is_none() {
        return Err(missing_key());
    }
    let is_json = require_json(&parts.headers);
    let route = route_of(&parts);
    let bytes = read_body(Request::from_parts(parts, body)).await?;
    let parsed = if bytes.is_empty() {
        parse_json(b"null").map_err(|_| Problem::bad_request("The body is missing."))?
    } else {
        is_json?;
        parse_json(&bytes)?
    };
    let secret = IdempotencySecret::from_ref(state);
    Ok(ApiCommand {
        body: parsed,
        request: IdempotentRequest::new(&secret, key, route, &bytes),
    })
}

/// A command's body that says nothing: absent, `null` or `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoBody;

impl<'de> Deserialize<'de> for NoBody {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Nothing;
        impl<'de> de::Visitor<'de> for Nothing {
            type Value = NoBody;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an empty object")
            }
            fn visit_unit<E: de::Error>(self) -> Result<NoBody, E> {
                Ok(NoBody)
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<NoBody, A::Error> {
                match map.next_key::<String>()? {
                    None => Ok(NoBody),
                    Some(name) => Err(de::Error::custom(format_args!(
                        "unknown field `{name}`, expected none"
                    ))),
                }
            }
        }
        from.deserialize_any(Nothing)
    }
}

/// Marks a response as a replay of a stored answer.
pub fn mark_replayed(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    response
}
