//! The till: scan what is collected or sold, take the money, hand over the receipt.
//!
//! The basket stands in the page's address, what was typed to pay it in a form with a key: a refresh shows the same, a
//! double click takes the money once. The use case judges; what stands in the way is said beside what it is about.

mod basket;
mod meant;
mod parked;
mod pay;
mod rows;
mod shown;
mod texts;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::{DocumentId, StaffId};
use serde::Deserialize;
use web_kit::wire::Personal;
use web_kit::{
    ApiQuery, Content, PageForm, PageRequest, PlainForm, Problem, SafeHtml, fill, html,
    html_with_status,
};

use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::account::{self, AccountView};
use crate::app::basket::{BasketView, quote};
use crate::app::parked_basket::{self, Parked};
use crate::app::payment::{Exposure, exposure};
use crate::app::till::sell;
use crate::store::money::{cash, rules};
use crate::store::staff;
use crate::sync::LinkState;
use crate::web::frame::frame;
use crate::web::page::receipts::names_of;
use crate::web::posted::{Posted, post};
use crate::web::view::View;
use crate::web::{RECEIPTS, TILL};
use basket::{Basket, BasketFields, minor};
use meant::{Meant, meant};
pub(crate) use parked::{park, take_back};
use pay::{PayForm, Unpaid};
use shown::{Found, Head, Shown, Wrong, page};
use texts::TillTexts;

/// The till of a shop that has one.
const REGISTER: u16 = crate::app::cash::FIRST_REGISTER;

/// The address that shows an order at the till.
pub(crate) fn collect(order: DocumentId) -> String {
    format!("{TILL}?order={order}")
}

/// The address that asks how much is paid ahead for an order.
pub(crate) fn deposit(order: DocumentId) -> String {
    format!("{TILL}?deposit={order}&ahead=0")
}

/// The address that asks for what somebody owes on account.
pub(crate) fn pay_off(customer: DocumentId, owed_minor: i64) -> String {
    format!("{TILL}?customer={customer}&claim={owed_minor}")
}

/// What changes in the basket.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ChangeForm {
    #[serde(default)]
    customer: Vec<String>,
    #[serde(default)]
    claim: Vec<String>,
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
        customer: form.customer,
        claim: form.claim,
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
            Meant::Some(orders, people) => {
                let t = TillTexts::of(view.language());
                let orders = orders.iter().map(|one| Found::of(one, &basket, &view));
                let people = people
                    .iter()
                    .map(|one| Found::person(one, t, &basket, &view));
                shown.found = orders.chain(people).collect();
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
    /// Of a customer who buys on account, or did.
    account: Option<AccountView>,
    parked: Vec<Parked>,
    names: BTreeMap<StaffId, String>,
}

async fn around(state: &EdgeState, who: &Caller, basket: &Basket) -> Result<Around, Problem> {
    let actor = who.actor();
    let basket = basket.clone();
    let read = state.store().read(move |reader| {
        let currency = reader.settings()?.currency;
        let view = quote(reader, &actor, &basket.sale(currency, Vec::new()))?;
        let account = match view.customer {
            Some(customer) => account::of(reader, &actor, customer)?,
            None => None,
        };
        Ok(Around {
            view,
            has_session: cash::open_of(reader, REGISTER)?.is_some(),
            is_connected: false,
            has_reader: rules::till_rules(reader)?.reader,
            promised: exposure(reader)?,
            account,
            parked: parked_basket::list(reader, &actor)?,
            names: names_of(&staff::list(reader)?),
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
    let mut around = around(state, who, &shown.basket).await?;
    let status = shown.status();
    let t = TillTexts::of(view.language());
    let parked = std::mem::take(&mut around.parked);
    let parked = parked::rows(state, t, view, parked, &around.names);
    let park_key = state.form_key().to_string();
    let page = page(t, view, &around, &shown, &parked, park_key);
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
