//! The rows that pages and programs read, made from documents as they stand behind the last transaction.
//!
//! A pure function of the documents, so the same whichever transactions share a commit.

use domain::customer::read_customer;
use domain::document::{Conflict, DocumentError, DocumentKind};
use domain::inventory::read_inventory;
use domain::order::read_order;
use sync_protocol::item::encode_body;

use super::{DocumentState, Work};
use crate::store::customers::CustomerWrite;
use crate::store::inventory::SettingWrite;
use crate::store::orders::OrderWrite;
use crate::store::rows::json;
use crate::store::sync::document::{DocumentHead, DocumentWrite};

/// Rows of documents that changed.
#[derive(Debug, Default)]
pub(crate) struct Projection {
    pub documents: Vec<DocumentWrite>,
    pub orders: Vec<OrderWrite>,
    pub customers: Vec<CustomerWrite>,
    pub settings: Vec<SettingWrite>,
}

impl Work {
    /// Makes the rows of all documents that changed.
    pub(crate) fn project(&mut self) -> Projection {
        let mut projection = Projection::default();
        let changed: Vec<DocumentState> =
            self.writes.documents.iter().filter_map(|id| self.document(*id).cloned()).collect();
        for state in changed {
            let write = document_write(&state);
            let result = self.project_one(&state, write.head.version, &mut projection);
            let detail = result.err().map(|error| format!("the document cannot be read: {error}"));
            self.except_document(&state, "unreadable", detail);
            projection.documents.push(write);
        }
        projection
    }

    fn project_one(
        &mut self,
        state: &DocumentState,
        version: i64,
        projection: &mut Projection,
    ) -> Result<(), DocumentError> {
        let document = state.document.id();
        let automerge = state.document.automerge();
        match state.document.kind() {
            DocumentKind::Order => {
                let view = read_order(automerge)?;
                self.except_conflicts(state, &view.conflicts);
                let detail = view.status_conflict.then(|| "people must decide where this order stands".to_owned());
                self.except_document(state, "status_conflict", detail);
                let json = json(&view);
                projection.orders.push(OrderWrite { document, view, json, version, updated_ms: state.updated_ms });
            }
            DocumentKind::Customer => {
                let view = read_customer(automerge)?;
                self.except_conflicts(state, &view.conflicts);
                projection.customers.push(CustomerWrite {
                    document,
                    consent: json(&view.consent),
                    view,
                    version,
                    created_ms: state.created_ms,
                    updated_ms: state.updated_ms,
                });
            }
            DocumentKind::Inventory => {
                let view = read_inventory(automerge)?;
                self.except_conflicts(state, &view.conflicts);
                projection.settings.push(SettingWrite { document, view, version, updated_ms: state.updated_ms });
            }
        }
        Ok(())
    }

    fn except_conflicts(&mut self, state: &DocumentState, conflicts: &[Conflict]) {
        let paths: Vec<String> = conflicts.iter().map(|conflict| conflict.path.join("/")).collect();
        let detail = (!paths.is_empty()).then(|| format!("different values for {}", paths.join(", ")));
        self.except_document(state, "conflict", detail);
    }

    /// Opens or ends what concerns a document. One that has a single change had nothing to end.
    fn except_document(&mut self, state: &DocumentState, kind: &'static str, detail: Option<String>) {
        if detail.is_some() || state.document.origins().len() > 1 {
            self.except(state.branch, kind, *state.document.id().as_bytes(), state.updated_ms, detail);
        }
    }
}

fn document_write(state: &DocumentState) -> DocumentWrite {
    let document = &state.document;
    DocumentWrite {
        head: DocumentHead {
            branch: state.branch,
            document: document.id(),
            kind: i16::from(document.kind().code()),
            version: document.origins().len() as i64,
            hash: document.hash(),
            created_ms: state.created_ms,
            updated_ms: state.updated_ms,
        },
        heads: document.heads().concat(),
        origins: encode_body(&document.origins().to_vec()),
        saved: document.save(),
    }
}
