//! The heads of the log's entries, in a narrow table beside the log: what waits for the hub is told from a few of its
//! rows, however much waits.
//!
//! Each row carries running counts, so that two rows say how much lies between them. The table is derived from the log
//! alone and never holds a row for an entry that is not there.

use rusqlite::{Connection, OptionalExtension};
use sync_protocol::bytes::Reader as Bytes;
use sync_protocol::transaction::Header;

use crate::error::StoreError;
use crate::store::value::{signed, unsigned};

/// Entries of one command behind a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Behind {
    /// The command that wrote them.
    pub(crate) command: u16,
    /// How many.
    pub(crate) entries: u64,
    /// When the oldest was written, in milliseconds since 1970.
    pub(crate) first_at_ms: i64,
}

/// Notes the head of an entry; one that does not read has none.
pub(crate) fn note(conn: &Connection, seq: u64, bytes: &[u8]) -> Result<(), StoreError> {
    let Ok(header) = Header::decode(&mut Bytes::new(bytes, "header")) else {
        return Ok(());
    };
    conn.prepare_cached(
        "insert into log_header (seq, command, at, nth, bytes_to) values (?1, ?2, ?3,
             1 + coalesce((select nth from log_header where command = ?2 and seq < ?1 order by seq desc limit 1), 0),
             ?4 + coalesce((select bytes_to from log_header where seq < ?1 order by seq desc limit 1), 0))",
    )?
    .execute((
        signed(seq),
        header.command,
        header.at_ms(),
        signed(bytes.len() as u64),
    ))?;
    Ok(())
}

/// Notes the heads of all entries of `from` that `to` has none for.
pub(crate) fn fill(from: &Connection, to: &Connection) -> Result<(), StoreError> {
    let known: i64 = to.query_row("select coalesce(max(seq), 0) from log_header", [], |row| {
        row.get(0)
    })?;
    let mut statement =
        from.prepare("select seq, bytes from log_entry where seq > ?1 order by seq")?;
    let mut rows = statement.query([known])?;
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        note(to, unsigned(row, 0)?, bytes)?;
    }
    Ok(())
}

/// Bytes of the entries behind `seq`, and when the first of them was written.
pub(crate) fn bytes_behind(conn: &Connection, seq: u64) -> Result<(u64, Option<i64>), StoreError> {
    let up_to = |sql: &'static str| {
        let mut statement = conn.prepare_cached(sql)?;
        let found = statement.query_row([signed(seq)], |row| unsigned(row, 0));
        found.optional().map(Option::unwrap_or_default)
    };
    let all = up_to("select bytes_to from log_header where seq > ?1 order by seq desc limit 1")?;
    if all == 0 {
        return Ok((0, None));
    }
    let before =
        up_to("select bytes_to from log_header where seq <= ?1 order by seq desc limit 1")?;
    let first_at_ms = conn
        .prepare_cached("select at from log_header where seq > ?1 order by seq limit 1")?
        .query_row([signed(seq)], |row| row.get(0))?;
    Ok((all.saturating_sub(before), Some(first_at_ms)))
}

/// The entries behind `seq` by command, the command with the oldest first.
pub(crate) fn behind(conn: &Connection, seq: u64) -> Result<Vec<Behind>, StoreError> {
    // Each step leaps to the next command; what lies between is told by the first row behind `seq` and the last.
    let mut statement = conn.prepare_cached(
        "with recursive known (command) as (
             select min(command) from log_header
             union all
             select (select min(command) from log_header where command > known.command) from known
                 where known.command is not null
         )
         select first.command, last.nth - first.nth + 1, first.at from known
             join log_header first on first.seq =
                 (select seq from log_header where command = known.command and seq > ?1 order by seq limit 1)
             join log_header last on last.seq =
                 (select seq from log_header where command = known.command order by seq desc limit 1)
         order by first.seq",
    )?;
    let rows = statement.query_map([signed(seq)], |row| {
        Ok(Behind {
            command: row.get(0)?,
            entries: unsigned(row, 1)?,
            first_at_ms: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
