//! The overview: what waits for people, every branch with the worst first, and how those outside are doing.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use web_kit::{PageRequest, Problem, SafeHtml, Tone, fill, html, plural};

use super::texts::{MoneyTexts, OverviewTexts};
use super::{money, respond};
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::app::money::chain::{BranchState, Chain, chain};
use crate::outside::{BreakerState, DependencyHealth};
use crate::web::act::address;
use crate::web::page::network::midnight;
use crate::web::places::Places;
use crate::web::view::View;
use crate::web::{
    MONEY, MONEY_CASH, MONEY_OUTBOX, MONEY_PAYMENTS, MONEY_RECEIPTS, MONEY_REFUNDS,
    MONEY_SETTLEMENTS,
};

struct Figure {
    name: &'static str,
    href: &'static str,
    number: String,
    beside: String,
    tone: Option<&'static str>,
}

struct BranchRow {
    code: String,
    name: String,
    receipts_href: String,
    cash_href: String,
    taken: String,
    receipts: String,
    given_back: String,
    is_nothing_back: bool,
    promised: String,
    promised_href: String,
    share: String,
    /// Width of the bar, of 100.
    bar: i64,
    tone: &'static str,
    oldest: String,
    is_old: bool,
    marks: Vec<(String, String)>,
}

struct OutsideRow {
    name: String,
    icon: &'static str,
    tone: &'static str,
    says: String,
    failures: String,
    last: Option<String>,
}

#[derive(Template)]
#[template(path = "money/overview.html")]
struct Page<'a> {
    m: &'a MoneyTexts,
    t: &'a OverviewTexts,
    refresh: &'static str,
    figures: Vec<Figure>,
    rows: Vec<BranchRow>,
    outside: Vec<OutsideRow>,
    /// What all amounts are in, where that is one currency.
    currency: Option<String>,
}

/// The page, or its work alone when a script asks again.
pub(crate) async fn overview(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    asked: PageRequest,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let found = chain(state.hub(), &who.person, midnight(&view)).await?;
    let places = Places::of(&state).await?;
    let t = OverviewTexts::of(view.language());
    let mut currencies = found.branches.iter().map(|one| one.money.currency);
    let first = currencies.next();
    let is_one = currencies.all(|other| Some(other) == first);
    let body = SafeHtml::render(&Page {
        m: MoneyTexts::of(view.language()),
        t,
        refresh: MONEY,
        figures: figures(t, &view, &found),
        rows: found
            .branches
            .iter()
            .map(|one| branch(t, &view, &places, one, is_one))
            .collect(),
        outside: found
            .outside
            .iter()
            .map(|one| outside(t, &view, one))
            .collect(),
        currency: first.filter(|_| is_one).map(|one| one.to_string()),
    })?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    respond(&state, &who, &view, (StatusCode::OK, MONEY), body).await
}

fn figures(t: &OverviewTexts, view: &View, found: &Chain) -> Vec<Figure> {
    let waiting = &found.waiting;
    let oldest = |oldest_ms: Option<i64>, none: &str| {
        oldest_ms.map_or_else(
            || none.to_owned(),
            |at_ms| fill(t.oldest, &[("age", &view.clock.age(at_ms))]),
        )
    };
    let tone = |count: i64, tone: Tone| (count > 0).then_some(tone.as_str());
    let failing = if waiting.failing > 0 {
        let n = view.clock.number(waiting.failing);
        fill(t.after_failure, &[("n", &n)])
    } else {
        oldest(waiting.jobs.oldest_ms, t.waits_none)
    };
    vec![
        Figure {
            name: t.dead,
            href: MONEY_OUTBOX,
            number: view.clock.number(waiting.dead.count),
            beside: oldest(waiting.dead.oldest_ms, t.dead_none),
            tone: tone(waiting.dead.count, Tone::Late),
        },
        Figure {
            name: t.unmatched,
            href: MONEY_SETTLEMENTS,
            number: view.clock.number(waiting.lines.count),
            beside: oldest(waiting.lines.oldest_ms, t.unmatched_none),
            tone: tone(waiting.lines.count, Tone::Late),
        },
        Figure {
            name: t.word,
            href: MONEY_REFUNDS,
            number: view.clock.number(waiting.refunds.count),
            beside: oldest(waiting.refunds.oldest_ms, t.word_none),
            tone: tone(waiting.refunds.count, Tone::Decide),
        },
        Figure {
            name: t.waits,
            href: MONEY_OUTBOX,
            number: view.clock.number(waiting.jobs.count),
            beside: failing,
            tone: tone(waiting.failing, Tone::Waiting),
        },
    ]
}

fn branch(
    t: &OverviewTexts,
    view: &View,
    places: &Places,
    one: &BranchState,
    is_one_currency: bool,
) -> BranchRow {
    let amount = |minor: i64| {
        let money = money(minor, one.money.currency);
        if is_one_currency {
            view.amount(money)
        } else {
            view.full_amount(money)
        }
    };
    let limit = amount(one.rules.promise_limit_minor);
    let is_old = one.is_old(view.clock.now_ms());
    let is_over = one.is_over();
    let share = match (is_over, one.money.promised_minor) {
        (true, _) => fill(t.over_limit, &[("limit", &limit)]),
        (false, 0) => String::new(),
        (false, _) => fill(t.share, &[("share", &one.share()), ("limit", &limit)]),
    };
    let age = view.age(one.money.oldest_ms.filter(|_| one.money.promised_minor > 0));
    let mut marks = Vec::new();
    if one.dead > 0 {
        let words = plural(one.dead.unsigned_abs(), t.one_dead, t.dead_letters);
        marks.push((MONEY_OUTBOX.to_owned(), words));
    }
    if one.refunds > 0 {
        let words = plural(one.refunds.unsigned_abs(), t.one_refund, t.refunds);
        marks.push((MONEY_REFUNDS.to_owned(), words));
    }
    let of_branch =
        |path: &str, state: &str| address(path, &[("branch", one.code.as_str()), ("state", state)]);
    BranchRow {
        name: places.name(&one.code).to_owned(),
        receipts_href: of_branch(MONEY_RECEIPTS, ""),
        cash_href: of_branch(MONEY_CASH, ""),
        taken: amount(one.money.taken_minor),
        receipts: plural(one.money.receipts.unsigned_abs(), t.one_receipt, t.receipts),
        given_back: amount(one.money.given_back_minor),
        is_nothing_back: one.money.given_back_minor == 0,
        promised: amount(one.money.promised_minor),
        promised_href: of_branch(MONEY_PAYMENTS, "open"),
        share,
        bar: one.share().clamp(0, 100),
        tone: if is_over || is_old {
            "late"
        } else if one.share() >= 80 {
            "waiting"
        } else {
            "moving"
        },
        oldest: if is_old {
            let days = fill(t.too_old, &[("days", &one.rules.promise_days)]);
            format!("{age}, {days}")
        } else {
            age
        },
        is_old,
        marks,
        code: one.code.clone(),
    }
}

fn outside(t: &OverviewTexts, view: &View, one: &DependencyHealth) -> OutsideRow {
    let name = match one.name.as_str() {
        "stripe" => t.stripe.to_owned(),
        "bank" => t.bank.to_owned(),
        other => other.to_owned(),
    };
    let (icon, tone, says) = match one.state {
        BreakerState::Closed => ("check", "agreed", t.no_problem.to_owned()),
        BreakerState::HalfOpen => ("clock", "waiting", t.tried.to_owned()),
        BreakerState::Open => {
            let age = view.clock.age(one.since_ms);
            ("pause", "late", fill(t.left_alone, &[("age", &age)]))
        }
    };
    OutsideRow {
        name,
        icon,
        tone,
        says,
        failures: if one.failures > 0 {
            fill(t.failures, &[("n", &one.failures)])
        } else {
            String::new()
        },
        last: one.last_error.clone(),
    }
}
