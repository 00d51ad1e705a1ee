//! Reading people: rows, and the credential of one who signs in.

use domain::id::StaffId;
use domain::staff::StaffRow;
use rusqlite::OptionalExtension;

use super::reader::Reader;
use super::value::Id;
use crate::error::AppError;

/// A person with the hash of the password.
#[derive(Clone)]
pub struct Candidate {
    /// Who.
    pub id: StaffId,
    /// The row.
    pub row: StaffRow,
    /// An Argon2id hash in PHC form.
    pub password_hash: String,
}

impl std::fmt::Debug for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Candidate({})", self.id)
    }
}

/// The people with a user name that have a credential here.
pub fn candidates(reader: &Reader<'_>, username: &str) -> Result<Vec<Candidate>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select s.id, s.fields, c.password_hash from staff s join credential c on c.id = s.id
         where s.username = ?1 and s.deleted = 0 and c.deleted = 0 order by s.id",
    )?;
    let mut rows = statement.query([username])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let fields: String = row.get(1)?;
        found.push(Candidate {
            id: row.get::<_, Id<StaffId>>(0)?.0,
            row: serde_json::from_str(&fields)?,
            password_hash: row.get(2)?,
        });
    }
    Ok(found)
}

/// One person.
pub fn get(reader: &Reader<'_>, id: StaffId) -> Result<Option<StaffRow>, AppError> {
    let fields: Option<String> = reader
        .conn()
        .prepare_cached("select fields from staff where id = ?1 and deleted = 0")?
        .query_row([Id(id)], |row| row.get(0))
        .optional()?;
    Ok(fields
        .map(|fields| serde_json::from_str(&fields))
        .transpose()?)
}

/// All people, by user name.
pub fn list(reader: &Reader<'_>) -> Result<Vec<(StaffId, StaffRow)>, AppError> {
    let mut statement = reader
        .conn()
        .prepare_cached("select id, fields from staff where deleted = 0 order by username, id")?;
    let mut rows = statement.query([])?;
    let mut people = Vec::new();
    while let Some(row) = rows.next()? {
        let fields: String = row.get(1)?;
        people.push((
            row.get::<_, Id<StaffId>>(0)?.0,
            serde_json::from_str(&fields)?,
        ));
    }
    Ok(people)
}
