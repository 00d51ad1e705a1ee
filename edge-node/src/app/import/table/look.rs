//! Looking at a table before anything is written: how its rows read, and what would become of them.

use jiff::tz::TimeZone;

use super::customers::Known;
use super::row::{Row, Seen};
use super::{Cells, Columns, Done, Fault, Field, Kind, Reading};
use crate::app::import::unreadable;
use crate::error::AppError;
use crate::ords::{FileReader, HeaderError, Limits, RowOutcome};
use crate::store::Reader;

/// So many rows are shown.
const SHOWN: usize = 8;
/// So many faults are listed.
const FAULTS_MAX: usize = 200;
/// So many rows are looked at; the others are judged when they are taken over.
const ROWS_MAX: u64 = 10_000;

/// What a look at a table found.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// The columns' names as the file writes them.
    pub names: Vec<String>,
    /// The first rows.
    pub rows: Vec<LookRow>,
    /// A field that every row needs and no column means; nothing is judged then.
    pub missing: Option<Field>,
    /// Rows looked at: the sum of the next four.
    pub read: u64,
    /// Would be new.
    pub created: u64,
    /// Say something else than before.
    pub changed: u64,
    /// There already.
    pub skipped: u64,
    /// Would be refused.
    pub rejected: u64,
    /// The first of those, by row.
    pub faults: Vec<(u64, Fault)>,
    /// Whether there are more rows than were looked at.
    pub is_part: bool,
}

/// A row as it reads.
#[derive(Debug, Clone)]
pub struct LookRow {
    /// The row as a spreadsheet counts.
    pub row: u64,
    /// What it says.
    pub cells: Cells,
    /// What is wrong with it.
    pub fault: Option<Fault>,
    /// Whether it is there already.
    pub is_known: bool,
}

struct Looking<'a, 'r> {
    reader: &'a Reader<'r>,
    kind: Kind,
    zone: TimeZone,
    known: Known,
    seen: Seen,
    look: Look,
}

/// Looks at the pieces of a file; `known` is who was known when it was uploaded.
pub fn look(
    reader: &Reader<'_>,
    reading: &Reading,
    known: &Known,
    pieces: impl IntoIterator<Item = Result<Vec<u8>, AppError>>,
) -> Result<Look, AppError> {
    let mut file = FileReader::<Columns>::new(Limits::default(), reading.clone());
    let settings = reader.settings()?;
    let mut looking = Looking {
        reader,
        kind: reading.kind,
        zone: TimeZone::get(&settings.time_zone).unwrap_or(TimeZone::UTC),
        known: known.clone(),
        seen: Seen::default(),
        look: Look::default(),
    };
    let unreadable = |error: HeaderError| unreadable(reading.kind.name(), &error);
    for piece in pieces {
        let outcomes = file.push(&piece?).map_err(unreadable)?;
        looking.heading(file.form());
        if !looking.take(outcomes)? {
            looking.look.is_part = true;
            return Ok(looking.look);
        }
    }
    let (outcomes, form) = file.finish_with_form().map_err(unreadable)?;
    looking.heading(Some(&form));
    looking.take(outcomes)?;
    Ok(looking.look)
}

impl Looking<'_, '_> {
    fn heading(&mut self, form: Option<&Columns>) {
        if let Some(form) = form
            && self.look.names.is_empty()
        {
            self.look.names = form.names().to_vec();
            self.look.missing = form.missing(self.kind);
        }
    }

    /// Whether more rows are wanted.
    fn take(&mut self, outcomes: Vec<RowOutcome<Cells>>) -> Result<bool, AppError> {
        for outcome in outcomes {
            if self.look.read >= ROWS_MAX {
                return Ok(false);
            }
            let (number, cells, judged) = match outcome {
                Ok(row) if self.look.missing.is_some() => {
                    (row.row, Some(row.record), Ok(Done::Created))
                }
                Ok(row) => {
                    let judged = self.judge(row.row, &row.record)?;
                    (row.row, Some(row.record), judged)
                }
                Err(error) => (error.row, None, Err(Fault::Row(error.fault))),
            };
            let look = &mut self.look;
            look.read += 1;
            match &judged {
                Ok(Done::Created) => look.created += 1,
                Ok(Done::Changed) => look.changed += 1,
                Ok(Done::Skipped) => look.skipped += 1,
                Err(_) => look.rejected += 1,
            }
            if look.rows.len() < SHOWN {
                look.rows.push(LookRow {
                    row: number,
                    cells: cells.unwrap_or_default(),
                    fault: judged.as_ref().err().cloned(),
                    is_known: judged == Ok(Done::Skipped),
                });
            }
            if let Err(fault) = judged
                && look.faults.len() < FAULTS_MAX
            {
                look.faults.push((number, fault));
            }
        }
        Ok(true)
    }

    fn judge(&mut self, number: u64, cells: &Cells) -> Result<Result<Done, Fault>, AppError> {
        let row = match Row::of(self.kind, cells, &self.zone) {
            Ok(row) => row,
            Err(fault) => return Ok(Err(fault)),
        };
        if let Err(fault) = self.seen.check(&row, number) {
            return Ok(Err(fault));
        }
        row.forecast(self.reader, &mut self.known)
    }
}
