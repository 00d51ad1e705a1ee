//! The rows that pages and programs read, made from documents as they stand behind the last transaction.
//!
//! A pure function of the documents, so the same whichever transactions share a commit.

use std::thread;

use domain::customer::read_customer;
use domain::document::{Conflict, DocumentError, DocumentKind};
use domain::inventory::read_inventory;
use domain::order::read_order;
use sync_protocol::item::encode_body;

use super::ahead::threads_for;
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

/// The row of one document, by its kind.
enum Row {
    Order(Box<OrderWrite>),
    Customer(CustomerWrite),
    Setting(SettingWrite),
}

type Projected = (DocumentState, DocumentWrite, Result<Row, DocumentError>);

impl Work {
    /// Makes the rows of all documents that changed.
    pub(crate) fn project(&mut self) -> Projection {
        let changed: Vec<DocumentState> = self
            .writes
            .documents
            .iter()
            .filter_map(|id| self.document(*id).cloned())
            .collect();
        let mut projection = Projection::default();
        for (state, write, row) in project_all(changed) {
            let detail = match row {
                Ok(row) => {
                    self.adopt_row(&state, row, &mut projection);
                    None
                }
                Err(error) => Some(format!("the document cannot be read: {error}")),
            };
            self.except_document(&state, "unreadable", detail);
            projection.documents.push(write);
        }
        projection
    }

    fn adopt_row(&mut self, state: &DocumentState, row: Row, projection: &mut Projection) {
        match row {
            Row::Order(order) => {
                self.except_conflicts(state, &order.view.conflicts);
                let is_undecided = order.view.status_conflict;
                let detail =
                    is_undecided.then(|| "people must decide where this order stands".to_owned());
                self.except_document(state, "status_conflict", detail);
                projection.orders.push(*order);
            }
            Row::Customer(customer) => {
                self.except_conflicts(state, &customer.view.conflicts);
                projection.customers.push(customer);
            }
            Row::Setting(setting) => {
                self.except_conflicts(state, &setting.view.conflicts);
                projection.settings.push(setting);
            }
        }
    }

    fn except_conflicts(&mut self, state: &DocumentState, conflicts: &[Conflict]) {
        let paths: Vec<String> = conflicts
            .iter()
            .map(|conflict| conflict.path.join("/"))
            .collect();
        let detail =
            (!paths.is_empty()).then(|| format!("different values for {}", paths.join(", ")));
        self.except_document(state, "conflict", detail);
    }

    /// Opens or ends what concerns a document. One that has a single change had nothing to end.
    fn except_document(
        &mut self,
        state: &DocumentState,
        kind: &'static str,
        detail: Option<String>,
    ) {
        if detail.is_some() || state.document.origins().len() > 1 {
            self.except(
                state.branch,
                kind,
                *state.document.id().as_bytes(),
                state.updated_ms,
                detail,
            );
        }
    }
}

/// The rows of these documents, in their order, on as many cores as are worth it.
fn project_all(states: Vec<DocumentState>) -> Vec<Projected> {
    let threads = threads_for(states.len());
    if threads == 1 {
        return states.into_iter().map(project_one).collect();
    }
    let part_len = states.len().div_ceil(threads);
    thread::scope(|scope| {
        let parts = states.chunks(part_len);
        let running: Vec<_> = parts
            .map(|part| {
                (
                    part,
                    scope.spawn(|| part.iter().cloned().map(project_one).collect::<Vec<_>>()),
                )
            })
            .collect();
        running
            .into_iter()
            .flat_map(|(part, thread)| {
                thread
                    .join()
                    .unwrap_or_else(|_| part.iter().cloned().map(project_one).collect())
            })
            .collect()
    })
}

fn project_one(state: DocumentState) -> Projected {
    let write = document_write(&state);
    let row = row_of(&state, write.head.version);
    (state, write, row)
}

fn row_of(state: &DocumentState, version: i64) -> Result<Row, DocumentError> {
    let document = state.document.id();
    let automerge = state.document.automerge();
    let updated_ms = state.updated_ms;
    Ok(match state.document.kind() {
        DocumentKind::Order => {
            let view = read_order(automerge)?;
            let json = json(&view);
            Row::Order(Box::new(OrderWrite {
                document,
                view,
                json,
                version,
                updated_ms,
            }))
        }
        DocumentKind::Customer => {
            let view = read_customer(automerge)?;
            let consent = json(&view.consent);
            Row::Customer(CustomerWrite {
                document,
                consent,
                view,
                version,
                created_ms: state.created_ms,
                updated_ms,
            })
        }
        DocumentKind::Inventory => {
            let view = read_inventory(automerge)?;
            Row::Setting(SettingWrite {
                document,
                view,
                version,
                updated_ms,
            })
        }
    })
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
