//! A bank's statement as CSV: `booked_on`, `reference`, `amount`, `currency`, `text`, in any order, by comma or semicolon.
//!
//! A file is taken whole or not at all, and what is wrong is named by its row. Which receipt a line pays is looked for
//! in its text; what the number means is the caller's to say, this module knows no receipts.

use std::collections::BTreeMap;

use domain::day::{SettlementKind, SettlementLine};
use domain::id::{BranchId, PaymentId};
use domain::money::Currency;
use domain::payment::Provider;
use domain::till::{PaperKind, paper_number, parse_paper_number};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use thiserror::Error;

use super::amount;
use crate::payment::provider::said;

/// The largest file.
const FILE_MAX_BYTES: usize = 16 << 20;
/// Rows at most.
const ROWS_MAX: usize = 100_000;
/// Longest name that a bank gives a line; as long as a settlement line takes.
const REFERENCE_MAX: usize = 200;
/// Longest text that is searched; the rest is left unread.
const TEXT_MAX: usize = 4_000;
/// A day is booked at noon of the chain's zone, so that no neighbour zone moves it to another day.
const NOON: i8 = 12;
const COLUMNS: [&str; 5] = ["booked_on", "reference", "amount", "currency", "text"];

/// A line of the statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementEntry {
    /// The row in the file; the header is row 1.
    pub row: u64,
    /// The line as the chain keeps it: its branch is nil, its payment known only where the text names it by its id.
    pub line: SettlementLine,
    /// Numbers of receipts in the text, as printed; each once.
    pub receipts: Vec<String>,
    /// What the customer wrote, for people.
    pub text: String,
}

/// A file that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("row {row}: {flaw}")]
pub struct StatementError {
    /// The row in the file; the header is row 1.
    pub row: u64,
    /// What is wrong with it.
    pub flaw: StatementFlaw,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StatementFlaw {
    /// Too much.
    #[error("the file is larger than 16 MiB or has more than 100000 rows")]
    TooLarge,
    /// Not UTF-8.
    #[error("the file is not UTF-8")]
    Encoding,
    /// A column is missing or there twice.
    #[error("the header must name `{column}` once")]
    Header {
        /// Which column.
        column: &'static str,
    },
    /// More or fewer values than the header names.
    #[error("it has {found} values and the header {expected}")]
    Width {
        /// Values of the row.
        found: u64,
        /// Values of the header.
        expected: u64,
    },
    /// Not a day.
    #[error("`booked_on` is a day such as 2026-11-22 or 22.11.2026")]
    Day,
    /// No reference.
    #[error("`reference` is the bank's own name of the line, 1 to 200 letters")]
    Reference,
    /// The same reference in two rows that say different things.
    #[error("`reference` is that of row {first}, and the rows differ")]
    Twice {
        /// The earlier row.
        first: u64,
    },
    /// Not an amount, or one that can be read in two ways.
    #[error("`amount` is a number such as 1234.56 or -1.234,56, and not 0")]
    Amount,
    /// Not a currency.
    #[error("`currency` is three letters such as EUR")]
    Currency,
}

/// Reads a whole statement.
///
/// # Errors
/// Names the first row that is wrong.
pub fn read_statement(file: &[u8], zone: &TimeZone) -> Result<Vec<StatementEntry>, StatementError> {
    let whole = |flaw| StatementError { row: 1, flaw };
    if file.len() > FILE_MAX_BYTES {
        return Err(whole(StatementFlaw::TooLarge));
    }
    let text = std::str::from_utf8(file).map_err(|error| StatementError {
        row: row_at(file, error.valid_up_to()),
        flaw: StatementFlaw::Encoding,
    })?;
    // Rows are counted by `\n`, whatever the file ends its lines with.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(&text))
        .from_reader(text.as_bytes());
    let columns = columns(reader.headers().map_err(unreadable)?)?;
    let mut entries: Vec<StatementEntry> = Vec::new();
    let mut seen = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let row = record.position().map_or(0, csv::Position::line);
        if entries.len() >= ROWS_MAX {
            return Err(StatementError {
                row,
                flaw: StatementFlaw::TooLarge,
            });
        }
        let entry =
            entry(&record, &columns, row, zone).map_err(|flaw| StatementError { row, flaw })?;
        match seen.get(&entry.line.reference) {
            None => {
                seen.insert(entry.line.reference.clone(), entries.len());
                entries.push(entry);
            }
            Some(&known) => same(&entries[known], &entry)?,
        }
    }
    Ok(entries)
}

/// Two exports that overlap name a line twice; it is the same line only where it says the same.
fn same(first: &StatementEntry, second: &StatementEntry) -> Result<(), StatementError> {
    if first.line == second.line && first.text == second.text {
        return Ok(());
    }
    Err(StatementError {
        row: second.row,
        flaw: StatementFlaw::Twice { first: first.row },
    })
}

fn row_at(file: &[u8], at: usize) -> u64 {
    let lines = file[..at].iter().filter(|byte| **byte == b'\n').count();
    u64::try_from(lines).unwrap_or(u64::MAX).saturating_add(1)
}

/// What the header separates its names by.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    if header.matches(';').count() > header.matches(',').count() {
        b';'
    } else {
        b','
    }
}

fn unreadable(error: csv::Error) -> StatementError {
    let row = error.position().map_or(1, csv::Position::line);
    let flaw = match error.into_kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => StatementFlaw::Width {
            found: len,
            expected: expected_len,
        },
        _ => StatementFlaw::Encoding,
    };
    StatementError { row, flaw }
}

fn columns(header: &csv::StringRecord) -> Result<[usize; 5], StatementError> {
    let mut columns = [0; 5];
    for (place, column) in columns.iter_mut().zip(COLUMNS) {
        let mut found = header
            .iter()
            .enumerate()
            .filter(|(_, name)| name.trim().eq_ignore_ascii_case(column));
        match (found.next(), found.next()) {
            (Some((at, _)), None) => *place = at,
            _ => {
                return Err(StatementError {
                    row: 1,
                    flaw: StatementFlaw::Header { column },
                });
            }
        }
    }
    Ok(columns)
}

fn entry(
    record: &csv::StringRecord,
    columns: &[usize; 5],
    row: u64,
    zone: &TimeZone,
) -> Result<StatementEntry, StatementFlaw> {
    let [day, reference, amount, currency, text] =
        columns.map(|column| record.get(column).unwrap_or_default().trim());
    let reference = domain::text::required_line(reference, REFERENCE_MAX)
        .map_err(|_| StatementFlaw::Reference)?;
    let currency: Currency = currency
        .to_ascii_uppercase()
        .parse()
        .map_err(|_| StatementFlaw::Currency)?;
    let amount_minor = amount::read(amount, currency)
        .filter(|minor| *minor != 0)
        .ok_or(StatementFlaw::Amount)?;
    let named = Named::in_text(text);
    let line = SettlementLine {
        provider: Provider::Bank,
        reference,
        kind: if amount_minor > 0 {
            SettlementKind::Charge
        } else {
            SettlementKind::Refund
        },
        branch: BranchId::NIL,
        payment: named.payment,
        repayment: None,
        payout: String::new(),
        amount_minor,
        fee_minor: 0,
        currency,
        at_ms: noon_ms(day, zone).ok_or(StatementFlaw::Day)?,
    };
    Ok(StatementEntry {
        row,
        line,
        receipts: named.receipts,
        text: said(text),
    })
}

fn noon_ms(text: &str, zone: &TimeZone) -> Option<i64> {
    let date = match text.split('.').collect::<Vec<_>>()[..] {
        [day, month, year] if year.len() == 4 => {
            Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?
        }
        _ if text.len() == 10 => text.parse().ok()?,
        _ => return None,
    };
    let years = 2000..=2199;
    let noon = date.at(NOON, 0, 0, 0).to_zoned(zone.clone()).ok()?;
    years
        .contains(&date.year())
        .then(|| noon.timestamp().as_millisecond())
}

/// What a text names.
#[derive(Default)]
struct Named {
    payment: Option<PaymentId>,
    receipts: Vec<String>,
}

impl Named {
    fn in_text(text: &str) -> Self {
        let end = (0..=TEXT_MAX.min(text.len()))
            .rev()
            .find(|end| text.is_char_boundary(*end))
            .unwrap_or(0);
        let mut payments = Vec::new();
        let mut receipts = Vec::new();
        let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        for word in text[..end].split(|letter: char| !is_of_name(letter)) {
            let word = word.trim_matches('-');
            if let Some(payment) = payment(word)
                && !payments.contains(&payment)
            {
                payments.push(payment);
            } else if let Some(receipt) = receipt(word)
                && !receipts.contains(&receipt)
            {
                receipts.push(receipt);
            }
        }
        Self {
            payment: match payments[..] {
                [only] => Some(only),
                _ => None,
            },
            receipts,
        }
    }
}

/// An id with or without its hyphens, which some banks take out.
fn payment(word: &str) -> Option<PaymentId> {
    if word.len() == 32 && !word.contains('-') {
        let cut = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &word[part]);
        return cut.join("-").parse().ok();
    }
    word.parse().ok()
}

fn receipt(word: &str) -> Option<String> {
    if word.len() > 64 {
        return None;
    }
    let (code, kind, series, number) = parse_paper_number(word).ok()?;
    (kind == PaperKind::Receipt).then(|| paper_number(&code, kind, series, number))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use proptest::prelude::*;

    fn read(file: &str) -> Result<Vec<StatementEntry>, StatementError> {
        read_statement(file.as_bytes(), &TimeZone::UTC)
    }

    fn flaw(row: &str) -> (u64, StatementFlaw) {
        let file =
            format!("booked_on,reference,amount,currency,text\n2026-11-20,A1,1.00,EUR,x\n{row}\n");
        let error = read(&file).unwrap_err();
        (error.row, error.flaw)
    }

    #[test]
    fn both_ways_of_writing_come_to_the_same_lines() {
        let english = "\u{feff}booked_on,reference,amount,currency,text\r\n\
            2026-11-22,B-77,\"1,234.50\",EUR,Invoice BER-R-A000300 thank you\r\n";
        let german = "Text;Reference;Amount;Currency;Booked_On;saldo\n\
            \"Invoice BER-R-A000300 thank you\";B-77;1.234,50;eur;22.11.2026;9,99\n";
        let english = read(english).unwrap();
        let german = read(german).unwrap();
        assert_eq!(english, german);
        let [entry] = &english[..] else {
            panic!("{english:?}")
        };
        assert_eq!(entry.receipts, ["BER-R-A000300"]);
        assert_eq!((entry.line.amount_minor, entry.row), (123_450, 2));
        assert_eq!(entry.line.at_ms, 1_795_348_800_000);
        assert_eq!(entry.line.check_form(), Ok(()));
    }

    #[test]
    fn a_day_stays_the_same_day_in_every_zone() {
        let file = "booked_on,reference,amount,currency,text\n2026-11-22,1,1,EUR,\n";
        for name in ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin"] {
            let zone = TimeZone::get(name).unwrap();
            let entries = read_statement(file.as_bytes(), &zone).unwrap();
            let at = jiff::Timestamp::from_millisecond(entries[0].line.at_ms).unwrap();
            assert_eq!(at.to_zoned(zone).date().to_string(), "2026-11-22", "{name}");
        }
    }

    #[test]
    fn payments_and_receipts_are_found_in_what_people_write() {
        let id = "0b2a1f0e-6f0e-4f4e-9d3e-0123456789ab";
        let bare = id.replace('-', "");
        let table = [
            (format!("SEPA {id}."), true, vec![]),
            (format!("EREF+{bare}+SVWZ"), true, vec![]),
            (format!("{id} {id}"), true, vec![]),
            (format!("{id} 1{}", &id[1..]), false, vec![]),
            (
                "ber-r-a300/ham-r-b1, ber-r-a000300".to_owned(),
                false,
                vec!["BER-R-A000300", "HAM-R-B000001"],
            ),
            ("BER-Z-A000300 BER-R-A0 BER-R-".to_owned(), false, vec![]),
        ];
        for (text, has_payment, receipts) in table {
            let named = Named::in_text(&text);
            assert_eq!(named.payment.is_some(), has_payment, "{text}");
            assert_eq!(named.receipts, receipts, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_its_row() {
        assert_eq!(flaw("22/11/2026,A2,1,EUR,x"), (3, StatementFlaw::Day));
        assert_eq!(flaw("2026-02-30,A2,1,EUR,x"), (3, StatementFlaw::Day));
        assert_eq!(flaw("2026-11-22,,1,EUR,x"), (3, StatementFlaw::Reference));
        assert_eq!(
            flaw("2026-11-22,A2,1.234,EUR,x"),
            (3, StatementFlaw::Amount)
        );
        assert_eq!(flaw("2026-11-22,A2,0.00,EUR,x"), (3, StatementFlaw::Amount));
        assert_eq!(flaw("2026-11-22,A2,1,Euro,x"), (3, StatementFlaw::Currency));
        assert_eq!(
            flaw("2026-11-22,A2,1,EUR"),
            (
                3,
                StatementFlaw::Width {
                    found: 4,
                    expected: 5
                }
            )
        );
        assert_eq!(
            flaw("2026-11-22,A1,1,EUR,x"),
            (3, StatementFlaw::Twice { first: 2 })
        );
        assert_eq!(
            read("booked_on,reference,amount,currency\n")
                .unwrap_err()
                .flaw,
            StatementFlaw::Header { column: "text" }
        );
        assert_eq!(
            read("text,booked_on,reference,amount,currency,TEXT\n")
                .unwrap_err()
                .flaw,
            StatementFlaw::Header { column: "text" }
        );
        assert_eq!(read("").unwrap_err().row, 1);
        let latin = b"booked_on,reference,amount,currency,text\n2026-11-22,1,1,EUR,\xfc\n";
        assert_eq!(
            read_statement(latin, &TimeZone::UTC),
            Err(StatementError {
                row: 2,
                flaw: StatementFlaw::Encoding
            })
        );
    }

    #[test]
    fn a_line_that_two_exports_share_counts_once() {
        let line = "2026-11-22,A1,1.00,EUR,x\n";
        let file = format!("booked_on,reference,amount,currency,text\n{line}{line}");
        assert_eq!(read(&file).unwrap().len(), 1);
    }

    #[test]
    fn rows_of_a_quoted_text_with_line_ends_are_counted_by_line() {
        let file = "booked_on,reference,amount,currency,text\n2026-11-22,A1,1,EUR,\"a\nb\"\nx,A2,1,EUR,y\n";
        assert_eq!(read(file).unwrap_err().row, 4);
        let entries = read(&file[..file.len() - 14]).unwrap();
        assert_eq!(entries[0].text, "a b");
    }

    #[test]
    fn too_many_rows_are_refused() {
        let mut file = String::from("booked_on,reference,amount,currency,text\n");
        for row in 0..=ROWS_MAX {
            file.push_str(&format!("2026-11-22,{row},1,EUR,\n"));
        }
        assert_eq!(read(&file).unwrap_err().flaw, StatementFlaw::TooLarge);
    }

    proptest! {
        #[test]
        fn no_file_panics(file in prop::collection::vec(any::<u8>(), 0..400)) {
            drop(read_statement(&file, &TimeZone::UTC));
            let mut headed = b"booked_on;reference;amount;currency;text\n".to_vec();
            headed.extend(file);
            drop(read_statement(&headed, &TimeZone::UTC));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            Named::in_text(&text);
        }
    }
}
