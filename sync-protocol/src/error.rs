//! What can be wrong with bytes that a peer or a disk gave us.

use thiserror::Error;

/// Bytes that are not what the protocol says. Decoding never has an effect (INV-19).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The bytes end before the structure does.
    #[error("the bytes end too early: {what}")]
    TooShort {
        /// What was being read.
        what: &'static str,
    },
    /// Bytes are left over behind the structure.
    #[error("{count} bytes too many behind {what}")]
    Trailing {
        /// What was being read.
        what: &'static str,
        /// How many bytes are left.
        count: usize,
    },
    /// A stated bound is exceeded.
    #[error("{what} is {value}, the limit is {limit}")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// Its size.
        value: u64,
        /// The bound.
        limit: u64,
    },
    /// A field has a value that this version does not know.
    #[error("{what} has the unknown value {value}")]
    Unknown {
        /// The field.
        what: &'static str,
        /// Its value.
        value: u64,
    },
    /// A body does not parse.
    #[error("{what} does not parse: {reason}")]
    Body {
        /// The structure.
        what: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// The structure parses and contradicts itself.
    #[error("{what}: {reason}")]
    Form {
        /// The structure.
        what: &'static str,
        /// The contradiction.
        reason: &'static str,
    },
}
