//! What customers owe on account at this branch: the entries that it is made of, what of them is still open and since
//! when. It is paid at the till as any basket is.

use domain::id::DocumentId;
use domain::money::Currency;
use domain::permission::Permission;
use domain::till::{PaperKind, paper_number};

use super::require;
use crate::error::AppError;
use crate::store::money::account::{self as rows, AccountEntryKind};
use crate::store::{Actor, Reader};

const DAY_MS: i64 = 86_400_000;

/// What a customer owes here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    /// The currency of all its amounts.
    pub currency: Currency,
    /// What is owed.
    pub owed_minor: i64,
    /// The most that may be owed; none where the hub has opened no account, or ended it.
    pub limit_minor: Option<i64>,
    /// What may still be taken on account.
    pub left_minor: i64,
    /// When the oldest of what is open was taken, in milliseconds since 1970.
    pub open_since_ms: Option<i64>,
    /// Whether that is longer ago than the account allows.
    pub is_overdue: bool,
    /// What it is made of, newest first.
    pub entries: Vec<AccountLine>,
}

/// An entry of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLine {
    /// What it is.
    pub kind: AccountEntryKind,
    /// The number of its receipt, or of its refund.
    pub number: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Above zero where it is owed, below where it is paid or given back.
    pub amount_minor: i64,
    /// What of it is not paid yet: what came is held against the oldest.
    pub open_minor: i64,
}

/// The account of a customer; none who never bought on account and may not.
pub fn of(
    reader: &Reader<'_>,
    actor: &Actor,
    customer: DocumentId,
) -> Result<Option<AccountView>, AppError> {
    require(actor, Permission::MoneyRead)?;
    let terms = rows::account(reader, customer)?;
    let found = rows::entries(reader, customer)?;
    if terms.is_none() && found.is_empty() {
        return Ok(None);
    }
    let owed_minor = found.iter().map(|entry| entry.amount_minor).sum();
    let code = &reader.identity().code;
    let open = open_of(&found);
    let mut entries: Vec<AccountLine> = found
        .iter()
        .zip(open)
        .map(|(entry, open_minor)| AccountLine {
            kind: entry.kind,
            number: paper_number(code, PaperKind::Receipt, entry.paper.0, entry.paper.1),
            at_ms: entry.at_ms,
            amount_minor: entry.amount_minor,
            open_minor,
        })
        .collect();
    let oldest = entries.iter().find(|entry| entry.open_minor > 0);
    let open_since_ms = oldest.map(|entry| entry.at_ms);
    let days = terms.map_or(0, |terms| i64::from(terms.due_days));
    let limit_minor = terms.map(|terms| terms.limit_minor);
    entries.reverse();
    Ok(Some(AccountView {
        currency: reader.settings()?.currency,
        owed_minor,
        limit_minor,
        left_minor: limit_minor.unwrap_or(0).saturating_sub(owed_minor).max(0),
        open_since_ms,
        is_overdue: open_since_ms.is_some_and(|at_ms| {
            let due_ms = at_ms.saturating_add(days.saturating_mul(DAY_MS));
            due_ms < reader.now_ms()
        }),
        entries,
    }))
}

/// What is open of each entry: what was paid and given back is held against the oldest that is owed.
fn open_of(entries: &[rows::AccountEntry]) -> Vec<i64> {
    let came = entries.iter().map(|entry| entry.amount_minor.min(0));
    let mut left = came.fold(0_i64, i64::saturating_sub);
    entries
        .iter()
        .map(|entry| {
            let owed = entry.amount_minor.max(0);
            let paid = owed.min(left);
            left -= paid;
            owed - paid
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(amount_minor: i64) -> rows::AccountEntry {
        let kind = match amount_minor > 0 {
            true => AccountEntryKind::Taken,
            false => AccountEntryKind::Paid,
        };
        rows::AccountEntry {
            kind,
            amount_minor,
            paper: (b'A', 1),
            at_ms: 0,
        }
    }

    #[test]
    fn what_came_is_held_against_the_oldest() {
        let entries = [entry(7_900), entry(5_000), entry(-9_000), entry(1_000)];
        assert_eq!(open_of(&entries), [0, 3_900, 0, 1_000]);
        assert_eq!(open_of(&[entry(500), entry(-500)]), [0, 0]);
    }
}
