//! Changes and snapshots of documents, and what a document comes to in its tables.

use std::sync::Arc;

use domain::customer::read_customer;
use domain::document::policy::Writer;
use domain::document::{Conflict, DocumentKind};
use domain::id::DocumentId;
use domain::inventory::read_inventory;
use domain::order::read_order;
use sync_protocol::document::{Document, Sender};
use sync_protocol::item::{Change, Origin, Snapshot, kind};
use sync_protocol::limits::{DOCUMENT_BYTES_BRANCH, DOCUMENT_BYTES_HUB};
use sync_protocol::position::NodeId;
use sync_protocol::transaction::hlc_ms;

use super::super::order::stored::stored_conflicts;
use super::super::value::{Id, derived_id};
use super::super::{Touched, document};
use super::{ApplyContext, Projector};
use crate::error::StoreError;

impl Projector<'_> {
    pub(super) fn change(
        &mut self,
        cx: &ApplyContext,
        index: u16,
        change: &Change,
        prepared: Option<Document>,
    ) -> Result<(), StoreError> {
        let document = match prepared {
            Some(document) => document,
            None => {
                let before = self.documents.get(self.conn, change.document)?;
                let sender = self.sender(cx, before.as_deref());
                match Document::receive(before.as_deref(), change, &sender) {
                    Ok(document) => document,
                    Err(refusal) => {
                        return self.unreadable(cx, index, kind::CHANGE, change.document, &refusal);
                    }
                }
            }
        };
        self.keep(cx, document)
    }

    fn sender(&self, cx: &ApplyContext, before: Option<&Document>) -> Sender {
        let branch = self.identity.branch;
        let own = self.is_own(cx.origin.node);
        let writer = match before {
            _ if cx.origin.node == NodeId::HUB => Writer::Hub,
            None => Writer::Home,
            Some(document) if own && document.owner() == Some(branch) => Writer::Home,
            Some(_) => Writer::Performing,
        };
        Sender {
            actor: cx.origin.actor(),
            writer,
            branch: own.then_some(branch),
            staff: cx.header.staff,
            hlc: cx.header.hlc,
            limit_bytes: if own {
                DOCUMENT_BYTES_BRANCH
            } else {
                DOCUMENT_BYTES_HUB
            },
        }
    }

    /// A snapshot is used only when it loads with the heads that it names; one of a document that is here is merged.
    pub(super) fn snapshot(
        &mut self,
        cx: &ApplyContext,
        index: u16,
        snapshot: &Snapshot,
    ) -> Result<(), StoreError> {
        let id = snapshot.document;
        let theirs = match Document::from_snapshot(snapshot.clone()) {
            Ok(document) => document,
            Err(error) => return self.unreadable(cx, index, kind::SNAPSHOT, id, &error),
        };
        let merged = match self.documents.get(self.conn, id)? {
            Some(ours) if ours.kind() == theirs.kind() => match merge(&ours, &theirs) {
                Ok(document) => document,
                Err(reason) => return self.unreadable(cx, index, kind::SNAPSHOT, id, &reason),
            },
            _ => theirs,
        };
        self.keep(cx, merged)
    }

    pub(super) fn detach(&mut self, id: DocumentId) -> Result<(), StoreError> {
        self.documents.stage_removal(id);
        self.remove_order(id)?;
        self.remove_customer(id)?;
        self.remove_inventory(id)?;
        self.conn
            .prepare_cached("delete from conflict where document = ?1")?
            .execute([Id(id)])?;
        self.conn
            .prepare_cached("delete from document where id = ?1")?
            .execute([Id(id)])?;
        self.decision("status", id.as_bytes(), false, 0)
    }

    /// The document stays as it is, marked; the item is parked with the reason.
    fn unreadable(
        &mut self,
        cx: &ApplyContext,
        index: u16,
        kind: u16,
        id: DocumentId,
        reason: &dyn std::fmt::Display,
    ) -> Result<(), StoreError> {
        let reason = reason.to_string();
        self.conn
            .prepare_cached("update document set unreadable = ?2 where id = ?1")?
            .execute((Id(id), &reason))?;
        self.park(cx, index, kind, Some(id), &reason)
    }

    /// Writes the document's row and what it comes to. A document that does not read is kept and marked.
    fn keep(&mut self, cx: &ApplyContext, document: Document) -> Result<(), StoreError> {
        let id = document.id();
        let (conflicts, problem) = match self.keep_view(cx, &document) {
            Ok(conflicts) => (conflicts, None),
            Err(StoreError::Document(error)) => (Vec::new(), Some(error.to_string())),
            Err(error) => return Err(error),
        };
        document::put(self.conn, &document, problem.as_deref())?;
        self.keep_conflicts(id, &conflicts)?;
        self.documents.stage(Arc::new(document));
        Ok(())
    }

    fn keep_view(
        &mut self,
        cx: &ApplyContext,
        document: &Document,
    ) -> Result<Vec<Conflict>, StoreError> {
        match document.kind() {
            DocumentKind::Order => {
                let view = read_order(document.automerge())?;
                self.keep_order(cx, document, &view)?;
                Ok(view.conflicts)
            }
            DocumentKind::Customer => {
                let view = read_customer(document.automerge())?;
                self.keep_customer(cx, document, &view)?;
                Ok(view.conflicts)
            }
            DocumentKind::Inventory => {
                let view = read_inventory(document.automerge())?;
                self.keep_inventory(document.id(), &view)?;
                Ok(view.conflicts)
            }
        }
    }

    fn keep_conflicts(&mut self, id: DocumentId, conflicts: &[Conflict]) -> Result<(), StoreError> {
        let removed = self
            .conn
            .prepare_cached("delete from conflict where document = ?1")?
            .execute([Id(id)])?;
        for (conflict, stored) in conflicts.iter().zip(stored_conflicts(conflicts)) {
            let path = conflict.path.join("/");
            let key = derived_id(&[b"conflict ", id.as_bytes(), path.as_bytes()]);
            self.conn
                .prepare_cached(
                    "insert into conflict (id, document, path, found) values (?1, ?2, ?3, ?4)",
                )?
                .execute((&key, Id(id), path, serde_json::to_string(&stored)?))?;
        }
        if removed > 0 || !conflicts.is_empty() {
            self.touched.insert(Touched::Exceptions);
        }
        Ok(())
    }

    /// The number of the node's own last change of a document; 0 while there is none.
    pub(super) fn own_seq(&self, cx: &ApplyContext) -> i64 {
        if self.is_own(cx.origin.node) {
            super::signed(cx.origin.seq)
        } else {
            0
        }
    }
}

/// When the first and the last change of a document were written, in milliseconds since 1970.
pub(super) fn written_ms(document: &Document) -> (i64, i64) {
    let times = || document.origins().iter().map(|origin| hlc_ms(origin.hlc));
    (times().min().unwrap_or(0), times().max().unwrap_or(0))
}

fn merge(ours: &Document, theirs: &Document) -> Result<Document, String> {
    let mut automerge = ours.automerge().clone();
    automerge
        .merge(&mut theirs.automerge().clone())
        .map_err(|error| error.to_string())?;
    let mut heads: Vec<[u8; 32]> = automerge
        .get_heads()
        .into_iter()
        .map(|head| head.0)
        .collect();
    heads.sort_unstable();
    let mut origins: Vec<Origin> = ours.origins().to_vec();
    for origin in theirs.origins() {
        if !origins.contains(origin) {
            origins.push(*origin);
        }
    }
    Document::load(
        ours.id(),
        ours.kind(),
        &automerge.save_nocompress(),
        &heads,
        origins,
    )
    .map_err(|error| error.to_string())
}
