//! Bytes in, rows out: the part of the reader that knows chunks, limits and row numbers.
//!
//! Nothing here grows with the file. The buffers grow to the longest row so far and never over
//! [`Limits`]; a longer row is passed over byte by byte up to its end. How the bytes are cut into
//! chunks never changes what comes out.

use super::header::{Header, HeaderBuffer, HeaderError};
use super::record::{Fields, RepairRecord, RowFault, read_record};
use csv_core::ReadRecordResult;
use serde::Serialize;

/// How much of a file may be in memory at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one row, quotation marks and line end not counted.
    pub row_bytes: usize,
    /// Bytes of the first line.
    pub header_bytes: usize,
    /// Columns of the first line, and fields of a row.
    pub columns: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            row_bytes: 256 * 1024,
            header_bytes: 64 * 1024,
            columns: 256,
        }
    }
}

/// What the caller knows about rows that do not say it themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Stands in for an absent or empty `data_provider`; without it such a row is refused.
    pub data_provider: Option<String>,
    /// Stands in for an absent or empty `group_identifier`.
    pub group: Option<String>,
}

/// What kind of file it is: what its header must say, and what a row of it comes to.
pub trait Form: Sized {
    /// What the caller knows beside the file.
    type Settings;
    /// A row that was read.
    type Record;

    /// Reads the first line.
    ///
    /// # Errors
    /// When the file is not of this kind.
    fn of_header(
        line: &[u8],
        limits: Limits,
        settings: &Self::Settings,
    ) -> Result<Self, HeaderError>;

    /// What stands between the fields.
    fn delimiter(&self) -> u8;

    /// How many columns the first line names.
    fn width(&self) -> usize;

    /// Reads the fields of a row; `None` for one that is entirely empty.
    ///
    /// # Errors
    /// When the row is not what it should be.
    fn read(
        &self,
        fields: Fields<'_>,
        settings: &Self::Settings,
    ) -> Result<Option<Self::Record>, RowFault>;
}

impl Form for Header {
    type Settings = Defaults;
    type Record = RepairRecord;

    fn of_header(line: &[u8], limits: Limits, settings: &Defaults) -> Result<Self, HeaderError> {
        Self::parse(line, limits.columns, settings.data_provider.is_some())
    }

    fn delimiter(&self) -> u8 {
        self.delimiter
    }

    fn width(&self) -> usize {
        self.width
    }

    fn read(
        &self,
        fields: Fields<'_>,
        settings: &Defaults,
    ) -> Result<Option<RepairRecord>, RowFault> {
        read_record(self, fields, settings)
    }
}

/// A row that was not read, where it stands and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("row {row} (line {line}): {detail}")]
pub struct RowError {
    /// The row as a spreadsheet counts: the header is row 1, blank rows count.
    pub row: u64,
    /// The line of the file where the row begins, from 1.
    pub line: u64,
    /// What is wrong and what would be right.
    pub detail: String,
    /// The same for whoever says it in other words.
    #[serde(skip)]
    pub fault: RowFault,
}

/// A row that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRow<R = RepairRecord> {
    /// The row as a spreadsheet counts: the header is row 1, blank rows count.
    pub row: u64,
    /// What it says.
    pub record: R,
}

/// What became of one row: read, or refused and passed over.
pub type RowOutcome<R = RepairRecord> = Result<ReadRow<R>, RowError>;

/// The last rows of a file, and what its first line said.
pub type Ended<F> = (Vec<RowOutcome<<F as Form>::Record>>, F);

/// Reads files of the standard.
pub type OrdsReader = FileReader<Header>;

/// Reads a file that arrives in pieces.
///
/// [`push`](Self::push) every piece, then [`finish`](Self::finish). When the source breaks off,
/// drop the reader instead: `finish` takes what has arrived for the whole file, and a last row cut
/// within its last field looks complete.
pub struct FileReader<F: Form> {
    limits: Limits,
    settings: F::Settings,
    place: Place,
    state: State<F>,
}

enum State<F> {
    Header(HeaderBuffer),
    Rows(Box<Rows<F>>),
    Failed(HeaderError),
}

impl<F: Form> FileReader<F> {
    /// A reader before the first byte.
    #[must_use]
    pub fn new(limits: Limits, settings: F::Settings) -> Self {
        let state = State::Header(HeaderBuffer::new(limits.header_bytes));
        Self {
            limits,
            settings,
            place: Place::default(),
            state,
        }
    }

    /// Takes the next bytes, answers the rows that they complete.
    ///
    /// # Errors
    /// When the first line is no header of this kind of file; every later call answers the same.
    pub fn push(&mut self, mut chunk: &[u8]) -> Result<Vec<RowOutcome<F::Record>>, HeaderError> {
        let mut outcomes = Vec::new();
        loop {
            match &mut self.state {
                State::Failed(error) => return Err(error.clone()),
                State::Rows(rows) => {
                    rows.push(chunk, &mut self.place, &self.settings, &mut outcomes);
                    return Ok(outcomes);
                }
                State::Header(_) => match self.push_header(chunk) {
                    None => return Ok(outcomes),
                    Some(rest) => chunk = rest,
                },
            }
        }
    }

    /// Takes the end of the file, answers the last row when no line end closed it.
    ///
    /// # Errors
    /// When there was no header of this kind of file.
    pub fn finish(self) -> Result<Vec<RowOutcome<F::Record>>, HeaderError> {
        self.finish_with_form().map(|(outcomes, _)| outcomes)
    }

    /// [`finish`](Self::finish), with what the first line said.
    ///
    /// # Errors
    /// When there was no header of this kind of file.
    pub fn finish_with_form(mut self) -> Result<Ended<F>, HeaderError> {
        if let State::Header(buffer) = &self.state {
            if buffer.is_blank() {
                return Err(HeaderError::Empty);
            }
            self.state = self.state_after_header(buffer);
        }
        match self.state {
            State::Failed(error) => Err(error),
            State::Header(_) => Err(HeaderError::Empty),
            State::Rows(mut rows) => {
                let outcomes = rows.finish(&self.place, &self.settings);
                Ok((outcomes, rows.form))
            }
        }
    }

    /// What the first line said; `None` until it is complete.
    #[must_use]
    pub fn form(&self) -> Option<&F> {
        match &self.state {
            State::Rows(rows) => Some(&rows.form),
            State::Header(_) | State::Failed(_) => None,
        }
    }

    /// Bytes held in buffers for rows.
    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        match &self.state {
            State::Rows(rows) => rows.text.capacity() + rows.ends.capacity() * size_of::<usize>(),
            State::Header(_) | State::Failed(_) => 0,
        }
    }

    /// Bytes up to the end of the header line; the rest when the header is complete.
    fn push_header<'a>(&mut self, chunk: &'a [u8]) -> Option<&'a [u8]> {
        let State::Header(buffer) = &mut self.state else {
            return Some(chunk);
        };
        for (index, &byte) in chunk.iter().enumerate() {
            let ended_line = self.place.pass(byte);
            match buffer.push(byte) {
                Ok(false) if matches!(byte, b'\r' | b'\n') && buffer.is_blank() => {
                    self.place.row += u64::from(ended_line);
                }
                Ok(false) => {}
                Ok(true) => {
                    self.place.row += 1;
                    let State::Header(buffer) = &self.state else {
                        return Some(chunk);
                    };
                    self.state = self.state_after_header(buffer);
                    return Some(&chunk[index + 1..]);
                }
                Err(error) => {
                    self.state = State::Failed(error);
                    return Some(&[]);
                }
            }
        }
        None
    }

    fn state_after_header(&self, buffer: &HeaderBuffer) -> State<F> {
        match F::of_header(buffer.line(), self.limits, &self.settings) {
            Ok(form) => State::Rows(Box::new(Rows::new(form, self.limits))),
            Err(error) => State::Failed(error),
        }
    }
}

/// Where in the file the next byte stands.
#[derive(Debug)]
struct Place {
    /// Rows begun so far, the header and blank ones included.
    row: u64,
    /// Line of the next byte, from 1.
    line: u64,
    after_cr: bool,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            row: 0,
            line: 1,
            after_cr: false,
        }
    }
}

impl Place {
    /// Passes a byte; true when a line ended with it, the `\n` of `\r\n` not counted again.
    fn pass(&mut self, byte: u8) -> bool {
        let ended = byte == b'\r' || (byte == b'\n' && !self.after_cr);
        self.after_cr = byte == b'\r';
        self.line += u64::from(ended);
        ended
    }
}

/// The rows below the header: one row at a time in buffers that are used again.
struct Rows<F> {
    form: F,
    limits: Limits,
    csv: csv_core::Reader,
    text: Vec<u8>,
    text_len: usize,
    ends: Vec<usize>,
    ends_len: usize,
    /// The line where the row in the buffers began; `None` between rows.
    begun_at: Option<u64>,
    fault: Option<RowFault>,
}

impl<F: Form> Rows<F> {
    fn new(form: F, limits: Limits) -> Self {
        let mut csv = csv_core::ReaderBuilder::new()
            .delimiter(form.delimiter())
            .build();
        let mut text = vec![0; limits.row_bytes.clamp(1, 4096)];
        let mut ends = vec![0; limits.columns.max(1) + 1];
        // csv-core drops a byte order mark at its start when all three bytes come at once; there
        // is none below the header, and chunks must not matter, so its start is passed here.
        csv.read_record(b"\n", &mut text, &mut ends);
        Self {
            form,
            csv,
            text,
            text_len: 0,
            ends,
            ends_len: 0,
            begun_at: None,
            fault: None,
            limits,
        }
    }

    fn push(
        &mut self,
        mut input: &[u8],
        place: &mut Place,
        settings: &F::Settings,
        outcomes: &mut Vec<RowOutcome<F::Record>>,
    ) {
        loop {
            if self.begun_at.is_none() {
                input = skip_blank_lines(input, place);
                if input.is_empty() {
                    return;
                }
                place.row += 1;
                self.begun_at = Some(place.line);
            } else if input.is_empty() {
                return;
            }
            let (complete, used) = self.step(input);
            for &byte in &input[..used] {
                place.pass(byte);
            }
            input = &input[used..];
            if complete {
                outcomes.extend(self.take_row(place, settings));
            }
        }
    }

    /// One step of csv-core; whether it completed a row, and the bytes it used.
    fn step(&mut self, input: &[u8]) -> (bool, usize) {
        let text = &mut self.text[self.text_len..];
        let (result, used, written, ended) =
            self.csv
                .read_record(input, text, &mut self.ends[self.ends_len..]);
        self.text_len += written;
        self.ends_len += ended;
        match result {
            ReadRecordResult::OutputFull => self.make_room(),
            ReadRecordResult::OutputEndsFull => {
                let (limit, width) = (self.limits.columns, self.form.width());
                self.pass_over(RowFault::TooManyFields { limit, width });
            }
            ReadRecordResult::Record => return (true, used),
            ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
        }
        (false, used)
    }

    fn make_room(&mut self) {
        let limit = self.limits.row_bytes;
        if self.fault.is_none() && self.text.len() < limit {
            self.text.resize((self.text.len() * 2).min(limit), 0);
        } else {
            self.pass_over(RowFault::TooLong { limit });
        }
    }

    /// Forgets what the row held so far; the first fault is the one that is told.
    fn pass_over(&mut self, fault: RowFault) {
        self.fault.get_or_insert(fault);
        self.text_len = 0;
        self.ends_len = 0;
    }

    fn take_row(&mut self, place: &Place, settings: &F::Settings) -> Option<RowOutcome<F::Record>> {
        let fields = Fields {
            text: &self.text[..self.text_len],
            ends: &self.ends[..self.ends_len],
        };
        let read = match self.fault.take() {
            Some(fault) => Err(fault),
            None => self.form.read(fields, settings),
        };
        let line = self.begun_at.take().unwrap_or(place.line);
        self.text_len = 0;
        self.ends_len = 0;
        match read {
            Ok(record) => record.map(|record| {
                Ok(ReadRow {
                    row: place.row,
                    record,
                })
            }),
            Err(fault) => Some(Err(RowError {
                row: place.row,
                line,
                detail: fault.to_string(),
                fault,
            })),
        }
    }

    fn finish(&mut self, place: &Place, settings: &F::Settings) -> Vec<RowOutcome<F::Record>> {
        if self.begun_at.is_none() {
            return Vec::new();
        }
        // A line end completes a row unless a quoted field is open, which swallows it.
        let mut input: &[u8] = b"\n";
        let mut complete = false;
        while !complete && !input.is_empty() {
            let (completed, used) = self.step(input);
            complete = completed;
            input = &input[used..];
        }
        if !complete {
            self.pass_over(RowFault::OpenQuote);
        }
        self.take_row(place, settings).into_iter().collect()
    }
}

fn skip_blank_lines<'a>(mut input: &'a [u8], place: &mut Place) -> &'a [u8] {
    while let [byte @ (b'\r' | b'\n'), rest @ ..] = input {
        place.row += u64::from(place.pass(*byte));
        input = rest;
    }
    input
}
