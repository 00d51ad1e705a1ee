//! What people must look at: exceptions, decisions, conflicts of fields, parked transactions, incidents.
//!
//! All of it is listed here; settling comes from its own acts, and an exception ends when its cause does.

use std::collections::BTreeMap;

use automerge::Automerge;
use domain::document::{Conflict, DocumentKind, Scalar, conflicts as conflicts_of};
use domain::id::{DocumentId, PartId, StaffId};
use domain::order::read_order;
use domain::seal::open;
use domain::sensitive::PersonKey;
use sync_protocol::document::Document;
use sync_protocol::hash::sha256;
use sync_protocol::transaction::hlc_ms;

use super::error::AppError;
use super::session::Person;
use super::{Hub, branch};
use crate::store::audit::read as audit;
pub use crate::store::audit::read::{ExceptionPlace, ExceptionRecord};
use crate::store::inventory::read::part_names;
use crate::store::orders::day::numbers;
use crate::store::scope::{Place, Scope};
use crate::store::staff;
use crate::store::sync::read as store;
pub use crate::store::sync::read::{IncidentRecord, ParkedRecord};

/// Kinds of exceptions that ask people to decide something.
pub const DECISIONS: [&str; 4] = ["status", "negative_stock", "transfer", "transfer_found"];

/// Exceptions, the newest first, with the codes of branches; of `kinds` only, where given.
///
/// # Errors
/// When the database fails.
pub async fn list(
    hub: &Hub,
    person: &Person,
    kinds: Option<&[&str]>,
    place: Option<ExceptionPlace>,
    limit: i64,
) -> Result<(Vec<ExceptionRecord>, branch::Codes), AppError> {
    let mut connection = hub.snapshot().await?;
    let found = audit::exceptions(&mut connection, &person.scope(), kinds, place, limit).await?;
    Ok((found, branch::codes(&mut connection).await?))
}

/// Exceptions of these branches, the newest first, with the codes of branches; of `kinds` only, where given.
///
/// # Errors
/// When the database fails.
pub async fn list_of(
    hub: &Hub,
    scope: &Scope,
    kinds: Option<&[&str]>,
    limit: i64,
) -> Result<(Vec<ExceptionRecord>, branch::Codes), AppError> {
    let mut connection = hub.snapshot().await?;
    let found = audit::exceptions(&mut connection, scope, kinds, None, limit).await?;
    Ok((found, branch::codes(&mut connection).await?))
}

/// What exceptions are about, in words that people know: numbers of orders, names of parts.
///
/// # Errors
/// When the database fails.
pub async fn subjects(
    hub: &Hub,
    found: &[ExceptionRecord],
) -> Result<BTreeMap<[u8; 16], String>, AppError> {
    let of_kinds = |kinds: &[&str]| -> Vec<[u8; 16]> {
        found
            .iter()
            .filter(|record| kinds.contains(&record.kind.as_str()))
            .map(|record| record.subject)
            .collect()
    };
    let documents: Vec<DocumentId> = of_kinds(&["conflict", "status", "double_number"])
        .into_iter()
        .map(DocumentId::from_bytes)
        .collect();
    let parts: Vec<PartId> = of_kinds(&["negative_stock"])
        .into_iter()
        .map(PartId::from_bytes)
        .collect();
    let mut connection = hub.snapshot().await?;
    let numbers = numbers(&mut connection, &documents).await?;
    let names = part_names(&mut connection, &parts).await?;
    let numbers = numbers
        .into_iter()
        .map(|(id, number)| (*id.as_bytes(), number));
    let names = names
        .into_iter()
        .map(|(id, _, name)| (*id.as_bytes(), name));
    Ok(numbers.chain(names).collect())
}

/// Parked transactions, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn parked(
    hub: &Hub,
    person: &Person,
    place: Option<Place>,
    limit: i64,
) -> Result<(Vec<ParkedRecord>, branch::Codes), AppError> {
    let mut connection = hub.snapshot().await?;
    let found = store::parked(&mut connection, &person.scope(), place, limit).await?;
    Ok((found, branch::codes(&mut connection).await?))
}

/// Incidents, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn incidents(
    hub: &Hub,
    person: &Person,
    place: Option<Place>,
    limit: i64,
) -> Result<(Vec<IncidentRecord>, branch::Codes), AppError> {
    let mut connection = hub.snapshot().await?;
    let found = store::incidents(&mut connection, &person.scope(), place, limit).await?;
    Ok((found, branch::codes(&mut connection).await?))
}

/// One of several values of a field.
#[derive(Debug, Clone)]
pub struct Rival {
    /// The value; none for a personal one whose key is not here.
    pub value: Option<Scalar>,
    /// Who wrote it; none for the system.
    pub staff: Option<(StaffId, Option<String>)>,
    /// When.
    pub at_ms: Option<i64>,
}

/// A field with several values.
#[derive(Debug, Clone)]
pub struct ConflictState {
    /// Its id, the same on every node: from document and path.
    pub id: [u8; 16],
    /// The document.
    pub document: DocumentId,
    /// What the document is about.
    pub kind: DocumentKind,
    /// Code of the document's branch.
    pub branch: String,
    /// The number of an order.
    pub number: Option<String>,
    /// The keys from the root.
    pub path: Vec<String>,
    /// The values; the last is shown meanwhile.
    pub values: Vec<Rival>,
}

/// A page of conflicts.
#[derive(Debug)]
pub struct ConflictPage {
    /// The conflicts, those of the newest exceptions first.
    pub items: Vec<ConflictState>,
    /// Where to go on.
    pub next: Option<ExceptionPlace>,
}

/// Conflicts of `limit` documents, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn conflicts(
    hub: &Hub,
    person: &Person,
    place: Option<ExceptionPlace>,
    limit: usize,
) -> Result<ConflictPage, AppError> {
    let wanted = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let (mut found, codes) = list(hub, person, Some(&["conflict"]), place, wanted).await?;
    let is_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| is_more).map(place_of);
    let mut items = Vec::new();
    for record in &found {
        let id = DocumentId::from_bytes(record.subject);
        let Some(document) = hub.load_document(id).await? else {
            continue;
        };
        let keys = hub.person_keys(id).await?;
        let code = branch::code_of(&codes, record.branch);
        items.extend(shown(&document, &code, &keys)?);
    }
    name_writers(hub, &mut items).await?;
    Ok(ConflictPage { items, next })
}

/// Where an exception stands in its list.
pub fn place_of(record: &ExceptionRecord) -> ExceptionPlace {
    (
        record.at_ms,
        *record.branch.as_bytes(),
        record.kind.clone(),
        record.subject,
    )
}

fn shown(
    document: &Document,
    branch: &str,
    keys: &[PersonKey],
) -> Result<Vec<ConflictState>, AppError> {
    let number = match document.kind() {
        DocumentKind::Order => read_order(document.automerge())
            .ok()
            .map(|view| view.number),
        _ => None,
    };
    let found = conflicts_of(document.automerge(), document.kind())?;
    Ok(found
        .into_iter()
        .map(|conflict| ConflictState {
            id: id_of(document.id(), &conflict.path),
            document: document.id(),
            kind: document.kind(),
            branch: branch.to_owned(),
            number: number.clone(),
            values: rivals(document, &conflict, keys),
            path: conflict.path,
        })
        .collect())
}

fn id_of(document: DocumentId, path: &[String]) -> [u8; 16] {
    let mut bytes = document.as_bytes().to_vec();
    for key in path {
        bytes.extend_from_slice(key.as_bytes());
        bytes.push(0);
    }
    let mut id = [0; 16];
    id.copy_from_slice(&sha256(&bytes)[..16]);
    id[6] = (id[6] & 0x0f) | 0x80;
    id[8] = (id[8] & 0x3f) | 0x80;
    id
}

fn rivals(document: &Document, conflict: &Conflict, keys: &[PersonKey]) -> Vec<Rival> {
    let path = conflict.path.join("/");
    let is_sealed = document.kind() == DocumentKind::Customer;
    let rival = |value: &domain::document::ConflictValue| {
        let origin = origin_of(document, &value.actor, value.op_counter);
        Rival {
            value: match &value.value {
                Scalar::Bytes(sealed) if is_sealed => open(keys, document.id(), &path, sealed)
                    .ok()
                    .map(|text| Scalar::Str(text.expose().clone())),
                plain => Some(plain.clone()),
            },
            staff: origin
                .filter(|origin| !origin.staff.is_nil())
                .map(|origin| (origin.staff, None)),
            at_ms: origin.map(|origin| hlc_ms(origin.hlc)),
        }
    };
    conflict.values.iter().map(rival).collect()
}

fn origin_of(
    document: &Document,
    actor: &[u8],
    op_counter: u64,
) -> Option<sync_protocol::item::Origin> {
    let seq = seq_of(document.automerge(), actor, op_counter)?;
    document
        .origins()
        .iter()
        .find(|origin| origin.actor == *actor && origin.seq == seq)
        .copied()
}

/// The number of the actor's change that wrote an operation.
fn seq_of(automerge: &Automerge, actor: &[u8], op_counter: u64) -> Option<u64> {
    let changes = automerge.get_changes(&[]);
    let wrote = changes.iter().find(|change| {
        change.actor_id().to_bytes() == actor
            && change.start_op().get() <= op_counter
            && op_counter <= change.max_op()
    });
    wrote.map(|change| change.seq())
}

async fn name_writers(hub: &Hub, items: &mut [ConflictState]) -> Result<(), AppError> {
    let mut ids: Vec<StaffId> = items
        .iter()
        .flat_map(|item| &item.values)
        .filter_map(|value| value.staff.as_ref().map(|(staff, _)| *staff))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let mut connection = hub.snapshot().await?;
    let names: BTreeMap<StaffId, String> = staff::people(&mut connection, Some(&ids))
        .await?
        .into_iter()
        .map(|row| (row.id, row.fields.name))
        .collect();
    for value in items.iter_mut().flat_map(|item| &mut item.values) {
        if let Some((staff, name)) = &mut value.staff {
            *name = names.get(staff).cloned();
        }
    }
    Ok(())
}
