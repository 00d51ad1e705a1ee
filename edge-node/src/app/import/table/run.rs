//! Taking a table over as it arrives, in whole batches. What a dropped importer has not written yet is lost, and what
//! it has written stays: the same file again finds it.

use std::sync::{Arc, Mutex, PoisonError};

use domain::permission::Permission;
use jiff::tz::TimeZone;
use sync_protocol::item::command;

use super::customers::Known;
use super::row::{Row, Seen};
use super::{Cells, Columns, Fault, Kind, Reading};
use crate::app::import::{BATCH_BYTES, BATCH_RECORDS, ERRORS_MAX, ImportReport, unreadable};
use crate::app::require;
use crate::error::AppError;
use crate::ords::{FileReader, HeaderError, Limits, ReadRow, RowOutcome};
use crate::store::{Actor, Store};

/// Takes a table over.
pub struct TableImporter {
    store: Store,
    actor: Actor,
    kind: Kind,
    zone: TimeZone,
    file: FileReader<Columns>,
    known: Arc<Mutex<Known>>,
    seen: Seen,
    pending: Vec<ReadRow<Row>>,
    pending_bytes: usize,
    report: ImportReport,
    faults: Vec<(u64, Fault)>,
}

impl std::fmt::Debug for TableImporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableImporter")
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

impl TableImporter {
    /// An importer before the first byte. It knows everybody who is known here.
    pub async fn new(store: &Store, actor: Actor, reading: Reading) -> Result<Self, AppError> {
        require(&actor, Permission::Import)?;
        let kind = reading.kind;
        let ready = store.read(move |reader| {
            let known = match kind {
                Kind::Stock => Known::default(),
                Kind::Customers | Kind::Orders => Known::load(reader)?,
            };
            Ok((known, reader.settings()?))
        });
        let (known, settings) = ready.await?;
        Ok(Self {
            store: store.clone(),
            actor,
            kind,
            zone: TimeZone::get(&settings.time_zone).unwrap_or(TimeZone::UTC),
            file: FileReader::new(Limits::default(), reading),
            known: Arc::new(Mutex::new(known)),
            seen: Seen::default(),
            pending: Vec::new(),
            pending_bytes: 0,
            report: ImportReport::default(),
            faults: Vec::new(),
        })
    }

    /// Takes the next bytes of the file.
    pub async fn push(&mut self, chunk: &[u8]) -> Result<(), AppError> {
        for piece in chunk.chunks(64 * 1024) {
            let outcomes = self
                .file
                .push(piece)
                .map_err(|error| self.unreadable(&error))?;
            self.take(outcomes).await?;
        }
        Ok(())
    }

    /// What became of the rows so far that were written or refused.
    pub fn report(&self) -> &ImportReport {
        &self.report
    }

    /// Takes the end of the file, and says what became of it; faults by row, as many as are listed.
    pub async fn finish(mut self) -> Result<(ImportReport, Vec<(u64, Fault)>), AppError> {
        let nothing = Reading {
            kind: self.kind,
            places: super::Places::Guessed,
        };
        let file = std::mem::replace(&mut self.file, FileReader::new(Limits::default(), nothing));
        let last = file.finish().map_err(|error| self.unreadable(&error))?;
        self.take(last).await?;
        self.flush().await?;
        // What a row says is known before what becomes of it; people read by row.
        self.report.errors.sort_by_key(|error| error.row);
        self.faults.sort_by_key(|(row, _)| *row);
        Ok((self.report, self.faults))
    }

    fn unreadable(&self, error: &HeaderError) -> AppError {
        unreadable(self.kind.name(), error)
    }

    async fn take(&mut self, outcomes: Vec<RowOutcome<Cells>>) -> Result<(), AppError> {
        for outcome in outcomes {
            let (number, read) = match outcome {
                Ok(ReadRow { row, record }) => {
                    self.pending_bytes += record.size_bytes() + 2_048;
                    (row, Row::of(self.kind, &record, &self.zone))
                }
                Err(error) => (error.row, Err(Fault::Row(error.fault))),
            };
            let read = read.and_then(|row| self.seen.check(&row, number).map(|()| row));
            match read {
                Ok(record) => self.pending.push(ReadRow {
                    row: number,
                    record,
                }),
                Err(fault) => self.refuse(number, fault),
            }
            if self.pending.len() >= BATCH_RECORDS || self.pending_bytes >= BATCH_BYTES {
                self.flush().await?;
            }
        }
        Ok(())
    }

    fn refuse(&mut self, row: u64, fault: Fault) {
        self.report.reject(row, fault.to_string());
        if self.faults.len() < ERRORS_MAX {
            self.faults.push((row, fault));
        }
    }

    async fn flush(&mut self) -> Result<(), AppError> {
        self.pending_bytes = 0;
        let rows: Arc<[ReadRow<Row>]> = std::mem::take(&mut self.pending).into();
        if rows.is_empty() {
            return Ok(());
        }
        let actor = self.actor;
        let outcomes = loop {
            let (rows, known) = (rows.clone(), self.known.clone());
            let written = self.store.write(move |tx| {
                let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
                tx.begin(command::IMPORT, &actor)?;
                let take = |row: &ReadRow<Row>| row.record.take(tx, actor.staff, &mut known);
                rows.iter().map(take).collect::<Result<Vec<_>, _>>()
            });
            match written.await {
                // The counter goes first: an import waits while the writer has other work.
                Err(AppError::Busy) => tokio::task::yield_now().await,
                other => break other?,
            }
        };
        for (row, outcome) in rows.iter().zip(outcomes) {
            match outcome {
                Ok(done) => self.report.count(done),
                Err(fault) => self.refuse(row.row, fault),
            }
        }
        Ok(())
    }
}
