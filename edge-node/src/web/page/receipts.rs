//! Receipts: the paper that the till writes, and the list of them.
//!
//! The paper speaks the language of the branch, what stands around it that of the screen. What became of its payments
//! is drawn anew whenever money moved.

mod beside;
mod paper;
mod qr;
mod texts;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::permission::Permission;
use domain::till::{PaperKind, paper_number, parse_paper_number};
use serde::Deserialize;
use web_kit::wire::money;
use web_kit::{
    ApiPath, ApiQuery, Content, ListQuery, PageRequest, Problem, SafeHtml, Screen, Tone, fill, html,
};

use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::receipts::{self, Paper, ReceiptRow};
use crate::app::refund::{self, RefundView};
use crate::app::settings;
use crate::error::AppError;
use crate::store::money::papers::RefundRecord;
use crate::store::money::{account, last_number};
use crate::store::staff;
use crate::web::frame::frame;
use crate::web::page::orders::encoded;
use crate::web::page::till::pay_off;
use crate::web::view::View;
use crate::web::{ORDERS, PEOPLE, RECEIPTS, TILL};
use beside::{Asked, Payment, Refunded, change, payments, refunds, waiting_refunds};
pub(crate) use paper::names_of;
use paper::{Printed, printed};
pub(crate) use texts::{ReceiptTexts, tender as tender_words, tender_icon, whole_state};

const ROWS: u32 = 40;

/// What the list is narrowed to.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ListPageQuery {
    #[serde(default)]
    cursor: String,
    #[serde(default, deserialize_with = "web_kit::extract::query_text")]
    q: Option<String>,
}

/// Whether the receipt was written just now.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct OneQuery {
    #[serde(default)]
    fresh: bool,
}

struct Row {
    href: String,
    number: String,
    when: String,
    person: String,
    what: String,
    amount: String,
    tenders: Vec<(&'static str, &'static str)>,
    icon: &'static str,
    state: &'static str,
    tone: Option<Tone>,
    refunded: Option<String>,
    by: String,
}

#[derive(Template)]
#[template(path = "receipts/list.html", blocks = ["list"])]
struct ListPage<'a> {
    t: &'a ReceiptTexts,
    rows: Vec<Row>,
    refresh: String,
    older: Option<String>,
    newest: Option<&'static str>,
    not_found: String,
}

#[derive(Template)]
#[template(path = "receipts/_list_head.html")]
struct ListHead<'a> {
    t: &'a ReceiptTexts,
    q: &'a str,
    may_sell: bool,
}

/// Receipts, newest first; a number leads to its receipt.
pub(crate) async fn list(
    State(state): State<EdgeState>,
    who: May<may::MoneyRead>,
    asked: PageRequest,
    ApiQuery(query): ApiQuery<ListPageQuery>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = ReceiptTexts::of(view.language());
    let actor = who.actor();
    let page = ListQuery {
        limit: ROWS,
        cursor: (!query.cursor.is_empty()).then(|| query.cursor.clone()),
    };
    let typed = query.q.as_deref().unwrap_or_default().trim().to_owned();
    let wanted = typed.clone();
    let read = state.store().read(move |reader| {
        let number = meant(reader, &wanted)?;
        let found = number.filter(|number| receipts::one(reader, &actor, number).is_ok());
        let names = names_of(&staff::list(reader)?);
        Ok((found, receipts::list(reader, &actor, &page)?, names))
    });
    let (found, list, names) = read.await?;
    if let Some(number) = found {
        return Ok(Redirect::to(&format!("{RECEIPTS}/{number}")).into_response());
    }
    let name_of = |id| names.get(&id).cloned().unwrap_or_default();
    let content = ListPage {
        t,
        rows: list
            .items
            .into_iter()
            .map(|receipt| {
                let by = receipt.staff.map_or_else(String::new, name_of);
                row(t, &view, receipt, by)
            })
            .collect(),
        refresh: match query.cursor.is_empty() {
            true => RECEIPTS.to_owned(),
            false => format!("{RECEIPTS}?cursor={}", query.cursor),
        },
        older: list
            .next_cursor
            .map(|cursor| format!("{RECEIPTS}?cursor={cursor}")),
        newest: (!query.cursor.is_empty()).then_some(RECEIPTS),
        not_found: match typed.is_empty() {
            true => String::new(),
            false => fill(t.not_found, &[("number", &typed)]),
        },
    };
    if asked.is_fragment() {
        return Ok(html(SafeHtml::render(&content.as_list())?));
    }
    let head = SafeHtml::render(&ListHead {
        t,
        q: &typed,
        may_sell: who.may(Permission::TillUse),
    })?;
    let content = Content {
        modules: &["js/receipts.js"],
        ..Content::new(t.title, SafeHtml::render(&content)?).head(head)
    };
    frame(&state, &who, &view, TILL).await?.respond(&content)
}

/// The number that somebody typed: whole, or its digits in the newest series.
fn meant(
    reader: &crate::store::Reader<'_>,
    typed: &str,
) -> Result<Option<String>, crate::error::AppError> {
    let code = &reader.identity().code;
    if let Ok((of, PaperKind::Receipt, series, number)) = parse_paper_number(typed) {
        return Ok((of == *code).then(|| paper_number(code, PaperKind::Receipt, series, number)));
    }
    let (series, _) = last_number(reader, PaperKind::Receipt)?;
    let number = typed.parse().ok().filter(|number| *number > 0);
    Ok(number.map(|number| paper_number(code, PaperKind::Receipt, series, number)))
}

fn row(t: &ReceiptTexts, view: &View, receipt: ReceiptRow, by: String) -> Row {
    let language = view.language();
    let currency = receipt.receipt.currency;
    let (icon, state, tone) = whole_state(language, &receipt.tenders);
    let (first, more) = receipt.first;
    let mut tenders: Vec<(&'static str, &'static str)> = receipt
        .tenders
        .iter()
        .map(|(tender, _)| (tender_icon(*tender), tender_words(language, *tender)))
        .collect();
    tenders.dedup();
    Row {
        href: format!("{RECEIPTS}/{}", receipt.number),
        when: view.clock.when(receipt.at_ms),
        person: receipt
            .person
            .map_or_else(String::new, |name| name.expose().to_owned()),
        what: match more {
            0 => first,
            n => fill(t.and_more, &[("text", &first), ("n", &n)]),
        },
        amount: view.amount(money(receipt.due_minor, currency)),
        tenders,
        icon,
        state,
        tone,
        refunded: (receipt.refunded_minor > 0).then(|| {
            let amount = view.amount(money(receipt.refunded_minor, currency));
            fill(t.given_back_of, &[("amount", &amount)])
        }),
        number: receipt.number,
        by,
    }
}

/// A receipt, or a refund, which has a number of the same series.
enum Either {
    Receipt(Paper, Vec<RefundView>, Option<String>),
    Refund(String, RefundRecord, Paper),
}

#[derive(Template)]
#[template(path = "receipts/refund.html")]
struct RefundPaper<'a> {
    language: &'static str,
    paper: &'a ReceiptTexts,
    printed: Printed,
    of: String,
    reason: &'a str,
}

async fn refund_paper(
    state: &EdgeState,
    who: &Caller,
    view: &View,
    settings: &settings::Settings,
    (number, record, of): (String, RefundRecord, Paper),
    by: &str,
) -> Result<Response, Problem> {
    let on_paper = View::on(state, Screen::default()).await?;
    let t = ReceiptTexts::of(view.language());
    let page = RefundPaper {
        language: on_paper.language().tag(),
        paper: ReceiptTexts::of(on_paper.language()),
        printed: paper::refund_printed(&on_paper, settings, &number, &record, &of, by),
        of: fill(
            ReceiptTexts::of(on_paper.language()).refund_of,
            &[("number", &of.number)],
        ),
        reason: &record.refund.reason,
    };
    let head = SafeHtml::render(&Head {
        t,
        may_sell: who.may(Permission::TillUse),
        refund: None,
        of: Some(address(&of.number)),
        is_fresh: false,
    })?;
    let content = Content {
        modules: &["js/print.js", "js/receipts.js"],
        ..Content::new(number, SafeHtml::render(&page)?).head(head)
    };
    frame(state, who, view, TILL).await?.respond(&content)
}

#[derive(Template)]
#[template(path = "receipts/page.html", blocks = ["receipt"])]
struct ReceiptPage<'a> {
    t: &'a ReceiptTexts,
    language: &'static str,
    paper: &'a ReceiptTexts,
    refresh: String,
    printed: Printed,
    change: Option<String>,
    person: String,
    person_href: Option<String>,
    payments: Vec<Payment>,
    refunds: Vec<Refunded>,
    asked: Vec<Asked>,
    may_refund: bool,
    key: String,
    call_off: String,
    ask_again: String,
    may_take: bool,
    refund_href: String,
    orders: Vec<(String, String, String)>,
}

#[derive(Template)]
#[template(path = "receipts/_head.html")]
struct Head<'a> {
    t: &'a ReceiptTexts,
    may_sell: bool,
    refund: Option<String>,
    /// Of a refund: its receipt.
    of: Option<String>,
    is_fresh: bool,
}

/// One receipt.
pub(crate) async fn one(
    State(state): State<EdgeState>,
    who: May<may::MoneyRead>,
    asked: PageRequest,
    ApiPath(number): ApiPath<String>,
    ApiQuery(OneQuery { fresh }): ApiQuery<OneQuery>,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let may_sell = who.may(Permission::TillUse);
    let read = state.store().read(move |reader| {
        let names = names_of(&staff::list(reader)?);
        let settings = settings::get(reader, &actor)?;
        let paper = match receipts::one(reader, &actor, &number) {
            Err(AppError::NotFound { .. }) => {
                let (number, refund, of) = receipts::refund(reader, &actor, &number)?;
                return Ok((Either::Refund(number, refund, of), settings, names));
            }
            paper => paper?,
        };
        let refunds = refund::of_receipt(reader, &actor, &paper.receipt)?;
        let waiting = refunds.into_iter().filter(|one| one.state != "done");
        let otherwise = match paper.receipt.customer.filter(|_| may_sell) {
            Some(customer) => Some(account::owed_by(reader, customer)?)
                .filter(|owed| *owed > 0)
                .map(|owed| pay_off(customer, owed)),
            None => None,
        };
        let either = Either::Receipt(paper, waiting.collect(), otherwise);
        Ok((either, settings, names))
    });
    let (either, settings, names) = read.await?;
    let view = View::of(&state, &who).await?;
    let (paper, waiting, otherwise) = match either {
        Either::Receipt(paper, waiting, otherwise) => (paper, waiting, otherwise),
        Either::Refund(number, record, of) => {
            let by = names.get(&record.staff).cloned().unwrap_or_default();
            return refund_paper(&state, &who, &view, &settings, (number, record, of), &by).await;
        }
    };
    let on_paper = View::on(&state, Screen::default()).await?;
    let t = ReceiptTexts::of(view.language());
    let by = paper.staff.and_then(|id| names.get(&id)).cloned();
    let may_refund = who.may(Permission::RefundsWrite);
    let page = ReceiptPage {
        t,
        language: on_paper.language().tag(),
        paper: ReceiptTexts::of(on_paper.language()),
        refresh: match fresh {
            true => format!("{RECEIPTS}/{}?fresh=true", paper.number),
            false => format!("{RECEIPTS}/{}", paper.number),
        },
        printed: printed(&on_paper, &settings, &paper, &by.unwrap_or_default()),
        change: fresh.then(|| change(&view, &paper)).flatten(),
        person: paper
            .person
            .as_ref()
            .map_or_else(String::new, |name| name.expose().to_owned()),
        person_href: paper
            .receipt
            .customer
            .filter(|_| who.may(Permission::CustomersRead))
            .map(|id| format!("{PEOPLE}/{id}")),
        payments: payments(&view, &paper, otherwise.as_deref()),
        refunds: refunds(&state, &view, &paper),
        asked: waiting_refunds(t, &view, waiting),
        may_refund,
        key: state.form_key().to_string(),
        call_off: format!("{}/call-off", address(&paper.number)),
        ask_again: format!("{}/ask-again", address(&paper.number)),
        may_take: may_sell,
        refund_href: format!("{}/refund", address(&paper.number)),
        orders: paper
            .orders
            .iter()
            .map(|(id, (number, device))| {
                (format!("{ORDERS}/{id}"), number.clone(), device.clone())
            })
            .collect(),
    };
    if asked.is_fragment() {
        return Ok(html(SafeHtml::render(&page.as_receipt())?));
    }
    let head = SafeHtml::render(&Head {
        t,
        may_sell: who.may(Permission::TillUse),
        refund: may_refund.then(|| format!("{}/refund", address(&paper.number))),
        of: None,
        is_fresh: fresh,
    })?;
    let content = Content {
        fill: true,
        modules: &["js/print.js", "js/receipts.js"],
        ..Content::new(paper.number.clone(), SafeHtml::render(&page)?).head(head)
    };
    frame(&state, &who, &view, TILL).await?.respond(&content)
}

/// The address that shows a receipt.
pub(crate) fn address(number: &str) -> String {
    format!("{RECEIPTS}/{}", encoded(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(ReceiptTexts::ALL),
            Vec::<String>::new()
        );
    }
}
