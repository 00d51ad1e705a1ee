//! What the till may do: the hub's rules, and what is promised.

use domain::ledger::MoneyAccount;
use domain::till::TillRules;
use rusqlite::OptionalExtension as _;

use super::balance;
use crate::error::AppError;
use crate::store::reader::Reader;
use crate::store::value::Id;

/// The rules of this branch's tills: its own, else those of all branches, else the usual ones.
pub fn till_rules(reader: &Reader<'_>) -> Result<TillRules, AppError> {
    let branch = reader.identity().branch;
    let fields: Option<String> = reader
        .conn()
        .prepare_cached(
            "select fields from till_rules where id in (?1, zeroblob(16)) and deleted = 0 order by id = ?1 desc limit 1",
        )?
        .query_row([Id(branch)], |row| row.get(0))
        .optional()?;
    match fields {
        Some(fields) => Ok(serde_json::from_str(&fields)?),
        None => Ok(TillRules::default()),
    }
}

/// What is asked of cards and not captured yet.
pub fn promised(reader: &Reader<'_>, currency: &str) -> Result<i64, AppError> {
    balance(reader, currency, MoneyAccount::Promised)
}
