//! One order: what it is about, its lines, and its time line. For reading.

mod desk;
mod moves;
mod texts;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::id::{DocumentId, StaffId};
use domain::order::Status;
use web_kit::{ApiPath, Content, PageRequest, Problem, SafeHtml, html};

use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::app::order::form::{LineStock, Order};
use crate::app::{order, staff};
use crate::web::ORDERS;
use crate::web::frame::frame;
use crate::web::texts as words;
use crate::web::texts::Texts;
use crate::web::view::View;
use desk::Desk;
pub(crate) use moves::{Back, move_to, undo, ways};

struct Fact {
    name: &'static str,
    value: String,
    is_code: bool,
}

struct LineRow {
    text: String,
    sku: String,
    stock: &'static str,
    quantity: i64,
    price: String,
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
#[template(path = "order/page.html", blocks = ["order"])]
struct OrderPage<'a> {
    t: &'a Texts,
    refresh: String,
    status: &'static str,
    glyph: &'static str,
    glyph_words: &'static str,
    urgent: bool,
    conflict: bool,
    facts: Vec<Fact>,
    fault: String,
    diagnosis: String,
    lines: Vec<LineRow>,
    totals: Vec<(&'static str, String)>,
    due: String,
    steps: Vec<Step>,
}

/// The page, or its work alone when htmx refreshes it.
pub(crate) async fn show(
    State(state): State<EdgeState>,
    who: May<may::OrdersRead>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let read = state.store().read(move |reader| {
        let order = order::get(reader, &actor, id)?;
        let people = staff::list(reader, &actor)?;
        Ok((order, people))
    });
    let (order, people) = read.await?;
    let names: BTreeMap<StaffId, String> = people
        .into_iter()
        .map(|entry| (entry.id, entry.name))
        .collect();
    let view = View::of(&state, &who).await?;
    let title = order.number.clone();
    let page = page(order, &names, &view);
    if asked.is_fragment() {
        return Ok(html(SafeHtml::render(&page.as_order())?));
    }
    let content = Content::new(title, SafeHtml::render(&page)?);
    frame(&state, &who, &view, ORDERS).await?.respond(&content)
}

fn page<'a>(order: Order, names: &BTreeMap<StaffId, String>, view: &View) -> OrderPage<'a> {
    let t = Texts::of(view.language());
    let (glyph, glyph_words) = words::sync(view.language(), order.sync);
    let totals = order.totals;
    OrderPage {
        t,
        refresh: format!("{ORDERS}/{}", order.id),
        status: words::status(view.language(), order.status),
        glyph,
        glyph_words,
        urgent: order.urgent,
        conflict: order.conflict,
        facts: facts(&order, names, view),
        lines: lines(&order, view),
        totals: vec![
            (t.net, view.full_amount(totals.net)),
            (t.tax, view.full_amount(totals.tax)),
        ],
        due: view.full_amount(totals.due),
        steps: steps(&order, names, view),
        fault: order.device.fault,
        diagnosis: order.diagnosis,
    }
}

fn facts(order: &Order, names: &BTreeMap<StaffId, String>, view: &View) -> Vec<Fact> {
    let t = Texts::of(view.language());
    let mut facts = Vec::new();
    let mut add = |name: &'static str, value: String, is_code: bool| {
        if !value.is_empty() {
            facts.push(Fact {
                name,
                value,
                is_code,
            });
        }
    };
    let customer = order.customer.as_ref();
    let person = customer.and_then(|customer| customer.name.as_ref());
    add(
        t.person,
        person.map_or_else(|| t.nobody.to_owned(), |name| name.expose().to_owned()),
        false,
    );
    let phone = customer.and_then(|customer| customer.phone.as_ref());
    add(
        t.phone,
        phone.map_or_else(String::new, |phone| phone.expose().to_owned()),
        false,
    );
    add(t.category, order.device.category.clone(), false);
    add(t.brand, order.device.brand.clone(), false);
    add(t.model, order.device.model.clone(), false);
    add(t.serial, order.device.serial.clone(), true);
    add(t.left_here, order.device.accessories.join(", "), false);
    let condition: Vec<String> = order
        .device
        .condition
        .iter()
        .map(|(part, state)| format!("{part}: {state}"))
        .collect();
    add(t.condition, condition.join(", "), false);
    let promised = order
        .promised_at
        .map_or_else(|| t.not_promised.to_owned(), |at| view.clock.when(at.0));
    add(t.promised, promised, false);
    let outcome = order
        .outcome
        .map(|outcome| words::outcome(view.language(), outcome))
        .unwrap_or_default();
    add(t.outcome, outcome.to_owned(), false);
    let technician = order.technician_id.and_then(|id| names.get(&id)).cloned();
    add(t.technician, technician.unwrap_or_default(), false);
    add(t.source, order.source.clone().unwrap_or_default(), true);
    facts
}

fn lines(order: &Order, view: &View) -> Vec<LineRow> {
    let t = Texts::of(view.language());
    let row = |line: &crate::app::order::form::Line| LineRow {
        text: line.text.clone(),
        sku: line.sku.clone().unwrap_or_default(),
        stock: match line.stock {
            None => "",
            Some(LineStock::Reserved) => t.reserved,
            Some(LineStock::Consumed) => t.consumed,
            Some(LineStock::Open) => t.open,
        },
        quantity: line.quantity,
        price: view.amount(line.unit_price),
    };
    order.lines.iter().map(row).collect()
}

/// Moves, notes and answers in one order of time, newest first, each day named once.
fn steps(order: &Order, names: &BTreeMap<StaffId, String>, view: &View) -> Vec<Step> {
    let t = Texts::of(view.language());
    let name_of = |staff: Option<StaffId>| {
        staff
            .and_then(|id| names.get(&id))
            .map_or(t.system, String::as_str)
            .to_owned()
    };
    let undone: Vec<_> = order
        .events
        .iter()
        .filter_map(|event| event.undoes)
        .collect();
    let moves = order.events.iter().map(|event| Step {
        at_ms: event.at.0,
        day: None,
        icon: if event.undoes.is_some() {
            "undo"
        } else {
            "right"
        },
        title: event.status.map_or_else(
            || t.taken_back.to_owned(),
            |status| words::status(view.language(), status).to_owned(),
        ),
        text: event
            .outcome
            .map(|outcome| words::outcome(view.language(), outcome))
            .unwrap_or_default()
            .to_owned(),
        by: name_of(event.staff_id),
        is_out: undone.contains(&event.id),
    });
    let notes = order.notes.iter().map(|note| Step {
        at_ms: note.at.0,
        day: None,
        icon: "note",
        title: String::new(),
        text: note.text.clone(),
        by: name_of(note.staff_id),
        is_out: false,
    });
    let answers = order.estimates.iter().filter_map(|estimate| {
        let (answer, at) = (estimate.answer?, estimate.answered_at?);
        Some(Step {
            at_ms: at.0,
            day: None,
            icon: "ask",
            title: format!(
                "{} {}, {}: {answer}",
                t.estimate,
                estimate.version,
                view.full_amount(estimate.gross)
            ),
            text: String::new(),
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

/// The order as partials, for the answer to a form.
async fn partials(desk: &Desk, id: DocumentId) -> Result<SafeHtml, Problem> {
    let actor = desk.who.actor();
    let read = desk.state.store().read(move |reader| {
        let order = order::get(reader, &actor, id)?;
        let people = staff::list(reader, &actor)?;
        Ok((order, people))
    });
    let (order, people) = read.await?;
    let names: BTreeMap<StaffId, String> = people
        .into_iter()
        .map(|entry| (entry.id, entry.name))
        .collect();
    let page = page(order, &names, &desk.view);
    Ok(SafeHtml::render(&page.as_order())?.partial("#order", "outerMorph"))
}

/// Brand and model, or what kind of thing it is.
pub(crate) fn device_name(order: &Order) -> String {
    let device = &order.device;
    let words = [device.brand.as_str(), device.model.as_str()];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        device.category.clone()
    } else {
        words.join(" ")
    }
}

/// The icon of a status.
pub(crate) const fn status_icon(status: Status) -> &'static str {
    match status {
        Status::Received => "intake",
        Status::Diagnosing => "probe",
        Status::AwaitingApproval => "ask",
        Status::AwaitingParts => "part-wait",
        Status::InRepair => "repair",
        Status::Ready => "ready",
        Status::Collected => "handed",
        Status::Cancelled => "cancel",
    }
}
