//! The scripted demo's report, as the issue and the tests read it.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) records_read: Option<u64>,
    pub(crate) records_used: Option<u64>,
    pub(crate) orders_created: Option<u64>,
    pub(crate) orders_at_hub: u64,
    pub(crate) outcomes: Outcomes,
    pub(crate) lost: Option<u64>,
    pub(crate) duplicated: Option<u64>,
    pub(crate) documents: Documents,
    pub(crate) documents_equal: bool,
    pub(crate) stock_balanced: bool,
    pub(crate) chains_intact: bool,
    pub(crate) kill: Option<Kill>,
    pub(crate) outage: Option<Outage>,
    pub(crate) transfer: Option<Transfer>,
    pub(crate) takings: Option<Takings>,
    pub(crate) reconciliation: Option<Reconciliation>,
    /// Whether the night named what was damaged on purpose, and nothing else.
    pub(crate) planted_found: Option<bool>,
    pub(crate) branches: Vec<BranchReport>,
    /// What the check found, in words.
    pub(crate) findings: Vec<String>,
    pub(crate) ok: bool,
}

/// Orders by outcome, as the branches' tables have them.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Outcomes {
    pub(crate) repaired: u64,
    pub(crate) unrepairable: u64,
    pub(crate) open: u64,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Documents {
    pub(crate) compared: u64,
    pub(crate) different: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Kill {
    pub(crate) branch: String,
    pub(crate) in_flight: u64,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Outage {
    pub(crate) from: String,
    pub(crate) to: String,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Transfer {
    pub(crate) quantity: i64,
    pub(crate) source_before: i64,
    pub(crate) source_after: i64,
    pub(crate) destination_before: i64,
    pub(crate) destination_after: i64,
    pub(crate) state: String,
}

/// What the tills took.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Takings {
    pub(crate) sales: u64,
    /// Sales by card while cut off, captured when the line was back.
    pub(crate) promised: u64,
    pub(crate) cash_minor: i64,
    pub(crate) card_minor: i64,
}

/// What the night came to.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Reconciliation {
    pub(crate) state: String,
    pub(crate) checks: Vec<CheckOutcome>,
}

/// The worst of a check over all branches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CheckOutcome {
    pub(crate) check: String,
    pub(crate) state: String,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct BranchReport {
    pub(crate) code: String,
    pub(crate) orders_connected: Option<u64>,
    pub(crate) orders_cut_off: Option<u64>,
    pub(crate) pending_at_peak: Option<u64>,
    pub(crate) reconverged_ms: Option<u64>,
}

impl Report {
    /// Whether every figure is as it must be.
    pub(crate) fn judge(&mut self) {
        let none = |count: Option<u64>| count.is_none_or(|count| count == 0);
        let all_there = self
            .orders_created
            .is_none_or(|created| created == self.orders_at_hub)
            && self.records_used == self.orders_created;
        let transferred = self.transfer.as_ref().is_none_or(|transfer| {
            transfer.state == "received"
                && transfer.source_before - transfer.quantity == transfer.source_after
                && transfer.destination_before + transfer.quantity == transfer.destination_after
        });
        let proved = self
            .reconciliation
            .as_ref()
            .is_none_or(|night| night.state == "green");
        self.documents_equal = self.documents.different.is_empty();
        self.ok = self.findings.is_empty()
            && none(self.lost)
            && none(self.duplicated)
            && all_there
            && transferred
            && proved
            && self.planted_found != Some(false)
            && self.documents_equal
            && self.stock_balanced
            && self.chains_intact;
    }

    /// Prints the report, and writes it where asked.
    pub(crate) fn give(&self, file: Option<&Path>) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        println!("{text}");
        if let Some(file) = file {
            std::fs::write(file, format!("{text}\n"))
                .with_context(|| format!("writing {}", file.display()))?;
        }
        Ok(())
    }
}
