//! What the tills may do, and who buys on account: rows that every branch gets.

use std::collections::BTreeMap;

use domain::document::DocumentKind;
use domain::id::{BranchId, DocumentId};
use domain::till::{AccountRow, TillRules};
use sync_protocol::item::{Item, Row};

use crate::app::error::AppError;
use crate::app::{Hub, HubTx, branch};
use crate::store::payments::read as store;

/// The rules of a branch's tills, with their version: its own, else those of all branches, else the usual ones.
///
/// # Errors
/// An unknown branch.
pub async fn get(hub: &Hub, branch_id: BranchId) -> Result<(u64, TillRules), AppError> {
    let mut connection = hub.snapshot().await?;
    let codes = branch::codes(&mut connection).await?;
    if !codes.contains_key(&branch_id) {
        return Err(AppError::NotFound { what: "branch" });
    }
    let own = store::rules(&mut connection, branch_id).await?;
    let version = own.as_ref().map_or(0, |(version, _)| *version);
    let rules = match own {
        Some((_, rules)) => rules,
        None => store::rules(&mut connection, BranchId::NIL)
            .await?
            .map(|(_, rules)| rules)
            .unwrap_or_default(),
    };
    Ok((version.cast_unsigned(), rules))
}

/// Sets the rules of a branch's tills, or of all branches that have none of their own.
///
/// # Errors
/// Rules that cannot be.
pub async fn set(
    tx: &mut HubTx,
    branch: BranchId,
    rules: TillRules,
) -> Result<(u64, TillRules), AppError> {
    let fields = rules.validate()?;
    let known = store::rules(tx.sql(), branch).await?;
    let version = known.map_or(0, |(version, _)| version).cast_unsigned() + 1;
    tx.fact(Item::TillRules(Row {
        id: branch,
        version,
        deleted: false,
        fields,
    }));
    Ok((version, fields))
}

/// Opens an account for a customer or changes it; none ends it.
///
/// # Errors
/// A limit that cannot be, an unknown customer.
pub async fn set_account(
    tx: &mut HubTx,
    customer: DocumentId,
    account: Option<AccountRow>,
) -> Result<(), AppError> {
    let fields = account.unwrap_or(AccountRow {
        limit_minor: 0,
        due_days: 0,
    });
    fields
        .check()
        .map_err(|error| AppError::field("/limit", error))?;
    let document = tx.document(customer).await?;
    if document.is_none_or(|known| known.kind() != DocumentKind::Customer) {
        return Err(AppError::NotFound { what: "customer" });
    }
    let version = store::account_version(tx.sql(), customer).await?;
    tx.fact(Item::Account(Row {
        id: customer,
        version: version.cast_unsigned() + 1,
        deleted: account.is_none(),
        fields,
    }));
    Ok(())
}

/// The rules of the tills of every branch.
#[derive(Debug, Clone, Default)]
pub struct AllRules {
    own: BTreeMap<BranchId, TillRules>,
    usual: TillRules,
}

impl AllRules {
    /// Those of a branch: its own, or those of all.
    pub fn of(&self, branch: BranchId) -> TillRules {
        self.own.get(&branch).copied().unwrap_or(self.usual)
    }

    /// Whether a branch has rules of its own.
    pub fn has_own(&self, branch: BranchId) -> bool {
        self.own.contains_key(&branch)
    }
}

/// The rules of all tills.
///
/// # Errors
/// When the database fails.
pub async fn all(hub: &Hub) -> Result<AllRules, AppError> {
    let mut connection = hub.snapshot().await?;
    let mut own: BTreeMap<BranchId, TillRules> = store::all_rules(&mut connection)
        .await?
        .into_iter()
        .collect();
    let usual = own.remove(&BranchId::NIL).unwrap_or_default();
    Ok(AllRules { own, usual })
}
