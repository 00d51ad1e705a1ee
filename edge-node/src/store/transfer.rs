//! Reading transfers: the records of one, and what they come to.

use domain::id::{BranchId, PartId, StaffId, TransferId};
use domain::transfer::{TransferBalance, TransferRecord, TransferState};
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use sync_protocol::item::Item;

use super::reader::Reader;
use super::value::{Id, unsigned};
use crate::error::{AppError, StoreError};

/// The pieces of one part in a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredLine {
    /// The part.
    pub part: PartId,
    /// What the plan or the request says.
    pub planned: i64,
    /// What left.
    pub shipped: i64,
    /// What arrived good.
    pub good: i64,
    /// What arrived damaged.
    pub damaged: i64,
    /// What the last arrival looked for in vain.
    pub missing: i64,
    /// What was written off, less what was found again.
    pub lost: i64,
}

impl StoredLine {
    pub(crate) fn of(part: PartId, balance: &TransferBalance) -> Self {
        let TransferBalance {
            planned,
            shipped,
            good,
            damaged,
            missing,
            lost,
        } = *balance;
        Self {
            part,
            planned,
            shipped,
            good,
            damaged,
            missing,
            lost,
        }
    }

    /// What is on its way.
    pub const fn in_transit(&self) -> i64 {
        self.shipped - self.good - self.damaged - self.lost
    }
}

/// A transfer as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferView {
    /// Its id.
    pub id: TransferId,
    /// Where from.
    pub from: BranchId,
    /// Where to.
    pub to: BranchId,
    /// Where it stands.
    pub state: TransferState,
    /// Why it was asked for.
    pub note: String,
    /// The pieces by part.
    pub lines: Vec<StoredLine>,
    /// When the first record was written, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When the last one was.
    pub updated_at_ms: i64,
    /// Its place in lists.
    pub row: i64,
}

/// The records of a transfer in the order in which they were accepted.
pub(crate) fn records(
    conn: &Connection,
    transfer: TransferId,
) -> Result<Vec<TransferRecord>, StoreError> {
    let kept = kept(conn, transfer)?;
    Ok(kept.into_iter().map(|kept| kept.record).collect())
}

/// A record with who wrote it, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptRecord {
    /// The record.
    pub record: TransferRecord,
    /// Who; nil for the system.
    pub staff: StaffId,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// What happened to a transfer, in the order in which it was accepted here.
pub fn history(reader: &Reader<'_>, transfer: TransferId) -> Result<Vec<KeptRecord>, AppError> {
    Ok(kept(reader.conn(), transfer)?)
}

fn kept(conn: &Connection, transfer: TransferId) -> Result<Vec<KeptRecord>, StoreError> {
    let mut statement = conn.prepare_cached(
        "select kind, body, staff, at from transfer_record where transfer = ?1 order by row",
    )?;
    let mut rows = statement.query([Id(transfer)])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        let kind: u16 = row.get(0)?;
        let body = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let record = match Item::decode(kind, body)? {
            Item::TransferRequest(body) => TransferRecord::Request(body),
            Item::Plan(body) => TransferRecord::Plan(body),
            Item::Shipment(body) => TransferRecord::Shipment(body),
            Item::Arrival(body) => TransferRecord::Arrival(body),
            Item::Movement(body) => TransferRecord::Movement(body),
            other => {
                let what = format!("item kind {} is no record of a transfer", other.kind());
                return Err(StoreError::Corrupt {
                    table: "transfer_record",
                    what,
                });
            }
        };
        records.push(KeptRecord {
            record,
            staff: row.get::<_, Id<StaffId>>(2)?.0,
            at_ms: row.get(3)?,
        });
    }
    Ok(records)
}

/// The records of a transfer.
pub fn records_of(
    reader: &Reader<'_>,
    transfer: TransferId,
) -> Result<Vec<TransferRecord>, AppError> {
    Ok(records(reader.conn(), transfer)?)
}

fn read(row: &Row<'_>) -> Result<TransferView, AppError> {
    let state: String = row.get(3)?;
    let lines: String = row.get(5)?;
    let corrupt = || StoreError::Corrupt {
        table: "transfer",
        what: format!("state {state}"),
    };
    Ok(TransferView {
        id: row.get::<_, Id<TransferId>>(0)?.0,
        from: row.get::<_, Id<BranchId>>(1)?.0,
        to: row.get::<_, Id<BranchId>>(2)?.0,
        state: state.parse().map_err(|_| corrupt())?,
        note: row.get(4)?,
        lines: serde_json::from_str(&lines)?,
        created_at_ms: row.get(6)?,
        updated_at_ms: row.get(7)?,
        row: row.get(8)?,
    })
}

/// One transfer.
pub fn get(reader: &Reader<'_>, id: TransferId) -> Result<Option<TransferView>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select id, from_branch, to_branch, state, note, view, created_at, updated_at, row from transfer where id = ?1",
    )?;
    let mut rows = statement.query([Id(id)])?;
    rows.next()?.map(read).transpose()
}

/// Transfers, newest first.
pub fn list(
    reader: &Reader<'_>,
    state: Option<TransferState>,
    before_row: Option<i64>,
    limit: u32,
) -> Result<Vec<TransferView>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select id, from_branch, to_branch, state, note, view, created_at, updated_at, row from transfer
         where (?1 is null or state = ?1) and row < ?2 order by row desc limit ?3",
    )?;
    let state = state.map(TransferState::as_str);
    let mut rows = statement.query((state, before_row.unwrap_or(i64::MAX), limit))?;
    let mut transfers = Vec::new();
    while let Some(row) = rows.next()? {
        transfers.push(read(row)?);
    }
    Ok(transfers)
}

/// Which end of a transfer a branch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It sends.
    From,
    /// It receives.
    To,
    /// Either.
    Any,
}

impl End {
    fn ids(self, own: BranchId) -> (Option<Id<BranchId>>, Option<Id<BranchId>>) {
        match self {
            End::From => (Some(Id(own)), None),
            End::To => (None, Some(Id(own))),
            End::Any => (None, None),
        }
    }
}

/// Transfers of these states with the branch at this end, those that changed last first, and how many there are.
pub fn standing(
    reader: &Reader<'_>,
    own: BranchId,
    wanted: &[(TransferState, End)],
    limit: u32,
) -> Result<(Vec<TransferView>, i64), AppError> {
    let mut listing = reader.conn().prepare_cached(
        "select id, from_branch, to_branch, state, note, view, created_at, updated_at, row from transfer
         where state = ?1 and (?2 is null or from_branch = ?2) and (?3 is null or to_branch = ?3)
         order by updated_at desc, row desc limit ?4",
    )?;
    let mut counting = reader.conn().prepare_cached(
        "select count(*) from transfer
         where state = ?1 and (?2 is null or from_branch = ?2) and (?3 is null or to_branch = ?3)",
    )?;
    let (mut found, mut count) = (Vec::new(), 0_i64);
    for (state, end) in wanted {
        let (from, to) = end.ids(own);
        let mut rows = listing.query((state.as_str(), &from, &to, limit))?;
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
        count += counting.query_row((state.as_str(), from, to), |row| row.get::<_, i64>(0))?;
    }
    found.sort_by_key(|view| std::cmp::Reverse((view.updated_at_ms, view.row)));
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok((found, count))
}

/// How many transfers are in one of these states.
pub fn count(reader: &Reader<'_>, states: &[TransferState]) -> Result<u64, AppError> {
    let mut statement = reader
        .conn()
        .prepare_cached("select count(*) from transfer where state = ?1")?;
    let mut sum = 0;
    for state in states {
        sum += statement.query_row([state.as_str()], |row| unsigned(row, 0))?;
    }
    Ok(sum)
}

/// Whether there is any record of a transfer here.
pub fn is_known(reader: &Reader<'_>, id: TransferId) -> Result<bool, AppError> {
    let found = reader
        .conn()
        .prepare_cached("select 1 from transfer where id = ?1")?
        .query_row([Id(id)], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}
