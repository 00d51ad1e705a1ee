//! Customers who buy on account, and what they owe.
//!
//! What is owed is what receipts put on account, less what was paid of it since and what went back to it. The oldest is
//! taken as paid first.

use std::collections::{BTreeMap, VecDeque};

use domain::id::{BranchId, DocumentId};
use domain::till::{AccountRow, Receipt, ReceiptLineKind, Refund, Tender};
use sync_protocol::item::decode_body;

use crate::app::error::AppError;
use crate::app::{Hub, branch};
use crate::error::HubError;
use crate::store::payments::read::{self as store, CustomerPaper};

/// What a customer owes a branch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Debt {
    /// Minor units of the branch's currency; below zero where more was paid than owed.
    pub owed_minor: i64,
    /// The currency.
    pub currency: String,
    /// Since when the oldest of it is owed.
    pub oldest_ms: Option<i64>,
}

/// A customer who buys on account.
#[derive(Debug, Clone)]
pub struct Account {
    /// The customer.
    pub customer: DocumentId,
    /// Limit and days.
    pub terms: AccountRow,
    /// What is owed, by code of the branch.
    pub debts: BTreeMap<String, Debt>,
}

/// The terms of a customer, where there is an account, with their version.
///
/// # Errors
/// When the database fails.
pub async fn terms(hub: &Hub, customer: DocumentId) -> Result<Option<(u64, AccountRow)>, AppError> {
    let mut connection = hub.snapshot().await?;
    let row = store::account(&mut connection, customer).await?;
    Ok(row.map(|(version, limit_minor, due_days)| {
        let due_days = u16::try_from(due_days).unwrap_or(u16::MAX);
        let terms = AccountRow {
            limit_minor,
            due_days,
        };
        (version.cast_unsigned(), terms)
    }))
}

/// All accounts with what is owed.
///
/// # Errors
/// When the database fails.
pub async fn accounts(hub: &Hub) -> Result<Vec<Account>, AppError> {
    let mut connection = hub.snapshot().await?;
    let rows = store::accounts(&mut connection).await?;
    let ids: Vec<DocumentId> = rows.iter().map(|(customer, ..)| *customer).collect();
    let papers = store::papers_of(&mut connection, &ids).await?;
    let codes = branch::codes(&mut connection).await?;
    let mut ledgers = ledgers(&papers)?;
    let account = |(customer, limit_minor, due_days): (DocumentId, i64, i32)| Account {
        customer,
        terms: AccountRow {
            limit_minor,
            due_days: u16::try_from(due_days).unwrap_or(u16::MAX),
        },
        debts: ledgers
            .remove(&customer)
            .unwrap_or_default()
            .into_iter()
            .map(|(branch, ledger)| (branch::code_of(&codes, branch), ledger.debt()))
            .collect(),
    };
    Ok(rows.into_iter().map(account).collect())
}

/// What a customer owes, by code of the branch.
///
/// # Errors
/// When the database fails.
pub async fn debts(hub: &Hub, customer: DocumentId) -> Result<BTreeMap<String, Debt>, AppError> {
    let mut connection = hub.snapshot().await?;
    let papers = store::papers_of(&mut connection, &[customer]).await?;
    let codes = branch::codes(&mut connection).await?;
    let found = ledgers(&papers)?.into_values().flatten();
    Ok(found
        .map(|(branch, ledger)| (branch::code_of(&codes, branch), ledger.debt()))
        .collect())
}

#[derive(Debug, Default)]
struct Ledger {
    currency: String,
    /// What was put on account and not paid, oldest first.
    open: VecDeque<(i64, i64)>,
    /// Paid before it was owed.
    ahead_minor: i64,
}

impl Ledger {
    fn owe(&mut self, amount_minor: i64, at_ms: i64) {
        let used = self.ahead_minor.min(amount_minor);
        self.ahead_minor -= used;
        if amount_minor > used {
            self.open.push_back((at_ms, amount_minor - used));
        }
    }

    fn pay(&mut self, mut amount_minor: i64) {
        while let Some((_, open_minor)) = self.open.front_mut() {
            let used = amount_minor.min(*open_minor);
            *open_minor -= used;
            amount_minor -= used;
            if *open_minor > 0 {
                return;
            }
            self.open.pop_front();
        }
        self.ahead_minor += amount_minor;
    }

    fn debt(self) -> Debt {
        Debt {
            owed_minor: self.open.iter().map(|(_, minor)| minor).sum::<i64>() - self.ahead_minor,
            currency: self.currency,
            oldest_ms: self.open.front().map(|(at_ms, _)| *at_ms),
        }
    }
}

type Ledgers = BTreeMap<DocumentId, BTreeMap<BranchId, Ledger>>;

fn ledgers(papers: &[CustomerPaper]) -> Result<Ledgers, AppError> {
    let mut ledgers = Ledgers::new();
    for paper in papers {
        let (owed_minor, paid_minor) = moved(paper)?;
        if (owed_minor, paid_minor) == (0, 0) {
            continue;
        }
        let of_customer = ledgers.entry(paper.customer).or_default();
        let ledger = of_customer.entry(paper.branch).or_default();
        ledger.currency.clone_from(&paper.currency);
        ledger.owe(owed_minor, paper.at_ms);
        ledger.pay(paid_minor);
    }
    Ok(ledgers)
}

/// What a paper puts on account, and what it takes off.
fn moved(paper: &CustomerPaper) -> Result<(i64, i64), AppError> {
    let unreadable = |_| HubError::Row("a paper that cannot be read");
    if paper.is_refund {
        let refund: Refund = decode_body(&paper.body, "Refund").map_err(unreadable)?;
        let back = refund.tenders.iter();
        let back = back.filter(|one| one.tender == Tender::Account);
        return Ok((0, back.map(|one| one.amount_minor).sum()));
    }
    let receipt: Receipt = decode_body(&paper.body, "Receipt").map_err(unreadable)?;
    let on_account = receipt.tenders.iter();
    let on_account = on_account.filter(|one| one.tender == Tender::Account);
    let claims = receipt.lines.iter();
    let claims = claims.filter(|line| line.kind == ReceiptLineKind::Claim);
    let paid = claims.map(|line| i64::from(line.quantity).saturating_mul(line.unit_minor));
    Ok((on_account.map(|one| one.amount_minor).sum(), paid.sum()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_paid_first_and_what_is_ahead_counts() {
        let mut ledger = Ledger::default();
        ledger.owe(100, 1);
        ledger.owe(50, 2);
        ledger.pay(120);
        ledger.owe(10, 3);
        let debt = ledger.debt();
        assert_eq!((debt.owed_minor, debt.oldest_ms), (40, Some(2)));
        let mut ledger = Ledger::default();
        ledger.pay(30);
        ledger.owe(20, 1);
        let debt = ledger.debt();
        assert_eq!((debt.owed_minor, debt.oldest_ms), (-10, None));
    }
}
