//! Persons: their keys at rest, and the index in memory by which they are found.
//!
//! No personal value stands in clear in any file (INV-21): the table holds sealed values, the keys are sealed under
//! the storage key, and what can be searched lives in memory only.

use std::collections::{BTreeMap, HashMap};

use domain::customer::{CustomerView, PersonValues, open_customer};
use domain::id::{BranchId, DocumentId};
use domain::seal::{open_at_rest, seal_at_rest};
use domain::sensitive::{PersonKey, Sensitive};
use domain::text::phone_digits;
use rusqlite::{Connection, Row};
use sync_protocol::message::{GivenKey, KeyState};

use super::value::{Id, signed};
use crate::error::StoreError;

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

struct Person {
    name: Sensitive<String>,
    digits: Sensitive<String>,
    email: Sensitive<String>,
}

/// A person that a search found. What is shown comes from the document, not from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonMatch {
    /// The customer document.
    pub id: DocumentId,
    /// Lower is better.
    pub rank: u8,
}

/// Names, phones and e-mails of all persons that are known here.
#[derive(Default)]
pub struct PersonIndex {
    persons: HashMap<DocumentId, Person>,
}

impl std::fmt::Debug for PersonIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PersonIndex({})", self.persons.len())
    }
}

impl PersonIndex {
    /// Opens every customer; one whose key is not here cannot be found by name.
    pub(crate) fn load(conn: &Connection, storage_key: &[u8; 32]) -> Result<Self, StoreError> {
        let mut keys: HashMap<DocumentId, Vec<PersonKey>> = HashMap::new();
        let mut statement = conn.prepare("select person, generation, sealed from person_key")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let given = open_key(storage_key, row)?;
            keys.entry(given.person)
                .or_default()
                .push(PersonKey::new(given.generation, given.key));
        }
        let mut index = Self::default();
        let mut statement =
            conn.prepare("select id, name, phone, email, address, note from customer")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id = row.get::<_, Id<DocumentId>>(0)?.0;
            let known = keys.get(&id).map_or(&[][..], Vec::as_slice);
            index.put(id, &sealed_view(row, 1)?, known);
        }
        Ok(index)
    }

    /// Reads one customer again.
    pub(crate) fn refresh(
        &mut self,
        conn: &Connection,
        storage_key: &[u8; 32],
        id: DocumentId,
    ) -> Result<(), StoreError> {
        let mut statement = conn.prepare_cached(
            "select name, phone, email, address, note from customer where id = ?1",
        )?;
        let mut rows = statement.query([Id(id)])?;
        match rows.next()? {
            Some(row) => {
                let view = sealed_view(row, 0)?;
                let keys = keys(conn, storage_key, id)?;
                self.put(id, &view, &keys);
            }
            None => {
                self.persons.remove(&id);
            }
        }
        Ok(())
    }

    fn put(&mut self, id: DocumentId, view: &CustomerView, keys: &[PersonKey]) {
        let Ok(values) = open_customer(view, id, keys) else {
            self.persons.remove(&id);
            return;
        };
        let PersonValues {
            name, phone, email, ..
        } = values;
        let text = |value: &Option<Sensitive<String>>| {
            value.as_ref().map_or("", |value| value.expose()).to_owned()
        };
        self.persons.insert(
            id,
            Person {
                name: Sensitive::new(fold(&text(&name))),
                digits: Sensitive::new(phone_digits(&text(&phone))),
                email: Sensitive::new(text(&email).to_lowercase()),
            },
        );
    }

    /// How many persons can be found.
    pub fn len(&self) -> usize {
        self.persons.len()
    }

    /// Whether nobody can be found.
    pub fn is_empty(&self) -> bool {
        self.persons.is_empty()
    }

    /// The best `limit` persons whose name, phone or e-mail fits what was typed: every word begins a word of the name,
    /// or the digits (three at least) stand in the phone, or the text in the e-mail.
    pub fn search(&self, typed: &str, limit: usize) -> Vec<PersonMatch> {
        let folded = fold(typed);
        let words: Vec<&str> = folded.split_whitespace().collect();
        let digits = phone_digits(typed);
        let is_number = digits.len() >= 3
            && typed
                .chars()
                .all(|c| c.is_ascii_digit() || " +()-./".contains(c));
        if words.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<PersonMatch> = self
            .persons
            .iter()
            .filter_map(|(id, person)| {
                let rank = person.rank(&folded, &words, is_number.then_some(digits.as_str()))?;
                Some(PersonMatch { id: *id, rank })
            })
            .collect();
        found.sort_by_key(|found| (found.rank, found.id));
        found.truncate(limit);
        found
    }
}

impl Person {
    fn rank(&self, folded: &str, words: &[&str], digits: Option<&str>) -> Option<u8> {
        let name = self.name.expose();
        if name == folded {
            return Some(0);
        }
        if let Some(digits) = digits {
            return self.digits.expose().contains(digits).then_some(1);
        }
        if words
            .iter()
            .all(|word| name.split_whitespace().any(|part| part.starts_with(word)))
        {
            return Some(if name.starts_with(folded) { 1 } else { 2 });
        }
        (folded.len() >= 3 && self.email.expose().contains(folded)).then_some(3)
    }
}

/// Lower case without the usual accents, so that `Muller` finds `Müller`.
fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim().chars().flat_map(char::to_lowercase) {
        match c {
            'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' | 'ā' | 'ą' => out.push('a'),
            'é' | 'è' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => out.push('e'),
            'í' | 'ì' | 'î' | 'ï' | 'ī' => out.push('i'),
            'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'ø' | 'ō' => out.push('o'),
            'ú' | 'ù' | 'û' | 'ü' | 'ū' | 'ů' => out.push('u'),
            'ç' | 'ć' | 'č' => out.push('c'),
            'ñ' | 'ń' | 'ň' => out.push('n'),
            'ś' | 'š' => out.push('s'),
            'ź' | 'ż' | 'ž' => out.push('z'),
            'ý' | 'ÿ' => out.push('y'),
            'ł' => out.push('l'),
            'ř' => out.push('r'),
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            c => out.push(c),
        }
    }
    out
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
