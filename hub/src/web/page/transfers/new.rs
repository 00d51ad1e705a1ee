//! A transfer that the hub begins: way, parts, and whether it is approved at once.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::permission::Permission;
use serde::Deserialize;
use serde_json::json;
use sync_protocol::item::command as codes;
use web_kit::{
    ApiQuery, Content, PageForm, Problem, SafeHtml, fill, html, html_with_status, safe_next,
};

use super::deed::call_off;
use super::texts::TransferTexts;
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::error::AppError;
use crate::app::transfer::{NewTransfer, request as ask};
use crate::app::{part, stock};
use crate::web::TRANSFERS;
use crate::web::act::{Refusal, act, address, done, is_refusal};
use crate::web::frame::frame;
use crate::web::places::{Choice, Places};
use crate::web::said::Deed;
use crate::web::view::View;

/// Lines that an empty form shows.
const LINES: usize = 5;

/// What was typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct NewFields {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    sku: Vec<String>,
    #[serde(default)]
    quantity: Vec<String>,
    #[serde(default)]
    note: String,
    #[serde(default)]
    approved: String,
    #[serde(default)]
    next: String,
}

struct Line {
    number: usize,
    label: String,
    sku: String,
    quantity: String,
    hint: String,
    sku_problem: Option<String>,
    quantity_problem: Option<String>,
}

#[derive(Template)]
#[template(path = "transfers/new.html")]
struct NewPage<'a> {
    t: &'a TransferTexts,
    key: &'a str,
    from: Vec<Choice>,
    to: Vec<Choice>,
    lines: Vec<Line>,
    note: &'a str,
    may_approve: bool,
    from_problem: Option<String>,
    to_problem: Option<String>,
    note_problem: Option<String>,
    problems: Vec<String>,
}

/// The form, filled in as far as the address says.
pub(crate) async fn form(
    State(state): State<HubState>,
    who: May<may::TransfersRequest>,
    ApiQuery(fields): ApiQuery<NewFields>,
) -> Result<Response, Problem> {
    let key = state.form_key().to_string();
    show(&state, &who, StatusCode::OK, &key, &fields, Refusal::none()).await
}

async fn show(
    state: &HubState,
    who: &Caller,
    status: StatusCode,
    key: &str,
    fields: &NewFields,
    refusal: Refusal,
) -> Result<Response, Problem> {
    let view = View::of(state, who).await?;
    let t = TransferTexts::of(view.language());
    let places = Places::of(state).await?;
    let mut hints = Vec::with_capacity(fields.sku.len());
    for sku in &fields.sku {
        hints.push(hint(state, who, t, &places, sku).await?);
    }
    let lines = lines(t, fields, hints, &refusal);
    let field = |name: &str| refusal.field(name).map(str::to_owned);
    let body = SafeHtml::render(&NewPage {
        t,
        key,
        from: places.choices(&fields.from, t.choose_branch),
        to: places.choices(&fields.to, t.choose_branch),
        note: &fields.note,
        may_approve: who.person.may(Permission::TransfersApprove),
        from_problem: field("from"),
        to_problem: field("to"),
        note_problem: field("note"),
        problems: refusal.above(&[
            "from", "to", "note", "lines/0", "lines/1", "lines/2", "lines/3", "lines/4",
        ]),
        lines,
    })?;
    let page = frame(state, who, &view, TRANSFERS)
        .await?
        .render(&Content::new(t.new, body))?;
    Ok(html_with_status(status, page))
}

fn lines(
    t: &TransferTexts,
    fields: &NewFields,
    hints: Vec<String>,
    refusal: &Refusal,
) -> Vec<Line> {
    let typed = fields.sku.iter().filter(|sku| !sku.trim().is_empty());
    let count = LINES
        .max(typed.count() + 1)
        .min(domain::transfer::MAX_LINES);
    let mut hints = hints.into_iter();
    let mut sent = 0;
    let mut lines = Vec::with_capacity(count);
    for index in 0..count {
        let text = |from: &[String]| from.get(index).cloned().unwrap_or_default();
        let (sku, quantity) = (text(&fields.sku), text(&fields.quantity));
        let is_filled = !(sku.trim().is_empty() && quantity.trim().is_empty());
        let problem = |what: &str| {
            let found = is_filled.then(|| refusal.field(&format!("lines/{sent}/{what}")));
            found.flatten().map(str::to_owned)
        };
        lines.push(Line {
            number: index,
            label: fill(t.line, &[("n", &(index + 1))]),
            hint: hints.next().unwrap_or_default(),
            sku_problem: problem("sku"),
            quantity_problem: problem("quantity"),
            sku,
            quantity,
        });
        sent += usize::from(is_filled);
    }
    lines
}

/// Where a part is free, as last known.
async fn hint(
    state: &HubState,
    who: &Caller,
    t: &TransferTexts,
    places: &Places,
    sku: &str,
) -> Result<String, Problem> {
    let sku = sku.trim();
    if sku.is_empty() {
        return Ok(String::new());
    }
    let found = match part::get(state.hub(), sku).await {
        Ok(found) => found,
        Err(AppError::NotFound { .. }) => return Ok(t.unknown_part.to_owned()),
        Err(error) => return Err(error.into()),
    };
    let mut free: Vec<(String, i64)> =
        stock::list(state.hub(), &who.person, Some(sku), None, None, 500)
            .await?
            .into_iter()
            .map(|at| (at.branch, at.record.on_hand - at.record.reserved))
            .filter(|(_, free)| *free > 0)
            .collect();
    free.sort_by_key(|(_, free)| std::cmp::Reverse(*free));
    if free.is_empty() {
        return Ok(fill(t.free_nowhere, &[("part", &found.fields.name)]));
    }
    let listed: Vec<String> = free
        .iter()
        .take(4)
        .map(|(branch, free)| format!("{} {free}", places.name(branch)))
        .collect();
    let listed = listed.join(", ");
    Ok(fill(
        t.free_at,
        &[("part", &found.fields.name), ("places", &listed)],
    ))
}

/// Which part a line asks about.
#[derive(Debug, Default, Deserialize)]
pub struct PartQuery {
    #[serde(default)]
    sku: Vec<String>,
}

#[derive(Template)]
#[template(source = "{{ words }}", ext = "html")]
struct Words {
    words: String,
}

/// What the hub knows of the part that is being typed.
pub(crate) async fn part_hint(
    State(state): State<HubState>,
    who: May<may::TransfersRequest>,
    ApiQuery(query): ApiQuery<PartQuery>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = TransferTexts::of(view.language());
    let places = Places::of(&state).await?;
    let sku = query.sku.last().map_or("", String::as_str);
    let words = hint(&state, &who, t, &places, sku).await?;
    Ok(html(SafeHtml::render(&Words { words })?))
}

fn read(fields: &NewFields) -> Result<NewTransfer, Problem> {
    let mut lines = Vec::new();
    for (sku, quantity) in fields.sku.iter().zip(&fields.quantity) {
        let (sku, quantity) = (sku.trim(), quantity.trim());
        if sku.is_empty() && quantity.is_empty() {
            continue;
        }
        // What is no number is refused by the rules at its own line.
        lines.push((sku.to_owned(), quantity.parse().unwrap_or(0)));
    }
    if lines.is_empty() {
        return Err(Problem::invalid_field("/lines/0/sku", "Must not be empty."));
    }
    Ok(NewTransfer {
        from: fields.from.clone(),
        to: fields.to.clone(),
        lines,
        note: fields.note.clone(),
        approved: !fields.approved.is_empty(),
    })
}

/// Begins the transfer and goes on to it.
pub(crate) async fn create(
    State(state): State<HubState>,
    who: May<may::TransfersRequest>,
    PageForm { fields, request }: PageForm<NewFields>,
) -> Result<Response, Problem> {
    let key = request.key.clone().unwrap_or_default();
    let person = who.person.clone();
    let acted = match read(&fields) {
        Ok(new) => {
            let work = act(&state, &who, codes::TRANSFER, request, move |tx| {
                Box::pin(async move {
                    let view = ask(tx, &person, &new).await?;
                    let id = view.id.to_string();
                    Ok(done(json!({ "id": id, "records": view.records })))
                })
            });
            work.await
        }
        Err(problem) => Err(problem),
    };
    match acted {
        Ok(answered) => {
            let id = answered.answer.body["id"].as_str().unwrap_or_default();
            let there = address(TRANSFERS, &[("shown", id)]);
            let records = answered.answer.body["records"].as_u64();
            if let (Ok(id), Some(records), false) = (id.parse(), records, answered.is_replay) {
                let view = View::of(&state, &who).await?;
                let t = TransferTexts::of(view.language());
                let places = Places::of(&state).await?;
                let way = format!(
                    "{} → {}",
                    places.name(&fields.from),
                    places.name(&fields.to)
                );
                let text = if fields.approved.is_empty() {
                    t.did_ask
                } else {
                    t.did_approve
                };
                let mut said = Deed::new(way, text);
                if who.person.may(Permission::TransfersApprove) {
                    let records = usize::try_from(records).unwrap_or_default();
                    said = said.back(call_off(&who, id, records).saying(t.did_cancel));
                }
                state.said().say(&state, &who, said);
            }
            Ok(Redirect::to(safe_next(&fields.next, &there)).into_response())
        }
        Err(problem) if is_refusal(&problem) => {
            let language = View::of(&state, &who).await?.language();
            let refusal = Refusal::of(&problem, language);
            show(&state, &who, problem.status(), &key, &fields, refusal).await
        }
        Err(problem) => Err(problem),
    }
}
