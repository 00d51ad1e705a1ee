//! The lanes of the board: the first orders of a status, and how many there are, both by index alone.
//!
//! Nothing here reads more rows than it gives or counts; what stands behind the last card is in the list of orders.

use domain::id::StaffId;
use domain::order::Status;
use rusqlite::types::Value;

use super::super::reader::Reader;
use super::super::value::unsigned;
use super::{OrderRecord, blob, query};
use crate::error::AppError;

/// Counting ends here: nobody reads a board for the difference behind it.
pub const COUNT_MAX: u64 = 1_000;

/// Which orders of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneFilter {
    /// All.
    All,
    /// Those of one technician.
    Of(StaffId),
    /// Those promised before this moment, in milliseconds since 1970.
    PromisedBefore(i64),
}

/// The first orders of a lane: urgent ones, then by promise, then the newest.
pub fn lane(
    reader: &Reader<'_>,
    status: Status,
    filter: LaneFilter,
    limit: u32,
) -> Result<Vec<OrderRecord>, AppError> {
    let status = Value::Text(status.as_str().to_owned());
    let limit = Value::Integer(i64::from(limit));
    match filter {
        LaneFilter::All => query(
            reader,
            select!(
                "where o.status = ?1 order by o.urgent desc, ifnull(o.promised_at, 9223372036854775807), o.row desc limit ?2"
            ),
            vec![status, limit],
        ),
        LaneFilter::Of(technician) => query(
            reader,
            select!(
                "where o.technician = ?3 and o.status = ?1
                 order by o.urgent desc, ifnull(o.promised_at, 9223372036854775807), o.row desc limit ?2"
            ),
            vec![status, limit, blob(technician.as_bytes())],
        ),
        LaneFilter::PromisedBefore(at_ms) => query(
            reader,
            select!("where o.status = ?1 and o.promised_at < ?3 order by o.promised_at limit ?2"),
            vec![status, limit, Value::Integer(at_ms)],
        ),
    }
}

/// How many orders a lane has, up to [`COUNT_MAX`].
pub fn count(reader: &Reader<'_>, status: Status, filter: LaneFilter) -> Result<u64, AppError> {
    let (sql, third) = match filter {
        LaneFilter::All => (
            "select count(*) from (select 1 from repair_order where status = ?1 limit ?2)",
            None,
        ),
        LaneFilter::Of(technician) => (
            "select count(*) from (select 1 from repair_order where technician = ?3 and status = ?1 limit ?2)",
            Some(blob(technician.as_bytes())),
        ),
        LaneFilter::PromisedBefore(at_ms) => (
            "select count(*) from (select 1 from repair_order where status = ?1 and promised_at < ?3 limit ?2)",
            Some(Value::Integer(at_ms)),
        ),
    };
    let limit = i64::try_from(COUNT_MAX).unwrap_or(i64::MAX);
    let params = [
        Value::Text(status.as_str().to_owned()),
        Value::Integer(limit),
    ]
    .into_iter()
    .chain(third);
    let mut statement = reader.conn().prepare_cached(sql)?;
    Ok(statement.query_row(rusqlite::params_from_iter(params), |row| unsigned(row, 0))?)
}
