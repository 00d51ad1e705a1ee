//! What the two databases say, read by SQL of the demo's own, beside anything that the product says about itself.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result};
use rusqlite::{Connection, OpenFlags};
use sqlx::{Connection as _, PgConnection, Row as _};

/// Quantities of one part at one branch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Quantity {
    pub(crate) on_hand: i64,
    pub(crate) reserved: i64,
    pub(crate) movements: i64,
}

/// The tables of one branch, as one side has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tables {
    /// Document → document hash, of everything that this side holds of the branch.
    pub(crate) documents: BTreeMap<String, String>,
    /// Order → (number, status, outcome).
    pub(crate) orders: BTreeMap<String, (String, String, Option<String>)>,
    /// Part → quantities as the stock table has them.
    pub(crate) stock: BTreeMap<String, Quantity>,
    /// Part → on hand and count as the movements add up.
    pub(crate) ledger: BTreeMap<String, Quantity>,
    /// Last entry of the log and the chain hash behind it.
    pub(crate) tip: (i64, String),
}

/// Orders of a branch, with what an import made.
#[derive(Debug, Clone, Default)]
pub(crate) struct BranchOrders {
    pub(crate) ids: BTreeSet<String>,
    pub(crate) imported: BTreeSet<String>,
    /// Imported orders by their source; one each, if all is well.
    pub(crate) by_source: BTreeMap<String, Vec<String>>,
    /// Orders beyond the first of one source.
    pub(crate) doubled_sources: u64,
}

pub(crate) fn open_branch(data_dir: &Path) -> Result<Connection> {
    let path = data_dir.join("counterpart.db");
    Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .with_context(|| format!("opening {}", path.display()))
}

pub(crate) fn branch_orders(data_dir: &Path) -> Result<BranchOrders> {
    let conn = open_branch(data_dir)?;
    let mut rows = conn.prepare("select id, source from repair_order")?;
    let mut orders = BranchOrders::default();
    let found = rows.query_map([], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Option<String>>(1)?))
    })?;
    for row in found {
        let (id, source) = row?;
        let id = uuid_text(&id);
        if let Some(source) = source {
            orders.imported.insert(id.clone());
            orders.by_source.entry(source).or_default().push(id.clone());
        }
        orders.ids.insert(id);
    }
    orders.doubled_sources = orders
        .by_source
        .values()
        .map(|ids| ids.len() as u64 - 1)
        .sum();
    Ok(orders)
}

/// A branch's own tables.
pub(crate) fn branch_tables(data_dir: &Path) -> Result<Tables> {
    let conn = open_branch(data_dir)?;
    let mut tables = Tables::default();
    let mut rows = conn.prepare("select id, hash from document")?;
    for row in rows.query_map([], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))
    })? {
        let (id, hash) = row?;
        tables.documents.insert(uuid_text(&id), hex(&hash));
    }
    let mut rows = conn.prepare("select id, number, status, outcome from repair_order")?;
    let orders = rows.query_map([], |row| {
        Ok((
            row.get::<_, Vec<u8>>(0)?,
            (row.get(1)?, row.get(2)?, row.get::<_, Option<String>>(3)?),
        ))
    })?;
    for row in orders {
        let (id, order) = row?;
        tables.orders.insert(uuid_text(&id), order);
    }
    let mut rows = conn.prepare("select part, on_hand, reserved, movements from stock")?;
    let stock = rows.query_map([], |row| {
        let quantity = Quantity {
            on_hand: row.get(1)?,
            reserved: row.get(2)?,
            movements: row.get(3)?,
        };
        Ok((row.get::<_, Vec<u8>>(0)?, quantity))
    })?;
    for row in stock {
        let (part, quantity) = row?;
        tables.stock.insert(uuid_text(&part), quantity);
    }
    let mut rows = conn.prepare(
        "select part, sum(case when superseded = 0 then (to_account = 1) * quantity - (from_account = 1) * quantity
                               else 0 end),
                count(*)
         from movement where kind not in (12, 13) group by part",
    )?;
    let ledger = rows.query_map([], |row| {
        let quantity = Quantity {
            on_hand: row.get(1)?,
            reserved: 0,
            movements: row.get(2)?,
        };
        Ok((row.get::<_, Vec<u8>>(0)?, quantity))
    })?;
    for row in ledger {
        let (part, quantity) = row?;
        tables.ledger.insert(uuid_text(&part), quantity);
    }
    let tip = conn.query_row(
        "select seq, chain from log_entry order by seq desc limit 1",
        [],
        |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)),
    );
    if let Ok((seq, chain)) = tip {
        tables.tip = (seq, hex(&chain));
    }
    Ok(tables)
}

/// The hub's tables of every branch, by branch id.
pub(crate) async fn hub_tables(database_url: &str) -> Result<BTreeMap<String, Tables>> {
    let mut conn = PgConnection::connect(database_url)
        .await
        .context("connecting to the hub's database")?;
    let mut all = BTreeMap::<String, Tables>::new();
    let documents = sqlx::query("select branch_id::text, document::text, hash from sync.document");
    for row in documents.fetch_all(&mut conn).await? {
        let tables = all.entry(row.get(0)).or_default();
        tables
            .documents
            .insert(row.get(1), hex(&row.get::<Vec<u8>, _>(2)));
    }
    let orders = sqlx::query(
        "select branch_id::text, document::text, number, status, outcome from orders.repair_order",
    );
    for row in orders.fetch_all(&mut conn).await? {
        let tables = all.entry(row.get(0)).or_default();
        tables
            .orders
            .insert(row.get(1), (row.get(2), row.get(3), row.get(4)));
    }
    let stock = sqlx::query(
        "select branch_id::text, part::text, on_hand, reserved, movements from inventory.stock",
    );
    for row in stock.fetch_all(&mut conn).await? {
        let quantity = Quantity {
            on_hand: row.get(2),
            reserved: row.get(3),
            movements: row.get(4),
        };
        all.entry(row.get(0))
            .or_default()
            .stock
            .insert(row.get(1), quantity);
    }
    let ledger = sqlx::query(
        "select branch_id::text, part::text,
                coalesce(sum(case when to_account = 1 then quantity when from_account = 1 then -quantity else 0 end)
                    filter (where not superseded), 0)::bigint,
                count(*) filter (where node <> 0)
         from inventory.movement group by 1, 2",
    );
    for row in ledger.fetch_all(&mut conn).await? {
        let quantity = Quantity {
            on_hand: row.get(2),
            reserved: 0,
            movements: row.get(3),
        };
        all.entry(row.get(0))
            .or_default()
            .ledger
            .insert(row.get(1), quantity);
    }
    let tips =
        sqlx::query("select branch_id::text, tip_seq, tip_hash from sync.node where not closed");
    for row in tips.fetch_all(&mut conn).await? {
        all.entry(row.get(0)).or_default().tip = (row.get(1), hex(&row.get::<Vec<u8>, _>(2)));
    }
    conn.close().await?;
    Ok(all)
}

/// Branch code → branch id.
pub(crate) async fn hub_branches(database_url: &str) -> Result<BTreeMap<String, String>> {
    let mut conn = PgConnection::connect(database_url)
        .await
        .context("connecting to the hub's database")?;
    let rows = sqlx::query("select code, branch::text from locations.branch")
        .fetch_all(&mut conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect())
}

/// Runs one statement on the hub's database; gives how many rows it changed.
pub(crate) async fn hub_execute(database_url: &str, statement: &'static str) -> Result<u64> {
    let mut conn = PgConnection::connect(database_url)
        .await
        .context("connecting to the hub's database")?;
    Ok(sqlx::query(statement)
        .execute(&mut conn)
        .await?
        .rows_affected())
}

/// Address of a database that listens on TCP.
pub(crate) fn tcp_address(database_url: &str) -> Option<SocketAddr> {
    let rest = database_url.split_once("://")?.1;
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host = host.split(['/', '?']).next()?;
    host.replace("localhost", "127.0.0.1").parse().ok()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn uuid_text(bytes: &[u8]) -> String {
    let hex = hex(bytes);
    if hex.len() != 32 {
        return hex;
    }
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

#[cfg(test)]
mod tests {
    use super::{tcp_address, uuid_text};

    #[test]
    fn ids_and_addresses_are_read() {
        assert_eq!(
            uuid_text(&[0x11; 16]),
            "11111111-1111-1111-1111-111111111111"
        );
        let address = tcp_address("postgres://counterpart:secret@127.0.0.1:5433/counterpart");
        assert_eq!(address, "127.0.0.1:5433".parse().ok());
        assert_eq!(tcp_address("postgres:///counterpart?host=/run/x"), None);
    }
}
