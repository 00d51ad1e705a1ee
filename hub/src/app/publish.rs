//! Which part of an accepted transaction goes to which feed.
//!
//! A branch's own transactions are never echoed to it, and nothing reaches a branch that has no interest in it
//! (INV-11). All that a reader may see of one transaction stands in one entry, unless it is larger than an entry may
//! be (INV-24).

use std::collections::BTreeMap;

use domain::id::BranchId;
use sync_protocol::feed::{FeedEntry, FeedId, FeedKind};
use sync_protocol::limits::{FEED_ENTRY_BYTES, TRANSACTION_ITEMS};
use sync_protocol::transaction::RawItem;

use super::apply::Entry;

/// Room for origin, header and count in a feed entry, in bytes.
const ENTRY_HEAD_BYTES: usize = 64;

/// The visible parts of one transaction.
#[derive(Debug)]
pub(crate) struct Publication {
    writer: BranchId,
    next_extra: u16,
    feeds: BTreeMap<FeedId, Vec<(u16, RawItem)>>,
}

impl Publication {
    /// Nothing visible yet.
    pub(crate) fn new(entry: &Entry) -> Self {
        Publication {
            writer: entry.branch,
            next_extra: entry.header().items,
            feeds: BTreeMap::new(),
        }
    }

    /// Shows an item to the readers of a shared feed.
    pub(crate) fn push(&mut self, feed: FeedId, index: u16, item: &RawItem) {
        if feed.kind == FeedKind::Private
            && !self.writer.is_nil()
            && feed.scope == *self.writer.as_bytes()
        {
            return;
        }
        let items = self.feeds.entry(feed).or_default();
        if items.last().is_none_or(|(last, _)| *last != index) {
            items.push((index, item.clone()));
        }
    }

    /// Shows an item to a branch, unless it wrote it.
    pub(crate) fn private(&mut self, branch: BranchId, index: u16, item: &RawItem) {
        if !branch.is_nil() {
            self.push(FeedId::private(branch), index, item);
        }
    }

    /// Gives a branch something that is no item of the transaction: a snapshot, a credential. Its index counts on
    /// behind the transaction's items.
    pub(crate) fn attach(&mut self, branch: BranchId, item: RawItem) {
        let index = self.next_extra;
        self.next_extra = self.next_extra.saturating_add(1);
        self.private(branch, index, &item);
    }

    /// The entries, by feed. More than one of a feed only where one would be too large.
    pub(crate) fn into_entries(self, entry: &Entry) -> Vec<(FeedId, FeedEntry)> {
        let mut entries = Vec::new();
        for (feed, mut items) in self.feeds {
            items.sort_by_key(|(index, _)| *index);
            let mut part: Vec<(u16, RawItem)> = Vec::new();
            let mut size = ENTRY_HEAD_BYTES;
            for (index, item) in items {
                let item_bytes = 2 + item.encoded_len();
                if !part.is_empty()
                    && (size + item_bytes > FEED_ENTRY_BYTES || part.len() == TRANSACTION_ITEMS)
                {
                    entries.push((feed, feed_entry(entry, std::mem::take(&mut part))));
                    size = ENTRY_HEAD_BYTES;
                }
                size += item_bytes;
                part.push((index, item));
            }
            if !part.is_empty() {
                entries.push((feed, feed_entry(entry, part)));
            }
        }
        entries
    }
}

fn feed_entry(entry: &Entry, items: Vec<(u16, RawItem)>) -> FeedEntry {
    FeedEntry {
        origin: entry.position,
        header: *entry.header(),
        items,
    }
}
