//! Tables for other programs: CSV that a spreadsheet opens and never runs.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use domain::money::Currency;
use web_kit::Problem;

/// A table as a file of this name; its first row is the head.
pub(crate) fn download(name: &str, rows: &[Vec<String>]) -> Result<Response, Problem> {
    let failed = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, name, "a table cannot be written");
        Problem::internal()
    };
    let bytes = table(rows).map_err(|error| failed(&error))?;
    let name = format!("attachment; filename=\"{name}.csv\"");
    let name = HeaderValue::try_from(name).map_err(|error| failed(&error))?;
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    let never = HeaderValue::from_static("no-store");
    let head = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, never),
    ];
    Ok((head, bytes).into_response())
}

fn table(rows: &[Vec<String>]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.iter().map(|cell| guarded(cell)))?;
    }
    writer.flush()?;
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

/// A cell that a spreadsheet would take for a formula begins with an apostrophe; numbers stay.
fn guarded(cell: &str) -> String {
    let is_number = cell
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// An amount as programs read it: `-18.00`.
pub(crate) fn decimal(minor: i64, currency: Currency) -> String {
    digits(minor, usize::from(currency.minor_digits()))
}

fn digits(minor: i64, digits: usize) -> String {
    let text = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, part) = text.split_at(text.len() - digits);
    let sign = if minor < 0 { "-" } else { "" };
    if part.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{part}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        assert_eq!(digits(-1800, 2), "-18.00");
        assert_eq!(digits(5, 2), "0.05");
        assert_eq!(digits(-700, 0), "-700");
    }

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(guarded("=1+1"), "'=1+1");
        assert_eq!(guarded("-18.00"), "-18.00");
        assert_eq!(guarded("-1 on hand"), "'-1 on hand");
    }
}
