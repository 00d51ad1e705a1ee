//! Holding the whole database against its log: chain, feeds, every derived table, every document, the ledger's sums.
//!
//! It reads only, beside a running server, over one state. The tables are made once more in a private temporary
//! database by the function that made them first, and compared row by row; nothing is repaired here.

mod chains;
mod sums;
mod tables;

use std::collections::BTreeMap;
use std::path::Path;

use domain::id::PartId;
use rusqlite::Connection;
use serde::Serialize;
use sync_protocol::position::Tip;
use zeroize::Zeroizing;

use super::open::DATABASE;
use super::secrets::{STORAGE_KEY, io, read_high_water};
use super::value::{Id, unsigned};
use super::{document, log, migrate, reader, replay};
use crate::error::StoreError;
use crate::identity::NodeIdentity;

/// Differences that are listed; more are only counted by the next run.
const LISTED: usize = 1_000;

/// What `verify --json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Whether nothing differs.
    pub ok: bool,
    /// The branch's code.
    pub branch: String,
    /// The node's number.
    pub node: String,
    /// The log.
    pub log: LogReport,
    /// The documents.
    pub documents: DocumentsReport,
    /// Rows by table.
    pub tables: BTreeMap<&'static str, u64>,
    /// The sums of every part that ever moved.
    pub stock: Vec<StockReport>,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// The state of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogReport {
    /// Number of the last entry.
    pub seq: u64,
    /// Chain hash behind it, in hexadecimal.
    pub chain: String,
    /// Whether the chain holds from the start to there.
    pub intact: bool,
    /// The first position where it does not.
    pub first_bad: Option<String>,
}

/// Count and digest of the documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DocumentsReport {
    /// How many.
    pub count: u64,
    /// Digest over (document, heads), in hexadecimal.
    pub digest: String,
}

/// The sums of one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StockReport {
    /// The part.
    pub part: PartId,
    /// Its sku, when its row has arrived.
    pub sku: Option<String>,
    /// On the shelves.
    pub on_hand: i64,
    /// Set aside.
    pub reserved: i64,
    /// Movements in this branch's ledger.
    pub movements: u64,
}

/// Something that is not as the log says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which table.
    pub table: String,
    /// Which row: a position, an id, a key.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
}

/// Collects differences.
#[derive(Default)]
pub(super) struct Differences(Vec<Difference>);

impl Differences {
    fn add(&mut self, table: &str, key: impl std::fmt::Display, what: impl Into<String>) {
        if self.0.len() < LISTED {
            self.0.push(Difference {
                table: table.to_owned(),
                key: key.to_string(),
                what: what.into(),
            });
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Verifies the database of a data directory, also beside a running server.
///
/// # Errors
/// When the directory or the database cannot be read at all; what is wrong inside is in the report.
pub fn verify(dir: &Path) -> Result<VerifyReport, StoreError> {
    let identity = NodeIdentity::read(dir)?;
    let path = dir.join("secrets").join(STORAGE_KEY);
    let bytes = Zeroizing::new(std::fs::read(&path).map_err(io(&path))?);
    let wrong = || StoreError::Config {
        path: path.display().to_string(),
        what: "a key has 32 bytes".to_owned(),
    };
    let storage_key = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| wrong())?);
    let conn = reader::open_reading(&dir.join(DATABASE))?;
    let found = migrate::check(&conn)?;
    if found < migrate::SCHEMA {
        let what = format!(
            "the database has schema {found}; start the server once to bring it to {}",
            migrate::SCHEMA
        );
        return Err(StoreError::Config {
            path: dir.join(DATABASE).display().to_string(),
            what,
        });
    }
    conn.execute_batch("begin")?;
    let report = verify_state(&conn, dir, &identity, &storage_key);
    conn.execute_batch("commit")?;
    report
}

fn verify_state(
    conn: &Connection,
    dir: &Path,
    identity: &NodeIdentity,
    storage_key: &[u8; 32],
) -> Result<VerifyReport, StoreError> {
    let mut differences = Differences::default();
    sums::database_form(conn, &mut differences)?;
    let log = chains::log(conn, identity, &mut differences)?;
    chains::high_water(read_high_water(dir)?, log.seq, &mut differences);
    chains::feeds(conn, identity, &mut differences)?;
    chains::order_of_application(conn, &mut differences)?;
    chains::acknowledged(conn, identity, &mut differences)?;
    chains::signed_heads(conn, identity, dir, &mut differences)?;
    let rebuilt = temporary()?;
    replay::replay(conn, &rebuilt, identity)?;
    let tables = tables::compare(conn, &rebuilt, &mut differences)?;
    sums::documents(conn, &mut differences)?;
    sums::ledger(conn, identity, &mut differences)?;
    sums::keys(conn, identity, storage_key, &mut differences)?;
    let (count, digest) = document::digest_of(conn)?;
    Ok(VerifyReport {
        ok: differences.0.is_empty(),
        branch: identity.code.clone(),
        node: identity.node.to_string(),
        log,
        documents: DocumentsReport {
            count,
            digest: hex(&digest),
        },
        tables,
        stock: stock(conn)?,
        differences: differences.0,
    })
}

/// An empty database of this schema that goes away with its connection.
fn temporary() -> Result<Connection, StoreError> {
    let mut conn = Connection::open("")?;
    conn.pragma_update(None, "journal_mode", "off")?;
    conn.pragma_update(None, "synchronous", "off")?;
    conn.pragma_update(None, "cache_size", -64_000)?;
    conn.set_prepared_statement_cache_capacity(256);
    migrate::migrate(&mut conn)?;
    conn.execute_batch("begin")?;
    Ok(conn)
}

fn stock(conn: &Connection) -> Result<Vec<StockReport>, StoreError> {
    let mut statement = conn.prepare(
        "select s.part, p.sku, s.on_hand, s.reserved, s.movements from stock s left join part p on p.id = s.part
         order by s.part",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(StockReport {
            part: row.get::<_, Id<PartId>>(0)?.0,
            sku: row.get(1)?,
            on_hand: row.get(2)?,
            reserved: row.get(3)?,
            movements: unsigned(row, 4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether the chain holds: a rebuild from a broken log would make the break permanent.
pub(super) fn chain_holds(conn: &Connection, identity: &NodeIdentity) -> Result<bool, StoreError> {
    let mut differences = Differences::default();
    let log = chains::log(conn, identity, &mut differences)?;
    chains::feeds(conn, identity, &mut differences)?;
    chains::order_of_application(conn, &mut differences)?;
    Ok(log.intact && differences.0.is_empty())
}

/// The tip as the log's rows say it, whatever they are worth.
fn stored_tip(conn: &Connection, identity: &NodeIdentity) -> Result<Tip, StoreError> {
    log::tip(conn, identity)
}
