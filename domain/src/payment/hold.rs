//! Goods that are kept for a payment for a while.
//!
//! Parts reserved for an order stay reserved while its payment is awaited, and go back to the shelf when the time is
//! over. Money that comes after that is still taken; that the goods may be gone is then a decision for people.

use crate::code::codes;
use crate::id::{DocumentId, PaymentId};
use serde::{Deserialize, Serialize};

/// How long goods are kept for a payment, in milliseconds.
pub const HOLD_MS: i64 = 15 * 60 * 1_000;

codes! {
    /// Where a hold stands.
    pub enum HoldState as "state of a hold" {
        /// The goods are kept.
        Begun = 1 "begun",
        /// The time was over first.
        RanOut = 2 "ran_out",
    }
}

/// Goods of an order are kept for a payment, or not any more: the body of item kind 95, written by the branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The payment that is awaited.
    pub payment: PaymentId,
    /// The order whose parts are kept.
    pub order: DocumentId,
    /// Until when, in milliseconds since 1970.
    pub until_ms: i64,
    /// Whether it begins or is over.
    pub state: HoldState,
}
