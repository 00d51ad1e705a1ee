//! Reads a file of records for the demo: its groups, the largest of them, each in date order.
//!
//! A row that the importer must refuse (no id, no known outcome, no day of the calendar, another
//! width than the header, not UTF-8) or that repeats an id is counted as unusable and is in no
//! group. Only the rows of the groups asked for are kept in memory.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Seek};
use std::path::Path;

use anyhow::{Context, Result, bail};
use csv::{ByteRecord, StringRecord};

/// A group and how many usable records it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupSize {
    pub(crate) group: String,
    pub(crate) records: u64,
}

/// `repair_status` of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Fixed,
    Repairable,
    EndOfLife,
    Unknown,
}

/// A record with the fields that the demo looks at, and its row as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceRecord {
    pub(crate) data_provider: String,
    pub(crate) id: String,
    pub(crate) category: String,
    pub(crate) brand: String,
    pub(crate) problem: String,
    pub(crate) outcome: Outcome,
    /// `2024-05-31`, or empty
    pub(crate) event_date: String,
    row: StringRecord,
}

/// Records for one branch, in date order.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// The group's name, with a number behind it when the group was split
    pub(crate) name: String,
    /// `group_identifier` of its records
    pub(crate) group: String,
    pub(crate) records: Vec<SourceRecord>,
}

/// What was taken from a file.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Rows below the header
    pub(crate) records_read: u64,
    /// Rows that no importer can take
    pub(crate) unusable: u64,
    /// Largest first
    pub(crate) groups: Vec<Group>,
    header: StringRecord,
}

impl Source {
    /// A CSV of these records under the file's own header, to be uploaded.
    pub(crate) fn csv(&self, records: &[SourceRecord]) -> Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.header)?;
        for record in records {
            writer.write_record(&record.row)?;
        }
        writer.into_inner().context("writing records to memory")
    }
}

/// All groups of a file, largest first, by name where equal.
pub(crate) fn group_sizes(file: &Path) -> Result<Vec<GroupSize>> {
    Ok(sizes(&scan(file, |_, _| {})?))
}

fn sizes(totals: &Totals) -> Vec<GroupSize> {
    let mut sizes: Vec<GroupSize> = totals
        .groups
        .iter()
        .map(|(group, &records)| GroupSize {
            group: group.clone(),
            records,
        })
        .collect();
    sizes.sort_by_key(|size| std::cmp::Reverse(size.records));
    sizes
}

/// The `count` largest groups of a file, each in date order. A file with fewer groups has its
/// largest split by date into as many equal parts as are missing.
pub(crate) fn load_groups(file: &Path, count: usize) -> Result<Source> {
    let largest: Vec<String> = group_sizes(file)?
        .into_iter()
        .take(count)
        .map(|size| size.group)
        .collect();
    let wanted: BTreeSet<&str> = largest.iter().map(String::as_str).collect();
    let mut records = BTreeMap::<String, Vec<SourceRecord>>::new();
    let totals = scan(file, |group, record| {
        if wanted.contains(group) {
            records.entry(group.to_owned()).or_default().push(record);
        }
    })?;
    let mut groups: Vec<Group> = largest
        .into_iter()
        .map(|name| {
            let mut records = records.remove(&name).unwrap_or_default();
            records.sort_by(|left, right| left.event_date.cmp(&right.event_date));
            Group {
                group: name.clone(),
                name,
                records,
            }
        })
        .collect();
    if groups.len() < count {
        split_largest(&mut groups, count)?;
    }
    Ok(Source {
        records_read: totals.read,
        unusable: totals.unusable,
        groups,
        header: totals.header,
    })
}

fn split_largest(groups: &mut Vec<Group>, count: usize) -> Result<()> {
    if groups.is_empty() {
        bail!("the file has no usable record");
    }
    let parts = count - groups.len() + 1;
    let largest = groups.remove(0);
    let total = largest.records.len();
    if total < parts {
        bail!(
            "{} has {total} records, too few for {parts} branches",
            largest.name
        );
    }
    for part in 0..parts {
        let range = total * part / parts..total * (part + 1) / parts;
        groups.push(Group {
            name: format!("{} ({})", largest.name, part + 1),
            group: largest.group.clone(),
            records: largest.records[range].to_vec(),
        });
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.records.len()));
    Ok(())
}

struct Totals {
    read: u64,
    unusable: u64,
    groups: BTreeMap<String, u64>,
    header: StringRecord,
}

/// Walks the file, hands every usable record over with its group.
fn scan(file: &Path, mut each: impl FnMut(&str, SourceRecord)) -> Result<Totals> {
    let named = || format!("reading {}", file.display());
    let mut reader = open(file).with_context(named)?;
    let header =
        StringRecord::from_byte_record_lossy(reader.byte_headers().with_context(named)?.clone());
    let columns = Columns::find(&header).with_context(named)?;
    let mut totals = Totals {
        read: 0,
        unusable: 0,
        groups: BTreeMap::new(),
        header,
    };
    let mut seen = HashSet::new();
    let mut row = ByteRecord::new();
    while reader.read_byte_record(&mut row).with_context(named)? {
        if row.iter().all(|field| field.trim_ascii().is_empty()) {
            continue;
        }
        totals.read += 1;
        let usable = columns
            .read(&row)
            .filter(|(_, record)| seen.insert((record.data_provider.clone(), record.id.clone())));
        match usable {
            Some((group, record)) => {
                *totals.groups.entry(group.clone()).or_default() += 1;
                each(&group, record);
            }
            None => totals.unusable += 1,
        }
    }
    Ok(totals)
}

fn open(file: &Path) -> Result<csv::Reader<BufReader<File>>> {
    let mut input = BufReader::new(File::open(file)?);
    let mut first_line = Vec::new();
    input.read_until(b'\n', &mut first_line)?;
    input.rewind()?;
    let count = |delimiter: &u8| first_line.iter().filter(|byte| *byte == delimiter).count();
    let delimiter = [b',', b';', b'\t']
        .into_iter()
        .max_by_key(count)
        .unwrap_or(b',');
    Ok(csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(input))
}

struct Columns {
    width: usize,
    id: usize,
    data_provider: usize,
    status: usize,
    group: Option<usize>,
    category: Option<usize>,
    brand: Option<usize>,
    problem: Option<usize>,
    event_date: Option<usize>,
}

impl Columns {
    fn find(header: &StringRecord) -> Result<Self> {
        let place = |name: &str| {
            header
                .iter()
                .position(|column| column.trim().eq_ignore_ascii_case(name))
        };
        let required = |name: &str| {
            place(name).with_context(|| format!("the first line names no column {name}"))
        };
        Ok(Self {
            width: header.len(),
            id: required("id")?,
            data_provider: required("data_provider")?,
            status: required("repair_status")?,
            group: place("group_identifier"),
            category: place("product_category"),
            brand: place("brand"),
            problem: place("problem"),
            event_date: place("event_date").or_else(|| place("date")),
        })
    }

    /// The row's group and record, when an importer can take it.
    fn read(&self, row: &ByteRecord) -> Option<(String, SourceRecord)> {
        let row = StringRecord::from_byte_record(row.clone()).ok()?;
        let surplus = row
            .iter()
            .skip(self.width)
            .any(|field| !field.trim().is_empty());
        if row.len() < self.width || surplus || row.as_slice().contains('\0') {
            return None;
        }
        let text = |index: usize| row[index].trim().to_owned();
        let optional = |index: Option<usize>| index.map(text).unwrap_or_default();
        let record = SourceRecord {
            data_provider: text(self.data_provider),
            id: text(self.id),
            category: optional(self.category),
            brand: optional(self.brand),
            problem: optional(self.problem),
            outcome: outcome(&text(self.status))?,
            event_date: day(&optional(self.event_date))?,
            row: row.iter().take(self.width).collect(),
        };
        let named = !record.data_provider.is_empty() && !record.id.is_empty();
        named.then(|| (optional(self.group), record))
    }
}

fn outcome(text: &str) -> Option<Outcome> {
    match text.to_lowercase().replace(['_', '-'], " ").as_str() {
        "fixed" => Some(Outcome::Fixed),
        "repairable" => Some(Outcome::Repairable),
        "end of life" => Some(Outcome::EndOfLife),
        "unknown" | "????" => Some(Outcome::Unknown),
        _ => None,
    }
}

/// A day of the calendar as it sorts, or empty for none.
fn day(text: &str) -> Option<String> {
    if matches!(text, "" | "????") {
        return Some(String::new());
    }
    let day = text.get(..10)?;
    let number = |range: std::ops::Range<usize>| {
        let digits = &day.as_bytes()[range];
        let text = std::str::from_utf8(digits).ok()?;
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then(|| text.parse::<u32>().ok())?
    };
    let (year, month, date) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    let hyphens = day.as_bytes()[4] == b'-' && day.as_bytes()[7] == b'-';
    let right = hyphens && (1900..2200).contains(&year) && (1..=length).contains(&date);
    right.then(|| day.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::super::{Plan, generate};
    use super::*;

    fn file(text: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn unusable_rows_are_counted_and_left_out() {
        let text = "id;data_provider;repair_status;group_identifier;event_date;problem\n\
            1;P;Fixed;A ;2020-05-02;\"late; but\nhere\"\n2;P;End of life;A;2020-05-01;early\n\
            ;P;Fixed;A;2020-05-01;\n3;P;Fixed;A;2020-02-30;\n4;P;mended;A;;\n1;P;Unknown;B;;again\n5;P;Unknown;B;;\n6;P\n";
        let file = file(text.as_bytes());
        let source = load_groups(file.path(), 2).unwrap();
        assert_eq!((source.records_read, source.unusable), (8, 5));
        assert_eq!(source.groups[0].name, "A");
        let problems: Vec<_> = source.groups[0]
            .records
            .iter()
            .map(|record| record.problem.as_str())
            .collect();
        assert_eq!(problems, ["early", "late; but\nhere"]);
        assert_eq!(source.groups[1].records[0].outcome, Outcome::Unknown);
        let csv = String::from_utf8(source.csv(&source.groups[0].records).unwrap()).unwrap();
        assert_eq!(
            csv,
            "id,data_provider,repair_status,group_identifier,event_date,problem\n\
            2,P,End of life,A,2020-05-01,early\n1,P,Fixed,A ,2020-05-02,\"late; but\nhere\"\n"
        );
    }

    #[test]
    fn with_fewer_groups_the_largest_is_split_by_date() {
        let mut text = Vec::new();
        generate(
            &Plan {
                seed: 3,
                groups: 2,
                records: 300,
            },
            &mut text,
        )
        .unwrap();
        let file = file(&text);
        let sizes = group_sizes(file.path()).unwrap();
        let source = load_groups(file.path(), 5).unwrap();
        assert_eq!(source.groups.len(), 5);
        assert_eq!(source.unusable, 0);
        let total: usize = source.groups.iter().map(|group| group.records.len()).sum();
        assert_eq!(total, 300);
        let parts: Vec<&Group> = source
            .groups
            .iter()
            .filter(|group| group.name.starts_with(&sizes[0].group))
            .collect();
        assert_eq!(parts.len(), 4);
        let mut by_name = parts.clone();
        by_name.sort_by_key(|group| &group.name);
        let dates: Vec<&str> = by_name
            .iter()
            .flat_map(|group| &group.records)
            .map(|record| record.event_date.as_str())
            .collect();
        assert!(dates.is_sorted());
        assert!(load_groups(file.path(), 400).is_err());
    }

    #[test]
    fn the_published_file_has_the_groups_it_is_known_for() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../shared/data/repairs/OpenRepairData_v0.3_RestartProject_202204.csv");
        if !path.is_file() {
            eprintln!("skipped: the published repair records are not on this machine");
            return;
        }
        assert_eq!(group_sizes(&path).unwrap().len(), 181);
        let source = load_groups(&path, 4).unwrap();
        let records: Vec<_> = source
            .groups
            .iter()
            .flat_map(|group| &group.records)
            .collect();
        let count = |outcome| {
            records
                .iter()
                .filter(|record| record.outcome == outcome)
                .count()
        };
        assert_eq!(
            (source.records_read, source.unusable, records.len()),
            (23_940, 0, 5_841)
        );
        assert_eq!(
            [
                Outcome::Fixed,
                Outcome::EndOfLife,
                Outcome::Repairable,
                Outcome::Unknown
            ]
            .map(count),
            [2_809, 1_193, 1_781, 58]
        );
    }
}
