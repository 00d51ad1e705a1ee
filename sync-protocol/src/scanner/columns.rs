//! The columns of a change, read run by run.
//!
//! A cursor holds one value and how many more rows have it, so that a run of a million costs as
//! much as a run of two. Only the form that Automerge's writer produces is read: two encodings
//! of one column would be two hashes of one change. A cursor never holds more than its value.

use super::column::Column;
use super::error::{Place, ScanError};
use super::leb128::Input;

/// What the walk needs of a column without knowing what it holds.
pub(super) trait Cursor {
    fn column(&self) -> Column;
    /// Reads the next run when the last one is used up.
    fn fill(&mut self) -> Result<(), ScanError>;
    /// Rows that still have the present value; 0 after the last one. A column that is left out
    /// never ends.
    fn left(&self) -> u64;
    /// Goes on by that many rows, at most `left`.
    fn advance(&mut self, rows: u64);
    /// Refuses a column that is there although its absence would mean the same.
    fn check_says_something(&self) -> Result<(), ScanError>;
}

/// A value that can stand in a run-length column.
pub(super) trait Item<'a>: Copy + PartialEq {
    fn read(input: &mut Input<'a>) -> Result<Self, ScanError>;
}

impl<'a> Item<'a> for u64 {
    fn read(input: &mut Input<'a>) -> Result<Self, ScanError> {
        input.unsigned()
    }
}

impl<'a> Item<'a> for i64 {
    fn read(input: &mut Input<'a>) -> Result<Self, ScanError> {
        input.signed()
    }
}

impl<'a> Item<'a> for &'a str {
    fn read(input: &mut Input<'a>) -> Result<Self, ScanError> {
        input.counted_text()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunKind {
    Absent,
    Start,
    Repeated,
    Literal,
    Nulls,
}

/// A run-length column of integers, actor numbers or strings, with nulls.
#[derive(Debug)]
pub(super) struct Runs<'a, T> {
    column: Column,
    input: Input<'a>,
    kind: RunKind,
    literals_left: u64,
    value: Option<T>,
    left: u64,
    has_value: bool,
}

impl<'a, T: Item<'a>> Runs<'a, T> {
    /// A column with one entry per row, or null in every row when it is left out.
    pub(super) fn per_row(column: Column, bytes: Option<&'a [u8]>) -> Self {
        let is_absent = bytes.is_none();
        Runs {
            column,
            input: Input::new(bytes.unwrap_or_default(), Place::Column(column)),
            kind: if is_absent {
                RunKind::Absent
            } else {
                RunKind::Start
            },
            literals_left: 0,
            value: None,
            left: if is_absent { u64::MAX } else { 0 },
            has_value: is_absent,
        }
    }

    /// A column whose number of entries another one gives: left out it has none.
    pub(super) fn listed(column: Column, bytes: Option<&'a [u8]>) -> Self {
        Runs::per_row(column, Some(bytes.unwrap_or_default()))
    }

    /// The present row's value.
    pub(super) fn value(&self) -> Option<T> {
        self.value
    }

    /// The present row's value in a column that has no nulls.
    pub(super) fn required(&self) -> Result<T, ScanError> {
        self.value.ok_or(ScanError::NullEntry {
            column: self.column,
        })
    }

    fn read_value(&mut self) -> Result<(), ScanError> {
        let value = T::read(&mut self.input)?;
        if self.value == Some(value) {
            return Err(ScanError::RunsMergeable {
                column: self.column,
            });
        }
        self.value = Some(value);
        self.has_value = true;
        Ok(())
    }

    fn read_run(&mut self) -> Result<(), ScanError> {
        let column = self.column;
        let kind = match self.input.signed()? {
            0 => {
                self.left = self.input.unsigned()?;
                self.value = None;
                RunKind::Nulls
            }
            1 => return Err(ScanError::RunOfOne { column }),
            count if count > 0 => {
                self.read_value()?;
                self.left = count.unsigned_abs();
                RunKind::Repeated
            }
            count => {
                self.read_value()?;
                self.literals_left = count.unsigned_abs() - 1;
                self.left = 1;
                RunKind::Literal
            }
        };
        if self.left == 0 {
            return Err(ScanError::RunOfNone { column });
        }
        if kind == self.kind && kind != RunKind::Repeated {
            return Err(ScanError::RunsMergeable { column });
        }
        self.kind = kind;
        Ok(())
    }
}

impl<'a, T: Item<'a>> Cursor for Runs<'a, T> {
    fn column(&self) -> Column {
        self.column
    }

    fn fill(&mut self) -> Result<(), ScanError> {
        if self.left > 0 {
            return Ok(());
        }
        if self.literals_left > 0 {
            self.read_value()?;
            self.literals_left -= 1;
            self.left = 1;
            return Ok(());
        }
        if self.input.is_empty() {
            Ok(())
        } else {
            self.read_run()
        }
    }

    fn left(&self) -> u64 {
        self.left
    }

    fn advance(&mut self, rows: u64) {
        if self.kind != RunKind::Absent {
            self.left = self.left.saturating_sub(rows);
        }
    }

    fn check_says_something(&self) -> Result<(), ScanError> {
        if self.has_value {
            Ok(())
        } else {
            Err(ScanError::ColumnSaysNothing {
                column: self.column,
            })
        }
    }
}

/// A run-length column of differences; within a run the values are linear.
#[derive(Debug)]
pub(super) struct Deltas<'a> {
    differences: Runs<'a, i64>,
    sum: i128,
}

impl<'a> Deltas<'a> {
    pub(super) fn new(differences: Runs<'a, i64>) -> Self {
        Deltas {
            differences,
            sum: 0,
        }
    }

    /// How much the value grows from one of the present rows to the next.
    pub(super) fn slope(&self) -> i64 {
        self.differences.value().unwrap_or(0)
    }

    /// The values of the first and the last of the next `rows` rows, both within 32 bits.
    pub(super) fn ends(&self, rows: u64) -> Result<Option<(u64, u64)>, ScanError> {
        let Some(difference) = self.differences.value() else {
            return Ok(None);
        };
        let column = self.differences.column;
        let end = |rows: u64| {
            let value = i128::from(difference)
                .checked_mul(i128::from(rows))
                .and_then(|product| product.checked_add(self.sum))
                .and_then(|value| u32::try_from(value).ok());
            value
                .map(u64::from)
                .ok_or(ScanError::CounterRange { column })
        };
        Ok(Some((end(1)?, end(rows)?)))
    }
}

impl Cursor for Deltas<'_> {
    fn column(&self) -> Column {
        self.differences.column
    }

    fn fill(&mut self) -> Result<(), ScanError> {
        self.differences.fill()
    }

    fn left(&self) -> u64 {
        self.differences.left()
    }

    fn advance(&mut self, rows: u64) {
        let moved = i128::from(self.slope()).saturating_mul(i128::from(rows));
        self.sum = self.sum.saturating_add(moved);
        self.differences.advance(rows);
    }

    fn check_says_something(&self) -> Result<(), ScanError> {
        self.differences.check_says_something()
    }
}

/// A column of booleans: lengths of alternating runs, false first.
#[derive(Debug)]
pub(super) struct Flags<'a> {
    column: Column,
    input: Input<'a>,
    is_absent: bool,
    value: Option<bool>,
    left: u64,
    has_true: bool,
}

impl<'a> Flags<'a> {
    /// A column with one entry per row, or false in every row when it is left out.
    pub(super) fn per_row(column: Column, bytes: Option<&'a [u8]>) -> Self {
        let is_absent = bytes.is_none();
        Flags {
            column,
            input: Input::new(bytes.unwrap_or_default(), Place::Column(column)),
            is_absent,
            value: None,
            left: if is_absent { u64::MAX } else { 0 },
            has_true: is_absent,
        }
    }

    /// The present row's value.
    pub(super) fn value(&self) -> bool {
        self.value.unwrap_or(false)
    }
}

impl Cursor for Flags<'_> {
    fn column(&self) -> Column {
        self.column
    }

    fn fill(&mut self) -> Result<(), ScanError> {
        if self.left > 0 || self.input.is_empty() {
            return Ok(());
        }
        let mut value = self.value.is_some_and(|before| !before);
        self.left = self.input.unsigned()?;
        if self.left == 0 && self.value.is_none() && !self.input.is_empty() {
            value = true;
            self.left = self.input.unsigned()?;
        }
        if self.left == 0 {
            return Err(ScanError::RunOfNone {
                column: self.column,
            });
        }
        self.value = Some(value);
        self.has_true |= value;
        Ok(())
    }

    fn left(&self) -> u64 {
        self.left
    }

    fn advance(&mut self, rows: u64) {
        if !self.is_absent {
            self.left = self.left.saturating_sub(rows);
        }
    }

    fn check_says_something(&self) -> Result<(), ScanError> {
        if self.has_true {
            Ok(())
        } else {
            Err(ScanError::ColumnSaysNothing {
                column: self.column,
            })
        }
    }
}
