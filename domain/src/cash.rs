//! The cash session of one till: float, cash in and out, a blind count, and the day report.
//!
//! What should be in the drawer follows from the records of the session; whoever counts does not see it before. Day
//! reports are numbered without a gap and each carries the hash of the one before, so that none can be taken out.

use crate::code::codes;
use crate::id::SessionId;
use crate::ledger::{MoneyAccount, Posting};
use crate::money::{Currency, MoneyError, check_amount};
use crate::order::RateTotal;
use crate::text::{self, REASON_MAX, TextError};
use crate::till::Tender;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use thiserror::Error;

/// The most pieces of one denomination that are counted.
pub const MAX_PIECES: u32 = 1_000_000;
/// Longest list of a count.
pub const MAX_COUNTS: usize = 40;

codes! {
    /// Which way money goes.
    pub enum CashDirection as "direction" {
        /// Into the drawer.
        In = 1 "in",
        /// Out of the drawer.
        Out = 2 "out",
    }
}

/// A session begins: the body of item kind 84.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashOpened {
    /// The session.
    pub id: SessionId,
    /// The till.
    pub register: u16,
    /// The currency.
    pub currency: Currency,
    /// What lies in the drawer to begin with.
    pub float_minor: i64,
}

/// Money goes in or out by hand: the body of item kind 85.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashMoved {
    /// The session.
    pub session: SessionId,
    /// Counts from 1 in the session.
    pub number: u32,
    /// Which way.
    pub direction: CashDirection,
    /// How much, above zero.
    pub amount_minor: i64,
    /// Why.
    pub reason: String,
}

/// Pieces of one denomination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// What one is worth.
    pub value_minor: i64,
    /// How many there are.
    pub pieces: u32,
}

/// What was taken with one tender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenderSum {
    /// With what.
    pub tender: Tender,
    /// Taken, less given back.
    pub amount_minor: i64,
}

/// What a day report says of its session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DayReport {
    /// Receipts.
    pub receipts: u32,
    /// Refunds.
    pub refunds: u32,
    /// The first number of the series in the session; 0 for none.
    pub first_number: u32,
    /// The last.
    pub last_number: u32,
    /// By tender.
    pub tenders: Vec<TenderSum>,
    /// By tax rate, refunds taken off.
    pub rates: Vec<RateTotal>,
    /// Deposits taken, less used up and given back.
    pub deposits_minor: i64,
    /// Cash put in by hand.
    pub in_minor: i64,
    /// Cash taken out by hand.
    pub out_minor: i64,
}

/// A session ends: the body of item kind 86.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashClosed {
    /// The session.
    pub session: SessionId,
    /// What was counted.
    pub counted: Vec<Counted>,
    /// What should have been there.
    pub expected_minor: i64,
    /// What stays in the drawer as the next float; the rest goes to the safe.
    pub left_minor: i64,
    /// Why it differs; needed where it does.
    pub reason: String,
    /// The letter of the series of day reports.
    pub series: u8,
    /// The number of the day report, from 1 without a gap.
    pub number: u32,
    /// Hash of the report before, zeros for the first.
    pub former: [u8; 32],
    /// What it says.
    pub report: DayReport,
}

/// What is wrong with a record of a session, or why it cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CashError {
    /// An amount out of range.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// An amount of nothing, or below.
    #[error("the amount must be above zero")]
    Nothing,
    /// A float below zero.
    #[error("a float is not below zero")]
    Float,
    /// A count that cannot be.
    #[error("a count names each value once, with at most 1000000 pieces")]
    Count,
    /// A difference without a reason.
    #[error("the count differs from what should be there; say why")]
    Reason,
    /// More stays than is there.
    #[error("no more can stay in the drawer than was counted")]
    Left,
    /// More is taken out than is there.
    #[error("only {there_minor} is in the drawer")]
    Short {
        /// Minor units.
        there_minor: i64,
    },
    /// A text that cannot be.
    #[error("the reason {0}")]
    Text(#[from] TextError),
}

impl CashOpened {
    /// Whether it is well formed.
    pub fn check_form(&self) -> Result<(), CashError> {
        check_amount(self.float_minor)?;
        if self.float_minor < 0 {
            return Err(CashError::Float);
        }
        Ok(())
    }

    /// What it does to the ledger: the float comes out of the safe. What the session before left in the drawer went
    /// there too.
    pub fn postings(&self) -> Option<Posting> {
        Posting::new(MoneyAccount::Safe, MoneyAccount::Till, self.float_minor)
    }
}

impl CashMoved {
    /// Whether it is well formed.
    pub fn check_form(&self) -> Result<(), CashError> {
        check_amount(self.amount_minor)?;
        if self.amount_minor <= 0 || self.number == 0 {
            return Err(CashError::Nothing);
        }
        text::required_line(&self.reason, REASON_MAX)?;
        Ok(())
    }

    /// What it does to the ledger.
    pub fn postings(&self) -> Option<Posting> {
        let (from, to) = match self.direction {
            CashDirection::In => (MoneyAccount::Safe, MoneyAccount::Till),
            CashDirection::Out => (MoneyAccount::Till, MoneyAccount::Safe),
        };
        Posting::new(from, to, self.amount_minor)
    }
}

impl CashClosed {
    /// What was counted in all.
    pub fn counted_minor(&self) -> Result<i64, MoneyError> {
        count(&self.counted)
    }

    /// Counted less expected: above zero is too much.
    pub fn difference_minor(&self) -> Result<i64, MoneyError> {
        let difference = self.counted_minor()?.saturating_sub(self.expected_minor);
        check_amount(difference).map(|()| difference)
    }

    /// Whether it is well formed.
    pub fn check_form(&self) -> Result<(), CashError> {
        let mut values: Vec<i64> = self.counted.iter().map(|one| one.value_minor).collect();
        values.sort_unstable();
        values.dedup();
        let fits = |one: &Counted| one.value_minor > 0 && one.pieces <= MAX_PIECES;
        if values.len() < self.counted.len()
            || self.counted.len() > MAX_COUNTS
            || !self.counted.iter().all(fits)
        {
            return Err(CashError::Count);
        }
        check_amount(self.expected_minor)?;
        if !(0..=self.counted_minor()?).contains(&self.left_minor) {
            return Err(CashError::Left);
        }
        if self.difference_minor()? == 0 {
            text::clean_line(&self.reason, REASON_MAX)?;
        } else {
            text::required_line(&self.reason, REASON_MAX).map_err(|error| match error {
                TextError::Empty => CashError::Reason,
                other => CashError::Text(other),
            })?;
        }
        Ok(())
    }

    /// What it does to the ledger: the difference is booked, and all that was counted goes to the safe.
    pub fn postings(&self) -> Result<Vec<Posting>, MoneyError> {
        let difference = self.difference_minor()?;
        let postings = [
            Posting::new(MoneyAccount::Difference, MoneyAccount::Till, difference),
            Posting::new(
                MoneyAccount::Till,
                MoneyAccount::Safe,
                self.counted_minor()?,
            ),
        ];
        Ok(postings.into_iter().flatten().collect())
    }

    /// The hash that the next day report carries: of the one before and of the bytes of this record.
    pub fn hash(&self, body: &[u8]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"counterpart z 1");
        hash.update(self.former);
        hash.update(body);
        hash.finalize().into()
    }
}

/// What these pieces come to.
pub fn count(counted: &[Counted]) -> Result<i64, MoneyError> {
    let sum: i128 = counted
        .iter()
        .map(|one| i128::from(one.value_minor) * i128::from(one.pieces))
        .sum();
    let sum = i64::try_from(sum).map_err(|_| MoneyError::Range)?;
    check_amount(sum).map(|()| sum)
}

/// What should be in the drawer of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Drawer {
    /// What it began with.
    pub float_minor: i64,
    /// Cash of receipts.
    pub taken_minor: i64,
    /// Cash of refunds.
    pub given_back_minor: i64,
    /// Put in by hand.
    pub in_minor: i64,
    /// Taken out by hand.
    pub out_minor: i64,
}

impl Drawer {
    /// float + taken + in − given back − out.
    pub const fn expected_minor(&self) -> i64 {
        self.float_minor
            .saturating_add(self.taken_minor)
            .saturating_add(self.in_minor)
            .saturating_sub(self.given_back_minor)
            .saturating_sub(self.out_minor)
    }

    /// Whether so much can be taken out.
    pub const fn may_take(&self, amount_minor: i64) -> Result<(), CashError> {
        let there_minor = self.expected_minor();
        if amount_minor > there_minor {
            Err(CashError::Short { there_minor })
        } else {
            Ok(())
        }
    }
}

/// Coins and notes of a currency, the greatest first. Where we do not know them: one, two and five of each power of ten.
pub fn denominations(currency: Currency) -> Vec<i64> {
    match currency.as_str() {
        "EUR" => vec![
            50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5, 2, 1,
        ],
        "USD" => vec![10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 25, 10, 5, 1],
        "GBP" => vec![5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5, 2, 1],
        "CHF" => vec![
            100_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5,
        ],
        "PLN" => vec![
            50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5, 2, 1,
        ],
        "SEK" | "NOK" => vec![
            100_000, 50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100,
        ],
        "DKK" => vec![
            100_000, 50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50,
        ],
        "JPY" => vec![10_000, 5_000, 2_000, 1_000, 500, 100, 50, 10, 5, 1],
        _ => (0..=5)
            .rev()
            .flat_map(|power| [5, 2, 1].map(|digit| digit * 10_i64.pow(power)))
            .collect(),
    }
}

/// Sums by tender, in the order of the tenders.
pub fn tender_sums(amounts: impl IntoIterator<Item = (Tender, i64)>) -> Vec<TenderSum> {
    let mut sums: BTreeMap<Tender, i64> = BTreeMap::new();
    for (tender, amount) in amounts {
        let sum = sums.entry(tender).or_default();
        *sum = sum.saturating_add(amount);
    }
    sums.into_iter()
        .map(|(tender, amount_minor)| TenderSum {
            tender,
            amount_minor,
        })
        .collect()
}
