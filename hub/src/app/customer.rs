//! Customers: shown with their values opened, changed with their values sealed.
//!
//! A personal value is in clear only on its way in and out; where a person's key is not here, values are none.

mod merge;

pub use merge::{Field, Merge, aliases, merge};

use std::collections::BTreeMap;

use domain::customer::{
    CustomerError, CustomerPatch, CustomerView, PersonValues, open_customer, patch_customer,
    read_customer,
};
use domain::document::DocumentKind;
use domain::id::DocumentId;
use domain::sensitive::PersonKey;
use sync_protocol::document::Document;
use sync_protocol::hash::Hash;

use super::error::AppError;
use super::session::Person;
use super::{Hub, HubTx, branch};
use crate::store::customers::read as store;
pub use crate::store::customers::read::{CustomerFilter, CustomerRecord};
use crate::store::scope::Scope;
use crate::store::sync::read::documents_of;

/// A customer.
#[derive(Debug, Clone)]
pub struct CustomerState {
    /// The row, sealed.
    pub record: CustomerRecord,
    /// The personal values, as far as their key is here.
    pub values: PersonValues,
    /// Code of the branch where the person was first served.
    pub branch: String,
    /// The document's heads.
    pub heads: Vec<Hash>,
}

/// Opens values; what does not open is none.
pub(crate) fn opened(view: &CustomerView, id: DocumentId, keys: &[PersonKey]) -> PersonValues {
    open_customer(view, id, keys).unwrap_or_default()
}

async fn shown(hub: &Hub, records: Vec<CustomerRecord>) -> Result<Vec<CustomerState>, AppError> {
    let ids: Vec<DocumentId> = records.iter().map(|record| record.document).collect();
    let keys = hub.person_keys_of(&ids).await?;
    let mut connection = hub.snapshot().await?;
    let mut heads: BTreeMap<DocumentId, Vec<Hash>> = documents_of(&mut connection, &ids)
        .await?
        .into_iter()
        .map(|document| (document.id, document.heads))
        .collect();
    let codes = branch::codes(&mut connection).await?;
    let state = |record: CustomerRecord| CustomerState {
        values: opened(
            &record.view,
            record.document,
            keys.get(&record.document).map_or(&[], Vec::as_slice),
        ),
        branch: branch::code_of(&codes, record.view.home),
        heads: heads.remove(&record.document).unwrap_or_default(),
        record,
    };
    Ok(records.into_iter().map(state).collect())
}

/// Customers, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(hub: &Hub, filter: &CustomerFilter) -> Result<Vec<CustomerState>, AppError> {
    let records = {
        let mut connection = hub.snapshot().await?;
        store::customers(&mut connection, filter).await?
    };
    shown(hub, records).await
}

/// These customers, as far as the person may see them, in no order.
///
/// # Errors
/// When the database fails.
pub async fn these(
    hub: &Hub,
    scope: Scope,
    ids: Vec<DocumentId>,
) -> Result<Vec<CustomerState>, AppError> {
    let limit = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    list(
        hub,
        &CustomerFilter {
            scope,
            persons: Some(ids),
            with_conflicts: false,
            place: None,
            limit,
        },
    )
    .await
}

/// One customer.
///
/// # Errors
/// When there is none, or none that the person may see.
pub async fn get(hub: &Hub, person: &Person, id: DocumentId) -> Result<CustomerState, AppError> {
    let found = these(hub, person.scope(), vec![id]).await?;
    found
        .into_iter()
        .next()
        .ok_or(AppError::NotFound { what: "customer" })
}

/// Changes a customer; `check` holds the caller's condition against the document's heads.
///
/// # Errors
/// Wrong fields, a stale base, a key that is not here.
pub async fn patch(
    tx: &mut HubTx,
    person: &Person,
    id: DocumentId,
    check: impl FnOnce(&[Hash]) -> Result<(), AppError> + Send,
    patch: &CustomerPatch,
) -> Result<CustomerState, AppError> {
    let unknown = || AppError::NotFound { what: "customer" };
    let document = tx
        .document(id)
        .await?
        .filter(|document| document.kind() == DocumentKind::Customer);
    let document = document.ok_or_else(unknown)?;
    let view = read_customer(document.automerge())?;
    if !person.scope().allows(view.home) {
        return Err(unknown());
    }
    check(document.heads())?;
    let keys = tx.hub().clone().person_keys(id).await?;
    let key = keys.last().ok_or_else(|| {
        AppError::conflict(
            "key-missing",
            "the key of this person is not at the hub; nothing can be changed",
        )
    })?;
    let edits = patch_customer(&view, id, key, patch).map_err(refused)?;
    let document = match tx.edit_document(id, DocumentKind::Customer, &edits).await? {
        Some(edited) => edited,
        None => document,
    };
    state_of(tx, &document, &keys).await
}

fn refused(error: CustomerError) -> AppError {
    match error {
        CustomerError::Fields(problems) => AppError::Invalid(problems),
        CustomerError::Seal(error) => AppError::field("", error),
    }
}

/// The customer as the document in this transaction says it.
async fn state_of(
    tx: &mut HubTx,
    document: &Document,
    keys: &[PersonKey],
) -> Result<CustomerState, AppError> {
    let id = document.id();
    let view = read_customer(document.automerge())?;
    let scope = Scope::Chain;
    let filter = CustomerFilter {
        scope,
        persons: Some(vec![id]),
        with_conflicts: false,
        place: None,
        limit: 1,
    };
    let known = store::customers(tx.sql(), &filter)
        .await?
        .into_iter()
        .next();
    let at_ms = tx.at_ms();
    let codes = branch::codes(tx.sql()).await?;
    let record = CustomerRecord {
        document: id,
        conflicts: i32::try_from(view.conflicts.len()).unwrap_or(i32::MAX),
        created_ms: known.as_ref().map_or(at_ms, |known| known.created_ms),
        updated_ms: at_ms,
        view,
    };
    Ok(CustomerState {
        values: opened(&record.view, id, keys),
        branch: branch::code_of(&codes, record.view.home),
        heads: document.heads().to_vec(),
        record,
    })
}
