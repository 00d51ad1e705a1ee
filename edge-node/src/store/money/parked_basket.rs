//! Baskets put aside at the till. They are of this branch alone: no item of the log speaks of them.

use domain::id::StaffId;
use rusqlite::{OptionalExtension as _, Row};

use crate::error::AppError;
use crate::store::Touched;
use crate::store::reader::Reader;
use crate::store::tx::WriteTx;
use crate::store::value::Id;

/// A basket that was put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedRecord {
    /// Counts up and never comes again.
    pub id: i64,
    /// The basket, as JSON.
    pub sale: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who.
    pub staff: StaffId,
}

/// All of them, oldest first.
pub fn list(reader: &Reader<'_>) -> Result<Vec<ParkedRecord>, AppError> {
    let mut statement = reader
        .conn()
        .prepare_cached("select id, sale, at, staff from parked_basket order by id")?;
    let rows = statement.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One of them.
pub fn get(reader: &Reader<'_>, id: i64) -> Result<Option<ParkedRecord>, AppError> {
    Ok(reader
        .conn()
        .prepare_cached("select id, sale, at, staff from parked_basket where id = ?1")?
        .query_row([id], read)
        .optional()?)
}

/// Puts one aside; gives its number.
pub fn add(tx: &mut WriteTx<'_>, sale: &str, staff: StaffId) -> Result<i64, AppError> {
    tx.conn()
        .prepare_cached("insert into parked_basket (sale, at, staff) values (?1, ?2, ?3)")?
        .execute((sale, tx.now_ms(), Id(staff)))?;
    tx.touch(Touched::Money);
    Ok(tx.conn().last_insert_rowid())
}

/// Takes one away; whether it was there.
pub fn remove(tx: &mut WriteTx<'_>, id: i64) -> Result<bool, AppError> {
    let gone = tx
        .conn()
        .prepare_cached("delete from parked_basket where id = ?1")?
        .execute([id])?;
    tx.touch(Touched::Money);
    Ok(gone > 0)
}

fn read(row: &Row<'_>) -> rusqlite::Result<ParkedRecord> {
    Ok(ParkedRecord {
        id: row.get(0)?,
        sale: row.get(1)?,
        at_ms: row.get(2)?,
        staff: row.get::<_, Id<StaffId>>(3)?.0,
    })
}
