//! Reading the till's tables: receipts, payments, cash sessions, balances.

pub mod account;
pub mod cash;
pub mod day;
pub mod hold;
pub mod papers;
pub mod parked_basket;
pub mod payment;
pub mod receipt;
pub mod rules;

use domain::ledger::MoneyAccount;
use domain::till::PaperKind;
use rusqlite::OptionalExtension as _;

use super::reader::Reader;
use crate::error::AppError;

/// The balance of an account in a currency.
pub fn balance(
    reader: &Reader<'_>,
    currency: &str,
    account: MoneyAccount,
) -> Result<i64, AppError> {
    let balance = reader
        .conn()
        .prepare_cached("select balance from money_balance where currency = ?1 and account = ?2")?
        .query_row((currency, account.code()), |row| row.get(0))
        .optional()?;
    Ok(balance.unwrap_or_default())
}

/// The series that papers are numbered in, and its last number; the first is `A`, and nothing has a number yet.
pub fn last_number(reader: &Reader<'_>, kind: PaperKind) -> Result<(u8, u32), AppError> {
    let last = reader
        .conn()
        .prepare_cached(
            "select series, number from paper_series where kind = ?1 order by series desc limit 1",
        )?
        .query_row([kind.code()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(last.unwrap_or((b'A', 0)))
}
