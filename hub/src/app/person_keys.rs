//! Person keys: taken from branches that serve the person, given where an interest row is, never after erasure.
//!
//! Keys travel in their own frames and lie sealed in a table of their own; they never enter a log or a feed.

use std::collections::{BTreeMap, BTreeSet};

use domain::document::DocumentKind;
use domain::id::{BranchId, DocumentId};
use domain::sensitive::PersonKey;
use sync_protocol::message::{GivenKey, KeyState};
use sync_protocol::position::NodeId;

use super::Hub;
use super::command::HubTx;
use crate::error::HubError;
use crate::store::customers::{self, KeyRow};
use crate::store::db::{PgConnection, SqlError};
use crate::store::sync::{document, node};

const CUSTOMER: i16 = DocumentKind::Customer as i16;

fn label(person: DocumentId, generation: u8) -> Vec<u8> {
    let mut label = b"person key ".to_vec();
    label.extend_from_slice(person.as_bytes());
    label.push(generation);
    label
}

impl Hub {
    /// Keeps keys that a node gave: of persons that its branch serves, or that nobody has written about yet.
    pub async fn store_keys(&self, node: NodeId, keys: Vec<GivenKey>) -> Result<(), HubError> {
        let mut connection = self.pool.acquire().await?;
        let Some(row) = node::find(&mut connection, node).await? else {
            return Ok(());
        };
        let persons: Vec<DocumentId> = keys.iter().map(|key| key.person).collect();
        let erased: BTreeSet<DocumentId> = customers::erased(&mut connection, &persons)
            .await?
            .into_iter()
            .collect();
        let serving = interest_of(&mut connection, &persons).await?;
        let known = customers::keys(&mut connection, &persons).await?;
        drop(connection);
        let mut rows = Vec::new();
        for key in keys {
            let is_foreign = match serving.get(&key.person) {
                Some(branches) => !branches.contains(&row.branch),
                None => self.exists(key.person).await?,
            };
            if erased.contains(&key.person) {
                continue;
            }
            if is_foreign {
                self.incident(
                    Some(row.branch),
                    "person_key",
                    "a key of a person that the branch does not serve",
                )
                .await?;
                continue;
            }
            let same = known
                .iter()
                .find(|known| known.person == key.person && known.generation == key.generation);
            match same {
                Some(known) if *self.open_key(known)?.expose() != key.key => {
                    self.incident(
                        Some(row.branch),
                        "person_key",
                        "another key for a person who has one",
                    )
                    .await?;
                }
                Some(_) => {}
                None => rows.push(self.key_row(
                    row.branch,
                    key.person,
                    &PersonKey::new(key.generation, key.key),
                )?),
            }
        }
        if !rows.is_empty() {
            let mut connection = self.pool.acquire().await?;
            customers::insert_keys(&mut connection, &rows).await?;
        }
        Ok(())
    }

    async fn exists(&self, person: DocumentId) -> Result<bool, HubError> {
        let mut connection = self.pool.acquire().await?;
        Ok(document::find(&mut connection, person).await?.is_some())
    }

    fn key_row(
        &self,
        branch: BranchId,
        person: DocumentId,
        key: &PersonKey,
    ) -> Result<KeyRow, HubError> {
        let generation = key.generation();
        let sealed = self
            .keys
            .seal_at_rest(&self.env, &label(person, generation), key.expose())?;
        Ok(KeyRow {
            branch,
            person,
            generation,
            sealed,
        })
    }

    fn open_key(&self, row: &KeyRow) -> Result<PersonKey, HubError> {
        let opened = self
            .keys
            .open_at_rest(&label(row.person, row.generation), &row.sealed)?;
        let key = opened
            .expose()
            .as_slice()
            .try_into()
            .map_err(|_| HubError::Row("a person key of another length"))?;
        Ok(PersonKey::new(row.generation, key))
    }

    /// Keys for a branch: of these persons, or of all that it serves where none are named.
    pub async fn keys_for(
        &self,
        branch: BranchId,
        persons: &[DocumentId],
    ) -> Result<Vec<GivenKey>, HubError> {
        let mut connection = self.pool.acquire().await?;
        let allowed: BTreeSet<DocumentId> = if persons.is_empty() {
            document::interest_of(&mut connection, branch, CUSTOMER)
                .await?
                .into_iter()
                .collect()
        } else {
            let serving = interest_of(&mut connection, persons).await?;
            serving
                .into_iter()
                .filter(|(_, branches)| branches.contains(&branch))
                .map(|(person, _)| person)
                .collect()
        };
        let allowed: Vec<DocumentId> = allowed.into_iter().collect();
        let rows = customers::keys(&mut connection, &allowed).await?;
        let serving = interest_of(&mut connection, &allowed).await?;
        drop(connection);
        let mut given = Vec::new();
        for row in chosen(rows, &serving) {
            let key = self.open_key(&row)?;
            given.push(GivenKey {
                person: row.person,
                generation: row.generation,
                key: *key.expose(),
            });
        }
        Ok(given)
    }

    /// What a branch should hold, and of whom the hub has no key.
    pub(crate) async fn key_state(
        &self,
        branch: BranchId,
    ) -> Result<(KeyState, Vec<DocumentId>), HubError> {
        let mut connection = self.pool.acquire().await?;
        let persons = document::interest_of(&mut connection, branch, CUSTOMER).await?;
        if persons.is_empty() {
            return Ok((KeyState::of(Vec::new()), Vec::new()));
        }
        let rows = customers::keys(&mut connection, &persons).await?;
        let erased: BTreeSet<DocumentId> = customers::erased(&mut connection, &persons)
            .await?
            .into_iter()
            .collect();
        let held: BTreeSet<DocumentId> = rows.iter().map(|row| row.person).collect();
        let state = KeyState::of(
            rows.iter()
                .map(|row| (row.person, row.generation))
                .collect(),
        );
        let missing = persons
            .into_iter()
            .filter(|person| !held.contains(person) && !erased.contains(person))
            .collect();
        Ok((state, missing))
    }

    /// The newest key of a person.
    pub async fn person_key(&self, person: DocumentId) -> Result<Option<PersonKey>, HubError> {
        let mut keys = self.person_keys(person).await?;
        Ok(keys.pop())
    }

    /// All keys of a person, the newest last.
    pub async fn person_keys(&self, person: DocumentId) -> Result<Vec<PersonKey>, HubError> {
        let mut connection = self.pool.acquire().await?;
        let rows = customers::keys(&mut connection, &[person]).await?;
        let serving = interest_of(&mut connection, &[person]).await?;
        chosen(rows, &serving)
            .iter()
            .map(|row| self.open_key(row))
            .collect()
    }

    /// All keys of these persons, of each the newest last.
    pub async fn person_keys_of(
        &self,
        persons: &[DocumentId],
    ) -> Result<BTreeMap<DocumentId, Vec<PersonKey>>, HubError> {
        let mut keys: BTreeMap<DocumentId, Vec<PersonKey>> = BTreeMap::new();
        if persons.is_empty() {
            return Ok(keys);
        }
        let mut connection = self.pool.acquire().await?;
        let rows = customers::keys(&mut connection, persons).await?;
        let serving = interest_of(&mut connection, persons).await?;
        drop(connection);
        for row in chosen(rows, &serving) {
            keys.entry(row.person)
                .or_default()
                .push(self.open_key(&row)?);
        }
        Ok(keys)
    }

    /// Every key, by person and generation.
    pub async fn all_person_keys(&self) -> Result<Vec<(DocumentId, PersonKey)>, HubError> {
        let mut connection = self.pool.acquire().await?;
        let rows = customers::all_keys(&mut connection).await?;
        let persons: Vec<DocumentId> = rows.iter().map(|row| row.person).collect();
        let serving = interest_of(&mut connection, &persons).await?;
        chosen(rows, &serving)
            .iter()
            .map(|row| Ok((row.person, self.open_key(row)?)))
            .collect()
    }

    /// Keeps a key that the hub made, in the commit of what uses it.
    pub async fn store_person_key(
        &self,
        tx: &mut HubTx,
        person: DocumentId,
        key: &PersonKey,
    ) -> Result<(), HubError> {
        let row = self.key_row(BranchId::NIL, person, key)?;
        customers::insert_keys(tx.sql(), &[row]).await?;
        Ok(())
    }
}

/// Of each (person, generation) one row: a serving branch's or the hub's before one of somebody who only claimed it.
fn chosen(rows: Vec<KeyRow>, serving: &BTreeMap<DocumentId, BTreeSet<BranchId>>) -> Vec<KeyRow> {
    let mut chosen: BTreeMap<(DocumentId, u8), KeyRow> = BTreeMap::new();
    let serves = |row: &KeyRow| {
        row.branch.is_nil()
            || serving
                .get(&row.person)
                .is_some_and(|branches| branches.contains(&row.branch))
    };
    for row in rows {
        let key = (row.person, row.generation);
        let is_better = chosen
            .get(&key)
            .is_none_or(|known| serves(&row) && !serves(known));
        if is_better {
            chosen.insert(key, row);
        }
    }
    chosen.into_values().collect()
}

async fn interest_of(
    connection: &mut PgConnection,
    persons: &[DocumentId],
) -> Result<BTreeMap<DocumentId, BTreeSet<BranchId>>, SqlError> {
    let mut serving: BTreeMap<DocumentId, BTreeSet<BranchId>> = BTreeMap::new();
    for (person, branch) in document::interest(connection, persons).await? {
        serving.entry(person).or_default().insert(branch);
    }
    Ok(serving)
}
