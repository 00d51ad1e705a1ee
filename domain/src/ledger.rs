//! The money ledger: postings between accounts, double entry, per branch and currency.
//!
//! An amount is never written, only moved, so the sum over all accounts of a branch and a currency is always zero. What
//! a branch has or is owed is above zero; what it owes or has earned is below. Within one receipt `Counter` is a
//! passage: what the lines put in, the tenders take out.

use crate::code::codes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

codes! {
    /// Where money is, or where it came from or went.
    pub enum MoneyAccount as "account" {
        /// In the drawers of the tills.
        Till = 1 "till",
        /// In the safe, out of the drawers.
        Safe = 2 "safe",
        /// Captured by the card provider, not paid out yet.
        Card = 3 "card",
        /// On the bank account.
        Bank = 4 "bank",
        /// Asked of a card and not captured yet: the exposure.
        Promised = 5 "promised",
        /// Asked by bank transfer and not come yet.
        Awaited = 6 "awaited",
        /// Owed by customers: on account, or what a promise did not bring.
        Receivable = 7 "receivable",
        /// Taken for orders that are not invoiced yet.
        Deposits = 8 "deposits",
        /// Earned, without tax.
        Revenue = 9 "revenue",
        /// Tax taken for the state.
        Tax = 10 "tax",
        /// Kept by providers.
        Fees = 11 "fees",
        /// Counted more or less than there should be.
        Difference = 12 "difference",
        /// To be given back by a provider.
        RefundsDue = 13 "refunds_due",
        /// Written off or put right by a person.
        Corrections = 14 "corrections",
        /// Passage between the lines and the tenders of one receipt; empty after it.
        Counter = 15 "counter",
    }
}

/// So much from one account to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// The account that it leaves.
    pub from: MoneyAccount,
    /// The account that it enters.
    pub to: MoneyAccount,
    /// Minor units, above zero.
    pub amount_minor: i64,
}

impl Posting {
    /// So much from one account to the other; an amount below zero goes the other way, and zero is no posting.
    pub fn new(from: MoneyAccount, to: MoneyAccount, amount_minor: i64) -> Option<Self> {
        match amount_minor {
            0 => None,
            1.. => Some(Self {
                from,
                to,
                amount_minor,
            }),
            _ => Some(Self {
                from: to,
                to: from,
                amount_minor: amount_minor.saturating_neg(),
            }),
        }
    }

    /// What it adds to an account.
    pub fn delta(&self, account: MoneyAccount) -> i64 {
        let entered = if self.to == account {
            self.amount_minor
        } else {
            0
        };
        let left = if self.from == account {
            self.amount_minor
        } else {
            0
        };
        entered - left
    }
}

/// The balance of every account that was touched.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Balances(BTreeMap<MoneyAccount, i64>);

impl Balances {
    /// The balances after these postings.
    pub fn of<'a>(postings: impl IntoIterator<Item = &'a Posting>) -> Self {
        let mut balances = Self::default();
        for posting in postings {
            balances.add(posting);
        }
        balances
    }

    /// Counts one posting in.
    pub fn add(&mut self, posting: &Posting) {
        for account in [posting.from, posting.to] {
            let balance = self.0.entry(account).or_default();
            *balance = balance.saturating_add(posting.delta(account));
        }
    }

    /// The balance of an account.
    pub fn get(&self, account: MoneyAccount) -> i64 {
        self.0.get(&account).copied().unwrap_or_default()
    }

    /// Every account that was touched, with its balance.
    pub fn iter(&self) -> impl Iterator<Item = (MoneyAccount, i64)> {
        self.0.iter().map(|(account, balance)| (*account, *balance))
    }

    /// Whether all accounts come to zero.
    pub fn balanced(&self) -> bool {
        self.0.values().map(|sum| i128::from(*sum)).sum::<i128>() == 0
    }
}
