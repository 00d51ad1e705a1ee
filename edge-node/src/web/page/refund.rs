//! Giving money back: pieces of a receipt's lines, where the goods go, and the way the money goes.
//!
//! What it comes to is worked out while somebody chooses; the use case judges again. What is above a role's limit is
//! asked of the hub. Here too an open promise is called off.

mod texts;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::{LineId, PaymentId};
use domain::money::Currency;
use domain::till::{Goods, ReceiptLineKind, RefundLine};
use serde::Deserialize;
use web_kit::wire::money;
use web_kit::{
    ApiPath, ApiQuery, Content, PageForm, PageRequest, PlainForm, Problem, SafeHtml, Toast, fill,
    html, html_with_status, refusal,
};

use super::receipts::{address, tender_icon, tender_words};
use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::payment::call_off as call_off_payment;
use crate::app::receipts::{self, Paper};
use crate::app::refund::{self, Quote, RefundInput, RefundLineInput, RefundTenderInput};
use crate::error::AppError;
use crate::store::money::receipt::asked as asked_refund;
use crate::web::TILL;
use crate::web::frame::frame;
use crate::web::posted::{Posted, post};
use crate::web::said::go_on;
use crate::web::view::View;
use texts::RefundTexts;

/// Whether all of it is chosen.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RefundQuery {
    #[serde(default)]
    all: bool,
}

/// The form as typed; lines with their pieces and goods, payments with their amounts.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RefundForm {
    #[serde(default)]
    line: Vec<String>,
    #[serde(default)]
    pieces: Vec<String>,
    #[serde(default)]
    goods: Vec<String>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    payment: Vec<String>,
    #[serde(default)]
    amount: Vec<String>,
    /// The refund that the hub said yes to; its lines stand there.
    #[serde(default)]
    asked: String,
}

/// A promise to call off.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct CallOffForm {
    #[serde(default)]
    payment: String,
}

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

#[derive(Default)]
struct Wrong {
    words: String,
    /// `pieces`, `reason`, `tenders` or nothing.
    field: &'static str,
}

impl Wrong {
    fn at(field: &'static str, words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            field,
        }
    }

    fn of_field(&self, field: &str) -> Option<&str> {
        (!self.words.is_empty() && self.field == field).then_some(self.words.as_str())
    }
}

#[derive(Template)]
#[template(path = "refund/page.html", blocks = ["sum"])]
struct RefundPage<'a> {
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
struct Head<'a> {
    t: &'a RefundTexts,
    receipt: String,
    all: String,
}

struct Shown {
    number: String,
    key: String,
    form: RefundForm,
    wrong: Wrong,
    all: bool,
}

/// The form.
pub(crate) async fn show(
    State(state): State<EdgeState>,
    who: May<may::RefundsWrite>,
    ApiPath(number): ApiPath<String>,
    ApiQuery(RefundQuery { all }): ApiQuery<RefundQuery>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let shown = Shown {
        number,
        key: state.form_key().to_string(),
        form: RefundForm::default(),
        wrong: Wrong::default(),
        all,
    };
    respond(&state, &who, &view, shown, false).await
}

/// What the chosen pieces come to. Nothing is written.
pub(crate) async fn work_out(
    State(state): State<EdgeState>,
    who: May<may::RefundsWrite>,
    asked: PageRequest,
    ApiPath(number): ApiPath<String>,
    PlainForm(mut form): PlainForm<RefundForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    // Other pieces come to another sum, so the amounts are suggested anew.
    form.payment.clear();
    form.amount.clear();
    let shown = Shown {
        number,
        key: state.form_key().to_string(),
        form,
        wrong: Wrong::default(),
        all: false,
    };
    respond(&state, &who, &view, shown, asked.is_fragment()).await
}

/// Gives back, or asks the hub.
pub(crate) async fn give(
    State(state): State<EdgeState>,
    who: May<may::RefundsWrite>,
    asked: PageRequest,
    ApiPath(number): ApiPath<String>,
    PageForm { fields, request }: PageForm<RefundForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = RefundTexts::of(view.language());
    let actor = who.actor();
    let of = number.clone();
    let approved = fields.asked.parse().ok();
    let read = state.store().read(move |reader| {
        let paper = receipts::one(reader, &actor, &of)?;
        let approved = approved
            .map(|id| asked_refund(reader, id))
            .transpose()?
            .flatten();
        Ok((paper, approved))
    });
    let (paper, approved) = read.await?;
    let receipt = paper.receipt.id;
    let currency = paper.receipt.currency;
    let mut shown = Shown {
        number,
        key: request.key.clone().unwrap_or_default(),
        form: fields,
        wrong: Wrong::default(),
        all: false,
    };
    let input = match approved {
        Some(known) => Ok(RefundInput {
            lines: known.asked.lines.iter().map(line_input).collect(),
            reason: known.asked.reason,
            asked_id: Some(known.asked.id),
            ..RefundInput::default()
        }),
        None => read_form(&shown.form, &view, currency, t),
    };
    let input = match input {
        Ok(input) => input,
        Err(wrong) => {
            shown.wrong = wrong;
            return respond(&state, &who, &view, shown, false).await;
        }
    };
    let posted = post(&state, &who, request, Ok(input), move |tx, actor, input| {
        refund::refund(tx, actor, receipt, &input)
    });
    match posted.await? {
        Posted::Done(answered) => {
            let body = &answered.answer.body;
            let amount = serde_json::from_value(body["amount"].clone())
                .map_or_else(|_| String::new(), |amount| view.full_amount(amount));
            let words = match body["state"].as_str() {
                Some("done") => fill(t.given_toast, &[("amount", &amount)]),
                _ => t.asked_toast.to_owned(),
            };
            let href = match body["number"].as_str() {
                Some(number) => address(number),
                None => address(&paper.number),
            };
            go_on(&state, asked, view.language(), &href, Toast::new("", words))
        }
        Posted::Refused(problem) => {
            shown.wrong = refused(&problem, t, &view);
            respond(&state, &who, &view, shown, false).await
        }
    }
}

/// Calls an open promise off.
pub(crate) async fn call_off(
    State(state): State<EdgeState>,
    who: May<may::TillUse>,
    asked: PageRequest,
    ApiPath(number): ApiPath<String>,
    PageForm { fields, request }: PageForm<CallOffForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = RefundTexts::of(view.language());
    let id: PaymentId = fields
        .payment
        .parse()
        .map_err(|_| Problem::not_found("There is no such payment."))?;
    let posted = post(&state, &who, request, Ok(id), |tx, actor, id| {
        call_off_payment(tx, actor, id)
    });
    let toast = match posted.await? {
        Posted::Done(_) => Toast::new("", t.called_off),
        Posted::Refused(problem) => Toast::new("", said(&problem, t, &view)).late(),
    };
    go_on(&state, asked, view.language(), &address(&number), toast)
}

fn line_input(line: &RefundLine) -> RefundLineInput {
    RefundLineInput {
        line_id: line.line,
        quantity: line.quantity,
        goods: Some(line.goods.as_str().to_owned()),
    }
}

/// The chosen lines; none where a field is no number.
fn chosen(form: &RefundForm) -> Option<Vec<RefundLine>> {
    let mut lines = Vec::new();
    for (at, line) in form.line.iter().enumerate() {
        let typed = form.pieces.get(at).map_or("", |pieces| pieces.trim());
        if typed.is_empty() || typed == "0" {
            continue;
        }
        lines.push(RefundLine {
            line: line.parse().ok()?,
            quantity: typed.parse().ok()?,
            goods: form
                .goods
                .get(at)
                .and_then(|goods| goods.parse().ok())
                .unwrap_or(Goods::Stay),
        });
    }
    Some(lines)
}

fn read_form(
    form: &RefundForm,
    view: &View,
    currency: Currency,
    t: &RefundTexts,
) -> Result<RefundInput, Wrong> {
    let lines = chosen(form).ok_or_else(|| Wrong::at("pieces", t.wrong_pieces))?;
    if lines.is_empty() {
        return Err(Wrong::at("pieces", t.choose));
    }
    if form.reason.trim().is_empty() {
        return Err(Wrong::at("reason", t.wrong_reason));
    }
    let mut tenders = Vec::new();
    for (payment, typed) in form.payment.iter().zip(&form.amount) {
        if typed.trim().is_empty() {
            continue;
        }
        let amount = view.clock.read_amount(typed, currency.minor_digits());
        let (Ok(payment_id), Some(minor)) = (payment.parse(), amount) else {
            let words = fill(t.wrong_tenders, &[("due", &"…")]);
            return Err(Wrong::at("tenders", words));
        };
        if minor > 0 {
            tenders.push(RefundTenderInput {
                payment_id,
                amount: money(minor, currency),
            });
        }
    }
    Ok(RefundInput {
        lines: lines.iter().map(line_input).collect(),
        tenders,
        reason: form.reason.clone(),
        ..RefundInput::default()
    })
}

fn refused(problem: &Problem, t: &RefundTexts, view: &View) -> Wrong {
    let body = problem.body();
    let at = |pointer: &str| {
        let mut errors = body.errors.iter();
        errors.any(|error| error.pointer.starts_with(pointer))
    };
    match body.kind.rsplit(':').next().unwrap_or_default() {
        "not-captured" => Wrong::at("tenders", t.not_captured),
        "drawer-short" => Wrong::at("tenders", t.drawer_short),
        "unequal" => {
            let due = body.extra.get("due").cloned().unwrap_or_default();
            let due = serde_json::from_value(due)
                .map_or_else(|_| String::new(), |due| view.full_amount(due));
            Wrong::at("tenders", fill(t.wrong_tenders, &[("due", &due)]))
        }
        _ if at("/reason") => Wrong::at("reason", t.wrong_reason),
        _ if at("/lines") => Wrong::at("pieces", t.wrong_pieces),
        _ if at("/tenders") && body.errors.iter().any(|one| one.detail.contains("session")) => {
            Wrong::at("tenders", t.no_session)
        }
        _ => Wrong::at("tenders", said(problem, t, view)),
    }
}

fn said(problem: &Problem, t: &RefundTexts, view: &View) -> String {
    let body = problem.body();
    let first = body.errors.first().map(|error| error.detail.as_str());
    let said = first.or(body.detail.as_deref()).unwrap_or_default();
    format!(
        "{} {}",
        refusal::said(view.language(), said),
        t.nothing_done
    )
}

/// What is read for the form: the receipt, what the chosen pieces come to, and why they do not.
struct Read {
    paper: Paper,
    quote: Quote,
    refused: Option<AppError>,
}

async fn read(
    state: &EdgeState,
    who: &Caller,
    number: &str,
    lines: Vec<RefundLine>,
    all: bool,
) -> Result<Read, Problem> {
    let actor = who.actor();
    let number = number.to_owned();
    let read = state.store().read(move |reader| {
        let paper = receipts::one(reader, &actor, &number)?;
        let id = paper.receipt.id;
        let nothing = refund::quote(reader, &actor, id, &[])?;
        let lines = match all {
            true => everything(&nothing),
            false => lines,
        };
        Ok(match refund::quote(reader, &actor, id, &lines) {
            Ok(quote) => Read {
                paper,
                quote,
                refused: None,
            },
            Err(error @ (AppError::Invalid(_) | AppError::Conflict { .. })) => Read {
                paper,
                quote: nothing,
                refused: Some(error),
            },
            Err(error) => return Err(error),
        })
    });
    Ok(read.await?)
}

fn can_come_back(kind: ReceiptLineKind) -> bool {
    kind.is_priced() || kind == ReceiptLineKind::Deposit
}

fn everything(quote: &Quote) -> Vec<RefundLine> {
    let lines = quote.receipt.lines.iter();
    lines
        .filter(|line| can_come_back(line.kind))
        .filter_map(|line| {
            let quantity = quote.left.get(&line.id).copied().filter(|left| *left > 0)?;
            Some(RefundLine {
                line: line.id,
                quantity,
                goods: if line.part.is_some() {
                    Goods::Shelf
                } else {
                    Goods::Stay
                },
            })
        })
        .collect()
}

async fn respond(
    state: &EdgeState,
    who: &Caller,
    view: &View,
    mut shown: Shown,
    is_fragment: bool,
) -> Result<Response, Problem> {
    let t = RefundTexts::of(view.language());
    let lines = chosen(&shown.form);
    if lines.is_none() && shown.wrong.words.is_empty() {
        shown.wrong = Wrong::at("pieces", t.wrong_pieces);
    }
    let found = read(
        state,
        who,
        &shown.number,
        lines.unwrap_or_default(),
        shown.all,
    )
    .await?;
    if let Some(error) = found.refused
        && shown.wrong.words.is_empty()
    {
        shown.wrong = refused(&Problem::from(error), t, view);
    }
    let status = match shown.wrong.words.is_empty() || is_fragment {
        true => StatusCode::OK,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let page = page(t, view, &found.paper, &found.quote, &shown);
    if is_fragment {
        return Ok(html(SafeHtml::render(&page.as_sum())?));
    }
    let receipt = address(&found.paper.number);
    let head = SafeHtml::render(&Head {
        t,
        all: format!("{receipt}/refund?all=true"),
        receipt,
    })?;
    let title = fill(t.title, &[("number", &found.paper.number)]);
    let content = Content::new(title, SafeHtml::render(&page)?).head(head);
    let page = frame(state, who, view, TILL).await?.render(&content)?;
    Ok(html_with_status(status, page))
}

fn page<'a>(
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(RefundTexts::ALL),
            Vec::<String>::new()
        );
    }

    #[test]
    fn only_lines_with_pieces_come_back() {
        let id = "0b3f0e6a-0000-4000-8000-000000000001";
        let form = |pieces: &str| RefundForm {
            line: vec![id.to_owned(), id.to_owned()],
            pieces: vec![pieces.to_owned(), "0".to_owned()],
            goods: vec!["scrap".to_owned()],
            ..RefundForm::default()
        };
        let lines = chosen(&form("2")).unwrap();
        assert_eq!(
            (lines.len(), lines[0].quantity, lines[0].goods),
            (1, 2, Goods::Scrap)
        );
        assert_eq!(chosen(&form("two")), None);
    }
}
