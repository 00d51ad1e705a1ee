//! One SQL transaction that adds to logs: begin, apply, write, commit.
//!
//! The head of the apply order is locked first, so of all hub processes one commits at a time and the order is total
//! (INV-15). A log entry, its effects, its cursor and its feed entries stand in one commit (INV-3, INV-24).

use std::collections::BTreeMap;

use domain::id::{BranchId, StaffId};
use sync_protocol::block::{BlockWriter, LogEntry};
use sync_protocol::hash::Hash;
use sync_protocol::item::{Item, Verdict, command};
use sync_protocol::position::{Epoch, NodeId, Position, Tip, chain, start_of_hub_line};
use sync_protocol::transaction::{Header, RawItem, Transaction, next_hlc};

use super::Hub;
use super::apply::{Entry, Needs, Saved, Work};
use super::cache::DocumentCache;
use crate::env::Env;
use crate::error::HubError;
use crate::store::db::{self, PgConnection, PgPool, SqlTransaction};
use crate::store::reconciliation;
use crate::store::sync::log::{self, ApplyHead, Run, StoredBlock};
use crate::store::sync::node::{self, EpochRow};

const DAY_MS: i64 = 86_400_000;

/// What this process keeps between commits.
#[derive(Debug)]
pub(crate) struct Committer {
    /// The process's line of node 0, once it has written.
    pub(crate) line: Option<Tip>,
    pub(crate) cache: DocumentCache,
}

impl Committer {
    pub(crate) fn new(cache_documents: usize) -> Self {
        Committer {
            line: None,
            cache: DocumentCache::new(cache_documents),
        }
    }

    /// After a commit that failed or whose outcome is not known: a new epoch, and nothing in memory is believed
    /// (F-25, INV-12).
    pub(crate) fn forget(&mut self) {
        self.line = None;
        self.cache.clear();
    }
}

/// Entries of one log that follow each other.
#[derive(Debug)]
struct LogRun {
    run: Run,
    before: Hash,
    entries: Vec<(Vec<u8>, Hash)>,
}

/// An open SQL transaction with what it is going to write.
pub(crate) struct Batch {
    pub(crate) sql: SqlTransaction,
    pub(crate) head: ApplyHead,
    pub(crate) work: Work,
    pub(crate) line: Option<Tip>,
    runs: Vec<LogRun>,
    tips: BTreeMap<NodeId, Tip>,
    hub_tips: BTreeMap<Epoch, Tip>,
    lineage: Vec<EpochRow>,
}

impl Batch {
    /// Begins; waits for other processes' commits.
    pub(crate) async fn begin(pool: &PgPool, committer: &Committer) -> Result<Self, HubError> {
        let mut sql = db::begin(pool).await?;
        let head = log::lock_head(&mut sql).await?;
        Ok(Batch {
            sql,
            head,
            work: Work::default(),
            line: committer.line,
            runs: Vec::new(),
            tips: BTreeMap::new(),
            hub_tips: BTreeMap::new(),
            lineage: Vec::new(),
        })
    }

    /// The connection inside the SQL transaction.
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.sql
    }

    /// Applies transactions in their order.
    pub(crate) async fn apply(
        &mut self,
        entries: Vec<Entry>,
        cache: &mut DocumentCache,
    ) -> Result<(), HubError> {
        let needs = Needs::of(&entries);
        self.work.load(&mut self.sql, &needs, cache).await?;
        let mut work = std::mem::take(&mut self.work);
        self.work = tokio::task::spawn_blocking(move || {
            work.apply_all(&entries);
            work
        })
        .await?;
        Ok(())
    }

    /// Applies one transaction of the hub, which may show only while it is applied what else must be known.
    pub(crate) async fn apply_own(
        &mut self,
        entry: &Entry,
        cache: &mut DocumentCache,
    ) -> Result<(), HubError> {
        let mut needs = Needs::of([entry]);
        loop {
            self.work.load(&mut self.sql, &needs, cache).await?;
            let before = self.work.clone();
            self.work.apply(entry);
            if self.work.missing.is_empty() {
                return Ok(());
            }
            let missing = std::mem::take(&mut self.work.missing);
            self.work = before;
            needs = Needs {
                documents: missing,
                ..Needs::default()
            };
        }
    }

    /// The number of the next run in the apply order.
    pub(crate) fn next_ord(&mut self) -> i64 {
        let ord = self.head.next_ord;
        self.head.next_ord += 1;
        ord
    }

    /// Puts entries of one epoch that follow each other into the log.
    pub(crate) fn append(&mut self, before: Hash, entries: &[Entry]) {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return;
        };
        self.runs.push(LogRun {
            run: Run {
                ord: first.ord,
                branch: first.branch,
                node: first.position.node,
                epoch: first.position.epoch,
                first_seq: first.position.seq,
                last_seq: last.position.seq,
                refusal: first.refusal.clone(),
            },
            before,
            entries: entries
                .iter()
                .map(|entry| (entry.transaction.to_bytes(), entry.hash))
                .collect(),
        });
    }

    /// Moves a node's tip.
    pub(crate) fn set_tip(&mut self, node: NodeId, tip: Tip) {
        self.tips.insert(node, tip);
    }

    /// Moves the tip of a line of node 0.
    pub(crate) fn set_hub_tip(&mut self, tip: Tip) {
        self.hub_tips.insert(tip.epoch, tip);
    }

    /// Notes a node's new epoch.
    pub(crate) fn begin_epoch(&mut self, row: EpochRow) {
        self.lineage.push(row);
    }

    /// Where the hub's next transaction stands; draws an epoch if there is none.
    pub(crate) fn next_position(&mut self, env: &Env) -> Position {
        let tip = self.line.get_or_insert_with(|| {
            let epoch = Epoch::from_random(env.random());
            Tip {
                epoch,
                seq: 0,
                hash: start_of_hub_line(epoch),
            }
        });
        Position {
            node: NodeId::HUB,
            epoch: tip.epoch,
            seq: tip.seq + 1,
        }
    }

    /// The next value of the hub's hybrid clock.
    pub(crate) fn next_hlc(&mut self, env: &Env) -> u64 {
        self.head.hlc = next_hlc(self.head.hlc, env.now_ms());
        self.head.hlc
    }

    /// Writes a transaction of the hub into its line and gives it to be applied.
    pub(crate) fn own_entry(&mut self, env: &Env, own: OwnTransaction) -> Result<Entry, HubError> {
        let position = self.next_position(env);
        let hlc = own.hlc.unwrap_or_else(|| self.next_hlc(env));
        let header = Header {
            flags: 0,
            command: own.command,
            hlc,
            staff: own.staff,
            terminal: own.terminal,
            business_day: i32::try_from(sync_protocol::transaction::hlc_ms(hlc) / DAY_MS)
                .unwrap_or(i32::MAX),
            items: 0,
        };
        let transaction = Transaction::new(header, own.items)?;
        let before = self.line.map_or([0; 32], |tip| tip.hash);
        let hash = chain(&before, position.epoch, position.seq, &transaction.hash());
        let tip = Tip {
            epoch: position.epoch,
            seq: position.seq,
            hash,
        };
        self.line = Some(tip);
        self.set_hub_tip(tip);
        let ord = self.next_ord();
        let entry = Entry::new(
            LogEntry {
                position,
                transaction,
                hash,
            },
            BranchId::NIL,
            ord,
        );
        self.append(before, std::slice::from_ref(&entry));
        Ok(entry)
    }

    /// Tells the branches what was decided about their transactions, one transaction of the hub for each of theirs.
    pub(crate) async fn tell_verdicts(
        &mut self,
        env: &Env,
        cache: &mut DocumentCache,
    ) -> Result<(), HubError> {
        let mut by_position: BTreeMap<Position, Vec<Verdict>> = BTreeMap::new();
        for verdict in std::mem::take(&mut self.work.verdicts) {
            by_position
                .entry(verdict.position)
                .or_default()
                .push(verdict);
        }
        for verdicts in by_position.into_values() {
            let items = verdicts
                .into_iter()
                .map(|verdict| Item::Verdict(verdict).to_raw())
                .collect();
            let own = OwnTransaction {
                command: command::VERDICT,
                staff: StaffId::NIL,
                terminal: 0,
                hlc: None,
                items,
            };
            let entry = self.own_entry(env, own)?;
            self.apply_own(&entry, cache).await?;
        }
        Ok(())
    }

    /// Whether there is anything to write into a log.
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Writes everything and commits. The committer forgets what it knows when the outcome is a failure or unknown;
    /// should this future be dropped on the way, its line is given up as well (F-25).
    pub(crate) async fn commit(
        mut self,
        hub: &Hub,
        committer: &mut Committer,
    ) -> Result<Saved, HubError> {
        let line = self.line;
        committer.line = None;
        let result = async {
            let days = std::mem::take(&mut self.work.days_taken);
            let saved = self.save().await?;
            let now_ms = hub.env.now_ms();
            for (branch, position) in days {
                reconciliation::hold_against(&mut self.sql, branch, position, now_ms).await?;
            }
            hub.watch.notify(&mut self.sql).await?;
            self.sql.commit().await?;
            Ok::<Saved, HubError>(saved)
        }
        .await;
        match result {
            Ok(saved) => {
                committer.line = line;
                for document in &saved.documents {
                    committer.cache.put(document.clone());
                }
                hub.watch.committed(&saved);
                Ok(saved)
            }
            Err(error) => {
                committer.forget();
                Err(error)
            }
        }
    }

    async fn save(&mut self) -> Result<Saved, HubError> {
        let mut work = std::mem::take(&mut self.work);
        let runs = std::mem::take(&mut self.runs);
        let (work, projection, runs, blocks) = tokio::task::spawn_blocking(move || {
            let projection = work.project();
            let blocks: Vec<StoredBlock> = runs.iter().flat_map(blocks_of).collect();
            let runs: Vec<Run> = runs.into_iter().map(|run| run.run).collect();
            (work, projection, runs, blocks)
        })
        .await?;
        let saved = work.save(&mut self.sql, projection).await?;
        if !runs.is_empty() {
            log::insert_blocks(&mut self.sql, blocks).await?;
            log::insert_runs(&mut self.sql, &runs).await?;
        }
        self.save_tips().await?;
        log::save_head(&mut self.sql, self.head).await?;
        Ok(saved)
    }

    async fn save_tips(&mut self) -> Result<(), HubError> {
        node::insert_lineage(&mut self.sql, &self.lineage).await?;
        let tips: Vec<(NodeId, Tip)> = self.tips.iter().map(|(node, tip)| (*node, *tip)).collect();
        node::save_tips(&mut self.sql, &tips).await?;
        for tip in self.hub_tips.values() {
            node::save_hub_line(&mut self.sql, *tip).await?;
        }
        Ok(())
    }

    /// Writes and commits effects whose log is elsewhere: a replay.
    pub(crate) async fn commit_replay(mut self) -> Result<Saved, HubError> {
        let saved = self.save().await?;
        self.sql.commit().await?;
        Ok(saved)
    }
}

/// What the hub writes.
#[derive(Debug)]
pub(crate) struct OwnTransaction {
    pub command: u16,
    pub staff: StaffId,
    pub terminal: u16,
    /// Drawn already, or `None`.
    pub hlc: Option<u64>,
    pub items: Vec<RawItem>,
}

fn blocks_of(run: &LogRun) -> Vec<StoredBlock> {
    let Run {
        branch,
        node,
        epoch,
        first_seq,
        ..
    } = run.run;
    blocks_from((branch, node, epoch), first_seq, run.before, &run.entries)
}

/// Whole transactions of one epoch in blocks of at most 64 KiB; `before` is the chain hash before the first.
pub(crate) fn blocks_from(
    (branch, node, epoch): (BranchId, NodeId, Epoch),
    first_seq: u64,
    before: Hash,
    entries: &[(Vec<u8>, Hash)],
) -> Vec<StoredBlock> {
    let mut blocks = Vec::new();
    let mut before = before;
    let mut after = before;
    let mut first = first_seq;
    let mut writer = BlockWriter::new(node, epoch, first, &before);
    for (seq, (bytes, hash)) in (first_seq..).zip(entries) {
        if !writer.push(epoch, seq, bytes) {
            let full = std::mem::replace(&mut writer, BlockWriter::new(node, epoch, seq, &after));
            blocks.push(stored(branch, node, epoch, first, before, after, full));
            (first, before) = (seq, after);
            writer.push(epoch, seq, bytes);
        }
        after = *hash;
    }
    blocks.push(stored(branch, node, epoch, first, before, after, writer));
    blocks
}

fn stored(
    branch: BranchId,
    node: NodeId,
    epoch: Epoch,
    first_seq: u64,
    before: Hash,
    after: Hash,
    writer: BlockWriter,
) -> StoredBlock {
    let last_seq = first_seq + writer.count() as u64 - 1;
    let bytes = sync_protocol::compress::compress(&writer.finish());
    StoredBlock {
        branch,
        node,
        epoch,
        first_seq,
        last_seq,
        before,
        after,
        bytes,
    }
}
