//! Payments by card and bank, newest first, by branch and state.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::ReceiptId;
use domain::payment::PaymentState;
use serde::Deserialize;
use web_kit::{ApiQuery, Cursor, ListQuery, PageRequest, Problem, SafeHtml, html};

use super::texts::{MoneyTexts, PaymentTexts};
use super::words::{self, Look};
use super::{money, respond};
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::app::branch::code_of;
use crate::app::money::papers::numbers;
use crate::app::money::read::{OPEN, PaymentRow, Wanted, branch_named, payments};
use crate::store::scope::Place;
use crate::web::MONEY_PAYMENTS;
use crate::web::act::address;
use crate::web::list::Pager;
use crate::web::places::{Choice, Places};
use crate::web::view::View;

const LIST: &str = "payments page";
const ROWS: u32 = 50;

/// Which payments.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PaymentsQuery {
    #[serde(default)]
    branch: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    cursor: String,
}

impl PaymentsQuery {
    fn address(&self, cursor: &str) -> String {
        let parts = [
            ("branch", self.branch.as_str()),
            ("state", self.state.as_str()),
            ("cursor", cursor),
        ];
        address(MONEY_PAYMENTS, &parts)
    }

    fn is_narrowed(&self) -> bool {
        !(self.branch.is_empty() && self.state.is_empty())
    }
}

struct Row {
    href: String,
    when: String,
    branch: String,
    number: String,
    tender: &'static str,
    look: Look,
    is_called_off: bool,
    asked: String,
    came: String,
    is_nothing: bool,
    is_more: bool,
    back: String,
    is_nothing_back: bool,
    heard: String,
}

#[derive(Template)]
#[template(path = "money/payments.html")]
struct Page<'a> {
    m: &'a MoneyTexts,
    t: &'a PaymentTexts,
    here: &'static str,
    refresh: String,
    branches: Vec<Choice>,
    states: Vec<Choice>,
    rows: Vec<Row>,
    is_narrowed: bool,
    /// What all amounts are in, where that is one currency.
    currency: Option<String>,
    pager: Pager,
}

/// The page, or its list alone when a script asks again.
pub(crate) async fn list(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    asked: PageRequest,
    ApiQuery(query): ApiQuery<PaymentsQuery>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let m = MoneyTexts::of(view.language());
    let page = ListQuery {
        limit: ROWS,
        cursor: Some(query.cursor.clone()),
    };
    let is_known = query.state == OPEN || query.state.parse::<PaymentState>().is_ok();
    let wanted = Wanted {
        branch: branch_named(state.hub(), Some(&query.branch)).await?,
        state: is_known.then(|| query.state.clone()),
        place: page.after::<Place>(LIST)?,
        limit: i64::from(ROWS) + 1,
    };
    let (found, codes) = payments(state.hub(), &who.person, &wanted).await?;
    let cut = web_kit::Page::cut(found, ROWS, |last: &PaymentRow| {
        Cursor::encode(LIST, &(last.created_ms, *last.id.as_bytes()))
    });
    let receipts: Vec<(ReceiptId, String)> = cut
        .items
        .iter()
        .filter_map(|row| Some((row.receipt?, code_of(&codes, row.branch))))
        .collect();
    let numbers = numbers(state.hub(), &receipts).await?;
    let places = Places::of(&state).await?;
    let mut currencies = cut.items.iter().map(|row| row.currency);
    let first = currencies.next();
    let is_one = currencies.all(|other| Some(other) == first);
    let row = |payment: &PaymentRow| {
        let code = code_of(&codes, payment.branch);
        row(&view, places.name(&code), &numbers, payment, is_one)
    };
    let body = SafeHtml::render(&Page {
        m,
        t: PaymentTexts::of(view.language()),
        here: MONEY_PAYMENTS,
        refresh: query.address(&query.cursor),
        branches: places.choices_of(&who.person.scope(), &query.branch, m.any_branch),
        states: states(&view, &query.state),
        rows: cut.items.iter().map(row).collect(),
        is_narrowed: query.is_narrowed(),
        currency: first.filter(|_| is_one).map(|one| one.to_string()),
        pager: Pager {
            first: (!query.cursor.is_empty()).then(|| query.address("")),
            next: cut.next_cursor.map(|next| query.address(&next)),
            first_words: m.newest,
            next_words: m.older,
        },
    })?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    respond(&state, &who, &view, (StatusCode::OK, MONEY_PAYMENTS), body).await
}

fn states(view: &View, chosen: &str) -> Vec<Choice> {
    let m = MoneyTexts::of(view.language());
    let t = PaymentTexts::of(view.language());
    let all = PaymentState::ALL.iter().map(|state| {
        let words = words::state(view.language(), "card", state.as_str()).words;
        Choice::new(state.as_str(), words, chosen)
    });
    let mut choices = vec![
        Choice::new("", m.any_state, chosen),
        Choice::new(OPEN, t.open_state, chosen),
    ];
    choices.extend(all);
    choices
}

fn row(
    view: &View,
    branch: &str,
    numbers: &BTreeMap<ReceiptId, String>,
    payment: &PaymentRow,
    is_one_currency: bool,
) -> Row {
    let amount = |minor| {
        let money = money(minor, payment.currency);
        if is_one_currency {
            view.amount(money)
        } else {
            view.full_amount(money)
        }
    };
    let number = payment.receipt.and_then(|receipt| numbers.get(&receipt));
    Row {
        href: format!("{MONEY_PAYMENTS}/{}", payment.id),
        when: view.clock.when(payment.created_ms),
        branch: branch.to_owned(),
        number: number.cloned().unwrap_or_else(|| "–".to_owned()),
        tender: words::tender(view.language(), &payment.tender),
        look: words::state(view.language(), &payment.tender, &payment.state),
        is_called_off: payment.called_off && payment.state != "cancelled",
        asked: amount(payment.asked_minor),
        came: amount(payment.captured_minor),
        is_nothing: payment.captured_minor == 0,
        is_more: payment.captured_minor > payment.asked_minor,
        back: amount(payment.repaid_minor),
        is_nothing_back: payment.repaid_minor == 0,
        heard: view.clock.age(payment.updated_ms),
    }
}
