//! The money of the whole chain at a glance: what each branch took, gave back and promised, and what waits.
//!
//! Read in one snapshot. Nothing here asks a provider; how providers are doing is what their breakers remember.

use std::collections::BTreeMap;

use domain::id::BranchId;
use domain::till::TillRules;

use crate::app::error::AppError;
use crate::app::session::Person;
use crate::app::{Hub, branch};
use crate::outside::DependencyHealth;
use crate::store::payments::read as store;
pub use crate::store::payments::read::{BranchMoney, Waiting};

/// A branch in one currency.
#[derive(Debug, Clone)]
pub struct BranchState {
    /// Its code.
    pub code: String,
    /// What it took, gave back and promised.
    pub money: BranchMoney,
    /// What its tills may do.
    pub rules: TillRules,
    /// Refunds of it that wait for a word.
    pub refunds: i64,
    /// Dead letters of it.
    pub dead: i64,
}

impl BranchState {
    /// Whether it promised more than it may.
    pub const fn is_over(&self) -> bool {
        self.money.promised_minor > self.rules.promise_limit_minor
    }

    /// Whether a promise is older than it may be.
    pub fn is_old(&self, now_ms: i64) -> bool {
        let days = i64::from(self.rules.promise_days);
        let oldest_ms = self
            .money
            .oldest_ms
            .filter(|_| self.money.promised_minor > 0);
        oldest_ms.is_some_and(|oldest_ms| now_ms.saturating_sub(oldest_ms) > days * 86_400_000)
    }

    /// How much of the limit is promised, in hundredths.
    pub fn share(&self) -> i64 {
        let limit = self.rules.promise_limit_minor.max(1);
        self.money.promised_minor.saturating_mul(100) / limit
    }
}

/// The chain's money.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Branches that the person may see, the worst first.
    pub branches: Vec<BranchState>,
    /// What waits.
    pub waiting: Waiting,
    /// How those outside are doing.
    pub outside: Vec<DependencyHealth>,
}

/// The money of the branches that the person may see; taken and given back count from `since_ms`.
///
/// # Errors
/// When the database fails.
pub async fn chain(hub: &Hub, person: &Person, since_ms: i64) -> Result<Chain, AppError> {
    let scope = person.scope();
    let mut connection = hub.snapshot().await?;
    let found = store::by_branch(&mut connection, &scope, since_ms).await?;
    let rules: BTreeMap<BranchId, TillRules> = store::all_rules(&mut connection)
        .await?
        .into_iter()
        .collect();
    let usual = rules.get(&BranchId::NIL).copied().unwrap_or_default();
    let troubles: BTreeMap<BranchId, (i64, i64)> = store::troubles(&mut connection, &scope)
        .await?
        .into_iter()
        .map(|(branch, refunds, dead)| (branch, (refunds, dead)))
        .collect();
    let codes = branch::codes(&mut connection).await?;
    let state = |money: BranchMoney| {
        let (refunds, dead) = troubles.get(&money.branch).copied().unwrap_or_default();
        BranchState {
            code: branch::code_of(&codes, money.branch),
            rules: rules.get(&money.branch).copied().unwrap_or(usual),
            refunds,
            dead,
            money,
        }
    };
    let mut branches: Vec<BranchState> = found.into_iter().map(state).collect();
    let now_ms = hub.env().now_ms();
    branches.sort_by_cached_key(|one| {
        let rank = (
            one.is_over(),
            one.is_old(now_ms),
            one.dead > 0,
            one.refunds > 0,
        );
        (
            std::cmp::Reverse((rank, one.share(), one.money.taken_minor)),
            one.code.clone(),
        )
    });
    let waiting = store::waiting(&mut connection, &scope).await?;
    Ok(Chain {
        branches,
        waiting,
        outside: hub.outside().health(),
    })
}

/// What waits of the branches that the person may see.
///
/// # Errors
/// When the database fails.
pub async fn waiting(hub: &Hub, person: &Person) -> Result<Waiting, AppError> {
    let mut connection = hub.snapshot().await?;
    Ok(store::waiting(&mut connection, &person.scope()).await?)
}
