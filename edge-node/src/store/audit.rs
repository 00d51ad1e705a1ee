//! Reading notes of the audit.

use domain::id::StaffId;
use rusqlite::OptionalExtension;

use super::reader::Reader;
use super::value::Id;
use crate::error::AppError;

/// A note of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditNoteRow {
    /// What it says.
    pub text: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who; nil for the system.
    pub staff: StaffId,
}

/// The newest note about a subject.
pub fn newest_note(
    reader: &Reader<'_>,
    subject: &[u8; 16],
) -> Result<Option<AuditNoteRow>, AppError> {
    let found = reader
        .conn()
        .prepare_cached(
            "select text, at, staff from audit_note where subject = ?1 order by row desc limit 1",
        )?
        .query_row([subject], |row| {
            Ok(AuditNoteRow {
                text: row.get(0)?,
                at_ms: row.get(1)?,
                staff: row.get::<_, Id<StaffId>>(2)?.0,
            })
        })
        .optional()?;
    Ok(found)
}

/// The newest note about each subject, newest first, of the last `limit` notes.
pub fn newest_notes(
    reader: &Reader<'_>,
    limit: u32,
) -> Result<Vec<([u8; 16], AuditNoteRow)>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select subject, text, at, staff from (select row, subject, text, at, staff from audit_note
             order by row desc limit ?1) order by row desc",
    )?;
    let rows = statement.query_map([limit], |row| {
        let note = AuditNoteRow {
            text: row.get(1)?,
            at_ms: row.get(2)?,
            staff: row.get::<_, Id<StaffId>>(3)?.0,
        };
        Ok((row.get::<_, [u8; 16]>(0)?, note))
    })?;
    let mut newest: Vec<([u8; 16], AuditNoteRow)> = Vec::new();
    for found in rows {
        let (subject, note) = found?;
        if newest.iter().all(|(there, _)| *there != subject) {
            newest.push((subject, note));
        }
    }
    Ok(newest)
}
