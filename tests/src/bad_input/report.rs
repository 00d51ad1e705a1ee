//! What a run found, and how it is told.
//!
//! Findings are faults of the server; statuses that the document does not list stand apart, as do
//! the cases that were accepted, which no fault need be.

use std::collections::BTreeMap;
use std::fmt;

use super::case::Case;

/// What kind of fault a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// A status from 500 up.
    ServerError,
    /// The connection ended, or nothing came in time.
    NoAnswer,
    /// A refusal that is no RFC 9457 problem, or one that lacks or contradicts itself.
    NotAProblem,
    /// Taken although the document forbids it.
    Accepted,
    /// Not 401 without a sign-in, or 401 with a right one.
    SignIn,
    /// Refused, and yet the state is another one.
    StateChanged,
}

/// One fault.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What kind.
    pub kind: FindingKind,
    /// `POST /api/v1/orders`
    pub operation: String,
    /// Which case.
    pub label: String,
    /// What was answered.
    pub detail: String,
}

/// A case that the server took.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// `POST /api/v1/orders`
    pub operation: String,
    /// Which case.
    pub label: String,
    /// The status.
    pub status: u16,
}

/// What a run found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Requests, those sent again included.
    pub sent: u64,
    /// Faults.
    pub findings: Vec<Finding>,
    /// (operation, status) that the document does not list, with the first such case.
    pub undocumented: BTreeMap<(String, u16), String>,
    /// Cases that were taken, the right requests left out.
    pub accepted: Vec<Accepted>,
    /// Operations whose right request was refused, with status and answer: their bad cases may
    /// have been refused for another reason than their own.
    pub refused_examples: BTreeMap<String, String>,
    /// How often each status was answered.
    pub statuses: BTreeMap<String, BTreeMap<u16, u64>>,
}

impl Report {
    /// Whether the server did nothing wrong; undocumented statuses are not looked at.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    pub(super) fn find(&mut self, kind: FindingKind, case: &Case, detail: impl Into<String>) {
        self.findings.push(Finding {
            kind,
            operation: case.operation.clone(),
            label: case.label.clone(),
            detail: detail.into(),
        });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} requests to {} operations: {} findings, {} undocumented statuses, {} accepted",
            self.sent,
            self.statuses.len(),
            self.findings.len(),
            self.undocumented.len(),
            self.accepted.len()
        )?;
        for finding in &self.findings {
            writeln!(
                f,
                "  {:?}: {} [{}] {}",
                finding.kind, finding.operation, finding.label, finding.detail
            )?;
        }
        for ((operation, status), label) in &self.undocumented {
            writeln!(f, "  undocumented: {operation} answers {status} [{label}]")?;
        }
        for (operation, answer) in &self.refused_examples {
            writeln!(f, "  right request refused: {operation}: {answer}")?;
        }
        Ok(())
    }
}
