//! What the company lets its tills do: how far promises may go, what a role may give back, and who buys on account.

use crate::money::{MoneyError, check_amount};
use crate::problem::{FieldProblem, Problems};
use crate::staff::Role;
use serde::{Deserialize, Serialize};

/// The longest that a promise may stay open, in days.
const MAX_PROMISE_DAYS: u16 = 365;

/// Rules of the tills of a branch, or of all branches that have none of their own: the fields of row kind 40.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillRules {
    /// The most that a branch may have promised and not captured.
    pub promise_limit_minor: i64,
    /// After how many days an open promise is a matter for people.
    pub promise_days: u16,
    /// What a clerk may give back at once.
    pub refund_clerk_minor: i64,
    /// What a manager of a branch may give back at once.
    pub refund_manager_minor: i64,
    /// Whether a card reader stands on the counter, driven by the hub.
    pub reader: bool,
}

impl Default for TillRules {
    fn default() -> Self {
        Self {
            promise_limit_minor: 200_000,
            promise_days: 3,
            refund_clerk_minor: 10_000,
            refund_manager_minor: 100_000,
            reader: false,
        }
    }
}

impl TillRules {
    /// The rules, or what is wrong with them.
    pub fn validate(self) -> Result<Self, Vec<FieldProblem>> {
        let mut problems = Problems::new();
        let amounts = [
            ("/promise_limit", self.promise_limit_minor),
            ("/refund_clerk", self.refund_clerk_minor),
            ("/refund_manager", self.refund_manager_minor),
        ];
        for (pointer, amount) in amounts {
            let fits = amount >= 0 && check_amount(amount).is_ok();
            problems.check(fits, pointer, "must be an amount that is not below zero");
        }
        problems.check(
            self.promise_days <= MAX_PROMISE_DAYS,
            "/promise_days",
            "must be at most 365",
        );
        problems.finish(self)
    }

    /// The most that this role gives back without another's word; none: as much as it likes.
    pub const fn refund_limit_minor(&self, role: Role) -> Option<i64> {
        match role {
            Role::CentralManager => None,
            Role::BranchManager => Some(self.refund_manager_minor),
            _ => Some(self.refund_clerk_minor),
        }
    }
}

/// A customer who buys on account: the fields of row kind 39, whose id is the customer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    /// The most that the customer may owe.
    pub limit_minor: i64,
    /// After how many days what is owed is a matter for people.
    pub due_days: u16,
}

impl AccountRow {
    /// Refuses what cannot be.
    pub fn check(&self) -> Result<(), MoneyError> {
        check_amount(self.limit_minor)?;
        if self.limit_minor < 0 {
            return Err(MoneyError::Range);
        }
        Ok(())
    }
}
