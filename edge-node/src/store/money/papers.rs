//! Lists of papers and of cash by hand, newest first.

use domain::cash::CashDirection;
use domain::id::{DocumentId, ReceiptId, SessionId, StaffId};
use domain::till::Refund;
use rusqlite::Row;
use sync_protocol::item::decode_body;

use super::receipt::{ReceiptRecord, read};
use crate::error::{AppError, StoreError};
use crate::store::reader::Reader;
use crate::store::value::Id;

/// A refund with who wrote it, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct RefundRecord {
    /// The refund.
    pub refund: Refund,
    /// What it comes to.
    pub amount_minor: i64,
    /// Who.
    pub staff: StaffId,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// Cash that went in or out by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveRecord {
    /// Counts from 1 in the session.
    pub number: u32,
    /// Which way.
    pub direction: CashDirection,
    /// How much.
    pub amount_minor: i64,
    /// Why.
    pub reason: String,
    /// Who.
    pub staff: StaffId,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// Receipts, newest first.
pub fn receipts(
    reader: &Reader<'_>,
    before_row: Option<i64>,
    limit: u32,
) -> Result<Vec<ReceiptRecord>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select body, staff, at, row from receipt where row < ?1 order by row desc limit ?2",
    )?;
    let mut rows = statement.query((before_row.unwrap_or(i64::MAX), limit))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// The receipts that took money for an order, oldest first.
pub fn receipts_of(reader: &Reader<'_>, order: DocumentId) -> Result<Vec<ReceiptRecord>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select body, staff, at, row from receipt
         where id in (select receipt from order_money where repair_order = ?1) order by row",
    )?;
    let mut rows = statement.query([Id(order)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// The refunds against a receipt, oldest first.
pub fn refunds_of(reader: &Reader<'_>, receipt: ReceiptId) -> Result<Vec<RefundRecord>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select body, amount, staff, at from refund where receipt = ?1 order by row",
    )?;
    let mut rows = statement.query([Id(receipt)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read_refund(row)?);
    }
    Ok(found)
}

/// The refund of a number.
pub fn refund_by_number(
    reader: &Reader<'_>,
    series: u8,
    number: u32,
) -> Result<Option<RefundRecord>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select body, amount, staff, at from refund where series = ?1 and number = ?2 order by row limit 1",
    )?;
    let mut rows = statement.query((series, number))?;
    rows.next()?.map(read_refund).transpose()
}

fn read_refund(row: &Row<'_>) -> Result<RefundRecord, AppError> {
    let body = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
    Ok(RefundRecord {
        refund: decode_body(body, "Refund").map_err(StoreError::from)?,
        amount_minor: row.get(1)?,
        staff: row.get::<_, Id<StaffId>>(2)?.0,
        at_ms: row.get(3)?,
    })
}

/// Cash that went in or out by hand in a session, oldest first.
pub fn moves(reader: &Reader<'_>, session: SessionId) -> Result<Vec<MoveRecord>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select number, direction, amount, reason, staff, at from cash_move where session = ?1 order by row",
    )?;
    let mut rows = statement.query([Id(session)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let direction: String = row.get(1)?;
        found.push(MoveRecord {
            number: row.get(0)?,
            direction: direction.parse().map_err(|_| StoreError::Corrupt {
                table: "cash_move",
                what: format!("direction {direction}"),
            })?,
            amount_minor: row.get(2)?,
            reason: row.get(3)?,
            staff: row.get::<_, Id<StaffId>>(4)?.0,
            at_ms: row.get(5)?,
        });
    }
    Ok(found)
}
