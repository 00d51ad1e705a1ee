//! Conflicts: fields that were written apart, shown with who wrote what and where, settled by a person, taken back.
//!
//! What is kept is written once more over all of the values. Taking back writes what was shown before; it reads that
//! from the document's own history, so the audit holds no value.

mod settle;

pub use settle::{
    Keep, Resolved, SettledConflict, document_with, resolve, settled, take_back, undo,
};

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use automerge::Automerge;
use domain::document::policy::{self, PolicyAction, check_operation};
use domain::document::{Conflict, DocumentKind, Scalar, conflicts as conflicts_of};
use domain::id::{DocumentId, StaffId};
use domain::order::read_order;
use domain::seal::open;
use domain::sensitive::PersonKey;
use sync_protocol::document::Document;
use sync_protocol::hash::sha256;
use sync_protocol::position::{NodeId, split_actor};
use sync_protocol::transaction::hlc_ms;

use super::error::AppError;
use super::exceptions::{self, ExceptionPlace, place_of};
use super::session::Person;
use super::{Hub, branch};
use crate::store::staff;
use crate::store::sync::node as nodes;

/// One of several values of a field.
#[derive(Debug, Clone)]
pub struct Rival {
    /// The value; none for a personal one whose key is not here.
    pub value: Option<Scalar>,
    /// Who wrote it; none for the system.
    pub staff: Option<(StaffId, Option<String>)>,
    /// When.
    pub at_ms: Option<i64>,
    /// Where; none for a machine that is not known here.
    pub place: Option<Writer>,
    /// The machine that wrote it.
    node: Option<NodeId>,
}

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Writer {
    /// At the hub.
    Hub,
    /// At the branch with this code.
    Branch(String),
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
    /// Whether the hub may write this field, and so settle it.
    pub is_ours: bool,
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
    let kinds = Some(&["conflict"][..]);
    let (mut found, codes) = exceptions::list(hub, person, kinds, place, wanted).await?;
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

/// The conflicts of one document, by path.
///
/// # Errors
/// When the database fails.
pub async fn of_document(hub: &Hub, id: DocumentId) -> Result<Vec<ConflictState>, AppError> {
    let Some(document) = hub.load_document(id).await? else {
        return Ok(Vec::new());
    };
    let keys = hub.person_keys(id).await?;
    let codes = branch::all_codes(hub).await?;
    let code = document
        .owner()
        .map_or_else(String::new, |owner| branch::code_of(&codes, owner));
    let mut items = shown(&document, &code, &keys)?;
    name_writers(hub, &mut items).await?;
    Ok(items)
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
            is_ours: may_write(document, &conflict),
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
            place: None,
            node: split_actor(&value.actor).ok().map(|(node, _)| node),
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

fn may_write(document: &Document, conflict: &Conflict) -> bool {
    conflict.values.iter().any(|value| {
        let put = PolicyAction::Put(&value.value);
        check_operation(
            document.kind(),
            policy::Writer::Hub,
            false,
            &conflict.path,
            put,
        )
        .is_ok()
    })
}

/// Says of each value who wrote it and where.
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
    let codes = branch::codes(&mut connection).await?;
    let mut places: BTreeMap<NodeId, Option<Writer>> = BTreeMap::new();
    places.insert(NodeId::HUB, Some(Writer::Hub));
    for value in items.iter_mut().flat_map(|item| &mut item.values) {
        if let Some((staff, name)) = &mut value.staff {
            *name = names.get(staff).cloned();
        }
        let Some(node) = value.node else { continue };
        value.place = match places.entry(node) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(unknown) => {
                let row = nodes::find(&mut connection, node).await?;
                let place = row.map(|row| Writer::Branch(branch::code_of(&codes, row.branch)));
                unknown.insert(place).clone()
            }
        };
    }
    Ok(())
}
