//! Reading every log in the stored apply order, checking its chain, and applying it to the scratch database.
//!
//! What does not chain is named once for each log, by its first position; what can still be read is applied, so that
//! one bad block does not hide the others.

use std::collections::{BTreeMap, BTreeSet};

use domain::id::BranchId;
use sync_protocol::block::LogEntry;
use sync_protocol::hash::Hash;
use sync_protocol::item::{Item, VerdictKind, kind};
use sync_protocol::line::next_epoch;
use sync_protocol::position::{
    Epoch, NodeId, Position, Tip, start_of_branch_line, start_of_hub_line,
};

use super::report::{LogReport, VerifyReport, hex};
use crate::app::apply::{Entry, held_entry};
use crate::app::cache::DocumentCache;
use crate::app::commit::{Batch, Committer};
use crate::error::HubError;
use crate::store::audit::{self, HeadRow};
use crate::store::db::{PgConnection, PgPool};
use crate::store::sync::log::{self, RawBlock, Run};
use crate::store::sync::node::{self, EpochRow};

/// Transactions that share a commit in the scratch database.
const GROUP: usize = 512;
/// Runs read at once.
const RUNS: i64 = 256;
/// Documents in memory while replaying.
const CACHE: usize = 8_192;

/// A log as it was found.
#[derive(Debug)]
pub(super) struct ReplayedLog {
    pub branch: BranchId,
    pub report: LogReport,
}

/// All logs.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    pub logs: Vec<ReplayedLog>,
}

/// A log is a branch node's line, or one epoch of node 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct LogId {
    branch: BranchId,
    node: NodeId,
    hub_epoch: Epoch,
}

impl LogId {
    fn of(branch: BranchId, node: NodeId, epoch: Epoch) -> Self {
        LogId {
            branch,
            node,
            hub_epoch: if node == NodeId::HUB {
                epoch
            } else {
                Epoch::NONE
            },
        }
    }

    fn start(&self) -> Hash {
        if self.node == NodeId::HUB {
            start_of_hub_line(self.hub_epoch)
        } else {
            start_of_branch_line(self.node, self.branch)
        }
    }
}

#[derive(Debug)]
struct LogState {
    tip: Tip,
    first_bad: Option<String>,
}

/// What the hub's transactions release, from the logs: the scratch database holds none.
async fn released(
    live: &mut PgConnection,
    id: &LogId,
    entries: &[LogEntry],
) -> Result<Vec<Entry>, HubError> {
    let mut released = Vec::new();
    if id.node != NodeId::HUB {
        return Ok(released);
    }
    let items = entries.iter().flat_map(|entry| &entry.transaction.items);
    for raw in items.filter(|raw| raw.kind() == kind::VERDICT) {
        if let Ok(Some(Item::Verdict(verdict))) = Item::from_raw(raw)
            && verdict.verdict == VerdictKind::Released
        {
            released.extend(held_entry(live, verdict.position).await?);
        }
    }
    Ok(released)
}

struct Replay<'a> {
    scratch: &'a PgPool,
    cache: DocumentCache,
    committer: Committer,
    logs: BTreeMap<LogId, LogState>,
    read: BTreeSet<(BranchId, NodeId, Epoch, u64)>,
    heads: BTreeMap<Position, Hash>,
    batch: Option<Batch>,
    pending: usize,
}

pub(super) async fn replay(
    live: &mut PgConnection,
    scratch: &PgPool,
    report: &mut VerifyReport,
) -> Result<Replayed, HubError> {
    let heads = check_signatures(live, report).await?;
    let mut replay = Replay {
        scratch,
        cache: DocumentCache::new(CACHE),
        committer: Committer::new(8),
        logs: BTreeMap::new(),
        read: BTreeSet::new(),
        heads,
        batch: None,
        pending: 0,
    };
    let mut last_ord = 0;
    loop {
        let runs = log::runs(live, last_ord, RUNS).await?;
        if runs.is_empty() {
            break;
        }
        for run in runs {
            if run.ord != last_ord + 1 {
                report.differ(
                    "sync.apply_order",
                    (last_ord + 1).to_string(),
                    "the run is missing",
                );
            }
            last_ord = run.ord;
            replay.run(live, run, report).await?;
        }
    }
    let head = log::read_head(live).await?;
    if head.next_ord != last_ord + 1 {
        let what = format!(
            "the apply order ends at {last_ord}, the head says {}",
            head.next_ord - 1
        );
        report.differ("sync.apply_order", (last_ord + 1).to_string(), what);
    }
    replay.flush().await?;
    replay.check_ends(live, report).await?;
    Ok(replay.finish())
}

/// Keeps signed heads to be held against the chain; a signature that does not fit its row is named.
async fn check_signatures(
    live: &mut PgConnection,
    report: &mut VerifyReport,
) -> Result<BTreeMap<Position, Hash>, HubError> {
    let keys: BTreeMap<NodeId, [u8; 32]> = node::all(live)
        .await?
        .into_iter()
        .map(|row| (row.node, row.public_key))
        .collect();
    let mut heads = BTreeMap::new();
    for HeadRow {
        head,
        countersignature,
        ..
    } in audit::heads(live).await?
    {
        let claim = head.claim;
        let position = Position {
            node: claim.node,
            epoch: claim.tip.epoch,
            seq: claim.tip.seq,
        };
        let is_signed = keys.get(&claim.node).is_some_and(|key| head.verify(key));
        if !is_signed {
            report.differ(
                "audit.signed_head",
                position.to_string(),
                "the machine did not sign this",
            );
        }
        if countersignature.is_some() {
            heads.insert(position, claim.tip.hash);
        }
    }
    Ok(heads)
}

impl Replay<'_> {
    async fn run(
        &mut self,
        live: &mut PgConnection,
        run: Run,
        report: &mut VerifyReport,
    ) -> Result<(), HubError> {
        let id = LogId::of(run.branch, run.node, run.epoch);
        let blocks = log::blocks_between(
            live,
            run.node,
            run.branch,
            run.epoch,
            run.first_seq,
            run.last_seq,
        )
        .await?;
        let mut entries: Vec<LogEntry> = Vec::new();
        for block in blocks {
            self.read
                .insert((run.branch, run.node, run.epoch, block.first_seq as u64));
            match self.open(&id, &block) {
                Ok(opened) => entries.extend(opened),
                Err(what) => self.bad(id, run.epoch, block.first_seq as u64, &what, report),
            }
        }
        entries.retain(|entry| (run.first_seq..=run.last_seq).contains(&entry.position.seq));
        let before = self
            .logs
            .get(&id)
            .map_or_else(|| Tip::start(id.start()), |state| state.tip);
        let mut expected = run.first_seq;
        for entry in &entries {
            self.check(id, entry, expected, report);
            expected = entry.position.seq + 1;
        }
        if expected != run.last_seq + 1 {
            self.bad(id, run.epoch, expected, "the log has no such entry", report);
        }
        report.transactions += entries.len() as u64;
        let released = released(live, &id, &entries).await?;
        self.apply(id, &run, before, entries, released).await
    }

    /// A block whose bytes, columns and hashes agree with each other.
    fn open(&self, id: &LogId, block: &RawBlock) -> Result<Vec<LogEntry>, String> {
        let opened = block.open().map_err(|error| error.to_string())?;
        let agrees = opened.node == id.node
            && opened.epoch.0.cast_signed() == block.epoch
            && opened.first_seq.cast_signed() == block.first_seq
            && opened.before.as_slice() == block.before
            && opened.transactions.len() as i64 == block.last_seq - block.first_seq + 1;
        if !agrees {
            return Err("the block's bytes and its row disagree".to_owned());
        }
        let entries = opened.entries();
        match entries.last() {
            Some(last) if last.hash.as_slice() == block.after => Ok(entries),
            _ => Err("the block does not end in the hash of its row".to_owned()),
        }
    }

    fn check(&mut self, id: LogId, entry: &LogEntry, expected: u64, report: &mut VerifyReport) {
        let position = entry.position;
        let state = self.logs.entry(id).or_insert_with(|| LogState {
            tip: Tip::start(id.start()),
            first_bad: None,
        });
        let chained = sync_protocol::position::chain(
            &state.tip.hash,
            position.epoch,
            position.seq,
            &entry.transaction.hash(),
        );
        let continues =
            position.seq == state.tip.seq + 1 && position.seq == expected && chained == entry.hash;
        state.tip = Tip {
            epoch: position.epoch,
            seq: position.seq,
            hash: entry.hash,
        };
        if !continues {
            self.bad(
                id,
                position.epoch,
                position.seq,
                "the entry does not chain on the one before it",
                report,
            );
        }
        if self
            .heads
            .get(&position)
            .is_some_and(|hash| *hash != entry.hash)
        {
            self.bad(
                id,
                position.epoch,
                position.seq,
                "a signed head names another hash",
                report,
            );
        }
    }

    fn bad(&mut self, id: LogId, epoch: Epoch, seq: u64, what: &str, report: &mut VerifyReport) {
        let position = Position {
            node: id.node,
            epoch,
            seq,
        };
        let state = self.logs.entry(id).or_insert_with(|| LogState {
            tip: Tip::start(id.start()),
            first_bad: None,
        });
        if state.first_bad.is_none() {
            state.first_bad = Some(position.to_string());
            report.differ("sync.log_block", position.to_string(), what.to_owned());
        }
    }

    async fn apply(
        &mut self,
        id: LogId,
        run: &Run,
        before: Tip,
        entries: Vec<LogEntry>,
        released: Vec<Entry>,
    ) -> Result<(), HubError> {
        let mut batch = match self.batch.take() {
            Some(batch) => batch,
            None => Batch::begin(self.scratch, &self.committer).await?,
        };
        let held = released.into_iter().map(|entry| (entry.position, entry));
        batch.work.held.extend(held);
        self.pending += entries.len();
        let Some(last) = entries.last() else {
            self.batch = Some(batch);
            return Ok(());
        };
        let tip = Tip {
            epoch: last.position.epoch,
            seq: last.position.seq,
            hash: last.hash,
        };
        let decoded: Vec<Entry> = entries
            .into_iter()
            .map(|entry| {
                let mut entry = Entry::new(entry, run.branch, run.ord);
                entry.refusal = run.refusal.clone();
                entry
            })
            .collect();
        if id.node == NodeId::HUB {
            for entry in &decoded {
                batch.apply_own(entry, &mut self.cache).await?;
            }
            batch.set_hub_tip(tip);
        } else {
            if before.epoch != run.epoch {
                let row = next_epoch(run.epoch, before);
                batch.begin_epoch(EpochRow {
                    branch: run.branch,
                    node: run.node,
                    row,
                });
            }
            batch.apply(decoded, &mut self.cache).await?;
            batch.set_tip(run.node, tip);
        }
        // The hub's own log holds what it decided then.
        batch.work.verdicts.clear();
        self.batch = Some(batch);
        if self.pending >= GROUP {
            self.flush().await
        } else {
            Ok(())
        }
    }

    async fn flush(&mut self) -> Result<(), HubError> {
        self.pending = 0;
        if let Some(batch) = self.batch.take() {
            for document in batch.commit_replay().await?.documents {
                self.cache.put(document);
            }
        }
        Ok(())
    }

    /// Logs must end where their rows say, and every stored block must belong to the apply order.
    async fn check_ends(
        &mut self,
        live: &mut PgConnection,
        report: &mut VerifyReport,
    ) -> Result<(), HubError> {
        for row in node::all(live).await? {
            let id = LogId::of(row.branch, row.node, Epoch::NONE);
            let seq = self.logs.get(&id).map_or(0, |state| state.tip.seq);
            if seq < row.tip.seq {
                self.bad(
                    id,
                    row.tip.epoch,
                    seq + 1,
                    "the log ends before the machine's row says",
                    report,
                );
            }
            self.logs.entry(id).or_insert_with(|| LogState {
                tip: Tip::start(id.start()),
                first_bad: None,
            });
        }
        for tip in node::hub_lines(live).await? {
            let id = LogId::of(BranchId::NIL, NodeId::HUB, tip.epoch);
            let seq = self.logs.get(&id).map_or(0, |state| state.tip.seq);
            if seq < tip.seq {
                self.bad(
                    id,
                    tip.epoch,
                    seq + 1,
                    "the log ends before the line's row says",
                    report,
                );
            }
        }
        for (branch, node, epoch, first_seq) in log::block_keys(live).await? {
            if !self.read.contains(&(branch, node, epoch, first_seq)) {
                let position = Position {
                    node,
                    epoch,
                    seq: first_seq,
                };
                report.differ(
                    "sync.log_block",
                    position.to_string(),
                    "the block is not in the apply order",
                );
            }
        }
        Ok(())
    }

    fn finish(self) -> Replayed {
        let logs = self.logs.into_iter().map(|(id, state)| ReplayedLog {
            branch: id.branch,
            report: LogReport {
                node: id.node.to_string(),
                epoch: state.tip.epoch.to_string(),
                length: state.tip.seq,
                chain: hex(&state.tip.hash),
                intact: state.first_bad.is_none(),
                first_bad: state.first_bad,
            },
        });
        Replayed {
            logs: logs.collect(),
        }
    }
}
