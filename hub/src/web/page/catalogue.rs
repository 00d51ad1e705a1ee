//! The catalogue: parts and presets with their prices, and reading in lists of parts.
//!
//! What is saved here goes to every branch; orders keep the prices that they have.

pub(crate) mod import;
pub(crate) mod part;
pub(crate) mod preset;
mod texts;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::money::{Currency, Money};
use domain::permission::Permission;
use serde::Deserialize;
use web_kit::{ApiQuery, Content, Cursor, ListQuery, PageRequest, Problem, SafeHtml, html};

use self::texts::CatalogueTexts;
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::part::import::rate;
use crate::app::part::{PartRecord, list as parts};
use crate::app::settings;
use crate::web::act::{address, encode};
use crate::web::frame::frame;
use crate::web::list::{Pager, Segment};
use crate::web::places::Places;
use crate::web::view::View;
use crate::web::{CATALOGUE, IMPORT, NEW_PART, NEW_PRESET, PRESETS};

const LIST: &str = "catalogue page";
const ROWS: u32 = 50;

/// Which parts.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ListFields {
    #[serde(default)]
    q: String,
    #[serde(default)]
    cursor: String,
}

#[derive(Template)]
#[template(path = "catalogue/_head.html")]
struct Head<'a> {
    t: &'a CatalogueTexts,
    sections: Vec<Segment>,
    search: Option<(&'static str, &'static str)>,
    typed: &'a str,
    new: Option<(&'static str, &'static str)>,
}

/// The head of the catalogue's pages; `here` is the address of the section.
fn head<'a>(t: &'static CatalogueTexts, who: &Caller, here: &str, typed: &'a str) -> Head<'a> {
    let may_write = who.person.may(Permission::CatalogueWrite);
    let mut sections = vec![(CATALOGUE, t.parts), (PRESETS, t.presets)];
    if who.person.may(Permission::Import) {
        sections.push((IMPORT, t.import));
    }
    let (search, new) = match here {
        PRESETS => (Some((PRESETS, t.find_preset)), (NEW_PRESET, t.new_preset)),
        IMPORT => (None, (NEW_PART, t.new_part)),
        _ => (Some((CATALOGUE, t.find_part)), (NEW_PART, t.new_part)),
    };
    Head {
        t,
        sections: sections
            .into_iter()
            .map(|(href, words)| Segment {
                href: href.to_owned(),
                words: words.to_owned(),
                is_current: href == here,
            })
            .collect(),
        search,
        typed,
        new: Some(new).filter(|_| may_write && here != IMPORT),
    }
}

struct Row {
    href: String,
    sku: String,
    name: String,
    category: String,
    price: String,
    tax: String,
    barcodes: String,
    active: bool,
    changed: String,
}

#[derive(Template)]
#[template(path = "catalogue/page.html")]
struct Page<'a> {
    t: &'a CatalogueTexts,
    refresh: String,
    rows: Vec<Row>,
    currency: Option<Currency>,
    empty: &'static str,
    pager: Pager,
}

/// The parts, or the list alone when a script asks again.
pub(crate) async fn list(
    State(state): State<HubState>,
    who: May<may::BasicsRead>,
    asked: PageRequest,
    ApiQuery(fields): ApiQuery<ListFields>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = CatalogueTexts::of(view.language());
    let page = ListQuery {
        limit: ROWS,
        cursor: Some(fields.cursor.clone()),
    };
    let typed = fields.q.trim();
    let words = (!typed.is_empty()).then_some(typed);
    let after = page.after::<(String, [u8; 16])>(LIST)?;
    let found = parts(state.hub(), words, after.as_ref(), i64::from(ROWS) + 1).await?;
    let cut = web_kit::Page::cut(found, ROWS, |last| {
        Cursor::encode(LIST, &(last.fields.sku.clone(), *last.id.as_bytes()))
    });
    let at = |cursor: &str| address(CATALOGUE, &[("q", typed), ("cursor", cursor)]);
    let may_write = who.person.may(Permission::CatalogueWrite);
    let currency = one_currency(cut.items.iter().map(|part| part.fields.currency));
    let body = SafeHtml::render(&Page {
        t,
        refresh: at(&fields.cursor),
        rows: cut
            .items
            .iter()
            .map(|part| row(&view, part, may_write, currency))
            .collect(),
        currency,
        empty: if typed.is_empty() { t.no_parts } else { t.none },
        pager: Pager {
            first: (!fields.cursor.is_empty()).then(|| at("")),
            next: cut.next_cursor.map(|next| at(&next)),
            first_words: t.newest,
            next_words: t.older,
        },
    })?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    let head = SafeHtml::render(&head(t, &who, CATALOGUE, typed))?;
    frame(&state, &who, &view, CATALOGUE)
        .await?
        .respond(&Content::new(t.title, body).head(head))
}

/// The currency of all of these prices, which then stands once above them.
fn one_currency(all: impl Iterator<Item = Currency>) -> Option<Currency> {
    let mut all = all;
    let first = all.next()?;
    all.all(|currency| currency == first).then_some(first)
}

/// A price in a column: with its currency only where the column has several.
fn in_column(view: &View, money: Money, currency: Option<Currency>) -> String {
    match currency {
        Some(_) => view.amount(money),
        None => view.full_amount(money),
    }
}

fn row(view: &View, part: &PartRecord, may_write: bool, currency: Option<Currency>) -> Row {
    let fields = &part.fields;
    let sku = encode(&fields.sku);
    Row {
        href: if may_write {
            format!("{CATALOGUE}/parts/{sku}")
        } else {
            format!("{}/{sku}", crate::web::STOCK)
        },
        sku: fields.sku.clone(),
        name: fields.name.clone(),
        category: fields.category.clone(),
        price: in_column(
            view,
            Money {
                amount_minor: fields.price_minor,
                currency: fields.currency,
            },
            currency,
        ),
        tax: view.clock.percent(fields.tax_bp),
        barcodes: fields.barcodes.join(", "),
        active: fields.active,
        changed: view.clock.when(part.updated_ms),
    }
}

/// What is typed for a price.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PriceFields {
    #[serde(default)]
    price: String,
    #[serde(default)]
    currency: String,
    #[serde(default)]
    tax: String,
}

impl PriceFields {
    /// What an empty form begins with: the usual currency and the highest rate.
    async fn usual(state: &HubState, view: &View) -> Result<Self, Problem> {
        let rates = settings::get(state.hub()).await?.1.tax_rates;
        let tax = rates.iter().map(|rate| rate.bp).max();
        Ok(Self {
            price: String::new(),
            currency: Places::of(state).await?.currency().to_string(),
            tax: tax.map_or_else(String::new, |bp| percent(view, bp)),
        })
    }

    fn of(view: &View, money: Money, tax_bp: u32) -> Self {
        Self {
            price: view.amount(money),
            currency: money.currency.to_string(),
            tax: percent(view, tax_bp),
        }
    }

    fn read(&self, view: &View) -> Result<(Money, u32), Problem> {
        let currency: Currency = self
            .currency
            .trim()
            .to_uppercase()
            .parse()
            .map_err(|_| wrong("/currency", "Must be an ISO 4217 code such as EUR."))?;
        let minor = view
            .clock
            .read_amount(&self.price, currency.minor_digits())
            .ok_or_else(|| wrong("/price", "Write digits, as in 12.90."))?;
        let money = Money::new(minor, currency)
            .map_err(|_| wrong("/price", "Must be an amount from 0 to 10000000000000."))?;
        let tax = rate(&self.tax)
            .ok_or_else(|| wrong("/tax_rate_bp", "Write a rate, as in 19 or 5.5."))?;
        Ok((money, tax))
    }
}

fn wrong(pointer: &str, detail: &'static str) -> Problem {
    Problem::invalid_field(pointer, detail)
}

/// A rate without its sign, as a field holds it.
fn percent(view: &View, bp: u32) -> String {
    view.clock
        .percent(bp)
        .trim_end_matches(['%', ' '])
        .to_owned()
}
