//! Importing repair records of the Open Repair Data Standard; tables of other programs stand in [`table`].
//!
//! A record's identity is (`data_provider`, `id`); the order that it becomes names it as `source`, and a fact in the
//! same transaction remembers what the record said. So nothing is created twice, whatever the order or subset of a
//! file, and a record that says something else changes only what the import wrote. A batch is one transaction: an
//! upload that breaks off leaves whole batches and can be repeated.

pub mod desk;
mod record;
pub mod table;
pub mod upload;

use std::sync::Arc;

use domain::permission::Permission;
use serde::{Deserialize, Serialize};
use sync_protocol::item::command;
use utoipa::ToSchema;

use super::require;
use crate::error::AppError;
use crate::ords::{Defaults, HeaderError, Limits, OrdsReader, ReadRow, RowError, RowOutcome};
use crate::store::{Actor, Store, WriteTx};
use record::{Fate, Importing};

/// Most records of one transaction.
pub const BATCH_RECORDS: usize = 64;
/// With so much text a batch is written at once; far below what a transaction holds.
pub(crate) const BATCH_BYTES: usize = 192 * 1024;
/// What a file of the standard holds.
const ORDS: &str = "repair records";
/// Most rejected rows that are listed.
pub(crate) const ERRORS_MAX: usize = 1_000;

/// What is said beside the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportOptions {
    /// Only records of this `group_identifier`; others count nowhere.
    #[serde(default)]
    pub group: Option<String>,
    /// Stands in for an absent or empty `data_provider`.
    #[serde(default)]
    pub data_provider: Option<String>,
}

/// What became of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportReport {
    /// Records read: the sum of the other four.
    pub read: u64,
    /// New orders.
    pub created: u64,
    /// Orders whose record says something else now.
    pub changed: u64,
    /// There already and equal.
    pub skipped: u64,
    /// Rows that were refused.
    pub rejected: u64,
    /// The first 1,000 of the refused rows.
    pub errors: Vec<ImportError>,
}

/// A row that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportError {
    /// The row as a spreadsheet counts: the header is row 1.
    pub row: u64,
    /// What is wrong and what would be right.
    pub detail: String,
}

impl ImportReport {
    pub(crate) fn count(&mut self, done: table::Done) {
        self.read += 1;
        match done {
            table::Done::Created => self.created += 1,
            table::Done::Changed => self.changed += 1,
            table::Done::Skipped => self.skipped += 1,
        }
    }

    pub(crate) fn reject(&mut self, row: u64, detail: String) {
        self.read += 1;
        self.rejected += 1;
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(ImportError { row, detail });
        }
    }

    fn add(&mut self, batch: BatchReport) {
        self.created += batch.created;
        self.changed += batch.changed;
        self.skipped += batch.skipped;
        self.read += batch.created + batch.changed + batch.skipped;
        for ImportError { row, detail } in batch.rejected {
            self.reject(row, detail);
        }
    }
}

/// What became of one batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchReport {
    /// New orders.
    pub created: u64,
    /// Orders that were changed.
    pub changed: u64,
    /// There already and equal.
    pub skipped: u64,
    /// Rows that were refused.
    pub rejected: Vec<ImportError>,
}

/// Imports records in one transaction.
pub fn apply_batch(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    rows: &[ReadRow],
) -> Result<BatchReport, AppError> {
    require(actor, Permission::Import)?;
    let mut report = BatchReport::default();
    tx.begin(command::IMPORT, actor)?;
    let mut importing = Importing::new(tx, actor.staff)?;
    for ReadRow { row, record } in rows {
        match importing.take(record)? {
            Fate::Created => report.created += 1,
            Fate::Changed => report.changed += 1,
            Fate::Skipped => report.skipped += 1,
            Fate::Rejected(detail) => report.rejected.push(ImportError { row: *row, detail }),
        }
    }
    Ok(report)
}

/// Takes a file as it arrives and writes whole batches. What a dropped importer has not written yet is lost, and what
/// it has written stays.
pub struct Importer {
    store: Store,
    actor: Actor,
    group: Option<String>,
    reader: OrdsReader,
    pending: Vec<ReadRow>,
    pending_bytes: usize,
    report: ImportReport,
}

impl std::fmt::Debug for Importer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Importer")
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

impl Importer {
    /// An importer before the first byte.
    pub fn new(store: &Store, actor: Actor, options: ImportOptions) -> Result<Self, AppError> {
        require(&actor, Permission::Import)?;
        let named = |text: Option<String>| {
            text.map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        let defaults = Defaults {
            data_provider: named(options.data_provider),
            group: None,
        };
        Ok(Self {
            store: store.clone(),
            actor,
            group: named(options.group),
            reader: OrdsReader::new(Limits::default(), defaults),
            pending: Vec::new(),
            pending_bytes: 0,
            report: ImportReport::default(),
        })
    }

    /// Takes the next bytes of the file.
    pub async fn push(&mut self, chunk: &[u8]) -> Result<(), AppError> {
        // A large chunk would make many rows at once; in pieces it needs no more memory than a small one.
        for piece in chunk.chunks(64 * 1024) {
            let outcomes = self
                .reader
                .push(piece)
                .map_err(|error| unreadable(ORDS, &error))?;
            self.take(outcomes).await?;
        }
        Ok(())
    }

    /// What became of the rows so far that were written or refused.
    pub fn report(&self) -> &ImportReport {
        &self.report
    }

    /// Takes the end of the file, and says what became of it.
    pub async fn finish(mut self) -> Result<ImportReport, AppError> {
        let empty = OrdsReader::new(Limits::default(), Defaults::default());
        let last = std::mem::replace(&mut self.reader, empty)
            .finish()
            .map_err(|error| unreadable(ORDS, &error))?;
        self.take(last).await?;
        self.flush().await?;
        Ok(self.report)
    }

    async fn take(&mut self, outcomes: Vec<RowOutcome>) -> Result<(), AppError> {
        for outcome in outcomes {
            match outcome {
                Err(RowError { row, detail, .. }) => self.report.reject(row, detail),
                Ok(row)
                    if self
                        .group
                        .as_ref()
                        .is_some_and(|group| *group != row.record.group) => {}
                Ok(row) => {
                    self.pending_bytes += row.record.problem.len() + 2_048;
                    self.pending.push(row);
                    if self.pending.len() >= BATCH_RECORDS || self.pending_bytes >= BATCH_BYTES {
                        self.flush().await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), AppError> {
        self.pending_bytes = 0;
        let rows: Arc<[ReadRow]> = std::mem::take(&mut self.pending).into();
        if rows.is_empty() {
            return Ok(());
        }
        let actor = self.actor;
        let batch = loop {
            let rows = rows.clone();
            match self
                .store
                .write(move |tx| apply_batch(tx, &actor, &rows))
                .await
            {
                // The counter goes first: an import waits while the writer has other work.
                Err(AppError::Busy) => tokio::task::yield_now().await,
                other => break other?,
            }
        };
        self.report.add(batch);
        Ok(())
    }
}

pub(crate) fn unreadable(as_what: &str, error: &HeaderError) -> AppError {
    AppError::field("", format!("the file does not read as {as_what}: {error}"))
}
