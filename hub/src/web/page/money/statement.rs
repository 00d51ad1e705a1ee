//! Bringing the bank's file: a plain form that works without a script. A file with a wrong row changes nothing.

use askama::Template;
use axum::body::Body;
use axum::extract::{FromRef, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use sync_protocol::item::command as codes;
use web_kit::{IdempotencyKey, IdempotencySecret, IdempotentRequest, Problem, SafeHtml, fill};

use super::respond;
use super::texts::{MoneyTexts, StatementTexts};
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::error::AppError;
use crate::app::money::settle::take_bank_file;
use crate::web::act::{Refusal, act, done, is_refusal};
use crate::web::said::Deed;
use crate::web::view::View;
use crate::web::{BANK_FILE, MONEY_SETTLEMENTS};

/// Largest file.
const MOST_BYTES: usize = 1_000_000;

#[derive(Template)]
#[template(path = "money/statement.html")]
struct Page<'a> {
    m: &'a MoneyTexts,
    t: &'a StatementTexts,
    action: &'static str,
    back: &'static str,
    key: &'a str,
    zone: &'a str,
    refusal: &'a Refusal,
    problems: Vec<String>,
}

/// What was sent.
#[derive(Debug, Default)]
struct Sent {
    key: String,
    zone: String,
    file: Vec<u8>,
    is_too_large: bool,
}

/// The form.
pub(crate) async fn form(
    State(state): State<HubState>,
    who: May<may::RefundsApprove>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let key = state.form_key().to_string();
    let zone = zone_of(&view);
    let form = (key.as_str(), zone.as_str());
    show(&state, &who, &view, StatusCode::OK, form, &Refusal::none()).await
}

fn zone_of(view: &View) -> String {
    view.clock.zone().iana_name().unwrap_or("UTC").to_owned()
}

async fn show(
    state: &HubState,
    who: &Caller,
    view: &View,
    status: StatusCode,
    (key, zone): (&str, &str),
    refusal: &Refusal,
) -> Result<Response, Problem> {
    let body = SafeHtml::render(&Page {
        m: MoneyTexts::of(view.language()),
        t: StatementTexts::of(view.language()),
        action: BANK_FILE,
        back: MONEY_SETTLEMENTS,
        key,
        zone,
        refusal,
        problems: refusal.above(&["file", "time_zone"]),
    })?;
    respond(state, who, view, (status, MONEY_SETTLEMENTS), body).await
}

/// Takes the file in.
pub(crate) async fn take(
    State(state): State<HubState>,
    who: May<may::RefundsApprove>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = StatementTexts::of(view.language());
    let sent = receive(&headers, body).await?;
    let key = IdempotencyKey::parse(&sent.key)
        .ok_or_else(|| Problem::bad_request("The form has no key. Open the page again."))?;
    let mut whole = sent.zone.clone().into_bytes();
    whole.extend_from_slice(&sent.file);
    let secret = IdempotencySecret::from_ref(&state);
    let route = format!("POST {BANK_FILE}");
    let request = IdempotentRequest::new(&secret, Some(key), route, &whole);
    let taken = match flaw(t, &sent) {
        Some(words) => Err(Problem::invalid_field("/file", words)),
        None => write(&state, &who, request, &sent).await,
    };
    match taken {
        Ok(Some((read, new, matched))) => {
            let said = [
                ("read", &read as &dyn std::fmt::Display),
                ("new", &new),
                ("matched", &matched),
            ];
            let deed = Deed::new(t.done, fill(t.taken, &said));
            state.said().say(&state, &who, deed);
            Ok(Redirect::to(MONEY_SETTLEMENTS).into_response())
        }
        Ok(None) => Ok(Redirect::to(MONEY_SETTLEMENTS).into_response()),
        Err(problem) if is_refusal(&problem) => {
            let refusal = Refusal::of(&problem, view.language());
            let form = (sent.key.as_str(), sent.zone.as_str());
            show(&state, &who, &view, problem.status(), form, &refusal).await
        }
        Err(problem) => Err(problem),
    }
}

fn flaw(t: &StatementTexts, sent: &Sent) -> Option<&'static str> {
    if sent.is_too_large {
        return Some(t.too_large);
    }
    if sent.file.is_empty() {
        return Some(t.no_file);
    }
    std::str::from_utf8(&sent.file)
        .is_err()
        .then_some(t.no_text)
}

/// Rows read, new and matched; none where this was sent before.
async fn write(
    state: &HubState,
    who: &Caller,
    request: IdempotentRequest,
    sent: &Sent,
) -> Result<Option<(u64, u64, u64)>, Problem> {
    let (file, zone) = (sent.file.clone(), sent.zone.trim().to_owned());
    let answered = act(state, who, codes::PAYMENT, request, move |tx| {
        Box::pin(async move {
            let zone = jiff::tz::TimeZone::get(&zone).map_err(|_| {
                AppError::field(
                    "/time_zone",
                    "must be an IANA time zone such as Europe/Berlin",
                )
            })?;
            let taken = take_bank_file(tx, &file, &zone).await?;
            Ok(done(
                json!({ "read": taken.read, "new": taken.new, "matched": taken.matched }),
            ))
        })
    })
    .await?;
    let body = &answered.answer.body;
    let count = |name: &str| body[name].as_u64().unwrap_or_default();
    let counts = (count("read"), count("new"), count("matched"));
    Ok((!answered.is_replay).then_some(counts))
}

/// Reads the form as it arrives; of a file that is too large only that it is.
async fn receive(headers: &HeaderMap, body: Body) -> Result<Sent, Problem> {
    let broke_off = |error: multer::Error| {
        tracing::info!(%error, "an upload broke off");
        Problem::bad_request("The upload broke off. Nothing was written; upload the file again.")
    };
    let boundary = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| multer::parse_boundary(value).ok())
        .ok_or_else(|| Problem::bad_request("Content-Type must be multipart/form-data."))?;
    let mut form = multer::Multipart::new(body.into_data_stream(), boundary);
    let mut sent = Sent::default();
    while let Some(mut field) = form.next_field().await.map_err(broke_off)? {
        let name = field.name().unwrap_or_default().to_owned();
        let most = if name == "file" { MOST_BYTES } else { 300 };
        let mut bytes = Vec::new();
        let mut is_too_large = false;
        while let Some(piece) = field.chunk().await.map_err(broke_off)? {
            is_too_large |= bytes.len() + piece.len() > most;
            if is_too_large {
                bytes.clear();
            } else {
                bytes.extend_from_slice(&piece);
            }
        }
        match name.as_str() {
            "file" => (sent.file, sent.is_too_large) = (bytes, is_too_large),
            "key" => sent.key = String::from_utf8_lossy(&bytes).into_owned(),
            "time_zone" => sent.zone = String::from_utf8_lossy(&bytes).into_owned(),
            _ => {}
        }
    }
    Ok(sent)
}
