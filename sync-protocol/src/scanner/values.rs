//! The values of a change's operations: type and length in one column, bytes in another.
//!
//! Each byte of the value column is read at most once, however long the runs of the metadata are.

use super::column::Column;
use super::error::{Place, ScanError};
use super::leb128::Input;

/// Metadata of a null.
pub(super) const NULL: u64 = 0;

const FALSE: u8 = 1;
const TRUE: u8 = 2;
const UNSIGNED: u8 = 3;
const SIGNED: u8 = 4;
const FLOAT: u8 = 5;
const TEXT: u8 = 6;
const BYTES: u8 = 7;
const COUNTER: u8 = 8;
const TIMESTAMP: u8 = 9;

/// Whether the metadata is that of a signed integer.
pub(super) fn is_signed(metadata: u64) -> bool {
    metadata & 0xf == u64::from(SIGNED)
}

/// The value bytes not yet claimed by a row.
#[derive(Debug)]
pub(super) struct Values<'a> {
    input: Input<'a>,
}

impl<'a> Values<'a> {
    pub(super) fn new(bytes: Option<&'a [u8]>) -> Self {
        Values {
            input: Input::new(bytes.unwrap_or_default(), Place::Column(Column::ValueBytes)),
        }
    }

    /// Reads the values of `rows` rows that have the same metadata.
    pub(super) fn read(&mut self, rows: u64, metadata: u64) -> Result<(), ScanError> {
        let value_type = (metadata & 0xf) as u8;
        let size_bytes = metadata >> 4;
        let is_length_right = match value_type {
            0 | FALSE | TRUE => size_bytes == 0,
            UNSIGNED | SIGNED | COUNTER | TIMESTAMP => (1..=10).contains(&size_bytes),
            FLOAT => size_bytes == 8,
            TEXT | BYTES => true,
            _ => return Err(ScanError::UnknownValueType { value_type }),
        };
        if !is_length_right {
            return Err(ScanError::ValueLength {
                value_type,
                size_bytes,
            });
        }
        let all = self.input.take(rows.saturating_mul(size_bytes))?;
        let size = usize::try_from(size_bytes).unwrap_or(usize::MAX).max(1);
        // An empty `all` has no pieces, so rows without bytes cost nothing here.
        all.chunks_exact(size)
            .try_for_each(|bytes| check_value(value_type, bytes))
    }

    /// Refuses bytes that belong to no row.
    pub(super) fn finish(&self) -> Result<(), ScanError> {
        if self.input.is_empty() {
            Ok(())
        } else {
            Err(ScanError::ColumnTooLong {
                column: Column::ValueBytes,
            })
        }
    }
}

fn check_value(value_type: u8, bytes: &[u8]) -> Result<(), ScanError> {
    let place = Place::Column(Column::ValueBytes);
    let mut number = Input::new(bytes, place);
    match value_type {
        UNSIGNED => drop(number.unsigned()?),
        SIGNED | COUNTER | TIMESTAMP => drop(number.signed()?),
        TEXT => {
            return std::str::from_utf8(bytes)
                .map(drop)
                .map_err(|_| ScanError::NotUtf8 { place });
        }
        _ => return Ok(()),
    }
    if number.is_empty() {
        Ok(())
    } else {
        Err(ScanError::ValueLength {
            value_type,
            size_bytes: bytes.len() as u64,
        })
    }
}
