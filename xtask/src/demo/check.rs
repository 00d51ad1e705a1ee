//! `demo --check`: hub and branches held against each other in three ways.
//!
//! What each executable proves about itself (`verify`: tables against a rebuild from the log), what the two sides
//! say of the same branch (`/documents/digest`), and what SQL finds in both databases.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::api::Api;
use super::chain::{Chain, Programs, text};
use super::databases::{self, Tables};
use super::place::{BranchPlace, DemoFile, find_demo_file};
use super::report::{BranchReport, Report};

pub(crate) async fn run(base_port: Option<u16>, report_file: Option<&Path>) -> Result<()> {
    let path = find_demo_file(base_port)?;
    let file = DemoFile::read(&path)?;
    let mut report = Report::default();
    check(&file, &Programs::beside_this()?, &mut report).await?;
    report.judge();
    report.give(report_file)?;
    ensure!(
        report.ok,
        "the check of {} found a fault, see the report",
        path.display()
    );
    Ok(())
}

/// Fills the parts of the report that a check knows.
pub(crate) async fn check(file: &DemoFile, programs: &Programs, report: &mut Report) -> Result<()> {
    if report.branches.is_empty() {
        let branch = |place: &BranchPlace| BranchReport {
            code: place.code.clone(),
            ..BranchReport::default()
        };
        report.branches = file.branches.iter().map(branch).collect();
    }
    report.chains_intact = true;
    report.stock_balanced = true;
    let hub = verify(&programs.hub, &file.hub.data_dir)?;
    take_differences(&hub, "hub", report);
    report.stock_balanced &= hub["conservation"]["balanced"] == true;
    check_chain("hub", hub["hub_lines"].as_array(), report);
    let ids = databases::hub_branches(&file.hub.database_url).await?;
    let tables = databases::hub_tables(&file.hub.database_url).await?;
    for place in &file.branches {
        let id = ids
            .get(&place.code)
            .with_context(|| format!("the hub has no branch {}", place.code))?;
        let own = verify(&programs.edge_node, &place.data_dir)?;
        take_differences(&own, &place.code, report);
        compare_verified(&place.code, &own, &hub, report);
        let at_branch = databases::branch_tables(&place.data_dir)?;
        let at_hub = tables.get(id).cloned().unwrap_or_default();
        compare_tables(&place.code, &at_branch, &at_hub, report);
        compare_digests(file, place, report).await?;
        count_orders(&at_branch, &at_hub, report);
    }
    Ok(())
}

/// Runs `verify --json`; its exit code says whether all is well, its output says what is not.
fn verify(program: &Path, data_dir: &Path) -> Result<Value> {
    let output = std::process::Command::new(program)
        .args(["verify", "--json", "--data", &text(data_dir)?])
        .output()
        .with_context(|| format!("starting {}", program.display()))?;
    let said: Value = serde_json::from_slice(&output.stdout).with_context(|| {
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        format!("{} verify gave no JSON: {error}", program.display())
    })?;
    ensure!(
        output.status.success() == (said["ok"] == true),
        "{} verify ended with {} and says ok = {}",
        program.display(),
        output.status,
        said["ok"]
    );
    Ok(said)
}

fn take_differences(verified: &Value, place: &str, report: &mut Report) {
    for difference in verified["differences"].as_array().into_iter().flatten() {
        let part = |name: &str| difference[name].as_str().unwrap_or_default().to_owned();
        report.findings.push(format!(
            "{place}: {} {}: {}",
            part("table"),
            part("key"),
            part("what")
        ));
    }
    if verified["ok"] != true && verified["differences"].as_array().is_none_or(Vec::is_empty) {
        report
            .findings
            .push(format!("{place}: verify is not content: {verified}"));
    }
}

/// Chain and documents of one branch, as each side's `verify` has them.
fn compare_verified(code: &str, own: &Value, hub: &Value, report: &mut Report) {
    let empty = Value::Null;
    let branches = hub["branches"].as_array().into_iter().flatten();
    let at_hub = branches
        .into_iter()
        .find(|branch| branch["code"] == code)
        .unwrap_or(&empty);
    check_chain(code, Some(&vec![own["log"].clone()]), report);
    check_chain("hub", at_hub["logs"].as_array(), report);
    let logs = at_hub["logs"].as_array().into_iter().flatten();
    let log = logs
        .into_iter()
        .find(|log| log["node"] == own["node"])
        .unwrap_or(&empty);
    for (what, own, hub) in [
        ("length", &own["log"]["seq"], &log["length"]),
        ("chain", &own["log"]["chain"], &log["chain"]),
    ] {
        if own != hub {
            report.chains_intact = false;
            report.findings.push(format!(
                "{code}: the log's {what} is {own} at the branch and {hub} at the hub"
            ));
        }
    }
    if own["documents"]["digest"] != at_hub["digest"] {
        report.findings.push(format!(
            "{code}: verify finds different documents at branch and hub"
        ));
    }
}

fn check_chain(place: &str, logs: Option<&Vec<Value>>, report: &mut Report) {
    for log in logs
        .into_iter()
        .flatten()
        .filter(|log| log["intact"] != true)
    {
        report.chains_intact = false;
        report.findings.push(format!(
            "{place}: the chain is broken at {}",
            log["first_bad"]
        ));
    }
}

/// Rows of one branch in both databases.
fn compare_tables(code: &str, branch: &Tables, hub: &Tables, report: &mut Report) {
    let ids = branch.documents.keys().chain(
        hub.documents
            .keys()
            .filter(|id| !branch.documents.contains_key(*id)),
    );
    for id in ids {
        report.documents.compared += 1;
        if branch.documents.get(id) != hub.documents.get(id) {
            report.documents.different.push(format!("{code}/{id}"));
        }
    }
    for (id, order) in &branch.orders {
        if hub.orders.get(id) != Some(order) {
            report
                .findings
                .push(format!("{code}: order {id} differs between branch and hub"));
        }
    }
    for id in hub
        .orders
        .keys()
        .filter(|id| !branch.orders.contains_key(*id))
    {
        report.findings.push(format!(
            "{code}: order {id} is at the hub and not at the branch"
        ));
    }
    if branch.tip != hub.tip {
        let (own, hub) = (&branch.tip, &hub.tip);
        report.findings.push(format!(
            "{code}: the log ends at {own:?} at the branch and at {hub:?} at the hub"
        ));
    }
    compare_stock(code, branch, hub, report);
}

fn compare_stock(code: &str, branch: &Tables, hub: &Tables, report: &mut Report) {
    let parts: std::collections::BTreeSet<&String> = branch
        .stock
        .keys()
        .chain(hub.stock.keys())
        .chain(branch.ledger.keys())
        .chain(hub.ledger.keys())
        .collect();
    for part in parts {
        let at = |tables: &Tables| {
            let stock = tables.stock.get(part).copied().unwrap_or_default();
            let ledger = tables.ledger.get(part).copied().unwrap_or_default();
            (stock, ledger)
        };
        let ((branch_stock, branch_ledger), (hub_stock, hub_ledger)) = (at(branch), at(hub));
        let quantities = [
            branch_stock.on_hand,
            branch_ledger.on_hand,
            hub_stock.on_hand,
            hub_ledger.on_hand,
        ];
        let reserved = [branch_stock.reserved, hub_stock.reserved];
        if quantities.iter().any(|quantity| *quantity != quantities[0])
            || reserved[0] != reserved[1]
        {
            report.stock_balanced = false;
            report.findings.push(format!(
                "{code}: part {part} on hand by branch table, branch movements, hub table, hub movements: \
                 {quantities:?}; reserved at branch and hub: {reserved:?}"
            ));
        }
    }
}

async fn compare_digests(file: &DemoFile, place: &BranchPlace, report: &mut Report) -> Result<()> {
    let login = file.login("branch_manager", &place.code)?;
    let own = Api::new(&place.url, &login.username, &login.password)?
        .get("/api/v1/documents/digest")
        .await?;
    let login = file.login("central_manager", "hub")?;
    let hub = Api::new(&file.hub.url, &login.username, &login.password)?;
    let at_hub = hub
        .get(&format!("/api/v1/documents/digest?branch={}", place.code))
        .await?;
    for field in ["count", "digest"] {
        if own[field] != at_hub[field] {
            let (own, hub, code) = (&own[field], &at_hub[field], &place.code);
            report.findings.push(format!(
                "{code}: documents' {field} is {own} at the branch and {hub} at the hub"
            ));
        }
    }
    Ok(())
}

fn count_orders(branch: &Tables, hub: &Tables, report: &mut Report) {
    report.orders_at_hub += hub.orders.len() as u64;
    for (_, status, outcome) in branch.orders.values() {
        let outcomes = &mut report.outcomes;
        match (status.as_str(), outcome.as_deref()) {
            ("collected", Some("repaired")) => outcomes.repaired += 1,
            ("collected", Some("unrepairable")) => outcomes.unrepairable += 1,
            _ => outcomes.open += 1,
        }
    }
}

impl Chain {
    /// The data folder of the branch at `index`.
    pub(crate) fn branch_dir(&self, index: usize) -> &Path {
        &self.branches[index].data_dir
    }
}
