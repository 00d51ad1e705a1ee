//! Reading orders: one, by number, in lists, by words.

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "select o.id, o.view, d.heads, d.hash, o.own_seq, o.updated_at, o.row
             from repair_order o join document d on d.id = o.id ",
            $tail
        )
    };
}

pub mod board;
pub mod find;
pub(crate) mod stored;

use domain::id::{DocumentId, VisitId};
use domain::order::{OrderView, Status};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params_from_iter};
use sync_protocol::hash::Hash;

use super::reader::Reader;
use super::sync::acked_seqs;
use super::value::{Id, hash, split_hashes, unsigned};
use crate::error::{AppError, StoreError};

/// How far an order's own changes got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Only here.
    Local,
    /// Stored at the hub.
    Stored,
    /// Applied at the hub.
    Applied,
}

impl Stage {
    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::Local => "local",
            Stage::Stored => "stored",
            Stage::Applied => "applied",
        }
    }
}

/// An order as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRecord {
    /// Its id.
    pub id: DocumentId,
    /// What the document says.
    pub view: OrderView,
    /// Sorted heads of the document.
    pub heads: Vec<Hash>,
    /// Hash over id and heads: the version that a form is based on.
    pub hash: Hash,
    /// How far its own changes got.
    pub stage: Stage,
    /// When it was last changed, in milliseconds since 1970.
    pub updated_at_ms: i64,
    /// Its place in lists; newer ones have greater numbers.
    pub row: i64,
}

fn read(row: &Row<'_>, acked: (u64, u64)) -> Result<OrderRecord, StoreError> {
    let heads: Vec<u8> = row.get(2)?;
    let own_seq = unsigned(row, 4)?;
    let stage = match acked {
        (_, applied) if own_seq <= applied => Stage::Applied,
        (stored, _) if own_seq <= stored => Stage::Stored,
        _ => Stage::Local,
    };
    Ok(OrderRecord {
        id: row.get::<_, Id<DocumentId>>(0)?.0,
        view: stored::from_json(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?,
        heads: split_hashes(&heads).unwrap_or_default(),
        hash: hash(row, 3)?,
        stage,
        updated_at_ms: row.get(5)?,
        row: row.get(6)?,
    })
}

fn query(
    reader: &Reader<'_>,
    sql: &'static str,
    params: Vec<Value>,
) -> Result<Vec<OrderRecord>, AppError> {
    let acked = acked_seqs(reader.conn(), reader.identity())?;
    let mut statement = reader.conn().prepare_cached(sql)?;
    let mut rows = statement.query(params_from_iter(params))?;
    let mut orders = Vec::new();
    while let Some(row) = rows.next()? {
        orders.push(read(row, acked)?);
    }
    Ok(orders)
}

fn blob(id: &[u8; 16]) -> Value {
    Value::Blob(id.to_vec())
}

/// One order.
pub fn get(reader: &Reader<'_>, id: DocumentId) -> Result<Option<OrderRecord>, AppError> {
    Ok(query(
        reader,
        select!("where o.id = ?1"),
        vec![blob(id.as_bytes())],
    )?
    .pop())
}

/// The orders of a visit, in the order in which they were taken in.
pub fn of_visit(reader: &Reader<'_>, visit: VisitId) -> Result<Vec<OrderRecord>, AppError> {
    query(
        reader,
        select!("where o.visit = ?1 order by o.row"),
        vec![blob(visit.as_bytes())],
    )
}

/// The orders of a customer, newest first.
pub fn of_customer(
    reader: &Reader<'_>,
    customer: DocumentId,
    limit: u32,
) -> Result<Vec<OrderRecord>, AppError> {
    let params = vec![blob(customer.as_bytes()), Value::Integer(i64::from(limit))];
    query(
        reader,
        select!("where o.customer = ?1 order by o.row desc limit ?2"),
        params,
    )
}

/// Whether an order has this number here.
pub fn number_is_taken(reader: &Reader<'_>, number: &str) -> Result<bool, AppError> {
    let found = reader
        .conn()
        .prepare_cached("select 1 from repair_order where number = ?1 limit 1")?
        .query_row([number], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// What a list of orders is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Only these.
    pub status: Option<Status>,
    /// Only those changed at or after this time, in milliseconds since 1970.
    pub since_ms: Option<i64>,
    /// Only those with this number (as stored) or serial.
    pub number_or_serial: Option<String>,
    /// Only those before this [`OrderRecord::row`].
    pub before_row: Option<i64>,
}

/// Orders, newest first.
pub fn list(
    reader: &Reader<'_>,
    filter: &OrderFilter,
    limit: u32,
) -> Result<Vec<OrderRecord>, AppError> {
    let before = Value::Integer(filter.before_row.unwrap_or(i64::MAX));
    let limit = Value::Integer(i64::from(limit));
    let since = Value::Integer(filter.since_ms.unwrap_or(i64::MIN));
    let status = filter
        .status
        .map(|status| Value::Text(status.as_str().to_owned()));
    match (&filter.number_or_serial, status) {
        (Some(wanted), status) => query(
            reader,
            select!(
                "where (o.number = ?1 or (o.serial = ?1 and o.serial <> '')) and o.row < ?2 and o.updated_at >= ?3
                     and (?5 is null or o.status = ?5) order by o.row desc limit ?4"
            ),
            vec![Value::Text(wanted.clone()), before, since, limit, status.unwrap_or(Value::Null)],
        ),
        (None, Some(status)) => query(
            reader,
            select!("where o.status = ?1 and o.row < ?2 and o.updated_at >= ?3 order by o.row desc limit ?4"),
            vec![status, before, since, limit],
        ),
        (None, None) => query(
            reader,
            select!("where o.row < ?1 and o.updated_at >= ?2 order by o.row desc limit ?3"),
            vec![before, since, limit],
        ),
    }
}

/// Orders whose number, device or fault has a word that begins with each word typed, newest first.
pub fn search(reader: &Reader<'_>, typed: &str, limit: u32) -> Result<Vec<OrderRecord>, AppError> {
    let Some(expression) = match_expression(typed) else {
        return Ok(Vec::new());
    };
    query(
        reader,
        select!("where o.row in (select rowid from order_text where words match ?1 order by rowid desc limit ?2)
         order by o.row desc"),
        vec![Value::Text(expression), Value::Integer(i64::from(limit))],
    )
}

/// An FTS5 expression of what a person typed: each word as a quoted prefix, so that no sign in it is an operator.
fn match_expression(typed: &str) -> Option<String> {
    let words: Vec<String> = typed
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(8)
        .map(|word| format!("\"{word}\"*"))
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// How many orders there are.
pub fn count(reader: &Reader<'_>) -> Result<u64, AppError> {
    let mut statement = reader
        .conn()
        .prepare_cached("select count(*) from repair_order")?;
    Ok(statement.query_row([], |row| unsigned(row, 0))?)
}

/// How many orders there are by status.
pub fn counts(reader: &Reader<'_>) -> Result<Vec<(Status, u64)>, AppError> {
    let mut statement = reader
        .conn()
        .prepare_cached("select status, count(*) from repair_order group by status")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, unsigned(row, 1)?)))?;
    let mut counts = Vec::new();
    for row in rows {
        let (status, count) = row?;
        if let Ok(status) = status.parse() {
            counts.push((status, count));
        }
    }
    Ok(counts)
}
