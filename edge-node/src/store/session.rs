//! Sessions of people: only the hash of a token is kept (T-5). Local to this database, never in the log.

use domain::id::StaffId;
use rusqlite::{Connection, OptionalExtension};

use super::reader::Reader;
use super::tx::WriteTx;
use super::value::Id;
use crate::error::{AppError, StoreError};

/// A session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRow {
    /// Whose.
    pub staff: StaffId,
    /// Whether it is a browser's.
    pub is_page: bool,
    /// When it was last used, in milliseconds since 1970.
    pub used_at_ms: i64,
    /// When it ends at the latest.
    pub expires_at_ms: i64,
}

/// Keeps a new session.
pub fn insert(
    tx: &mut WriteTx<'_>,
    token_hash: &[u8; 32],
    session: &SessionRow,
) -> Result<(), AppError> {
    tx.conn()
        .prepare_cached(
            "insert into session (token_hash, staff, page, created_at, used_at, expires_at)
             values (?1, ?2, ?3, ?4, ?4, ?5)",
        )?
        .execute((
            token_hash,
            Id(session.staff),
            session.is_page,
            session.used_at_ms,
            session.expires_at_ms,
        ))?;
    Ok(())
}

/// The session of a token.
pub fn get(reader: &Reader<'_>, token_hash: &[u8; 32]) -> Result<Option<SessionRow>, AppError> {
    let found = reader
        .conn()
        .prepare_cached(
            "select staff, page, used_at, expires_at from session where token_hash = ?1",
        )?
        .query_row([token_hash], |row| {
            Ok(SessionRow {
                staff: row.get::<_, Id<StaffId>>(0)?.0,
                is_page: row.get(1)?,
                used_at_ms: row.get(2)?,
                expires_at_ms: row.get(3)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// Notes that a session was used.
pub fn touch(tx: &mut WriteTx<'_>, token_hash: &[u8; 32], at_ms: i64) -> Result<(), AppError> {
    tx.conn()
        .prepare_cached("update session set used_at = ?2 where token_hash = ?1")?
        .execute((token_hash, at_ms))?;
    Ok(())
}

/// Ends a session; whether there was one.
pub fn remove(tx: &mut WriteTx<'_>, token_hash: &[u8; 32]) -> Result<bool, AppError> {
    let removed = tx
        .conn()
        .prepare_cached("delete from session where token_hash = ?1")?
        .execute([token_hash])?;
    Ok(removed > 0)
}

pub(super) fn purge(conn: &Connection, now_ms: i64) -> Result<(), StoreError> {
    conn.prepare_cached("delete from session where expires_at < ?1")?
        .execute([now_ms])?;
    Ok(())
}
