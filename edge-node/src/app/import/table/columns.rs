//! The first line of a table, and the fields of its rows.

use std::collections::BTreeMap;

use super::field::{Field, Kind};
use crate::ords::{Fields, Form, HeaderError, Limits, RowFault, split_best};
use web_kit::wire::Personal;

/// Which column means what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Places {
    /// As programs usually call them.
    #[default]
    Guessed,
    /// The same, but these by name.
    Named(BTreeMap<Field, String>),
    /// These and no others, by place from 0. A field that a row needs may be missing while a person chooses.
    Chosen(BTreeMap<Field, usize>),
}

/// How a table is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What it is about.
    pub kind: Kind,
    /// Which column means what.
    pub places: Places,
}

/// What the first line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    delimiter: u8,
    names: Vec<String>,
    places: BTreeMap<Field, usize>,
}

/// What a row says, trimmed, with line breaks as `\n`. It may be about a person, so it never shows in `Debug`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cells(BTreeMap<Field, Personal>);

impl Cells {
    /// The text of a field; empty where the table does not have it.
    pub fn get(&self, field: Field) -> &str {
        self.0.get(&field).map_or("", Personal::expose)
    }

    /// How many bytes it holds.
    pub(super) fn size_bytes(&self) -> usize {
        self.0.values().map(|value| value.expose().len()).sum()
    }
}

impl Columns {
    /// The columns' names as the file writes them.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Which column means what.
    pub fn places(&self) -> &BTreeMap<Field, usize> {
        &self.places
    }

    /// The first field that every row needs and no column means.
    pub fn missing(&self, kind: Kind) -> Option<Field> {
        let mut fields = kind.fields().iter().copied();
        fields.find(|field| kind.requires(*field) && !self.places.contains_key(field))
    }

    /// Which column means what by the usual names.
    pub fn guess(&self, kind: Kind) -> BTreeMap<Field, usize> {
        guess(kind, &self.names, &BTreeMap::new())
    }

    fn said(&self) -> String {
        self.names.join(", ").chars().take(200).collect()
    }
}

impl Form for Columns {
    type Settings = Reading;
    type Record = Cells;

    fn of_header(line: &[u8], limits: Limits, reading: &Reading) -> Result<Self, HeaderError> {
        let is_known = |name: &str| {
            let mut fields = reading.kind.fields().iter();
            fields.any(|field| field.rank(name).is_some())
        };
        let (delimiter, names) = split_best(line, is_known);
        if names.len() > limits.columns {
            return Err(HeaderError::TooManyColumns {
                columns: names.len(),
                limit: limits.columns,
            });
        }
        let mut columns = Self {
            delimiter,
            places: BTreeMap::new(),
            names,
        };
        match &reading.places {
            Places::Chosen(places) => {
                columns.places = places.clone();
                columns.places.retain(|_, at| *at < columns.names.len());
                return Ok(columns);
            }
            Places::Guessed => {
                columns.places = guess(reading.kind, &columns.names, &BTreeMap::new())
            }
            Places::Named(named) => {
                let mut chosen = BTreeMap::new();
                for (field, name) in named {
                    let at = columns.names.iter().position(|there| there == name);
                    let at = at.ok_or_else(|| HeaderError::Unnamed {
                        name: name.clone(),
                        found: columns.said(),
                    })?;
                    chosen.insert(*field, at);
                }
                columns.places = guess(reading.kind, &columns.names, &chosen);
            }
        }
        match columns.missing(reading.kind) {
            Some(field) => Err(HeaderError::Missing {
                missing: field.name(),
                found: columns.said(),
            }),
            None => Ok(columns),
        }
    }

    fn delimiter(&self) -> u8 {
        self.delimiter
    }

    fn width(&self) -> usize {
        self.names.len()
    }

    fn read(&self, fields: Fields<'_>, _: &Reading) -> Result<Option<Cells>, RowFault> {
        if fields.is_empty_from(0) {
            return Ok(None);
        }
        let (found, width) = (fields.len(), self.names.len());
        if found < width || !fields.is_empty_from(width) {
            return Err(RowFault::Width {
                fields: found,
                width,
            });
        }
        let mut cells = BTreeMap::new();
        for (field, at) in &self.places {
            cells.insert(*field, Personal::new(text_of(fields.get(*at), *field)?));
        }
        Ok(Some(Cells(cells)))
    }
}

/// Gives each field that has none the column whose name is surest; a column means one thing.
fn guess(kind: Kind, names: &[String], chosen: &BTreeMap<Field, usize>) -> BTreeMap<Field, usize> {
    let mut places = chosen.clone();
    let mut fits = Vec::new();
    for (order, field) in kind.fields().iter().enumerate() {
        for (at, name) in names.iter().enumerate() {
            if let Some(rank) = field.rank(name) {
                fits.push((rank, order, at, *field));
            }
        }
    }
    fits.sort_unstable();
    for (_, _, at, field) in fits {
        if !places.contains_key(&field) && places.values().all(|taken| *taken != at) {
            places.insert(field, at);
        }
    }
    places
}

fn text_of(bytes: &[u8], field: Field) -> Result<String, RowFault> {
    let column = field.name();
    let text = std::str::from_utf8(bytes).map_err(|error| RowFault::NotUtf8 {
        column,
        byte: bytes[error.valid_up_to()],
    })?;
    if text.contains('\0') {
        return Err(RowFault::Nul { column });
    }
    Ok(text.trim().replace("\r\n", "\n").replace('\r', "\n"))
}
