//! One call to Stripe: bytes out, bytes in, and what it means when none come in.
//!
//! Nothing is tried again here. The key is sent to the configured host only (redirects are not followed), over TLS
//! unless the host is this machine, and never shows.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use domain::sensitive::Sensitive;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::StripeOptions;
use super::types::{ErrorBody, ErrorEnvelope};
use crate::outside::retry::retry_after_ms;
use crate::payment::ProviderError;
use crate::payment::provider::said;

/// The version of Stripe's API that the adapter was written against.
pub const STRIPE_VERSION: &str = "2026-10-28.endive";
/// The longest answer that is read.
const ANSWER_MAX_BYTES: usize = 4 << 20;
const IDLE: Duration = Duration::from_secs(30);
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// Names and values of a request, in order.
pub(super) type Form = Vec<(String, String)>;

/// Why the adapter cannot be made.
#[derive(Debug, Error)]
pub enum StripeSetupError {
    /// Not an address.
    #[error("payment.stripe_url {url} is not an address such as https://api.stripe.com")]
    Url {
        /// What was given.
        url: String,
    },
    /// The key would go over the network in clear (T-9).
    #[error("payment.stripe_url {url} would carry the key in clear: use https")]
    InClear {
        /// What was given.
        url: String,
    },
    /// The key has signs that no header can carry.
    #[error("Stripe's key has signs that no key has")]
    Key,
    /// No root certificates.
    #[error("Stripe's certificate cannot be checked: {0}")]
    Roots(std::io::Error),
    /// The TLS library refuses its own defaults.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Calls Stripe.
pub(super) struct Client {
    http: HttpClient<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: String,
    key: Sensitive<String>,
    timeout: Duration,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.base)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// How a call went wrong.
#[derive(Debug)]
pub(super) enum CallError {
    /// Nothing was sent.
    NotSent(String),
    /// It was sent, and no whole answer came.
    NoAnswer(String),
    /// Stripe said no.
    Said(Box<Said>),
}

/// What Stripe said.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) status: StatusCode,
    pub(super) error: ErrorBody,
    retry_after_ms: Option<u64>,
    is_replayed: bool,
}

impl Said {
    pub(super) fn code(&self) -> &str {
        self.error.code.as_deref().unwrap_or(&self.error.kind)
    }

    pub(super) fn message(&self) -> String {
        said(self.error.message.as_deref().unwrap_or("no reason given"))
    }
}

impl CallError {
    /// What Stripe said, where it said something.
    pub(super) fn said(&self) -> Option<&Said> {
        match self {
            Self::Said(said) => Some(said),
            Self::NotSent(_) | Self::NoAnswer(_) => None,
        }
    }

    /// Of a question: it may be asked again.
    pub(super) fn of_question(self) -> ProviderError {
        let error = self.of_deed();
        match error {
            ProviderError::Unknown {
                reason,
                retry_after_ms,
                ..
            } => ProviderError::Unavailable {
                reason,
                retry_after_ms,
            },
            other => other,
        }
    }

    /// Of a call that may have moved money.
    pub(super) fn of_deed(self) -> ProviderError {
        match self {
            Self::NotSent(reason) => ProviderError::Unavailable {
                reason,
                retry_after_ms: None,
            },
            Self::NoAnswer(reason) => ProviderError::Unknown {
                reason,
                retry_after_ms: None,
                key_is_spent: false,
            },
            Self::Said(said) => said.of_deed(),
        }
    }
}

impl Said {
    fn of_deed(self) -> ProviderError {
        let message = self.message();
        let reason = format!("{}: {message}", self.status.as_u16());
        let retry_after_ms = self.retry_after_ms;
        match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                ProviderError::NotAllowed { message }
            }
            StatusCode::TOO_MANY_REQUESTS => ProviderError::Unavailable {
                reason,
                retry_after_ms,
            },
            // An earlier call with the same key is still under way, and what came of it is not known.
            StatusCode::CONFLICT => ProviderError::Unknown {
                reason,
                retry_after_ms,
                key_is_spent: false,
            },
            status if status.is_client_error() => ProviderError::Refused {
                code: said(self.error.decline_code.as_deref().unwrap_or(self.code())),
                message,
            },
            _ => ProviderError::Unknown {
                reason,
                retry_after_ms,
                key_is_spent: self.is_replayed,
            },
        }
    }
}

impl Client {
    pub(super) fn new(options: StripeOptions) -> Result<Self, StripeSetupError> {
        let base = options.url.trim_end_matches('/').to_owned();
        let is_https = check_address(&base)?;
        HeaderValue::try_from(format!("Bearer {}", options.key.expose()))
            .map_err(|_| StripeSetupError::Key)?;
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(options.timeout));
        http.set_nodelay(true);
        let https = HttpsConnectorBuilder::new().with_tls_config(tls(is_https)?);
        let connector = if is_https {
            https.https_only().enable_http1().wrap_connector(http)
        } else {
            https.https_or_http().enable_http1().wrap_connector(http)
        };
        Ok(Self {
            http: HttpClient::builder(TokioExecutor::new())
                .pool_idle_timeout(IDLE)
                .build(connector),
            base,
            key: options.key,
            timeout: options.timeout,
        })
    }

    /// Asks something.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &Form,
    ) -> Result<T, CallError> {
        let target = if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{}", encode(query))
        };
        self.call(Method::GET, &target, String::new(), None).await
    }

    /// Does something; with a key at most once.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &Form,
        key: Option<&str>,
    ) -> Result<T, CallError> {
        self.call(Method::POST, path, encode(form), key).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        body: String,
        key: Option<&str>,
    ) -> Result<T, CallError> {
        let request = self.request(method, target, body, key)?;
        let Ok(answer) = tokio::time::timeout(self.timeout, self.send(request)).await else {
            let limit_ms = self.timeout.as_millis();
            return Err(CallError::NoAnswer(format!("no answer in {limit_ms} ms")));
        };
        let (status, headers, body) = answer?;
        if !status.is_success() {
            return Err(CallError::Said(Box::new(refusal(status, &headers, &body))));
        }
        serde_json::from_slice(&body)
            .map_err(|error| CallError::NoAnswer(format!("the answer does not read: {error}")))
    }

    fn request(
        &self,
        method: Method,
        target: &str,
        body: String,
        key: Option<&str>,
    ) -> Result<Request<Full<Bytes>>, CallError> {
        let not_sent = |error: axum::http::Error| CallError::NotSent(error.to_string());
        let bearer = Sensitive::new(format!("Bearer {}", self.key.expose()));
        let mut bearer = HeaderValue::try_from(bearer.expose())
            .map_err(|error| CallError::NotSent(error.to_string()))?;
        bearer.set_sensitive(true);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{target}", self.base))
            .header(header::AUTHORIZATION, bearer)
            .header(header::CONTENT_TYPE, FORM)
            .header(
                header::USER_AGENT,
                concat!("Counterpart/", env!("CARGO_PKG_VERSION")),
            )
            .header("stripe-version", STRIPE_VERSION);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        request.body(Full::from(body)).map_err(not_sent)
    }

    async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, HeaderMap, Bytes), CallError> {
        let answer = self.http.request(request).await.map_err(|error| {
            let reason = chain(&error);
            if error.is_connect() {
                CallError::NotSent(reason)
            } else {
                CallError::NoAnswer(reason)
            }
        })?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_MAX_BYTES).collect().await;
        let body = body
            .map_err(|error| CallError::NoAnswer(format!("the answer breaks off: {error}")))?
            .to_bytes();
        Ok((parts.status, parts.headers, body))
    }
}

/// Whether an address is `https`; in clear it must be this machine.
fn check_address(base: &str) -> Result<bool, StripeSetupError> {
    let wrong = || StripeSetupError::Url {
        url: base.to_owned(),
    };
    let uri: Uri = base.parse().map_err(|_| wrong())?;
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
        return Err(wrong());
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = bare == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    match scheme {
        "https" => Ok(true),
        "http" if is_here => Ok(false),
        "http" => Err(StripeSetupError::InClear {
            url: base.to_owned(),
        }),
        _ => Err(wrong()),
    }
}

/// With the machine's root certificates; without any where nothing is sent over TLS.
fn tls(is_https: bool) -> Result<ClientConfig, StripeSetupError> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = if is_https {
        config
            .with_native_roots()
            .map_err(StripeSetupError::Roots)?
    } else {
        config.with_root_certificates(rustls::RootCertStore::empty())
    };
    Ok(config.with_no_client_auth())
}

fn encode(form: &Form) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish()
}

fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Said {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let error = serde_json::from_slice::<ErrorEnvelope>(body)
        .map(|envelope| envelope.error)
        .unwrap_or_default();
    Said {
        status,
        error,
        retry_after_ms: text("retry-after").and_then(retry_after_ms),
        is_replayed: text("idempotent-replayed") == Some("true"),
    }
}

/// An error with its causes; hyper's own text says little.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    said(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(url: &str) -> Result<Client, StripeSetupError> {
        Client::new(StripeOptions {
            url: url.to_owned(),
            key: Sensitive::new("sk_test_hidden".to_owned()),
            timeout: Duration::from_secs(1),
        })
    }

    #[test]
    fn the_key_goes_in_clear_to_this_machine_only() {
        for fine in [
            "http://127.0.0.1:12111",
            "http://localhost:1/",
            "http://[::1]:9",
        ] {
            assert!(made(fine).is_ok(), "{fine}");
        }
        assert!(matches!(
            made("http://api.stripe.com"),
            Err(StripeSetupError::InClear { .. })
        ));
        for odd in ["", "api.stripe.com", "ftp://127.0.0.1", "/v1", "http://"] {
            assert!(
                matches!(made(odd), Err(StripeSetupError::Url { .. })),
                "{odd}"
            );
        }
    }

    #[test]
    fn the_key_never_shows() {
        let shown = format!("{:?}", made("http://127.0.0.1:1"));
        assert!(!shown.contains("hidden"), "{shown}");
    }

    #[test]
    fn what_an_answer_means_for_the_money() {
        let said = |status: u16, is_replayed| {
            CallError::Said(Box::new(Said {
                status: StatusCode::from_u16(status).unwrap_or_default(),
                error: ErrorBody::default(),
                retry_after_ms: Some(3_000),
                is_replayed,
            }))
        };
        assert!(said(500, false).of_deed().is_unknown());
        assert!(said(409, false).of_deed().is_unknown());
        assert!(!said(500, false).of_question().is_unknown());
        assert_eq!(said(429, false).of_deed().retry_after_ms(), Some(3_000));
        assert!(!said(429, false).of_deed().is_unknown());
        assert!(matches!(
            said(500, true).of_deed(),
            ProviderError::Unknown {
                key_is_spent: true,
                ..
            }
        ));
        assert!(matches!(
            said(401, false).of_deed(),
            ProviderError::NotAllowed { .. }
        ));
        assert!(matches!(
            said(404, false).of_deed(),
            ProviderError::Refused { .. }
        ));
        assert!(said(302, false).of_deed().is_unknown());
        assert!(!CallError::NotSent(String::new()).of_deed().is_unknown());
        assert!(CallError::NoAnswer(String::new()).of_deed().is_unknown());
    }
}
