//! The end of a business day: the branch's word on what it has, for the hub to hold its own against.
//!
//! It is written by itself after every local day, also while cut off, one for each day that has passed; the newest of a
//! day counts. It speaks of all that stands before it in the log.

use domain::day::{AccountBalance, DayClosed, LastNumber};
use domain::permission::Permission;
use jiff::civil::Date;
use serde::Serialize;
use sync_protocol::feed::FeedKind;
use sync_protocol::item::{Item, command};
use utoipa::ToSchema;

use super::require;
use crate::error::AppError;
use crate::store::money::day::{self as rows, WordRecord};
use crate::store::{Actor, Reader, WriteTx, business_day, digest, sync};

/// Most days that are closed at once after a long sleep; older ones stay open, as the hub says.
const MOST_DAYS: i32 = 100;

/// A business day that was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DayShown {
    /// The day.
    #[schema(example = "2026-11-21")]
    pub business_date: String,
    /// Documents that the branch holds.
    pub documents: u64,
    /// Over their hashes, in hexadecimal.
    pub documents_digest: String,
    /// Cash sessions that are still open.
    pub open_sessions: u32,
}

/// A business day as people look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayState {
    /// The day, such as `2026-11-21`.
    pub date: String,
    /// Whether it is today.
    pub is_today: bool,
    /// The branch's word on it; none while it is open.
    pub word: Option<WordRecord>,
    /// Receipts and refunds that were written after the word; of today only.
    pub papers_since: u32,
    /// Cash sessions that are open now and stand in the way; of today only.
    pub open_sessions: u32,
}

impl DayState {
    /// Whether somebody may close it now: it is open, or more was written since, and no till is open.
    pub const fn may_close(&self) -> bool {
        self.open_sessions == 0 && (self.word.is_none() || self.papers_since > 0)
    }
}

/// Today and the days before it, newest first, as far back as the branch has written anything.
pub fn recent(reader: &Reader<'_>, actor: &Actor, most: i32) -> Result<Vec<DayState>, AppError> {
    require(actor, Permission::MoneyRead)?;
    let zone = reader.settings()?.time_zone;
    let today = business_day(reader.now_ms(), &zone);
    let first = rows::first_day(reader, &zone)?.unwrap_or(today);
    let first = rows::first_closed(reader)?.map_or(first, |closed| closed.min(first));
    let oldest = first.max(today - most + 1);
    let days = (oldest..=today).rev();
    days.map(|day| state(reader, day, day == today)).collect()
}

/// One business day.
pub fn one(reader: &Reader<'_>, actor: &Actor, date: &str) -> Result<DayState, AppError> {
    require(actor, Permission::MoneyRead)?;
    let missing = AppError::NotFound {
        what: "business day",
    };
    let Ok(date) = date.parse::<Date>() else {
        return Err(missing);
    };
    let day = days_since_1970(date);
    let today = business_day(reader.now_ms(), &reader.settings()?.time_zone);
    let found = state(reader, day, day == today)?;
    if found.word.is_none() && !found.is_today {
        return Err(missing);
    }
    Ok(found)
}

fn state(reader: &Reader<'_>, day: i32, is_today: bool) -> Result<DayState, AppError> {
    let word = rows::word(reader, day)?;
    let since = word.as_ref().map(|word| word.at_ms).filter(|_| is_today);
    Ok(DayState {
        date: name(day),
        is_today,
        papers_since: since.map_or(Ok(0), |at_ms| rows::papers_since(reader, at_ms))?,
        open_sessions: match is_today {
            true => rows::open_sessions(reader)?,
            false => 0,
        },
        word,
    })
}

/// Closes today as a person does it at the counter: after the till was counted.
pub fn close_today(tx: &mut WriteTx<'_>, actor: &Actor) -> Result<DayShown, AppError> {
    require(actor, Permission::CashWrite)?;
    if rows::open_sessions(&tx.reader())? > 0 {
        let detail = "a till is open; count and close it first";
        return Err(AppError::conflict("session-open", detail));
    }
    let date = name(today(tx)?);
    close(tx, actor, &date)
}

/// Closes the business day that is given: today, or one that has passed.
pub fn close(tx: &mut WriteTx<'_>, actor: &Actor, date: &str) -> Result<DayShown, AppError> {
    require(actor, Permission::CashWrite)?;
    let date: Date = date
        .parse()
        .map_err(|_| AppError::field("/business_date", "must be a date such as 2026-11-21"))?;
    let day = days_since_1970(date);
    let today = today(tx)?;
    if day > today || day < today - MOST_DAYS {
        let detail = "must be today, or one of the hundred days before";
        return Err(AppError::field("/business_date", detail));
    }
    tx.begin(command::NIGHT, actor)?;
    write(tx, day)
}

/// Closes the days that have passed since the last one that was closed; how many. `hour` is when the night begins.
pub fn close_passed(tx: &mut WriteTx<'_>, hour: u8) -> Result<usize, AppError> {
    let night_ms = i64::from(hour) * 3_600_000;
    let zone = tx.settings()?.time_zone;
    let last_ended = business_day(tx.now_ms() - night_ms, &zone) - 1;
    let first = match rows::last_closed(&tx.reader())? {
        Some(last) => last + 1,
        None => match rows::first_day(&tx.reader(), &zone)? {
            Some(first) => first,
            None => return Ok(0),
        },
    };
    let first = first.max(last_ended - MOST_DAYS);
    let mut count = 0;
    for day in first..=last_ended {
        tx.begin(command::NIGHT, &Actor::SYSTEM)?;
        write(tx, day)?;
        count += 1;
    }
    Ok(count)
}

fn today(tx: &WriteTx<'_>) -> Result<i32, AppError> {
    Ok(business_day(tx.now_ms(), &tx.settings()?.time_zone))
}

fn days_since_1970(date: Date) -> i32 {
    let since = date.since((jiff::Unit::Day, Date::constant(1970, 1, 1)));
    since.map_or(0, |span| span.get_days())
}

fn name(day: i32) -> String {
    Date::constant(1970, 1, 1)
        .checked_add(jiff::Span::new().days(i64::from(day)))
        .map_or_else(|_| day.to_string(), |date| date.to_string())
}

fn write(tx: &mut WriteTx<'_>, day: i32) -> Result<DayShown, AppError> {
    let closed = {
        let reader = tx.reader();
        let currency = reader.settings()?.currency;
        let digests = digest::make(&reader)?;
        DayClosed {
            business_day: day,
            currency,
            feed: rows::feed_cursor(&reader, FeedKind::Private)?,
            documents: digests.count,
            documents_digest: digests.all,
            parts: rows::parts(&reader)?,
            stock_digest: sync::stock_digest_now(&reader)?,
            balances: rows::balances(&reader, currency)?
                .into_iter()
                .map(|(account, balance_minor)| AccountBalance {
                    account,
                    balance_minor,
                })
                .collect(),
            numbers: rows::numbers(&reader)?
                .into_iter()
                .map(|(kind, series, number)| LastNumber {
                    kind,
                    series,
                    number,
                })
                .collect(),
            open_sessions: rows::open_sessions(&reader)?,
            open_orders: rows::open_orders(&reader)?,
        }
    };
    let shown = DayShown {
        business_date: name(day),
        documents: closed.documents,
        documents_digest: hex(&closed.documents_digest),
        open_sessions: closed.open_sessions,
    };
    tx.fact(Item::DayClosed(closed))?;
    Ok(shown)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
