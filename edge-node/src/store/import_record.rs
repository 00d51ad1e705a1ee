//! Reading which imported record became which order.

use domain::id::DocumentId;
use rusqlite::OptionalExtension;
use sync_protocol::hash::Hash;

use super::reader::Reader;
use super::value::{Id, hash};
use crate::error::AppError;

/// The order and fingerprint of an imported record.
pub fn get(reader: &Reader<'_>, source: &str) -> Result<Option<(DocumentId, Hash)>, AppError> {
    let found = reader
        .conn()
        .prepare_cached("select repair_order, fingerprint from import_record where source = ?1")?
        .query_row([source], |row| {
            Ok((row.get::<_, Id<DocumentId>>(0)?.0, hash(row, 1)?))
        })
        .optional()?;
    Ok(found)
}
