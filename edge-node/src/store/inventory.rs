//! Reading inventory settings.

use std::collections::BTreeSet;

use domain::id::{DocumentId, PartId};
use rusqlite::OptionalExtension;

use super::reader::Reader;
use super::value::Id;
use crate::error::AppError;

/// The settings of one part at this branch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InventorySetting {
    /// The document.
    pub document: DocumentId,
    /// Where the part lies.
    pub bin: Option<String>,
    /// At how many pieces to order more.
    pub reorder_point: Option<i64>,
    /// A note.
    pub note: Option<String>,
    /// Barcodes that mean this part here.
    pub barcodes: BTreeSet<String>,
}

/// The settings of a part at this branch, when there are any. Of several documents the one with the lowest id counts,
/// so that every node takes the same.
pub fn of_part(reader: &Reader<'_>, part: PartId) -> Result<Option<InventorySetting>, AppError> {
    let found = reader
        .conn()
        .prepare_cached(
            "select document, bin, reorder_point, note, barcodes from inventory_setting
             where part = ?1 and branch = ?2 order by document limit 1",
        )?
        .query_row((Id(part), Id(reader.identity().branch)), |row| {
            Ok((
                row.get::<_, Id<DocumentId>>(0)?.0,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, Option<i64>>(2)?,
                row.get::<_, Option<String>>(3)?,
                row.get::<_, String>(4)?,
            ))
        })
        .optional()?;
    let Some((document, bin, reorder_point, note, barcodes)) = found else {
        return Ok(None);
    };
    Ok(Some(InventorySetting {
        document,
        bin,
        reorder_point,
        note,
        barcodes: serde_json::from_str(&barcodes)?,
    }))
}
