//! The till as the template shows it.

use askama::Template;
use axum::http::StatusCode;
use domain::cash::denominations;
use domain::id::DocumentId;
use domain::money::Money;
use domain::order::Status;
use web_kit::wire::money;
use web_kit::{Problem, fill, refusal};

use super::Around;
use super::basket::Basket;
use super::parked::ParkedRow;
use super::pay::{PayForm, likely_notes};
use super::rows::{AccountRow, OrderGroup, PartRow, claim_row, group, part_row};
use super::texts::TillTexts;
use crate::api::EdgeState;
use crate::app::search::FoundOrder;
use crate::web::page::board::device_icon;
use crate::web::view::View;
use crate::web::{PEOPLE, texts};

/// What a request wants to be shown.
pub(super) struct Shown {
    pub(super) key: String,
    pub(super) basket: Basket,
    pub(super) pay: PayForm,
    pub(super) wrong: Wrong,
    pub(super) found: Vec<Found>,
    pub(super) unknown: Option<String>,
}

impl Shown {
    pub(super) fn of(state: &EdgeState, basket: Basket) -> Self {
        Self {
            key: state.form_key().to_string(),
            basket,
            pay: PayForm::default(),
            wrong: Wrong::default(),
            found: Vec::new(),
            unknown: None,
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        if self.wrong.is_none() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        }
    }
}

/// What is wrong with the payment: at one field, or above it.
#[derive(Debug, Clone, Default)]
pub(super) struct Wrong {
    field: &'static str,
    words: String,
}

impl Wrong {
    pub(super) fn at(field: &'static str, words: String) -> Self {
        Self { field, words }
    }

    fn is_none(&self) -> bool {
        self.words.is_empty()
    }

    /// What is wrong with a field; `above` for what belongs to none.
    pub(super) fn of_field(&self, field: &str) -> Option<&str> {
        (!self.is_none() && self.field == field).then_some(self.words.as_str())
    }

    /// What the use case said.
    pub(super) fn of(problem: &Problem, t: &TillTexts, view: &View) -> Self {
        let body = problem.body();
        let kind = body.kind.rsplit(':').next().unwrap_or_default();
        let is_tender = body
            .errors
            .iter()
            .any(|error| error.pointer.starts_with("/tenders/"));
        let words = match kind {
            "unequal" => {
                let due = body.extra.get("due").cloned().unwrap_or_default();
                let due = serde_json::from_value(due)
                    .map_or_else(|_| String::new(), |due| view.full_amount(due));
                fill(t.due_changed, &[("due", &due)])
            }
            "promise-limit" | "account-limit" => {
                let left = body.extra.get("left").cloned().unwrap_or_default();
                let left = serde_json::from_value(left)
                    .map_or_else(|_| String::new(), |left| view.full_amount(left));
                let words = if kind == "account-limit" {
                    t.account_limit
                } else {
                    t.promise_limit
                };
                fill(words, &[("left", &left)])
            }
            "claim-on-account" => t.claim_on_account.to_owned(),
            "no-account" => t.no_account.to_owned(),
            "short-of-stock" | "not-ready" | "invoiced" | "other-branch" | "currency" => {
                t.marked.to_owned()
            }
            _ if is_tender
                && body
                    .errors
                    .iter()
                    .any(|error| error.detail.contains("cash session")) =>
            {
                format!("{} {}", t.no_session, t.nothing_booked)
            }
            _ => {
                let first = body.errors.first().map(|error| error.detail.as_str());
                let said = first.or(body.detail.as_deref()).unwrap_or_default();
                let said = refusal::said(view.language(), said);
                format!("{} {}", said, t.nothing_booked)
            }
        };
        Self::at("above", words)
    }
}

/// An order that a name was answered with.
pub(super) struct Found {
    href: String,
    icon: &'static str,
    number: String,
    device: String,
    person: String,
    status: String,
    is_ready: bool,
}

impl Found {
    pub(super) fn of(order: &FoundOrder, basket: &Basket, view: &View) -> Self {
        let mut with = basket.clone();
        with.put_order(order.id);
        Self {
            href: with.address(),
            icon: device_icon(order.device.split(' ').next().unwrap_or_default()),
            number: order.number.clone(),
            device: order.device.clone(),
            person: order
                .customer_name
                .as_ref()
                .map_or_else(String::new, |name| name.expose().to_owned()),
            status: texts::status(view.language(), order.status).to_owned(),
            is_ready: order.status == Status::Ready,
        }
    }

    /// Somebody who buys on account, or owes something.
    pub(super) fn person(
        person: &FoundPerson,
        t: &TillTexts,
        basket: &Basket,
        view: &View,
    ) -> Self {
        let mut with = basket.clone();
        with.put_customer(person.id, person.owed.amount_minor);
        let owed = view.amount(person.owed);
        Self {
            href: with.address(),
            icon: "person",
            number: person.name.clone(),
            device: String::new(),
            person: t.on_the_account.to_owned(),
            status: match person.owed.amount_minor {
                ..=0 => t.owes_nothing.to_owned(),
                _ => fill(t.owes, &[("amount", &owed)]),
            },
            is_ready: false,
        }
    }
}

/// Somebody whom a name was answered with.
pub(super) struct FoundPerson {
    pub(super) id: DocumentId,
    pub(super) name: String,
    pub(super) owed: Money,
}

/// The bar over the page.
#[derive(Template)]
#[template(path = "till/_head.html")]
pub(super) struct Head<'a> {
    pub(super) t: &'a TillTexts,
    pub(super) is_empty: bool,
}

#[derive(Template)]
#[template(path = "till/page.html", blocks = ["till"])]
pub(super) struct TillPage<'a> {
    t: &'a TillTexts,
    address: String,
    key: &'a str,
    fields: Vec<(&'static str, String)>,
    found: &'a [Found],
    unknown: String,
    person: String,
    /// The page of that person, where the basket itself names them.
    person_href: Option<String>,
    picks_up: String,
    account_row: Option<AccountRow>,
    orders: Vec<OrderGroup>,
    parts: Vec<PartRow>,
    sums: Vec<(String, String, bool)>,
    is_empty: bool,
    parked: &'a [ParkedRow],
    park_key: String,
    due_minor: i64,
    due: String,
    may_pay: bool,
    tender: &'a str,
    pay: &'a PayForm,
    notes: Vec<(i64, String)>,
    has_session: bool,
    is_connected: bool,
    card_words: &'static str,
    promised: String,
    /// How much of what may be promised is, of 100.
    promised_share: i64,
    account: Option<(String, String)>,
    wrong: &'a Wrong,
    sample: String,
    digits: u8,
    currency: String,
    take_cash: String,
    ask_card: String,
    ask_bank: String,
    take_split: String,
    rest: String,
}

pub(super) fn page<'a>(
    t: &'a TillTexts,
    view: &View,
    around: &Around,
    shown: &'a Shown,
    parked: &'a [ParkedRow],
    park_key: String,
) -> TillPage<'a> {
    let basket = &around.view;
    let currency = basket.currency;
    let digits = currency.minor_digits();
    let full = |minor: i64| view.full_amount(money(minor, currency));
    let plain = |minor: i64| view.amount(money(minor, currency));
    let due_minor = basket.totals.due_minor;
    let due = full(due_minor);
    let put = |words: &str| fill(words, &[("amount", &due)]);
    let handed_over = basket
        .orders
        .iter()
        .filter(|order| !order.is_deposit)
        .count();
    let unknown = shown
        .unknown
        .as_ref()
        .map_or_else(String::new, |code| fill(t.unknown, &[("code", code)]));
    // What is owed is not paid by owing it again.
    let claims_minor = basket.totals.claims_minor;
    let account_left = around
        .account
        .as_ref()
        .filter(|account| account.limit_minor.is_some() && due_minor > claims_minor)
        .map(|account| account.left_minor);
    let tender = match shown.pay.tender.as_str() {
        known @ ("cash" | "card" | "bank" | "split") => known,
        "account" if account_left.is_some() => "account",
        _ if around.has_session => "cash",
        _ => "card",
    };
    let sums = &basket.totals;
    let mut rows = Vec::new();
    if sums.gross_minor != 0 {
        rows.push((t.sum.to_owned(), plain(sums.gross_minor), true));
    }
    for rate in &sums.rates {
        let words = fill(t.tax_inside, &[("rate", &view.clock.percent(rate.tax_bp))]);
        rows.push((words, plain(rate.tax_minor), false));
    }
    if sums.deposits_minor > 0 {
        rows.push((
            t.deposits_taken.to_owned(),
            plain(sums.deposits_minor),
            true,
        ));
    }
    if sums.claims_minor > 0 {
        rows.push((t.claim.to_owned(), plain(sums.claims_minor), true));
    }
    if sums.deposits_off_minor > 0 {
        rows.push((
            t.deposits_off.to_owned(),
            plain(-sums.deposits_off_minor),
            true,
        ));
    }
    TillPage {
        t,
        address: shown.basket.address(),
        key: &shown.key,
        fields: shown.basket.fields(),
        found: &shown.found,
        unknown,
        person: basket
            .person
            .as_ref()
            .map_or_else(|| t.nobody.to_owned(), |name| name.expose().to_owned()),
        person_href: shown.basket.customer.map(|id| format!("{PEOPLE}/{id}")),
        account_row: shown.basket.customer.map(|_| account_row(t, view, around)),
        picks_up: match handed_over {
            0 => String::new(),
            n => fill(t.picks_up, &[("n", &n)]),
        },
        orders: basket
            .orders
            .iter()
            .map(|order| group(t, view, currency, order))
            .collect(),
        parts: basket
            .parts
            .iter()
            .map(|part| part_row(t, view, currency, part))
            .collect(),
        sums: rows,
        is_empty: basket.is_empty() && shown.basket.customer.is_none(),
        parked,
        park_key,
        due_minor,
        may_pay: !basket.is_empty() && basket.is_whole(),
        tender,
        pay: &shown.pay,
        notes: likely_notes(due_minor, &denominations(currency), digits)
            .into_iter()
            .map(|note| (note, whole(view, note, digits)))
            .collect(),
        has_session: around.has_session,
        is_connected: around.is_connected,
        card_words: match (around.is_connected, around.has_reader) {
            (true, true) => TillTexts::of(view.language()).card_reader,
            (true, false) => TillTexts::of(view.language()).card_connected,
            (false, _) => TillTexts::of(view.language()).card_cut_off,
        },
        promised: fill(
            t.promised,
            &[
                ("promised", &view.full_amount(around.promised.promised)),
                ("limit", &view.full_amount(around.promised.limit)),
            ],
        ),
        promised_share: share(
            around.promised.promised.amount_minor,
            around.promised.limit.amount_minor,
        ),
        account: account_left.map(|left| {
            let words = fill(t.account_words, &[("left", &full(left))]);
            (words, put(t.on_account))
        }),
        wrong: &shown.wrong,
        sample: view
            .clock
            .amount(1_000 * 10_i64.pow(u32::from(digits)), digits),
        digits,
        currency: currency.as_str().to_owned(),
        take_cash: put(t.take_cash),
        ask_card: put(if around.is_connected {
            t.ask_card
        } else {
            t.queue_card
        }),
        ask_bank: put(t.ask_bank),
        take_split: put(t.take_split),
        rest: fill(t.rest, &[("amount", &plain(due_minor))]),
        due,
    }
}

/// What the customer of the basket owes, and what of it is paid now.
fn account_row(t: &TillTexts, view: &View, around: &Around) -> AccountRow {
    let basket = &around.view;
    let currency = basket.currency;
    let amount = |minor: i64| view.amount(money(minor, currency));
    let account = around.account.as_ref();
    let owed = account.map_or(0, |account| account.owed_minor);
    let since = account.and_then(|account| account.open_since_ms);
    let words = match (account, since) {
        (None, _) => t.without_account.to_owned(),
        (Some(_), Some(at_ms)) if owed > 0 => fill(
            t.owes_since,
            &[("amount", &amount(owed)), ("when", &view.clock.when(at_ms))],
        ),
        _ => t.owes_nothing.to_owned(),
    };
    let claim = basket.claim.as_ref();
    AccountRow {
        words,
        is_overdue: account.is_some_and(|account| account.is_overdue),
        claim: claim.map(|claim| claim_row(t, view, currency, claim)),
        offer: (claim.is_none() && owed > 0).then(|| {
            let words = fill(t.pay_off, &[("amount", &amount(owed))]);
            (format!("claim-{owed}"), words)
        }),
    }
}

/// How much of a limit is used, of 100.
fn share(used: i64, limit: i64) -> i64 {
    match limit {
        0 => 100,
        limit => (used.saturating_mul(100) / limit).clamp(0, 100),
    }
}

/// A note without its zeros behind the point.
fn whole(view: &View, minor: i64, digits: u8) -> String {
    view.clock.number(minor / 10_i64.pow(u32::from(digits)))
}
