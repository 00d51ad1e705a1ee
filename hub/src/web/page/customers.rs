//! Customers of the whole chain: found by what people say of themselves, never by an address that names them.

pub(crate) mod account;
pub(crate) mod edit;
pub(crate) mod merge;
pub(crate) mod person;
mod texts;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::sensitive::Sensitive;
use serde::Deserialize;
use web_kit::{Content, PlainForm, Problem, SafeHtml, plural};

use self::texts::CustomerTexts;
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::customer::{CustomerFilter, CustomerState, list as customers};
use crate::app::search::search;
use crate::web::CUSTOMERS;
use crate::web::frame::frame;
use crate::web::page::orders::OrderRow;
use crate::web::places::Places;
use crate::web::view::View;
use web_kit::wire::Personal;

/// Persons on one page.
const ROWS: i64 = 50;
const HITS: usize = 50;
/// The longest text that is looked for.
const TYPED_MAX: usize = 400;

fn text(value: Option<&Sensitive<String>>) -> String {
    value.map_or_else(String::new, |value| value.expose().clone())
}

/// A person in a list.
pub(super) struct PersonRow {
    href: String,
    id: String,
    name: String,
    is_closed: bool,
    is_merged: bool,
    phone: String,
    email: String,
    branch: String,
    since: String,
}

impl PersonRow {
    fn of(view: &View, places: &Places, customer: &CustomerState) -> Self {
        let (record, values) = (&customer.record, &customer.values);
        Self {
            href: format!("{CUSTOMERS}/{}", record.document),
            id: record.document.to_string(),
            name: text(values.name.as_ref()),
            is_closed: values.name.is_none() && record.view.name.is_some(),
            is_merged: record.view.merged_into.is_some(),
            phone: text(values.phone.as_ref()),
            email: text(values.email.as_ref()),
            branch: places.name(&customer.branch).to_owned(),
            since: view.clock.when(record.created_ms),
        }
    }
}

#[derive(Template)]
#[template(path = "customers/_head.html")]
struct Head<'a> {
    t: &'a CustomerTexts,
    typed: &'a str,
}

#[derive(Template)]
#[template(path = "customers/page.html")]
struct Page<'a> {
    t: &'a CustomerTexts,
    heading: String,
    people: Vec<PersonRow>,
    orders: Vec<OrderRow>,
    is_search: bool,
}

/// The newest customers.
pub(crate) async fn list(
    State(state): State<HubState>,
    who: May<may::CustomersRead>,
) -> Result<Response, Problem> {
    let filter = CustomerFilter {
        scope: who.person.scope(),
        persons: None,
        with_conflicts: false,
        place: None,
        limit: ROWS,
    };
    let found = customers(state.hub(), &filter).await?;
    show(&state, &who, "", found, Vec::new()).await
}

/// What somebody typed.
#[derive(Debug, Default, Deserialize)]
pub struct SearchFields {
    #[serde(default)]
    q: Personal,
}

/// The customers and orders that somebody looks for.
pub(crate) async fn find(
    State(state): State<HubState>,
    who: May<may::Search>,
    PlainForm(fields): PlainForm<SearchFields>,
) -> Result<Response, Problem> {
    let typed = cut(fields.q.expose());
    let found = search(state.hub(), state.people(), &who.person, typed, HITS).await?;
    show(&state, &who, typed, found.customers, found.orders).await
}

/// As much of a text as is looked for.
fn cut(typed: &str) -> &str {
    let typed = typed.trim();
    let mut end = typed.len().min(TYPED_MAX);
    while !typed.is_char_boundary(end) {
        end -= 1;
    }
    &typed[..end]
}

async fn show(
    state: &HubState,
    who: &Caller,
    typed: &str,
    found: Vec<CustomerState>,
    orders: Vec<crate::app::order::OrderState>,
) -> Result<Response, Problem> {
    let view = View::of(state, who).await?;
    let t = CustomerTexts::of(view.language());
    let places = Places::of(state).await?;
    let is_search = !typed.is_empty();
    let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
    let body = SafeHtml::render(&Page {
        t,
        heading: if is_search {
            plural(count, t.found_one, t.found)
        } else {
            t.newest.to_owned()
        },
        people: found
            .iter()
            .map(|customer| PersonRow::of(&view, &places, customer))
            .collect(),
        orders: orders
            .iter()
            .map(|order| OrderRow::of(&view, &places, order))
            .collect(),
        is_search,
    })?;
    let head = SafeHtml::render(&Head { t, typed })?;
    frame(state, who, &view, CUSTOMERS)
        .await?
        .respond(&Content::new(t.title, body).head(head))
}
