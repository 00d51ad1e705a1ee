//! One cash session: how its drawer adds up, what went in and out, the count, and its place in the chain.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::cash::{CashClosed, CashDirection};
use domain::id::{SessionId, StaffId};
use domain::till::{PaperKind, paper_number};
use web_kit::{ApiPath, PageRequest, Problem, SafeHtml, fill, html};

use super::super::texts::MoneyTexts;
use super::super::{money, respond_with, words};
use super::texts::CashTexts;
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::app::money::sessions::{Before, Link, ReportName, SessionEnd, SessionState, session};
use crate::app::reconcile::show_day;
use crate::app::staff::names;
use crate::web::act::address;
use crate::web::places::Places;
use crate::web::view::View;
use crate::web::{BRANCHES, MONEY_CASH, MONEY_RECEIPTS, MONEY_REFUNDS, NIGHTS};

/// A term of the sum that the drawer comes to.
struct Term {
    sign: &'static str,
    amount: String,
    words: &'static str,
    href: Option<String>,
}

struct MoveRow {
    when: String,
    who: String,
    why: String,
    put_in: String,
    taken_out: String,
}

struct CountRow {
    value: String,
    pieces: String,
    sum: String,
}

struct TenderRow {
    name: &'static str,
    amount: String,
    is_nothing: bool,
}

/// What a closed session's day report says.
struct Closed {
    expected: String,
    counted: String,
    tone: &'static str,
    icon: &'static str,
    words: String,
    is_off: bool,
    reason: String,
    problem: Option<String>,
    counts: Vec<CountRow>,
    tenders: Vec<TenderRow>,
    takings: String,
    rates: Vec<[String; 4]>,
}

struct ChainRow {
    number: String,
    href: Option<String>,
    hash: String,
}

struct Chain {
    this: ChainRow,
    tone: &'static str,
    icon: &'static str,
    says: Vec<String>,
    before: Option<ChainRow>,
    after: Option<ChainRow>,
}

#[derive(Template)]
#[template(path = "money/session.html")]
struct Page<'a> {
    m: &'a MoneyTexts,
    t: &'a CashTexts,
    refresh: String,
    title: String,
    branch: String,
    branch_href: String,
    /// The business day and its night.
    day: Option<(String, Option<String>)>,
    facts: Vec<(&'static str, String, Option<String>)>,
    float: String,
    terms: Vec<Term>,
    closed: Option<Closed>,
    is_unreadable: bool,
    moves: Vec<MoveRow>,
    chain: Option<Chain>,
}

/// The page, or its work alone when a script asks again.
pub(crate) async fn show(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    asked: PageRequest,
    ApiPath(id): ApiPath<SessionId>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let known = session(state.hub(), &who.person, id).await?;
    let mut people: Vec<StaffId> = known.moves.iter().map(|one| one.staff).collect();
    people.push(known.row.opened_by);
    people.extend(known.row.closed.as_ref().map(|end| end.by));
    let shower = Shower {
        t: CashTexts::of(view.language()),
        view: &view,
        names: names(state.hub(), &people).await?,
        known: &known,
    };
    let places = Places::of(&state).await?;
    let end = known.row.closed.as_ref();
    let body = SafeHtml::render(&Page {
        m: MoneyTexts::of(view.language()),
        t: shower.t,
        refresh: format!("{MONEY_CASH}/{id}"),
        title: known
            .number
            .clone()
            .unwrap_or_else(|| shower.t.session.to_owned()),
        branch: places.name(&known.branch).to_owned(),
        branch_href: format!("{BRANCHES}/{}", known.branch),
        day: end.map(|end| {
            let night = format!("{NIGHTS}/{}/{}#cash", show_day(end.day), known.branch);
            let name = view.business_day(end.day);
            (name, known.has_night.then_some(night))
        }),
        facts: shower.facts(),
        float: shower.full(known.row.float_minor),
        terms: shower.terms(),
        closed: end
            .zip(known.closed.as_ref())
            .map(|(end, closed)| shower.closed(end, closed)),
        is_unreadable: end.is_some() && known.closed.is_none(),
        moves: shower.moves(),
        chain: known.link.as_ref().map(|link| shower.chain(link)),
    })?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    let place = (StatusCode::OK, MONEY_CASH);
    respond_with(&state, &who, &view, place, body, &["js/print.js"]).await
}

struct Shower<'a> {
    t: &'a CashTexts,
    view: &'a View,
    names: BTreeMap<StaffId, String>,
    known: &'a SessionState,
}

impl Shower<'_> {
    fn amount(&self, minor: i64) -> String {
        self.view.amount(money(minor, self.known.row.currency))
    }

    fn full(&self, minor: i64) -> String {
        self.view.full_amount(money(minor, self.known.row.currency))
    }

    fn name(&self, staff: StaffId) -> String {
        self.names.get(&staff).cloned().unwrap_or_default()
    }

    fn by(&self, at_ms: i64, staff: StaffId) -> String {
        let when = self.view.clock.when(at_ms);
        let words = fill(self.t.by, &[("when", &when), ("who", &self.name(staff))]);
        words.trim_end_matches(", ").to_owned()
    }

    /// How the drawer adds up by what the hub has of the session.
    fn terms(&self) -> Vec<Term> {
        let (t, drawer) = (self.t, &self.known.drawer);
        let receipts = address(
            MONEY_RECEIPTS,
            &[("session", &self.known.row.id.to_string())],
        );
        let term = |sign, minor, words, href| Term {
            sign,
            amount: self.amount(minor),
            words,
            href,
        };
        vec![
            term("", drawer.float_minor, t.float_term, None),
            term("+", drawer.taken_minor, t.cash_taken, Some(receipts)),
            term(
                "−",
                drawer.given_back_minor,
                t.cash_back,
                self.refunds_href(),
            ),
            term("+", drawer.in_minor, t.put_in, None),
            term("−", drawer.out_minor, t.taken_out, None),
        ]
    }

    /// What was given back at the branch on the business day of the session.
    fn refunds_href(&self) -> Option<String> {
        let day = show_day(self.known.row.closed.as_ref()?.day);
        let parts = [("branch", self.known.branch.as_str()), ("day", &day)];
        Some(format!("{}#given", address(MONEY_REFUNDS, &parts)))
    }

    fn facts(&self) -> Vec<(&'static str, String, Option<String>)> {
        let (t, known) = (self.t, self.known);
        let number = |count: i64| self.view.clock.number(count);
        let receipts = address(MONEY_RECEIPTS, &[("session", &known.row.id.to_string())]);
        let mut facts = vec![
            (t.till, known.row.register.to_string(), None),
            (
                t.opened,
                self.by(known.row.opened_ms, known.row.opened_by),
                None,
            ),
        ];
        if let Some(end) = &known.row.closed {
            facts.push((t.closed, self.by(end.at_ms, end.by), None));
        }
        let receipts = (known.receipts > 0).then_some(receipts);
        facts.push((t.receipts, number(known.receipts), receipts));
        let refunds = self.refunds_href().filter(|_| known.refunds > 0);
        facts.push((t.refunds, number(known.refunds), refunds));
        let Some((end, closed)) = known.row.closed.as_ref().zip(known.closed.as_ref()) else {
            return facts;
        };
        let report = &closed.report;
        if report.first_number > 0 {
            let printed = |number| paper_number("", PaperKind::Receipt, end.series, number);
            let words = fill(
                t.numbers_of,
                &[
                    (
                        "first",
                        &printed(report.first_number).trim_start_matches('-'),
                    ),
                    ("last", &printed(report.last_number).trim_start_matches('-')),
                ],
            );
            facts.push((t.numbers, words, None));
        }
        let to_safe = end.counted_minor.saturating_sub(closed.left_minor);
        facts.push((t.left, self.full(closed.left_minor), None));
        facts.push((t.to_safe, self.full(to_safe), None));
        if report.deposits_minor != 0 {
            facts.push((t.deposits, self.full(report.deposits_minor), None));
        }
        facts
    }

    fn closed(&self, end: &SessionEnd, closed: &CashClosed) -> Closed {
        let t = self.t;
        let difference = end.difference_minor();
        let full = self.full(difference.saturating_abs());
        let (tone, icon, words) = match difference {
            0 => ("agreed", "agreed", t.agrees.to_owned()),
            1.. => ("waiting", "plus", fill(t.too_much, &[("amount", &full)])),
            _ => ("waiting", "low", fill(t.too_little, &[("amount", &full)])),
        };
        let known = self.known.drawer.expected_minor();
        let report = &closed.report;
        let takings = report.tenders.iter().map(|one| one.amount_minor);
        Closed {
            expected: self.amount(end.expected_minor),
            counted: self.amount(end.counted_minor),
            tone,
            icon,
            words,
            is_off: difference != 0,
            reason: end.reason.clone(),
            problem: (known != end.expected_minor).then(|| {
                let said = self.full(end.expected_minor);
                let known = self.full(known);
                fill(t.report_differs, &[("said", &said), ("known", &known)])
            }),
            counts: closed
                .counted
                .iter()
                .filter(|one| one.pieces > 0)
                .map(|one| CountRow {
                    value: self.amount(one.value_minor),
                    pieces: self.view.clock.number(i64::from(one.pieces)),
                    sum: self.amount(one.value_minor.saturating_mul(i64::from(one.pieces))),
                })
                .collect(),
            tenders: report
                .tenders
                .iter()
                .map(|one| TenderRow {
                    name: words::tender(self.view.language(), one.tender.as_str()),
                    amount: self.amount(one.amount_minor),
                    is_nothing: one.amount_minor == 0,
                })
                .collect(),
            takings: self.full(takings.fold(0, i64::saturating_add)),
            rates: report
                .rates
                .iter()
                .map(|rate| {
                    [
                        self.view.clock.percent(rate.tax_bp),
                        self.amount(rate.net_minor),
                        self.amount(rate.tax_minor),
                        self.amount(rate.gross_minor),
                    ]
                })
                .collect(),
        }
    }

    fn moves(&self) -> Vec<MoveRow> {
        let row = |one: &crate::app::money::sessions::CashMove| {
            let amount = self.amount(one.amount_minor);
            let (put_in, taken_out) = match one.direction {
                CashDirection::In => (amount, String::new()),
                CashDirection::Out => (String::new(), amount),
            };
            MoveRow {
                when: self.view.clock.when(one.at_ms),
                who: self.name(one.staff),
                why: one.reason.clone(),
                put_in,
                taken_out,
            }
        };
        self.known.moves.iter().map(row).collect()
    }

    fn chain(&self, link: &Link) -> Chain {
        let t = self.t;
        let code = self.known.branch.as_str();
        let printed = |series, number| paper_number(code, PaperKind::DayReport, series, number);
        let named = |name: &ReportName| printed(name.series, name.number);
        let row = |name: &ReportName, hash: String| ChainRow {
            number: named(name),
            href: Some(format!("{MONEY_CASH}/{}", name.session)),
            hash,
        };
        let with = |words: &str, number: &str| fill(words, &[("number", &number)]);
        let former = hex(&link.former);
        let series = self
            .known
            .row
            .closed
            .as_ref()
            .map_or(b'?', |end| end.series);
        let (mut is_well, words, before) = match &link.before {
            Before::First => (true, t.first_one.to_owned(), None),
            Before::Carried(name) => (true, with(t.carried, &named(name)), Some(row(name, former))),
            Before::Broken(name) => (false, with(t.broken, &named(name)), Some(row(name, former))),
            Before::Missing { number } => (false, with(t.missing, &printed(series, *number)), None),
        };
        let mut says = vec![words];
        if !link.is_own {
            is_well = false;
            says.push(t.not_own.to_owned());
        }
        Chain {
            this: ChainRow {
                number: self.known.number.clone().unwrap_or_default(),
                href: None,
                hash: hex(&link.hash),
            },
            tone: if is_well { "agreed" } else { "late" },
            icon: if is_well { "check" } else { "late" },
            says,
            before,
            after: link.after.as_ref().map(|name| row(name, String::new())),
        }
    }
}

/// Bytes as people compare them: in groups of four digits.
fn hex(bytes: &[u8]) -> String {
    let pairs = bytes.chunks(2).map(|pair| {
        pair.iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    });
    pairs.collect::<Vec<_>>().join(" ")
}
