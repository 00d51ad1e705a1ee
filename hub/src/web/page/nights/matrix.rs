//! Branches against checks: what is to be looked at first, and what each cell says.

use std::collections::BTreeMap;

use domain::money::{Currency, Money};
use domain::permission::Permission;
use domain::reconcile::{Check, CheckState, Figure};
use web_kit::{fill, plural};

use super::Seen;
use super::check::{amount_of, short_day};
use super::texts::{check_name, head_of, look, state_words};
use crate::app::reconcile::{BranchNight, CheckResult, RunState};
use crate::web::act::address;

/// What stands for the line of no branch in addresses.
pub(super) const CHAIN: &str = "chain";

/// The head of a column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) is: &'static str,
}

/// A cell.
#[derive(Debug)]
pub(super) struct Cell {
    /// Whether the branch has no such check.
    pub(super) is_blank: bool,
    pub(super) is_green: bool,
    pub(super) is_chosen: bool,
    pub(super) tone: &'static str,
    pub(super) icon: &'static str,
    pub(super) text: String,
    pub(super) label: String,
    pub(super) href: String,
}

/// A branch.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) href: String,
    pub(super) tone: &'static str,
    pub(super) icon: &'static str,
    pub(super) is_chosen: bool,
    pub(super) is_running: bool,
    pub(super) is_signed: bool,
    pub(super) cells: Vec<Cell>,
    /// Instead of cells: why there is nothing to say.
    pub(super) sentence: String,
}

/// Rows with a heading.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) words: String,
    pub(super) rows: Vec<Row>,
}

/// A figure above the matrix.
#[derive(Debug)]
pub(super) struct Sum {
    pub(super) name: &'static str,
    pub(super) number: String,
    pub(super) beside: String,
    pub(super) tone: &'static str,
    /// Two rules below, one dashed, or none.
    pub(super) mark: &'static str,
}

/// How urgent a state is, the worst first.
const fn rank(state: CheckState) -> u8 {
    match state {
        CheckState::Red => 0,
        CheckState::Unreconciled => 1,
        CheckState::Amber => 2,
        CheckState::Green => 3,
    }
}

/// The name of a branch's line in addresses.
pub(super) fn slug(night: &BranchNight) -> &str {
    if night.branch.is_nil() {
        CHAIN
    } else {
        &night.code
    }
}

impl Seen<'_> {
    /// The heads of all columns.
    pub(super) fn columns(&self) -> Vec<Column> {
        let heads = Check::ALL
            .iter()
            .map(|check| head_of(self.view.language(), *check));
        heads.map(|(name, is)| Column { name, is }).collect()
    }

    /// Branches in groups: what is to be looked at, what was not checked yet, what agrees.
    pub(super) fn groups(&self) -> Vec<Group> {
        let t = self.t;
        let mut nights: Vec<&BranchNight> = self.night.branches.iter().collect();
        nights.sort_by_key(|night| (rank(night.state), night.branch.is_nil(), self.name(night)));
        let (bad, good): (Vec<_>, Vec<_>) = nights
            .into_iter()
            .partition(|night| night.state != CheckState::Green);
        let group = |words: String, rows: Vec<Row>| Group { words, rows };
        let rows = |nights: &[&BranchNight]| nights.iter().map(|night| self.row(night)).collect();
        let count = |nights: &[&BranchNight]| nights.len() as u64;
        let whole = |nights: &[&BranchNight]| {
            let branches = nights.iter().filter(|night| !night.branch.is_nil());
            branches.count() as u64
        };
        let mut missing: Vec<Row> = self.missing.iter().map(|code| self.unseen(code)).collect();
        missing.sort_by(|a, b| a.name.cmp(&b.name));
        let not_yet = fill(t.missing, &[("n", &missing.len())]);
        let groups = [
            group(plural(count(&bad), t.to_look_one, t.to_look), rows(&bad)),
            group(not_yet, missing),
            // What belongs to no branch agrees with them, and is none of them.
            group(plural(whole(&good), t.agree_one, t.agree), rows(&good)),
        ];
        let groups = groups.into_iter();
        groups.filter(|group| !group.rows.is_empty()).collect()
    }

    /// The name of a branch's line.
    pub(super) fn name(&self, night: &BranchNight) -> String {
        if night.branch.is_nil() {
            self.t.of_none.to_owned()
        } else {
            self.places.name(&night.code).to_owned()
        }
    }

    fn row(&self, night: &BranchNight) -> Row {
        let (icon, tone) = look(night.state);
        let is_chosen = |check: Check| {
            self.chosen
                .is_some_and(|(branch, chosen)| branch == night.branch && chosen == check)
        };
        let sentence = self.sentence(night);
        let cells = if sentence.is_empty() {
            let all = Check::ALL.iter();
            all.map(|check| self.cell(night, *check, is_chosen(*check)))
                .collect()
        } else {
            Vec::new()
        };
        Row {
            id: slug(night).to_owned(),
            name: self.name(night),
            href: format!("{}/{}", self.path, slug(night)),
            tone,
            icon,
            is_chosen: self
                .chosen
                .is_some_and(|(branch, _)| branch == night.branch),
            is_running: night.run == RunState::Running,
            is_signed: night.signed.is_some() && self.night.signed.is_none(),
            cells,
            sentence,
        }
    }

    /// A branch that has no night of this day yet.
    fn unseen(&self, code: &str) -> Row {
        Row {
            id: code.to_owned(),
            name: self.places.name(code).to_owned(),
            href: String::new(),
            tone: "",
            icon: "clock",
            is_chosen: false,
            is_running: false,
            is_signed: false,
            cells: Vec::new(),
            sentence: self.t.missing_why.to_owned(),
        }
    }

    /// Why a branch has no cells.
    pub(super) fn sentence(&self, night: &BranchNight) -> String {
        let t = self.t;
        let has_results = night.checks.iter().any(|check| !check.figures.is_empty());
        let since = || short_day(self.view, night.since.unwrap_or(self.night.day));
        match night.run {
            RunState::Unreconciled if self.places.is_cut_off(&night.code) => {
                fill(t.cut_off, &[("day", &since())])
            }
            RunState::Unreconciled => fill(t.unreconciled, &[("day", &since())]),
            RunState::Running if !has_results => t.now.to_owned(),
            RunState::Waiting if !has_results => t.waiting.to_owned(),
            RunState::Running | RunState::Waiting | RunState::Done => String::new(),
        }
    }

    fn cell(&self, night: &BranchNight, check: Check, is_chosen: bool) -> Cell {
        let result = night.checks.iter().find(|result| result.check == check);
        let Some(result) = result else {
            return Cell {
                is_blank: true,
                is_green: true,
                is_chosen: false,
                tone: "",
                icon: "check",
                text: String::new(),
                label: String::new(),
                href: String::new(),
            };
        };
        let language = self.view.language();
        let (icon, tone) = look(result.state);
        let (text, what) = self.text(result);
        let values: [(&str, &dyn std::fmt::Display); 4] = [
            ("branch", &self.name(night)),
            ("check", &check_name(language, check)),
            ("state", &state_words(language, result.state)),
            ("what", &what),
        ];
        Cell {
            is_blank: false,
            is_green: result.state == CheckState::Green,
            is_chosen,
            tone,
            icon,
            label: fill(self.t.cell, &values),
            href: address(
                &self.path,
                &[("branch", slug(night)), ("check", check.as_str())],
            ),
            text,
        }
    }

    /// What a cell says, and the same in words: the amount that is off, or how many records there are.
    pub(super) fn text(&self, result: &CheckResult) -> (String, String) {
        let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
        for (minor, currency) in result.records.iter().filter_map(amount_of) {
            let sum = sums.entry(currency).or_default();
            *sum = sum.saturating_add(minor);
        }
        let mut sums = sums.into_iter();
        if let (Some((currency, amount_minor)), None) = (sums.next(), sums.next())
            && amount_minor != 0
        {
            let money = Money {
                amount_minor,
                currency,
            };
            return (self.view.amount(money), self.view.full_amount(money));
        }
        let found = match (result.found, result.figures.get("past_promise")) {
            (0, Some(Figure::Count(late))) => *late,
            (found, _) => found,
        };
        let words = plural(found.unsigned_abs(), self.t.one_record, self.t.n_records);
        (self.view.clock.number(found), words)
    }

    /// What stands above the matrix.
    pub(super) fn sums(&self) -> Vec<Sum> {
        vec![
            self.branches_sum(),
            self.log_sum(),
            self.stock_sum(),
            self.cash_sum(),
            self.cards_sum(),
        ]
    }

    fn results(&self, check: Check) -> impl Iterator<Item = &CheckResult> {
        let all = self.night.branches.iter().flat_map(|night| &night.checks);
        all.filter(move |result| result.check == check)
    }

    fn counted(&self, check: Check, key: &str) -> i64 {
        self.results(check)
            .filter_map(|result| match result.figures.get(key) {
                Some(Figure::Count(count)) => Some(*count),
                _ => None,
            })
            .sum()
    }

    /// The worst of what is known; not known where all else agrees and some is not.
    fn worst(&self, check: Check) -> CheckState {
        let states = || self.results(check).map(|result| result.state);
        let known = states().filter(|state| *state != CheckState::Unreconciled);
        match CheckState::worst(known) {
            CheckState::Green => CheckState::worst(states()),
            known => known,
        }
    }

    fn mark(state: CheckState) -> (&'static str, &'static str) {
        match state {
            CheckState::Green => ("", "proved"),
            CheckState::Red => ("late", "unproved"),
            CheckState::Amber => ("waiting", "unproved"),
            CheckState::Unreconciled => ("", ""),
        }
    }

    fn branches_sum(&self) -> Sum {
        let branches = || {
            let all = self.night.branches.iter();
            all.filter(|night| !night.branch.is_nil())
        };
        let agree = branches().filter(|night| night.state == CheckState::Green);
        let n = branches().count() + self.missing.len();
        Sum {
            name: self.t.branches,
            number: fill(self.t.of, &[("some", &agree.count()), ("n", &n)]),
            beside: self.t.agree_all.to_owned(),
            tone: "",
            mark: "",
        }
    }

    fn log_sum(&self) -> Sum {
        let number = self
            .view
            .clock
            .number(self.counted(Check::Log, "transactions"));
        let (tone, mark) = Self::mark(self.worst(Check::Log));
        Sum {
            name: self.t.proved_tx,
            beside: match self.worst(Check::Log) {
                CheckState::Green => format!("= {number}"),
                state => state_words(self.view.language(), state).to_owned(),
            },
            number,
            tone,
            mark,
        }
    }

    fn stock_sum(&self) -> Sum {
        let off = self.results(Check::Stock);
        let off: i64 = off
            .filter(|result| result.state == CheckState::Red)
            .map(|result| result.found)
            .sum();
        let parts = self
            .view
            .clock
            .number(self.counted(Check::Stock, "parts_hub"));
        let (tone, mark) = Self::mark(self.worst(Check::Stock));
        Sum {
            name: self.t.stock_off,
            number: self.view.clock.number(off),
            beside: fill(self.t.over_parts, &[("n", &parts)]),
            tone,
            mark,
        }
    }

    fn cash_sum(&self) -> Sum {
        let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
        for result in self.results(Check::Cash) {
            for (key, sign) in [("counted", 1), ("expected", -1)] {
                if let Some(Figure::Money {
                    amount_minor,
                    currency,
                }) = result.figures.get(key)
                {
                    let sum = sums.entry(*currency).or_default();
                    *sum = sum.saturating_add(amount_minor.saturating_mul(sign));
                }
            }
        }
        sums.retain(|_, sum| *sum != 0);
        if sums.is_empty() {
            sums.insert(self.places.currency(), 0);
        }
        let shown = sums.into_iter().map(|(currency, amount_minor)| {
            self.view.full_amount(Money {
                amount_minor,
                currency,
            })
        });
        let sessions = self.counted(Check::Cash, "sessions").unsigned_abs();
        let (tone, mark) = Self::mark(self.worst(Check::Cash));
        Sum {
            name: self.t.cash_diff,
            number: shown.collect::<Vec<_>>().join(", "),
            beside: plural(sessions, self.t.one_session, self.t.sessions),
            tone,
            mark,
        }
    }

    fn cards_sum(&self) -> Sum {
        let clock = &self.view.clock;
        let off: i64 = self
            .results(Check::Payments)
            .filter(|result| result.state == CheckState::Red)
            .map(|result| result.found)
            .sum();
        let (tone, mark) = Self::mark(self.worst(Check::Payments));
        Sum {
            name: self.t.cards,
            number: clock.number(self.counted(Check::Payments, "matched")),
            beside: if off > 0 {
                fill(self.t.cards_off, &[("n", &clock.number(off))])
            } else {
                let waiting = self.counted(Check::Payments, "waiting");
                fill(self.t.cards_wait, &[("n", &clock.number(waiting))])
            },
            tone,
            mark,
        }
    }

    /// What is to be looked at most: the first cell of the first row that is not green.
    pub(super) fn urgent(&self) -> Option<(domain::id::BranchId, Check)> {
        let nights = self.night.branches.iter();
        let mut bad: Vec<&BranchNight> = nights
            .filter(|night| night.state != CheckState::Green && self.sentence(night).is_empty())
            .collect();
        bad.sort_by_key(|night| (rank(night.state), night.branch.is_nil(), self.name(night)));
        let night = bad.first()?;
        let worst = night
            .checks
            .iter()
            .min_by_key(|result| rank(result.state))?;
        Some((night.branch, worst.check))
    }

    /// Whether the person may sign the whole chain, or this branch alone.
    pub(super) fn may_sign(&self, night: Option<&BranchNight>) -> bool {
        let person = &self.who.person;
        let there = match night {
            Some(night) if !night.branch.is_nil() => person.require_branch(night.branch).is_ok(),
            _ => person.require_chain().is_ok(),
        };
        there && person.may(Permission::NightSign)
    }
}
