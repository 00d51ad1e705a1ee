//! Papers of the tills: drawers and day reports, numbers, invoices.

use super::outcome::in_days;
use super::{BusinessDay, Found, Outcome};
use crate::cash::Drawer;
use crate::id::{DocumentId, SessionId};
use crate::money::Currency;
use crate::till::PaperKind;

/// A session that was closed on the day.
#[derive(Debug, Clone)]
pub struct SessionFacts {
    /// The session.
    pub session: SessionId,
    /// The till.
    pub register: i32,
    /// The currency.
    pub currency: Currency,
    /// The letter of its day report.
    pub series: u8,
    /// The number of its day report.
    pub number: i64,
    /// What its day report says should have been there.
    pub expected_minor: i64,
    /// What its records come to.
    pub drawer: Drawer,
    /// What was counted.
    pub counted_minor: i64,
    /// What the day report's bytes say was counted; none where they do not read.
    pub counted_in_report: Option<i64>,
    /// Why it differs.
    pub reason: String,
    /// The hash of the report before, as it carries it.
    pub former: [u8; 32],
    /// The hash that is kept.
    pub hash: [u8; 32],
    /// The hash of its bytes.
    pub hash_of_bytes: [u8; 32],
    /// The hash of the report before; zeros for the first, none where that is not there.
    pub hash_before: Option<[u8; 32]>,
}

/// Drawers of a day.
#[derive(Debug, Clone, Default)]
pub struct CashFacts {
    /// Sessions that were closed.
    pub closed: Vec<SessionFacts>,
    /// Sessions that were open at the end of the day: session, till.
    pub open: Vec<(SessionId, i32)>,
}

/// Judges drawers and day reports.
pub fn judge_cash(facts: &CashFacts) -> Outcome {
    let mut outcome = Outcome::default();
    outcome.count("sessions", facts.closed.len());
    outcome.count("open", facts.open.len());
    let mut sums: std::collections::BTreeMap<Currency, (i64, i64)> = Default::default();
    for session in &facts.closed {
        let sum = sums.entry(session.currency).or_default();
        sum.0 = sum.0.saturating_add(session.expected_minor);
        sum.1 = sum.1.saturating_add(session.counted_minor);
        judge_session(session, &mut outcome);
    }
    for (currency, (expected, counted)) in sums {
        outcome.money("expected", expected, currency);
        outcome.money("counted", counted, currency);
    }
    for (session, register) in &facts.open {
        let detail = format!("till {register} was not closed at the end of the day");
        outcome.add(Found::amber("session", session, detail));
    }
    outcome
}

fn judge_session(session: &SessionFacts, outcome: &mut Outcome) {
    let id = &session.session;
    let currency = session.currency;
    let records = session.drawer.expected_minor();
    if session.expected_minor != records {
        let detail = format!(
            "till {}: the day report says that {} should have been there, its records come to {records}",
            session.register, session.expected_minor
        );
        let off = session.expected_minor.saturating_sub(records);
        outcome.add(Found::red("session", id, detail).with(off, currency));
    }
    if session.counted_in_report != Some(session.counted_minor) {
        let detail = "what was counted is not what its day report says";
        let found = Found::red("session", id, detail);
        outcome.add(found.with(session.counted_minor, currency));
    }
    let difference = session.counted_minor.saturating_sub(session.expected_minor);
    if difference != 0 {
        let (counted, expected) = (session.counted_minor, session.expected_minor);
        let words = format!(
            "till {}: {counted} counted, {expected} expected",
            session.register
        );
        outcome.add(if session.reason.is_empty() {
            let detail = format!("{words}, and nobody said why");
            Found::red("session", id, detail).with(difference, currency)
        } else {
            let detail = format!("{words}: {}", session.reason);
            Found::amber("session", id, detail).with(difference, currency)
        });
    }
    if session.hash != session.hash_of_bytes {
        let detail = "the bytes of the day report are not what its hash says";
        outcome.add(Found::red("session", id, detail));
    }
    let name = format!("Z-{}{:06}", char::from(session.series), session.number);
    match session.hash_before {
        Some(before) if before == session.former => {}
        Some(_) => {
            let detail = format!("day report {name} does not carry the hash of the one before");
            outcome.add(Found::red("session", id, detail));
        }
        None => {
            let detail = format!("the day report before {name} is not there");
            outcome.add(Found::red("session", id, detail));
        }
    }
}

/// Numbers of a series that no paper has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Which papers.
    pub kind: PaperKind,
    /// The letter.
    pub series: u8,
    /// The first that is missing.
    pub first: i64,
    /// The last that is missing.
    pub last: i64,
}

/// A number that several papers have.
#[derive(Debug, Clone)]
pub struct Double {
    /// Which papers.
    pub kind: PaperKind,
    /// The letter.
    pub series: u8,
    /// The number.
    pub number: i64,
    /// How many papers have it.
    pub papers: i64,
}

/// The last number of a series as both sides have it.
#[derive(Debug, Clone, Copy)]
pub struct SeriesEnd {
    /// Which papers.
    pub kind: PaperKind,
    /// The letter.
    pub series: u8,
    /// What the branch said.
    pub said: i64,
    /// What the hub has.
    pub ours: i64,
}

/// Why numbers may be missing.
#[derive(Debug, Clone)]
pub struct Excuse {
    /// The letter; none for any.
    pub series: Option<u8>,
    /// Why.
    pub reason: String,
}

/// Numbers of papers.
#[derive(Debug, Clone, Default)]
pub struct NumbersFacts {
    /// Papers that have one.
    pub papers: u64,
    /// Series.
    pub series: u64,
    /// Numbers that are missing.
    pub gaps: Vec<Gap>,
    /// Numbers that were given twice.
    pub doubles: Vec<Double>,
    /// Where series end.
    pub ends: Vec<SeriesEnd>,
    /// Why some may be missing.
    pub excuses: Vec<Excuse>,
}

/// Judges numbers.
pub fn judge_numbers(facts: &NumbersFacts) -> Outcome {
    let mut outcome = Outcome::default();
    outcome.count("papers", facts.papers);
    outcome.count("series", facts.series);
    let mut gaps = facts.gaps.clone();
    gaps.extend(
        facts
            .ends
            .iter()
            .filter(|end| end.said > end.ours)
            .map(|end| Gap {
                kind: end.kind,
                series: end.series,
                first: end.ours + 1,
                last: end.said,
            }),
    );
    outcome.count(
        "missing",
        gaps.iter().map(|gap| gap.last - gap.first + 1).sum::<i64>(),
    );
    for gap in gaps {
        let name = name_of(gap.kind, gap.series, gap.first);
        let words = if gap.first == gap.last {
            "no paper has this number".to_owned()
        } else {
            format!("no papers have the numbers from this to {:06}", gap.last)
        };
        let covers = |excuse: &&Excuse| excuse.series.is_none_or(|series| series == gap.series);
        outcome.add(match facts.excuses.iter().find(covers) {
            Some(excuse) => Found::amber("number", name, format!("{words}: {}", excuse.reason)),
            None => Found::red("number", name, words),
        });
    }
    for double in &facts.doubles {
        let name = name_of(double.kind, double.series, double.number);
        let detail = format!("{} papers have this number", double.papers);
        outcome.add(Found::red("number", name, detail));
    }
    outcome
}

fn name_of(kind: PaperKind, series: u8, number: i64) -> String {
    format!("{kind}-{}{number:06}", char::from(series))
}

/// An order that was collected and not invoiced.
#[derive(Debug, Clone)]
pub struct UninvoicedOrder {
    /// The order.
    pub order: DocumentId,
    /// Its number.
    pub number: String,
    /// What it comes to.
    pub gross_minor: i64,
    /// The currency.
    pub currency: Currency,
}

/// An open order past its promise.
#[derive(Debug, Clone)]
pub struct OverdueOrder {
    /// The order.
    pub order: DocumentId,
    /// Its number.
    pub number: String,
    /// When it was promised for.
    pub promised_ms: i64,
}

/// Orders of a branch.
#[derive(Debug, Clone, Default)]
pub struct OrdersFacts {
    /// Orders that were collected lately.
    pub collected: u64,
    /// Those without an invoice.
    pub uninvoiced: Vec<UninvoicedOrder>,
    /// Open orders.
    pub open: u64,
    /// How many of them are past their promise.
    pub past_promise: u64,
    /// Of these the ones that wait longest.
    pub overdue: Vec<OverdueOrder>,
}

/// Judges orders.
pub fn judge_orders(facts: &OrdersFacts, day: &BusinessDay) -> Outcome {
    let mut outcome = Outcome::default();
    outcome.count("collected", facts.collected);
    outcome.count("open", facts.open);
    outcome.count("past_promise", facts.past_promise);
    if facts.past_promise > 0 {
        outcome.raise(super::CheckState::Amber);
    }
    for order in &facts.overdue {
        let days = day.age_days(order.promised_ms);
        let number = &order.number;
        let detail = match days {
            0 => format!("{number} was due on this day"),
            days => format!("{number} was due {} ago", in_days(days)),
        };
        outcome.add(Found::amber("order", order.order, detail));
    }
    for order in facts
        .uninvoiced
        .iter()
        .filter(|order| order.gross_minor > 0)
    {
        let detail = format!("{} was collected and not invoiced", order.number);
        let found = Found::red("order", order.order, detail);
        outcome.add(found.with(order.gross_minor, order.currency));
    }
    outcome
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use super::super::{CheckState, DAY_MS};
    use super::*;

    fn session() -> SessionFacts {
        SessionFacts {
            session: SessionId::from_bytes([1; 16]),
            register: 1,
            currency: Currency::EUR,
            series: b'A',
            number: 2,
            expected_minor: 1_500,
            drawer: Drawer {
                float_minor: 1_000,
                taken_minor: 500,
                ..Drawer::default()
            },
            counted_minor: 1_500,
            counted_in_report: Some(1_500),
            reason: String::new(),
            former: [3; 32],
            hash: [4; 32],
            hash_of_bytes: [4; 32],
            hash_before: Some([3; 32]),
        }
    }

    fn state(session: SessionFacts) -> CheckState {
        let facts = CashFacts {
            closed: vec![session],
            open: Vec::new(),
        };
        judge_cash(&facts).state()
    }

    #[test]
    fn a_drawer_agrees_is_explained_or_is_red() {
        assert_eq!(state(session()), CheckState::Green);
        let explained = SessionFacts {
            counted_minor: 1_400,
            counted_in_report: Some(1_400),
            reason: "wrong change".to_owned(),
            ..session()
        };
        assert_eq!(state(explained.clone()), CheckState::Amber);
        let silent = SessionFacts {
            reason: String::new(),
            ..explained
        };
        assert_eq!(state(silent), CheckState::Red);
        let wrong = SessionFacts {
            expected_minor: 1_400,
            counted_minor: 1_400,
            counted_in_report: Some(1_400),
            ..session()
        };
        assert_eq!(state(wrong), CheckState::Red);
        let open = CashFacts {
            closed: Vec::new(),
            open: vec![(SessionId::from_bytes([1; 16]), 1)],
        };
        assert_eq!(judge_cash(&open).state(), CheckState::Amber);
    }

    #[test]
    fn day_reports_chain() {
        let broken = SessionFacts {
            hash_before: Some([9; 32]),
            ..session()
        };
        assert_eq!(state(broken), CheckState::Red);
        let gone = SessionFacts {
            hash_before: None,
            ..session()
        };
        assert_eq!(state(gone), CheckState::Red);
        let altered = SessionFacts {
            hash_of_bytes: [9; 32],
            ..session()
        };
        assert_eq!(state(altered), CheckState::Red);
    }

    #[test]
    fn a_gap_is_red_unless_an_incident_says_why() {
        let gap = Gap {
            kind: PaperKind::Receipt,
            series: b'A',
            first: 3,
            last: 4,
        };
        let mut facts = NumbersFacts {
            gaps: vec![gap],
            ..NumbersFacts::default()
        };
        let outcome = judge_numbers(&facts);
        assert_eq!(outcome.state(), CheckState::Red);
        assert_eq!(outcome.records()[0].subject, "R-A000003");
        facts.excuses.push(Excuse {
            series: Some(b'B'),
            reason: "another series".to_owned(),
        });
        assert_eq!(judge_numbers(&facts).state(), CheckState::Red);
        facts.excuses.push(Excuse {
            series: Some(b'A'),
            reason: "the machine was replaced".to_owned(),
        });
        assert_eq!(judge_numbers(&facts).state(), CheckState::Amber);
        facts.doubles.push(Double {
            kind: PaperKind::Receipt,
            series: b'A',
            number: 2,
            papers: 2,
        });
        assert_eq!(judge_numbers(&facts).state(), CheckState::Red);
    }

    #[test]
    fn the_end_of_a_series_counts_too() {
        let facts = NumbersFacts {
            ends: vec![SeriesEnd {
                kind: PaperKind::DayReport,
                series: b'A',
                said: 5,
                ours: 4,
            }],
            ..NumbersFacts::default()
        };
        let outcome = judge_numbers(&facts);
        assert_eq!(outcome.state(), CheckState::Red);
        assert_eq!(outcome.records()[0].subject, "Z-A000005");
    }

    #[test]
    fn collected_orders_are_invoiced() {
        let day = BusinessDay {
            day: 20_000,
            start_ms: 20_000 * DAY_MS,
            end_ms: 20_001 * DAY_MS,
        };
        let mut facts = OrdersFacts::default();
        assert_eq!(judge_orders(&facts, &day).state(), CheckState::Green);
        facts.past_promise = 1;
        facts.overdue.push(OverdueOrder {
            order: DocumentId::from_bytes([2; 16]),
            number: "BER-2".to_owned(),
            promised_ms: day.start_ms - DAY_MS,
        });
        let outcome = judge_orders(&facts, &day);
        assert_eq!(outcome.state(), CheckState::Amber);
        let found = &outcome.records()[0];
        assert_eq!(found.detail, "BER-2 was due 2 days ago");
        facts.uninvoiced.push(UninvoicedOrder {
            order: DocumentId::from_bytes([1; 16]),
            number: "BER-1".to_owned(),
            gross_minor: 0,
            currency: Currency::EUR,
        });
        assert_eq!(
            judge_orders(&facts, &day).state(),
            CheckState::Amber,
            "costs nothing"
        );
        facts.uninvoiced[0].gross_minor = 1;
        assert_eq!(judge_orders(&facts, &day).state(), CheckState::Red);
    }
}
