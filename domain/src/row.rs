//! Rows that the hub sends down its feeds: branches, catalogue, people, settings.
//!
//! A row has one writer, the hub; the highest version counts and a deletion is a version too. Field order is the wire
//! form of protocol 1 and is never changed.

use serde::{Deserialize, Serialize};

/// A row of item kinds 32 to 38, for the id that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row<T> {
    /// The branch, person, part, preset or company (zeros) that it is about.
    pub id: [u8; 16],
    /// Counts up; the highest counts.
    pub version: u64,
    /// Whether it is gone.
    pub deleted: bool,
    /// What it says.
    pub fields: T,
}

impl<T> Row<T> {
    /// Whether this row takes the place of one with `version`.
    pub const fn replaces(&self, version: u64) -> bool {
        self.version > version
    }
}
