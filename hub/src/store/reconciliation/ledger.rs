//! The money ledger of a branch at a place of the log.

use std::collections::BTreeMap;

use domain::id::BranchId;
use domain::ledger::MoneyAccount;
use domain::money::Currency;
use sqlx::PgConnection;

use super::day::Word;
use crate::error::HubError;
use crate::store::ids::{AsUuid, big, node_number};

/// The account in a column.
pub fn account_of(number: i16) -> Result<MoneyAccount, HubError> {
    u8::try_from(number)
        .ok()
        .and_then(MoneyAccount::from_code)
        .ok_or(HubError::Row("an unknown account"))
}

/// The currency in a column.
pub fn currency_of(text: &str) -> Result<Currency, HubError> {
    text.parse()
        .map_err(|_| HubError::Row("a currency that is none"))
}

/// Balances by the branch's own entries up to its word, and how many entries there are.
pub async fn at_word(
    connection: &mut PgConnection,
    word: &Word,
) -> Result<(BTreeMap<MoneyAccount, i64>, u64), HubError> {
    let rows: Vec<(i16, i64, i64)> = sqlx::query_as(
        "select account, sum(moved)::bigint, sum(entries)::bigint from (
            select from_account, to_account, sum(amount_minor) as amount, count(*) as n from payments.entry
                where branch_id = $1 and node <> 0 and ord <= $2 and not (node = $3 and seq > $4) and currency = $5
                group by from_account, to_account) e
            cross join lateral (values (e.to_account, e.amount, e.n), (e.from_account, -e.amount, 0))
                as t (account, moved, entries)
         group by account order by account",
    )
    .bind(word.branch.uuid())
    .bind(word.ord)
    .bind(node_number(word.node))
    .bind(big(word.seq))
    .bind(word.closed.currency.as_str())
    .fetch_all(connection)
    .await?;
    let mut balances = BTreeMap::new();
    let mut entries = 0;
    for (account, balance, count) in rows {
        balances.insert(account_of(account)?, balance);
        entries += count.unsigned_abs();
    }
    Ok((balances, entries))
}

/// What the balances of each currency of a branch come to.
pub async fn currency_sums(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<Vec<(Currency, i64)>, HubError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "select currency, sum(balance_minor)::bigint from payments.balance where branch_id = $1
         group by currency order by currency",
    )
    .bind(branch.uuid())
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(currency, sum)| Ok((currency_of(&currency)?, sum)))
        .collect()
}
