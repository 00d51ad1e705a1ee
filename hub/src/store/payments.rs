//! Money: what tills wrote, what providers said, and the ledger of both.
//!
//! All of it follows from the logs. Nothing here asks a provider, and no balance is set, only moved.

pub mod paper;
pub mod payment;
pub mod read;
pub mod rows;
pub mod session;

use domain::id::BranchId;
use domain::ledger::{MoneyAccount, Posting};
use domain::money::Currency;
use sqlx::PgConnection;
use sqlx::types::Uuid;
use std::collections::BTreeMap;
use sync_protocol::position::Position;

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
    let bigs = |field: fn(&EntryWrite) -> i64| rows.iter().map(field).collect::<Vec<i64>>();
    let ints = |field: fn(&EntryWrite) -> i32| rows.iter().map(field).collect::<Vec<i32>>();
    let smalls = |field: fn(&EntryWrite) -> i16| rows.iter().map(field).collect::<Vec<i16>>();
    let uuids = |field: fn(&EntryWrite) -> Uuid| rows.iter().map(field).collect::<Vec<Uuid>>();
    let currencies: Vec<String> = rows
        .iter()
        .map(|row| row.currency.as_str().to_owned())
        .collect();
    sqlx::query(
        "insert into payments.entry select * from unnest(
            $1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::integer[], $7::integer[],
            $8::text[], $9::smallint[], $10::smallint[], $11::bigint[], $12::uuid[], $13::integer[], $14::bigint[])",
    )
    .bind(uuids(|row| row.branch.uuid()))
    .bind(bigs(|row| row.ord))
    .bind(bigs(|row| node_number(row.position.node)))
    .bind(bigs(|row| big(row.position.epoch.0)))
    .bind(bigs(|row| big(row.position.seq)))
    .bind(ints(|row| i32::from(row.item)))
    .bind(ints(|row| i32::from(row.n)))
    .bind(&currencies)
    .bind(smalls(|row| i16::from(row.posting.from.code())))
    .bind(smalls(|row| i16::from(row.posting.to.code())))
    .bind(bigs(|row| row.posting.amount_minor))
    .bind(uuids(|row| row.subject.uuid()))
    .bind(ints(|row| row.business_day))
    .bind(bigs(|row| row.at_ms))
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
    let branches: Vec<Uuid> = deltas.keys().map(|(branch, _, _)| branch.uuid()).collect();
    let currencies: Vec<String> = deltas
        .keys()
        .map(|(_, currency, _)| currency.as_str().to_owned())
        .collect();
    let accounts: Vec<i16> = deltas
        .keys()
        .map(|(_, _, account)| i16::from(account.code()))
        .collect();
    let amounts: Vec<i64> = deltas.into_values().collect();
    sqlx::query(
        "insert into payments.balance as b
         select * from unnest($1::uuid[], $2::text[], $3::smallint[], $4::bigint[])
         on conflict (branch_id, currency, account) do update set balance_minor = b.balance_minor + excluded.balance_minor",
    )
    .bind(&branches)
    .bind(&currencies)
    .bind(&accounts)
    .bind(&amounts)
    .execute(connection)
    .await?;
    Ok(())
}
