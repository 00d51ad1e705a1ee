//! The till as the template shows it.

use askama::Template;
use axum::http::StatusCode;
use domain::cash::denominations;
use domain::order::Status;
use domain::till::{ReceiptLine, ReceiptLineKind};
use web_kit::wire::money;
use web_kit::{Problem, Tone, fill, refusal};

use super::Around;
use super::basket::Basket;
use super::pay::{PayForm, likely_notes};
use super::texts::TillTexts;
use crate::api::EdgeState;
use crate::app::basket::{BasketOrder, BasketPart, OrderTrouble, PartTrouble};
use crate::app::order::form::SyncState;
use crate::app::search::FoundOrder;
use crate::web::page::board::device_icon;
use crate::web::page::orders::encoded;
use crate::web::view::View;
use crate::web::{ORDERS, STOCK, texts};

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
    status: &'static str,
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
            status: texts::status(view.language(), order.status),
            is_ready: order.status == Status::Ready,
        }
    }
}

/// The bar over the page.
#[derive(Template)]
#[template(path = "till/_head.html")]
pub(super) struct Head<'a> {
    pub(super) t: &'a TillTexts,
    pub(super) is_empty: bool,
}

/// Why something cannot be sold, and the step that would help.
pub(super) struct Trouble {
    words: String,
    help: Option<(String, &'static str)>,
    /// A button of the basket that helps.
    act: Option<(String, &'static str)>,
    /// Whether only something is to be typed.
    asks: bool,
}

pub(super) struct LineRow {
    text: String,
    quantity: u32,
    each: String,
    tax: String,
    amount: String,
}

pub(super) struct OrderGroup {
    id: String,
    href: String,
    number: String,
    device: String,
    glyph: Option<(&'static str, &'static str)>,
    /// Of an order that is paid ahead: what was typed, and what it comes to.
    ahead: Option<(String, String)>,
    ahead_label: String,
    lines: Vec<LineRow>,
    trouble: Option<Trouble>,
}

pub(super) struct PartRow {
    sku: String,
    href: String,
    name: String,
    quantity: i64,
    free: String,
    each: String,
    tax: String,
    amount: String,
    trouble: Option<Trouble>,
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
    picks_up: String,
    orders: Vec<OrderGroup>,
    parts: Vec<PartRow>,
    sums: Vec<(String, String, bool)>,
    is_empty: bool,
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
    let tender = match shown.pay.tender.as_str() {
        known @ ("cash" | "card" | "bank" | "split") => known,
        "account" if around.account_left.is_some() => "account",
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
        is_empty: basket.is_empty(),
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
        account: around.account_left.map(|left| {
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

fn group(
    t: &TillTexts,
    view: &View,
    currency: domain::money::Currency,
    order: &BasketOrder,
) -> OrderGroup {
    let amount = |minor: i64| view.amount(money(minor, currency));
    let ahead = order.is_deposit.then(|| {
        let taken: i64 = order
            .lines
            .iter()
            .filter(|line| line.kind == ReceiptLineKind::Deposit)
            .map(|line| line.unit_minor)
            .sum();
        let typed = if taken > 0 {
            amount(taken)
        } else {
            String::new()
        };
        let values: [(&str, &dyn std::fmt::Display); 2] = [
            ("gross", &amount(order.gross_minor)),
            ("before", &amount(order.deposits_minor)),
        ];
        let words = match order.deposits_minor {
            0 => t.deposit_of,
            _ => t.deposit_before,
        };
        (typed, fill(words, &values))
    });
    let glyph = (order.sync != SyncState::Applied && !order.number.is_empty())
        .then(|| texts::sync(view.language(), order.sync));
    OrderGroup {
        id: order.id.to_string(),
        href: format!("{ORDERS}/{}", order.id),
        number: order.number.clone(),
        device: order.device.clone(),
        glyph,
        ahead,
        ahead_label: fill(t.deposit_field, &[("number", &order.number)]),
        lines: order
            .lines
            .iter()
            .filter(|line| line.kind != ReceiptLineKind::Deposit)
            .map(|line| line_row(t, view, currency, line))
            .collect(),
        trouble: order
            .trouble
            .map(|trouble| order_trouble(t, view, order, trouble)),
    }
}

fn line_row(
    t: &TillTexts,
    view: &View,
    currency: domain::money::Currency,
    line: &ReceiptLine,
) -> LineRow {
    let amount = |minor: i64| view.amount(money(minor, currency));
    let sign = match line.kind {
        ReceiptLineKind::Discount | ReceiptLineKind::DepositOff => -1,
        _ => 1,
    };
    let sum = line
        .unit_minor
        .saturating_mul(i64::from(line.quantity))
        .saturating_mul(sign);
    let is_off = line.kind == ReceiptLineKind::DepositOff;
    LineRow {
        text: if is_off {
            t.deposits_off.to_owned()
        } else {
            line.text.clone()
        },
        quantity: line.quantity,
        each: if is_off {
            String::new()
        } else {
            amount(line.unit_minor)
        },
        tax: if is_off {
            String::new()
        } else {
            view.clock.percent(line.tax_bp)
        },
        amount: amount(sum),
    }
}

fn order_trouble(
    t: &TillTexts,
    view: &View,
    order: &BasketOrder,
    trouble: OrderTrouble,
) -> Trouble {
    let to_order = || Some((format!("{ORDERS}/{}", order.id), t.open_order));
    let plain = |words: &str| Trouble {
        words: words.to_owned(),
        help: to_order(),
        act: None,
        asks: false,
    };
    match trouble {
        OrderTrouble::Unknown => Trouble {
            help: None,
            ..plain(t.order_unknown)
        },
        OrderTrouble::Elsewhere => plain(t.elsewhere),
        OrderTrouble::Currency => plain(t.other_currency),
        OrderTrouble::Invoiced => plain(t.invoiced),
        OrderTrouble::Nothing => plain(t.nothing_to_pay),
        OrderTrouble::NotReady(status) => Trouble {
            words: fill(
                t.not_ready,
                &[("status", &texts::status(view.language(), status))],
            ),
            act: Some((format!("ahead-{}", order.id), t.take_deposit)),
            ..plain("")
        },
        OrderTrouble::NoDeposit => Trouble {
            help: None,
            asks: true,
            ..plain(t.no_deposit)
        },
    }
}

fn part_row(
    t: &TillTexts,
    view: &View,
    currency: domain::money::Currency,
    part: &BasketPart,
) -> PartRow {
    let amount = |minor: i64| view.amount(money(minor, currency));
    let href = format!("{STOCK}/{}", encoded(&part.sku));
    let is_known = !part.name.is_empty();
    let trouble = part.trouble.map(|trouble| match trouble {
        PartTrouble::Unknown => Trouble {
            words: t.part_unknown.to_owned(),
            help: None,
            act: None,
            asks: false,
        },
        PartTrouble::Currency => Trouble {
            words: t.other_currency.to_owned(),
            help: None,
            act: None,
            asks: false,
        },
        PartTrouble::Quantity => Trouble {
            words: t.part_quantity.to_owned(),
            help: None,
            act: None,
            asks: false,
        },
        PartTrouble::Short => Trouble {
            words: fill(t.part_short, &[("n", &part.free.max(0))]),
            help: Some((href.clone(), t.see_stock)),
            act: None,
            asks: false,
        },
    });
    PartRow {
        sku: part.sku.clone(),
        name: if is_known {
            part.name.clone()
        } else {
            part.sku.clone()
        },
        quantity: part.quantity,
        free: match is_known {
            true => fill(t.free_here, &[("n", &part.free.max(0))]),
            false => String::new(),
        },
        each: amount(part.unit_minor),
        tax: view.clock.percent(part.tax_bp),
        amount: amount(part.unit_minor.saturating_mul(part.quantity)),
        href,
        trouble,
    }
}

/// The tone of what stands in the way.
impl Trouble {
    pub(super) fn tone(&self) -> Tone {
        if self.act.is_some() || self.asks {
            Tone::Waiting
        } else {
            Tone::Late
        }
    }
}
