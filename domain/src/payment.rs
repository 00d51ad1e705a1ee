//! What became of money that was asked for: the request is the branch's, the results are the hub's.
//!
//! Records come in any order and any number of times, so the state is a fold of all of them. Money that was captured
//! counts whatever was said before; a cancellation is a wish until the provider says so. Two captures of one payment are
//! both counted, for people to see (INV-8 says that this never happens by our doing).

mod hold;

pub use hold::{HOLD_MS, Hold, HoldState};

use crate::code::codes;
use crate::id::{PaymentId, RepaymentId};
use crate::ledger::{MoneyAccount, Posting};
use crate::money::check_amount;
use crate::text::{self, NOTE_MAX};
use crate::till::Tender;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use thiserror::Error;

codes! {
    /// Where a payment stands.
    pub enum PaymentState as "payment state" {
        /// Asked for; nobody has begun.
        Queued = 1 "queued",
        /// The provider was asked.
        Processing = 2 "processing",
        /// The money came.
        Captured = 3 "captured",
        /// The customer's bank said no.
        Declined = 4 "declined",
        /// All of it was given back.
        Refunded = 5 "refunded",
        /// It cannot be taken any more.
        Failed = 6 "failed",
        /// Called off before it was taken.
        Cancelled = 7 "cancelled",
    }
}

codes! {
    /// What an attempt came to.
    pub enum PaymentOutcome as "payment outcome" {
        /// The provider was asked; the detail is the link for the customer, if there is one.
        Asked = 1 "asked",
        /// The money came.
        Captured = 2 "captured",
        /// The customer's bank said no; another attempt may follow.
        Declined = 3 "declined",
        /// It cannot be taken any more.
        Failed = 4 "failed",
        /// Called off.
        Cancelled = 5 "cancelled",
    }
}

codes! {
    /// What became of giving money back.
    pub enum RepaymentOutcome as "repayment outcome" {
        /// The provider was asked.
        Asked = 1 "asked",
        /// The money went.
        Repaid = 2 "repaid",
        /// It did not go, and will not by itself.
        Failed = 3 "failed",
    }
}

codes! {
    /// Who moves money for us.
    pub enum Provider as "provider" {
        /// Stripe.
        Stripe = 1 "stripe",
        /// The bank, by its statement.
        Bank = 2 "bank",
    }
}

/// What an attempt came to: the body of item kind 88, written by the hub only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentResult {
    /// The tender of a receipt.
    pub payment: PaymentId,
    /// Counts from 1; an attempt has one key at the provider.
    pub attempt: u16,
    /// What it came to.
    pub outcome: PaymentOutcome,
    /// Of a capture: how much came.
    pub amount_minor: i64,
    /// With what it was asked for.
    pub tender: Tender,
    /// Who was asked.
    pub provider: Provider,
    /// The provider's own name for it.
    pub reference: String,
    /// A link for the customer, or why not.
    pub detail: String,
}

/// What became of giving money back: the body of item kind 89, written by the hub only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepaymentResult {
    /// The tender of a refund.
    pub repayment: RepaymentId,
    /// The payment that it gives back.
    pub payment: PaymentId,
    /// Counts from 1.
    pub attempt: u16,
    /// What became of it.
    pub outcome: RepaymentOutcome,
    /// How much went.
    pub amount_minor: i64,
    /// With what the payment was asked for.
    pub tender: Tender,
    /// Who was asked.
    pub provider: Provider,
    /// The provider's own name for it.
    pub reference: String,
    /// Why not.
    pub detail: String,
}

/// A promise is called off: the body of item kind 83, written by the branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentCancelled {
    /// The tender of a receipt.
    pub payment: PaymentId,
}

/// The customer tries again at the reader: the body of item kind 96, written by the branch. The attempts before are over
/// by then, or are ended first; one that brought the money ends it all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentAgain {
    /// The tender of a receipt.
    pub payment: PaymentId,
    /// The attempt that is wanted, above 1; wanted twice it is one attempt.
    pub attempt: u16,
}

/// What is wrong with a result, whatever the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PaymentError {
    /// No attempt has the number 0.
    #[error("attempts count from 1")]
    Attempt,
    /// An amount where none can be, or none where one must be.
    #[error("a capture has an amount, and nothing else has")]
    Amount,
    /// Cash and account are settled at the counter.
    #[error("only cards and banks are asked for money")]
    Tender,
    /// A text that cannot be.
    #[error("a text is too long or has control characters")]
    Text,
}

impl PaymentResult {
    /// Whether it is well formed.
    pub fn check_form(&self) -> Result<(), PaymentError> {
        let moved = self.outcome == PaymentOutcome::Captured;
        check_result(self.attempt, moved, self.amount_minor, self.tender)?;
        check_texts(&self.reference, &self.detail)
    }
}

impl RepaymentResult {
    /// Whether it is well formed.
    pub fn check_form(&self) -> Result<(), PaymentError> {
        let moved = self.outcome == RepaymentOutcome::Repaid;
        check_result(self.attempt, moved, self.amount_minor, self.tender)?;
        check_texts(&self.reference, &self.detail)
    }

    /// What it does to the ledger, once per repayment.
    pub fn postings(&self) -> Option<Posting> {
        (self.outcome == RepaymentOutcome::Repaid)
            .then(|| {
                Posting::new(
                    at(self.provider),
                    MoneyAccount::RefundsDue,
                    self.amount_minor,
                )
            })
            .flatten()
    }
}

const fn at(provider: Provider) -> MoneyAccount {
    match provider {
        Provider::Stripe => MoneyAccount::Card,
        Provider::Bank => MoneyAccount::Bank,
    }
}

fn check_result(
    attempt: u16,
    moved: bool,
    amount_minor: i64,
    tender: Tender,
) -> Result<(), PaymentError> {
    if attempt == 0 {
        return Err(PaymentError::Attempt);
    }
    if moved != (amount_minor > 0) || amount_minor < 0 || check_amount(amount_minor).is_err() {
        return Err(PaymentError::Amount);
    }
    if tender.is_asked_for() {
        Ok(())
    } else {
        Err(PaymentError::Tender)
    }
}

fn check_texts(reference: &str, detail: &str) -> Result<(), PaymentError> {
    [reference, detail]
        .into_iter()
        .try_for_each(|text| text::clean_line(text, NOTE_MAX).map(drop))
        .map_err(|_| PaymentError::Text)
}

/// One record of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentRecord {
    /// A receipt has the tender.
    Asked {
        /// With what.
        tender: Tender,
        /// How much.
        amount_minor: i64,
    },
    /// The branch called it off.
    Cancelled,
    /// What an attempt came to.
    Result(PaymentResult),
    /// A refund gives some of it back.
    RepaymentAsked {
        /// The tender of the refund.
        repayment: RepaymentId,
        /// With what.
        tender: Tender,
        /// How much.
        amount_minor: i64,
    },
    /// What became of that.
    Repayment(RepaymentResult),
}

/// What the records come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaymentFold {
    /// Where it stands.
    pub state: PaymentState,
    /// With what; unknown while only results are there.
    pub tender: Option<Tender>,
    /// What was asked.
    pub asked_minor: i64,
    /// What came.
    pub captured_minor: i64,
    /// The same by who holds it; nothing of what is settled at the counter.
    pub captured_at: BTreeMap<Provider, i64>,
    /// What a refund asks back.
    pub repay_asked_minor: i64,
    /// What went back.
    pub repaid_minor: i64,
    /// What of it no refund of the branch asked for: the hub gave it back. Rows that hold a fold do not hold this.
    #[serde(skip)]
    pub returned_minor: i64,
    /// Whether the branch called it off.
    pub called_off: bool,
    /// The number of the next attempt.
    pub next_attempt: u16,
    /// The newest link or reason.
    pub detail: String,
}

impl PaymentFold {
    /// What came and was not given back.
    pub const fn left_minor(&self) -> i64 {
        self.captured_minor
            .saturating_sub(self.returned_minor)
            .saturating_sub(self.repaid_minor_or_asked())
    }

    const fn repaid_minor_or_asked(&self) -> i64 {
        let repaid_minor = self.repaid_minor.saturating_sub(self.returned_minor);
        if self.repay_asked_minor > repaid_minor {
            self.repay_asked_minor
        } else {
            repaid_minor
        }
    }

    /// Whether more came than was asked, and was not given back: captured twice.
    pub const fn is_overpaid(&self) -> bool {
        let kept_minor = self.captured_minor.saturating_sub(self.returned_minor);
        self.tender.is_some() && kept_minor > self.asked_minor
    }

    /// Where the money that was asked for stands: its sum is always what was asked. What cannot be taken any more is a
    /// plain claim on the customer; what came too much is due back.
    fn standing(&self) -> BTreeMap<MoneyAccount, i64> {
        let mut standing = BTreeMap::new();
        let Some(tender) = self.tender else {
            return standing;
        };
        if !tender.is_asked_for() {
            standing.insert(tender.account(), self.asked_minor);
            return standing;
        }
        for (provider, amount) in &self.captured_at {
            *standing.entry(at(*provider)).or_default() += amount;
        }
        let rest = self.asked_minor.saturating_sub(self.captured_minor);
        let where_rest = if rest < 0 {
            MoneyAccount::RefundsDue
        } else if self.is_open() {
            tender.account()
        } else {
            MoneyAccount::Receivable
        };
        *standing.entry(where_rest).or_default() += rest;
        standing
    }

    /// Whether the provider may still be asked.
    pub const fn is_open(&self) -> bool {
        matches!(
            self.state,
            PaymentState::Queued | PaymentState::Processing | PaymentState::Declined
        )
    }
}

/// Folds the records of one payment; their order and their number do not matter.
pub fn fold_payment<'a>(records: impl IntoIterator<Item = &'a PaymentRecord>) -> PaymentFold {
    let mut facts = Facts::default();
    for record in records {
        facts.add(record);
    }
    facts.finish()
}

/// What a record of a payment that a receipt asked for does to the ledger: the way from where its money stood to where
/// it stands now. Records in any order come to the same balances.
pub fn payment_postings(before: &PaymentFold, after: &PaymentFold) -> Vec<Posting> {
    let mut change = after.standing();
    for (account, amount) in before.standing() {
        *change.entry(account).or_default() -= amount;
    }
    let mut postings = Vec::new();
    let mut gains: Vec<(MoneyAccount, i64)> = change
        .iter()
        .filter(|(_, sum)| **sum > 0)
        .map(|(account, sum)| (*account, *sum))
        .collect();
    for (from, sum) in change.iter().filter(|(_, sum)| **sum < 0) {
        let mut rest = sum.saturating_neg();
        for (to, gain) in &mut gains {
            let part = rest.min(*gain);
            postings.extend(Posting::new(*from, *to, part));
            rest -= part;
            *gain -= part;
        }
    }
    postings
}

#[derive(Default)]
struct Facts<'a> {
    asked: Option<(Tender, i64)>,
    called_off: bool,
    results: BTreeMap<(u16, PaymentOutcome), &'a PaymentResult>,
    repay_asked: BTreeMap<RepaymentId, (Tender, i64)>,
    repaid: BTreeMap<RepaymentId, i64>,
}

impl<'a> Facts<'a> {
    fn add(&mut self, record: &'a PaymentRecord) {
        match record {
            PaymentRecord::Asked {
                tender,
                amount_minor,
            } => {
                self.asked.get_or_insert((*tender, *amount_minor));
            }
            PaymentRecord::Cancelled => self.called_off = true,
            PaymentRecord::Result(result) => {
                self.results
                    .entry((result.attempt, result.outcome))
                    .or_insert(result);
            }
            PaymentRecord::RepaymentAsked {
                repayment,
                tender,
                amount_minor,
            } => {
                self.repay_asked
                    .entry(*repayment)
                    .or_insert((*tender, *amount_minor));
            }
            PaymentRecord::Repayment(result) => {
                if result.outcome == RepaymentOutcome::Repaid {
                    self.repaid
                        .entry(result.repayment)
                        .or_insert(result.amount_minor);
                }
            }
        }
    }

    fn finish(self) -> PaymentFold {
        let settled = |tender: Tender| !tender.is_asked_for();
        let mut captured_at: BTreeMap<Provider, i64> = BTreeMap::new();
        for result in self
            .results
            .values()
            .filter(|result| result.amount_minor > 0)
        {
            let sum = captured_at.entry(result.provider).or_default();
            *sum = sum.saturating_add(result.amount_minor);
        }
        let captured = captured_at.values().copied().fold(0, i64::saturating_add);
        let at_counter = self.asked.filter(|(tender, _)| settled(*tender));
        let captured_minor = at_counter.map_or(captured, |(_, amount)| amount);
        let at_once = self
            .repay_asked
            .iter()
            .filter(|(id, (tender, _))| settled(*tender) && !self.repaid.contains_key(id))
            .map(|(_, (_, amount))| *amount);
        let repaid_minor = self
            .repaid
            .values()
            .copied()
            .chain(at_once)
            .fold(0, i64::saturating_add);
        let returned_minor = self
            .repaid
            .iter()
            .filter(|(id, _)| !self.repay_asked.contains_key(id))
            .map(|(_, amount)| *amount)
            .fold(0, i64::saturating_add);
        let newest = self.results.values().next_back();
        PaymentFold {
            state: self.state(captured_minor, repaid_minor),
            tender: self.asked.map(|(tender, _)| tender),
            asked_minor: self.asked.map_or(0, |(_, amount)| amount),
            captured_minor,
            captured_at,
            repay_asked_minor: self
                .repay_asked
                .values()
                .fold(0, |sum, (_, amount)| sum.saturating_add(*amount)),
            repaid_minor,
            returned_minor,
            called_off: self.called_off,
            next_attempt: newest.map_or(0, |result| result.attempt).saturating_add(1),
            detail: newest.map_or_else(String::new, |result| result.detail.clone()),
        }
    }

    fn state(&self, captured_minor: i64, repaid_minor: i64) -> PaymentState {
        if captured_minor > 0 {
            return if repaid_minor >= captured_minor {
                PaymentState::Refunded
            } else {
                PaymentState::Captured
            };
        }
        // The last word of the newest attempt; within one attempt the codes stand in the order in which they come.
        match self.results.keys().next_back() {
            Some((_, PaymentOutcome::Failed)) => PaymentState::Failed,
            Some((_, PaymentOutcome::Cancelled)) => PaymentState::Cancelled,
            Some((_, PaymentOutcome::Declined)) => PaymentState::Declined,
            Some((_, PaymentOutcome::Asked | PaymentOutcome::Captured)) => PaymentState::Processing,
            None if self.called_off => PaymentState::Cancelled,
            None => PaymentState::Queued,
        }
    }
}

/// The key under which a provider is asked for one attempt: the same attempt is always the same key, so that asking
/// again after a lost answer moves no money twice (INV-8).
pub fn provider_key(payment: PaymentId, attempt: u16) -> String {
    key_of(b"counterpart pay 1", payment.as_bytes(), attempt)
}

/// The key under which a provider is asked to give back.
pub fn repayment_key(repayment: RepaymentId, attempt: u16) -> String {
    key_of(b"counterpart repay 1", repayment.as_bytes(), attempt)
}

fn key_of(label: &[u8], id: &[u8; 16], attempt: u16) -> String {
    let mut hash = Sha256::new();
    hash.update(label);
    hash.update(id);
    hash.update(attempt.to_be_bytes());
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
