//! Settling a conflict at the hub, and taking that back.
//!
//! The hub settles what it may write; steps of an order belong to its branch.

use automerge::{Automerge, ChangeHash, ROOT, ReadDoc};
use domain::document::policy::{PolicyAction, Writer, check_operation};
use domain::document::{
    Conflict, DocumentKind, Edit, Scalar, conflicts as conflicts_of, settle as settled_by,
};
use domain::id::{DocumentId, StaffId, format_uuid};
use domain::seal::{open, seal};
use domain::sensitive::PersonKey;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use sync_protocol::document::Document;
use sync_protocol::item::{AuditNote, Item};

use super::id_of;
use crate::app::error::AppError;
use crate::app::session::Person;
use crate::app::{Hub, HubTx};
use crate::store::audit::read as audit;
use crate::store::staff::read as staff;

/// Notes about one document that are looked through for settlements.
const NOTES_READ: i64 = 100;
/// Documents that are looked through at once for a conflict.
const LOOKED_THROUGH: usize = 100;

/// What is to stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// One of the values, by its place.
    Value(usize),
    /// All texts, one after the other.
    Both,
    /// Another text, as a person typed it.
    Written(String),
}

impl Keep {
    /// What a caller chose: a version's letter, or `both`.
    pub fn of_word(word: &str) -> Option<Self> {
        if word == "both" {
            return Some(Keep::Both);
        }
        match word.as_bytes() {
            [at @ b'a'..=b'z'] => Some(Keep::Value(usize::from(at - b'a'))),
            _ => None,
        }
    }
}

/// What a settlement wrote: enough to take it back while nobody wrote there again.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The document.
    pub document: DocumentId,
    /// The conflict.
    pub id: [u8; 16],
    path: Vec<String>,
    before: Scalar,
    wrote: Scalar,
}

/// What is noted in the audit when a conflict is settled, and when that is taken back. The conflict stands first: an
/// index finds notes by how they begin.
#[derive(Serialize, Deserialize)]
struct Settlement {
    conflict: String,
    path: Vec<String>,
    /// The document's heads before; none when it was taken back.
    heads: Option<Vec<String>>,
}

/// A conflict that was settled at the hub lately, and can be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledConflict {
    /// The conflict.
    pub id: String,
    /// The keys from the root.
    pub path: Vec<String>,
    /// Who settled it; none for the system.
    pub staff_name: Option<String>,
    /// When.
    pub at_ms: i64,
}

fn unknown() -> AppError {
    AppError::conflict("gone", "this was settled meanwhile")
}

async fn document_of(
    tx: &mut HubTx,
    person: &Person,
    id: DocumentId,
) -> Result<Arc<Document>, AppError> {
    let document = tx.document(id).await?;
    document
        .filter(|document| {
            let owner = document.owner();
            owner.is_some_and(|owner| person.scope().allows(owner))
        })
        .ok_or(AppError::NotFound { what: "document" })
}

/// Settles a conflict of a document.
///
/// # Errors
/// One that is settled already, a field that only the branch writes, a text that cannot stand there.
pub async fn resolve(
    tx: &mut HubTx,
    person: &Person,
    id: DocumentId,
    conflict: [u8; 16],
    keep: &Keep,
) -> Result<Resolved, AppError> {
    let document = document_of(tx, person, id).await?;
    let mut found = conflicts_of(document.automerge(), document.kind())?.into_iter();
    let found = found
        .find(|found| id_of(id, &found.path) == conflict)
        .ok_or_else(unknown)?;
    let keys = tx.hub().clone().person_keys(id).await?;
    let right = right(&document, &found, &keys, keep)?;
    let before = found
        .values
        .last()
        .map_or(Scalar::Null, |value| value.value.clone());
    write(
        tx,
        &document,
        &settled_by(&found, right.clone()),
        &found.path,
        &right,
    )
    .await?;
    let heads = document.heads().iter().map(hex).collect();
    note(tx, id, conflict, &found.path, Some(heads))?;
    Ok(Resolved {
        document: id,
        id: conflict,
        path: found.path,
        before,
        wrote: right,
    })
}

/// Takes a settlement back: the field shows again what it showed before.
///
/// # Errors
/// When somebody wrote there meanwhile.
pub async fn take_back(tx: &mut HubTx, person: &Person, was: &Resolved) -> Result<(), AppError> {
    let document = document_of(tx, person, was.document).await?;
    let now = value_at(
        document.automerge(),
        &was.path,
        document.heads().iter().map(hex),
    );
    if now.as_ref() != Some(&was.wrote) {
        return Err(AppError::Stale);
    }
    let edit = Edit::put(&was.path, was.before.clone());
    write(tx, &document, &edit, &was.path, &was.before).await?;
    note(tx, was.document, was.id, &was.path, None)
}

/// Takes the newest settlement of a conflict back, as the audit has it.
///
/// # Errors
/// When there is none.
pub async fn undo(
    tx: &mut HubTx,
    person: &Person,
    id: DocumentId,
    conflict: [u8; 16],
) -> Result<(), AppError> {
    let document = document_of(tx, person, id).await?;
    let wanted = format_uuid(&conflict);
    let notes = audit::notes_about(tx.sql(), *id.as_bytes(), NOTES_READ).await?;
    let newest = notes
        .iter()
        .filter_map(|note| serde_json::from_str::<Settlement>(&note.text).ok())
        .find(|was| was.conflict == wanted)
        .ok_or_else(unknown)?;
    let heads = newest.heads.ok_or_else(unknown)?;
    let before =
        value_at(document.automerge(), &newest.path, heads.into_iter()).ok_or_else(unknown)?;
    let edit = Edit::put(&newest.path, before.clone());
    write(tx, &document, &edit, &newest.path, &before).await?;
    note(tx, id, conflict, &newest.path, None)
}

/// The document of a conflict that is open, or was settled here.
///
/// # Errors
/// A conflict that is not known, or that the person may not see.
pub async fn document_with(
    tx: &mut HubTx,
    person: &Person,
    conflict: [u8; 16],
) -> Result<DocumentId, AppError> {
    if let Some(document) = audit::settled_in(tx.sql(), &format_uuid(&conflict)).await? {
        return Ok(DocumentId::from_bytes(document));
    }
    let hub = tx.hub().clone();
    let mut place = None;
    loop {
        let page = super::conflicts(&hub, person, place, LOOKED_THROUGH).await?;
        let mut items = page.items.into_iter();
        if let Some(found) = items.find(|found| found.id == conflict) {
            return Ok(found.document);
        }
        place = match page.next {
            None => return Err(AppError::NotFound { what: "conflict" }),
            next => next,
        };
    }
}

/// Conflicts of a document that were settled here and not taken back, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn settled(hub: &Hub, id: DocumentId) -> Result<Vec<SettledConflict>, AppError> {
    let mut connection = hub.snapshot().await?;
    let notes = audit::notes_about(&mut connection, *id.as_bytes(), NOTES_READ).await?;
    let mut seen = Vec::new();
    let mut found = Vec::new();
    for note in notes {
        let Ok(was) = serde_json::from_str::<Settlement>(&note.text) else {
            continue;
        };
        if seen.contains(&was.conflict) {
            continue;
        }
        seen.push(was.conflict.clone());
        if was.heads.is_some() {
            found.push((was, note.staff, note.at_ms));
        }
    }
    let writers: Vec<StaffId> = found.iter().map(|(_, staff, _)| *staff).collect();
    let names = staff::names(&mut connection, &writers).await?;
    let name = |staff: StaffId| {
        let known = names.iter().find(|(id, _)| *id == staff);
        known.map(|(_, name)| name.clone())
    };
    Ok(found
        .into_iter()
        .map(|(was, staff, at_ms)| SettledConflict {
            id: was.conflict,
            path: was.path,
            staff_name: name(staff),
            at_ms,
        })
        .collect())
}

async fn write(
    tx: &mut HubTx,
    document: &Document,
    edit: &Edit,
    path: &[String],
    value: &Scalar,
) -> Result<(), AppError> {
    let put = PolicyAction::Put(value);
    check_operation(document.kind(), Writer::Hub, false, path, put)
        .map_err(|error| AppError::field("/value", error))?;
    tx.edit_document(document.id(), document.kind(), std::slice::from_ref(edit))
        .await?;
    Ok(())
}

fn note(
    tx: &mut HubTx,
    document: DocumentId,
    conflict: [u8; 16],
    path: &[String],
    heads: Option<Vec<String>>,
) -> Result<(), AppError> {
    let settlement = Settlement {
        conflict: format_uuid(&conflict),
        path: path.to_vec(),
        heads,
    };
    let text = serde_json::to_string(&settlement)
        .map_err(|_| crate::error::HubError::Row("a note that does not serialise"))?;
    tx.fact(Item::Note(AuditNote {
        subject: *document.as_bytes(),
        text,
    }));
    Ok(())
}

fn hex(head: &[u8; 32]) -> String {
    ChangeHash(*head).to_string()
}

fn value_at(
    automerge: &Automerge,
    path: &[String],
    heads: impl Iterator<Item = String>,
) -> Option<Scalar> {
    let heads: Vec<ChangeHash> = heads.filter_map(|head| head.parse().ok()).collect();
    let (key, parents) = path.split_last()?;
    let mut map = ROOT;
    for parent in parents {
        map = automerge.get_at(&map, parent.as_str(), &heads).ok()??.1;
    }
    let (value, _) = automerge.get_at(&map, key.as_str(), &heads).ok()??;
    Scalar::from_automerge(value.as_scalar()?)
}

/// What is to stand there: a kept value, all texts joined, or what the person typed instead; sealed where it is
/// personal.
fn right(
    document: &Document,
    conflict: &Conflict,
    keys: &[PersonKey],
    keep: &Keep,
) -> Result<Scalar, AppError> {
    let values = &conflict.values;
    let path = conflict.path.join("/");
    let is_sealed = document.kind() == DocumentKind::Customer
        && values
            .iter()
            .any(|value| matches!(value.value, Scalar::Bytes(_)));
    let text_of = |value: &Scalar| match value {
        Scalar::Bytes(sealed) if is_sealed => open(keys, document.id(), &path, sealed)
            .ok()
            .map(|text| text.expose().clone()),
        Scalar::Str(text) => Some(text.clone()),
        _ => None,
    };
    let text = match keep {
        Keep::Value(at) => {
            let kept = values.get(*at).map(|value| value.value.clone());
            return kept.ok_or_else(|| AppError::field("/keep", "must be one of the values"));
        }
        Keep::Written(text) => text.replace("\r\n", "\n").trim().to_owned(),
        Keep::Both => {
            let texts: Option<Vec<String>> =
                values.iter().map(|value| text_of(&value.value)).collect();
            let last = conflict.path.last().map_or("", String::as_str);
            let is_block = matches!(last, "fault" | "diagnosis" | "note" | "address");
            texts
                .ok_or_else(|| AppError::field("/keep", "only texts can be kept both"))?
                .join(if is_block { "\n" } else { " / " })
        }
    };
    let is_text = values.iter().all(|value| text_of(&value.value).is_some());
    if !is_text {
        return Err(AppError::field("/value", "must be one of the values"));
    }
    if !is_sealed {
        return Ok(Scalar::Str(text));
    }
    let key = keys
        .iter()
        .max_by_key(|key| key.generation())
        .ok_or_else(|| {
            AppError::conflict(
                "key-missing",
                "the key of this person is not at the hub; nothing can be changed",
            )
        })?;
    let sealed =
        seal(key, document.id(), &path, &text).map_err(|error| AppError::field("/value", error))?;
    Ok(Scalar::Bytes(sealed))
}
