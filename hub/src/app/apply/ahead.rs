//! Taking the changes of a large group ahead, on all cores, document by document.
//!
//! Taking a change is a pure function of the document before it, the change and its sender. So what was computed ahead
//! is used only where the document before is the very same and the sender writes in the same capacity; everything else
//! is computed again in its turn, and nothing about the outcome depends on what was done ahead.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::thread;

use domain::document::policy::Writer;
use domain::id::DocumentId;
use sync_protocol::document::{ChangeRefusal, Document};
use sync_protocol::item::{Change, Item};
use sync_protocol::position::Position;

use super::change::receive;
use super::{Decoded, DocumentState, Entry, Work};

/// Fewer changes than this are not worth other threads.
const WORTH_IT: usize = 16;
/// Most threads for one group.
const THREADS: usize = 8;

/// The outcome of a change, and what it was computed for.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    before: Option<Arc<Document>>,
    writer: Writer,
    pub(super) result: Result<Arc<Document>, ChangeRefusal>,
}

impl Ready {
    pub(super) fn holds_for(&self, before: Option<&Arc<Document>>, writer: Writer) -> bool {
        let same_document = match (&self.before, before) {
            (None, None) => true,
            (Some(mine), Some(theirs)) => Arc::ptr_eq(mine, theirs),
            _ => false,
        };
        same_document && self.writer == writer
    }
}

/// Outcomes by transaction and item.
pub(crate) type AllReady = HashMap<(Position, u16), Ready>;

/// How many threads a piece of work of this size gets.
pub(super) fn threads_for(pieces: usize) -> usize {
    if pieces < WORTH_IT {
        return 1;
    }
    thread::available_parallelism().map_or(1, |cores| cores.get().min(THREADS))
}

impl Work {
    /// Takes the changes of these transactions ahead, where there are enough of them.
    pub(super) fn take_ahead(&mut self, entries: &[Entry]) {
        let mut by_document: BTreeMap<DocumentId, Vec<(&Entry, u16, &Change)>> = BTreeMap::new();
        let mut count = 0;
        for entry in entries.iter().filter(|entry| entry.refusal.is_none()) {
            for (index, decoded) in entry.items.iter().enumerate() {
                if let Decoded::Item(item) = decoded
                    && let Item::Change(change) = item.as_ref()
                {
                    by_document.entry(change.document).or_default().push((
                        entry,
                        index as u16,
                        change,
                    ));
                    count += 1;
                }
            }
        }
        let threads = threads_for(count);
        if threads == 1 {
            return;
        }
        let documents: Vec<Vec<(&Entry, u16, &Change)>> = by_document.into_values().collect();
        let work: &Work = self;
        let ready: Vec<AllReady> = thread::scope(|scope| {
            let parts = documents.chunks(documents.len().div_ceil(threads));
            let running: Vec<_> = parts
                .map(|part| scope.spawn(move || work.take_documents(part)))
                .collect();
            // A part whose thread failed is computed in its turn.
            running
                .into_iter()
                .filter_map(|thread| thread.join().ok())
                .collect()
        });
        self.ready = ready.into_iter().flatten().collect();
    }

    fn take_documents(&self, documents: &[Vec<(&Entry, u16, &Change)>]) -> AllReady {
        let mut ready = AllReady::new();
        for changes in documents {
            let mut before: Option<DocumentState> = changes
                .first()
                .and_then(|(.., change)| self.document(change.document).cloned());
            for (entry, index, change) in changes {
                let Ok(writer) = self.writer(entry, change.document, before.as_ref()) else {
                    break;
                };
                let document = before.as_ref().map(|state| state.document.clone());
                let result = receive(entry, change, document.as_ref(), writer);
                let after = result.as_ref().ok().cloned();
                ready.insert(
                    (entry.position, *index),
                    Ready {
                        before: document,
                        writer,
                        result,
                    },
                );
                let Some(after) = after else { break };
                let branch = before
                    .as_ref()
                    .map(|state| state.branch)
                    .or_else(|| after.owner());
                let Some(branch) = branch else { break };
                before = Some(DocumentState {
                    document: after,
                    branch,
                    created_ms: 0,
                    updated_ms: 0,
                });
            }
        }
        ready
    }
}
