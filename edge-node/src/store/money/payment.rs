//! Payments: their records, and what these come to.

use domain::id::{PaymentId, ReceiptId};
use domain::payment::{PaymentFold, PaymentRecord, PaymentState, fold_payment};
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};
use sync_protocol::money::payment_record;

use crate::error::{AppError, StoreError};
use crate::store::reader::Reader;
use crate::store::value::Id;

/// What is kept of a payment's fold beside its columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPayment {
    /// What a refund asks back.
    pub repay_asked_minor: i64,
    /// What went back.
    pub repaid_minor: i64,
    /// Whether the branch called it off.
    pub called_off: bool,
    /// The newest link or reason.
    pub detail: String,
}

impl StoredPayment {
    pub(crate) fn of(fold: &PaymentFold) -> Self {
        Self {
            repay_asked_minor: fold.repay_asked_minor,
            repaid_minor: fold.repaid_minor,
            called_off: fold.called_off,
            detail: fold.detail.clone(),
        }
    }
}

/// A payment as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentView {
    /// Its id.
    pub id: PaymentId,
    /// The receipt that asks for it.
    pub receipt: Option<ReceiptId>,
    /// With what.
    pub tender: String,
    /// Where it stands.
    pub state: PaymentState,
    /// The currency.
    pub currency: String,
    /// What was asked.
    pub asked_minor: i64,
    /// What came.
    pub captured_minor: i64,
    /// The rest of what is known.
    pub stored: StoredPayment,
    /// When it was asked for, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When something was last heard of it.
    pub updated_at_ms: i64,
    /// Its place in lists.
    pub row: i64,
}

impl PaymentView {
    /// What came and was not given back, nor asked back.
    pub fn left_minor(&self) -> i64 {
        let back_minor = self.stored.repay_asked_minor.max(self.stored.repaid_minor);
        self.captured_minor.saturating_sub(back_minor).max(0)
    }

    /// What came although it was called off, and was not given back.
    pub fn due_back_minor(&self) -> i64 {
        if self.stored.called_off {
            self.left_minor()
        } else {
            0
        }
    }
}

/// The records of a payment in the order in which they were accepted.
pub(crate) fn records(
    conn: &Connection,
    payment: PaymentId,
) -> Result<Vec<PaymentRecord>, StoreError> {
    let mut statement = conn
        .prepare_cached("select kind, body from payment_record where payment = ?1 order by row")?;
    let mut rows = statement.query([Id(payment)])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        let kind: u16 = row.get(0)?;
        let body = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        records.push(payment_record(kind, body)?);
    }
    Ok(records)
}

fn read(row: &Row<'_>) -> Result<PaymentView, AppError> {
    let state: String = row.get(3)?;
    let view: String = row.get(7)?;
    Ok(PaymentView {
        id: row.get::<_, Id<PaymentId>>(0)?.0,
        receipt: row.get::<_, Option<Id<ReceiptId>>>(1)?.map(|id| id.0),
        tender: row.get(2)?,
        state: state.parse().map_err(|_| StoreError::Corrupt {
            table: "payment",
            what: format!("state {state}"),
        })?,
        currency: row.get(4)?,
        asked_minor: row.get(5)?,
        captured_minor: row.get(6)?,
        stored: serde_json::from_str(&view)?,
        created_at_ms: row.get(8)?,
        updated_at_ms: row.get(9)?,
        row: row.get(10)?,
    })
}

/// The number of the next attempt of a payment.
pub fn next_attempt(reader: &Reader<'_>, id: PaymentId) -> Result<u16, AppError> {
    Ok(fold_payment(&records(reader.conn(), id)?).next_attempt)
}

/// A payment by its id.
pub fn get(reader: &Reader<'_>, id: PaymentId) -> Result<Option<PaymentView>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select id, receipt, tender, state, currency, asked, captured, view, created_at, updated_at, row from payment
         where id = ?1",
    )?;
    let mut rows = statement.query([Id(id)])?;
    rows.next()?.map(read).transpose()
}

/// Payments by card and bank, newest first; of one state only, where it is given.
pub fn list(
    reader: &Reader<'_>,
    state: Option<PaymentState>,
    before_row: Option<i64>,
    limit: u32,
) -> Result<Vec<PaymentView>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select id, receipt, tender, state, currency, asked, captured, view, created_at, updated_at, row from payment
         where row < ?1 and tender in ('card', 'bank') and (?2 is null or state = ?2) order by row desc limit ?3",
    )?;
    let state = state.map(|state| state.as_str());
    let mut rows = statement.query((before_row.unwrap_or(i64::MAX), state, limit))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// The payments that a receipt asks for, in their order.
pub fn of_receipt(reader: &Reader<'_>, receipt: ReceiptId) -> Result<Vec<PaymentView>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select id, receipt, tender, state, currency, asked, captured, view, created_at, updated_at, row from payment
         where receipt = ?1 order by row",
    )?;
    let mut rows = statement.query([Id(receipt)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}
