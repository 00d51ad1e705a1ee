//! Migrations: plain SQL files, run once each in order, counted in `user_version`.
//!
//! A migration is never edited once landed. A database with a higher number than this program knows is refused
//! before anything is written to it (INV-18).

use rusqlite::Connection;

use crate::error::StoreError;

const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/edge/0001_first.sql"),
    include_str!("../../../migrations/edge/0002_board.sql"),
    include_str!("../../../migrations/edge/0003_stock.sql"),
    include_str!("../../../migrations/edge/0004_find.sql"),
    include_str!("../../../migrations/edge/0005_digest.sql"),
    include_str!("../../../migrations/edge/0006_log_header.sql"),
    include_str!("../../../migrations/edge/0007_part_lookup.sql"),
    include_str!("../../../migrations/edge/0008_word_beginnings.sql"),
    include_str!("../../../migrations/edge/0009_money.sql"),
    include_str!("../../../migrations/edge/0010_parked_basket.sql"),
];

/// The schema that this program writes.
pub const SCHEMA: u32 = MIGRATIONS.len() as u32;

/// The schema of a database; 0 for an empty one.
pub(crate) fn schema_of(conn: &Connection) -> Result<u32, StoreError> {
    Ok(conn.query_row("pragma user_version", [], |row| row.get(0))?)
}

/// Refuses a newer database.
pub(crate) fn check(conn: &Connection) -> Result<u32, StoreError> {
    let found = schema_of(conn)?;
    if found > SCHEMA {
        return Err(StoreError::Newer {
            found,
            known: SCHEMA,
        });
    }
    Ok(found)
}

/// Brings a database to [`SCHEMA`], each step in a commit of its own.
pub(crate) fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    let found = check(conn)?;
    for (number, sql) in (1_u32..).zip(MIGRATIONS).skip(found as usize) {
        let transaction = conn.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}
