//! The chain's money: what branches took, gave back and promised; payments, refunds, statements, the outbox, receipts,
//! cash sessions and accounts.
//!
//! Worst first, and each figure leads to the rows behind it. Amounts of different currencies are never added up.

pub(crate) mod accounts;
pub(crate) mod cash;
pub(crate) mod lines;
pub(crate) mod outbox;
mod overview;
pub(crate) mod payment;
pub(crate) mod payments;
pub(crate) mod receipts;
pub(crate) mod refunds;
pub(crate) mod statement;
mod texts;
pub(crate) mod words;

pub(crate) use overview::overview;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use domain::money::{Currency, Money};
use domain::permission::Permission;
use web_kit::{Content, Problem, SafeHtml, html_with_status};

use self::texts::MoneyTexts;
use crate::api::{Caller, HubState};
use crate::app::money::chain::waiting;
use crate::web::frame::frame;
use crate::web::view::View;
use crate::web::{
    MONEY, MONEY_ACCOUNTS, MONEY_CASH, MONEY_OUTBOX, MONEY_PAYMENTS, MONEY_RECEIPTS, MONEY_REFUNDS,
    MONEY_SETTLEMENTS,
};

/// One of the money pages in the head bar.
struct Section {
    href: &'static str,
    words: &'static str,
    /// How many wait there.
    count: Option<String>,
    tone: Option<&'static str>,
    is_current: bool,
}

#[derive(Template)]
#[template(path = "money/_head.html")]
struct Head<'a> {
    t: &'a MoneyTexts,
    sections: Vec<Section>,
}

/// The page around the work of a section.
async fn respond(
    state: &HubState,
    who: &Caller,
    view: &View,
    place: (StatusCode, &str),
    body: SafeHtml,
) -> Result<Response, Problem> {
    respond_with(state, who, view, place, body, &[]).await
}

/// The same with scripts of its own.
async fn respond_with(
    state: &HubState,
    who: &Caller,
    view: &View,
    (status, current): (StatusCode, &str),
    body: SafeHtml,
    modules: &'static [&'static str],
) -> Result<Response, Problem> {
    let t = MoneyTexts::of(view.language());
    let head = SafeHtml::render(&Head {
        t,
        sections: sections(state, who, view, current).await?,
    })?;
    let page = frame(state, who, view, MONEY).await?.render(&Content {
        modules,
        ..Content::new(t.title, body).head(head)
    })?;
    Ok(html_with_status(status, page))
}

async fn sections(
    state: &HubState,
    who: &Caller,
    view: &View,
    current: &str,
) -> Result<Vec<Section>, Problem> {
    let t = MoneyTexts::of(view.language());
    let waiting = waiting(state.hub(), &who.person).await?;
    let section = |href, words, count: i64, tone| Section {
        href,
        words,
        count: (count > 0).then(|| view.clock.number(count)),
        tone: (count > 0).then_some(tone),
        is_current: href == current,
    };
    let mut sections = vec![
        section(MONEY, t.overview, 0, ""),
        section(MONEY_PAYMENTS, t.payments, 0, ""),
        section(MONEY_REFUNDS, t.refunds, waiting.refunds.count, "decide"),
        section(MONEY_SETTLEMENTS, t.statements, waiting.lines.count, "late"),
        section(MONEY_OUTBOX, t.outbox, waiting.dead.count, "late"),
        section(MONEY_RECEIPTS, t.receipts, 0, ""),
        section(MONEY_CASH, t.cash, 0, ""),
    ];
    if who.person.may(Permission::CustomersRead) {
        sections.push(section(MONEY_ACCOUNTS, t.accounts, 0, ""));
    }
    Ok(sections)
}

const fn money(amount_minor: i64, currency: Currency) -> Money {
    Money {
        amount_minor,
        currency,
    }
}

/// An amount of a currency that is known by its code.
fn amount_of(view: &View, amount_minor: i64, currency: &str) -> String {
    let currency = currency.parse().unwrap_or_default();
    view.full_amount(money(amount_minor, currency))
}
