//! What a check found: figures, records, and the worst of them.

use super::CheckState;
use crate::money::Currency;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Records that are kept of one check; all are counted.
pub const MAX_FOUND: usize = 500;

/// A figure of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Figure {
    /// How many.
    Count(i64),
    /// How much.
    Money {
        /// Minor units.
        amount_minor: i64,
        /// The currency.
        currency: Currency,
    },
}

/// A record behind a check: what it is about and what is the matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// How bad.
    pub state: CheckState,
    /// What the subject is: `payment`, `part`, `receipt`, …
    pub kind: &'static str,
    /// Its id or name.
    pub subject: String,
    /// For people.
    pub detail: String,
    /// What is missing or too much, where it is money.
    pub amount: Option<(i64, Currency)>,
}

impl Found {
    /// Something that does not agree.
    pub fn red(kind: &'static str, subject: impl ToString, detail: impl Into<String>) -> Self {
        Self::of(CheckState::Red, kind, subject, detail)
    }

    /// Something that somebody should look at.
    pub fn amber(kind: &'static str, subject: impl ToString, detail: impl Into<String>) -> Self {
        Self::of(CheckState::Amber, kind, subject, detail)
    }

    /// The same with an amount.
    #[must_use]
    pub fn with(mut self, amount_minor: i64, currency: Currency) -> Self {
        self.amount = Some((amount_minor, currency));
        self
    }

    fn of(
        state: CheckState,
        kind: &'static str,
        subject: impl ToString,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            state,
            kind,
            subject: subject.to_string(),
            detail: detail.into(),
            amount: None,
        }
    }
}

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    state: CheckState,
    found: u64,
    figures: BTreeMap<String, Figure>,
    records: Vec<Found>,
}

impl Default for Outcome {
    fn default() -> Self {
        Self {
            state: CheckState::Green,
            found: 0,
            figures: BTreeMap::new(),
            records: Vec::new(),
        }
    }
}

impl Outcome {
    /// Adds a figure that counts.
    pub fn count(&mut self, key: &str, count: impl TryInto<i64>) {
        let count = count.try_into().unwrap_or(i64::MAX);
        self.figures.insert(key.to_owned(), Figure::Count(count));
    }

    /// Adds a figure that is money.
    pub fn money(&mut self, key: &str, amount_minor: i64, currency: Currency) {
        let figure = Figure::Money {
            amount_minor,
            currency,
        };
        self.figures.insert(key.to_owned(), figure);
    }

    /// Adds a record.
    pub fn add(&mut self, found: Found) {
        self.raise(found.state);
        self.found += 1;
        if self.records.len() < MAX_FOUND {
            self.records.push(found);
        }
    }

    /// Makes it at least as bad.
    pub fn raise(&mut self, state: CheckState) {
        self.state = self.state.max(state);
    }

    /// The worst of what was found.
    pub const fn state(&self) -> CheckState {
        self.state
    }

    /// How many records there are.
    pub const fn found(&self) -> u64 {
        self.found
    }

    /// The figures.
    pub const fn figures(&self) -> &BTreeMap<String, Figure> {
        &self.figures
    }

    /// The first records.
    pub fn records(&self) -> &[Found] {
        &self.records
    }
}

/// A number of days in words.
pub(super) fn in_days(days: i64) -> String {
    match days {
        1 => "1 day".to_owned(),
        _ => format!("{days} days"),
    }
}
