//! Incidents: what happened to the machinery and people should know. Local to this database, never derived.

use rusqlite::Connection;

use super::reader::Reader;
use super::tx::WriteTx;
use super::{Touched, value::signed};
use crate::error::{AppError, StoreError};

/// An incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Counts up.
    pub id: i64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// What kind: `restored`, `commit_failed`, `feed_item`, `not_on_line` …
    pub kind: String,
    /// A sentence for people, without personal values.
    pub detail: String,
}

pub(crate) fn add(
    conn: &Connection,
    at_ms: i64,
    kind: &str,
    detail: &str,
) -> Result<(), StoreError> {
    conn.prepare_cached("insert into incident (at, kind, detail) values (?1, ?2, ?3)")?
        .execute((at_ms, kind, detail))?;
    Ok(())
}

/// Notes an incident within a job.
pub fn record(tx: &mut WriteTx<'_>, kind: &str, detail: &str) -> Result<(), AppError> {
    add(tx.conn(), tx.now_ms(), kind, detail)?;
    tx.touch(Touched::Exceptions);
    Ok(())
}

/// Incidents, newest first, before the one with `before`.
pub fn list(
    reader: &Reader<'_>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Incident>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select id, at, kind, detail from incident where id < ?1 order by id desc limit ?2",
    )?;
    let rows = statement.query_map(
        (before.unwrap_or(i64::MAX), signed(u64::from(limit))),
        |row| {
            Ok(Incident {
                id: row.get(0)?,
                at_ms: row.get(1)?,
                kind: row.get(2)?,
                detail: row.get(3)?,
            })
        },
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}
