//! The refund as the template shows it.

use std::collections::BTreeMap;

use askama::Template;
use domain::id::{LineId, PaymentId};
use domain::money::Currency;
use domain::till::Goods;
use web_kit::fill;
use web_kit::wire::money;

use super::can_come_back;
use super::form::{RefundForm, Wrong};
use super::texts::RefundTexts;
use crate::app::receipts::Paper;
use crate::app::refund::Quote;
use crate::web::page::receipts::{address, tender_icon, tender_words};
use crate::web::view::View;

struct Row {
    id: String,
    text: String,
    left: u32,
    pieces: String,
    /// Where it may go; none for what are no goods.
    goods: Option<&'static str>,
    amount: String,
}

struct Back {
    payment: String,
    icon: &'static str,
    tender: &'static str,
    left: String,
    amount: String,
}

#[derive(Template)]
#[template(path = "refund/page.html", blocks = ["sum"])]
pub(super) struct RefundPage<'a> {
    t: &'a RefundTexts,
    href: String,
    key: &'a str,
    rows: Vec<Row>,
    reason: &'a str,
    wrong: &'a Wrong,
    amount: String,
    deposits: Option<String>,
    backs: Vec<Back>,
    needs_word: bool,
    may_give: bool,
    button: String,
}

#[derive(Template)]
#[template(path = "refund/_head.html")]
pub(super) struct Head<'a> {
    pub(super) t: &'a RefundTexts,
    pub(super) receipt: String,
    pub(super) all: String,
}

pub(super) struct Shown {
    pub(super) number: String,
    pub(super) key: String,
    pub(super) form: RefundForm,
    pub(super) wrong: Wrong,
    pub(super) all: bool,
}
pub(super) fn page<'a>(
    t: &'a RefundTexts,
    view: &View,
    paper: &Paper,
    quote: &Quote,
    shown: &'a Shown,
) -> RefundPage<'a> {
    let currency = paper.receipt.currency;
    let due = view.full_amount(money(quote.totals.amount_minor, currency));
    let typed: BTreeMap<&str, (&str, &str)> = shown
        .form
        .line
        .iter()
        .enumerate()
        .map(|(at, line)| {
            let pieces = shown.form.pieces.get(at).map_or("", String::as_str);
            let goods = shown.form.goods.get(at).map_or("", String::as_str);
            (line.as_str(), (pieces, goods))
        })
        .collect();
    let left = |id: LineId| quote.left.get(&id).copied().unwrap_or_default();
    RefundPage {
        t,
        href: format!("{}/refund", address(&paper.number)),
        key: &shown.key,
        rows: paper
            .receipt
            .lines
            .iter()
            .filter(|line| can_come_back(line.kind) && left(line.id) > 0)
            .map(|line| {
                let id = line.id.to_string();
                let (pieces, goods) = typed.get(id.as_str()).copied().unwrap_or_default();
                let chosen = Goods::ALL.iter().find(|one| one.as_str() == goods);
                Row {
                    text: line.text.clone(),
                    left: left(line.id),
                    pieces: match (shown.all, pieces) {
                        (true, _) => left(line.id).to_string(),
                        (false, pieces) => pieces.to_owned(),
                    },
                    goods: line
                        .part
                        .is_some()
                        .then(|| chosen.copied().unwrap_or(Goods::Shelf).as_str()),
                    amount: view.amount(money(line.unit_minor, currency)),
                    id,
                }
            })
            .collect(),
        reason: &shown.form.reason,
        wrong: &shown.wrong,
        deposits: (quote.totals.deposits_minor > 0)
            .then(|| view.amount(money(quote.totals.deposits_minor, currency))),
        backs: backs(t, view, quote, &shown.form, currency),
        needs_word: quote.needs_word,
        may_give: quote.totals.amount_minor > 0,
        button: fill(
            if quote.needs_word { t.ask } else { t.give },
            &[("amount", &due)],
        ),
        amount: due,
    }
}

fn backs(
    t: &RefundTexts,
    view: &View,
    quote: &Quote,
    form: &RefundForm,
    currency: Currency,
) -> Vec<Back> {
    let amount = |minor: i64| view.amount(money(minor, currency));
    let suggested = |payment: PaymentId| {
        let mut split = quote.split.iter();
        let found = split.find(|(known, _, _)| *known == payment);
        found.map_or_else(String::new, |(_, _, minor)| amount(*minor))
    };
    quote
        .tenders
        .iter()
        .map(|one| {
            let id = one.payment.to_string();
            let at = form.payment.iter().position(|known| *known == id);
            let typed = at.and_then(|at| form.amount.get(at)).cloned();
            Back {
                icon: tender_icon(one.tender),
                tender: tender_words(view.language(), one.tender),
                left: fill(t.of_left, &[("amount", &amount(one.left_minor))]),
                amount: typed.unwrap_or_else(|| suggested(one.payment)),
                payment: id,
            }
        })
        .collect()
}
