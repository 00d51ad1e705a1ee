//! What verification found, as `hub verify --json` prints it.

use std::collections::{BTreeMap, BTreeSet};

use domain::id::{BranchId, DocumentId, PartId};
use domain::stock::{Conservation, Movement};
use serde::Serialize;
use sync_protocol::hash::{Hash, digest_of_documents};

use super::replay::Replayed;
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::inventory::ledger;
use crate::store::locations;
use crate::store::sync::document;

/// Differences that are listed; more are only counted.
const LISTED: usize = 1_000;

/// Something that does not follow from the logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// `schema.table`.
    pub table: String,
    /// The row's key.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
}

/// A log, or a line of node 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogReport {
    /// The node, eight hexadecimal digits.
    pub node: String,
    /// Its newest epoch here.
    pub epoch: String,
    /// Transactions.
    pub length: u64,
    /// Chain hash behind the last, hexadecimal.
    pub chain: String,
    /// Whether every transaction is there and chained.
    pub intact: bool,
    /// The first position that is not.
    pub first_bad: Option<String>,
}

/// Stock of a part at a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartStock {
    /// The part.
    pub part: PartId,
    /// On the shelves.
    pub on_hand: i64,
    /// Movements in the branch's own log.
    pub movements: i64,
}

/// One branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BranchReport {
    /// The branch.
    pub branch: BranchId,
    /// Its code.
    pub code: String,
    /// Its machines' logs.
    pub logs: Vec<LogReport>,
    /// Documents that it is interested in.
    pub documents: u64,
    /// Digest over their ids and heads, hexadecimal.
    pub digest: String,
    /// Its orders.
    pub orders: u64,
    /// Its stock.
    pub stock: Vec<PartStock>,
}

/// Whether every piece is accounted for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ConservationReport {
    /// The terms over all parts.
    pub total: Conservation,
    /// Whether they balance for each part and agree with the stock columns.
    pub balanced: bool,
    /// Parts for which they do not.
    pub unbalanced: Vec<PartId>,
}

/// What verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// By branch.
    pub branches: Vec<BranchReport>,
    /// Lines of node 0.
    pub hub_lines: Vec<LogReport>,
    /// Documents of the whole chain.
    pub documents: u64,
    /// Digest over their ids and heads, hexadecimal.
    pub digest: String,
    /// Movements and stock.
    pub conservation: ConservationReport,
    /// Transactions that were replayed.
    pub transactions: u64,
    /// Differences, at most 1,000.
    pub differences: Vec<Difference>,
    /// How many there are.
    pub difference_count: u64,
    /// Whether everything follows from the logs and every log is intact.
    pub ok: bool,
}

impl VerifyReport {
    pub(super) fn differ(&mut self, table: &str, key: impl Into<String>, what: impl Into<String>) {
        self.difference_count += 1;
        if self.differences.len() < LISTED {
            self.differences.push(Difference {
                table: table.to_owned(),
                key: key.into(),
                what: what.into(),
            });
        }
    }

    pub(super) fn finish(&mut self) {
        let logs_intact = self
            .branches
            .iter()
            .flat_map(|branch| &branch.logs)
            .chain(&self.hub_lines)
            .all(|log| log.intact);
        self.ok = self.difference_count == 0 && logs_intact && self.conservation.balanced;
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) async fn fill(
    live: &mut PgConnection,
    replayed: &Replayed,
    report: &mut VerifyReport,
) -> Result<(), HubError> {
    let codes: BTreeMap<BranchId, String> = locations::codes(live).await?.into_iter().collect();
    let mut hashes: BTreeMap<BranchId, Vec<Hash>> = BTreeMap::new();
    for (branch, hash) in document::hashes_by_branch(live).await? {
        hashes.entry(branch).or_default().push(hash);
    }
    let orders: BTreeMap<BranchId, u64> = crate::store::orders::counts(live)
        .await?
        .into_iter()
        .collect();
    let all_stock = ledger::all_stock(live).await?;
    let mut branches: BTreeSet<BranchId> = codes.keys().copied().collect();
    branches.extend(hashes.keys());
    branches.extend(
        replayed
            .logs
            .iter()
            .map(|log| log.branch)
            .filter(|branch| !branch.is_nil()),
    );
    for branch in branches {
        let documents = hashes.remove(&branch).unwrap_or_default();
        report.branches.push(BranchReport {
            branch,
            code: codes.get(&branch).cloned().unwrap_or_default(),
            logs: replayed
                .logs
                .iter()
                .filter(|log| log.branch == branch)
                .map(|log| log.report.clone())
                .collect(),
            documents: documents.len() as u64,
            digest: hex(&digest_of_documents(documents)),
            orders: orders.get(&branch).copied().unwrap_or(0),
            stock: all_stock
                .iter()
                .filter(|(owner, ..)| *owner == branch)
                .map(|(_, part, on_hand, _, movements)| PartStock {
                    part: *part,
                    on_hand: *on_hand,
                    movements: *movements,
                })
                .collect(),
        });
    }
    report.hub_lines = replayed
        .logs
        .iter()
        .filter(|log| log.branch.is_nil())
        .map(|log| log.report.clone())
        .collect();
    let all: Vec<(DocumentId, Hash)> = document::all_hashes(live).await?;
    report.documents = all.len() as u64;
    report.digest = hex(&digest_of_documents(
        all.into_iter().map(|(_, hash)| hash).collect(),
    ));
    report.conservation = conservation(live, &all_stock).await?;
    Ok(())
}

async fn conservation(
    live: &mut PgConnection,
    stock: &[(BranchId, PartId, i64, i64, i64)],
) -> Result<ConservationReport, HubError> {
    let mut by_part: BTreeMap<PartId, Conservation> = BTreeMap::new();
    let mut total = Conservation::default();
    for (part, kind, quantity) in ledger::sums_by_kind(live).await? {
        let movement = Movement::new(BranchId::NIL, part, kind, quantity);
        by_part.entry(part).or_default().add(&movement);
        total.add(&movement);
    }
    let mut held: BTreeMap<PartId, (i64, i64)> = BTreeMap::new();
    for (_, part, on_hand, in_transit, _) in stock {
        let sums = held.entry(*part).or_default();
        sums.0 += on_hand;
        sums.1 += in_transit;
    }
    let parts: BTreeSet<PartId> = by_part.keys().chain(held.keys()).copied().collect();
    let unbalanced: Vec<PartId> = parts
        .into_iter()
        .filter(|part| {
            let terms = by_part.get(part).copied().unwrap_or_default();
            let sums = held.get(part).copied().unwrap_or_default();
            !terms.balanced() || (terms.on_hand, terms.in_transit) != sums
        })
        .collect();
    Ok(ConservationReport {
        total,
        balanced: unbalanced.is_empty(),
        unbalanced,
    })
}
