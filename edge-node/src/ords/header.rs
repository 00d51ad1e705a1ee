//! The first line of a file: which delimiter it uses and which column stands where.
//!
//! Files differ in version, column order and extra columns, so columns are found by name only.
//! A header is accepted when it names the columns without which no record can be identified.

/// A column of the standard that this reader uses; others are passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The record's id within its provider.
    Id,
    /// Who published the record.
    DataProvider,
    /// ISO 3166 alpha-3 country.
    Country,
    /// The provider's own category.
    PartnerCategory,
    /// The standard's category.
    Category,
    /// Brand of the device.
    Brand,
    /// Year of manufacture.
    Year,
    /// Age in years.
    Age,
    /// Outcome of the repair.
    Status,
    /// Why a device reached its end of life.
    Barrier,
    /// The group that held the event.
    Group,
    /// Day of the event.
    EventDate,
    /// The fault in somebody's words.
    Problem,
}

impl Column {
    /// Every column, in the order of the standard.
    pub const ALL: [Self; 13] = [
        Self::Id,
        Self::DataProvider,
        Self::Country,
        Self::PartnerCategory,
        Self::Category,
        Self::Brand,
        Self::Year,
        Self::Age,
        Self::Status,
        Self::Barrier,
        Self::Group,
        Self::EventDate,
        Self::Problem,
    ];

    /// The name in v0.3 of the standard.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::DataProvider => "data_provider",
            Self::Country => "country",
            Self::PartnerCategory => "partner_product_category",
            Self::Category => "product_category",
            Self::Brand => "brand",
            Self::Year => "year_of_manufacture",
            Self::Age => "product_age",
            Self::Status => "repair_status",
            Self::Barrier => "repair_barrier_if_end_of_life",
            Self::Group => "group_identifier",
            Self::EventDate => "event_date",
            Self::Problem => "problem",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        // v0.1 says `date`, the quests' exports say `id_ords`, drafts of v0.2 `repair_barrier`.
        match name {
            "id_ords" => Some(Self::Id),
            "date" => Some(Self::EventDate),
            "repair_barrier" => Some(Self::Barrier),
            _ => Self::ALL.into_iter().find(|column| column.name() == name),
        }
    }
}

/// Why a whole file cannot be read. One of these ends the reading; no row comes out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// No byte but line breaks.
    #[error("the file is empty; its first line should name the columns")]
    Empty,
    /// A byte order mark of UTF-16.
    #[error("the file is UTF-16; save it as CSV in UTF-8")]
    Utf16,
    /// No line break within the limit.
    #[error("the first line is longer than {limit} bytes; it should name the columns")]
    TooLong {
        /// Bytes permitted.
        limit: usize,
    },
    /// More columns than permitted.
    #[error("the first line names {columns} columns; at most {limit} are read")]
    TooManyColumns {
        /// Columns found.
        columns: usize,
        /// Columns permitted.
        limit: usize,
    },
    /// Nothing that the standard knows.
    #[error(
        "the first line names no columns of the Open Repair Data Standard: it begins with {begins:?}, and should name columns as in {EXAMPLE}"
    )]
    NotRecognised {
        /// The first characters of the line.
        begins: String,
    },
    /// A column without which nothing can be read.
    #[error("the column {missing} is missing; the first line names {found}")]
    Missing {
        /// Its name.
        missing: &'static str,
        /// The known columns that are there.
        found: String,
    },
    /// A name that somebody gave and the first line does not have.
    #[error("the first line names no column {name:?}; it names {found}")]
    Unnamed {
        /// The name that was given.
        name: String,
        /// The columns that are there.
        found: String,
    },
    /// A known column twice.
    #[error("the first line names the column {name} twice; which of them counts cannot be known")]
    Repeated {
        /// Its name.
        name: &'static str,
    },
}

const EXAMPLE: &str =
    "id,data_provider,product_category,brand,repair_status,group_identifier,event_date,problem";

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Where the columns stand.
#[derive(Debug, Clone)]
pub struct Header {
    pub(super) delimiter: u8,
    pub(super) width: usize,
    positions: [Option<usize>; Column::ALL.len()],
}

impl Header {
    /// Reads the header line. `provider_known` says that the caller names a provider for rows
    /// that do not, which makes that column optional.
    pub(super) fn parse(
        line: &[u8],
        max_columns: usize,
        provider_known: bool,
    ) -> Result<Self, HeaderError> {
        let (delimiter, names) = best_split(line);
        let mut header = Self {
            delimiter,
            width: names.len(),
            positions: [None; 13],
        };
        let mut known = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let Some(column) = Column::from_name(name) else {
                continue;
            };
            if header.positions[column as usize].replace(index).is_some() {
                return Err(HeaderError::Repeated {
                    name: column.name(),
                });
            }
            known.push(column.name());
        }
        if known.len() < 2 {
            let begins = String::from_utf8_lossy(line)
                .trim()
                .chars()
                .take(60)
                .collect();
            return Err(HeaderError::NotRecognised { begins });
        }
        if names.len() > max_columns {
            return Err(HeaderError::TooManyColumns {
                columns: names.len(),
                limit: max_columns,
            });
        }
        let mut required = vec![Column::Id, Column::Status];
        if !provider_known {
            required.push(Column::DataProvider);
        }
        match required
            .into_iter()
            .find(|column| header.position(*column).is_none())
        {
            Some(column) => Err(HeaderError::Missing {
                missing: column.name(),
                found: known.join(", "),
            }),
            None => Ok(header),
        }
    }

    pub(super) const fn position(&self, column: Column) -> Option<usize> {
        self.positions[column as usize]
    }
}

/// The delimiter under which the most names are known, and the names it gives.
fn best_split(line: &[u8]) -> (u8, Vec<String>) {
    let (delimiter, names) = split_best(line, |name| Column::from_name(&plain(name)).is_some());
    (delimiter, names.iter().map(|name| plain(name)).collect())
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace([' ', '-'], "_")
}

/// The names of a first line under the delimiter that gives most names that are known, and of equals most names.
pub fn split_best(line: &[u8], is_known: impl Fn(&str) -> bool) -> (u8, Vec<String>) {
    let mut best = (b',', Vec::new());
    let mut best_count = None;
    for delimiter in DELIMITERS {
        let names = split(line, delimiter);
        let known = names.iter().filter(|name| is_known(name)).count();
        let count = (known, names.len());
        if best_count.is_none_or(|most| count > most) {
            best_count = Some(count);
            best = (delimiter, names);
        }
    }
    best
}

/// The names of a first line under one delimiter, trimmed.
fn split(line: &[u8], delimiter: u8) -> Vec<String> {
    let mut csv = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    let mut text = vec![0; line.len() + 1];
    let mut ends = vec![0; line.len() + 1];
    let (_, _, written, mut count) = csv.read_record(line, &mut text, &mut ends);
    let (_, _, _, more) = csv.read_record(&[], &mut text[written..], &mut ends[count..]);
    count += more;
    let mut start = 0;
    let mut names = Vec::with_capacity(count);
    for &end in &ends[..count] {
        let name = String::from_utf8_lossy(&text[start..end]);
        names.push(name.trim().to_owned());
        start = end;
    }
    names
}

/// Collects the first line that is not blank.
#[derive(Debug)]
pub(super) struct HeaderBuffer {
    line: Vec<u8>,
    in_quotes: bool,
    limit: usize,
}

impl HeaderBuffer {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            line: Vec::new(),
            in_quotes: false,
            limit,
        }
    }

    /// Takes one byte; true when it ended the line.
    pub(super) fn push(&mut self, byte: u8) -> Result<bool, HeaderError> {
        if matches!(byte, b'\r' | b'\n') && !self.in_quotes {
            let ended = !self.is_blank();
            if !ended {
                self.line.clear();
            }
            return Ok(ended);
        }
        self.in_quotes ^= byte == b'"';
        self.line.push(byte);
        if self.line.len() > self.limit {
            return Err(HeaderError::TooLong { limit: self.limit });
        }
        match self.line.as_slice() {
            [0xFF, 0xFE] | [0xFE, 0xFF] => return Err(HeaderError::Utf16),
            [0xEF, 0xBB, 0xBF] => self.line.clear(),
            _ => {}
        }
        Ok(false)
    }

    pub(super) fn is_blank(&self) -> bool {
        self.line.iter().all(u8::is_ascii_whitespace)
    }

    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }
}
