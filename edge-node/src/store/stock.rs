//! Reading stock: sums, movements, where else a part is.

pub mod shelf;

use domain::id::{BranchId, LineId, PartId, StaffId};
use domain::stock::{Account, MovementKind};
use rusqlite::{OptionalExtension, Row};
use sync_protocol::position::NodeId;

use super::reader::Reader;
use super::value::{Bytes, Id, unsigned};
use crate::error::AppError;

/// The sums of one part at this branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// On the shelves.
    pub on_hand: i64,
    /// Set aside for order lines.
    pub reserved: i64,
    /// On its way to this branch.
    pub in_transit: i64,
    /// Movements in this branch's ledger.
    pub movements: u64,
    /// When it last changed, in milliseconds since 1970; 0 for never.
    pub as_of_ms: i64,
}

impl Balance {
    /// What may be taken.
    pub const fn free(&self) -> i64 {
        self.on_hand - self.reserved
    }
}

/// The sums of a part; all zero when it never moved.
pub fn balance(reader: &Reader<'_>, part: PartId) -> Result<Balance, AppError> {
    let found = reader
        .conn()
        .prepare_cached(
            "select on_hand, reserved, in_transit, movements, as_of from stock where part = ?1",
        )?
        .query_row([Id(part)], |row| read_balance(row, 0))
        .optional()?;
    Ok(found.unwrap_or_default())
}

pub(super) fn read_balance(row: &Row<'_>, first: usize) -> rusqlite::Result<Balance> {
    Ok(Balance {
        on_hand: row.get(first)?,
        reserved: row.get(first + 1)?,
        in_transit: row.get(first + 2)?,
        movements: unsigned(row, first + 3)?,
        as_of_ms: row.get(first + 4)?,
    })
}

/// Where else a part is, as last known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// The branch.
    pub branch: BranchId,
    /// Its code, when the branch is known here.
    pub code: Option<String>,
    /// Free pieces.
    pub quantity: i64,
    /// When that was so, in milliseconds since 1970.
    pub as_of_ms: i64,
}

/// The branches that had a part, most first.
pub fn elsewhere(reader: &Reader<'_>, part: PartId) -> Result<Vec<Elsewhere>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select a.branch, b.code, a.quantity, a.as_of from availability a left join branch b on b.id = a.branch
         where a.part = ?1 and a.branch <> ?2 and a.quantity > 0 order by a.quantity desc, a.branch",
    )?;
    let rows = statement.query_map((Id(part), Id(reader.identity().branch)), |row| {
        Ok(Elsewhere {
            branch: row.get::<_, Id<BranchId>>(0)?.0,
            code: row.get(1)?,
            quantity: row.get(2)?,
            as_of_ms: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A movement as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovementRecord {
    /// The fact's id in the API.
    pub id: [u8; 16],
    /// The part.
    pub part: PartId,
    /// The branch.
    pub branch: BranchId,
    /// What it is.
    pub kind: MovementKind,
    /// Pieces.
    pub quantity: i64,
    /// The account that they left.
    pub from: Account,
    /// The account that they entered.
    pub to: Account,
    /// The order, sale or transfer; zeros for none.
    pub subject: [u8; 16],
    /// Reason or reference in words.
    pub text: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who; nil for the system.
    pub staff: StaffId,
    /// Whether another fact with the same business key counts.
    pub superseded: bool,
    /// On hand behind it.
    pub balance_after: i64,
    /// Its place in lists.
    pub row: i64,
}

fn read_movement(row: &Row<'_>) -> rusqlite::Result<MovementRecord> {
    let account = |index| -> rusqlite::Result<Account> {
        Ok(Account::from_code(row.get(index)?).unwrap_or(Account::OnHand))
    };
    Ok(MovementRecord {
        id: row.get::<_, Bytes<16>>(0)?.0,
        part: row.get::<_, Id<PartId>>(1)?.0,
        branch: row.get::<_, Id<BranchId>>(2)?.0,
        kind: MovementKind::from_code(row.get(3)?).unwrap_or(MovementKind::Opening),
        quantity: row.get(4)?,
        from: account(5)?,
        to: account(6)?,
        subject: row.get::<_, Bytes<16>>(7)?.0,
        text: row.get(8)?,
        at_ms: row.get(9)?,
        staff: row.get::<_, Id<StaffId>>(10)?.0,
        superseded: row.get(11)?,
        balance_after: row.get(12)?,
        row: row.get(13)?,
    })
}

/// Movements of this branch's stock, newest first; of one part when it is named. What the hub writes off in transit
/// (kinds 12 and 13) moves nothing here and stands in the transfer.
pub fn movements(
    reader: &Reader<'_>,
    part: Option<PartId>,
    before_row: Option<i64>,
    limit: u32,
) -> Result<Vec<MovementRecord>, AppError> {
    let before = before_row.unwrap_or(i64::MAX);
    let rows = match part {
        Some(part) => reader
            .conn()
            .prepare_cached(
                "select id, part, branch, kind, quantity, from_account, to_account, subject, text, at, staff,
                     superseded, balance_after, row
                 from movement where part = ?1 and row < ?2 and kind not in (12, 13) order by row desc limit ?3",
            )?
            .query_map((Id(part), before, limit), read_movement)?
            .collect::<Result<_, _>>()?,
        None => reader
            .conn()
            .prepare_cached(
                "select id, part, branch, kind, quantity, from_account, to_account, subject, text, at, staff,
                     superseded, balance_after, row
                 from movement where row < ?1 and kind not in (12, 13) order by row desc limit ?2",
            )?
            .query_map((before, limit), read_movement)?
            .collect::<Result<_, _>>()?,
    };
    Ok(rows)
}

/// One movement by its id.
pub fn movement(reader: &Reader<'_>, id: [u8; 16]) -> Result<Option<MovementRecord>, AppError> {
    let found = reader
        .conn()
        .prepare_cached(
            "select id, part, branch, kind, quantity, from_account, to_account, subject, text, at, staff, superseded,
                 balance_after, row
             from movement where id = ?1",
        )?
        .query_row([id], read_movement)
        .optional()?;
    Ok(found)
}

/// A reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReservationRecord {
    /// The part.
    pub part: PartId,
    /// Pieces.
    pub quantity: i64,
    /// Whether they are still set aside.
    pub is_open: bool,
}

/// The reservation of an order line.
pub fn reservation(
    reader: &Reader<'_>,
    line: LineId,
) -> Result<Option<ReservationRecord>, AppError> {
    let found = reader
        .conn()
        .prepare_cached("select part, quantity, open from reservation where id = ?1")?
        .query_row([Id(line)], |row| {
            Ok(ReservationRecord {
                part: row.get::<_, Id<PartId>>(0)?.0,
                quantity: row.get(1)?,
                is_open: row.get(2)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// Every `use` of an order line's pieces and every return of them, in their order.
pub fn uses_of(
    reader: &Reader<'_>,
    order: &[u8; 16],
    line: &[u8; 16],
) -> Result<Vec<MovementRecord>, AppError> {
    let mut statement = reader
        .conn()
        .prepare_cached(
            "select id, part, branch, kind, quantity, from_account, to_account, subject, text, at, staff, superseded,
                 balance_after, row
             from movement where subject = ?1 and line = ?2 and kind in (4, 5) and superseded = 0
                 and subject <> x'00000000000000000000000000000000' order by row",
        )?;
    let found = statement.query_map((order, line), read_movement)?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The branch of a machine, where the hub has told of it.
pub fn branch_of_node(reader: &Reader<'_>, node: NodeId) -> Result<Option<BranchId>, AppError> {
    let found = reader
        .conn()
        .prepare_cached("select branch from known_node where node = ?1")?
        .query_row([node.0], |row| row.get::<_, Option<Id<BranchId>>>(0))
        .optional()?;
    Ok(found.flatten().map(|id| id.0))
}

/// The pieces of an order line that are used up: what was used and did not come back.
pub fn used_quantity(
    reader: &Reader<'_>,
    order: &[u8; 16],
    line: &[u8; 16],
) -> Result<Option<i64>, AppError> {
    let found = reader
        .conn()
        .prepare_cached(
            "select sum(case kind when 4 then quantity else -quantity end) from movement
             where subject = ?1 and line = ?2 and kind in (4, 5) and superseded = 0
                 and subject <> x'00000000000000000000000000000000'",
        )?
        .query_row((order, line), |row| row.get::<_, Option<i64>>(0))?;
    Ok(found.filter(|quantity| *quantity > 0))
}
