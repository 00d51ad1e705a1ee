//! The list of orders, narrowed by status or by a search.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::order::Status;
use domain::permission::Permission;
use serde::Deserialize;
use web_kit::{ApiQuery, Content, ListQuery, Page, PageRequest, Problem, SafeHtml, html};

use crate::api::caller::{May, may};
use crate::api::{Caller, EdgeState};
use crate::app::order;
use crate::app::order::form::{Order, OrderFilter};
use crate::store::order as rows;
use crate::web::ORDERS;
use crate::web::frame::frame;
use crate::web::page::board::device_icon;
use crate::web::page::order::device_name;
use crate::web::texts::{self, Texts};
use crate::web::view::View;

const ROWS: u32 = 40;

/// What the list is narrowed to.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ListPageQuery {
    #[serde(default)]
    status: String,
    #[serde(default)]
    cursor: String,
    #[serde(default, deserialize_with = "web_kit::extract::query_text")]
    q: Option<String>,
}

/// A way to narrow the list, with how many there are.
struct Segment {
    href: String,
    label: &'static str,
    count: u64,
    current: bool,
}

/// A row of the list.
struct Row {
    href: String,
    number: String,
    device: String,
    icon: &'static str,
    category: String,
    fault: String,
    person: String,
    status: &'static str,
    urgent: bool,
    conflict: bool,
    promised: String,
    is_late: bool,
    taken_in: String,
    glyph: &'static str,
    glyph_words: &'static str,
}

#[derive(Template)]
#[template(path = "orders/page.html", blocks = ["list"])]
struct OrdersPage<'a> {
    t: &'a Texts,
    segments: Vec<Segment>,
    rows: Vec<Row>,
    empty: &'static str,
    refresh: String,
    older: Option<String>,
    newest: Option<String>,
    status: &'a str,
    q: &'a str,
}

#[derive(Template)]
#[template(path = "orders/_head.html")]
struct Head<'a> {
    t: &'a Texts,
    may_search: bool,
    may_write: bool,
    typed: &'a str,
}

pub(crate) fn head(who: &Caller, view: &View, typed: &str) -> Result<SafeHtml, Problem> {
    SafeHtml::render(&Head {
        t: Texts::of(view.language()),
        may_search: who.may(Permission::Search),
        may_write: who.may(Permission::OrdersWrite),
        typed,
    })
}

fn row(order: Order, view: &View) -> Row {
    let device = device_name(&order);
    let icon = device_icon(&order.device.category);
    let category = order.device.category;
    let person = order.customer.and_then(|customer| customer.name);
    let (glyph, glyph_words) = texts::sync(view.language(), order.sync);
    let is_open = !matches!(
        order.status,
        Status::Ready | Status::Collected | Status::Cancelled
    );
    Row {
        href: format!("{ORDERS}/{}", order.id),
        number: order.number,
        device,
        icon,
        category,
        fault: order.device.fault,
        person: person.map_or_else(String::new, |name| name.expose().to_owned()),
        status: texts::status(view.language(), order.status),
        urgent: order.urgent,
        conflict: order.conflict,
        promised: order
            .promised_at
            .map_or_else(String::new, |at| view.clock.when(at.0)),
        is_late: is_open && order.promised_at.is_some_and(|at| view.clock.is_past(at.0)),
        taken_in: view.clock.when(order.created_at.0),
        glyph,
        glyph_words,
    }
}

fn segments(view: &View, counts: &[(Status, u64)], current: Option<Status>) -> Vec<Segment> {
    let t = Texts::of(view.language());
    let all = Segment {
        href: ORDERS.to_owned(),
        label: t.all,
        count: counts.iter().map(|(_, count)| count).sum(),
        current: current.is_none(),
    };
    let by_status = Status::ALL.iter().map(|status| Segment {
        href: format!("{ORDERS}?status={status}"),
        label: texts::status(view.language(), *status),
        count: counts
            .iter()
            .find(|(known, _)| known == status)
            .map_or(0, |(_, count)| *count),
        current: current == Some(*status),
    });
    std::iter::once(all).chain(by_status).collect()
}

/// The page, or the list alone when htmx refreshes it.
pub(crate) async fn list(
    State(state): State<EdgeState>,
    who: May<may::OrdersRead>,
    asked: PageRequest,
    ApiQuery(query): ApiQuery<ListPageQuery>,
) -> Result<Response, Problem> {
    let status: Option<Status> = match query.status.as_str() {
        "" => None,
        name => Some(
            name.parse()
                .map_err(|_| Problem::not_found("There is no such status."))?,
        ),
    };
    let actor = who.actor();
    let page = ListQuery {
        limit: ROWS,
        cursor: (!query.cursor.is_empty()).then(|| query.cursor.clone()),
    };
    let q = query.q.as_deref().map(str::trim).unwrap_or_default();
    let filter = OrderFilter {
        status,
        q: (!q.is_empty()).then(|| q.to_owned()),
        ..OrderFilter::default()
    };
    let read = state.store().read(move |reader| {
        let orders: Page<Order> = order::list(reader, &actor, &filter, &page)?;
        Ok((orders, rows::counts(reader)?))
    });
    let (orders, counts) = read.await?;
    if let ([only], false, false) = (orders.items.as_slice(), q.is_empty(), asked.is_fragment()) {
        return Ok(Redirect::to(&format!("{ORDERS}/{}", only.id)).into_response());
    }
    let view = View::of(&state, &who).await?;
    let t = Texts::of(view.language());
    let here = address(&query.status, q, &query.cursor);
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    let content = OrdersPage {
        t,
        segments: segments(&view, &counts, status),
        rows: orders
            .items
            .into_iter()
            .map(|order| row(order, &view))
            .collect(),
        empty: match (total, q) {
            (0, _) => t.no_orders,
            (_, "") => t.no_orders_here,
            _ => t.no_such_number,
        },
        refresh: here,
        older: orders
            .next_cursor
            .map(|cursor| address(&query.status, q, &cursor)),
        newest: (!query.cursor.is_empty()).then(|| address(&query.status, q, "")),
        status: &query.status,
        q,
    };
    if asked.is_fragment() {
        return Ok(html(SafeHtml::render(&content.as_list())?));
    }
    let body = SafeHtml::render(&content)?;
    let content = Content {
        modules: &["js/orders.js"],
        ..Content::new(t.orders, body).head(head(&who, &view, "")?)
    };
    frame(&state, &who, &view, ORDERS).await?.respond(&content)
}

fn address(status: &str, q: &str, cursor: &str) -> String {
    // Status and cursor are made of letters, digits, `-` and `_`: the status was parsed, the cursor is ours.
    let status = (!status.is_empty()).then(|| format!("status={status}"));
    let q = (!q.is_empty()).then(|| format!("q={}", encoded(q)));
    let cursor = (!cursor.is_empty()).then(|| format!("cursor={cursor}"));
    let query: Vec<String> = status.into_iter().chain(q).chain(cursor).collect();
    if query.is_empty() {
        ORDERS.to_owned()
    } else {
        format!("{ORDERS}?{}", query.join("&"))
    }
}

/// A number or serial as it stands in an address.
pub(crate) fn encoded(text: &str) -> String {
    let mut address = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            address.push(char::from(byte));
        } else {
            address.push_str(&format!("%{byte:02X}"));
        }
    }
    address
}
