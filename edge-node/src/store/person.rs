//! Persons: their keys at rest; the index in memory by which they are found stands below.
//!
//! No personal value stands in clear in any file (INV-21): the table holds sealed values, the keys are sealed under
//! the storage key, and what can be searched lives in memory only.

mod index;

use std::collections::BTreeMap;

use domain::customer::{CustomerView, open_customer};
use domain::id::{BranchId, DocumentId};
use domain::seal::{open_at_rest, seal_at_rest};
use domain::sensitive::PersonKey;
use rusqlite::{Connection, Row};
use sync_protocol::message::{GivenKey, KeyState};

use super::value::{Id, signed};
use crate::error::StoreError;
pub use index::{PersonIndex, PersonMatch};

const COLUMNS_OF_KEYS: &str =
    "select person, generation, sealed from person_key where person = ?1 order by generation";

fn label(person: DocumentId, generation: u8) -> Vec<u8> {
    let mut label = b"person key ".to_vec();
    label.extend_from_slice(person.as_bytes());
    label.push(generation);
    label
}

fn open_key(storage_key: &[u8; 32], row: &Row<'_>) -> Result<GivenKey, StoreError> {
    let person = row.get::<_, Id<DocumentId>>(0)?.0;
    let generation: u8 = row.get(1)?;
    let sealed: Vec<u8> = row.get(2)?;
    let corrupt = || StoreError::Corrupt {
        table: "person_key",
        what: format!("the key of {person} does not open"),
    };
    let opened =
        open_at_rest(storage_key, &label(person, generation), &sealed).map_err(|_| corrupt())?;
    let key = opened
        .expose()
        .as_slice()
        .try_into()
        .map_err(|_| corrupt())?;
    Ok(GivenKey {
        person,
        generation,
        key,
    })
}

/// A person's keys.
pub(crate) fn keys(
    conn: &Connection,
    storage_key: &[u8; 32],
    person: DocumentId,
) -> Result<Vec<PersonKey>, StoreError> {
    let given = given_keys(conn, storage_key, person)?;
    Ok(given
        .into_iter()
        .map(|given| PersonKey::new(given.generation, given.key))
        .collect())
}

/// The same, to be given to the hub.
pub(crate) fn given_keys(
    conn: &Connection,
    storage_key: &[u8; 32],
    person: DocumentId,
) -> Result<Vec<GivenKey>, StoreError> {
    let mut statement = conn.prepare_cached(COLUMNS_OF_KEYS)?;
    let mut rows = statement.query([Id(person)])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(open_key(storage_key, row)?);
    }
    Ok(keys)
}

/// All keys that were made here.
pub(crate) fn keys_created_here(
    conn: &Connection,
    storage_key: &[u8; 32],
) -> Result<Vec<GivenKey>, StoreError> {
    keys_first_used(conn, storage_key, 0, i64::MAX as u64)
}

/// The keys that entries `first` to `last` begin to use.
pub(crate) fn keys_first_used(
    conn: &Connection,
    storage_key: &[u8; 32],
    first: u64,
    last: u64,
) -> Result<Vec<GivenKey>, StoreError> {
    let mut statement = conn.prepare_cached(
        "select person, generation, sealed from person_key
         where created_here = 1 and first_seq between ?1 and ?2 order by first_seq, person, generation",
    )?;
    let mut rows = statement.query((signed(first), signed(last)))?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(open_key(storage_key, row)?);
    }
    Ok(keys)
}

/// Keeps a key, sealed. One that is here already stays as it is; whether it was new.
pub(crate) fn keep_key(
    conn: &Connection,
    storage_key: &[u8; 32],
    nonce: [u8; 24],
    given: &GivenKey,
    first_seq: Option<u64>,
) -> Result<bool, StoreError> {
    let sealed = seal_at_rest(
        storage_key,
        &label(given.person, given.generation),
        nonce,
        &given.key,
    )
    .map_err(|error| StoreError::Corrupt {
        table: "person_key",
        what: error.to_string(),
    })?;
    let changed = conn
        .prepare_cached(
            "insert into person_key (person, generation, sealed, first_seq, created_here) values (?1, ?2, ?3, ?4, ?5)
             on conflict (person, generation) do nothing",
        )?
        .execute((
            Id(given.person),
            given.generation,
            sealed,
            first_seq.map_or(0, signed),
            i64::from(first_seq.is_some()),
        ))?;
    Ok(changed > 0)
}

/// Count and hash of the keys held.
pub(crate) fn key_state(conn: &Connection) -> Result<KeyState, StoreError> {
    let mut statement = conn.prepare_cached("select person, generation from person_key")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, Id<DocumentId>>(0)?.0, row.get::<_, u8>(1)?))
    })?;
    Ok(KeyState::of(rows.collect::<Result<_, _>>()?))
}

/// The sealed values of a customer's row, as the view that opens them.
pub(crate) fn sealed_view(row: &Row<'_>, first: usize) -> rusqlite::Result<CustomerView> {
    Ok(CustomerView {
        home: BranchId::NIL,
        language: None,
        merged_into: None,
        consent: BTreeMap::new(),
        name: row.get(first)?,
        phone: row.get(first + 1)?,
        email: row.get(first + 2)?,
        address: row.get(first + 3)?,
        note: row.get(first + 4)?,
        conflicts: Vec::new(),
    })
}

/// Whether the sealed values of every customer open with the keys that are here; the ones that do not.
pub(crate) fn unopened(
    conn: &Connection,
    storage_key: &[u8; 32],
) -> Result<Vec<DocumentId>, StoreError> {
    let mut statement =
        conn.prepare("select id, name, phone, email, address, note from customer order by id")?;
    let mut rows = statement.query([])?;
    let mut closed = Vec::new();
    while let Some(row) = rows.next()? {
        let id = row.get::<_, Id<DocumentId>>(0)?.0;
        let view = sealed_view(row, 1)?;
        let opens =
            keys(conn, storage_key, id).is_ok_and(|keys| open_customer(&view, id, &keys).is_ok());
        if !opens {
            closed.push(id);
        }
    }
    Ok(closed)
}
