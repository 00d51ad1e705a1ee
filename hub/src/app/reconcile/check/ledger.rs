//! The money ledger: the branch's word against the hub's entries at the same place of the log.

use std::collections::BTreeMap;

use domain::ledger::MoneyAccount;
use domain::reconcile::{LedgerFacts, Outcome, judge_ledger};

use super::Ground;
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::reconciliation::day::Word;
use crate::store::reconciliation::ledger as store;

pub(super) async fn check(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
    word: &Word,
) -> Result<Outcome, HubError> {
    let (ours, entries) = store::at_word(sql, word).await?;
    let said: BTreeMap<MoneyAccount, i64> = word
        .closed
        .balances
        .iter()
        .map(|balance| (balance.account, balance.balance_minor))
        .collect();
    let facts = LedgerFacts {
        currency: word.closed.currency,
        said,
        ours,
        entries,
        sums: store::currency_sums(sql, ground.branch.id).await?,
    };
    Ok(judge_ledger(&facts))
}
