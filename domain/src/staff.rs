//! People who work for the chain, and the rows that say so.
//!
//! Names and roles go to every branch; a credential goes only to the branches where the person works, and is never
//! shown. Field order of the rows is their wire form.

use crate::code::codes;
use crate::id::{BranchId, StaffId};
use crate::problem::{FieldProblem, Problems};
use crate::text::{self, NAME_MAX};
use serde::{Deserialize, Serialize};

codes! {
    /// What a person is for the chain.
    pub enum Role as "role" {
        /// At the counter.
        Clerk = 1 "clerk",
        /// At the bench.
        Technician = 2 "technician",
        /// Runs a branch.
        BranchManager = 3 "branch_manager",
        /// Runs the chain.
        CentralManager = 4 "central_manager",
        /// Looks at everything, changes nothing.
        Auditor = 5 "auditor",
        /// Runs the machines.
        Operator = 6 "operator",
    }
}

/// A person, item kind 33.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffRow {
    /// The name to sign in with.
    pub username: String,
    /// The name to show.
    pub name: String,
    /// What the person is.
    pub role: Role,
    /// Where the person works; empty for everywhere.
    pub branches: Vec<BranchId>,
    /// Whether the person may sign in.
    pub active: bool,
}

impl StaffRow {
    /// Whether the person works at this branch.
    pub fn works_at(&self, branch: BranchId) -> bool {
        self.active && (self.branches.is_empty() || self.branches.contains(&branch))
    }

    /// The row with its texts cleaned, or what is wrong with it.
    pub fn validate(mut self) -> Result<Self, Vec<FieldProblem>> {
        let mut problems = Problems::new();
        self.username = problems.take("/username", text::clean_username(&self.username));
        self.name = problems.take("/name", text::required_line(&self.name, NAME_MAX));
        problems.check(
            self.branches.len() <= 1_000,
            "/branches",
            "must not be more than 1000",
        );
        self.branches.sort_unstable();
        self.branches.dedup();
        problems.finish(self)
    }
}

/// What a person signs in with, item kind 34; private feeds only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialRow {
    /// Whose.
    pub staff: StaffId,
    /// An Argon2id hash in PHC form.
    pub password_hash: String,
}

impl core::fmt::Debug for CredentialRow {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "CredentialRow({}, [hidden])", self.staff)
    }
}
