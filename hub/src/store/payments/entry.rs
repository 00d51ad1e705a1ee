//! The ledger: postings and the balances that they come to. No balance is set, only moved.

use std::collections::BTreeMap;

use domain::id::BranchId;
use domain::ledger::{MoneyAccount, Posting};
use domain::money::Currency;
use sqlx::PgConnection;
use sync_protocol::position::Position;

use crate::store::bulk::column;
use crate::store::ids::{AsUuid, big, node_number};

/// One posting of the ledger.
#[derive(Debug, Clone)]
pub struct EntryWrite {
    /// Whose ledger.
    pub branch: BranchId,
    /// Where its transaction stands in the apply order.
    pub ord: i64,
    /// The transaction.
    pub position: Position,
    /// The item.
    pub item: u16,
    /// Its place among the postings of the item.
    pub n: u16,
    /// The currency.
    pub currency: Currency,
    /// What moves.
    pub posting: Posting,
    /// The receipt, refund, payment, session or correction that it is about.
    pub subject: [u8; 16],
    /// The business day of the transaction.
    pub business_day: i32,
    /// When, as the writer saw it.
    pub at_ms: i64,
}

/// Adds postings and moves the balances by them.
pub async fn post(connection: &mut PgConnection, rows: &[EntryWrite]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into payments.entry select * from unnest(
            $1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::integer[], $7::integer[],
            $8::text[], $9::smallint[], $10::smallint[], $11::bigint[], $12::uuid[], $13::integer[], $14::bigint[])",
    )
    .bind(column(rows, |row| row.branch.uuid()))
    .bind(column(rows, |row| row.ord))
    .bind(column(rows, |row| node_number(row.position.node)))
    .bind(column(rows, |row| big(row.position.epoch.0)))
    .bind(column(rows, |row| big(row.position.seq)))
    .bind(column(rows, |row| i32::from(row.item)))
    .bind(column(rows, |row| i32::from(row.n)))
    .bind(column(rows, |row| row.currency.as_str()))
    .bind(column(rows, |row| i16::from(row.posting.from.code())))
    .bind(column(rows, |row| i16::from(row.posting.to.code())))
    .bind(column(rows, |row| row.posting.amount_minor))
    .bind(column(rows, |row| row.subject.uuid()))
    .bind(column(rows, |row| row.business_day))
    .bind(column(rows, |row| row.at_ms))
    .execute(&mut *connection)
    .await?;
    move_balances(connection, rows).await
}

async fn move_balances(
    connection: &mut PgConnection,
    rows: &[EntryWrite],
) -> Result<(), sqlx::Error> {
    let mut deltas: BTreeMap<(BranchId, Currency, MoneyAccount), i64> = BTreeMap::new();
    for row in rows {
        for (account, delta) in [
            (row.posting.from, row.posting.amount_minor.saturating_neg()),
            (row.posting.to, row.posting.amount_minor),
        ] {
            let sum = deltas
                .entry((row.branch, row.currency, account))
                .or_default();
            *sum = sum.saturating_add(delta);
        }
    }
    let deltas: Vec<((BranchId, Currency, MoneyAccount), i64)> = deltas.into_iter().collect();
    sqlx::query(
        "insert into payments.balance as b
         select * from unnest($1::uuid[], $2::text[], $3::smallint[], $4::bigint[])
         on conflict (branch_id, currency, account) do update set balance_minor = b.balance_minor + excluded.balance_minor",
    )
    .bind(column(&deltas, |((branch, _, _), _)| branch.uuid()))
    .bind(column(&deltas, |((_, currency, _), _)| currency.as_str()))
    .bind(column(&deltas, |((_, _, account), _)| i16::from(account.code())))
    .bind(column(&deltas, |(_, delta)| *delta))
    .execute(connection)
    .await?;
    Ok(())
}
