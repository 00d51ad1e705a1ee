//! Forms of pages: urlencoded posts with a server-made idempotency key inside.
//!
//! A page writes the hidden field `key` ([`FormKey`]) into each writing form, so
//! that a double click, a reload or a repeat after a lost answer has one effect.
//! Fields come as text and are judged by the use case; [`FieldErrors`] carries
//! what it says back to the field it is about.

use axum::extract::{FromRef, FromRequest, Request};
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::extract::{parse_urlencoded, read_body};
use crate::idempotency::{IdempotencyKey, IdempotencySecret, IdempotentRequest, route_of};
use crate::language::Language;
use crate::problem::{FieldError, Problem};
use crate::refusal;

/// The hidden field `key` of a form that is being drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormKey(String);

impl FormKey {
    /// A key from random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The key as text, for `<input type="hidden" name="key">`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for FormKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A posted form: its fields, and key and fingerprint of the request. 400 when
/// it is no form or has no `key`, 413 above 1 MiB, 422 when a field does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageForm<T> {
    /// The fields; repeated names make a list.
    pub fields: T,
    /// What to store with the effect; the key is always there.
    pub request: IdempotentRequest,
}

#[derive(Deserialize)]
struct KeyField {
    key: Option<String>,
}

impl<S, T> FromRequest<S> for PageForm<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
    IdempotencySecret: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        require_form(request.headers())?;
        let (parts, body) = request.into_parts();
        let route = route_of(&parts);
        let bytes = read_body(Request::from_parts(parts, body)).await?;
        let KeyField { key } = parse_urlencoded(&bytes)?;
        let key = key
            .as_deref()
            .and_then(IdempotencyKey::parse)
            .ok_or_else(|| Problem::bad_request("The form has no key. Open the page again."))?;
        let fields = parse_urlencoded(&bytes)?;
        let secret = IdempotencySecret::from_ref(state);
        Ok(Self {
            fields,
            request: IdempotentRequest::new(&secret, Some(key), route, &bytes),
        })
    }
}

/// A posted form without a key, for signing in and out: what it does may be done
/// twice. 400 when it is no form, 413 above 1 MiB, 422 when a field does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainForm<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for PlainForm<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        require_form(request.headers())?;
        let bytes = read_body(request).await?;
        parse_urlencoded(&bytes).map(Self)
    }
}

fn require_form(headers: &HeaderMap) -> Result<(), Problem> {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let essence = value.split(';').next().unwrap_or("").trim();
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Ok(())
    } else {
        Err(Problem::bad_request(
            "Content-Type must be application/x-www-form-urlencoded.",
        ))
    }
}

/// Errors of a form by field, to be shown beside it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// No errors.
    pub fn none() -> Self {
        Self::default()
    }

    /// Takes the errors of a problem.
    pub fn of(problem: &Problem) -> Self {
        Self(problem.body().errors.clone())
    }

    /// The same in the reader's language.
    #[must_use]
    pub fn said_in(mut self, language: Language) -> Self {
        for error in &mut self.0 {
            error.detail = refusal::said(language, &error.detail).into_owned();
        }
        self
    }

    /// What is wrong with the field called `name` (its pointer with or without the
    /// leading `/`).
    pub fn get(&self, name: &str) -> Option<&str> {
        let name = name.trim_start_matches('/');
        let found = self
            .0
            .iter()
            .find(|error| error.pointer.trim_start_matches('/') == name);
        found.map(|error| error.detail.as_str())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &FieldError> {
        self.0.iter()
    }

    /// True when nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
