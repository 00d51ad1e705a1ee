//! Whole numbers of pieces.
//!
//! A quantity is never zero, negative or a fraction: direction is said by the accounts of a movement.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The greatest quantity of one line or movement.
pub const MAX_QUANTITY: i64 = 1_000_000;

/// A number of pieces outside 1 to 1,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a quantity is a whole number from 1 to 1000000")]
pub struct QuantityError;

/// 1 to 1,000,000 pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Quantity(u32);

impl Quantity {
    /// One piece.
    pub const ONE: Self = Self(1);

    /// A number within the bounds.
    pub fn new(pieces: i64) -> Result<Self, QuantityError> {
        match u32::try_from(pieces) {
            Ok(count) if (1..=MAX_QUANTITY).contains(&pieces) => Ok(Self(count)),
            _ => Err(QuantityError),
        }
    }

    /// The number of pieces.
    pub const fn as_i64(self) -> i64 {
        self.0 as i64
    }

    /// The number of pieces.
    pub const fn as_u32(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for Quantity {
    type Error = QuantityError;
    fn try_from(pieces: i64) -> Result<Self, QuantityError> {
        Self::new(pieces)
    }
}

impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> Self {
        quantity.as_i64()
    }
}

impl core::fmt::Display for Quantity {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(&self.0, f)
    }
}
