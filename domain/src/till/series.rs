//! Numbers of fiscal papers: gap-free within a series, which belongs to one line of one branch.
//!
//! `CODE-R-A000001` is a receipt, `CODE-Z-A000001` a day report. A branch that was restored goes on with the next letter,
//! so that no number is given twice.

use super::TillError;
use crate::code::codes;
use crate::text::clean_code;

codes! {
    /// Which papers a series numbers.
    pub enum PaperKind as "kind of paper" {
        /// Receipts and refunds.
        Receipt = 1 "R",
        /// Day reports of a till.
        DayReport = 2 "Z",
    }
}

/// The number as it is printed.
pub fn paper_number(code: &str, kind: PaperKind, series: u8, number: u32) -> String {
    format!("{code}-{kind}-{}{number:06}", char::from(series))
}

/// Reads a printed number, in either case and with any zeros left out: branch code, kind, series and number.
pub fn parse_paper_number(text: &str) -> Result<(String, PaperKind, u8, u32), TillError> {
    let text = text.trim().to_ascii_uppercase();
    let mut parts = text.split('-');
    let (Some(code), Some(kind), Some(tail), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TillError::Series);
    };
    let code = clean_code(code)?;
    let kind = kind.parse().map_err(|_| TillError::Series)?;
    let series = *tail.as_bytes().first().ok_or(TillError::Series)?;
    let number = tail.get(1..).and_then(|digits| digits.parse().ok());
    let number = number.ok_or(TillError::Series)?;
    check_series(series, number)?;
    Ok((code, kind, series, number))
}

/// Refuses what no series has.
pub(super) fn check_series(series: u8, number: u32) -> Result<(), TillError> {
    if series.is_ascii_uppercase() && number > 0 {
        Ok(())
    } else {
        Err(TillError::Series)
    }
}
