//! The till: scan what is collected or sold, take the money, hand over the receipt.
//!
//! The basket stands in the page's address, what was typed to pay it in a form with a key: a refresh shows the same, a
//! double click takes the money once. The use case judges; what stands in the way is said beside what it is about.

mod basket;
mod pay;
mod shown;
mod texts;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::DocumentId;
use domain::number::parse_order_number;
use domain::order::Status;
use domain::permission::{Permission, Side, allows};
use domain::till::{PaperKind, paper_number, parse_paper_number};
use serde::Deserialize;
use web_kit::wire::Personal;
use web_kit::{
    ApiQuery, Content, PageForm, PageRequest, PlainForm, Problem, SafeHtml, fill, html,
    html_with_status,
};

use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::basket::{BasketView, quote};
use crate::app::payment::{Exposure, exposure};
use crate::app::search::{self, FoundOrder, SearchInput};
use crate::app::stock::find_part;
use crate::app::till::sell;
use crate::error::AppError;
use crate::store::money::{cash, receipt, rules};
use crate::store::{Actor, Reader, order as orders};
use crate::sync::LinkState;
use crate::web::frame::frame;
use crate::web::posted::{Posted, post};
use crate::web::view::View;
use crate::web::{RECEIPTS, TILL};
use basket::{Basket, BasketFields, minor};
use pay::{PayForm, Unpaid};
use shown::{Found, Head, Shown, Wrong, page};
use texts::TillTexts;

/// The till of a shop that has one.
const REGISTER: u16 = crate::app::cash::FIRST_REGISTER;
/// Most orders that a name is answered with.
const FOUND: usize = 6;

/// The address that shows an order at the till.
pub(crate) fn collect(order: DocumentId) -> String {
    format!("{TILL}?order={order}")
}

/// The address that asks how much is paid ahead for an order.
pub(crate) fn deposit(order: DocumentId) -> String {
    format!("{TILL}?deposit={order}&ahead=0")
}

/// What changes in the basket.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ChangeForm {
    #[serde(default)]
    order: Vec<String>,
    #[serde(default)]
    deposit: Vec<String>,
    #[serde(default)]
    ahead: Vec<String>,
    #[serde(default)]
    part: Vec<String>,
    #[serde(default)]
    n: Vec<String>,
    #[serde(default)]
    code: Personal,
    #[serde(default)]
    action: String,
}

/// What a scanned or typed code means.
enum Meant {
    /// A receipt.
    Receipt(String),
    Order(DocumentId),
    Part(String),
    /// Orders of somebody.
    Some(Vec<FoundOrder>),
    Nothing,
}

/// The till with the basket of the address.
pub(crate) async fn show(
    State(state): State<EdgeState>,
    who: May<may::TillUse>,
    ApiQuery(fields): ApiQuery<BasketFields>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let shown = Shown::of(&state, fields.read(minor));
    respond(&state, &who, &view, shown, false).await
}

/// Puts a code into the basket, or does what one of its buttons says. Nothing is written.
pub(crate) async fn change(
    State(state): State<EdgeState>,
    who: May<may::TillUse>,
    asked: PageRequest,
    PlainForm(form): PlainForm<ChangeForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let fields = BasketFields {
        order: form.order,
        deposit: form.deposit,
        ahead: form.ahead,
        part: form.part,
        n: form.n,
    };
    let digits = state
        .store()
        .read(|reader| reader.settings())
        .await?
        .currency
        .minor_digits();
    let mut basket = fields.read(|typed| view.clock.read_amount(typed, digits));
    let mut shown = Shown::of(&state, Basket::default());
    let is_button = basket.act(&form.action);
    let typed = form.code.expose().trim().to_owned();
    if !is_button && !typed.is_empty() {
        let actor = who.actor();
        let wanted = typed.clone();
        let meant = state
            .store()
            .read(move |reader| meant(reader, &actor, &wanted))
            .await?;
        match meant {
            Meant::Receipt(number) => {
                return Ok(go_to(asked, &format!("{RECEIPTS}/{number}")));
            }
            Meant::Order(id) => basket.put_order(id),
            Meant::Part(sku) => basket.put_part(&sku),
            Meant::Some(found) => {
                shown.found = found
                    .iter()
                    .map(|one| Found::of(one, &basket, &view))
                    .collect()
            }
            Meant::Nothing => shown.unknown = Some(typed),
        }
    }
    let is_said = shown.unknown.is_some() || !shown.found.is_empty();
    if !asked.is_fragment() && !is_said {
        return Ok(Redirect::to(&basket.address()).into_response());
    }
    shown.basket = basket;
    respond(&state, &who, &view, shown, asked.is_fragment()).await
}

/// On to another page, also when a script asked.
fn go_to(asked: PageRequest, href: &str) -> Response {
    if !asked.is_fragment() {
        return Redirect::to(href).into_response();
    }
    let header = axum::http::HeaderName::from_static("hx-redirect");
    match axum::http::HeaderValue::from_str(href) {
        Ok(value) => ([(header, value)], "").into_response(),
        Err(_) => Redirect::to(href).into_response(),
    }
}

fn meant(reader: &Reader<'_>, actor: &Actor, typed: &str) -> Result<Meant, AppError> {
    let own = &reader.identity().code;
    if let Ok((code, PaperKind::Receipt, series, number)) = parse_paper_number(typed)
        && code == *own
        && receipt::by_number(reader, series, number)?.is_some()
    {
        let number = paper_number(own, PaperKind::Receipt, series, number);
        return Ok(Meant::Receipt(number));
    }
    let whole =
        parse_order_number(typed).or_else(|_| parse_order_number(&format!("{own}-{typed}")));
    if let Ok(number) = &whole
        && let [only] = numbered(reader, number)?.as_slice()
    {
        return Ok(Meant::Order(*only));
    }
    match find_part(reader, typed) {
        Ok((_, row)) => return Ok(Meant::Part(row.sku)),
        Err(AppError::NotFound { .. }) => {}
        Err(error) => return Err(error),
    }
    if !allows(actor.role, Permission::Search, Side::Branch) {
        return Ok(Meant::Nothing);
    }
    let wanted = SearchInput {
        q: Personal::new(typed),
        limit: None,
    };
    let mut found = search::find(reader, actor, &wanted)?.orders;
    found.retain(|order| !matches!(order.status, Status::Collected | Status::Cancelled));
    found.sort_by_key(|order| order.status != Status::Ready);
    found.truncate(FOUND);
    Ok(match found.as_slice() {
        [] => Meant::Nothing,
        _ => Meant::Some(found),
    })
}

fn numbered(reader: &Reader<'_>, number: &str) -> Result<Vec<DocumentId>, AppError> {
    let filter = orders::OrderFilter {
        number_or_serial: Some(number.to_owned()),
        ..orders::OrderFilter::default()
    };
    let found = orders::list(reader, &filter, 2)?;
    Ok(found.into_iter().map(|record| record.id).collect())
}

/// Takes the money: writes the receipt and leads to it.
pub(crate) async fn pay(
    State(state): State<EdgeState>,
    who: May<may::TillUse>,
    PageForm { fields, request }: PageForm<PayForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = TillTexts::of(view.language());
    let currency = state
        .store()
        .read(|reader| reader.settings())
        .await?
        .currency;
    let basket = fields.basket();
    let mut shown = Shown::of(&state, basket);
    shown.key = request.key.clone().unwrap_or_default();
    let amount = |minor: i64| view.full_amount(web_kit::wire::money(minor, currency));
    let tenders = match fields.tenders(&view, currency) {
        Ok(tenders) => tenders,
        Err(unpaid) => {
            let due = amount(fields.due_minor());
            shown.wrong = match unpaid {
                Unpaid::Amount(field) => {
                    let example = view.amount(web_kit::wire::money(1_290, currency));
                    Wrong::at(field, fill(t.wrong_amount, &[("example", &example)]))
                }
                Unpaid::Given(given) => {
                    let words = [
                        ("given", &amount(given) as &dyn std::fmt::Display),
                        ("due", &due),
                    ];
                    Wrong::at("given", fill(t.given_short, &words))
                }
                Unpaid::Over => Wrong::at("split", fill(t.split_over, &[("due", &due)])),
                Unpaid::Short(left) => {
                    let words = [
                        ("left", &amount(left) as &dyn std::fmt::Display),
                        ("due", &due),
                    ];
                    Wrong::at("split", fill(t.split_short, &words))
                }
            };
            shown.pay = fields;
            return respond(&state, &who, &view, shown, false).await;
        }
    };
    let sale = shown.basket.sale(currency, tenders);
    let posted = post(&state, &who, request, Ok(sale), |tx, actor, sale| {
        sell(tx, actor, &sale)
    });
    match posted.await? {
        Posted::Done(answered) => {
            let number = answered.answer.body["number"].as_str().unwrap_or_default();
            Ok(Redirect::to(&format!("{RECEIPTS}/{number}?fresh=true")).into_response())
        }
        Posted::Refused(problem) => {
            shown.wrong = Wrong::of(&problem, t, &view);
            shown.pay = fields;
            respond(&state, &who, &view, shown, false).await
        }
    }
}

/// What the page is made of beside the basket.
struct Around {
    view: BasketView,
    has_session: bool,
    is_connected: bool,
    /// Whether a card reader stands on the counter.
    has_reader: bool,
    promised: Exposure,
    /// Of a customer who buys on account: what of it is left, in minor units.
    account_left: Option<i64>,
}

async fn around(state: &EdgeState, who: &Caller, basket: &Basket) -> Result<Around, Problem> {
    let actor = who.actor();
    let basket = basket.clone();
    let read = state.store().read(move |reader| {
        let currency = reader.settings()?.currency;
        let view = quote(reader, &actor, &basket.sale(currency, Vec::new()))?;
        let account = match view.customer {
            Some(customer) => rules::account(reader, customer)?
                .map(|account| -> Result<i64, AppError> {
                    let owed = rules::owed_by(reader, customer)?;
                    Ok(account.limit_minor.saturating_sub(owed).max(0))
                })
                .transpose()?,
            None => None,
        };
        Ok(Around {
            view,
            has_session: cash::open_of(reader, REGISTER)?.is_some(),
            is_connected: false,
            has_reader: rules::till_rules(reader)?.reader,
            promised: exposure(reader)?,
            account_left: account,
        })
    });
    let is_connected = state.sync().status().state == LinkState::Connected;
    Ok(Around {
        is_connected,
        ..read.await?
    })
}

async fn respond(
    state: &EdgeState,
    who: &Caller,
    view: &View,
    shown: Shown,
    is_fragment: bool,
) -> Result<Response, Problem> {
    let around = around(state, who, &shown.basket).await?;
    let status = shown.status();
    let t = TillTexts::of(view.language());
    let page = page(t, view, &around, &shown);
    if is_fragment {
        return Ok(html(SafeHtml::render(&page.as_till())?));
    }
    let head = SafeHtml::render(&Head {
        t,
        is_empty: shown.basket.is_empty(),
    })?;
    let content = Content {
        fill: true,
        modules: &["js/till.js"],
        ..Content::new(t.title, SafeHtml::render(&page)?).head(head)
    };
    let page = frame(state, who, view, TILL).await?.render(&content)?;
    Ok(html_with_status(status, page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(TillTexts::ALL),
            Vec::<String>::new()
        );
    }
}
