//! What waits to go out, by the command that wrote it. Only headers are read, never what a transaction holds.

use sync_protocol::bytes::Reader as Bytes;
use sync_protocol::transaction::{HEADER_BYTES, Header};

use super::acked_seqs;
use crate::error::{AppError, StoreError};
use crate::store::reader::Reader;
use crate::store::value::signed;

/// Transactions of one command that the hub has not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The command that wrote them ([`sync_protocol::item::command`]).
    pub command: u16,
    /// How many.
    pub transactions: u64,
    /// When the oldest was written, in milliseconds since 1970.
    pub oldest_at_ms: i64,
}

/// What waits, the command with the oldest transaction first.
pub fn list(reader: &Reader<'_>) -> Result<Vec<Waiting>, AppError> {
    let (stored, _) = acked_seqs(reader.conn(), reader.identity())?;
    let mut statement = reader
        .conn()
        .prepare_cached("select substr(bytes, 1, ?2) from log_entry where seq > ?1 order by seq")?;
    let mut rows = statement.query((signed(stored), signed(HEADER_BYTES as u64)))?;
    let mut waiting: Vec<Waiting> = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let header = Header::decode(&mut Bytes::new(bytes, "header")).map_err(StoreError::from)?;
        match waiting
            .iter_mut()
            .find(|there| there.command == header.command)
        {
            Some(there) => there.transactions += 1,
            None => waiting.push(Waiting {
                command: header.command,
                transactions: 1,
                oldest_at_ms: header.at_ms(),
            }),
        }
    }
    Ok(waiting)
}
