//! What waits to go out, by the command that wrote it. No entry of the log is read for it.

use super::acked_seqs;
use crate::error::AppError;
use crate::store::log::header;
use crate::store::reader::Reader;

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
    let behind = header::behind(reader.conn(), stored)?;
    let waiting = behind.into_iter().map(|behind| Waiting {
        command: behind.command,
        transactions: behind.entries,
        oldest_at_ms: behind.first_at_ms,
    });
    Ok(waiting.collect())
}
