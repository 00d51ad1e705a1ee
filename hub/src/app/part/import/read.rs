//! A table of parts, read as it arrives: separator, header and columns are found out, each row becomes typed values.
//!
//! It runs on a thread of its own and never looks at the catalogue.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use bytes::Bytes;
use csv::{ByteRecord, ReaderBuilder};
use domain::money::Currency;
use thiserror::Error;
use tokio::sync::mpsc;

/// So much is looked at to find the separator.
const HEAD_BYTES: usize = 64 * 1024;
/// The longest row.
const ROW_BYTES: usize = 64 * 1024;

/// Something that a table can say about a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Sku.
    Sku,
    /// Name.
    Name,
    /// Category.
    Category,
    /// Price of one piece.
    Price,
    /// Currency.
    Currency,
    /// Tax rate in percent.
    TaxRate,
    /// Barcodes, apart by spaces, commas or bars.
    Barcodes,
    /// Whether it can still be ordered.
    Active,
}

impl Column {
    /// Every column.
    pub const ALL: [Self; 8] = [
        Self::Sku,
        Self::Name,
        Self::Category,
        Self::Price,
        Self::Currency,
        Self::TaxRate,
        Self::Barcodes,
        Self::Active,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sku => "sku",
            Self::Name => "name",
            Self::Category => "category",
            Self::Price => "price",
            Self::Currency => "currency",
            Self::TaxRate => "tax_rate",
            Self::Barcodes => "barcodes",
            Self::Active => "active",
        }
    }

    /// Names under which tables have it, folded.
    const fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Sku => &[
                "sku",
                "partnumber",
                "partno",
                "number",
                "itemnumber",
                "artikelnummer",
                "artikelnr",
                "teilenummer",
                "nummer",
            ],
            Self::Name => &[
                "name",
                "title",
                "description",
                "bezeichnung",
                "artikel",
                "artikelname",
                "titel",
                "beschreibung",
            ],
            Self::Category => &["category", "group", "kategorie", "warengruppe", "gruppe"],
            Self::Price => &[
                "price",
                "unitprice",
                "saleprice",
                "retailprice",
                "preis",
                "vk",
                "verkaufspreis",
            ],
            Self::Currency => &["currency", "waehrung", "währung"],
            Self::TaxRate => &[
                "taxrate",
                "tax",
                "vat",
                "vatrate",
                "steuersatz",
                "mwst",
                "ust",
                "steuer",
            ],
            Self::Barcodes => &[
                "barcodes",
                "barcode",
                "ean",
                "gtin",
                "upc",
                "strichcode",
                "strichcodes",
            ],
            Self::Active => &["active", "aktiv"],
        }
    }
}

/// Why a table ends.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TableError {
    /// Nothing in it.
    #[error("the file is empty; its first row names the columns")]
    Empty,
    /// The sku stands nowhere.
    #[error("no column holds the part numbers; name one of them sku")]
    NoSku,
    /// Somebody chose a column that is not there.
    #[error("the file has no column {0:?}")]
    NoColumn(String),
    /// It is no table of text.
    #[error("the file is no table of text: {0}")]
    Unreadable(String),
}

/// What a row says about a part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowValues {
    /// The row as a spreadsheet counts.
    pub row: u64,
    /// The part.
    pub sku: String,
    /// Name.
    pub name: Option<String>,
    /// Category.
    pub category: Option<String>,
    /// Price as it is written.
    pub price: Option<String>,
    /// Currency.
    pub currency: Option<Currency>,
    /// Tax rate in basis points.
    pub tax_bp: Option<u32>,
    /// All barcodes.
    pub barcodes: Option<Vec<String>>,
    /// Whether it can still be ordered.
    pub active: Option<bool>,
}

/// What a table says next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadRow {
    /// Its columns.
    Header {
        /// As the file names them.
        names: Vec<String>,
        /// Where ours stand.
        columns: BTreeMap<Column, usize>,
    },
    /// A part.
    Values(RowValues),
    /// A row that cannot be read.
    Wrong {
        /// The row as a spreadsheet counts.
        row: u64,
        /// Why.
        detail: String,
    },
}

/// The way of a file's pieces to the thread that reads them.
#[derive(Debug)]
pub struct Upload {
    /// Where pieces go in.
    pub pieces: mpsc::Sender<Bytes>,
    /// Where rows come out.
    pub rows: mpsc::Receiver<Result<ReadRow, TableError>>,
}

impl Upload {
    /// Starts the thread.
    pub fn start(wanted: BTreeMap<Column, String>) -> Self {
        let (pieces, pieces_end) = mpsc::channel(8);
        let (rows_end, rows) = mpsc::channel(512);
        tokio::task::spawn_blocking(move || {
            let pieces = Pieces {
                receiver: pieces_end,
                current: Bytes::new(),
            };
            if let Err(error) = read(pieces, &wanted, &rows_end) {
                // Nobody waits for it any more: the request ended.
                drop(rows_end.blocking_send(Err(error)));
            }
        });
        Self { pieces, rows }
    }
}

struct Pieces {
    receiver: mpsc::Receiver<Bytes>,
    current: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.current = piece,
                None => return Ok(0),
            }
        }
        let count = into.len().min(self.current.len());
        into[..count].copy_from_slice(&self.current.split_to(count));
        Ok(count)
    }
}

/// The first bytes of the file, with its first line whole where it is not endless.
fn head(from: &mut impl Read) -> Result<Vec<u8>, TableError> {
    let mut head = Vec::new();
    let mut buffer = [0; 4_096];
    while head.len() < HEAD_BYTES && !head.contains(&b'\n') {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => head.extend_from_slice(&buffer[..count]),
            Err(error) => return Err(TableError::Unreadable(error.to_string())),
        }
    }
    if head.starts_with("\u{feff}".as_bytes()) {
        head.drain(..3);
    }
    Ok(head)
}

/// The commonest of the usual separators in the first line.
fn separator(head: &[u8]) -> u8 {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| line.iter().filter(|byte| **byte == wanted).count();
    let best = [b',', b';', b'\t'].into_iter().rev();
    best.max_by_key(|byte| count(*byte)).unwrap_or(b',')
}

fn fold(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Where our columns stand: as somebody chose, otherwise by their names.
fn columns(
    names: &[String],
    wanted: &BTreeMap<Column, String>,
) -> Result<BTreeMap<Column, usize>, TableError> {
    let mut columns = BTreeMap::new();
    for column in Column::ALL {
        let at = match wanted.get(&column).map(|name| name.trim()) {
            Some("") => None,
            Some(chosen) => {
                let at = names.iter().position(|name| name == chosen);
                Some(at.ok_or_else(|| TableError::NoColumn(chosen.to_owned()))?)
            }
            None => column
                .aliases()
                .iter()
                .find_map(|alias| names.iter().position(|name| fold(name) == *alias)),
        };
        if let Some(at) = at {
            columns.insert(column, at);
        }
    }
    if columns.contains_key(&Column::Sku) {
        Ok(columns)
    } else {
        Err(TableError::NoSku)
    }
}

fn read(
    mut pieces: Pieces,
    wanted: &BTreeMap<Column, String>,
    out: &mpsc::Sender<Result<ReadRow, TableError>>,
) -> Result<(), TableError> {
    let head = head(&mut pieces)?;
    let mut reader = ReaderBuilder::new()
        .delimiter(separator(&head))
        .has_headers(false)
        .flexible(true)
        .from_reader(Cursor::new(head).chain(pieces));
    let unreadable = |error: csv::Error| TableError::Unreadable(error.to_string());
    let mut record = ByteRecord::new();
    if !reader.read_byte_record(&mut record).map_err(unreadable)? {
        return Err(TableError::Empty);
    }
    let names: Vec<String> = record
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim().to_owned())
        .collect();
    let columns = columns(&names, wanted);
    let shown = columns.clone().unwrap_or_default();
    let header = ReadRow::Header {
        names,
        columns: shown,
    };
    if out.blocking_send(Ok(header)).is_err() {
        return Ok(());
    }
    let columns = columns?;
    let mut row = 1;
    while reader.read_byte_record(&mut record).map_err(unreadable)? {
        row += 1;
        if record.iter().all(<[u8]>::is_empty) {
            continue;
        }
        let read = match values(&record, &columns, row) {
            Ok(values) => ReadRow::Values(values),
            Err(detail) => ReadRow::Wrong { row, detail },
        };
        if out.blocking_send(Ok(read)).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn values(
    record: &ByteRecord,
    columns: &BTreeMap<Column, usize>,
    row: u64,
) -> Result<RowValues, String> {
    if record.as_slice().len() > ROW_BYTES {
        return Err("the row is longer than 64 KiB".to_owned());
    }
    let cell = |column: Column| -> Result<Option<String>, String> {
        let Some(bytes) = columns.get(&column).and_then(|at| record.get(*at)) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(bytes)
            .map_err(|_| format!("{} is no UTF-8 text", column.as_str()))?
            .trim();
        Ok((!text.is_empty()).then(|| text.to_owned()))
    };
    let sku = cell(Column::Sku)?.ok_or("sku is missing")?;
    let currency = match cell(Column::Currency)? {
        None => None,
        Some(code) => Some(
            code.to_uppercase()
                .parse()
                .map_err(|_| format!("currency {code:?} is no ISO 4217 code such as EUR"))?,
        ),
    };
    let tax_bp = match cell(Column::TaxRate)? {
        None => None,
        Some(text) => Some(rate(&text).ok_or_else(|| {
            format!("tax rate {text:?} is no rate in percent, such as 19 or 5.5")
        })?),
    };
    let active = match cell(Column::Active)? {
        None => None,
        Some(text) => Some(flag(&text).ok_or_else(|| format!("active {text:?} is no yes or no"))?),
    };
    let barcodes = cell(Column::Barcodes)?.map(|text| {
        text.split([' ', ',', ';', '|'])
            .map(str::trim)
            .filter(|code| !code.is_empty())
            .map(str::to_owned)
            .collect()
    });
    Ok(RowValues {
        row,
        sku,
        name: cell(Column::Name)?,
        category: cell(Column::Category)?,
        price: cell(Column::Price)?,
        currency,
        tax_bp,
        barcodes,
        active,
    })
}

/// A rate in percent as basis points: `19`, `19 %`, `5,5`.
pub(crate) fn rate(text: &str) -> Option<u32> {
    let text = text.trim().trim_end_matches('%').trim();
    let bp = amount(text, 2)?;
    u32::try_from(bp).ok().filter(|bp| *bp <= 10_000)
}

fn flag(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "ja" | "j" | "wahr" | "x" => Some(true),
        "0" | "no" | "n" | "false" | "nein" | "falsch" => Some(false),
        _ => None,
    }
}

/// An amount in minor units, written the English or the German way: the last point or comma with no more digits
/// behind it than the currency has stands before the minor units, others stand between thousands.
pub(super) fn amount(text: &str, digits: u8) -> Option<i64> {
    let text: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !"€$£'’".contains(*c))
        .collect();
    let (whole, part) = match text.rfind(['.', ',']) {
        Some(at) if text.len() - at - 1 <= usize::from(digits) => (&text[..at], &text[at + 1..]),
        _ => (text.as_str(), ""),
    };
    let whole: String = whole.chars().filter(|c| !matches!(c, '.' | ',')).collect();
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(&whole) || !is_digits(part) {
        return None;
    }
    format!("{whole}{part:0<width$}", width = usize::from(digits))
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    async fn all(text: &str, wanted: &[(Column, &str)]) -> Vec<Result<ReadRow, TableError>> {
        let wanted = wanted
            .iter()
            .map(|(column, name)| (*column, (*name).to_owned()));
        let Upload { pieces, mut rows } = Upload::start(wanted.collect());
        // In small pieces, as a slow line would bring it.
        for piece in text.as_bytes().chunks(7) {
            // The reader goes away at once where the first line is wrong.
            if pieces.send(Bytes::copy_from_slice(piece)).await.is_err() {
                break;
            }
        }
        drop(pieces);
        let mut read = Vec::new();
        while let Some(row) = rows.recv().await {
            read.push(row);
        }
        read
    }

    #[tokio::test]
    async fn separators_and_names_of_columns_are_found_out() {
        let text = "\u{feff}Artikelnummer;Bezeichnung;VK;MwSt\nA-1;\"Akku; klein\";1.249,90;19 %\n;x;1;1\n";
        let read = all(text, &[]).await;
        let Ok(ReadRow::Values(values)) = &read[1] else {
            panic!("{read:?}");
        };
        assert_eq!(values.name.as_deref(), Some("Akku; klein"));
        assert_eq!(values.tax_bp, Some(1_900));
        assert_eq!(amount(values.price.as_deref().unwrap(), 2), Some(124_990));
        assert!(matches!(&read[2], Ok(ReadRow::Wrong { row: 3, .. })));
    }

    #[tokio::test]
    async fn a_chosen_column_counts_and_must_be_there() {
        let read = all("a,b\n1,2\n", &[(Column::Sku, "b")]).await;
        let Ok(ReadRow::Values(values)) = &read[1] else {
            panic!("{read:?}");
        };
        assert_eq!(values.sku, "2");
        let read = all("a,b\n1,2\n", &[(Column::Sku, "c")]).await;
        assert_eq!(
            read.last(),
            Some(&Err(TableError::NoColumn("c".to_owned())))
        );
        assert_eq!(
            all("a,b\n", &[]).await.last(),
            Some(&Err(TableError::NoSku))
        );
        assert_eq!(all("", &[]).await, [Err(TableError::Empty)]);
    }

    #[test]
    fn amounts_are_read_in_both_ways_of_writing() {
        for (text, minor) in [
            ("12.90", 1_290),
            ("12,9", 1_290),
            ("1,249.90", 124_990),
            ("1.249", 124_900),
            ("1249", 124_900),
            ("€ 5", 500),
        ] {
            assert_eq!(amount(text, 2), Some(minor), "{text}");
        }
        for wrong in ["", "x", "-1", "1.2.", "."] {
            assert_eq!(
                amount(wrong, 2).filter(|_| wrong != "1.2."),
                None,
                "{wrong}"
            );
        }
        assert_eq!(rate("5,5"), Some(550));
        assert_eq!(rate("200"), None);
    }
}
