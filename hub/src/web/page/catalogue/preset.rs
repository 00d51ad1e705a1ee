//! Presets by category: faults and services with their price and time.

pub(crate) mod form;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::money::{Currency, Money};
use domain::permission::Permission;
use web_kit::{ApiQuery, Content, PageRequest, Problem, SafeHtml, fill, html};

use super::texts::CatalogueTexts;
use super::{ListFields, head, in_column, one_currency};
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::app::preset::{self, PresetRecord};
use crate::web::act::address;
use crate::web::frame::frame;
use crate::web::view::View;
use crate::web::{CATALOGUE, PRESETS};

/// Presets on one page: more than a chain has.
const MOST: i64 = 500;

struct Row {
    href: Option<String>,
    service: String,
    fault: String,
    price: String,
    tax: String,
    minutes: String,
    active: bool,
    changed: String,
}

struct Group {
    category: String,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "catalogue/presets.html")]
struct ListPage<'a> {
    t: &'a CatalogueTexts,
    refresh: String,
    groups: Vec<Group>,
    currency: Option<Currency>,
    empty: &'static str,
}

/// The presets by category, or the list alone when a script asks again.
pub(crate) async fn list(
    State(state): State<HubState>,
    who: May<may::BasicsRead>,
    asked: PageRequest,
    ApiQuery(fields): ApiQuery<ListFields>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = CatalogueTexts::of(view.language());
    let typed = fields.q.trim();
    let words = (!typed.is_empty()).then_some(typed);
    let mut found = preset::list(state.hub(), words, None, MOST).await?;
    found.sort_by(|a, b| {
        let place = |record: &PresetRecord| {
            let fields = &record.fields;
            let texts = [&fields.category, &fields.fault, &fields.service];
            texts.map(|text| text.to_lowercase())
        };
        place(a).cmp(&place(b))
    });
    let may_write = who.person.may(Permission::CatalogueWrite);
    let currency = one_currency(found.iter().map(|record| record.fields.currency));
    let mut groups: Vec<Group> = Vec::new();
    for record in &found {
        let category = &record.fields.category;
        let row = row(t, &view, record, may_write, currency);
        match groups.last_mut().filter(|last| last.category == *category) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group {
                category: category.clone(),
                rows: vec![row],
            }),
        }
    }
    let body = SafeHtml::render(&ListPage {
        t,
        refresh: address(PRESETS, &[("q", typed)]),
        groups,
        currency,
        empty: if typed.is_empty() {
            t.no_presets
        } else {
            t.none
        },
    })?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    let head = SafeHtml::render(&head(t, &who, PRESETS, typed))?;
    frame(&state, &who, &view, CATALOGUE)
        .await?
        .respond(&Content::new(t.title, body).head(head))
}

fn row(
    t: &CatalogueTexts,
    view: &View,
    record: &PresetRecord,
    may_write: bool,
    currency: Option<Currency>,
) -> Row {
    let fields = &record.fields;
    Row {
        href: may_write.then(|| format!("{PRESETS}/{}", record.id)),
        service: fields.service.clone(),
        fault: fields.fault.clone(),
        price: in_column(
            view,
            Money {
                amount_minor: fields.price_minor,
                currency: fields.currency,
            },
            currency,
        ),
        tax: view.clock.percent(fields.tax_bp),
        minutes: if fields.minutes == 0 {
            String::new()
        } else {
            fill(t.min, &[("n", &fields.minutes)])
        },
        active: fields.active,
        changed: view.clock.when(record.updated_ms),
    }
}
