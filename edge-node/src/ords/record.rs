//! One repair record, and how the fields of a row become one.
//!
//! What identifies a record or decides its outcome must be right, or the row is refused with what
//! is wrong and what would be right. Year and age of the device are hints that published files
//! fill with anything (`????`, `earlier than 2011`): what cannot be read there counts as absent.

use super::header::{Column, Header};
use super::reader::Defaults;
use sha2::{Digest, Sha256};

/// A calendar day without a time zone: the day of the event where it took place.
pub use jiff::civil::Date;

/// Outcome of a repair in the words of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RepairStatus {
    /// The device works again.
    Fixed,
    /// It can be repaired, but is not yet.
    Repairable,
    /// It cannot be repaired.
    EndOfLife,
    /// Nobody noted the outcome.
    Unknown,
}

impl RepairStatus {
    /// The value as the standard writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "Fixed",
            Self::Repairable => "Repairable",
            Self::EndOfLife => "End of life",
            Self::Unknown => "Unknown",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        // `????` is how versions before v0.3 write an unknown value.
        match name.to_lowercase().replace(['_', '-'], " ").as_str() {
            "fixed" => Some(Self::Fixed),
            "repairable" => Some(Self::Repairable),
            "end of life" => Some(Self::EndOfLife),
            "unknown" | "????" => Some(Self::Unknown),
            _ => None,
        }
    }
}

/// A repair record. Texts are trimmed, their line breaks are `\n`; absent texts are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairRecord {
    /// Who published it; with `id` its identity.
    pub data_provider: String,
    /// Its id at the provider.
    pub id: String,
    /// ISO 3166 alpha-3 country.
    pub country: String,
    /// `product_category`: the standard's category.
    pub category: String,
    /// `partner_product_category`: the provider's own.
    pub partner_category: String,
    /// Brand; often `Unknown`.
    pub brand: String,
    /// Four digits, when that is what the file says.
    pub year_of_manufacture: Option<u16>,
    /// Age in years as decimal text with a point, as in `2.5`.
    pub product_age: Option<String>,
    /// Outcome.
    pub status: RepairStatus,
    /// Why it reached its end of life.
    pub barrier: Option<String>,
    /// `group_identifier`; empty when the file names none.
    pub group: String,
    /// Day of the event.
    pub event_date: Option<Date>,
    /// The fault in somebody's words; may be empty, may hold line breaks.
    pub problem: String,
}

impl RepairRecord {
    /// (data provider, id): two rows with the same are about the same repair.
    #[must_use]
    pub fn identity(&self) -> (&str, &str) {
        (&self.data_provider, &self.id)
    }

    /// SHA-256 over all fields, each with presence and length in front, so that an importer can
    /// tell "there already and equal" from "changed" without keeping the record.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let year = self.year_of_manufacture.map(|year| year.to_string());
        let date = self.event_date.map(|date| date.to_string());
        let mut hash = Sha256::new();
        hash.update(b"counterpart ords record 1");
        for field in [
            Some(self.data_provider.as_str()),
            Some(&self.id),
            Some(&self.country),
            Some(&self.category),
            Some(&self.partner_category),
            Some(&self.brand),
            year.as_deref(),
            self.product_age.as_deref(),
            Some(self.status.name()),
            self.barrier.as_deref(),
            Some(&self.group),
            date.as_deref(),
            Some(&self.problem),
        ] {
            hash.update([u8::from(field.is_some())]);
            let field = field.unwrap_or_default();
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field.as_bytes());
        }
        hash.finalize().into()
    }
}

/// What is wrong with a row, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// Longer than the limit.
    #[error(
        "the row is longer than {limit} bytes and was skipped; perhaps a quotation mark is not closed, which joins the rows that follow"
    )]
    TooLong {
        /// Bytes permitted.
        limit: usize,
    },
    /// More fields than any file may have.
    #[error("the row has more than {limit} fields; the first line names {width}")]
    TooManyFields {
        /// Fields permitted.
        limit: usize,
        /// Columns named by the header.
        width: usize,
    },
    /// Not as many fields as the header names.
    #[error(
        "the row has {fields} fields, the first line names {width}; perhaps a quotation mark or a delimiter is missing"
    )]
    Width {
        /// Fields found.
        fields: usize,
        /// Columns named by the header.
        width: usize,
    },
    /// The file ends inside quotes.
    #[error("the file ends inside a quoted field; the closing quotation mark is missing")]
    OpenQuote,
    /// Bytes that are no UTF-8.
    #[error("the column {column} is not UTF-8 (byte {byte:#04x}); save the file as UTF-8")]
    NotUtf8 {
        /// Name of the column.
        column: &'static str,
        /// The first bad byte.
        byte: u8,
    },
    /// A NUL character.
    #[error("the column {column} holds a NUL character; text has none")]
    Nul {
        /// Name of the column.
        column: &'static str,
    },
    /// A field without which the record has no identity.
    #[error("{column} is empty; every record needs one, it identifies the record")]
    Empty {
        /// Name of the column.
        column: &'static str,
    },
    /// No known outcome.
    #[error("repair_status is {found:?}; it should be Fixed, Repairable, End of life or Unknown")]
    Status {
        /// What stands there, shortened.
        found: String,
    },
    /// No day of the calendar.
    #[error(
        "event_date is {found:?}; it should be a day between 1900 and 2199 written as 2024-05-31, or empty"
    )]
    EventDate {
        /// What stands there, shortened.
        found: String,
    },
}

/// The fields of one row as csv-core left them: one buffer, one end per field.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    pub(super) text: &'a [u8],
    pub(super) ends: &'a [usize],
}

impl<'a> Fields<'a> {
    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of one, its quotation marks taken off.
    ///
    /// # Panics
    /// When there are not as many.
    #[must_use]
    pub fn get(self, index: usize) -> &'a [u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start..self.ends[index]]
    }

    /// Whether nothing but space stands from the one at `first` on.
    #[must_use]
    pub fn is_empty_from(self, first: usize) -> bool {
        (first..self.ends.len()).all(|index| self.get(index).trim_ascii().is_empty())
    }
}

/// Makes a record of a row; `None` for a row that is entirely empty, as spreadsheets leave behind.
pub(super) fn read_record(
    header: &Header,
    fields: Fields<'_>,
    defaults: &Defaults,
) -> Result<Option<RepairRecord>, RowFault> {
    if fields.is_empty_from(0) {
        return Ok(None);
    }
    let (found, width) = (fields.ends.len(), header.width);
    if found < width || !fields.is_empty_from(width) {
        return Err(RowFault::Width {
            fields: found,
            width,
        });
    }
    let row = Row { header, fields };
    Ok(Some(RepairRecord {
        data_provider: row.identifying(Column::DataProvider, defaults.data_provider.as_deref())?,
        id: row.identifying(Column::Id, None)?,
        country: row.text(Column::Country)?,
        category: row.text(Column::Category)?,
        partner_category: row.text(Column::PartnerCategory)?,
        brand: row.text(Column::Brand)?,
        year_of_manufacture: read_year(&row.text(Column::Year)?),
        product_age: read_age(&row.text(Column::Age)?),
        status: row.status()?,
        barrier: Some(row.text(Column::Barrier)?).filter(|text| !text.is_empty()),
        group: row.or_default(Column::Group, defaults.group.as_deref())?,
        event_date: row.event_date()?,
        problem: row.text(Column::Problem)?,
    }))
}

struct Row<'a> {
    header: &'a Header,
    fields: Fields<'a>,
}

impl Row<'_> {
    /// The trimmed text of a column; empty when the file has no such column.
    fn text(&self, column: Column) -> Result<String, RowFault> {
        let Some(index) = self.header.position(column) else {
            return Ok(String::new());
        };
        let bytes = self.fields.get(index);
        let text = std::str::from_utf8(bytes).map_err(|error| RowFault::NotUtf8 {
            column: column.name(),
            byte: bytes[error.valid_up_to()],
        })?;
        if text.contains('\0') {
            return Err(RowFault::Nul {
                column: column.name(),
            });
        }
        let text = text.trim();
        if text.contains('\r') {
            // The same record from a Windows and a Unix file must have the same fingerprint.
            return Ok(text.replace("\r\n", "\n").replace('\r', "\n"));
        }
        Ok(text.to_owned())
    }

    fn or_default(&self, column: Column, default: Option<&str>) -> Result<String, RowFault> {
        let text = self.text(column)?;
        match default {
            Some(default) if text.is_empty() => Ok(default.to_owned()),
            _ => Ok(text),
        }
    }

    fn identifying(&self, column: Column, default: Option<&str>) -> Result<String, RowFault> {
        let text = self.or_default(column, default)?;
        if text.is_empty() {
            return Err(RowFault::Empty {
                column: column.name(),
            });
        }
        Ok(text)
    }

    fn status(&self) -> Result<RepairStatus, RowFault> {
        let text = self.text(Column::Status)?;
        RepairStatus::from_name(&text).ok_or_else(|| RowFault::Status {
            found: shortened(&text),
        })
    }

    fn event_date(&self) -> Result<Option<Date>, RowFault> {
        let text = self.text(Column::EventDate)?;
        if matches!(text.as_str(), "" | "????") {
            return Ok(None);
        }
        match read_date(&text) {
            Some(date) => Ok(Some(date)),
            None => Err(RowFault::EventDate {
                found: shortened(&text),
            }),
        }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

/// `2024-05-31`, also with a time behind it, which is left out.
fn read_date(text: &str) -> Option<Date> {
    let (day, time) = text.split_at_checked(10)?;
    let is_time = |rest: &str| {
        rest.starts_with(['T', ' ']) && rest[1..].bytes().all(|b| b"0123456789:.+-Z ".contains(&b))
    };
    if !time.is_empty() && !is_time(time) {
        return None;
    }
    let mut parts = day.split('-');
    let year: i16 = digits(parts.next()?, 4)?;
    let month: i8 = digits(parts.next()?, 2)?;
    let day: i8 = digits(parts.next()?, 2)?;
    if parts.next().is_some() || !(1900..2200).contains(&year) {
        return None;
    }
    Date::new(year, month, day).ok()
}

fn digits<T: std::str::FromStr>(text: &str, count: usize) -> Option<T> {
    let right = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    right.then(|| text.parse().ok()).flatten()
}

fn read_year(text: &str) -> Option<u16> {
    let year: u16 = digits(text.strip_suffix(".0").unwrap_or(text), 4)?;
    (1700..2200).contains(&year).then_some(year)
}

fn read_age(text: &str) -> Option<String> {
    // Spreadsheets of half of Europe write a decimal comma.
    let text = text.replace(',', ".");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    let is_digits =
        |part: &str| (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    Some(text)
}
