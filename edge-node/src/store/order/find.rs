//! Finding orders for the one box: by words with their synonyms, by the end of a serial; and the devices that are
//! known here, for fields that suggest.
//!
//! Nothing here reads a personal value. Every statement walks an index; none reads all orders.

use std::collections::BTreeSet;

use domain::id::DocumentId;
use domain::order::Status;
use rusqlite::types::Value;

use super::super::reader::Reader;
use super::super::value::{Id, unsigned};
use super::{OrderRecord, query};
use crate::error::AppError;

/// Fewest letters of a word that stand for all words which begin so; shorter ones mean themselves.
const PREFIX_MIN: usize = 2;
/// Fewest signs of a serial's end that are looked for: the index holds so many.
pub const SERIAL_END: usize = 4;

/// Words of which an order must have one each, in any of their spellings.
pub type Wanted = Vec<Vec<String>>;

/// An order that may be meant, before anything of it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Whether it is neither collected nor cancelled.
    pub is_open: bool,
    /// Its place in lists; newer ones have greater numbers.
    pub row: i64,
}

fn hits(
    reader: &Reader<'_>,
    sql: &'static str,
    params: impl rusqlite::Params,
) -> Result<Vec<Hit>, AppError> {
    let mut statement = reader.conn().prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let status: Status = row
            .get_ref(1)?
            .as_str()
            .map_err(rusqlite::Error::from)?
            .parse()
            .unwrap_or(Status::Received);
        found.push(Hit {
            is_open: !matches!(status, Status::Collected | Status::Cancelled),
            row: row.get(0)?,
        });
    }
    Ok(found)
}

/// The order at a place in lists.
pub fn at_row(reader: &Reader<'_>, row: i64) -> Result<Option<OrderRecord>, AppError> {
    Ok(query(
        reader,
        select!("where o.row = ?1"),
        vec![Value::Integer(row)],
    )?
    .pop())
}

/// The newest orders with these words, and the newest of those that are still open.
pub fn by_words(reader: &Reader<'_>, wanted: &Wanted, limit: u32) -> Result<Vec<Hit>, AppError> {
    let Some(expression) = expression(wanted) else {
        return Ok(Vec::new());
    };
    let open = open_rows(reader)?;
    let oldest_open = open.first().copied().unwrap_or(i64::MAX);
    // Newest first, and no further than to the oldest that is open: the words of a question may be on every order.
    let mut statement = reader
        .conn()
        .prepare_cached("select rowid from order_text where words match ?1 order by rowid desc")?;
    let mut rows = statement.query([&expression])?;
    let (mut found, mut newest, mut still_open) = (Vec::new(), 0, 0);
    while (newest < limit || still_open < limit)
        && let Some(row) = rows.next()?
    {
        let row: i64 = row.get(0)?;
        if newest >= limit && row < oldest_open {
            break;
        }
        let is_open = open.contains(&row);
        if newest < limit || is_open {
            found.push(Hit { is_open, row });
        }
        newest += 1;
        still_open += u32::from(is_open);
    }
    Ok(found)
}

/// The places of the orders that are neither collected nor cancelled, of which there are few.
fn open_rows(reader: &Reader<'_>) -> Result<BTreeSet<i64>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select row from repair_order indexed by repair_order_status
         where status in ('received', 'diagnosing', 'awaiting_approval', 'awaiting_parts', 'in_repair', 'ready')",
    )?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The newest orders of a person.
pub fn of_customer(
    reader: &Reader<'_>,
    customer: DocumentId,
    limit: u32,
) -> Result<Vec<Hit>, AppError> {
    hits(
        reader,
        "select row, status from repair_order where customer = ?1 order by row desc limit ?2",
        (Id(customer), limit),
    )
}

/// An FTS5 expression in which no sign that a person typed is an operator.
fn expression(wanted: &Wanted) -> Option<String> {
    let one = |word: &String| {
        let is_long = word.chars().count() >= PREFIX_MIN;
        format!(
            "\"{}\"{}",
            word.replace('"', ""),
            if is_long { "*" } else { "" }
        )
    };
    let groups: Vec<String> = wanted
        .iter()
        .filter(|words| !words.is_empty())
        .map(|words| {
            let words: Vec<String> = words.iter().map(one).collect();
            format!("({})", words.join(" OR "))
        })
        .collect();
    (!groups.is_empty()).then(|| groups.join(" AND "))
}

/// Orders whose serial ends so, whatever its case, newest first; none for less than [`SERIAL_END`] signs.
pub fn by_serial_end(reader: &Reader<'_>, end: &str, limit: u32) -> Result<Vec<Hit>, AppError> {
    let end = end.to_ascii_uppercase();
    let signs: Vec<char> = end.chars().collect();
    if signs.len() < SERIAL_END {
        return Ok(Vec::new());
    }
    let last: String = signs[signs.len() - SERIAL_END..].iter().collect();
    let length = i64::try_from(signs.len()).unwrap_or(i64::MAX);
    hits(
        reader,
        "select row, status from repair_order
         where upper(substr(serial, -4)) = ?1 and serial <> '' and upper(substr(serial, -?3)) = ?2
         order by row desc limit ?4",
        (last, end, length, limit),
    )
}

/// What a field suggests, each of a device that was here: kinds, brands of a kind, models of a brand.
pub fn suggestions(
    reader: &Reader<'_>,
    category: Option<&str>,
    brand: Option<&str>,
    limit: u32,
) -> Result<Vec<String>, AppError> {
    // Each step leaps to the next different value of the index.
    let sql = match (category, brand) {
        (None, _) => {
            "with recursive known (word) as (
                 select min(json_extract(view, '$.device.category') collate nocase) from repair_order
                     where json_extract(view, '$.device.category') collate nocase > ''
                 union all
                 select (select min(json_extract(o.view, '$.device.category') collate nocase) from repair_order o
                     where json_extract(o.view, '$.device.category') collate nocase > known.word)
                     from known where known.word is not null)
             select word from known where word is not null limit ?3"
        }
        (Some(_), None) => {
            "with recursive known (word) as (
                 select min(json_extract(view, '$.device.brand') collate nocase) from repair_order
                     where json_extract(view, '$.device.category') collate nocase = ?1
                         and json_extract(view, '$.device.brand') collate nocase > ''
                 union all
                 select (select min(json_extract(o.view, '$.device.brand') collate nocase) from repair_order o
                     where json_extract(o.view, '$.device.category') collate nocase = ?1
                         and json_extract(o.view, '$.device.brand') collate nocase > known.word)
                     from known where known.word is not null)
             select word from known where word is not null limit ?3"
        }
        (Some(_), Some(_)) => {
            "with recursive known (word) as (
                 select min(json_extract(view, '$.device.model') collate nocase) from repair_order
                     where json_extract(view, '$.device.category') collate nocase = ?1
                         and json_extract(view, '$.device.brand') collate nocase = ?2
                         and json_extract(view, '$.device.model') collate nocase > ''
                 union all
                 select (select min(json_extract(o.view, '$.device.model') collate nocase) from repair_order o
                     where json_extract(o.view, '$.device.category') collate nocase = ?1
                         and json_extract(o.view, '$.device.brand') collate nocase = ?2
                         and json_extract(o.view, '$.device.model') collate nocase > known.word)
                     from known where known.word is not null)
             select word from known where word is not null limit ?3"
        }
    };
    let mut statement = reader.conn().prepare_cached(sql)?;
    let rows = statement.query_map((category, brand, limit), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many orders a person has here, and when the last one was taken in, in milliseconds since 1970.
pub fn count_of(reader: &Reader<'_>, customer: DocumentId) -> Result<(u64, Option<i64>), AppError> {
    let found = reader
        .conn()
        .prepare_cached("select count(*), max(created_at) from repair_order where customer = ?1")?
        .query_row([Id(customer)], |row| Ok((unsigned(row, 0)?, row.get(1)?)))?;
    Ok(found)
}
