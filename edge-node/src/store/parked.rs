//! What is parked, what conflicts, what waits for a decision: everything that people should look at.

use domain::document::Conflict;
use domain::id::DocumentId;
use rusqlite::Connection;
use sync_protocol::position::{Epoch, NodeId, Position};

use super::order::stored::StoredConflict;
use super::reader::Reader;
use super::value::{Bytes, Id, unsigned};
use crate::error::{AppError, StoreError};

/// An item that could not be applied here, or that the hub parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedItem {
    /// The transaction.
    pub position: Position,
    /// The item in it; none for all changes of the transaction.
    pub item: Option<u16>,
    /// The document that it belongs to, if known.
    pub document: Option<DocumentId>,
    /// Why.
    pub reason: String,
    /// Whether the hub parked it (else this node did).
    pub at_hub: bool,
}

/// Something for people to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its id.
    pub id: [u8; 16],
    /// `status` (an order, rivals of one rank), `count_part` (a part below zero), `late_payment` (an order whose parts
    /// went back before its money came) or `give_back` (a payment that was called off and came).
    pub kind: String,
    /// The order, part or payment.
    pub subject: [u8; 16],
    /// Since when, in milliseconds since 1970.
    pub since_ms: i64,
}

/// A key of a document with several different values.
#[derive(Debug, Clone, PartialEq)]
pub struct ConflictRow {
    /// Its id.
    pub id: [u8; 16],
    /// The document.
    pub document: DocumentId,
    /// Path and values.
    pub conflict: Conflict,
}

/// Items that this node parked.
pub(crate) fn here(conn: &Connection) -> Result<u64, StoreError> {
    Ok(conn
        .prepare_cached("select count(*) from parked_item")?
        .query_row([], |row| unsigned(row, 0))?)
}

const AT_HUB: &str = "select v.node, v.epoch, v.seq, v.item, v.reason from verdict v where v.verdict = 1
    and not exists (select 1 from verdict w where w.row > v.row and w.node = v.node and w.epoch = v.epoch
        and w.seq = v.seq and w.item is v.item and w.verdict in (2, 3)) order by v.row desc";

/// Items parked here or at the hub and not settled.
pub(crate) fn count(conn: &Connection) -> Result<u64, StoreError> {
    let mut statement = conn.prepare_cached(AT_HUB)?;
    let mut rows = statement.query([])?;
    let mut at_hub = 0;
    while rows.next()?.is_some() {
        at_hub += 1;
    }
    Ok(here(conn)? + at_hub)
}

/// Everything that is parked.
pub fn list(reader: &Reader<'_>) -> Result<Vec<ParkedItem>, AppError> {
    let position = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Position> {
        Ok(Position {
            node: NodeId(row.get(0)?),
            epoch: Epoch(unsigned(row, 1)?),
            seq: unsigned(row, 2)?,
        })
    };
    let mut statement = reader.conn().prepare_cached(AT_HUB)?;
    let at_hub = statement.query_map([], |row| {
        Ok(ParkedItem {
            position: position(row)?,
            item: row.get(3)?,
            document: None,
            reason: row.get(4)?,
            at_hub: true,
        })
    })?;
    let mut items = at_hub.collect::<Result<Vec<_>, _>>()?;
    let mut statement = reader.conn().prepare_cached(
        "select node, epoch, seq, item, reason, document from parked_item order by node, epoch, seq, item",
    )?;
    let here = statement.query_map([], |row| {
        Ok(ParkedItem {
            position: position(row)?,
            item: row.get(3)?,
            document: row.get::<_, Option<Id<DocumentId>>>(5)?.map(|id| id.0),
            reason: row.get(4)?,
            at_hub: false,
        })
    })?;
    items.extend(here.collect::<Result<Vec<_>, _>>()?);
    Ok(items)
}

/// Decisions that wait, oldest first.
pub fn decisions(reader: &Reader<'_>) -> Result<Vec<Decision>, AppError> {
    let mut statement = reader
        .conn()
        .prepare_cached("select id, kind, subject, since from decision order by since, id")?;
    let rows = statement.query_map([], |row| {
        Ok(Decision {
            id: row.get::<_, Bytes<16>>(0)?.0,
            kind: row.get(1)?,
            subject: row.get::<_, Bytes<16>>(2)?.0,
            since_ms: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Conflicts, by document; of one document when it is named.
pub fn conflicts(
    reader: &Reader<'_>,
    document: Option<DocumentId>,
) -> Result<Vec<ConflictRow>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select id, document, found from conflict where ?1 is null or document = ?1 order by document, path",
    )?;
    let mut rows = statement.query([document.map(Id)])?;
    let mut conflicts = Vec::new();
    while let Some(row) = rows.next()? {
        let found: String = row.get(2)?;
        let stored: StoredConflict = serde_json::from_str(&found)?;
        conflicts.push(ConflictRow {
            id: row.get::<_, Bytes<16>>(0)?.0,
            document: row.get::<_, Id<DocumentId>>(1)?.0,
            conflict: stored.into_conflict(),
        });
    }
    Ok(conflicts)
}
