//! Where somebody may look: the whole chain, or some branches.
//!
//! It comes from the staff row and narrows every read; nothing ever widens it (T-20).

use domain::id::BranchId;
use sqlx::types::Uuid;

use crate::store::ids::AsUuid;

/// The branches that a read may show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The whole chain.
    Chain,
    /// These branches only.
    Branches(Vec<BranchId>),
}

impl Scope {
    /// Whether a row of this branch may be shown.
    pub fn allows(&self, branch: BranchId) -> bool {
        match self {
            Scope::Chain => true,
            Scope::Branches(branches) => branches.contains(&branch),
        }
    }

    /// The same, narrowed to one branch where one is asked for.
    #[must_use]
    pub fn narrowed(&self, branch: Option<BranchId>) -> Scope {
        match branch {
            None => self.clone(),
            Some(branch) if self.allows(branch) => Scope::Branches(vec![branch]),
            Some(_) => Scope::Branches(Vec::new()),
        }
    }

    /// The statement's parameter: null for the whole chain.
    pub(crate) fn sql(&self) -> Option<Vec<Uuid>> {
        match self {
            Scope::Chain => None,
            Scope::Branches(branches) => {
                Some(branches.iter().map(|branch| branch.uuid()).collect())
            }
        }
    }
}

/// Where the last item of a page stood in a list ordered by time and id, newest first.
pub type Place = (i64, [u8; 16]);

/// The statement's parameters for rows behind `place`.
pub(crate) fn behind(place: Option<Place>) -> (Option<i64>, Option<Uuid>) {
    (
        place.map(|(at_ms, _)| at_ms),
        place.map(|(_, id)| id.uuid()),
    )
}
