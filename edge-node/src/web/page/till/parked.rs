//! Baskets put aside and taken back. Each stands with who and when, and comes back as the address of the till.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::StaffId;
use serde::Deserialize;
use web_kit::toast::ToastUndo;
use web_kit::wire::money;
use web_kit::{ApiPath, PageForm, PageRequest, Problem, Toast, fill};

use super::basket::{Basket, BasketFields, minor};
use super::texts::TillTexts;
use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::app::parked_basket::{Parked, park as put_aside, take_back as back_to_till};
use crate::app::till::SaleInput;
use crate::web::TILL;
use crate::web::posted::{Posted, post};
use crate::web::said::{go_on, key_back};
use crate::web::view::View;

/// The basket that stands at the till.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ParkForm {
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
}

impl ParkForm {
    fn basket(self) -> Basket {
        let fields = BasketFields {
            customer: self.customer,
            claim: self.claim,
            order: self.order,
            deposit: self.deposit,
            ahead: self.ahead,
            part: self.part,
            n: self.n,
        };
        fields.read(minor)
    }
}

/// A basket that waits, as the template shows it.
pub(super) struct ParkedRow {
    pub(super) action: String,
    pub(super) key: String,
    /// For whom, or what.
    pub(super) title: String,
    pub(super) what: String,
    pub(super) amount: String,
    pub(super) by: String,
}

/// The rows of the baskets that wait.
pub(super) fn rows(
    state: &EdgeState,
    t: &TillTexts,
    view: &View,
    parked: Vec<Parked>,
    names: &BTreeMap<StaffId, String>,
) -> Vec<ParkedRow> {
    let row = |one: Parked| {
        let basket = &one.view;
        let words = what(t, &one);
        let person = basket.person.as_ref().map(|name| name.expose().to_owned());
        let who = one.staff.and_then(|id| names.get(&id).cloned());
        let words_by = fill(
            t.parked_by,
            &[
                ("when", &view.clock.when(one.at_ms)),
                ("who", &who.unwrap_or_default()),
            ],
        );
        ParkedRow {
            action: format!("{TILL}/parked/{}", one.id),
            key: state.form_key().to_string(),
            title: person.clone().unwrap_or_else(|| words.clone()),
            what: person.map_or_else(String::new, |_| words),
            amount: view.amount(money(basket.totals.due_minor, basket.currency)),
            by: words_by.trim_end_matches(", ").to_owned(),
        }
    };
    parked.into_iter().map(row).collect()
}

/// What is in a basket, in few words: the numbers of one or two orders, else how many.
fn what(t: &TillTexts, parked: &Parked) -> String {
    let basket = &parked.view;
    let mut words = Vec::new();
    match basket.orders.as_slice() {
        [] => {}
        few if few.len() <= 2 => words.extend(few.iter().map(|order| order.number.clone())),
        many => words.push(fill(t.many_orders, &[("n", &many.len())])),
    }
    let pieces: i64 = basket.parts.iter().map(|part| part.quantity).sum();
    match (basket.parts.as_slice(), pieces) {
        ([], _) => {}
        ([only], 1) if !only.name.is_empty() => words.push(only.name.clone()),
        (_, 1) => words.push(fill(t.one_article, &[("n", &1)])),
        (_, n) => words.push(fill(t.many_articles, &[("n", &n)])),
    }
    if basket.claim.is_some() {
        words.push(t.claim.to_owned());
    }
    words.join(", ")
}

async fn sale(state: &EdgeState, basket: &Basket) -> Result<SaleInput, Problem> {
    let settings = state.store().read(|reader| reader.settings()).await?;
    Ok(basket.sale(settings.currency, Vec::new()))
}

/// Puts the basket aside; the till is free for who comes next.
pub(crate) async fn park(
    State(state): State<EdgeState>,
    who: May<may::TillUse>,
    asked: PageRequest,
    PageForm { fields, request }: PageForm<ParkForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = TillTexts::of(view.language());
    let basket = fields.basket();
    let sale = sale(&state, &basket).await?;
    let key = key_back(request.key.as_deref());
    let posted = post(&state, &who, request, Ok(sale), |tx, actor, sale| {
        put_aside(tx, actor, &sale)
    });
    let (href, toast) = match posted.await? {
        Posted::Done(answered) => {
            let id = answered.answer.body["id"].as_i64().unwrap_or_default();
            let mut toast = Toast::new(t.lines, t.parked_toast);
            toast.undo = Some(ToastUndo {
                action: format!("{TILL}/parked/{id}"),
                is_plain: true,
                fields: vec![("key", key)],
            });
            (TILL.to_owned(), toast)
        }
        Posted::Refused(problem) => {
            let toast = Toast::new("", refused(&problem, t)).late();
            (basket.address(), toast)
        }
    };
    go_on(&state, asked, view.language(), &href, toast)
}

/// Takes a basket back to the till.
pub(crate) async fn take_back(
    State(state): State<EdgeState>,
    who: May<may::TillUse>,
    asked: PageRequest,
    ApiPath(id): ApiPath<i64>,
    PageForm { fields, request }: PageForm<ParkForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = TillTexts::of(view.language());
    let basket = fields.basket();
    let instead = sale(&state, &basket).await?;
    let posted = post(
        &state,
        &who,
        request,
        Ok(instead),
        move |tx, actor, sale| back_to_till(tx, actor, id, &sale),
    );
    match posted.await? {
        Posted::Done(answered) => {
            let sale = serde_json::from_value(answered.answer.body["sale"].clone());
            let basket = sale.map_or_else(|_| Basket::default(), |sale| Basket::of(&sale));
            Ok(Redirect::to(&basket.address()).into_response())
        }
        Posted::Refused(problem) => {
            let toast = Toast::new("", refused(&problem, t)).late();
            go_on(&state, asked, view.language(), &basket.address(), toast)
        }
    }
}

fn refused(problem: &Problem, t: &TillTexts) -> &'static str {
    match problem.body().kind.rsplit(':').next().unwrap_or_default() {
        "parked-gone" => t.parked_gone,
        "parked-full" => t.parked_full,
        _ => t.parked_empty,
    }
}
