//! Two customers who are one person: one stays, the other leads to it from now on.
//!
//! What the one that stays lacks is taken over, and what somebody chose. Orders of the other are pointed to the one
//! that stays, as changes that their branches get on their feeds, in steps where they are many; nothing is deleted.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::customer::{
    CustomerPatch, CustomerView, PersonValues, merge_customer, patch_customer, read_customer,
};
use domain::document::DocumentKind;
use domain::id::DocumentId;
use domain::order::{OrderPatch, patch_order, read_order};
use domain::patch::Patch;
use domain::sensitive::{PersonKey, Sensitive};
use sync_protocol::hash::Hash;
use sync_protocol::item::command;

use super::{CustomerState, opened, refused, state_of, store};
use crate::app::command::Actor;
use crate::app::error::AppError;
use crate::app::session::Person;
use crate::app::{Hub, HubTx};
use crate::store::orders::read as orders;

/// Most orders that are pointed elsewhere in one transaction; the rest follows in the next ones.
const ORDERS_STEP: i64 = 300;
/// Persons who were joined with another that are looked at together.
const PERSONS_STEP: i64 = 1_000;

/// A value of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Name.
    Name,
    /// Phone.
    Phone,
    /// E-mail.
    Email,
    /// Postal address.
    Address,
    /// A note about the person.
    Note,
    /// The language to write to the person in.
    Language,
}

impl Field {
    /// Every value.
    pub const ALL: [Self; 6] = [
        Self::Name,
        Self::Phone,
        Self::Email,
        Self::Address,
        Self::Note,
        Self::Language,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Address => "address",
            Self::Note => "note",
            Self::Language => "language",
        }
    }

    /// The value with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }
}

/// Which two are one, and what the one that stays takes over although it has another.
#[derive(Debug, Clone)]
pub struct Merge {
    /// The one that stays.
    pub stays: DocumentId,
    /// The other.
    pub goes: DocumentId,
    /// Values of the other that count from now on.
    pub take: BTreeSet<Field>,
}

struct Side {
    id: DocumentId,
    view: CustomerView,
    keys: Vec<PersonKey>,
    values: PersonValues,
}

/// Joins two customers; `check` holds the caller's condition against the heads of the one that stays and of the other.
///
/// # Errors
/// The same person twice, one that was joined already, a stale base, keys that are not here.
pub async fn merge(
    tx: &mut HubTx,
    person: &Person,
    wish: &Merge,
    check: impl FnOnce(&[Hash], &[Hash]) -> Result<(), AppError> + Send,
) -> Result<CustomerState, AppError> {
    if wish.stays == wish.goes {
        return Err(AppError::conflict(
            "same-person",
            "these are one person already",
        ));
    }
    let (stays, stays_heads) = side(tx, person, wish.stays).await?;
    let (goes, goes_heads) = side(tx, person, wish.goes).await?;
    check(&stays_heads, &goes_heads)?;
    for side in [&stays, &goes] {
        if let Some(into) = side.view.merged_into {
            return Err(AppError::conflict(
                "merged",
                "one of the two was joined with another person already",
            )
            .with("merged_into", into.to_string()));
        }
    }
    let key = stays.keys.last().ok_or_else(|| {
        AppError::conflict(
            "key-missing",
            "the key of this person is not at the hub; nothing can be changed",
        )
    })?;
    let taken = taken_over(&stays, &goes, &wish.take);
    let edits = patch_customer(&stays.view, stays.id, key, &taken).map_err(refused)?;
    tx.edit_document(stays.id, DocumentKind::Customer, &edits)
        .await?;
    let mut earlier = store::merged_into(tx.sql(), goes.id).await?;
    earlier.push(goes.id);
    for gone in &earlier {
        tx.edit_document(*gone, DocumentKind::Customer, &[merge_customer(stays.id)])
            .await?;
    }
    point_orders(tx, &earlier, stays.id).await?;
    let document = tx
        .document(stays.id)
        .await?
        .ok_or(AppError::NotFound { what: "customer" })?;
    state_of(tx, &document, &stays.keys).await
}

async fn side(
    tx: &mut HubTx,
    person: &Person,
    id: DocumentId,
) -> Result<(Side, Vec<Hash>), AppError> {
    let unknown = || AppError::NotFound { what: "customer" };
    let document = tx
        .document(id)
        .await?
        .filter(|document| document.kind() == DocumentKind::Customer)
        .ok_or_else(unknown)?;
    let view = read_customer(document.automerge())?;
    if !person.scope().allows(view.home) {
        return Err(unknown());
    }
    let keys = tx.hub().clone().person_keys(id).await?;
    let values = opened(&view, id, &keys);
    let heads = document.heads().to_vec();
    let side = Side {
        id,
        view,
        keys,
        values,
    };
    Ok((side, heads))
}

/// What the one that stays gets from the other.
fn taken_over(stays: &Side, goes: &Side, take: &BTreeSet<Field>) -> CustomerPatch {
    let wish = |field: Field, mine: bool, other: &Option<Sensitive<String>>| match other {
        Some(value) if !mine || take.contains(&field) => Patch::Set(value.clone()),
        _ => Patch::Keep,
    };
    let (mine, other) = (&stays.values, &goes.values);
    let language = match &goes.view.language {
        Some(tag) if stays.view.language.is_none() || take.contains(&Field::Language) => {
            Patch::Set(tag.clone())
        }
        _ => Patch::Keep,
    };
    let consent = goes
        .view
        .consent
        .iter()
        .filter(|(what, _)| !stays.view.consent.contains_key(*what));
    CustomerPatch {
        language,
        consent: consent.map(|(what, is)| (what.clone(), *is)).collect(),
        name: wish(Field::Name, mine.name.is_some(), &other.name),
        phone: wish(Field::Phone, mine.phone.is_some(), &other.phone),
        email: wish(Field::Email, mine.email.is_some(), &other.email),
        address: wish(Field::Address, mine.address.is_some(), &other.address),
        note: wish(Field::Note, mine.note.is_some(), &other.note),
    }
}

/// Points orders of these persons to the one that stays, at most [`ORDERS_STEP`]; gives how many it found.
async fn point_orders(
    tx: &mut HubTx,
    from: &[DocumentId],
    to: DocumentId,
) -> Result<usize, AppError> {
    let found = orders::of_customers(tx.sql(), from, ORDERS_STEP).await?;
    for id in &found {
        let Some(document) = tx.document(*id).await? else {
            continue;
        };
        let view = read_order(document.automerge())?;
        let patch = OrderPatch {
            customer: Patch::Set(to),
            ..OrderPatch::default()
        };
        let edits = patch_order(&view, &patch).map_err(|error| AppError::field("", error))?;
        tx.edit_document(*id, DocumentKind::Order, &edits).await?;
    }
    Ok(found.len())
}

impl Hub {
    /// Points orders that still name somebody who was joined with another to the one that stays: the rest of a join
    /// with many orders, and what a branch wrote before it heard of it. Gives how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn point_late_orders(self: &Arc<Self>) -> Result<usize, AppError> {
        let (mut pointed, mut after) = (0, None);
        loop {
            let merged = {
                let mut connection = self.snapshot().await?;
                store::merged(&mut connection, after, PERSONS_STEP).await?
            };
            let Some((last, _)) = merged.last() else {
                return Ok(pointed);
            };
            after = Some(*last);
            let gone: Vec<DocumentId> = merged.iter().map(|(gone, _)| *gone).collect();
            let has_any = {
                let mut connection = self.snapshot().await?;
                !orders::of_customers(&mut connection, &gone, 1)
                    .await?
                    .is_empty()
            };
            if has_any {
                for (gone, stays) in merged {
                    pointed += self.point_all(gone, stays).await?;
                }
            }
        }
    }

    async fn point_all(
        self: &Arc<Self>,
        gone: DocumentId,
        stays: DocumentId,
    ) -> Result<usize, AppError> {
        let mut pointed = 0;
        loop {
            let mut tx = self.begin(Actor::SYSTEM, command::CUSTOMER).await?;
            let found = point_orders(&mut tx, &[gone], stays).await?;
            if found == 0 {
                return Ok(pointed);
            }
            // An order that keeps naming the person, because it takes no more, is not tried for ever.
            if tx.commit().await?.position.is_none() {
                return Ok(pointed);
            }
            pointed += found;
        }
    }
}

/// The person and everybody whose place it took: an order that a branch wrote meanwhile may still name one of them.
///
/// # Errors
/// When the database fails.
pub async fn aliases(hub: &Hub, id: DocumentId) -> Result<Vec<DocumentId>, AppError> {
    let mut connection = hub.snapshot().await?;
    let mut all = store::merged_into(&mut connection, id).await?;
    all.push(id);
    Ok(all)
}
