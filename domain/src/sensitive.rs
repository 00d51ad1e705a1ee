//! Values that must not show: personal values, keys, passwords.
//!
//! They print as `[hidden]`, cannot be serialised by accident and are wiped when dropped (INV-21). `expose` is the one
//! way in, so that a search finds every use.

use crate::env::Entropy;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A value that does not show.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Sensitive<T: Zeroize>(T);

impl<T: Zeroize> Sensitive<T> {
    /// Hides a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> From<T> for Sensitive<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: Zeroize> Drop for Sensitive<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> core::fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("[hidden]")
    }
}

impl<T: Zeroize> core::fmt::Display for Sensitive<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("[hidden]")
    }
}

/// The key of one person's values, and how many times it was replaced. Without it the values are gone for good.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PersonKey {
    generation: u8,
    key: [u8; 32],
}

impl PersonKey {
    /// A key that is known already.
    pub const fn new(generation: u8, key: [u8; 32]) -> Self {
        Self { generation, key }
    }

    /// A new key.
    pub fn from_random(generation: u8, entropy: &mut impl Entropy) -> Self {
        let mut key = [0; 32];
        entropy.fill(&mut key);
        Self { generation, key }
    }

    /// How many times the person's key was replaced.
    pub const fn generation(&self) -> u8 {
        self.generation
    }

    /// The key itself; it never enters a log, feed, document or ordinary backup.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.key
    }
}

impl core::fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "PersonKey(generation {}, [hidden])", self.generation)
    }
}
