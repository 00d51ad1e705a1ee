//! The one thread that writes: it drains the queue into one commit, and answers only when that is on disk.
//!
//! Each job runs in a savepoint of its own, so that one that says no leaves nothing behind and hinders no other.
//! A commit that failed or whose outcome is unknown ends the epoch (INV-12, F-25): every job of it is answered with
//! an error, what was in memory is read again, and the next transaction begins a new epoch.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rusqlite::Connection;
use sync_protocol::position::{Epoch, Tip};
use tokio::sync::oneshot;

use super::document::Documents;
use super::open::CommitFault;
use super::tx::{Batch, WriteTx};
use super::{Notice, Shared, Touched, idempotency, incident, log, secrets, session};
use crate::error::{AppError, StoreError};

/// Most jobs in one commit.
const BATCH: usize = 128;
/// With so many bytes written since the last checkpoint one is due as soon as nothing waits.
const CHECKPOINT_BYTES: usize = 4 * 1024 * 1024;
/// With so many, one is due now: the write-ahead log must not grow without end.
const CHECKPOINT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How long the thread waits for a job before it does its housekeeping.
const IDLE: Duration = Duration::from_millis(200);
const HIGH_WATER_EVERY_MS: i64 = 1_000;
const PURGE_EVERY_MS: i64 = 3_600_000;

/// A unit of work that waits for the writer.
pub(super) trait Job: Send {
    /// Does the work; whether it said yes.
    fn run(&mut self, tx: &mut WriteTx<'_>) -> bool;
    /// Replaces what the work said.
    fn fail(&mut self, error: AppError);
    /// Tells who waits.
    fn answer(self: Box<Self>);
}

struct Work<T, F> {
    work: Option<F>,
    result: Result<T, AppError>,
    answer: oneshot::Sender<Result<T, AppError>>,
}

impl<T, F> Job for Work<T, F>
where
    T: Send,
    F: FnOnce(&mut WriteTx<'_>) -> Result<T, AppError> + Send,
{
    fn run(&mut self, tx: &mut WriteTx<'_>) -> bool {
        if let Some(work) = self.work.take() {
            self.result = work(tx);
        }
        self.result.is_ok()
    }

    fn fail(&mut self, error: AppError) {
        self.result = Err(error);
    }

    fn answer(self: Box<Self>) {
        // Who asked may be gone (a closed connection); the work stands all the same.
        drop(self.answer.send(self.result));
    }
}

pub(super) type Answer<T> = oneshot::Receiver<Result<T, AppError>>;

pub(super) fn job<T, F>(work: F) -> (Box<dyn Job>, Answer<T>)
where
    T: Send + 'static,
    F: FnOnce(&mut WriteTx<'_>) -> Result<T, AppError> + Send + 'static,
{
    let (answer, receiver) = oneshot::channel();
    let job = Work {
        work: Some(work),
        result: Err(StoreError::Closed.into()),
        answer,
    };
    (Box::new(job), receiver)
}

pub(super) struct Writer {
    conn: Connection,
    shared: Arc<Shared>,
    jobs: Receiver<Box<dyn Job>>,
    batch: Batch,
    since_checkpoint: usize,
    high_water: u64,
    high_water_at_ms: i64,
    purged_at_ms: i64,
}

impl Writer {
    pub(super) fn new(
        conn: Connection,
        shared: Arc<Shared>,
        jobs: Receiver<Box<dyn Job>>,
    ) -> Result<Self, StoreError> {
        let batch = fresh_batch(&conn, &shared)?;
        Ok(Self {
            conn,
            shared,
            jobs,
            batch,
            since_checkpoint: 0,
            high_water: 0,
            high_water_at_ms: 0,
            purged_at_ms: 0,
        })
    }

    pub(super) fn run(mut self) {
        loop {
            match self.jobs.recv_timeout(IDLE) {
                Ok(first) => self.commit_group(first),
                Err(RecvTimeoutError::Timeout) => self.idle(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.mark_high_water(true);
        self.checkpoint();
    }

    fn commit_group(&mut self, first: Box<dyn Job>) {
        let mut done: Vec<Box<dyn Job>> = Vec::new();
        let before = self.batch.tip;
        let outcome = self
            .run_group(first, &mut done)
            .and_then(|()| self.commit());
        match outcome {
            Ok(()) => self.publish(before),
            Err(error) => {
                tracing::error!(%error, "a commit failed; a new epoch begins");
                for job in &mut done {
                    job.fail(
                        StoreError::CommitFailed {
                            reason: error.to_string(),
                        }
                        .into(),
                    );
                }
                self.start_over(&error);
            }
        }
        for job in done {
            job.answer();
        }
        if self.since_checkpoint > CHECKPOINT_BYTES_MAX {
            self.checkpoint();
        }
    }

    fn run_group(
        &mut self,
        first: Box<dyn Job>,
        done: &mut Vec<Box<dyn Job>>,
    ) -> Result<(), StoreError> {
        let mut next = Some(first);
        if let Err(error) = self.conn.execute_batch("begin immediate") {
            done.extend(next);
            return Err(error.into());
        }
        while let Some(mut job) = next.take() {
            let stands = self.run_job(job.as_mut());
            done.push(job);
            stands?;
            if done.len() < BATCH {
                next = self.jobs.try_recv().ok();
            }
        }
        Ok(())
    }

    /// Runs one job in its savepoint. An error means that the whole SQL transaction is gone.
    fn run_job(&mut self, job: &mut dyn Job) -> Result<(), StoreError> {
        self.conn.execute_batch("savepoint job")?;
        let saved = self.batch.save();
        let mut tx = WriteTx::new(&self.conn, &self.shared, &mut self.batch);
        let ran = catch_unwind(AssertUnwindSafe(|| job.run(&mut tx).then(|| tx.finish())));
        let stands = match ran {
            Ok(Some(Ok(()))) => true,
            Ok(None) => false,
            Ok(Some(Err(error))) => {
                job.fail(error);
                false
            }
            Err(_) => {
                tracing::error!("a write failed inside with a panic");
                job.fail(StoreError::Panicked.into());
                false
            }
        };
        if stands {
            self.batch.keep();
            self.conn.execute_batch("release job")?;
        } else {
            self.batch.restore(saved);
            if self.conn.is_autocommit() {
                // SQLite itself gave the SQL transaction up (a full disk does that): earlier jobs went with it.
                return Err(StoreError::CommitFailed {
                    reason: "the SQL transaction was given up".to_owned(),
                });
            }
            self.conn.execute_batch("rollback to job; release job")?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let fault = self
            .shared
            .faults
            .at_commit
            .as_ref()
            .map_or(CommitFault::None, |ask| ask());
        if fault == CommitFault::Fail {
            return Err(StoreError::CommitFailed {
                reason: "a fault on demand".to_owned(),
            });
        }
        self.conn.execute_batch("commit")?;
        if fault == CommitFault::LoseAnswer {
            return Err(StoreError::CommitFailed {
                reason: "a lost answer on demand".to_owned(),
            });
        }
        Ok(())
    }

    fn publish(&mut self, before: Tip) {
        self.since_checkpoint += self.batch.take_written();
        self.batch.documents.commit();
        let touched: Vec<Touched> = std::mem::take(&mut self.batch.touched)
            .into_iter()
            .collect();
        self.refresh_persons(&touched);
        let tip = self.batch.tip;
        if !touched.is_empty() || tip != before {
            // Nobody may be listening.
            drop(self.shared.notices.send(Arc::new(Notice { tip, touched })));
        }
        self.shared
            .vouch
            .fetch_max(self.batch.vouch, Ordering::AcqRel);
        if std::mem::take(&mut self.batch.days_closed) > 0 {
            self.shared.look_at_feeds();
        }
        if tip != before {
            self.shared.tip.send_replace(tip);
        }
        self.mark_high_water(false);
    }

    fn refresh_persons(&self, touched: &[Touched]) {
        let changed: Vec<_> = touched
            .iter()
            .filter_map(|touched| {
                if let Touched::Customer(id) = touched {
                    Some(*id)
                } else {
                    None
                }
            })
            .collect();
        if changed.is_empty() {
            return;
        }
        let mut persons = self
            .shared
            .persons
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for id in changed {
            if let Err(error) = persons.refresh(&self.conn, &self.shared.storage_key, id) {
                tracing::error!(%error, "a person cannot be put into the search index");
            }
        }
    }

    /// After a failed commit nothing in memory is believed: tip, clock floor and documents are read again.
    fn start_over(&mut self, error: &StoreError) {
        if !self.conn.is_autocommit()
            && let Err(error) = self.conn.execute_batch("rollback")
        {
            tracing::error!(%error, "the SQL transaction cannot be rolled back");
        }
        if let Err(error) = incident::add(
            &self.conn,
            self.shared.env.now_ms(),
            "commit_failed",
            &error.to_string(),
        ) {
            tracing::error!(%error, "the incident cannot be written");
        }
        match fresh_batch(&self.conn, &self.shared) {
            Ok(batch) => self.batch = batch,
            Err(error) => {
                tracing::error!(%error, "the log's tip cannot be read");
                self.batch.documents = Documents::default();
                self.batch.epoch = draw_epoch(&self.shared);
            }
        }
        match super::PersonIndex::load(&self.conn, &self.shared.storage_key) {
            Ok(persons) => {
                *self
                    .shared
                    .persons
                    .write()
                    .unwrap_or_else(PoisonError::into_inner) = persons
            }
            Err(error) => tracing::error!(%error, "the persons cannot be read"),
        }
        self.shared.tip.send_replace(self.batch.tip);
    }

    fn idle(&mut self) {
        self.mark_high_water(false);
        if self.since_checkpoint >= CHECKPOINT_BYTES {
            self.checkpoint();
        }
        let now_ms = self.shared.env.now_ms();
        if now_ms.saturating_sub(self.purged_at_ms).unsigned_abs() >= PURGE_EVERY_MS.unsigned_abs()
        {
            self.purged_at_ms = now_ms;
            let purged = idempotency::purge(&self.conn, now_ms)
                .and_then(|()| session::purge(&self.conn, now_ms));
            if let Err(error) = purged {
                tracing::warn!(%error, "old answers and sessions cannot be removed");
            }
        }
    }

    fn mark_high_water(&mut self, closing: bool) {
        let seq = self.batch.tip.seq;
        let now_ms = self.shared.env.now_ms();
        let due = now_ms.saturating_sub(self.high_water_at_ms).unsigned_abs()
            >= HIGH_WATER_EVERY_MS.unsigned_abs();
        if seq <= self.high_water || !(due || closing) {
            return;
        }
        self.high_water_at_ms = now_ms;
        self.high_water = seq;
        if let Err(error) = secrets::write_high_water(&self.shared.dir, seq) {
            tracing::warn!(%error, "the high-water mark cannot be written");
        }
    }

    fn checkpoint(&mut self) {
        self.since_checkpoint = 0;
        let done = self
            .conn
            .query_row("pragma wal_checkpoint(passive)", [], |_| Ok(()));
        if let Err(error) = done {
            tracing::warn!(%error, "the write-ahead log cannot be checkpointed");
        }
    }
}

pub(super) fn draw_epoch(shared: &Shared) -> Epoch {
    let epoch = Epoch::from_random(shared.env.bytes());
    shared.epoch.store(epoch.0, Ordering::Release);
    epoch
}

fn fresh_batch(conn: &Connection, shared: &Shared) -> Result<Batch, StoreError> {
    let tip = log::tip(conn, &shared.identity)?;
    let hlc = log::hlc_floor(conn)?;
    Ok(Batch::new(draw_epoch(shared), tip, hlc))
}
