//! Find: one box for everything, and what it found; open orders first.
//!
//! By post alone: what is typed may be a name or a phone number and never stands in an address. A scanned label or a
//! typed number leads straight to its order.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::number::parse_order_number;
use domain::order::Status;
use domain::permission::Permission;
use serde::Deserialize;
use web_kit::{Content, PageRequest, PlainForm, Problem, SafeHtml, Tone, html, plural};

use crate::api::caller::{May, may};
use crate::api::{Caller, EdgeState};
use crate::app::part::Part;
use crate::app::search::{self, FoundCustomer, FoundOrder, SearchAnswer, SearchInput};
use crate::web::frame::frame;
use crate::web::page::elsewhere::Elsewhere;
use crate::web::page::intake;
use crate::web::texts;
use crate::web::view::View;
use crate::web::{FIND, ORDERS, PEOPLE};
use web_kit::wire::Personal;

const FOUND: u32 = 30;

web_kit::catalogue! {
    /// What the page of finding says.
    pub(crate) struct FindTexts {
        title: "Find" | "Suchen",
        what: "What to find" | "Was gesucht wird",
        hint: "Number, name, phone, serial, part, fault" | "Nummer, Name, Telefon, Seriennummer, Teil, Fehler",
        go: "Find" | "Suchen",
        start_title: "One box for everything" | "Ein Feld für alles",
        start: "A number, a name as it sounds, four digits of a phone, the end of a serial, a part, a word of the fault in any language. A scanned label opens its order." | "Eine Nummer, ein Name wie er klingt, vier Ziffern eines Telefons, das Ende einer Seriennummer, ein Teil, ein Wort des Fehlers in jeder Sprache. Ein gescanntes Etikett öffnet seinen Auftrag.",
        nothing_title: "Nothing fits “{typed}”" | "Nichts passt zu „{typed}“",
        nothing: "Fewer letters find more. Four digits of a phone or the last four signs of a serial will do." | "Weniger Buchstaben finden mehr. Vier Ziffern eines Telefons oder die letzten vier Zeichen einer Seriennummer genügen.",
        nothing_cut_off: "The line to the hub is cut: who was only served at another branch is not known here now." | "Die Leitung zur Zentrale ist getrennt: Wer nur in einer anderen Filiale Kunde ist, ist hier gerade unbekannt.",
        orders: "Orders" | "Aufträge",
        people: "People" | "Personen",
        parts: "Parts" | "Teile",
        number: "Number" | "Nummer",
        device: "Device" | "Gerät",
        fault: "Fault" | "Fehler",
        person: "Person" | "Person",
        status: "Status" | "Stand",
        changed: "Changed" | "Geändert",
        name: "Name" | "Name",
        phone: "Phone" | "Telefon",
        email: "E-mail" | "E-Mail",
        sku: "Sku" | "Artikelnummer",
        category: "Category" | "Warengruppe",
        price: "Price" | "Preis",
        open_group: "Open" | "Offen",
        closed_group: "Collected or cancelled" | "Abgeholt oder storniert",
        new_intake: "Intake" | "Annahme",
        one: "1 found" | "1 gefunden",
        many: "{n} found" | "{n} gefunden",
        unnamed: "name not known here" | "Name hier nicht bekannt",
    }
}

/// What was typed into the box.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct FindForm {
    #[serde(default)]
    pub(crate) q: Personal,
}

pub(crate) struct OrderRow {
    pub(crate) href: String,
    pub(crate) icon: &'static str,
    pub(crate) number: String,
    pub(crate) device: String,
    pub(crate) serial: String,
    pub(crate) fault: String,
    pub(crate) person: String,
    pub(crate) person_href: Option<String>,
    pub(crate) status: &'static str,
    pub(crate) tone: Option<Tone>,
    pub(crate) changed: String,
    pub(crate) is_open: bool,
}

struct PersonRow {
    href: String,
    intake_href: String,
    name: String,
    phone: String,
    email: String,
}

struct PartRow {
    sku: String,
    name: String,
    category: String,
    price: String,
}

#[derive(Template)]
#[template(path = "find/page.html", blocks = ["found"])]
struct FindPage<'a> {
    t: &'a FindTexts,
    typed: &'a str,
    nothing_title: String,
    is_cut_off: bool,
    may_write: bool,
    /// Why somebody was not brought.
    said: Option<String>,
    /// People of other branches.
    e: Elsewhere,
    count: String,
    groups: Vec<(&'static str, Vec<OrderRow>)>,
    orders: usize,
    people: Vec<PersonRow>,
    parts: Vec<PartRow>,
}

/// The empty box.
pub(crate) async fn form(
    State(state): State<EdgeState>,
    who: May<may::Search>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let page = whole(&state, &who, &view, Personal::default(), None, None).await?;
    Ok(html(page))
}

/// What was found; the results alone while somebody types.
pub(crate) async fn find(
    State(state): State<EdgeState>,
    who: May<may::Search>,
    asked: PageRequest,
    PlainForm(FindForm { q }): PlainForm<FindForm>,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let typed = q.clone();
    let input = SearchInput {
        q,
        limit: Some(FOUND),
    };
    let found = state
        .store()
        .read(move |reader| search::find(reader, &actor, &input))
        .await?;
    if !asked.is_fragment()
        && let Some(order) = meant(&found, typed.expose())
    {
        return Ok(Redirect::to(&format!("{ORDERS}/{}", order.id)).into_response());
    }
    let view = View::of(&state, &who).await?;
    if asked.is_fragment() {
        let page = page(&state, &who, &view, typed.expose(), found);
        return Ok(html(SafeHtml::render(&page.as_found())?));
    }
    let page = page(&state, &who, &view, typed.expose(), found);
    Ok(html(in_frame(&state, &who, &view, &page).await?))
}

/// The whole page for what was typed, with what was asked of the hub and what came of it.
pub(crate) async fn whole(
    state: &EdgeState,
    who: &Caller,
    view: &View,
    q: Personal,
    elsewhere: Option<Elsewhere>,
    said: Option<String>,
) -> Result<SafeHtml, Problem> {
    let actor = who.actor();
    let typed = q.clone();
    let input = SearchInput {
        q,
        limit: Some(FOUND),
    };
    let found = state
        .store()
        .read(move |reader| search::find(reader, &actor, &input))
        .await?;
    let mut page = page(state, who, view, typed.expose(), found);
    if let Some(elsewhere) = elsewhere {
        page.e = elsewhere;
    }
    page.said = said;
    in_frame(state, who, view, &page).await
}

/// The order whose whole number was typed or scanned.
fn meant<'a>(found: &'a SearchAnswer, typed: &str) -> Option<&'a FoundOrder> {
    let number = parse_order_number(typed).ok()?;
    let mut same = found.orders.iter().filter(|order| order.number == number);
    let first = same.next()?;
    same.next().is_none().then_some(first)
}

async fn in_frame(
    state: &EdgeState,
    who: &Caller,
    view: &View,
    page: &FindPage<'_>,
) -> Result<SafeHtml, Problem> {
    let body = SafeHtml::render(page)?;
    frame(state, who, view, FIND)
        .await?
        .render(&Content::new(page.t.title, body))
}

fn page<'a>(
    state: &EdgeState,
    who: &Caller,
    view: &View,
    typed: &'a str,
    found: SearchAnswer,
) -> FindPage<'a> {
    let t = FindTexts::of(view.language());
    let count = found.orders.len() + found.customers.len() + found.parts.len();
    let rows = found.orders.into_iter().map(|order| order_row(view, order));
    let (open, closed): (Vec<_>, Vec<_>) = rows.partition(|row: &OrderRow| row.is_open);
    let link = state.sync().status().state;
    FindPage {
        t,
        typed: typed.trim(),
        nothing_title: web_kit::fill(t.nothing_title, &[("typed", &typed.trim())]),
        is_cut_off: link != crate::sync::LinkState::Connected,
        may_write: who.may(Permission::OrdersWrite),
        said: None,
        e: Elsewhere::later(state, view, who, typed),
        count: plural(count as u64, t.one, t.many),
        orders: open.len() + closed.len(),
        groups: grouped([(t.open_group, open), (t.closed_group, closed)]),
        people: found
            .customers
            .into_iter()
            .map(|row| person_row(t, row))
            .collect(),
        parts: found
            .parts
            .into_iter()
            .map(|part| part_row(view, part))
            .collect(),
    }
}

/// Only the groups in which something stands.
pub(crate) fn grouped(
    groups: [(&'static str, Vec<OrderRow>); 2],
) -> Vec<(&'static str, Vec<OrderRow>)> {
    let kept = groups.into_iter().filter(|(_, rows)| !rows.is_empty());
    kept.collect()
}

/// An order in a list of hits.
pub(crate) fn order_row(view: &View, order: FoundOrder) -> OrderRow {
    let is_open = !matches!(order.status, Status::Collected | Status::Cancelled);
    OrderRow {
        href: format!("{ORDERS}/{}", order.id),
        icon: intake::icon(&order.device),
        number: order.number,
        device: order.device,
        serial: order.serial,
        fault: order.fault,
        person: order
            .customer_name
            .map_or_else(String::new, |name| name.expose().to_owned()),
        person_href: order.customer_id.map(|id| format!("{PEOPLE}/{id}")),
        status: texts::status(view.language(), order.status),
        tone: tone(order.status),
        changed: view.clock.when(order.updated_at.0),
        is_open,
    }
}

/// What a status means; nothing for what is merely normal.
fn tone(status: Status) -> Option<Tone> {
    match status {
        Status::Ready => Some(Tone::Agreed),
        Status::AwaitingApproval | Status::AwaitingParts => Some(Tone::Waiting),
        Status::Diagnosing | Status::InRepair => Some(Tone::Moving),
        Status::Received | Status::Collected | Status::Cancelled => None,
    }
}

fn person_row(t: &FindTexts, row: FoundCustomer) -> PersonRow {
    let text =
        |value: Option<Personal>| value.map_or_else(String::new, |value| value.expose().to_owned());
    let name = text(row.name);
    PersonRow {
        href: format!("{PEOPLE}/{}", row.id),
        intake_href: format!("{}?person={}", crate::web::INTAKE, row.id),
        name: match name.is_empty() {
            true => t.unnamed.to_owned(),
            false => name,
        },
        phone: text(row.phone),
        email: text(row.email),
    }
}

fn part_row(view: &View, part: Part) -> PartRow {
    PartRow {
        sku: part.sku,
        name: part.name,
        category: part.category,
        price: view.amount(part.price),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(FindTexts::ALL),
            Vec::<String>::new()
        );
    }
}
