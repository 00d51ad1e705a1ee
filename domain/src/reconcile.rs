//! What a night holds against each other, and what red and amber mean: pure rules over figures that somebody else read.
//!
//! Each check has a written rule, figures, the records behind it and a way to mend. Times and days are arguments; nothing
//! here reads a clock, and no rule ever changes what it looks at.

mod goods;
mod line;
mod money;
mod outcome;
mod papers;
mod rule;

pub use goods::{
    Column, OpenTransfer, Orphan, StockFacts, TransitFacts, judge_reserved, judge_stock,
    judge_transit,
};
pub use line::{
    ChainFlaw, ClockFacts, DocumentsFacts, DocumentsHeld, HeadWord, LineFacts, OffPaper,
    judge_documents, judge_log,
};
pub use money::{
    LedgerFacts, LinesOfPayment, Member, OpenPromise, OverRepaid, PaymentsFacts, Payout,
    PromiseFacts, RefundsFacts, SettledPayment, UnmatchedLine, WaitingRefund, judge_ledger,
    judge_payments, judge_promises, judge_refunds,
};
pub use outcome::{Figure, Found, MAX_FOUND, Outcome};
pub use papers::{
    CashFacts, Double, Excuse, Gap, NumbersFacts, OrdersFacts, OverdueOrder, SeriesEnd,
    SessionFacts, UninvoicedOrder, judge_cash, judge_numbers, judge_orders,
};
pub use rule::{Mend, Rule};

use crate::code::codes;

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

codes! {
    /// What a night looks at.
    pub enum Check as "check" {
        /// The log and its chain, signed heads, the clock.
        Log = 1 "log",
        /// Documents of both sides.
        Documents = 2 "documents",
        /// Tables against a rebuild of a sample.
        Tables = 3 "tables",
        /// Pieces of both sides.
        Stock = 4 "stock",
        /// Pieces between branches.
        Transit = 5 "transit",
        /// Pieces set aside.
        Reserved = 6 "reserved",
        /// Drawers and day reports.
        Cash = 7 "cash",
        /// The money ledger of both sides.
        Ledger = 8 "ledger",
        /// Captures against the provider's statement.
        Payments = 9 "payments",
        /// Cards that are promised.
        Promises = 10 "promises",
        /// Money given back.
        Refunds = 11 "refunds",
        /// Numbers of papers.
        Numbers = 12 "numbers",
        /// Orders that were collected.
        Orders = 13 "orders",
    }
}

codes! {
    /// What a check, a night of a branch or a whole night came to; the greatest is the worst.
    pub enum CheckState as "state of a check" {
        /// Nothing is to be done.
        Green = 1 "green",
        /// Somebody should look.
        Amber = 2 "amber",
        /// It cannot be said yet: the branch's word is not there.
        Unreconciled = 3 "unreconciled",
        /// It does not agree.
        Red = 4 "red",
    }
}

impl CheckState {
    /// The worst of these; green where there is none.
    pub fn worst(states: impl IntoIterator<Item = Self>) -> Self {
        states.into_iter().max().unwrap_or(Self::Green)
    }
}

/// How long things may take before a night looks at them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Days until a capture must stand on the provider's statement.
    pub settle_days: u16,
    /// Days until a shipment must have arrived.
    pub transit_days: u16,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            settle_days: 7,
            transit_days: 7,
        }
    }
}

/// A business day of a branch: from its first millisecond to the first of the next, in the branch's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusinessDay {
    /// Days since 1970.
    pub day: i32,
    /// Its first millisecond.
    pub start_ms: i64,
    /// The first millisecond of the next day.
    pub end_ms: i64,
}

impl BusinessDay {
    /// Whether something that began at `since_ms` is older than `days` at the end of this day.
    pub fn is_older(&self, since_ms: i64, days: u16) -> bool {
        self.end_ms.saturating_sub(since_ms) > i64::from(days) * DAY_MS
    }

    /// Whole days from `since_ms` to the end of this day.
    pub fn age_days(&self, since_ms: i64) -> i64 {
        self.end_ms.saturating_sub(since_ms) / DAY_MS
    }
}
