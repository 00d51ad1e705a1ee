//! One order: what it is about, its lines and totals, its time line, and notes.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::{DocumentId, StaffId};
use domain::money::Money;
use domain::order::{OrderView, totals};
use domain::permission::Permission;
use serde::Deserialize;
use serde_json::json;
use sync_protocol::item::command as codes;
use web_kit::{
    ApiPath, Content, PageForm, PageRequest, Problem, SafeHtml, Tone, fill, html, html_with_status,
};

use super::texts::OrderTexts;
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::order::{OrderState, get, note as add_note};
use crate::app::staff;
use crate::web::act::{Refusal, act, done, encode, is_refusal};
use crate::web::frame::frame;
use crate::web::page::conflicts::{self, About};
use crate::web::places::Places;
use crate::web::said::Deed;
use crate::web::view::View;
use crate::web::{CUSTOMERS, ORDERS, STOCK, words};

struct Fact {
    name: &'static str,
    value: String,
    is_code: bool,
    href: Option<String>,
}

struct LineRow {
    kind: &'static str,
    text: String,
    sku: String,
    stock: Option<String>,
    quantity: i64,
    price: String,
    tax: String,
}

/// Something that happened.
struct Step {
    at_ms: i64,
    day: Option<String>,
    icon: &'static str,
    title: String,
    text: String,
    by: String,
    is_out: bool,
}

#[derive(Template)]
#[template(path = "orders/order.html")]
struct Page<'a> {
    t: &'a OrderTexts,
    refresh: String,
    status: &'static str,
    icon: &'static str,
    tone: &'static str,
    urgent: bool,
    conflict: bool,
    facts: Vec<Fact>,
    fault: &'a str,
    diagnosis: &'a str,
    lines: Vec<LineRow>,
    prices_include_tax: bool,
    totals: Vec<(&'static str, String)>,
    total: String,
    steps: Vec<Step>,
    note: Option<NoteForm>,
    versions: SafeHtml,
}

struct NoteForm {
    action: String,
    key: String,
    text: String,
    problems: Vec<String>,
}

#[derive(Template)]
#[template(path = "orders/_order_head.html")]
struct Head<'a> {
    t: &'a OrderTexts,
    edit: Option<String>,
}

/// The page, or its work alone when a script asks again.
pub(crate) async fn show(
    State(state): State<HubState>,
    who: May<may::OrdersRead>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
) -> Result<Response, Problem> {
    render(&state, &who, id, asked.is_fragment(), None).await
}

async fn render(
    state: &HubState,
    who: &Caller,
    id: DocumentId,
    is_fragment: bool,
    refused: Option<(StatusCode, String, String, Refusal)>,
) -> Result<Response, Problem> {
    let order = get(state.hub(), &who.person, id).await?;
    let view = View::of(state, who).await?;
    let t = OrderTexts::of(view.language());
    let places = Places::of(state).await?;
    let names = staff::names(state.hub(), &people(order.view())).await?;
    let shown = order.view();
    let may_write = who.person.may(Permission::OrdersWrite);
    let (icon, tone) = words::status_look(shown.status);
    let (status, note) = match refused {
        None => (
            StatusCode::OK,
            NoteForm {
                action: format!("{ORDERS}/{id}/notes"),
                key: state.form_key().to_string(),
                text: String::new(),
                problems: Vec::new(),
            },
        ),
        Some((status, key, text, refusal)) => (
            status,
            NoteForm {
                action: format!("{ORDERS}/{id}/notes"),
                key,
                text,
                problems: refusal.above(&[]),
            },
        ),
    };
    let money = |amount_minor| Money {
        amount_minor,
        currency: shown.currency,
    };
    let about = About {
        id,
        branch: &order.branch,
        order: Some(&order),
    };
    let versions = conflicts::list(state, who, &view, &places, about).await?;
    let sums = totals(shown).unwrap_or_default();
    let body = SafeHtml::render(&Page {
        t,
        refresh: format!("{ORDERS}/{id}"),
        status: words::status(view.language(), shown.status),
        icon,
        tone: tone.map_or("plain", Tone::as_str),
        urgent: shown.urgent,
        conflict: shown.status_conflict || order.record.conflicts > 0,
        facts: facts(t, who, &view, &places, &names, &order),
        fault: &shown.device.fault,
        diagnosis: &shown.diagnosis,
        lines: lines(&view, shown),
        prices_include_tax: shown.prices_include_tax,
        totals: vec![
            (t.net, view.full_amount(money(sums.net_minor))),
            (t.tax, view.full_amount(money(sums.tax_minor))),
        ],
        total: view.full_amount(money(sums.gross_minor)),
        steps: steps(t, &view, shown, &names),
        note: may_write.then_some(note),
        versions,
    })?;
    if is_fragment {
        return Ok(html(body));
    }
    let head = SafeHtml::render(&Head {
        t,
        edit: may_write.then(|| format!("{ORDERS}/{id}/edit")),
    })?;
    let content = Content::new(shown.number.clone(), body).head(head);
    let page = frame(state, who, &view, ORDERS).await?.render(&content)?;
    Ok(html_with_status(status, page))
}

/// Everybody whom the order names.
fn people(view: &OrderView) -> Vec<StaffId> {
    let mut all: Vec<StaffId> = view.events.iter().map(|event| event.staff).collect();
    all.extend(view.notes.iter().map(|note| note.staff));
    all.extend(view.technician);
    all.sort_unstable();
    all.dedup();
    all
}

fn facts(
    t: &OrderTexts,
    who: &Caller,
    view: &View,
    places: &Places,
    names: &BTreeMap<StaffId, String>,
    order: &OrderState,
) -> Vec<Fact> {
    let shown = order.view();
    let device = &shown.device;
    let mut facts = Vec::new();
    let mut add = |name, value: String, is_code, href| {
        if !value.is_empty() {
            facts.push(Fact {
                name,
                value,
                is_code,
                href,
            });
        }
    };
    add(t.branch, places.name(&order.branch).to_owned(), false, None);
    match &order.customer {
        None => add(t.person, t.nobody_named.to_owned(), false, None),
        Some((id, values)) => {
            let text = |value: &Option<domain::sensitive::Sensitive<String>>| {
                let value = value.as_ref();
                value.map_or_else(String::new, |value| value.expose().clone())
            };
            let may_see = who.person.may(Permission::CustomersRead);
            let href = may_see.then(|| format!("{CUSTOMERS}/{id}"));
            let name = text(&values.name);
            let name = if name.is_empty() {
                "–".to_owned()
            } else {
                name
            };
            add(t.person, name, false, href);
            add(t.phone, text(&values.phone), false, None);
        }
    }
    add(t.category, device.category.clone(), false, None);
    add(t.brand, device.brand.clone(), false, None);
    add(t.model, device.model.clone(), false, None);
    add(t.serial, device.serial.clone(), true, None);
    let left: Vec<String> = device.accessories.values().cloned().collect();
    add(t.left_here, left.join(", "), false, None);
    let condition: Vec<String> = device
        .condition
        .iter()
        .map(|(part, state)| format!("{part}: {state}"))
        .collect();
    add(t.condition, condition.join(", "), false, None);
    let promised = shown.promised_at_ms;
    add(
        t.promised,
        promised.map_or_else(|| t.not_promised.to_owned(), |at| view.clock.when(at)),
        false,
        None,
    );
    let technician = shown.technician.and_then(|id| names.get(&id)).cloned();
    add(
        t.technician,
        technician.unwrap_or_else(|| t.nobody.to_owned()),
        false,
        None,
    );
    let outcome = shown
        .outcome
        .map(|outcome| words::outcome(view.language(), outcome).to_owned());
    add(t.outcome, outcome.unwrap_or_default(), false, None);
    add(
        t.source,
        shown.source.clone().unwrap_or_default(),
        true,
        None,
    );
    add(
        t.taken_in,
        view.clock.when(order.record.created_ms),
        false,
        None,
    );
    add(
        t.changed,
        view.clock.when(order.record.updated_ms),
        false,
        None,
    );
    facts
}

fn lines(view: &View, shown: &OrderView) -> Vec<LineRow> {
    let row = |line: &domain::order::Line| LineRow {
        kind: words::line_kind(view.language(), line.kind),
        text: line.text.clone(),
        stock: line
            .sku
            .as_ref()
            .map(|sku| format!("{STOCK}/{}", encode(sku))),
        sku: line.sku.clone().unwrap_or_default(),
        quantity: line.quantity,
        price: view.amount(Money {
            amount_minor: line.unit_minor,
            currency: shown.currency,
        }),
        tax: view.clock.percent(line.tax_bp),
    };
    shown.lines.iter().map(row).collect()
}

/// Moves, notes and answers in one order of time, newest first, each day named once.
fn steps(
    t: &OrderTexts,
    view: &View,
    shown: &OrderView,
    names: &BTreeMap<StaffId, String>,
) -> Vec<Step> {
    let name_of = |staff: StaffId| {
        names
            .get(&staff)
            .map_or(t.system, String::as_str)
            .to_owned()
    };
    let undone: Vec<_> = shown
        .events
        .iter()
        .filter_map(|event| event.undoes)
        .collect();
    let moves = shown.events.iter().map(|event| Step {
        at_ms: event.at_ms,
        day: None,
        icon: match event.to {
            None => "undo",
            Some(status) => words::status_look(status).0,
        },
        title: event.to.map_or_else(
            || t.taken_back.to_owned(),
            |status| words::status(view.language(), status).to_owned(),
        ),
        text: event
            .outcome
            .map(|outcome| words::outcome(view.language(), outcome).to_owned())
            .unwrap_or_default(),
        by: name_of(event.staff),
        is_out: undone.contains(&event.id),
    });
    let notes = shown.notes.iter().map(|note| Step {
        at_ms: note.at_ms,
        day: None,
        icon: "note",
        title: String::new(),
        text: note.text.clone(),
        by: name_of(note.staff),
        is_out: false,
    });
    let answers = shown.estimates.iter().filter_map(|estimate| {
        let at_ms = estimate.at_ms?;
        let amount = view.full_amount(Money {
            amount_minor: estimate.gross_minor,
            currency: shown.currency,
        });
        Some(Step {
            at_ms,
            day: None,
            icon: "ask",
            title: fill(t.estimate, &[("n", &estimate.version), ("amount", &amount)]),
            text: estimate.answer.map_or_else(
                || t.no_answer.to_owned(),
                |answer| words::answer(view.language(), answer).to_owned(),
            ),
            by: estimate.by.clone().unwrap_or_default(),
            is_out: false,
        })
    });
    let mut steps: Vec<Step> = moves.chain(notes).chain(answers).collect();
    steps.reverse();
    steps.sort_by_key(|step| std::cmp::Reverse(step.at_ms));
    let mut last = String::new();
    for step in &mut steps {
        let day = view.clock.day(step.at_ms);
        if day != last {
            step.day = Some(day.clone());
            last = day;
        }
        step.by = format!("{} {}", view.clock.hour(step.at_ms), step.by);
    }
    steps
}

/// A note.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct NoteFields {
    #[serde(default)]
    text: String,
}

/// Writes a note, whatever else happened to the order meanwhile.
pub(crate) async fn note(
    State(state): State<HubState>,
    who: May<may::OrdersWrite>,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<NoteFields>,
) -> Result<Response, Problem> {
    let key = request.key.clone().unwrap_or_default();
    let (person, text) = (who.person.clone(), fields.text.clone());
    let work = act(&state, &who, codes::ORDER_NOTE, request, move |tx| {
        Box::pin(async move {
            add_note(tx, &person, id, |_| Ok(()), &text).await?;
            Ok(done(json!({ "id": id.to_string() })))
        })
    });
    match work.await {
        Ok(answered) => {
            if !answered.is_replay {
                let t = OrderTexts::of(View::of(&state, &who).await?.language());
                let deed = Deed::new(t.note, t.did_note);
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(&format!("{ORDERS}/{id}")).into_response())
        }
        Err(problem) if is_refusal(&problem) => {
            let language = View::of(&state, &who).await?.language();
            let refusal = Refusal::of(&problem, language);
            let refused = (problem.status(), key, fields.text, refusal);
            render(&state, &who, id, false, Some(refused)).await
        }
        Err(problem) => Err(problem),
    }
}
