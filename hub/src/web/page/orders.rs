//! Orders of the whole chain, newest first.
//!
//! Looked for by number and serial only; a name never stands in an address.

pub(crate) mod edit;
pub(crate) mod order;
mod texts;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::order::Status;
use serde::Deserialize;
use web_kit::{ApiQuery, Content, Cursor, ListQuery, PageRequest, Problem, SafeHtml, Tone, html};

use self::texts::OrderTexts;
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::app::error::AppError;
use crate::app::order::{OrderFilter, OrderState, list as orders};
use crate::app::stock::optional_branch;
use crate::store::scope::Place as ListPlace;
use crate::web::act::address;
use crate::web::frame::frame;
use crate::web::places::{Choice, Places};
use crate::web::view::View;
use crate::web::{ORDERS, words};

const LIST: &str = "orders page";
const ROWS: u32 = 50;

/// Which orders.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct OrdersQuery {
    #[serde(default)]
    branch: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    cursor: String,
}

impl OrdersQuery {
    fn address(&self, cursor: &str) -> String {
        address(
            ORDERS,
            &[
                ("branch", self.branch.as_str()),
                ("status", self.status.as_str()),
                ("q", self.q.trim()),
                ("cursor", cursor),
            ],
        )
    }

    fn is_narrowed(&self) -> bool {
        !(self.branch.is_empty() && self.status.is_empty() && self.q.trim().is_empty())
    }
}

/// An order in a list.
pub(crate) struct OrderRow {
    pub(crate) href: String,
    pub(crate) number: String,
    pub(crate) branch: String,
    pub(crate) device: String,
    pub(crate) fault: String,
    pub(crate) person: String,
    pub(crate) status: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) urgent: bool,
    pub(crate) conflict: bool,
    pub(crate) promised: String,
    pub(crate) is_late: bool,
    pub(crate) taken_in: String,
}

/// The words for badges of an order, for pages of their own: urgent, two versions.
pub(crate) fn badge_words(language: web_kit::Language) -> (&'static str, &'static str) {
    let t = OrderTexts::of(language);
    (t.urgent, t.conflict)
}

/// Whether nothing more happens to it.
const fn is_over(status: Status) -> bool {
    matches!(status, Status::Collected | Status::Cancelled)
}

impl OrderRow {
    /// The row of an order.
    pub(crate) fn of(view: &View, places: &Places, order: &OrderState) -> Self {
        let shown = order.view();
        let device = &shown.device;
        let named = [&device.brand, &device.model]
            .into_iter()
            .filter(|text| !text.is_empty());
        let mut name = named.cloned().collect::<Vec<_>>().join(" ");
        if name.is_empty() {
            name.clone_from(&device.category);
        }
        let (icon, tone) = words::status_look(shown.status);
        let person = order.customer.as_ref();
        let person = person.and_then(|(_, values)| values.name.as_ref());
        Self {
            href: format!("{ORDERS}/{}", order.record.document),
            number: shown.number.clone(),
            branch: places.name(&order.branch).to_owned(),
            device: name,
            fault: device.fault.clone(),
            person: person.map_or_else(String::new, |name| name.expose().clone()),
            status: words::status(view.language(), shown.status),
            icon,
            tone: tone.map_or("plain", Tone::as_str),
            urgent: shown.urgent,
            conflict: shown.status_conflict || order.record.conflicts > 0,
            promised: shown
                .promised_at_ms
                .map(|at_ms| view.clock.when(at_ms))
                .unwrap_or_default(),
            is_late: !is_over(shown.status)
                && shown.status != Status::Ready
                && shown
                    .promised_at_ms
                    .is_some_and(|at_ms| view.clock.is_past(at_ms)),
            taken_in: view.clock.when(order.record.created_ms),
        }
    }
}

#[derive(Template)]
#[template(path = "orders/_head.html")]
struct Head<'a> {
    t: &'a OrderTexts,
    branches: Vec<Choice>,
    statuses: Vec<Choice>,
    typed: &'a str,
}

#[derive(Template)]
#[template(path = "orders/page.html")]
struct Page<'a> {
    t: &'a OrderTexts,
    refresh: String,
    rows: Vec<OrderRow>,
    empty: &'static str,
    newest: Option<String>,
    older: Option<String>,
}

/// The page, or the list alone when a script asks again.
pub(crate) async fn list(
    State(state): State<HubState>,
    who: May<may::OrdersRead>,
    asked: PageRequest,
    ApiQuery(query): ApiQuery<OrdersQuery>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = OrderTexts::of(view.language());
    let page = ListQuery {
        limit: ROWS,
        cursor: Some(query.cursor.clone()),
    };
    let only = {
        let mut connection = state.hub().pool().acquire().await.map_err(AppError::from)?;
        optional_branch(&mut connection, Some(&query.branch)).await?
    };
    let typed = query.q.trim();
    let status = query.status.parse::<Status>().ok();
    let filter = OrderFilter {
        status: status.map(|status| status.as_str().to_owned()),
        number: (!typed.is_empty()).then(|| typed.to_owned()),
        place: page.after::<ListPlace>(LIST)?,
        ..OrderFilter::newest(who.person.scope().narrowed(only), i64::from(ROWS) + 1)
    };
    let found = orders(state.hub(), &filter).await?;
    let cut = web_kit::Page::cut(found, ROWS, |last: &OrderState| {
        let place = (last.record.created_ms, *last.record.document.as_bytes());
        Cursor::encode(LIST, &place)
    });
    let places = Places::of(&state).await?;
    let body = SafeHtml::render(&Page {
        t,
        refresh: query.address(&query.cursor),
        rows: cut
            .items
            .iter()
            .map(|order| OrderRow::of(&view, &places, order))
            .collect(),
        empty: if query.is_narrowed() {
            t.none
        } else {
            t.none_at_all
        },
        newest: (!query.cursor.is_empty()).then(|| query.address("")),
        older: cut.next_cursor.map(|next| query.address(&next)),
    })?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    let statuses = Status::ALL.iter().map(|status| {
        Choice::new(
            status.as_str(),
            words::status(view.language(), *status),
            &query.status,
        )
    });
    let head = SafeHtml::render(&Head {
        t,
        branches: places.choices(&query.branch, t.any_branch),
        statuses: std::iter::once(Choice::new("", t.any_status, &query.status))
            .chain(statuses)
            .collect(),
        typed,
    })?;
    frame(&state, &who, &view, ORDERS)
        .await?
        .respond(&Content::new(t.title, body).head(head))
}
