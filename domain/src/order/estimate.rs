//! Estimates: what a repair would cost, and what the customer said.
//!
//! An answer stands on the version that it answers, so a later estimate is never approved by an earlier word. Who
//! answered is said by role or way ("customer, by phone"), never by a personal value.

use super::{MAX_ENTRIES_PER_ORDER, OrderError, OrderView};
use crate::code::codes;
use crate::document::Edit;
use crate::id::EventId;
use crate::money::check_amount;
use crate::problem::Problems;
use crate::text::{self, NAME_MAX};
use serde::Serialize;

/// The highest version of an estimate.
pub const MAX_VERSION: i64 = 10_000;

codes! {
    /// What the customer said.
    pub enum EstimateAnswer as "answer" {
        /// Yes.
        Approved = 1 "approved",
        /// No.
        Declined = 2 "declined",
    }
}

/// An estimate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Its id.
    pub id: EventId,
    /// Counts up from 1; two made apart may share one.
    pub version: u32,
    /// What it comes to, with tax.
    pub gross_minor: i64,
    /// What the customer said.
    pub answer: Option<EstimateAnswer>,
    /// By what way the answer came.
    pub by: Option<String>,
    /// When the answer came.
    pub at_ms: Option<i64>,
}

/// Adds an estimate with the next version.
pub fn add_estimate(
    order: &OrderView,
    id: EventId,
    gross_minor: i64,
) -> Result<Vec<Edit>, OrderError> {
    if order.estimates.len() >= MAX_ENTRIES_PER_ORDER {
        return Err(OrderError::Full);
    }
    check_amount(gross_minor)?;
    let version = order
        .estimates
        .iter()
        .map(|estimate| i64::from(estimate.version))
        .max()
        .unwrap_or(0)
        + 1;
    let id = id.to_string();
    let path = |field: &'static str| ["estimates", id.as_str(), field].map(str::to_owned);
    Ok(vec![
        Edit::map(&["estimates", id.as_str()]),
        Edit::int(&path("version"), version),
        Edit::int(&path("gross_minor"), gross_minor),
    ])
}

/// Writes the customer's answer to an estimate.
pub fn answer_estimate(
    order: &OrderView,
    version: u32,
    answer: EstimateAnswer,
    by: &str,
    at_ms: i64,
) -> Result<Vec<Edit>, OrderError> {
    let mut with_version = order
        .estimates
        .iter()
        .filter(|estimate| estimate.version == version);
    // Of two with one version the last in the order of the view is the one that pages show.
    let estimate = with_version
        .next_back()
        .ok_or(OrderError::UnknownEstimate)?;
    let mut problems = Problems::new();
    let by = problems.take("/by", text::clean_line(by, NAME_MAX));
    let by = problems.finish(by).map_err(OrderError::Fields)?;
    if estimate.answer.is_some_and(|given| given != answer) {
        return Err(OrderError::Answered);
    }
    if estimate.answer.is_some() {
        return Ok(Vec::new());
    }
    let id = estimate.id.to_string();
    let path = |field: &'static str| ["estimates", id.as_str(), field].map(str::to_owned);
    let mut edits = vec![
        Edit::text(&path("answer"), answer.as_str()),
        Edit::int(&path("at"), at_ms),
    ];
    if !by.is_empty() {
        edits.push(Edit::text(&path("by"), by));
    }
    Ok(edits)
}
