//! Server-sent events: named JSON events out of whatever stream the caller has.
//!
//! The stream is the caller's (a broadcast channel as a rule), so are its
//! authorisation and its end. Every connection must begin with what the caller
//! shows as full state or with [`LiveEvent::resync`], because a browser may have
//! missed anything while it was away. The route answers 401 like any other and
//! never redirects; reading it must not count as activity of the session.

use std::borrow::Cow;
use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use serde_json::json;

use crate::html::SafeHtml;

/// How often a quiet stream says that it lives. Pages take 25 s of silence for a
/// broken line.
pub const TICK_S: u64 = 10;
const RETRY_MS: u64 = 1_000;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveEvent {
    name: Cow<'static, str>,
    data: String,
}

impl LiveEvent {
    /// An event `name` (lower-case words with `-` or `_`) with a JSON value. It holds ids
    /// and figures only: what it is about is asked for under the caller's rights.
    pub fn named(name: &'static str, data: &impl Serialize) -> Self {
        let fits = name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte)
        });
        debug_assert!(fits && !name.is_empty(), "{name} is no name of an event");
        let data = serde_json::to_string(data).unwrap_or_else(|error| {
            tracing::error!(%error, name, "an event cannot be serialised");
            "null".to_owned()
        });
        Self {
            name: Cow::Borrowed(name),
            data,
        }
    }

    /// Partials for htmx to swap in.
    pub fn html(partials: &SafeHtml) -> Self {
        Self::named("html", &json!({ "html": partials.as_str() }))
    }

    /// Something was missed: pages ask again for what they show.
    pub fn resync() -> Self {
        Self::named("resync", &json!({}))
    }

    /// The event's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn into_sse(self) -> Event {
        Event::default().event(self.name).data(self.data)
    }
}

/// Answers with the events as long as the stream lasts.
pub fn event_stream<S>(events: S) -> Response
where
    S: Stream<Item = LiveEvent> + Send + 'static,
{
    let retry = Event::default().retry(Duration::from_millis(RETRY_MS));
    let all = stream::once(async { retry }).chain(events.map(LiveEvent::into_sse));
    let tick = Event::default().event("tick").data("{}");
    let keep_alive = KeepAlive::new()
        .interval(Duration::from_secs(TICK_S))
        .event(tick);
    Sse::new(all.map(Ok::<_, Infallible>))
        .keep_alive(keep_alive)
        .into_response()
}
