//! The day report (Z) of a closed session, as it is printed.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::SessionId;
use domain::money::Money;
use web_kit::{ApiPath, Content, Problem, SafeHtml, Screen, fill};

use super::shown::signed;
use super::texts::CashTexts;
use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::app::cash::{self, CashSession, Report};
use crate::app::settings::{self, Settings};
use crate::store::staff;
use crate::web::CASH;
use crate::web::frame::frame;
use crate::web::page::label::code128::{self, Bars};
use crate::web::page::receipts::names_of;
use crate::web::view::View;

/// How much of the hash is printed.
const HASH_BYTES: usize = 8;

struct Sum {
    name: String,
    amount: String,
    is_big: bool,
}

struct Printed {
    shop: String,
    place: String,
    number: String,
    from_to: String,
    till: String,
    takings: Vec<Sum>,
    rates: Vec<[String; 4]>,
    drawer: Vec<Sum>,
    reason: String,
    chain: String,
    bars: Option<Bars>,
}

#[derive(Template)]
#[template(path = "cash/report.html")]
struct ReportPage<'a> {
    language: &'static str,
    paper: &'a CashTexts,
    printed: Printed,
}

#[derive(Template)]
#[template(path = "cash/_report_head.html")]
struct Head<'a> {
    t: &'a CashTexts,
}

/// The day report of a session; one that is open leads to the count.
pub(crate) async fn session(
    State(state): State<EdgeState>,
    who: May<may::MoneyRead>,
    ApiPath(id): ApiPath<SessionId>,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let read = state.store().read(move |reader| {
        let names = names_of(&staff::list(reader)?);
        Ok((
            cash::one(reader, &actor, id)?,
            settings::get(reader, &actor)?,
            names,
        ))
    });
    let (book, settings, names) = read.await?;
    let (session, hash) = (book.session, book.hash);
    let Some(report) = &session.report else {
        return Ok(Redirect::to(CASH).into_response());
    };
    let view = View::of(&state, &who).await?;
    let on_paper = View::on(&state, Screen::default()).await?;
    let by = session.opened_by.and_then(|id| names.get(&id).cloned());
    let t = CashTexts::of(view.language());
    let number = report.number.clone();
    let page = ReportPage {
        language: on_paper.language().tag(),
        paper: CashTexts::of(on_paper.language()),
        printed: printed(
            &on_paper,
            &settings,
            &session,
            report,
            &by.unwrap_or_default(),
            hash,
        ),
    };
    let head = SafeHtml::render(&Head { t })?;
    let content = Content {
        modules: &["js/print.js"],
        ..Content::new(number, SafeHtml::render(&page)?).head(head)
    };
    frame(&state, &who, &view, CASH).await?.respond(&content)
}

fn printed(
    view: &View,
    settings: &Settings,
    session: &CashSession,
    report: &Report,
    by: &str,
    hash: Option<[u8; 32]>,
) -> Printed {
    let t = CashTexts::of(view.language());
    let place = [
        settings.branch.name.as_str(),
        settings.branch.address.as_str(),
    ];
    let place: Vec<&str> = place
        .into_iter()
        .filter(|words| !words.is_empty())
        .collect();
    let moment = |at_ms: i64| format!("{} {}", view.clock.day(at_ms), view.clock.hour(at_ms));
    let day_of = |at_ms: i64| view.clock.day(at_ms);
    let closed_at = session.closed_at.map_or(session.opened_at.0, |at| at.0);
    let bytes = hash.unwrap_or_default();
    Printed {
        shop: settings.legal_name.clone(),
        place: place.join(", "),
        number: report.number.clone(),
        from_to: fill(
            t.from_to,
            &[
                ("from", &moment(session.opened_at.0)),
                (
                    "to",
                    &match day_of(session.opened_at.0) == day_of(closed_at) {
                        true => view.clock.hour(closed_at),
                        false => moment(closed_at),
                    },
                ),
            ],
        ),
        till: fill(t.till_of, &[("register", &session.register), ("who", &by)]),
        takings: takings(t, view, report),
        rates: report
            .rates
            .iter()
            .map(|rate| {
                [
                    view.clock.percent(rate.tax_rate_bp),
                    view.amount(rate.net),
                    view.amount(rate.tax),
                    view.amount(rate.gross),
                ]
            })
            .collect(),
        drawer: drawer(t, view, session, report),
        reason: report.reason.clone(),
        chain: bytes[..HASH_BYTES]
            .chunks(2)
            .map(|pair| {
                pair.iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect::<String>()
            })
            .collect::<Vec<_>>()
            .join(" "),
        bars: code128::bars(&report.number),
    }
}

fn sum(name: &str, amount: String) -> Sum {
    Sum {
        name: name.to_owned(),
        amount,
        is_big: false,
    }
}

fn takings(t: &CashTexts, view: &View, report: &Report) -> Vec<Sum> {
    let mut sums: Vec<Sum> = report
        .tenders
        .iter()
        .map(|one| {
            let name = match one.tender.as_str() {
                "card" => t.card,
                "bank" => t.bank,
                "account" => t.account,
                _ => t.cash,
            };
            sum(name, view.amount(one.amount))
        })
        .collect();
    let all: i64 = report
        .tenders
        .iter()
        .map(|one| one.amount.amount_minor)
        .sum();
    sums.push(Sum {
        name: t.takings.to_owned(),
        amount: view.full_amount(Money {
            amount_minor: all,
            ..report.counted
        }),
        is_big: true,
    });
    sums.push(sum(
        t.receipts,
        view.clock.number(i64::from(report.receipts)),
    ));
    sums.push(sum(t.refunds, view.clock.number(i64::from(report.refunds))));
    sums
}

fn drawer(t: &CashTexts, view: &View, session: &CashSession, report: &Report) -> Vec<Sum> {
    let cash = report.tenders.iter().find(|one| one.tender == "cash");
    let cash = cash.map_or(
        Money {
            amount_minor: 0,
            ..report.counted
        },
        |one| one.amount,
    );
    let out = Money {
        amount_minor: -report.taken_out.amount_minor,
        ..report.taken_out
    };
    let mut sums = vec![
        sum(t.began_with, view.amount(session.float)),
        sum(t.cash, view.amount(cash)),
    ];
    if report.put_in.amount_minor != 0 {
        sums.push(sum(t.in_by_hand, view.amount(report.put_in)));
    }
    if out.amount_minor != 0 {
        sums.push(sum(t.out_by_hand, view.amount(out)));
    }
    sums.push(sum(t.expected, view.amount(report.expected)));
    sums.push(Sum {
        name: t.counted.to_owned(),
        amount: view.full_amount(report.counted),
        is_big: true,
    });
    let difference = report.difference;
    let words = match difference.amount_minor {
        0 => t.none.to_owned(),
        minor => signed(view, minor, difference.currency),
    };
    sums.push(sum(t.difference, words));
    sums.push(sum(t.left, view.amount(report.left)));
    if report.deposits.amount_minor != 0 {
        sums.push(sum(t.deposits, view.amount(report.deposits)));
    }
    sums
}
