//! Reading customers: the row with sealed values, opened with the person's keys.

use std::collections::BTreeMap;

use domain::customer::{PersonValues, open_customer};
use domain::id::{BranchId, DocumentId};
use domain::sensitive::{PersonKey, Sensitive};
use rusqlite::Row;
use sync_protocol::hash::Hash;
use sync_protocol::message::GivenKey;

use super::order::Stage;
use super::person::{self, sealed_view};
use super::reader::Reader;
use super::sync::acked_seqs;
use super::tx::WriteTx;
use super::value::{Id, hash, split_hashes, unsigned};
use crate::error::AppError;

/// A customer as it is shown.
#[derive(Debug, Clone)]
pub struct CustomerRecord {
    /// The person's id.
    pub id: DocumentId,
    /// Where the person was first served.
    pub home: BranchId,
    /// The language to write in.
    pub language: Option<String>,
    /// The document that took this one's place.
    pub merged_into: Option<DocumentId>,
    /// What the person agreed to.
    pub consent: BTreeMap<String, bool>,
    /// Personal values; none while the person's key is not here.
    pub values: Option<PersonValues>,
    /// Sorted heads of the document.
    pub heads: Vec<Hash>,
    /// Hash over id and heads.
    pub hash: Hash,
    /// How far its own changes got.
    pub stage: Stage,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it was last changed.
    pub updated_at_ms: i64,
    /// Its place in lists.
    pub row: i64,
}

const ONE: &str = "select c.id, c.home, c.language, c.merged_into, c.consent, c.name, c.phone, c.email, c.address,
    c.note, d.heads, d.hash, c.own_seq, c.created_at, c.updated_at, c.row
    from customer c join document d on d.id = c.id where c.id = ?1";
const MANY: &str = "select c.id, c.home, c.language, c.merged_into, c.consent, c.name, c.phone, c.email, c.address,
    c.note, d.heads, d.hash, c.own_seq, c.created_at, c.updated_at, c.row
    from customer c join document d on d.id = c.id where c.row < ?1 order by c.row desc limit ?2";

fn read(reader: &Reader<'_>, row: &Row<'_>, acked: (u64, u64)) -> Result<CustomerRecord, AppError> {
    let id = row.get::<_, Id<DocumentId>>(0)?.0;
    let keys = reader.person_keys(id)?;
    let sealed = sealed_view(row, 5)?;
    let heads: Vec<u8> = row.get(10)?;
    let own_seq = unsigned(row, 12)?;
    let consent: String = row.get(4)?;
    Ok(CustomerRecord {
        id,
        home: row.get::<_, Id<BranchId>>(1)?.0,
        language: row.get(2)?,
        merged_into: row.get::<_, Option<Id<DocumentId>>>(3)?.map(|id| id.0),
        consent: serde_json::from_str(&consent)?,
        values: open_customer(&sealed, id, &keys).ok(),
        heads: split_hashes(&heads).unwrap_or_default(),
        hash: hash(row, 11)?,
        stage: match acked {
            (_, applied) if own_seq <= applied => Stage::Applied,
            (stored, _) if own_seq <= stored => Stage::Stored,
            _ => Stage::Local,
        },
        created_at_ms: row.get(13)?,
        updated_at_ms: row.get(14)?,
        row: row.get(15)?,
    })
}

/// One customer.
pub fn get(reader: &Reader<'_>, id: DocumentId) -> Result<Option<CustomerRecord>, AppError> {
    let acked = acked_seqs(reader.conn(), reader.identity())?;
    let mut statement = reader.conn().prepare_cached(ONE)?;
    let mut rows = statement.query([Id(id)])?;
    match rows.next()? {
        Some(row) => Ok(Some(read(reader, row, acked)?)),
        None => Ok(None),
    }
}

/// A customer's name alone; none for one who is not known, or whose key is not here.
pub fn name(reader: &Reader<'_>, id: DocumentId) -> Result<Option<Sensitive<String>>, AppError> {
    let mut statement = reader
        .conn()
        .prepare_cached("select name, null, null, null, null from customer where id = ?1")?;
    let mut rows = statement.query([Id(id)])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let sealed = sealed_view(row, 0)?;
    let values = open_customer(&sealed, id, &reader.person_keys(id)?);
    Ok(values.ok().and_then(|values| values.name))
}

/// Customers, newest first.
pub fn list(
    reader: &Reader<'_>,
    before_row: Option<i64>,
    limit: u32,
) -> Result<Vec<CustomerRecord>, AppError> {
    let acked = acked_seqs(reader.conn(), reader.identity())?;
    let mut statement = reader.conn().prepare_cached(MANY)?;
    let mut rows = statement.query((before_row.unwrap_or(i64::MAX), limit))?;
    let mut customers = Vec::new();
    while let Some(row) = rows.next()? {
        customers.push(read(reader, row, acked)?);
    }
    Ok(customers)
}

/// Draws the first key of a person who is taken in by this transaction, and keeps it. It is given to the hub before
/// the first entry that uses it.
pub fn new_key(tx: &mut WriteTx<'_>, person: DocumentId) -> Result<PersonKey, AppError> {
    let key = PersonKey::from_random(1, &mut tx.random());
    let given = GivenKey {
        person,
        generation: key.generation(),
        key: *key.expose(),
    };
    let first_seq = tx.position().map(|position| position.seq);
    person::keep_key(tx.conn(), tx.storage_key(), tx.bytes(), &given, first_seq)?;
    Ok(key)
}
