//! What is wrong with a row, and what would be right.
//!
//! A fault never repeats what may be about a person.

use super::field::Field;
use crate::ords::RowFault;

/// Why a row was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It does not read as a row.
    #[error(transparent)]
    Row(#[from] RowFault),
    /// A field without which the row says nothing.
    #[error("{} is empty; every row needs one", .field.name())]
    Empty {
        /// Which.
        field: Field,
    },
    /// More than the field holds.
    #[error("{} is longer than {max} bytes; shorten it", .field.name())]
    TooLong {
        /// Which.
        field: Field,
        /// Bytes permitted.
        max: usize,
    },
    /// Not of the form that such a text has.
    #[error("{} should be {form}", .field.name())]
    Form {
        /// Which.
        field: Field,
        /// The form.
        form: &'static str,
    },
    /// No number of pieces.
    #[error("{} is {found:?}; it should be a whole number from {least} to {most}", .field.name())]
    Pieces {
        /// Which.
        field: Field,
        /// What stands there, shortened.
        found: String,
        /// The least.
        least: i64,
        /// The most.
        most: i64,
    },
    /// No day.
    #[error("{} is {found:?}; it should be a day written as 2026-05-31 or 31.05.2026, with an hour or without", .field.name())]
    Day {
        /// Which.
        field: Field,
        /// What stands there, shortened.
        found: String,
    },
    /// No status.
    #[error(
        "status is {found:?}; it should be received, diagnosing, awaiting approval, awaiting parts, in repair or ready"
    )]
    Status {
        /// What stands there, shortened.
        found: String,
    },
    /// An order that has ended.
    #[error(
        "status is {found:?}: only orders that have not ended are taken over; leave this row out"
    )]
    Ended {
        /// What stands there, shortened.
        found: String,
    },
    /// Neither yes nor no.
    #[error("{} is {found:?}; it should be yes, no or empty", .field.name())]
    YesNo {
        /// Which.
        field: Field,
        /// What stands there, shortened.
        found: String,
    },
    /// A part that the catalogue does not have.
    #[error(
        "sku is {sku:?}, which is not in the catalogue; parts are added at the hub, import the row again when it is there"
    )]
    UnknownSku {
        /// What stands there.
        sku: String,
    },
    /// The opening stock was taken over already, with another figure.
    #[error(
        "the opening stock of {sku} at this place was taken over with another figure; correct it by counting the shelf"
    )]
    OtherFigure {
        /// The part.
        sku: String,
    },
    /// Twice in one file.
    #[error("row {row} of the same file is about the same; put both into one row")]
    Twice {
        /// The earlier row.
        row: u64,
    },
    /// A number that no customer has.
    #[error(
        "no customer with the number {id:?} was taken over; import the customers first, or name the person in this row"
    )]
    UnknownCustomer {
        /// The number.
        id: String,
    },
    /// Something else, in the words of the rule.
    #[error("{0}")]
    Said(String),
}
