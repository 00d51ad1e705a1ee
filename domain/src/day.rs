//! What a business day is held against: the branch's own word at its end, the provider's statement, and what people say
//! about a difference.

use crate::code::codes;
use crate::id::{BranchId, CorrectionId, PaymentId, RepaymentId};
use crate::ledger::{MoneyAccount, Posting};
use crate::money::{Currency, MoneyError, check_amount};
use crate::payment::Provider;
use crate::text::{self, REASON_MAX, TextError};
use crate::till::PaperKind;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most accounts, series or texts of one record.
const MAX_ENTRIES: usize = 100;
/// Longest name that a provider gives something.
const REFERENCE_MAX: usize = 200;

/// The balance of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountBalance {
    /// The account.
    pub account: MoneyAccount,
    /// Minor units.
    pub balance_minor: i64,
}

/// The last number of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastNumber {
    /// Which papers.
    pub kind: PaperKind,
    /// The letter.
    pub series: u8,
    /// The number; 0 for none.
    pub number: u32,
}

/// A branch's word at the end of a business day: the body of item kind 87. It speaks of all that stands before it in the
/// log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayClosed {
    /// Days since 1970 in the branch's zone.
    pub business_day: i32,
    /// The currency of the balances.
    pub currency: Currency,
    /// The last entry of the branch's private feed that was applied.
    pub feed: u64,
    /// Documents that the branch holds.
    pub documents: u64,
    /// Digest over (document, heads).
    pub documents_digest: [u8; 32],
    /// Parts with movements.
    pub parts: u64,
    /// Digest over (part, on hand, movements).
    pub stock_digest: [u8; 32],
    /// The money ledger.
    pub balances: Vec<AccountBalance>,
    /// The series.
    pub numbers: Vec<LastNumber>,
    /// Cash sessions that are still open.
    pub open_sessions: u32,
    /// Orders that are not collected or cancelled.
    pub open_orders: u32,
}

codes! {
    /// What a line of a provider's statement is.
    pub enum SettlementKind as "kind of settlement line" {
        /// Money that came.
        Charge = 1 "charge",
        /// Money that went back.
        Refund = 2 "refund",
        /// Kept by the provider.
        Fee = 3 "fee",
        /// Sent to the bank.
        Payout = 4 "payout",
        /// Anything else, such as a dispute.
        Adjustment = 5 "adjustment",
    }
}

/// One line of a provider's statement: the body of item kind 91, written by the hub only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementLine {
    /// Whose statement.
    pub provider: Provider,
    /// The provider's own name for the line; a line is taken once.
    pub reference: String,
    /// What it is.
    pub kind: SettlementKind,
    /// The branch that it belongs to; nil where the provider does not say.
    pub branch: BranchId,
    /// The payment that it speaks of, by our reference.
    pub payment: Option<PaymentId>,
    /// The tender of a refund that it speaks of.
    pub repayment: Option<RepaymentId>,
    /// The payout that it belongs to.
    pub payout: String,
    /// What came, below zero for what went; of a payout what was sent to the bank.
    pub amount_minor: i64,
    /// What the provider kept of it.
    pub fee_minor: i64,
    /// The currency.
    pub currency: Currency,
    /// When, by the provider.
    pub at_ms: i64,
}

/// A person puts an amount right: the body of item kind 92, written by the hub only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneyCorrection {
    /// Its id.
    pub id: CorrectionId,
    /// The branch whose ledger it is.
    pub branch: BranchId,
    /// The account that it leaves.
    pub from: MoneyAccount,
    /// The account that it enters.
    pub to: MoneyAccount,
    /// Minor units, above zero.
    pub amount_minor: i64,
    /// The currency.
    pub currency: Currency,
    /// The correction that this one takes back.
    pub undoes: Option<CorrectionId>,
    /// Why.
    pub reason: String,
}

/// A person says which payment a line of a statement speaks of: the body of item kind 93, written by the hub only. The
/// newest of a line counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementMatch {
    /// Whose statement.
    pub provider: Provider,
    /// The line.
    pub reference: String,
    /// The payment; none takes an earlier word back.
    pub payment: Option<PaymentId>,
    /// Why.
    pub reason: String,
}

/// A person signs off what a night found, or opens it again: the body of item kind 94, written by the hub only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOff {
    /// Days since 1970.
    pub business_day: i32,
    /// The branch; nil for the whole chain.
    pub branch: BranchId,
    /// Signed, or opened again.
    pub signed: bool,
    /// Why, where not all was green.
    pub reason: String,
}

/// What is wrong with such a record, whatever the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DayError {
    /// Too many entries.
    #[error("a record has at most 100 accounts and series")]
    Entries,
    /// The accounts do not come to zero.
    #[error("the accounts do not come to zero")]
    Unbalanced,
    /// An amount of nothing, or below.
    #[error("the amount must be above zero")]
    Nothing,
    /// A correction that moves nothing, or through the counter.
    #[error("a correction runs between two accounts that keep money")]
    Accounts,
    /// An amount out of range.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A text that cannot be.
    #[error("a text {0}")]
    Text(#[from] TextError),
}

impl DayClosed {
    /// Whether it is well formed.
    pub fn check_form(&self) -> Result<(), DayError> {
        if self.balances.len() > MAX_ENTRIES || self.numbers.len() > MAX_ENTRIES {
            return Err(DayError::Entries);
        }
        let mut sum = 0_i128;
        for balance in &self.balances {
            check_amount(balance.balance_minor)?;
            sum += i128::from(balance.balance_minor);
        }
        if sum == 0 {
            Ok(())
        } else {
            Err(DayError::Unbalanced)
        }
    }
}

impl SettlementLine {
    /// Whether it is well formed.
    pub fn check_form(&self) -> Result<(), DayError> {
        text::required_line(&self.reference, REFERENCE_MAX)?;
        text::clean_line(&self.payout, REFERENCE_MAX)?;
        check_amount(self.amount_minor)?;
        check_amount(self.fee_minor)?;
        Ok(())
    }

    /// What it does to the ledger of its branch: fees are kept, and what a payout holds of the branch reaches the bank.
    /// Charges and refunds were booked by their results; a payout as a whole belongs to no branch.
    pub fn postings(&self) -> Vec<Posting> {
        let holds = match self.provider {
            Provider::Stripe => MoneyAccount::Card,
            Provider::Bank => MoneyAccount::Bank,
        };
        let paid_out = (self.kind == SettlementKind::Payout && !self.branch.is_nil())
            .then(|| Posting::new(holds, MoneyAccount::Bank, self.amount_minor))
            .flatten();
        let fee = Posting::new(holds, MoneyAccount::Fees, self.fee_minor);
        [paid_out, fee].into_iter().flatten().collect()
    }
}

impl MoneyCorrection {
    /// Whether it is well formed.
    pub fn check_form(&self) -> Result<(), DayError> {
        check_amount(self.amount_minor)?;
        if self.amount_minor <= 0 {
            return Err(DayError::Nothing);
        }
        if self.from == self.to || [self.from, self.to].contains(&MoneyAccount::Counter) {
            return Err(DayError::Accounts);
        }
        text::required_line(&self.reason, REASON_MAX)?;
        Ok(())
    }

    /// What it does to the ledger.
    pub fn postings(&self) -> Option<Posting> {
        Posting::new(self.from, self.to, self.amount_minor)
    }
}

impl SettlementMatch {
    /// Whether it is well formed.
    pub fn check_form(&self) -> Result<(), DayError> {
        text::required_line(&self.reference, REFERENCE_MAX)?;
        text::required_line(&self.reason, REASON_MAX)?;
        Ok(())
    }
}

impl SignOff {
    /// Whether it is well formed.
    pub fn check_form(&self) -> Result<(), DayError> {
        text::clean_line(&self.reason, REASON_MAX)?;
        Ok(())
    }
}
