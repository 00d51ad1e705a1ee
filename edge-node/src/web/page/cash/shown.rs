//! Cash as the template shows it.

use std::collections::BTreeMap;

use askama::Template;
use domain::cash::CashDirection;
use domain::id::StaffId;
use domain::money::Currency;
use web_kit::fill;
use web_kit::wire::money;

use super::texts::CashTexts;
use super::{CountForm, MoveForm, OpenForm};
use crate::app::cash::{CashSession, SessionBook};
use crate::web::CASH;
use crate::web::page::business_days::Days;
use crate::web::page::stock::form::Wrong;
use crate::web::view::View;

struct MoveRow {
    when: String,
    who: String,
    why: String,
    put_in: String,
    taken_out: String,
}

struct CountRow {
    value: i64,
    label: String,
    name: String,
    pieces: String,
    is_first_coin: bool,
}

pub(super) struct OpenSession {
    id: String,
    since: String,
    float: String,
    moves: Vec<MoveRow>,
    counts: Vec<CountRow>,
}

pub(super) struct FormerRow {
    href: String,
    number: String,
    opened: String,
    closed: String,
    who: String,
    counted: String,
    difference: String,
    is_off: bool,
}

#[derive(Template)]
#[template(path = "cash/page.html")]
pub(super) struct CashPage<'a> {
    pub(super) t: &'a CashTexts,
    pub(super) key: &'a str,
    pub(super) move_key: String,
    pub(super) may_write: bool,
    pub(super) session: Option<OpenSession>,
    pub(super) left_before: Option<String>,
    pub(super) open: OpenForm,
    pub(super) moved: &'a MoveForm,
    pub(super) count: &'a CountForm,
    pub(super) wrong: &'a Wrong,
    pub(super) asks_reason: bool,
    pub(super) former: Vec<FormerRow>,
    pub(super) older: Option<String>,
    pub(super) newest: bool,
    pub(super) days: Days,
    pub(super) sample: String,
    pub(super) digits: u8,
    pub(super) currency: String,
    pub(super) zero: String,
}

#[derive(Template)]
#[template(path = "cash/_head.html")]
pub(super) struct Head<'a> {
    pub(super) t: &'a CashTexts,
}

pub(super) fn open_session(
    t: &CashTexts,
    view: &View,
    names: &BTreeMap<StaffId, String>,
    book: &SessionBook,
    count: &CountForm,
) -> OpenSession {
    let session = &book.session;
    let currency = session.float.currency;
    let digits = currency.minor_digits();
    let unit = 10_i64.pow(u32::from(digits));
    let name = |id: &StaffId| names.get(id).cloned().unwrap_or_default();
    let who = session.opened_by.as_ref().map_or_else(String::new, name);
    let typed = |value: i64| {
        let at = count
            .value
            .iter()
            .position(|known| *known == value.to_string());
        at.and_then(|at| count.pieces.get(at))
            .cloned()
            .unwrap_or_default()
    };
    let mut was_note = true;
    OpenSession {
        id: session.id.to_string(),
        since: fill(
            t.open_since,
            &[
                ("when", &view.clock.when(session.opened_at.0)),
                ("who", &who),
            ],
        )
        .trim_end_matches(", ")
        .to_owned(),
        float: view.full_amount(session.float),
        moves: book
            .moves
            .iter()
            .map(|one| {
                let amount = view.amount(money(one.amount_minor, currency));
                let (put_in, taken_out) = match one.direction {
                    CashDirection::In => (amount, String::new()),
                    CashDirection::Out => (String::new(), amount),
                };
                MoveRow {
                    when: view.clock.when(one.at_ms),
                    who: name(&one.staff),
                    why: one.reason.clone(),
                    put_in,
                    taken_out,
                }
            })
            .collect(),
        counts: session
            .denominations
            .iter()
            .map(|value| {
                let is_note = *value >= 5 * unit || digits == 0;
                let is_first_coin = was_note && !is_note;
                was_note = is_note;
                let label = match value % unit {
                    0 => view.clock.number(value / unit),
                    _ => view.clock.amount(*value, digits),
                };
                CountRow {
                    value: *value,
                    name: fill(t.pieces_of, &[("value", &label)]),
                    label,
                    pieces: typed(*value),
                    is_first_coin,
                }
            })
            .collect(),
    }
}

pub(super) fn former_row(
    t: &CashTexts,
    view: &View,
    names: &BTreeMap<StaffId, String>,
    session: &CashSession,
) -> FormerRow {
    let report = session.report.as_ref();
    let difference = report.map_or(0, |report| report.difference.amount_minor);
    FormerRow {
        href: format!("{CASH}/{}", session.id),
        number: report.map_or_else(String::new, |report| report.number.clone()),
        opened: view.clock.when(session.opened_at.0),
        closed: session
            .closed_at
            .map_or_else(String::new, |at| view.clock.when(at.0)),
        who: session
            .opened_by
            .and_then(|id| names.get(&id).cloned())
            .unwrap_or_default(),
        counted: report.map_or_else(String::new, |report| view.amount(report.counted)),
        difference: match difference {
            0 => t.none.to_owned(),
            minor => signed(view, minor, session.float.currency),
        },
        is_off: difference != 0,
    }
}

/// An amount with its sign, also where it is above zero.
pub(super) fn signed(view: &View, minor: i64, currency: Currency) -> String {
    let amount = view.amount(money(minor, currency));
    if minor > 0 {
        format!("+{amount}")
    } else {
        amount
    }
}
