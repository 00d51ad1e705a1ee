//! Receipts, the refunds against them, and what they did for orders.

use domain::id::{DocumentId, ReceiptId, RefundId, StaffId};
use domain::till::{Receipt, Refund, RefundAsked};
use rusqlite::{Connection, OptionalExtension as _, Row};
use sync_protocol::item::decode_body;

use crate::error::{AppError, StoreError};
use crate::store::reader::Reader;
use crate::store::value::Id;

/// A receipt with who wrote it, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiptRecord {
    /// The receipt.
    pub receipt: Receipt,
    /// Who.
    pub staff: StaffId,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Its place in lists.
    pub row: i64,
}

/// What receipts, less their refunds, did for an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OrderMoney {
    /// What was invoiced.
    pub invoiced_minor: i64,
    /// Deposits that were taken and not used yet.
    pub deposits_minor: i64,
}

pub(crate) fn body(conn: &Connection, id: ReceiptId) -> Result<Option<Receipt>, StoreError> {
    let body: Option<Vec<u8>> = conn
        .prepare_cached("select body from receipt where id = ?1")?
        .query_row([Id(id)], |row| row.get(0))
        .optional()?;
    Ok(body.map(|body| decode_body(&body, "Receipt")).transpose()?)
}

pub(crate) fn refunds(conn: &Connection, receipt: ReceiptId) -> Result<Vec<Refund>, StoreError> {
    let mut statement =
        conn.prepare_cached("select body from refund where receipt = ?1 order by row")?;
    let mut rows = statement.query([Id(receipt)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let body: Vec<u8> = row.get(0)?;
        found.push(decode_body(&body, "Refund")?);
    }
    Ok(found)
}

/// The refunds against a receipt, in their order.
pub fn refunds_of(reader: &Reader<'_>, receipt: ReceiptId) -> Result<Vec<Refund>, AppError> {
    Ok(refunds(reader.conn(), receipt)?)
}

/// The receipts that took deposits for an order, oldest first.
pub fn deposits_for(
    reader: &Reader<'_>,
    order: DocumentId,
) -> Result<Vec<ReceiptRecord>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select r.body, r.staff, r.at, r.row from order_money m join receipt r on r.id = m.receipt
         where m.repair_order = ?1 and m.deposits > 0 order by r.row",
    )?;
    let mut rows = statement.query([Id(order)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// A refund that waits for the hub's word, or has it.
#[derive(Debug, Clone, PartialEq)]
pub struct AskedRecord {
    /// What is asked.
    pub asked: RefundAsked,
    /// `asked`, `approved`, `refused` or `done`.
    pub state: String,
    /// Why, by the hub.
    pub reason: String,
    /// Who asked.
    pub staff: StaffId,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// A refund that was asked for.
pub fn asked(reader: &Reader<'_>, id: RefundId) -> Result<Option<AskedRecord>, AppError> {
    let mut statement = reader
        .conn()
        .prepare_cached("select body, state, reason, staff, at from refund_asked where id = ?1")?;
    let mut rows = statement.query([Id(id)])?;
    rows.next()?.map(read_asked).transpose()
}

/// The refunds that were asked for of a receipt, newest first.
pub fn asked_of(reader: &Reader<'_>, receipt: ReceiptId) -> Result<Vec<AskedRecord>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select body, state, reason, staff, at from refund_asked where receipt = ?1 order by row desc",
    )?;
    let mut rows = statement.query([Id(receipt)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read_asked(row)?);
    }
    Ok(found)
}

fn read_asked(row: &Row<'_>) -> Result<AskedRecord, AppError> {
    let body: Vec<u8> = row.get(0)?;
    Ok(AskedRecord {
        asked: decode_body(&body, "RefundAsked").map_err(StoreError::from)?,
        state: row.get(1)?,
        reason: row.get(2)?,
        staff: row.get::<_, Id<StaffId>>(3)?.0,
        at_ms: row.get(4)?,
    })
}

pub(super) fn read(row: &Row<'_>) -> Result<ReceiptRecord, AppError> {
    let body: Vec<u8> = row.get(0)?;
    Ok(ReceiptRecord {
        receipt: decode_body(&body, "Receipt").map_err(StoreError::from)?,
        staff: row.get::<_, Id<StaffId>>(1)?.0,
        at_ms: row.get(2)?,
        row: row.get(3)?,
    })
}

/// The receipt of a number.
pub fn by_number(
    reader: &Reader<'_>,
    series: u8,
    number: u32,
) -> Result<Option<ReceiptRecord>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select body, staff, at, row from receipt where series = ?1 and number = ?2 order by row limit 1",
    )?;
    let mut rows = statement.query((series, number))?;
    rows.next()?.map(read).transpose()
}

/// A receipt by its id.
pub fn get(reader: &Reader<'_>, id: ReceiptId) -> Result<Option<ReceiptRecord>, AppError> {
    let mut statement = reader
        .conn()
        .prepare_cached("select body, staff, at, row from receipt where id = ?1")?;
    let mut rows = statement.query([Id(id)])?;
    rows.next()?.map(read).transpose()
}

/// What the till did for an order.
pub fn of_order(reader: &Reader<'_>, order: DocumentId) -> Result<OrderMoney, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select coalesce(sum(invoiced), 0), coalesce(sum(deposits), 0) from order_money where repair_order = ?1",
    )?;
    Ok(statement.query_row([Id(order)], |row| {
        Ok(OrderMoney {
            invoiced_minor: row.get(0)?,
            deposits_minor: row.get(1)?,
        })
    })?)
}
