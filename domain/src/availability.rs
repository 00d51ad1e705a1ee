//! How many free pieces of a part a branch last had, item kind 38.
//!
//! For "which branch has it" while cut off. It is old news by nature and never decides what may be sold.

use crate::id::{BranchId, PartId};
use serde::{Deserialize, Serialize};

/// A quantity with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvailabilityRow {
    /// The branch.
    pub branch: BranchId,
    /// The part.
    pub part: PartId,
    /// Free pieces.
    pub quantity: i64,
    /// When that was so.
    pub as_of_ms: i64,
}

impl AvailabilityRow {
    /// The id that its row has: the newest row of each branch and part counts.
    pub fn row_id(&self) -> [u8; 16] {
        let mut hash = <sha2::Sha256 as sha2::Digest>::new();
        sha2::Digest::update(&mut hash, self.branch.as_bytes());
        sha2::Digest::update(&mut hash, self.part.as_bytes());
        let full = sha2::Digest::finalize(hash);
        let mut id = [0; 16];
        id.copy_from_slice(&full[..16]);
        id
    }
}
