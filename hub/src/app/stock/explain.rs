//! Where a term of a part's balance comes from: the movements that make it, newest first.

use std::collections::BTreeMap;

use domain::id::{DocumentId, PartId, StaffId};
use domain::stock::{Conservation, MovementKind};

use super::{MovementRecord, branch, store};
use crate::app::Hub;
use crate::app::error::AppError;
use crate::app::session::Person;
use crate::store::orders::read::numbers;
use crate::store::scope::Place;
use crate::store::staff::read::names;

/// A term of the balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// There when counting began.
    Opening,
    /// From suppliers, less what went back.
    Purchased,
    /// Found when counting.
    Found,
    /// Came back.
    Returned,
    /// On shelves.
    OnHand,
    /// Between branches.
    InTransit,
    /// Sold.
    Sold,
    /// Built in.
    Used,
    /// Missing.
    Lost,
    /// Thrown away.
    Scrapped,
}

impl Term {
    /// Every term, as the equation has them: the first four came.
    pub const ALL: [Self; 10] = [
        Self::Opening,
        Self::Purchased,
        Self::Found,
        Self::Returned,
        Self::OnHand,
        Self::InTransit,
        Self::Sold,
        Self::Used,
        Self::Lost,
        Self::Scrapped,
    ];

    /// Its name in addresses, as the API has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Purchased => "purchased",
            Self::Found => "found",
            Self::Returned => "returned",
            Self::OnHand => "on_hand",
            Self::InTransit => "in_transit",
            Self::Sold => "sold",
            Self::Used => "used",
            Self::Lost => "lost",
            Self::Scrapped => "scrapped",
        }
    }

    /// The term with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|term| term.as_str() == name)
    }

    /// Its figure among these.
    pub const fn of(self, terms: &Conservation) -> i64 {
        match self {
            Self::Opening => terms.opening,
            Self::Purchased => terms.purchased,
            Self::Found => terms.found,
            Self::Returned => terms.returned,
            Self::OnHand => terms.on_hand,
            Self::InTransit => terms.in_transit,
            Self::Sold => terms.sold,
            Self::Used => terms.used,
            Self::Lost => terms.lost,
            Self::Scrapped => terms.scrapped,
        }
    }

    /// The kinds of movements that make it.
    pub fn kinds(self) -> Vec<MovementKind> {
        let all = MovementKind::ALL.iter().copied();
        all.filter(|kind| {
            use domain::stock::Account;
            let touches =
                |account: Account| kind.from_account() == account || kind.to_account() == account;
            match self {
                Self::Opening => *kind == MovementKind::Opening,
                Self::Purchased => touches(Account::Supplier),
                Self::Found => *kind == MovementKind::AdjustFound,
                Self::Returned => *kind == MovementKind::Return,
                Self::OnHand => touches(Account::OnHand),
                Self::InTransit => touches(Account::InTransit),
                Self::Sold => *kind == MovementKind::Sell,
                Self::Used => *kind == MovementKind::Use,
                Self::Lost => touches(Account::Lost),
                Self::Scrapped => touches(Account::Scrapped),
            }
        })
        .collect()
    }
}

/// A movement with what its ids mean.
#[derive(Debug, Clone)]
pub struct MovementOf {
    /// The movement.
    pub record: MovementRecord,
    /// Code of the branch whose stock moved.
    pub branch: String,
    /// Who, by name; empty for the system.
    pub by: String,
    /// The order that it is about, with its number.
    pub order: Option<(DocumentId, String)>,
}

/// Movements of a part.
#[derive(Debug, Clone, Default)]
pub struct Explained {
    /// The movements, newest first.
    pub movements: Vec<MovementOf>,
}

/// The movements of a part, of one term or branch only where named.
///
/// # Errors
/// An unknown branch.
pub async fn explain(
    hub: &Hub,
    person: &Person,
    part: PartId,
    term: Option<Term>,
    branch_name: Option<&str>,
    place: Option<Place>,
    limit: i64,
) -> Result<Explained, AppError> {
    let mut connection = hub.snapshot().await?;
    let only = super::optional_branch(&mut connection, branch_name).await?;
    let scope = person.scope().narrowed(only);
    let kinds = term.map(Term::kinds);
    let rows = store::movements_of(
        &mut connection,
        &scope,
        part,
        kinds.as_deref(),
        place,
        limit,
    )
    .await?;
    let codes = branch::codes(&mut connection).await?;
    let staff: Vec<StaffId> = rows
        .iter()
        .map(|row| StaffId::from_bytes(row.staff()))
        .collect();
    let people: BTreeMap<StaffId, String> =
        names(&mut connection, &staff).await?.into_iter().collect();
    let subjects: Vec<DocumentId> = rows
        .iter()
        .map(|row| DocumentId::from_bytes(row.subject()))
        .collect();
    let orders: BTreeMap<DocumentId, String> = numbers(&mut connection, &subjects)
        .await?
        .into_iter()
        .collect();
    let movements = rows.into_iter().map(|record| {
        let subject = DocumentId::from_bytes(record.subject());
        MovementOf {
            branch: branch::code_of(&codes, record.branch()),
            by: people
                .get(&StaffId::from_bytes(record.staff()))
                .cloned()
                .unwrap_or_default(),
            order: orders.get(&subject).map(|number| (subject, number.clone())),
            record,
        }
    });
    Ok(Explained {
        movements: movements.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::BranchId;
    use domain::stock::Movement;

    #[test]
    fn the_kinds_of_a_term_are_those_that_change_it() {
        let part = PartId::from_bytes([1; 16]);
        for kind in MovementKind::ALL {
            let terms = Conservation::of(&[Movement::new(BranchId::NIL, part, *kind, 3)]);
            for term in Term::ALL {
                let is_named = term.kinds().contains(kind);
                assert_eq!(
                    term.of(&terms) != 0,
                    is_named,
                    "{kind:?} and {}",
                    term.as_str()
                );
            }
        }
    }
}
