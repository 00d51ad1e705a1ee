//! Conflicts: fields that were written apart, shown with who wrote what, settled by a person, taken back.
//!
//! What is kept is written once more over all of the values. Taking back writes what was shown before; it reads that
//! from the document's own history, so the audit holds no value.

use automerge::{Automerge, ChangeHash, ROOT, ReadDoc};
use domain::document::policy::{PolicyAction, Writer, check_operation};
use domain::document::{self as rules, ConflictValue, DocumentKind, Scalar};
use domain::id::{BranchId, DocumentId, IdBytes, StaffId, parse_uuid};
use domain::permission::Permission;
use domain::seal::{open, seal};
use domain::sensitive::PersonKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sync_protocol::document::Document;
use sync_protocol::item::{AuditNote, Item, Origin, command};
use sync_protocol::position::{NodeId, split_actor};
use sync_protocol::transaction::hlc_ms;
use utoipa::ToSchema;
use web_kit::list::Page;

use super::super::require;
use super::Settled;
use crate::error::AppError;
use crate::store::parked::ConflictRow;
use crate::store::{Actor, Reader, WriteTx, audit, catalogue, document, order, parked, staff};
use web_kit::order::person;
use web_kit::wire::{DocumentKindForm, Time, hex};

/// How many of the audit's last notes are looked through for settlements.
const NOTES_READ: u32 = 200;
/// What is noted when a settlement is taken back.
const TAKEN_BACK: &str = "taken back";

/// A field with several different values.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = FieldConflict)]
pub struct Conflict {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// The document.
    #[schema(value_type = String, format = "uuid")]
    pub document_id: DocumentId,
    /// What the document is about.
    #[schema(value_type = DocumentKindForm)]
    pub kind: DocumentKind,
    /// The number of an order.
    #[schema(required = true)]
    pub number: Option<String>,
    /// The keys from the root.
    pub path: Vec<String>,
    /// The values by letter; the last is shown meanwhile.
    pub values: Vec<Rival>,
}

/// One of the values.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = ConflictValue)]
pub struct Rival {
    /// `a`, `b` … as `keep` names it.
    #[schema(example = "a")]
    pub key: String,
    /// The value; a personal one is null where the person's key is not here.
    #[schema(required = true, value_type = Option<Object>)]
    pub value: Value,
    /// Who wrote it; null for the system.
    #[schema(required = true, value_type = Option<String>, format = "uuid")]
    pub staff_id: Option<StaffId>,
    /// The person's name.
    #[schema(required = true)]
    pub staff_name: Option<String>,
    /// When it was written.
    #[schema(required = true)]
    pub at: Option<Time>,
    /// Where it was written: `hub`, or the code of a branch; null where the machine is not known here.
    #[schema(required = true, example = "hub")]
    pub place: Option<String>,
}

/// What to keep.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveInput {
    /// The letter of a value, or `both` (texts are joined).
    #[schema(min_length = 1, max_length = 8, example = "a")]
    pub keep: String,
    /// Another value instead, of the kind that the field has.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub value: Option<Value>,
}

/// All conflicts.
pub fn conflicts(reader: &Reader<'_>, actor: &Actor) -> Result<Page<Conflict>, AppError> {
    require(actor, Permission::ExceptionsRead)?;
    let rows = parked::conflicts(reader, None)?;
    let items = rows
        .into_iter()
        .map(|row| show(reader, row))
        .collect::<Result<_, _>>()?;
    Ok(Page::whole(items))
}

/// A conflict that was settled lately, and can be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledConflict {
    /// The conflict.
    pub id: String,
    /// The document.
    pub document_id: DocumentId,
    /// The number of an order; none for other documents.
    pub number: Option<String>,
    /// The keys from the root.
    pub path: Vec<String>,
    /// Who settled it; none for the system.
    pub staff_name: Option<String>,
    /// When.
    pub at: Time,
}

/// Conflicts settled here lately and not taken back, newest first.
pub fn settled(
    reader: &Reader<'_>,
    actor: &Actor,
    limit: usize,
) -> Result<Vec<SettledConflict>, AppError> {
    require(actor, Permission::ExceptionsRead)?;
    let mut settled = Vec::new();
    for (subject, note) in audit::newest_notes(reader, NOTES_READ)? {
        let Ok(was) = serde_json::from_str::<Resolution>(&note.text) else {
            continue;
        };
        settled.push(SettledConflict {
            id: IdBytes(&subject).to_string(),
            document_id: was.document,
            number: order::get(reader, was.document)?.map(|record| record.view.number),
            path: was.path,
            staff_name: staff::get(reader, note.staff)?.map(|row| row.name),
            at: Time(note.at_ms),
        });
        if settled.len() == limit {
            break;
        }
    }
    Ok(settled)
}

/// What is noted in the audit when a conflict is settled: enough to take it back.
#[derive(Serialize, Deserialize)]
struct Resolution {
    document: DocumentId,
    path: Vec<String>,
    heads: Vec<String>,
}

/// Settles a conflict.
pub fn resolve(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: &str,
    input: &ResolveInput,
) -> Result<Settled, AppError> {
    require(actor, Permission::ExceptionsSettle)?;
    let unknown = || AppError::NotFound { what: "conflict" };
    let wanted = parse_uuid(id).map_err(|_| unknown())?;
    let mut rows = parked::conflicts(&tx.reader(), None)?.into_iter();
    let row = rows.find(|row| row.id == wanted).ok_or_else(unknown)?;
    let document = tx.document(row.document)?.ok_or_else(unknown)?;
    let keys = keys(&tx.reader(), &document)?;
    let right = right(&row, &keys, document.kind(), input)?;
    check(tx.identity().branch, &document, &row.conflict.path, &right)?;
    let resolution = Resolution {
        document: row.document,
        path: row.conflict.path.clone(),
        heads: document.heads().iter().map(|head| hex(head)).collect(),
    };
    tx.begin(command::SETTLE, actor)?;
    tx.edit_document(
        row.document,
        document.kind(),
        &[rules::settle(&row.conflict, right)],
    )?;
    tx.fact(Item::Note(AuditNote {
        subject: row.id,
        text: serde_json::to_string(&resolution)?,
    }))?;
    let open = parked::conflicts(&tx.reader(), Some(row.document))?
        .iter()
        .any(|there| there.id == row.id);
    Ok(Settled {
        id: IdBytes(&row.id).to_string(),
        open,
    })
}

/// Takes the newest settlement of a conflict back: the field shows again what it showed before.
pub fn undo(tx: &mut WriteTx<'_>, actor: &Actor, id: &str) -> Result<Settled, AppError> {
    require(actor, Permission::ExceptionsSettle)?;
    let unknown = || AppError::NotFound {
        what: "settled conflict",
    };
    let wanted = parse_uuid(id).map_err(|_| unknown())?;
    let note = audit::newest_note(&tx.reader(), &wanted)?.ok_or_else(unknown)?;
    let was: Resolution = serde_json::from_str(&note.text).map_err(|_| unknown())?;
    let document = tx.document(was.document)?.ok_or_else(unknown)?;
    let heads: Vec<ChangeHash> = was
        .heads
        .iter()
        .filter_map(|head| head.parse().ok())
        .collect();
    let before = value_at(document.automerge(), &was.path, &heads).ok_or_else(unknown)?;
    check(tx.identity().branch, &document, &was.path, &before)?;
    tx.begin(command::SETTLE, actor)?;
    tx.edit_document(
        was.document,
        document.kind(),
        &[rules::Edit::put(&was.path, before)],
    )?;
    // The newest note no longer names a settlement: there is nothing more to take back.
    tx.fact(Item::Note(AuditNote {
        subject: wanted,
        text: TAKEN_BACK.to_owned(),
    }))?;
    Ok(Settled {
        id: IdBytes(&wanted).to_string(),
        open: false,
    })
}

fn value_at(automerge: &Automerge, path: &[String], heads: &[ChangeHash]) -> Option<Scalar> {
    let (key, parents) = path.split_last()?;
    let mut map = ROOT;
    for parent in parents {
        map = automerge.get_at(&map, parent.as_str(), heads).ok()??.1;
    }
    let (value, _) = automerge.get_at(&map, key.as_str(), heads).ok()??;
    Scalar::from_automerge(value.as_scalar()?)
}

fn keys(reader: &Reader<'_>, document: &Document) -> Result<Vec<PersonKey>, AppError> {
    match document.kind() {
        DocumentKind::Customer => reader.person_keys(document.id()),
        _ => Ok(Vec::new()),
    }
}

/// What is to stand there: a kept value, all texts joined, or what the person typed instead.
fn right(
    row: &ConflictRow,
    keys: &[PersonKey],
    kind: DocumentKind,
    input: &ResolveInput,
) -> Result<Scalar, AppError> {
    let values = &row.conflict.values;
    let keep = input.keep.trim();
    let sealed = Sealed::of(row, keys, kind);
    if let Some(typed) = input.value.as_ref().filter(|value| !value.is_null()) {
        let like = values.first().map_or(&Scalar::Null, |value| &value.value);
        return sealed.seal(read_typed(typed, like, sealed.is_some())?);
    }
    if keep == "both" {
        let texts: Option<Vec<String>> = values
            .iter()
            .map(|value| match sealed.open(&value.value)? {
                Scalar::Str(text) => Some(text),
                _ => None,
            })
            .collect();
        let texts = texts.ok_or_else(|| {
            AppError::field(
                "/keep",
                "only texts can be kept both; choose one of the values",
            )
        })?;
        let last = row.conflict.path.last().map_or("", String::as_str);
        let between = if matches!(last, "fault" | "diagnosis" | "note" | "address") {
            "\n"
        } else {
            " / "
        };
        return sealed.seal(Scalar::Str(texts.join(between)));
    }
    let position = (0..values.len()).find(|at| letter(*at) == keep);
    let chosen = position.and_then(|at| values.get(at));
    chosen
        .map(|value| value.value.clone())
        .ok_or_else(|| AppError::field("/keep", "must be the letter of a value, or both"))
}

fn read_typed(typed: &Value, like: &Scalar, is_sealed: bool) -> Result<Scalar, AppError> {
    let wrong = |what: &str| AppError::field("/value", format!("must be {what}"));
    match like {
        Scalar::Bool(_) => typed
            .as_bool()
            .map(Scalar::Bool)
            .ok_or_else(|| wrong("true or false")),
        Scalar::Int(_) => {
            let time = || {
                serde_json::from_value::<Time>(typed.clone())
                    .ok()
                    .map(|Time(at_ms)| at_ms)
            };
            typed
                .as_i64()
                .or_else(time)
                .map(Scalar::Int)
                .ok_or_else(|| wrong("a whole number or a time"))
        }
        Scalar::Bytes(_) if !is_sealed => Err(wrong("one of the values; these cannot be typed")),
        _ => typed
            .as_str()
            .map(|text| Scalar::Str(text.trim().to_owned()))
            .ok_or_else(|| wrong("text")),
    }
}

/// How values of a customer's field are opened and sealed.
struct Sealed<'a> {
    document: DocumentId,
    path: String,
    keys: &'a [PersonKey],
    is_sealed: bool,
}

impl<'a> Sealed<'a> {
    fn of(row: &ConflictRow, keys: &'a [PersonKey], kind: DocumentKind) -> Self {
        let bytes = row
            .conflict
            .values
            .iter()
            .any(|value| matches!(value.value, Scalar::Bytes(_)));
        Self {
            document: row.document,
            path: row.conflict.path.join("/"),
            keys,
            is_sealed: kind == DocumentKind::Customer && bytes,
        }
    }

    fn is_some(&self) -> bool {
        self.is_sealed && !self.keys.is_empty()
    }

    fn open(&self, value: &Scalar) -> Option<Scalar> {
        match value {
            Scalar::Bytes(sealed) if self.is_sealed => {
                let text = open(self.keys, self.document, &self.path, sealed).ok()?;
                Some(Scalar::Str(text.expose().clone()))
            }
            other => Some(other.clone()),
        }
    }

    fn seal(&self, value: Scalar) -> Result<Scalar, AppError> {
        let Scalar::Str(text) = &value else {
            return Ok(value);
        };
        if !self.is_sealed {
            return Ok(value);
        }
        let missing = || {
            AppError::conflict(
                "key-missing",
                "the key to this person's values is not at this branch yet",
            )
        };
        let key = self
            .keys
            .iter()
            .max_by_key(|key| key.generation())
            .ok_or_else(missing)?;
        let sealed = seal(key, self.document, &self.path, text)
            .map_err(|error| AppError::field("/value", error))?;
        Ok(Scalar::Bytes(sealed))
    }
}

/// What the hub would refuse is refused here first.
fn check(
    branch: BranchId,
    document: &Document,
    path: &[String],
    value: &Scalar,
) -> Result<(), AppError> {
    let writer = if document.owner() == Some(branch) {
        Writer::Home
    } else {
        Writer::Performing
    };
    check_operation(
        document.kind(),
        writer,
        false,
        path,
        PolicyAction::Put(value),
    )
    .map_err(|error| AppError::field("/value", error))
}

fn show(reader: &Reader<'_>, row: ConflictRow) -> Result<Conflict, AppError> {
    let unknown = AppError::NotFound { what: "document" };
    let document = document::get(reader, row.document)?.ok_or(unknown)?;
    let keys = keys(reader, &document)?;
    let sealed = Sealed::of(&row, &keys, document.kind());
    let writers = Writers::of(&document);
    let mut values = Vec::new();
    for (at, value) in row.conflict.values.iter().enumerate() {
        let origin = writers.find(value);
        let name = match origin {
            Some(origin) => staff::get(reader, origin.staff)?.map(|row| row.name),
            None => None,
        };
        values.push(Rival {
            place: place_of(reader, &value.actor)?,
            key: letter(at),
            value: sealed
                .open(&value.value)
                .map_or(Ok(Value::Null), serde_json::to_value)?,
            staff_id: origin.and_then(|origin| person(origin.staff)),
            staff_name: name,
            at: origin.map(|origin| Time(hlc_ms(origin.hlc))),
        });
    }
    let number = match document.kind() {
        DocumentKind::Order => order::get(reader, row.document)?.map(|record| record.view.number),
        _ => None,
    };
    Ok(Conflict {
        id: IdBytes(&row.id).to_string(),
        document_id: row.document,
        kind: document.kind(),
        number,
        path: row.conflict.path,
        values,
    })
}

/// Where a change was written, by the machine that its actor names.
fn place_of(reader: &Reader<'_>, actor: &[u8]) -> Result<Option<String>, AppError> {
    let Ok((node, _)) = split_actor(actor) else {
        return Ok(None);
    };
    if node == NodeId::HUB {
        return Ok(Some("hub".to_owned()));
    }
    if node == reader.identity().node {
        return Ok(Some(reader.identity().code.clone()));
    }
    let Some(branch) = catalogue::branch_of_node(reader, node)? else {
        return Ok(None);
    };
    Ok(catalogue::branch(reader, branch)?.map(|row| row.code))
}

fn letter(at: usize) -> String {
    let letter = u8::try_from(at)
        .ok()
        .filter(|at| *at < 26)
        .map(|at| char::from(b'a' + at));
    letter.map_or_else(|| format!("v{at}"), String::from)
}

/// Which change wrote an operation, and who wrote the change.
struct Writers<'a> {
    changes: Vec<(Vec<u8>, u64, u64, u64)>,
    origins: &'a [Origin],
}

impl<'a> Writers<'a> {
    fn of(document: &'a Document) -> Self {
        let changes = document.automerge().get_changes(&[]);
        let change = |change: &automerge::Change| {
            let first = change.start_op().get();
            (
                change.actor_id().to_bytes().to_vec(),
                change.seq(),
                first,
                change.max_op(),
            )
        };
        Self {
            changes: changes.iter().map(change).collect(),
            origins: document.origins(),
        }
    }

    fn find(&self, value: &ConflictValue) -> Option<&'a Origin> {
        let (actor, seq, ..) = self.changes.iter().find(|(actor, _, first, last)| {
            *actor == value.actor && (*first..=*last).contains(&value.op_counter)
        })?;
        self.origins
            .iter()
            .find(|origin| origin.actor[..] == actor[..] && origin.seq == *seq)
    }
}
