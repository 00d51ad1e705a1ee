//! Changes of documents: all of a transaction are taken, or all are parked.

use std::collections::BTreeMap;
use std::sync::Arc;

use automerge::{ROOT, ReadDoc, ScalarValue, Value};
use domain::document::DocumentKind;
use domain::document::policy::Writer;
use domain::id::{BranchId, DocumentId};
use sync_protocol::document::{ChangeRefusal, Document, Sender};
use sync_protocol::item::{Change, Item, kind};
use sync_protocol::limits::DOCUMENT_BYTES_HUB;

use super::ahead::Ready;
use super::{ALL_CHANGES, Decoded, DocumentState, Entry, Work};
use crate::app::publish::Publication;

struct Staged {
    state: DocumentState,
    begun_here: bool,
    leads_before: Option<DocumentId>,
}

impl Work {
    pub(super) fn apply_changes(&mut self, entry: &Entry, publication: &mut Publication) {
        let mut staged: BTreeMap<DocumentId, Staged> = BTreeMap::new();
        let mut changes: Vec<(u16, &Change)> = Vec::new();
        for (index, decoded) in entry.items.iter().enumerate() {
            let outcome = match decoded {
                Decoded::Item(item) => match item.as_ref() {
                    Item::Change(change) => {
                        let index = index as u16;
                        changes.push((index, change));
                        let ready = self.ready.remove(&(entry.position, index));
                        self.stage(entry, change, ready, &mut staged)
                            .map_err(|refusal| {
                                let lacks = refusal.lacks_change().then_some(change.document);
                                (refusal.to_string(), lacks)
                            })
                    }
                    Item::Snapshot(_) | Item::Detach(_) => {
                        Err(("only feeds carry this kind of item".to_owned(), None))
                    }
                    _ => Ok(()),
                },
                Decoded::Malformed(reason)
                    if entry.transaction.items[index].kind() == kind::CHANGE =>
                {
                    Err((reason.clone(), None))
                }
                _ => Ok(()),
            };
            if let Err((reason, lacks)) = outcome {
                let reason = format!("item {index}: {reason}");
                self.park_lacking(entry, ALL_CHANGES, kind::CHANGE, reason, lacks);
                return;
            }
        }
        self.adopt(entry, staged, &changes, publication);
    }

    fn stage(
        &self,
        entry: &Entry,
        change: &Change,
        ready: Option<Ready>,
        staged: &mut BTreeMap<DocumentId, Staged>,
    ) -> Result<(), ChangeRefusal> {
        let before = match staged.get(&change.document) {
            Some(staged) => Some(&staged.state),
            None => self.document(change.document),
        };
        let writer = self.writer(entry, change.document, before)?;
        let before_document = before.map(|state| &state.document);
        let document = match ready {
            Some(ready) if ready.holds_for(before_document, writer) => ready.result?,
            _ => receive(entry, change, before_document, writer)?,
        };
        let branch = match before {
            Some(state) => state.branch,
            None => document.owner().ok_or(ChangeRefusal::Owner)?,
        };
        let at_ms = entry.at_ms();
        let state = DocumentState {
            branch,
            created_ms: before.map_or(at_ms, |state| state.created_ms),
            updated_ms: before.map_or(at_ms, |state| state.updated_ms.max(at_ms)),
            document,
        };
        let begun_here = before.is_none();
        let leads_before = before.and_then(|state| leads_to(&state.document));
        match staged.get_mut(&change.document) {
            Some(staged) => staged.state = state,
            None => {
                staged.insert(
                    change.document,
                    Staged {
                        state,
                        begun_here,
                        leads_before,
                    },
                );
            }
        }
        Ok(())
    }

    /// As whom the entry's node writes this document. A branch without interest in it may not write it at all.
    pub(super) fn writer(
        &self,
        entry: &Entry,
        document: DocumentId,
        before: Option<&DocumentState>,
    ) -> Result<Writer, ChangeRefusal> {
        if entry.by_hub() {
            return Ok(Writer::Hub);
        }
        match before {
            None => Ok(Writer::Home),
            Some(state) if state.branch == entry.branch => Ok(Writer::Home),
            Some(_)
                if self
                    .interest
                    .get(&document)
                    .is_some_and(|branches| branches.contains(&entry.branch)) =>
            {
                Ok(Writer::Performing)
            }
            Some(_) => Err(ChangeRefusal::Owner),
        }
    }

    fn adopt(
        &mut self,
        entry: &Entry,
        staged: BTreeMap<DocumentId, Staged>,
        changes: &[(u16, &Change)],
        publication: &mut Publication,
    ) {
        let mut attaches: Vec<(BranchId, DocumentId)> = Vec::new();
        for (id, staged) in staged {
            let Staged {
                state,
                begun_here,
                leads_before,
            } = staged;
            let document_kind = state.document.kind();
            if begun_here {
                self.interested(id, state.branch, document_kind);
                if document_kind == DocumentKind::Order {
                    self.writes.new_orders.push(id);
                }
            }
            if entry.by_hub()
                && let Some(named) = leads_to(&state.document)
                && leads_before != Some(named)
            {
                if document_kind == DocumentKind::Order {
                    attaches.push((state.branch, named));
                } else {
                    let serving = self.interest.get(&id).into_iter().flatten();
                    attaches.extend(serving.map(|branch| (*branch, named)));
                }
            }
            self.writes.documents.insert(id);
            self.documents.insert(id, Some(state));
        }
        for (index, change) in changes {
            let raw = &entry.transaction.items[usize::from(*index)];
            for branch in self.interest.get(&change.document).into_iter().flatten() {
                publication.private(*branch, *index, raw);
            }
        }
        for (branch, customer) in attaches {
            self.attach(branch, customer, publication);
        }
    }

    /// Gives a branch a document that it had no interest in: its snapshot travels in the same feed entry.
    pub(super) fn attach(
        &mut self,
        branch: BranchId,
        document: DocumentId,
        publication: &mut Publication,
    ) {
        let Some(loaded) = self.documents.get(&document) else {
            self.missing.insert(document);
            return;
        };
        let Some(state) = loaded else { return };
        if self
            .interest
            .get(&document)
            .is_some_and(|branches| branches.contains(&branch))
        {
            return;
        }
        publication.attach(
            branch,
            Item::Snapshot(state.document.to_snapshot()).to_raw(),
        );
        let kind = state.document.kind();
        self.interested(document, branch, kind);
    }

    fn interested(&mut self, document: DocumentId, branch: BranchId, kind: DocumentKind) {
        if self.interest.entry(document).or_default().insert(branch) {
            self.writes
                .interest
                .push((branch, document, i16::from(kind.code())));
        }
    }
}

/// Takes a change as the entry's node.
pub(super) fn receive(
    entry: &Entry,
    change: &Change,
    before: Option<&Arc<Document>>,
    writer: Writer,
) -> Result<Arc<Document>, ChangeRefusal> {
    let sender = Sender {
        actor: entry.position.actor(),
        writer,
        branch: (!entry.by_hub()).then_some(entry.branch),
        staff: entry.header().staff,
        hlc: entry.header().hlc,
        limit_bytes: DOCUMENT_BYTES_HUB,
    };
    Document::receive(before.map(Arc::as_ref), change, &sender).map(Arc::new)
}

/// The customer document that this one leads to: of an order its customer, of a customer the one that took its place.
/// Who has this one must have that one.
fn leads_to(document: &Document) -> Option<DocumentId> {
    let name = match document.kind() {
        DocumentKind::Order => "customer",
        DocumentKind::Customer => "merged_into",
        _ => return None,
    };
    match document.automerge().get(ROOT, name) {
        Ok(Some((Value::Scalar(value), _))) => match value.as_ref() {
            ScalarValue::Str(text) => text.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}
