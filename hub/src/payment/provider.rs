//! What the chain asks of a provider, and what it may answer.
//!
//! Every call is either safe to repeat (a query) or carries a key or a state that makes it happen once. An error always
//! says whether money may have moved: *unknown* may, *refused*, *unavailable* and *not allowed* did not.

use std::collections::BTreeSet;
use std::fmt::Debug;

use domain::day::SettlementLine;
use domain::id::{BranchId, PaymentId, RepaymentId};
use domain::money::Money;
use domain::payment::Provider;
use futures_util::future::BoxFuture;
use thiserror::Error;

/// Longest text that is kept of what a provider says.
const SAID_MAX: usize = 400;

/// What a provider answers, later.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, ProviderError>>;

/// Why a provider did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProviderError {
    /// Nobody knows whether it happened: no answer came, or one that says that something broke. It is asked about
    /// ([`PaymentProvider::look`], [`PaymentProvider::find`]), not made again as another attempt.
    #[error("the outcome is unknown: {reason}")]
    Unknown {
        /// What was seen.
        reason: String,
        /// How long the provider asks to be left alone.
        retry_after_ms: Option<u64>,
        /// The provider keeps this answer for the key of the attempt: asking again with it will say the same for
        /// [`crate::payment::KEY_LIFE_MS`]. Once a query finds nothing, another attempt is the way on.
        key_is_spent: bool,
    },
    /// It did not happen and will not by asking again: the amount, the reference or the state is wrong.
    #[error("refused: {message} ({code})")]
    Refused {
        /// The provider's code.
        code: String,
        /// For people.
        message: String,
    },
    /// It did not happen; later it may.
    #[error("unavailable: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
        /// Not before.
        retry_after_ms: Option<u64>,
    },
    /// It did not happen: the provider does not know us, or the key may not do this. A person must see to it.
    #[error("the provider does not let us: {message}")]
    NotAllowed {
        /// For people.
        message: String,
    },
}

impl ProviderError {
    /// Whether the provider itself failed, which its breaker counts; a refusal is a proper answer.
    pub const fn is_failure(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::Unavailable { .. })
    }

    /// Whether money may have moved.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    /// How long the provider asks to be left alone.
    pub const fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::Unknown { retry_after_ms, .. } | Self::Unavailable { retry_after_ms, .. } => {
                *retry_after_ms
            }
            Self::Refused { .. } | Self::NotAllowed { .. } => None,
        }
    }
}

/// One attempt to take money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The tender of a receipt.
    pub payment: PaymentId,
    /// The branch that asks.
    pub branch: BranchId,
    /// Counts from 1; the same attempt is always the same key at the provider.
    pub attempt: u16,
    /// How much, above zero.
    pub amount: Money,
    /// What the customer reads, such as the number of the receipt.
    pub text: String,
    /// The reader on the counter, by the provider's name for it; none asks by a link.
    pub reader: Option<String>,
}

/// Where an attempt stands at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The provider's own name for it. It may change once, when a link becomes a payment: the newest one is kept.
    pub reference: String,
    /// What became of it.
    pub outcome: Outcome,
    /// What was asked; a link that nobody has opened does not say it.
    pub amount: Option<Money>,
    /// Whose payment it is, by our own mark on it.
    pub payment: Option<PaymentId>,
    /// The branch, by our own mark on it.
    pub branch: Option<BranchId>,
    /// The attempt, by our own mark on it.
    pub attempt: Option<u16>,
    /// When the provider was asked, by its clock; 0 where it does not say.
    pub at_ms: i64,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The customer's turn. The link is empty where the reader asks.
    Asked {
        /// Where the customer pays.
        link: String,
    },
    /// The customer's bank said yes; [`PaymentProvider::capture`] takes the money.
    ToCapture,
    /// The money came.
    Captured {
        /// How much.
        amount_minor: i64,
    },
    /// The customer's bank said no. The attempt can still come to something until it is cancelled.
    Declined {
        /// Why, for people.
        reason: String,
    },
    /// Called off; it can come to nothing any more.
    Cancelled,
}

/// Which payment is looked for by our own reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Find {
    /// The payment.
    pub payment: PaymentId,
    /// When it was first asked for. A provider's search may lag behind by minutes, so what is as young as that is also
    /// read from its list, which does not. None relies on the search.
    pub asked_ms: Option<i64>,
}

/// Giving money back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repay {
    /// The tender of a refund.
    pub repayment: RepaymentId,
    /// The payment that it gives back.
    pub payment: PaymentId,
    /// The branch that asks.
    pub branch: BranchId,
    /// Counts from 1.
    pub attempt: u16,
    /// The provider's name for the captured payment.
    pub reference: String,
    /// How much, above zero.
    pub amount: Money,
}

/// Where giving money back stands at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepayStanding {
    /// The provider's own name for it.
    pub reference: String,
    /// What became of it, as domain names it.
    pub outcome: domain::payment::RepaymentOutcome,
    /// How much.
    pub amount: Money,
    /// Why not.
    pub reason: String,
}

/// Which lines of the provider's statement are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settlement {
    /// Since when, by the provider's clock. Lines are taken once by their reference, so an overlap does no harm.
    pub since_ms: i64,
    /// Payouts whose lines are there already.
    pub known_payouts: BTreeSet<String>,
}

/// Somebody who moves money.
pub trait PaymentProvider: Debug + Send + Sync {
    /// Who it is.
    fn provider(&self) -> Provider;

    /// Asks the customer for money. The same attempt asks once, however often this is called within
    /// [`crate::payment::KEY_LIFE_MS`]; after that, and after an unknown outcome, look first. An earlier attempt of the
    /// same payment is cancelled before another one is asked.
    fn ask<'a>(&'a self, ask: &'a Ask) -> Answer<'a, Standing>;

    /// Where an attempt stands, by the provider's own name for it. Never old: the provider reads what is so now.
    fn look<'a>(&'a self, reference: &'a str) -> Answer<'a, Standing>;

    /// All attempts of a payment that the provider knows by our own reference, newest first.
    fn find(&self, find: Find) -> Answer<'_, Vec<Standing>>;

    /// Links of a payment that can be paid still, also those of which the answer was lost. A provider without links has
    /// none.
    fn open_links(&self, payment: PaymentId) -> Answer<'_, Vec<Standing>> {
        let _ = payment;
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    /// Takes the money that the customer's bank promised. Taken already is no error.
    fn capture<'a>(&'a self, reference: &'a str, amount: Money) -> Answer<'a, Standing>;

    /// Calls an attempt off. It may be too late: the answer says where it stands.
    fn cancel<'a>(&'a self, reference: &'a str) -> Answer<'a, Standing>;

    /// Gives money back. Once for each attempt, as with [`Self::ask`].
    fn repay<'a>(&'a self, repay: &'a Repay) -> Answer<'a, RepayStanding>;

    /// What the provider knows of giving money back, by our own reference. Never old.
    fn find_repayment<'a>(
        &'a self,
        repayment: RepaymentId,
        reference: &'a str,
    ) -> Answer<'a, Option<RepayStanding>>;

    /// The provider's statement: what came, what went back, what was kept, what was paid out and of what.
    fn settlement<'a>(&'a self, settlement: &'a Settlement) -> Answer<'a, Vec<SettlementLine>>;
}

/// What a provider says as one short line that a record can hold.
pub(super) fn said(text: &str) -> String {
    let mut line = String::new();
    for letter in text.trim().chars() {
        if line.len() + letter.len_utf8() > SAID_MAX {
            break;
        }
        line.push(if letter.is_control() { ' ' } else { letter });
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_says_fits_a_record() {
        let line = said(&format!("  no\r\nfunds \u{1b}[31m {}", "ü".repeat(400)));
        assert!(line.starts_with("no  funds  [31m ü"), "{line}");
        assert!(line.len() <= SAID_MAX);
        assert!(domain::text::clean_line(&line, SAID_MAX).is_ok());
    }

    #[test]
    fn only_what_the_provider_did_wrong_counts_as_its_failure() {
        let unknown = ProviderError::Unknown {
            reason: String::new(),
            retry_after_ms: Some(5),
            key_is_spent: false,
        };
        let refused = ProviderError::Refused {
            code: "amount_too_small".to_owned(),
            message: String::new(),
        };
        assert!(unknown.is_failure() && unknown.is_unknown());
        assert_eq!(unknown.retry_after_ms(), Some(5));
        assert!(!refused.is_failure() && !refused.is_unknown());
    }
}
