//! Business days: today is closed once the till is counted, and what the branch said at the end of a day stands on a
//! page of its own, as the hub holds its books against it.
//!
//! A day closes by itself every night, also while cut off; nothing here keeps it from that.

mod texts;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::day::DayClosed;
use domain::ledger::MoneyAccount;
use domain::permission::Permission;
use domain::till::{PaperKind, paper_number};
use jiff::civil::Date;
use serde::Deserialize;
use web_kit::wire::money;
use web_kit::{
    ApiPath, Content, PageForm, PageRequest, Problem, SafeHtml, Toast, Tone, fill, plural,
};

use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::day::{self, DayState};
use crate::web::frame::frame;
use crate::web::posted::{Posted, post};
use crate::web::said::go_on;
use crate::web::view::View;
use crate::web::{BUSINESS_DAYS, CASH};
use texts::DayTexts;

/// Days that the cash page shows.
pub(super) const SHOWN: i32 = 7;
/// How much of a digest is shown.
const DIGEST_BYTES: usize = 8;

/// Nothing but its key.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct CloseForm {}

/// A day in the list of the cash page.
pub(super) struct DayRow {
    pub(super) href: Option<String>,
    pub(super) name: String,
    pub(super) icon: &'static str,
    pub(super) tone: Option<Tone>,
    pub(super) state: String,
}

/// The business days, as the cash page shows them.
pub(super) struct Days {
    pub(super) t: &'static DayTexts,
    pub(super) key: String,
    pub(super) rows: Vec<DayRow>,
    /// What stands in the way of closing today.
    pub(super) blocked: Option<String>,
    pub(super) may_close: bool,
    pub(super) button: &'static str,
}

/// What the cash page shows of business days.
pub(super) fn shown(state: &EdgeState, who: &Caller, view: &View, days: &[DayState]) -> Days {
    let t = DayTexts::of(view.language());
    let today = days.first();
    let may_write = who.may(Permission::CashWrite);
    Days {
        t,
        key: state.form_key().to_string(),
        rows: days.iter().map(|day| row(t, view, day)).collect(),
        blocked: today
            .filter(|today| may_write && today.open_sessions > 0)
            .map(|_| t.blocked.to_owned()),
        may_close: may_write && today.is_some_and(DayState::may_close),
        button: match today.is_some_and(|today| today.word.is_some()) {
            true => t.close_again,
            false => t.close,
        },
    }
}

fn row(t: &DayTexts, view: &View, day: &DayState) -> DayRow {
    let (icon, tone, state) = standing(t, view, day);
    DayRow {
        href: (day.word.is_some()).then(|| format!("{BUSINESS_DAYS}/{}", day.date)),
        name: match day.is_today {
            true => t.today.to_owned(),
            false => name(view, &day.date),
        },
        icon,
        tone,
        state,
    }
}

fn name(view: &View, date: &str) -> String {
    date.parse::<Date>()
        .map_or_else(|_| date.to_owned(), |date| view.clock.date(date))
}

/// How a day stands: open, closed when, or more was written since.
fn standing(t: &DayTexts, view: &View, day: &DayState) -> (&'static str, Option<Tone>, String) {
    match &day.word {
        None if day.is_today => ("clock", None, t.open.to_owned()),
        None => ("clock", Some(Tone::Waiting), t.not_closed.to_owned()),
        Some(_) if day.papers_since > 0 => {
            let papers = u64::from(day.papers_since);
            let words = plural(papers, t.one_since, t.many_since);
            ("late", Some(Tone::Waiting), words)
        }
        Some(word) => {
            let when = view.clock.when(word.at_ms);
            let words = fill(t.closed_at, &[("when", &when)]);
            ("check", Some(Tone::Agreed), words)
        }
    }
}

struct Fact {
    name: String,
    value: String,
    is_sum: bool,
}

#[derive(Template)]
#[template(path = "business_days/page.html")]
struct DayPage<'a> {
    t: &'a DayTexts,
    icon: &'static str,
    tone: Option<Tone>,
    state: String,
    again: Option<String>,
    open_tills: Option<String>,
    counts: Vec<Fact>,
    balances: Vec<Fact>,
    numbers: Vec<Fact>,
    digests: Vec<Fact>,
}

#[derive(Template)]
#[template(path = "business_days/_head.html")]
struct Head<'a> {
    t: &'a DayTexts,
}

/// The branch's word on a day.
pub(crate) async fn one(
    State(state): State<EdgeState>,
    who: May<may::MoneyRead>,
    ApiPath(date): ApiPath<String>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = DayTexts::of(view.language());
    let actor = who.actor();
    let read = state
        .store()
        .read(move |reader| day::one(reader, &actor, &date));
    let found = read.await?;
    let (icon, tone, words) = standing(t, &view, &found);
    let word = found.word.as_ref();
    let code = &state.store().identity().code;
    let page = DayPage {
        t,
        icon,
        tone,
        state: words,
        again: word
            .filter(|word| word.times > 1)
            .map(|word| fill(t.times, &[("n", &word.times)])),
        open_tills: word
            .filter(|word| word.word.open_sessions > 0)
            .map(|_| t.with_open_till.to_owned()),
        counts: word.map_or_else(Vec::new, |word| counts(t, &view, &word.word)),
        balances: word.map_or_else(Vec::new, |word| balances(t, &view, &word.word)),
        numbers: word.map_or_else(Vec::new, |word| numbers(t, code, &word.word)),
        digests: word.map_or_else(Vec::new, |word| digests(t, &word.word)),
    };
    let title = fill(t.title_of, &[("day", &name(&view, &found.date))]);
    let head = SafeHtml::render(&Head { t })?;
    let content = Content::new(title, SafeHtml::render(&page)?).head(head);
    frame(&state, &who, &view, CASH).await?.respond(&content)
}

fn fact(name: impl Into<String>, value: impl Into<String>) -> Fact {
    Fact {
        name: name.into(),
        value: value.into(),
        is_sum: false,
    }
}

fn counts(t: &DayTexts, view: &View, word: &DayClosed) -> Vec<Fact> {
    let number = |count: u64| view.clock.number(i64::try_from(count).unwrap_or(i64::MAX));
    vec![
        fact(t.documents, number(word.documents)),
        fact(t.open_orders, number(u64::from(word.open_orders))),
        fact(t.parts, number(word.parts)),
        fact(t.open_sessions, number(u64::from(word.open_sessions))),
        fact(t.feed, number(word.feed)),
    ]
}

fn balances(t: &DayTexts, view: &View, word: &DayClosed) -> Vec<Fact> {
    let amount = |minor: i64| view.amount(money(minor, word.currency));
    let shown = word.balances.iter().filter(|one| one.balance_minor != 0);
    let mut facts: Vec<Fact> = shown
        .map(|one| fact(account(t, one.account), amount(one.balance_minor)))
        .collect();
    if !facts.is_empty() {
        let all = word.balances.iter().map(|one| one.balance_minor).sum();
        facts.push(Fact {
            is_sum: true,
            ..fact(t.all, amount(all))
        });
    }
    facts
}

const fn account(t: &DayTexts, account: MoneyAccount) -> &'static str {
    match account {
        MoneyAccount::Till => t.till,
        MoneyAccount::Safe => t.safe,
        MoneyAccount::Card => t.card,
        MoneyAccount::Bank => t.bank,
        MoneyAccount::Promised => t.promised,
        MoneyAccount::Awaited => t.awaited,
        MoneyAccount::Receivable => t.receivable,
        MoneyAccount::Deposits => t.deposits,
        MoneyAccount::Revenue => t.revenue,
        MoneyAccount::Tax => t.tax,
        MoneyAccount::Fees => t.fees,
        MoneyAccount::Difference => t.difference,
        MoneyAccount::RefundsDue => t.refunds_due,
        MoneyAccount::Corrections => t.corrections,
        MoneyAccount::Counter => t.counter,
    }
}

fn numbers(t: &DayTexts, code: &str, word: &DayClosed) -> Vec<Fact> {
    let name = |kind: PaperKind| match kind {
        PaperKind::DayReport => t.last_report,
        PaperKind::Receipt => t.last_receipt,
    };
    word.numbers
        .iter()
        .map(|last| {
            let number = paper_number(code, last.kind, last.series, last.number);
            fact(name(last.kind), number)
        })
        .collect()
}

fn digests(t: &DayTexts, word: &DayClosed) -> Vec<Fact> {
    let hex = |bytes: &[u8; 32]| {
        let pairs = bytes[..DIGEST_BYTES].chunks(2).map(|pair| {
            pair.iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        });
        pairs.collect::<Vec<_>>().join(" ")
    };
    vec![
        fact(t.documents_digest, hex(&word.documents_digest)),
        fact(t.stock_digest, hex(&word.stock_digest)),
    ]
}

/// Closes today.
pub(crate) async fn close(
    State(state): State<EdgeState>,
    who: May<may::CashWrite>,
    asked: PageRequest,
    PageForm { fields, request }: PageForm<CloseForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = DayTexts::of(view.language());
    let posted = post(&state, &who, request, Ok(fields), |tx, actor, _| {
        day::close_today(tx, actor)
    });
    let (href, toast) = match posted.await? {
        Posted::Done(answered) => {
            let date = answered.answer.body["business_date"].as_str();
            let href = format!("{BUSINESS_DAYS}/{}", date.unwrap_or_default());
            (href, Toast::new("", t.closed_toast))
        }
        Posted::Refused(_) => (CASH.to_owned(), Toast::new("", t.blocked).late()),
    };
    go_on(&state, asked, view.language(), &href, toast)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(DayTexts::ALL),
            Vec::<String>::new()
        );
    }
}
