//! The derived tables, row by row, against those made once more.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use domain::id::format_uuid;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, Rows};

use super::super::value::unsigned;
use super::{Differences, hex};
use crate::error::StoreError;

struct Table {
    name: &'static str,
    /// How many of the first columns are the key.
    key: usize,
    select: &'static str,
    count: &'static str,
}

macro_rules! tables {
    ($($name:literal by $order:literal ($key:literal)),+ $(,)?) => {
        const TABLES: &[Table] = &[$(Table {
            name: $name,
            key: $key,
            select: concat!("select * from ", $name, " order by ", $order),
            count: concat!("select count(*) from ", $name),
        }),+];
    };
}

tables! {
    "document" by "id" (1),
    "conflict" by "id" (1),
    "decision" by "id" (1),
    "parked_item" by "node, epoch, seq, item" (4),
    "repair_order" by "row" (2),
    "import_record" by "source" (1),
    "customer" by "row" (2),
    "inventory_setting" by "document" (1),
    "movement" by "row" (2),
    "stock" by "part" (1),
    "reservation" by "id" (1),
    "transfer_record" by "row" (2),
    "transfer" by "row" (2),
    "branch" by "id" (1),
    "staff" by "id" (1),
    "credential" by "id" (1),
    "part" by "id" (1),
    "preset" by "id" (1),
    "company" by "id" (1),
    "availability" by "part, branch" (2),
    "known_node" by "node" (1),
    "closed_line" by "node, epoch, seq" (3),
    "erased_person" by "person" (1),
    "verdict" by "row" (1),
    "audit_note" by "row" (1),
    "log_header" by "seq" (1),
    "barcode" by "code, own, owner" (3),
    "receipt" by "row" (2),
    "order_money" by "repair_order, receipt" (2),
    "refund" by "row" (2),
    "refund_asked" by "row" (2),
    "payment_record" by "row" (2),
    "payment" by "row" (2),
    "cash_session" by "row" (2),
    "cash_move" by "row" (2),
    "money_entry" by "row" (1),
    "money_balance" by "currency, account" (2),
    "paper_series" by "kind, series" (2),
    "hold" by "row" (2),
    "day_closed" by "row" (2),
    "till_rules" by "id" (1),
    "account" by "id" (1),
}

const ORDER_TEXT: Table = Table {
    name: "order_text",
    key: 1,
    select: "select rowid, words from order_text order by rowid",
    count: "select count(*) from order_text",
};

/// Tables that are not derived, for their counts.
const OTHERS: &[(&str, &str)] = &[
    ("log_entry", "select count(*) from log_entry"),
    ("lineage", "select count(*) from lineage"),
    ("feed_entry", "select count(*) from feed_entry"),
    ("apply_order", "select count(*) from apply_order"),
    ("signed_head", "select count(*) from signed_head"),
    ("person_key", "select count(*) from person_key"),
    ("session", "select count(*) from session"),
    ("idempotency", "select count(*) from idempotency"),
    ("incident", "select count(*) from incident"),
    ("parked_basket", "select count(*) from parked_basket"),
];

/// Compares all derived tables; gives the counts of all tables.
pub(super) fn compare(
    conn: &Connection,
    rebuilt: &Connection,
    differences: &mut Differences,
) -> Result<BTreeMap<&'static str, u64>, StoreError> {
    let mut counts = BTreeMap::new();
    for table in TABLES.iter().chain([&ORDER_TEXT]) {
        compare_table(conn, rebuilt, table, differences)?;
        counts.insert(
            table.name,
            conn.query_row(table.count, [], |row| unsigned(row, 0))?,
        );
    }
    for (name, count) in OTHERS {
        counts.insert(*name, conn.query_row(count, [], |row| unsigned(row, 0))?);
    }
    Ok(counts)
}

fn compare_table(
    conn: &Connection,
    rebuilt: &Connection,
    table: &Table,
    differences: &mut Differences,
) -> Result<(), StoreError> {
    let mut here = conn.prepare(table.select)?;
    let mut there = rebuilt.prepare(table.select)?;
    let columns: Vec<String> = here.column_names().into_iter().map(str::to_owned).collect();
    let (mut here, mut there) = (here.query([])?, there.query([])?);
    let (mut found, mut expected) = (
        next(&mut here, columns.len())?,
        next(&mut there, columns.len())?,
    );
    loop {
        let order = match (&found, &expected) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(found), Some(expected)) => order(&found[..table.key], &expected[..table.key]),
        };
        if order == Ordering::Less
            && let Some(row) = found.take()
        {
            differences.add(
                table.name,
                key(table, &row),
                said("the log has no such row", &columns, &row),
            );
            found = next(&mut here, columns.len())?;
        } else if order == Ordering::Greater
            && let Some(row) = expected.take()
        {
            differences.add(
                table.name,
                key(table, &row),
                said("the row is missing", &columns, &row),
            );
            expected = next(&mut there, columns.len())?;
        } else if let (Some(row), Some(right)) = (found.take(), expected.take()) {
            if row != right {
                let changed: Vec<&str> = (0..columns.len())
                    .filter(|index| row[*index] != right[*index])
                    .map(|index| columns[index].as_str())
                    .collect();
                let what = format!("the log says another {}", changed.join(", "));
                differences.add(table.name, key(table, &row), said(&what, &columns, &row));
            }
            found = next(&mut here, columns.len())?;
            expected = next(&mut there, columns.len())?;
        }
    }
}

fn next(rows: &mut Rows<'_>, columns: usize) -> Result<Option<Vec<Value>>, StoreError> {
    match rows.next()? {
        Some(row) => Ok(Some(values(row, columns)?)),
        None => Ok(None),
    }
}

fn values(row: &Row<'_>, columns: usize) -> rusqlite::Result<Vec<Value>> {
    (0..columns).map(|index| row.get(index)).collect()
}

/// SQLite's own order: null, numbers, text, blobs; text and blobs by their bytes.
fn order(a: &[Value], b: &[Value]) -> Ordering {
    for (a, b) in a.iter().zip(b) {
        let order = match (a, b) {
            (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
            (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Value::Blob(a), Value::Blob(b)) => a.cmp(b),
            _ => class(a).cmp(&class(b)),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

const fn class(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Integer(_) | Value::Real(_) => 1,
        Value::Text(_) => 2,
        Value::Blob(_) => 3,
    }
}

/// The key for people: without the place in a list where an id says it better.
fn key(table: &Table, row: &[Value]) -> String {
    let names = &row[..table.key];
    let names = match names {
        [Value::Integer(_), id @ Value::Blob(_)] => std::slice::from_ref(id),
        names => names,
    };
    let texts: Vec<String> = names.iter().map(text).collect();
    texts.join("/")
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => <[u8; 16]>::try_from(bytes.as_slice())
            .map_or_else(|_| hex(bytes), |id| format_uuid(&id)),
    }
}

/// What is wrong, with the part or document that the row is about.
fn said(what: &str, columns: &[String], row: &[Value]) -> String {
    let about = columns.iter().zip(row).find(|(name, value)| {
        matches!(
            name.as_str(),
            "part" | "document" | "repair_order" | "transfer"
        ) && matches!(value, Value::Blob(_))
    });
    match about {
        Some((name, value)) => format!("{what} ({name} {})", text(value)),
        None => what.to_owned(),
    }
}
