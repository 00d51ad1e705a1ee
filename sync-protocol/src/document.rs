//! A document as both sides hold it: Automerge state, heads, and who wrote which change.
//!
//! Local edits and received changes go through this one type. A received change is scanned, parsed, placed in the
//! graph, checked operation by operation against the table of paths, applied on a clone and compared with what
//! Automerge gives back; only then does the clone take the document's place. Nothing here is half applied.

mod graph;
mod policy;

use automerge::{
    ActorId, Automerge, Change as AutomergeChange, ChangeHash, ReadDoc, ScalarValue, Value,
};
use domain::document::policy::Writer;
use domain::document::{DocumentError, DocumentKind, Edit, apply_edits};
use domain::id::{BranchId, DocumentId, StaffId};
use std::panic::{AssertUnwindSafe, catch_unwind};
use thiserror::Error;

use crate::hash::{Hash, document_hash};
use crate::item::{Change, Origin, Snapshot};
use crate::scanner::{ScanError, ScanLimits, ScannedChange, scan_change};

/// Why a received change is not applied. The text is stored as the parking reason and read by people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChangeRefusal {
    /// The bytes are not a plain, canonical change within limits.
    #[error("the change does not scan: {0}")]
    Scan(#[from] ScanError),
    /// Automerge does not read the bytes.
    #[error("the change does not parse: {0}")]
    Parse(String),
    /// The actor is not the entry's node and epoch.
    #[error("the change's actor is not its entry's node and epoch")]
    Actor,
    /// A number that is not the actor's next.
    #[error("the change has number {found} of its actor, {expected} comes next")]
    Seq {
        /// What comes next.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// The first operation is not numbered behind the dependencies' last.
    #[error("the change starts at operation {found}, {expected} follows its dependencies")]
    StartOp {
        /// What follows the dependencies.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// The change depends on one that is not here.
    #[error("the change depends on {} which is not here", hex(.0))]
    UnknownDependency(Hash),
    /// The dependencies do not contain the actor's former change.
    #[error("the change's dependencies leave out its actor's former change")]
    Ancestry,
    /// An operation writes where or what it may not.
    #[error("{0}")]
    Policy(String),
    /// The change names a kind of document that this version does not know, or another than the document has.
    #[error("the change names document kind {0}, which is not this document's")]
    Kind(u8),
    /// A change of a document that is not here.
    #[error("the document is not here")]
    UnknownDocument,
    /// A first change for a document that is here already.
    #[error("the document exists already and the change begins a new one")]
    Exists,
    /// The document belongs to another branch.
    #[error("the document belongs to another branch")]
    Owner,
    /// Automerge failed inside while applying.
    #[error("applying the change failed: {0}")]
    Apply(String),
    /// Automerge gives other bytes back for the change than came.
    #[error("the change is not canonical: Automerge gives other bytes back for it")]
    NotCanonical,
    /// The document would be too large.
    #[error("the document would have {size_bytes} bytes, the limit is {limit_bytes}")]
    TooLarge {
        /// Its size.
        size_bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
}

impl ChangeRefusal {
    /// Whether a change is lacking that this one hangs on, so that it may be taken once that one is here.
    pub const fn lacks_change(&self) -> bool {
        matches!(self, Self::UnknownDocument | Self::UnknownDependency(_))
    }
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A stored document that is not what its row says (INV-23).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LoadError {
    /// Automerge does not load the bytes.
    #[error("the saved document does not load: {0}")]
    Unreadable(String),
    /// It loads and has other heads.
    #[error("the saved document has other heads than its row")]
    Heads,
}

/// Who sends a change, and the bounds for it.
#[derive(Debug, Clone, Copy)]
pub struct Sender {
    /// Actor of the entry: node and epoch.
    pub actor: [u8; 12],
    /// As whom the node writes.
    pub writer: Writer,
    /// The branch that it speaks for; `None` for the hub.
    pub branch: Option<BranchId>,
    /// Who, by the transaction's header.
    pub staff: StaffId,
    /// When, by the transaction's header.
    pub hlc: u64,
    /// Largest saved document.
    pub limit_bytes: usize,
}

/// A document in memory.
#[derive(Clone)]
pub struct Document {
    id: DocumentId,
    kind: DocumentKind,
    automerge: Automerge,
    heads: Vec<Hash>,
    origins: Vec<Origin>,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Document {
    fn with(
        id: DocumentId,
        kind: DocumentKind,
        automerge: Automerge,
        origins: Vec<Origin>,
    ) -> Self {
        let heads = sorted_heads(&automerge);
        Document {
            id,
            kind,
            automerge,
            heads,
            origins,
        }
    }

    /// Loads a stored document and holds it against its row's heads.
    pub fn load(
        id: DocumentId,
        kind: DocumentKind,
        saved: &[u8],
        heads: &[Hash],
        origins: Vec<Origin>,
    ) -> Result<Self, LoadError> {
        let automerge = contained(|| Automerge::load(saved).map_err(|error| error.to_string()))
            .and_then(|loaded| loaded)
            .map_err(LoadError::Unreadable)?;
        let document = Self::with(id, kind, automerge, origins);
        if document.heads != heads {
            return Err(LoadError::Heads);
        }
        Ok(document)
    }

    /// Takes a snapshot from a feed.
    pub fn from_snapshot(snapshot: Snapshot) -> Result<Self, LoadError> {
        let kind = DocumentKind::from_code(snapshot.document_kind).ok_or_else(|| {
            LoadError::Unreadable(format!("document kind {}", snapshot.document_kind))
        })?;
        Self::load(
            snapshot.document,
            kind,
            &snapshot.saved,
            &snapshot.heads,
            snapshot.origins,
        )
    }

    /// The document as a feed's snapshot.
    pub fn to_snapshot(&self) -> Snapshot {
        Snapshot {
            document: self.id,
            document_kind: self.kind as u8,
            heads: self.heads.clone(),
            saved: self.save(),
            origins: self.origins.clone(),
        }
    }

    /// Its id.
    pub fn id(&self) -> DocumentId {
        self.id
    }

    /// Its kind.
    pub fn kind(&self) -> DocumentKind {
        self.kind
    }

    /// The Automerge state, to read.
    pub fn automerge(&self) -> &Automerge {
        &self.automerge
    }

    /// Sorted heads.
    pub fn heads(&self) -> &[Hash] {
        &self.heads
    }

    /// Who wrote which change, in the order of application.
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// The bytes that are stored: `save_nocompress`.
    pub fn save(&self) -> Vec<u8> {
        self.automerge.save_nocompress()
    }

    /// The document hash over id and heads.
    pub fn hash(&self) -> Hash {
        document_hash(self.id.as_bytes(), &self.heads)
    }

    /// The branch that the document belongs to, from the document itself.
    pub fn owner(&self) -> Option<BranchId> {
        let key = if self.kind == DocumentKind::Customer {
            "home"
        } else {
            "branch"
        };
        match self.automerge.get(automerge::ROOT, key) {
            Ok(Some((Value::Scalar(value), _))) => match value.as_ref() {
                ScalarValue::Str(text) => text.parse().ok(),
                _ => None,
            },
            _ => None,
        }
    }

    /// Edits a document (or begins one) as `origin.actor`; gives the edited clone and the raw change, or `None` where
    /// the edits change nothing. The chunk is held against our own limits, so what is sent is always accepted.
    pub fn edit(
        before: Option<&Document>,
        id: DocumentId,
        kind: DocumentKind,
        origin: Origin,
        edits: &[Edit],
    ) -> Result<Option<(Document, Vec<u8>)>, EditError> {
        let edited = apply_edits(before.map(Document::automerge), &origin.actor, edits)?;
        let Some(applied) = edited else {
            return Ok(None);
        };
        let seq = scan_change(&applied.change, &ScanLimits::PROTOCOL_1)?.seq;
        let mut origins = before.map_or_else(Vec::new, |document| document.origins.clone());
        origins.push(Origin { seq, ..origin });
        Ok(Some((
            Self::with(id, kind, applied.document, origins),
            applied.change,
        )))
    }

    /// Takes a change that came from elsewhere; see the module's text for the order of the checks.
    pub fn receive(
        before: Option<&Document>,
        change: &Change,
        sender: &Sender,
    ) -> Result<Document, ChangeRefusal> {
        let scanned = scan_change(&change.chunk, &ScanLimits::PROTOCOL_1)?;
        if scanned.actor != sender.actor {
            return Err(ChangeRefusal::Actor);
        }
        let kind = DocumentKind::from_code(change.document_kind)
            .ok_or(ChangeRefusal::Kind(change.document_kind))?;
        if before.is_some_and(|document| document.kind != kind) {
            return Err(ChangeRefusal::Kind(change.document_kind));
        }
        check_presence(before, &scanned)?;
        let parsed = contained(|| {
            AutomergeChange::from_bytes(change.chunk.clone())
                .map_err(|error| ChangeRefusal::Parse(error.to_string()))
        })
        .map_err(ChangeRefusal::Parse)??;
        let empty = Automerge::new();
        let automerge = before.map_or(&empty, |document| &document.automerge);
        contained(|| {
            graph::check(
                automerge,
                before.map_or(&[][..], |document| &document.heads),
                &scanned,
            )?;
            policy::check(automerge, kind, sender.writer, before.is_none(), &parsed)
        })
        .map_err(ChangeRefusal::Apply)??;
        let document =
            Self::apply_contained(before, change.document, kind, parsed, &scanned, sender)?;
        if before.is_none() && sender.branch.is_some() && document.owner() != sender.branch {
            return Err(ChangeRefusal::Owner);
        }
        Ok(document)
    }

    fn apply_contained(
        before: Option<&Document>,
        id: DocumentId,
        kind: DocumentKind,
        parsed: AutomergeChange,
        scanned: &ScannedChange<'_>,
        sender: &Sender,
    ) -> Result<Document, ChangeRefusal> {
        let hash = ChangeHash(scanned.hash);
        let raw = parsed.raw_bytes().to_vec();
        let automerge = contained(|| {
            let mut clone = match before {
                Some(document) => document.automerge.clone(),
                None => Automerge::new().with_actor(ActorId::from(&sender.actor[..])),
            };
            clone
                .apply_changes([parsed])
                .map_err(|error| ChangeRefusal::Apply(error.to_string()))?;
            match clone.get_change_by_hash(&hash) {
                Some(back) if back.raw_bytes() == raw => Ok(clone),
                _ => Err(ChangeRefusal::NotCanonical),
            }
        })
        .map_err(ChangeRefusal::Apply)??;
        let size_bytes =
            contained(|| automerge.save_nocompress().len()).map_err(ChangeRefusal::Apply)?;
        if size_bytes > sender.limit_bytes {
            return Err(ChangeRefusal::TooLarge {
                size_bytes,
                limit_bytes: sender.limit_bytes,
            });
        }
        let mut origins = before.map_or_else(Vec::new, |document| document.origins.clone());
        origins.push(Origin {
            actor: sender.actor,
            seq: scanned.seq,
            staff: sender.staff,
            hlc: sender.hlc,
        });
        Ok(Self::with(id, kind, automerge, origins))
    }
}

/// Why a local edit is not possible.
#[derive(Debug, Error)]
pub enum EditError {
    /// The edits do not fit the document.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The change would break the limits that the hub holds changes against.
    #[error("the edit is too large for one change: {0}")]
    Limits(#[from] ScanError),
}

fn check_presence(
    before: Option<&Document>,
    scanned: &ScannedChange<'_>,
) -> Result<(), ChangeRefusal> {
    match before {
        None if !scanned.deps.is_empty() => Err(ChangeRefusal::UnknownDocument),
        Some(_) if scanned.deps.is_empty() => Err(ChangeRefusal::Exists),
        _ => Ok(()),
    }
}

fn sorted_heads(automerge: &Automerge) -> Vec<Hash> {
    let mut heads: Vec<Hash> = automerge
        .get_heads()
        .into_iter()
        .map(|head| head.0)
        .collect();
    heads.sort_unstable();
    heads
}

/// Runs `work` so that a panic inside Automerge (F-22) becomes an error with its message.
fn contained<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a message".to_owned())
    })
}
