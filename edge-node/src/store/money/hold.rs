//! Goods that are kept for a payment.

use domain::id::{DocumentId, PaymentId};
use rusqlite::Row;

use crate::error::AppError;
use crate::store::reader::Reader;
use crate::store::value::Id;

/// Goods that are kept for a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldRecord {
    /// The payment.
    pub payment: PaymentId,
    /// The order whose parts are kept.
    pub order: DocumentId,
    /// Until when, in milliseconds since 1970.
    pub until_ms: i64,
}

fn read(row: &Row<'_>) -> Result<HoldRecord, AppError> {
    Ok(HoldRecord {
        payment: row.get::<_, Id<PaymentId>>(0)?.0,
        order: row.get::<_, Id<DocumentId>>(1)?.0,
        until_ms: row.get(2)?,
    })
}

/// Holds whose time is over and whose payment is not there, oldest first.
pub fn run_out(reader: &Reader<'_>, now_ms: i64) -> Result<Vec<HoldRecord>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select h.payment, h.repair_order, h.until from hold h left join payment p on p.id = h.payment
         where h.state = 'begun' and h.until <= ?1 and coalesce(p.captured, 0) = 0 order by h.until limit 100",
    )?;
    let mut rows = statement.query([now_ms])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// The newest hold of an order's goods, whether it is over or not.
pub fn of_order(reader: &Reader<'_>, order: DocumentId) -> Result<Option<HoldRecord>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select payment, repair_order, until from hold where repair_order = ?1 order by row desc limit 1",
    )?;
    let mut rows = statement.query([Id(order)])?;
    rows.next()?.map(read).transpose()
}
