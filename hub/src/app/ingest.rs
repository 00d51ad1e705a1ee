//! Taking in the branches' logs: a bounded queue and one group commit.
//!
//! A group closes when nothing more is queued or at 512 transactions, at most 64 of one branch while others wait. Its
//! entries, effects, cursors and feed entries stand in one SQL transaction; only then is anything acknowledged
//! (INV-2). On an error of the values the group runs one by one and the bad transaction is parked whole, so nobody
//! waits for somebody else's bad bytes (INV-22).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use sync_protocol::block::LogEntry;
use sync_protocol::item::kind;
use sync_protocol::line::next_epoch;
use sync_protocol::message::{Ack, Close, CloseReason};
use sync_protocol::position::{NodeId, Tip, chain};
use tokio::sync::{mpsc, oneshot, watch};

use super::Hub;
use super::apply::Entry;
use super::commit::Batch;
use crate::error::{HubError, refuses_values};
use crate::store::sync::node::{self, EpochRow, NodeRow};

/// Most transactions in a group.
const GROUP: usize = 512;
/// Most transactions of one branch in a group while others wait.
const SHARE: usize = 64;
/// First and longest wait before a group is tried again that the database could not take.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// The answer to a submission: stored and applied, or why the session must end.
pub type SubmitReply = Result<Ack, Close>;

/// Entries of one session that wait for the group commit.
#[derive(Debug)]
pub(crate) struct Submission {
    node: NodeId,
    session: u64,
    entries: VecDeque<LogEntry>,
    reply: oneshot::Sender<SubmitReply>,
}

impl Hub {
    /// Queues entries of a session, waiting for room. They follow each other and what was submitted before.
    pub async fn submit(
        &self,
        node: NodeId,
        session: u64,
        entries: Vec<LogEntry>,
    ) -> oneshot::Receiver<SubmitReply> {
        let (reply, answer) = oneshot::channel();
        let submission = Submission {
            node,
            session,
            entries: entries.into(),
            reply,
        };
        if let Err(mpsc::error::SendError(submission)) = self.queue.send(submission).await {
            answer_one(submission.reply, Err(stopping()));
        }
        answer
    }

    pub(crate) async fn run_ingest(
        self: Arc<Self>,
        mut queue: mpsc::Receiver<Submission>,
        mut stopped: watch::Receiver<bool>,
    ) {
        let mut waiting = Waiting::default();
        let mut retry_after = RETRY.0;
        loop {
            if waiting.is_empty() {
                let next = tokio::select! {
                    next = queue.recv() => next,
                    _ = stopped.wait_for(|stopped| *stopped) => None,
                };
                let Some(submission) = next else { break };
                waiting.push(submission);
            }
            while waiting.transactions() < 2 * GROUP
                && let Ok(submission) = queue.try_recv()
            {
                waiting.push(submission);
            }
            let parts = waiting.group();
            match self.take_group(parts).await {
                Ok(outcomes) => {
                    retry_after = RETRY.0;
                    waiting.settle(outcomes);
                }
                Err((outcomes, error)) => {
                    waiting.settle(outcomes);
                    tracing::warn!(%error, "the group commit is tried again");
                    tokio::select! {
                        () = tokio::time::sleep(retry_after) => {}
                        _ = stopped.wait_for(|stopped| *stopped) => break,
                    }
                    retry_after = (retry_after * 2).min(RETRY.1);
                }
            }
            if *stopped.borrow() {
                break;
            }
        }
        waiting.end();
    }

    /// Commits a group, or one by one where the database or a stored row stands against it.
    async fn take_group(&self, parts: Vec<Part>) -> Result<Vec<Outcome>, (Vec<Outcome>, HubError)> {
        match self.commit_group(&parts, None).await {
            Ok(outcomes) => return Ok(outcomes),
            Err(error) if error.is_transient() => return Err((Vec::new(), error)),
            Err(error) => tracing::warn!(%error, "a group is taken one by one"),
        }
        let mut outcomes = Vec::new();
        for part in parts {
            for entry in part.entries {
                let single = [Part {
                    node: part.node,
                    session: part.session,
                    entries: vec![entry],
                }];
                match self.commit_single(&single).await {
                    Ok(outcome) => {
                        let is_closed = outcome.iter().any(|outcome| outcome.result.is_err());
                        outcomes.extend(outcome);
                        if is_closed {
                            break;
                        }
                    }
                    Err(error) => return Err((outcomes, error)),
                }
            }
        }
        Ok(outcomes)
    }

    async fn commit_single(&self, single: &[Part]) -> Result<Vec<Outcome>, HubError> {
        match self.commit_group(single, None).await {
            Err(error) if !error.is_transient() => {
                let reason = match &error {
                    HubError::Database(source) if refuses_values(source) => source.to_string(),
                    other => other.to_string(),
                };
                self.commit_group(single, Some(reason)).await
            }
            other => other,
        }
    }

    /// One SQL transaction for all parts. With `refusal` the entries are kept and have no effect.
    async fn commit_group(
        &self,
        parts: &[Part],
        refusal: Option<String>,
    ) -> Result<Vec<Outcome>, HubError> {
        let mut committer = self.committer.lock().await;
        let mut batch = Batch::begin(&self.pool, &committer).await?;
        let nodes: Vec<NodeId> = parts.iter().map(|part| part.node).collect();
        let rows: BTreeMap<NodeId, NodeRow> = node::lock(batch.connection(), &nodes)
            .await?
            .into_iter()
            .map(|row| (row.node, row))
            .collect();
        let mut outcomes = Vec::with_capacity(parts.len());
        let mut entries = Vec::new();
        for part in parts {
            let result = match check_node(rows.get(&part.node), part) {
                Ok(row) => place(&mut batch, row, part, refusal.as_ref(), &mut entries).await?,
                Err(close) => Err(close),
            };
            outcomes.push(Outcome {
                node: part.node,
                session: part.session,
                result,
            });
        }
        for row in rows.into_values() {
            batch.work.node_branches.insert(row.node, row.branch);
        }
        if batch.is_empty() {
            return Ok(outcomes);
        }
        batch.apply(entries, &mut committer.cache).await?;
        batch.tell_verdicts(&self.env, &mut committer.cache).await?;
        batch.commit(self, &mut committer).await?;
        Ok(outcomes)
    }
}

/// Entries of one session in a group.
#[derive(Debug)]
struct Part {
    node: NodeId,
    session: u64,
    entries: Vec<LogEntry>,
}

#[derive(Debug)]
struct Outcome {
    node: NodeId,
    session: u64,
    result: SubmitReply,
}

/// Whether the session may still write (INV-13, INV-10).
fn check_node<'a>(row: Option<&'a NodeRow>, part: &Part) -> Result<&'a NodeRow, Close> {
    let close = |reason, detail: &str| {
        Err(Close {
            reason,
            detail: detail.to_owned(),
        })
    };
    match row {
        None => close(CloseReason::Held, "the hub does not know this machine"),
        Some(row) if row.revoked.is_some() => {
            close(CloseReason::Revoked, "this machine was revoked")
        }
        Some(row) if row.session != part.session => close(
            CloseReason::Replaced,
            "a newer session of this machine took over",
        ),
        Some(row) => Ok(row),
    }
}

/// Puts what is new of a part behind the node's tip: exactly once, whatever comes twice or overlaps (INV-3, INV-9).
async fn place(
    batch: &mut Batch,
    row: &NodeRow,
    part: &Part,
    refusal: Option<&String>,
    all: &mut Vec<Entry>,
) -> Result<SubmitReply, HubError> {
    let refuse = |reason, detail: &str| {
        Ok(Err(Close {
            reason,
            detail: detail.to_owned(),
        }))
    };
    let mut tip = row.tip;
    let mut runs: Vec<(Tip, Vec<Entry>)> = Vec::new();
    let mut epochs: Vec<EpochRow> = Vec::new();
    for entry in &part.entries {
        let position = entry.position;
        if position.seq <= row.tip.seq {
            if position.seq == row.tip.seq && entry.hash != row.tip.hash {
                return refuse(CloseReason::Held, "one position has two contents");
            }
            continue;
        }
        let expected = chain(
            &tip.hash,
            position.epoch,
            position.seq,
            &entry.transaction.hash(),
        );
        if position.node != row.node || position.seq != tip.seq + 1 || entry.hash != expected {
            return refuse(
                CloseReason::Protocol,
                "the entries do not continue the machine's log",
            );
        }
        if position.epoch != tip.epoch {
            if batch.knows_epoch(row, position.epoch).await? {
                return refuse(
                    CloseReason::Held,
                    "the machine went back to an epoch that it had left",
                );
            }
            epochs.push(EpochRow {
                branch: row.branch,
                node: row.node,
                row: next_epoch(position.epoch, tip),
            });
        }
        if position.epoch != tip.epoch || runs.is_empty() {
            runs.push((tip, Vec::new()));
        }
        let mut decoded = Entry::new(entry.clone(), row.branch, 0);
        decoded.refusal = refusal.cloned();
        if let Some((_, run)) = runs.last_mut() {
            run.push(decoded);
        }
        tip = Tip {
            epoch: position.epoch,
            seq: position.seq,
            hash: entry.hash,
        };
    }
    for epoch in epochs {
        batch.begin_epoch(epoch);
    }
    for (before, mut run) in runs {
        let ord = batch.next_ord();
        run.iter_mut().for_each(|entry| entry.ord = ord);
        batch.append(before.hash, &run);
        all.append(&mut run);
    }
    if tip != row.tip {
        batch.set_tip(row.node, tip);
    }
    Ok(Ok(Ack {
        stored: tip,
        applied: tip.seq,
    }))
}

impl Batch {
    async fn knows_epoch(
        &mut self,
        row: &NodeRow,
        epoch: sync_protocol::position::Epoch,
    ) -> Result<bool, HubError> {
        let lineage = node::lineage(self.connection(), &[row.node]).await?;
        Ok(lineage.iter().any(|(_, known)| known.epoch == epoch))
    }
}

/// What is queued, by node in the order of arrival.
#[derive(Debug, Default)]
struct Waiting {
    nodes: BTreeMap<NodeId, VecDeque<Submission>>,
    turns: VecDeque<NodeId>,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    fn transactions(&self) -> usize {
        self.nodes
            .values()
            .flatten()
            .map(|submission| submission.entries.len())
            .sum()
    }

    fn push(&mut self, submission: Submission) {
        let queue = self.nodes.entry(submission.node).or_default();
        if queue.is_empty() {
            self.turns.push_back(submission.node);
        }
        queue.push_back(submission);
    }

    /// The next group. Nothing leaves the queue before it is settled.
    fn group(&mut self) -> Vec<Part> {
        let share = if self.turns.len() > 1 { SHARE } else { GROUP };
        let mut room = GROUP;
        let mut parts = Vec::new();
        for node in &self.turns {
            let Some(queue) = self.nodes.get(node) else {
                continue;
            };
            let Some(session) = queue.front().map(|submission| submission.session) else {
                continue;
            };
            let entries: Vec<LogEntry> = queue
                .iter()
                .take_while(|submission| submission.session == session)
                .flat_map(|submission| &submission.entries)
                .take(share.min(room))
                .scan(false, up_to_end_of_day)
                .cloned()
                .collect();
            room -= entries.len();
            parts.push(Part {
                node: *node,
                session,
                entries,
            });
            if room == 0 {
                break;
            }
        }
        self.turns.rotate_left(parts.len().min(self.turns.len()));
        parts
    }

    fn settle(&mut self, outcomes: Vec<Outcome>) {
        for outcome in outcomes {
            let Some(queue) = self.nodes.get_mut(&outcome.node) else {
                continue;
            };
            match &outcome.result {
                Ok(ack) => acknowledge(queue, outcome.session, ack),
                Err(_) => {
                    while queue
                        .front()
                        .is_some_and(|submission| submission.session == outcome.session)
                    {
                        let Some(submission) = queue.pop_front() else {
                            break;
                        };
                        answer_one(submission.reply, outcome.result.clone());
                    }
                }
            }
            if queue.is_empty() {
                self.nodes.remove(&outcome.node);
                self.turns.retain(|node| *node != outcome.node);
            }
        }
    }

    fn end(self) {
        for submission in self.nodes.into_values().flatten() {
            answer_one(submission.reply, Err(stopping()));
        }
    }
}

/// A branch's word at the end of its day ends its part of a group: it is held against what the hub has just then.
fn up_to_end_of_day<'a>(ended: &mut bool, entry: &'a LogEntry) -> Option<&'a LogEntry> {
    if *ended {
        return None;
    }
    let mut items = entry.transaction.items.iter();
    *ended = items.any(|item| item.kind() == kind::DAY_CLOSED);
    Some(entry)
}

/// Takes out what is stored and answers submissions of which nothing is left.
fn acknowledge(queue: &mut VecDeque<Submission>, session: u64, ack: &Ack) {
    while let Some(submission) = queue.front_mut()
        && submission.session == session
    {
        while submission
            .entries
            .front()
            .is_some_and(|entry| entry.position.seq <= ack.stored.seq)
        {
            submission.entries.pop_front();
        }
        if !submission.entries.is_empty() {
            return;
        }
        if let Some(submission) = queue.pop_front() {
            answer_one(submission.reply, Ok(*ack));
        }
    }
}

// A session that is gone does not need its answer.
fn answer_one(reply: oneshot::Sender<SubmitReply>, answer: SubmitReply) {
    drop(reply.send(answer));
}

fn stopping() -> Close {
    Close {
        reason: CloseReason::Busy,
        detail: "the hub is stopping".to_owned(),
    }
}
