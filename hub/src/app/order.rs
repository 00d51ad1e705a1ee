//! Orders of the whole chain: listed, read, and changed together with their branches.

use std::collections::BTreeMap;

use domain::customer::PersonValues;
use domain::document::{DocumentKind, Edit};
use domain::id::{DocumentId, EventId};
use domain::order::{OrderError, OrderPatch, OrderView, add_note, patch_order, read_order};
use domain::patch::Patch;
use sync_protocol::document::Document;
use sync_protocol::hash::Hash;

use super::customer::opened;
use super::error::AppError;
use super::session::Person;
use super::{Hub, HubTx, branch};
use crate::store::customers::read::{CustomerFilter, CustomerRecord, customers};
use crate::store::orders::read as store;
pub use crate::store::orders::read::{OrderFilter, OrderRecord};
use crate::store::scope::Scope;
use crate::store::staff::read as staff;
use crate::store::sync::read::documents_of;

/// An order.
#[derive(Debug, Clone)]
pub struct OrderState {
    /// The row.
    pub record: OrderRecord,
    /// Code of the home branch.
    pub branch: String,
    /// The customer's values, as far as the key is here.
    pub customer: Option<(DocumentId, PersonValues)>,
    /// The document's heads.
    pub heads: Vec<Hash>,
}

impl OrderState {
    /// What the order says.
    pub fn view(&self) -> &OrderView {
        &self.record.view
    }
}

/// Whom each of the orders' customers is now, with the person's values: an order may still name somebody who was
/// joined with another.
async fn values_of(
    hub: &Hub,
    records: &[OrderRecord],
) -> Result<BTreeMap<DocumentId, (DocumentId, PersonValues)>, AppError> {
    let mut named: Vec<DocumentId> = records
        .iter()
        .filter_map(|record| record.view.customer)
        .collect();
    named.sort_unstable();
    named.dedup();
    let mut found = customers_of(hub, named).await?;
    let mut stay: Vec<DocumentId> = found
        .iter()
        .filter_map(|record| record.view.merged_into)
        .collect();
    let joined: BTreeMap<DocumentId, DocumentId> = found
        .iter()
        .filter_map(|record| Some((record.document, record.view.merged_into?)))
        .collect();
    stay.retain(|id| found.iter().all(|record| record.document != *id));
    stay.sort_unstable();
    stay.dedup();
    found.extend(customers_of(hub, stay).await?);
    let ids: Vec<DocumentId> = found.iter().map(|record| record.document).collect();
    let keys = hub.person_keys_of(&ids).await?;
    let key = |id: DocumentId| keys.get(&id).map_or(&[][..], Vec::as_slice);
    let values: BTreeMap<DocumentId, PersonValues> = found
        .iter()
        .map(|record| {
            let values = opened(&record.view, record.document, key(record.document));
            (record.document, values)
        })
        .collect();
    let now = |id: DocumentId| joined.get(&id).copied().unwrap_or(id);
    Ok(ids
        .into_iter()
        .map(|id| {
            let values = values.get(&now(id)).cloned().unwrap_or_default();
            (id, (now(id), values))
        })
        .collect())
}

async fn customers_of(
    hub: &Hub,
    persons: Vec<DocumentId>,
) -> Result<Vec<CustomerRecord>, AppError> {
    if persons.is_empty() {
        return Ok(Vec::new());
    }
    let filter = CustomerFilter {
        scope: Scope::Chain,
        limit: i64::try_from(persons.len()).unwrap_or(i64::MAX),
        persons: Some(persons),
        with_conflicts: false,
        place: None,
    };
    let mut connection = hub.snapshot().await?;
    Ok(customers(&mut connection, &filter).await?)
}

async fn shown(hub: &Hub, records: Vec<OrderRecord>) -> Result<Vec<OrderState>, AppError> {
    let values = values_of(hub, &records).await?;
    let ids: Vec<DocumentId> = records.iter().map(|record| record.document).collect();
    let mut connection = hub.snapshot().await?;
    let mut heads: BTreeMap<DocumentId, Vec<Hash>> = documents_of(&mut connection, &ids)
        .await?
        .into_iter()
        .map(|document| (document.id, document.heads))
        .collect();
    let codes = branch::codes(&mut connection).await?;
    let state = |record: OrderRecord| OrderState {
        branch: branch::code_of(&codes, record.branch),
        customer: record.view.customer.map(|id| {
            values
                .get(&id)
                .cloned()
                .unwrap_or((id, PersonValues::default()))
        }),
        heads: heads.remove(&record.document).unwrap_or_default(),
        record,
    };
    Ok(records.into_iter().map(state).collect())
}

/// Orders, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(hub: &Hub, filter: &OrderFilter) -> Result<Vec<OrderState>, AppError> {
    let records = {
        let mut connection = hub.snapshot().await?;
        store::orders(&mut connection, filter).await?
    };
    shown(hub, records).await
}

/// One order.
///
/// # Errors
/// When there is none, or none that the person may see.
pub async fn get(hub: &Hub, person: &Person, id: DocumentId) -> Result<OrderState, AppError> {
    let record = {
        let mut connection = hub.snapshot().await?;
        store::order(&mut connection, id).await?
    };
    let record = record.filter(|record| person.scope().allows(record.branch));
    let record = record.ok_or(AppError::NotFound { what: "order" })?;
    shown(hub, vec![record])
        .await?
        .pop()
        .ok_or(AppError::NotFound { what: "order" })
}

fn refused(error: OrderError) -> AppError {
    match error {
        OrderError::Fields(problems) => AppError::Invalid(problems),
        OrderError::Full => AppError::conflict("order-full", error.to_string()),
        other => AppError::field("", other),
    }
}

async fn open(
    tx: &mut HubTx,
    person: &Person,
    id: DocumentId,
    check: impl FnOnce(&[Hash]) -> Result<(), AppError> + Send,
) -> Result<OrderView, AppError> {
    let unknown = || AppError::NotFound { what: "order" };
    let document = tx
        .document(id)
        .await?
        .filter(|document| document.kind() == DocumentKind::Order);
    let document = document.ok_or_else(unknown)?;
    let view = read_order(document.automerge())?;
    if !person.scope().allows(view.branch) {
        return Err(unknown());
    }
    check(document.heads())?;
    Ok(view)
}

async fn write(tx: &mut HubTx, id: DocumentId, edits: &[Edit]) -> Result<OrderState, AppError> {
    let edited = tx.edit_document(id, DocumentKind::Order, edits).await?;
    let document = match edited {
        Some(edited) => edited,
        None => tx
            .document(id)
            .await?
            .ok_or(AppError::NotFound { what: "order" })?,
    };
    state_of(tx, &document).await
}

/// An order as it stands in this transaction.
///
/// # Errors
/// When there is none, or none that the person may see.
pub async fn current(
    tx: &mut HubTx,
    person: &Person,
    id: DocumentId,
) -> Result<OrderState, AppError> {
    open(tx, person, id, |_| Ok(())).await?;
    write(tx, id, &[]).await
}

/// What an order's accessories are to be, as the list of their texts.
#[derive(Debug, Clone, Default)]
pub struct OrderChange {
    /// The fields.
    pub patch: OrderPatch,
    /// All accessories.
    pub accessories: Option<Vec<String>>,
}

/// Changes fields of an order; `check` holds the caller's condition against the document's heads.
///
/// # Errors
/// Wrong fields, a stale base.
pub async fn patch(
    tx: &mut HubTx,
    person: &Person,
    id: DocumentId,
    check: impl FnOnce(&[Hash]) -> Result<(), AppError> + Send,
    change: OrderChange,
) -> Result<OrderState, AppError> {
    let view = open(tx, person, id, check).await?;
    let OrderChange {
        mut patch,
        accessories,
    } = change;
    if let Some(wanted) = accessories {
        patch.accessories = Some(with_ids(tx, &view.device.accessories, wanted)?);
    }
    check_references(tx, &patch).await?;
    let edits = patch_order(&view, &patch).map_err(refused)?;
    write(tx, id, &edits).await
}

/// Keeps the ids of accessories that stay and gives new ones their own.
fn with_ids(
    tx: &HubTx,
    shown: &BTreeMap<String, String>,
    wanted: Vec<String>,
) -> Result<BTreeMap<String, String>, AppError> {
    if wanted.len() > 100 {
        return Err(AppError::field(
            "/device/accessories",
            "must not have more than 100 entries",
        ));
    }
    let mut left = shown.clone();
    let mut all = BTreeMap::new();
    for text in wanted {
        let known = left
            .iter()
            .find(|(_, there)| **there == text.trim())
            .map(|(id, _)| id.clone());
        let id = match known {
            Some(id) => {
                left.remove(&id);
                id
            }
            None => EventId::from_random(&mut tx.hub().env().entropy()).to_string(),
        };
        all.insert(id, text);
    }
    Ok(all)
}

/// Customer and technician must be known: the person typed or picked them.
async fn check_references(tx: &mut HubTx, patch: &OrderPatch) -> Result<(), AppError> {
    let mut problems = domain::problem::Problems::new();
    if let Patch::Set(id) = patch.technician {
        let known = staff::person(tx.sql(), Some(id), None).await?;
        problems.check(known.is_some(), "/technician_id", "there is no such person");
    }
    if let Patch::Set(id) = patch.customer {
        let known = documents_of(tx.sql(), &[id]).await?;
        let is_customer = known
            .iter()
            .any(|document| document.kind == Some(DocumentKind::Customer));
        problems.check(is_customer, "/customer_id", "there is no such customer");
    }
    problems.finish(()).map_err(AppError::Invalid)
}

/// Writes a note into an order.
///
/// # Errors
/// An empty or endless text, an order that takes no more.
pub async fn note(
    tx: &mut HubTx,
    person: &Person,
    id: DocumentId,
    check: impl FnOnce(&[Hash]) -> Result<(), AppError> + Send,
    text: &str,
) -> Result<OrderState, AppError> {
    let view = open(tx, person, id, check).await?;
    let note = EventId::from_random(&mut tx.hub().env().entropy());
    let edits = add_note(&view, note, text, person.id, tx.at_ms()).map_err(refused)?;
    write(tx, id, &edits).await
}

/// The order as the document in this transaction says it.
async fn state_of(tx: &mut HubTx, document: &Document) -> Result<OrderState, AppError> {
    let view = read_order(document.automerge())?;
    let hub = tx.hub().clone();
    let created_ms = view.created_at_ms;
    let record = OrderRecord {
        branch: view.branch,
        document: document.id(),
        created_ms,
        updated_ms: tx.at_ms(),
        conflicts: view.conflicts.len(),
        view,
    };
    let codes = branch::codes(tx.sql()).await?;
    let mut values = values_of(&hub, std::slice::from_ref(&record)).await?;
    Ok(OrderState {
        branch: branch::code_of(&codes, record.branch),
        customer: record
            .view
            .customer
            .map(|id| values.remove(&id).unwrap_or((id, PersonValues::default()))),
        heads: document.heads().to_vec(),
        record,
    })
}
