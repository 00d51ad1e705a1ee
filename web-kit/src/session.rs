//! Session tokens, the cookie of a page session, and the credentials of a request.
//!
//! A token is 32 random bytes that only its bearer holds; a store keeps its
//! SHA-256 alone (T-5). Nothing here knows whose a token is, and none of these
//! types shows a token in `Debug`. Cookies ignore ports, so the cookie's name
//! carries the node: a hub and three branches on one machine do not sign each
//! other out.

use std::fmt;

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::problem::Problem;

const TOKEN_BYTES: usize = 32;

/// An opaque session token.
#[derive(Clone)]
pub struct SessionToken([u8; TOKEN_BYTES]);

impl SessionToken {
    /// A new token from random bytes of the system's generator.
    pub fn from_random(bytes: [u8; TOKEN_BYTES]) -> Self {
        Self(bytes)
    }

    /// Reads a token's text; none when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// The token's text (base64url, 43 characters), for its bearer only.
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What a store keeps and looks up.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl PartialEq for SessionToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SessionToken {}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

/// The cookie of page sessions of one node. Part of the router's state:
/// `impl FromRef<AppState> for SessionCookie`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionCookie {
    name: String,
}

impl SessionCookie {
    /// The cookie of the node called `node` (its number in hex, say); other
    /// characters than letters, digits and `-` are left out.
    pub fn for_node(node: &str) -> Self {
        let node: String = node
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect();
        Self {
            name: format!("__Host-counterpart-{node}"),
        }
    }

    /// The cookie's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `Set-Cookie` that hands the token to the browser for at most `max_age_s`.
    /// Always `Secure`: browsers take that on loopback, and pages are never served
    /// in clear beyond it.
    pub fn set(&self, token: &SessionToken, max_age_s: u64) -> HeaderValue {
        self.header(&token.reveal(), max_age_s)
    }

    /// `Set-Cookie` that takes it back.
    pub fn clear(&self) -> HeaderValue {
        self.header("", 0)
    }

    fn header(&self, value: &str, max_age_s: u64) -> HeaderValue {
        let text = format!(
            "{}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; Secure; SameSite=Strict",
            self.name
        );
        match HeaderValue::try_from(text) {
            Ok(value) => value,
            Err(_) => unreachable!("name and value hold letters, digits, - and _ only"),
        }
    }

    /// Finds the token among the cookies of a request.
    pub fn read(&self, headers: &HeaderMap) -> Option<SessionToken> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == self.name)
            .find_map(|(_, value)| SessionToken::parse(value.trim()))
    }
}

/// How a token came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialSource {
    /// By the browser's cookie, sent on its own: needs the protection against
    /// forged requests.
    Cookie,
    /// By `Authorization: Bearer`, set on purpose by the caller.
    Bearer,
}

/// The token of a request: a claim, not yet a person. As an extractor 401 when
/// there is none; `Option<Credentials>` takes none as well. `Authorization` goes
/// before the cookie, and a wrong one is 401 whatever the cookie says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The token to look up by its hash.
    pub token: SessionToken,
    /// How it came.
    pub source: CredentialSource,
}

impl Credentials {
    fn read(parts: &Parts, cookie: &SessionCookie) -> Result<Option<Self>, Problem> {
        if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
            let token = value
                .to_str()
                .ok()
                .and_then(bearer)
                .and_then(SessionToken::parse);
            return match token {
                Some(token) => Ok(Some(Self {
                    token,
                    source: CredentialSource::Bearer,
                })),
                None => Err(Problem::unauthorized()),
            };
        }
        let token = cookie.read(&parts.headers);
        Ok(token.map(|token| Self {
            token,
            source: CredentialSource::Cookie,
        }))
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl<S> FromRequestParts<S> for Credentials
where
    S: Send + Sync,
    SessionCookie: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Self::read(parts, &SessionCookie::from_ref(state))?.ok_or_else(Problem::unauthorized)
    }
}

impl<S> OptionalFromRequestParts<S> for Credentials
where
    S: Send + Sync,
    SessionCookie: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Problem> {
        Self::read(parts, &SessionCookie::from_ref(state))
    }
}
