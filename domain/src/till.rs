//! The till: one numbered paper, the receipt, for whatever is taken or given back at the counter.
//!
//! A receipt is one fact with its lines and its tenders, so that goods, claims and money can never come apart. Cash and
//! account are settled when it is written; card and bank are asked for, and what comes of it is a record of its own
//! ([`crate::payment`]). Nothing here asks a provider or waits for one.

mod receipt;
mod refund;
mod rules;
mod series;

pub use receipt::{
    Receipt, ReceiptLine, ReceiptLineKind, ReceiptTotals, TenderLine, invoice_lines,
};
pub use refund::{
    EarlierRefunds, Goods, Refund, RefundAsked, RefundDecided, RefundLine, RefundTender,
    RefundTotals, Refundable, split_to_tenders,
};
pub use rules::{AccountRow, TillRules};
pub use series::{PaperKind, paper_number, parse_paper_number};

use crate::code::codes;
use crate::id::LineId;
use crate::ledger::MoneyAccount;
use crate::money::MoneyError;
use crate::text::TextError;
use thiserror::Error;

/// The most lines of one receipt.
pub const MAX_LINES: usize = 500;
/// The most tenders of one receipt.
pub const MAX_TENDERS: usize = 20;

codes! {
    /// With what is paid.
    pub enum Tender as "tender" {
        /// Coins and notes.
        Cash = 1 "cash",
        /// A card, at the reader or by a link.
        Card = 2 "card",
        /// A transfer by the customer's bank.
        Bank = 3 "bank",
        /// Written up for a business customer.
        Account = 4 "account",
    }
}

impl Tender {
    /// Where the money stands once the receipt is written.
    pub const fn account(self) -> MoneyAccount {
        match self {
            Self::Cash => MoneyAccount::Till,
            Self::Card => MoneyAccount::Promised,
            Self::Bank => MoneyAccount::Awaited,
            Self::Account => MoneyAccount::Receivable,
        }
    }

    /// Whether somebody else must still say that it came.
    pub const fn is_asked_for(self) -> bool {
        matches!(self, Self::Card | Self::Bank)
    }
}

codes! {
    /// How a card is asked.
    pub enum CardWay as "way of a card" {
        /// At the reader on the counter, driven by the hub.
        Reader = 1 "reader",
        /// By a link that the customer opens.
        Link = 2 "link",
    }
}

/// What is wrong with a paper of the till.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TillError {
    /// No line, or too many.
    #[error("a receipt has 1 to 500 lines")]
    Lines,
    /// Too many tenders.
    #[error("a receipt has at most 20 tenders")]
    Tenders,
    /// Two lines or tenders with one id.
    #[error("two lines have one id")]
    Twice,
    /// A line that cannot be.
    #[error("line {number} {why}")]
    Line {
        /// Counts from 1.
        number: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A tender that cannot be.
    #[error("tender {number} {why}")]
    Tender {
        /// Counts from 1.
        number: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The tenders do not come to what is due.
    #[error("{due_minor} is due, the tenders come to {tendered_minor}")]
    Unequal {
        /// Minor units.
        due_minor: i64,
        /// Minor units.
        tendered_minor: i64,
    },
    /// More deposit is taken off than the invoice comes to.
    #[error("a deposit takes off no more than the goods come to; the rest is given back")]
    DepositOff,
    /// A line that the receipt does not have.
    #[error("the receipt has no such line")]
    UnknownLine(LineId),
    /// More pieces than are left to give back.
    #[error("only {left} are left to give back")]
    Returned {
        /// The line.
        line: LineId,
        /// How many are left.
        left: u32,
    },
    /// Goods come back only where goods went out.
    #[error("only a part comes back to the shelf, the bin or the supplier")]
    Goods(LineId),
    /// More than was taken with these tenders.
    #[error("only {left_minor} of what was paid is left to give back")]
    Overpaid {
        /// Minor units.
        left_minor: i64,
    },
    /// A number of a series that cannot be.
    #[error("a series is a letter A to Z, its numbers begin at 1")]
    Series,
    /// Amounts out of range.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A text that cannot be.
    #[error("a text {0}")]
    Text(#[from] TextError),
}
