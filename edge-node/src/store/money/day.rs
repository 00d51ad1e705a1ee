//! What a branch says at the end of a day, read from its tables.

use domain::day::DayClosed;
use domain::ledger::MoneyAccount;
use domain::money::Currency;
use domain::till::PaperKind;
use rusqlite::OptionalExtension as _;
use sync_protocol::feed::FeedKind;
use sync_protocol::item::decode_body;

use crate::error::{AppError, StoreError};
use crate::store::reader::Reader;
use crate::store::value::unsigned;
use crate::store::{business_day, feed};

/// The newest business day that was closed.
pub fn last_closed(reader: &Reader<'_>) -> Result<Option<i32>, AppError> {
    Ok(reader
        .conn()
        .prepare_cached("select max(business_day) from day_closed")?
        .query_row([], |row| row.get(0))?)
}

/// The oldest business day that was closed.
pub fn first_closed(reader: &Reader<'_>) -> Result<Option<i32>, AppError> {
    Ok(reader
        .conn()
        .prepare_cached("select min(business_day) from day_closed")?
        .query_row([], |row| row.get(0))?)
}

/// The word on a day, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordRecord {
    /// What the branch said.
    pub word: DayClosed,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// How often the day was closed.
    pub times: u32,
}

/// The newest word on a business day.
pub fn word(reader: &Reader<'_>, day: i32) -> Result<Option<WordRecord>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select body, at, (select count(*) from day_closed where business_day = ?1)
         from day_closed where business_day = ?1 order by row desc limit 1",
    )?;
    let mut rows = statement.query([day])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let body = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
    Ok(Some(WordRecord {
        word: decode_body(body, "DayClosed").map_err(StoreError::from)?,
        at_ms: row.get(1)?,
        times: row.get(2)?,
    }))
}

/// Receipts and refunds written after a time.
pub fn papers_since(reader: &Reader<'_>, at_ms: i64) -> Result<u32, AppError> {
    Ok(reader
        .conn()
        .prepare_cached(
            "select (select count(*) from receipt where at > ?1) + (select count(*) from refund where at > ?1)",
        )?
        .query_row([at_ms], |row| row.get(0))?)
}

/// The business day of the first thing that this branch wrote; imported orders are older than the branch.
pub fn first_day(reader: &Reader<'_>, time_zone: &str) -> Result<Option<i32>, AppError> {
    let first: Option<i64> = reader
        .conn()
        .prepare_cached("select min(at) from (select min(created_at) as at from repair_order where source is null union all select min(at) from receipt union all select min(at) from movement union all select min(opened_at) from cash_session)")?
        .query_row([], |row| row.get(0))
        .optional()?
        .flatten();
    Ok(first.map(|at_ms| business_day(at_ms, time_zone)))
}

/// The last entry of a feed that was applied.
pub fn feed_cursor(reader: &Reader<'_>, kind: FeedKind) -> Result<u64, AppError> {
    let cursors = feed::cursors(reader.conn())?;
    let cursor = cursors.into_iter().find(|cursor| cursor.kind == kind);
    Ok(cursor.map_or(0, |cursor| cursor.n))
}

/// How many parts have moved here.
pub fn parts(reader: &Reader<'_>) -> Result<u64, AppError> {
    Ok(reader
        .conn()
        .prepare_cached("select count(*) from stock")?
        .query_row([], |row| unsigned(row, 0))?)
}

/// The accounts of the ledger in a currency.
pub fn balances(
    reader: &Reader<'_>,
    currency: Currency,
) -> Result<Vec<(MoneyAccount, i64)>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select account, balance from money_balance where currency = ?1 order by account",
    )?;
    let rows = statement.query_map([currency.as_str()], |row| {
        Ok((row.get::<_, u8>(0)?, row.get::<_, i64>(1)?))
    })?;
    let mut found = Vec::new();
    for row in rows {
        let (code, balance) = row?;
        found.extend(MoneyAccount::from_code(code).map(|account| (account, balance)));
    }
    Ok(found)
}

/// The last number of each series of papers.
pub fn numbers(reader: &Reader<'_>) -> Result<Vec<(PaperKind, u8, u32)>, AppError> {
    let mut statement = reader
        .conn()
        .prepare_cached("select kind, series, number from paper_series order by kind, series")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, u8>(0)?, row.get(1)?, row.get(2)?))
    })?;
    let mut found = Vec::new();
    for row in rows {
        let (code, series, number) = row?;
        found.extend(PaperKind::from_code(code).map(|kind| (kind, series, number)));
    }
    Ok(found)
}

/// Cash sessions that are not closed.
pub fn open_sessions(reader: &Reader<'_>) -> Result<u32, AppError> {
    Ok(reader
        .conn()
        .prepare_cached("select count(*) from cash_session where closed_at is null")?
        .query_row([], |row| row.get(0))?)
}

/// Orders that are neither collected nor cancelled.
pub fn open_orders(reader: &Reader<'_>) -> Result<u32, AppError> {
    Ok(reader
        .conn()
        .prepare_cached(
            "select count(*) from repair_order
             where status in ('received', 'diagnosing', 'awaiting_approval', 'awaiting_parts', 'in_repair', 'ready')",
        )?
        .query_row([], |row| row.get(0))?)
}
