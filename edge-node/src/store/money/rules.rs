//! What the till may do: the hub's rules, who buys on account, and what is owed and promised.

use domain::id::DocumentId;
use domain::ledger::MoneyAccount;
use domain::till::{AccountRow, Receipt, ReceiptLineKind, Refund, Tender, TillRules};
use rusqlite::OptionalExtension as _;
use sync_protocol::item::decode_body;

use super::balance;
use crate::error::{AppError, StoreError};
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

/// The account of a customer who buys on account.
pub fn account(reader: &Reader<'_>, customer: DocumentId) -> Result<Option<AccountRow>, AppError> {
    let fields: Option<String> = reader
        .conn()
        .prepare_cached("select fields from account where id = ?1 and deleted = 0")?
        .query_row([Id(customer)], |row| row.get(0))
        .optional()?;
    Ok(fields
        .map(|fields| serde_json::from_str(&fields))
        .transpose()?)
}

/// What a customer owes this branch on account: taken on account, less what was paid of it and given back.
pub fn owed_by(reader: &Reader<'_>, customer: DocumentId) -> Result<i64, AppError> {
    let mut owed = 0_i64;
    let mut statement = reader
        .conn()
        .prepare_cached("select body from receipt where customer = ?1")?;
    let mut rows = statement.query([Id(customer)])?;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let receipt: Receipt = decode_body(body, "Receipt").map_err(StoreError::from)?;
        let on_account = receipt
            .tenders
            .iter()
            .filter(|one| one.tender == Tender::Account);
        let claims = receipt
            .lines
            .iter()
            .filter(|line| line.kind == ReceiptLineKind::Claim);
        owed += on_account.map(|one| one.amount_minor).sum::<i64>();
        owed -= claims
            .map(|line| i64::from(line.quantity).saturating_mul(line.unit_minor))
            .sum::<i64>();
    }
    let mut statement = reader.conn().prepare_cached(
        "select r.body from refund r join receipt p on p.id = r.receipt where p.customer = ?1",
    )?;
    let mut rows = statement.query([Id(customer)])?;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let refund: Refund = decode_body(body, "Refund").map_err(StoreError::from)?;
        let back = refund
            .tenders
            .iter()
            .filter(|one| one.tender == Tender::Account);
        owed -= back.map(|one| one.amount_minor).sum::<i64>();
    }
    Ok(owed)
}

/// What is asked of cards and not captured yet.
pub fn promised(reader: &Reader<'_>, currency: &str) -> Result<i64, AppError> {
    balance(reader, currency, MoneyAccount::Promised)
}
