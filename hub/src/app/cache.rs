//! Documents in memory, so that a hot one is not loaded for each of its changes.
//!
//! A cache only: what comes out is held against the row's version and hash under the row's lock, and nothing goes in
//! before its commit.

use std::collections::HashMap;
use std::sync::Arc;

use domain::id::DocumentId;
use sync_protocol::document::Document;

use crate::store::sync::document::DocumentHead;

/// Least recently used documents leave first, an eighth at a time.
#[derive(Debug)]
pub(crate) struct DocumentCache {
    documents: HashMap<DocumentId, (u64, Arc<Document>)>,
    tick: u64,
    capacity: usize,
}

impl DocumentCache {
    /// A cache of at most `capacity` documents.
    pub(crate) fn new(capacity: usize) -> Self {
        DocumentCache {
            documents: HashMap::new(),
            tick: 0,
            capacity: capacity.max(8),
        }
    }

    /// The document, if it is the one of this row.
    pub(crate) fn get(&mut self, head: &DocumentHead) -> Option<Arc<Document>> {
        self.tick += 1;
        let (used, document) = self.documents.get_mut(&head.document)?;
        let same = document.origins().len() as i64 == head.version && document.hash() == head.hash;
        *used = self.tick;
        same.then(|| document.clone())
    }

    /// Keeps a committed document.
    pub(crate) fn put(&mut self, document: Arc<Document>) {
        self.tick += 1;
        self.documents.insert(document.id(), (self.tick, document));
        if self.documents.len() > self.capacity {
            let mut ticks: Vec<u64> = self.documents.values().map(|(used, _)| *used).collect();
            let (_, limit, _) = ticks.select_nth_unstable(self.capacity / 8);
            let limit = *limit;
            self.documents.retain(|_, (used, _)| *used > limit);
        }
    }

    /// Forgets everything, after a commit whose outcome is not known.
    pub(crate) fn clear(&mut self) {
        self.documents.clear();
    }
}
