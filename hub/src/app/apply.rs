//! The one way in which transactions have their effects: live, from the hub's own pages, and when logs are replayed.
//!
//! [`Work`] holds what the transactions of one SQL transaction need and what they change. Applying is a pure function
//! of it: no IO, no clock, no randomness, and nothing depends on which transactions share a commit (INV-15). Facts are
//! refused for form or owner only; changes of one transaction are taken or parked together; nothing ever stops the log
//! from going on.

mod ahead;
mod change;
mod fact;
mod load;
mod money;
mod project;
mod row;
mod save;
mod state;

use domain::id::{BranchId, DocumentId};
use sync_protocol::block::LogEntry;
use sync_protocol::item::{Item, Verdict, VerdictKind};
use sync_protocol::position::Position;
use sync_protocol::transaction::{Header, RawItem, Transaction};

use crate::app::publish::Publication;
use crate::store::audit::ExceptionWrite;
use crate::store::sync::parked::{ALL_CHANGES, ParkedRow, WHOLE};

pub(crate) use load::{Needs, held_entry, open_body};
pub(crate) use save::Saved;
pub(crate) use state::{DocumentState, Work};

/// Longest reason that is stored and sent, in bytes.
const REASON_BYTES: usize = 1_000;

/// An item as far as it could be read.
#[derive(Debug, Clone)]
pub(crate) enum Decoded {
    /// A known item.
    Item(Box<Item>),
    /// Bytes that are not what their kind says.
    Malformed(String),
    /// A kind of a newer version.
    Unknown,
    /// Erased; there is nothing to apply.
    Erased,
}

/// A transaction in its place, with its items read.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its id.
    pub position: Position,
    /// The node's branch; nil for the hub.
    pub branch: BranchId,
    /// Where it stands in the apply order.
    pub ord: i64,
    /// The transaction as it came.
    pub transaction: Transaction,
    /// Chain hash behind it.
    pub hash: [u8; 32],
    /// Its items, read.
    pub items: Vec<Decoded>,
    /// Why the database refused its effects, which then are none.
    pub refusal: Option<String>,
}

impl Entry {
    /// Reads the items of a log entry.
    pub(crate) fn new(entry: LogEntry, branch: BranchId, ord: i64) -> Self {
        let items = entry.transaction.items.iter().map(decode).collect();
        Entry {
            position: entry.position,
            branch,
            ord,
            transaction: entry.transaction,
            hash: entry.hash,
            items,
            refusal: None,
        }
    }

    pub(crate) fn header(&self) -> &Header {
        &self.transaction.header
    }

    /// Milliseconds since 1970, as the writer saw it.
    pub(crate) fn at_ms(&self) -> i64 {
        self.transaction.header.at_ms()
    }

    /// Whether the hub wrote it.
    pub(crate) fn by_hub(&self) -> bool {
        self.branch.is_nil()
    }
}

fn decode(raw: &RawItem) -> Decoded {
    match Item::from_raw(raw) {
        Ok(Some(item)) => Decoded::Item(Box::new(item)),
        Ok(None) => Decoded::Erased,
        Err(sync_protocol::error::DecodeError::Unknown {
            what: "item kind", ..
        }) => Decoded::Unknown,
        Err(error) => Decoded::Malformed(error.to_string()),
    }
}

impl Work {
    /// Applies transactions in their order.
    pub(crate) fn apply_all(&mut self, entries: &[Entry]) {
        self.take_ahead(entries);
        for entry in entries {
            self.apply(entry);
        }
        self.ready.clear();
    }

    /// Applies one transaction.
    pub(crate) fn apply(&mut self, entry: &Entry) {
        if let Some(reason) = &entry.refusal {
            self.park(
                entry,
                WHOLE,
                0,
                format!("the database refuses it: {reason}"),
            );
            return;
        }
        let mut publication = Publication::new(entry);
        self.apply_changes(entry, &mut publication);
        for index in 0..entry.items.len() {
            self.apply_item(entry, index as u16, &mut publication);
        }
        self.writes.feeds.extend(publication.into_entries(entry));
    }

    /// Applies one item that is no change of a document.
    fn apply_item(&mut self, entry: &Entry, index: u16, publication: &mut Publication) {
        let Some(decoded) = entry.items.get(usize::from(index)) else {
            return;
        };
        match decoded {
            Decoded::Item(item) if item.is_fact() => {
                self.apply_fact(entry, index, item, publication)
            }
            Decoded::Unknown => {
                let kind = entry.transaction.items[usize::from(index)].kind();
                self.park_item(entry, index, format!("needs a newer hub: item kind {kind}"));
            }
            Decoded::Malformed(reason) if !is_change(entry, index) => {
                self.park_item(entry, index, reason.clone());
            }
            Decoded::Item(_) | Decoded::Malformed(_) | Decoded::Erased => {}
        }
    }

    /// Applies what was parked, through the checks of a log that comes in, at the place of the verdict `by`. What they
    /// refuse is parked again, which is a verdict that the commit of the hub's own transaction does not take.
    fn release(&mut self, by: &Entry, verdict: &Verdict, item: i32) {
        let Some(held) = self.held.get(&verdict.position) else {
            let reason = "the entry is not in its log".to_owned();
            self.verdict(by, None, VerdictKind::Parked, reason);
            return;
        };
        let entry = Entry {
            ord: by.ord,
            refusal: None,
            ..held.clone()
        };
        if item == WHOLE {
            self.apply(&entry);
            return;
        }
        let mut publication = Publication::new(&entry);
        match u16::try_from(item) {
            Ok(index) => self.apply_item(&entry, index, &mut publication),
            Err(_) => self.apply_changes(&entry, &mut publication),
        }
        self.writes.feeds.extend(publication.into_entries(&entry));
    }

    /// Keeps a fact that is not applied.
    pub(crate) fn park_item(&mut self, entry: &Entry, index: u16, reason: String) {
        let kind = entry.transaction.items[usize::from(index)].kind();
        self.park(entry, i32::from(index), kind, reason);
    }

    /// Keeps something that is not applied; people and the branch learn of it.
    pub(crate) fn park(&mut self, entry: &Entry, item: i32, kind: u16, reason: String) {
        self.park_lacking(entry, item, kind, reason, None);
    }

    /// The same for what hangs on a change of a document that is not here: it may come yet.
    pub(crate) fn park_lacking(
        &mut self,
        entry: &Entry,
        item: i32,
        kind: u16,
        reason: String,
        lacks_in: Option<DocumentId>,
    ) {
        let reason = shorten(reason);
        let index = u16::try_from(item).ok();
        let id = parked_id(entry.position, item);
        self.except(
            entry.branch,
            "parked",
            id,
            entry.at_ms(),
            Some(reason.clone()),
        );
        self.writes.parked.push(ParkedRow {
            branch: entry.branch,
            position: entry.position,
            item,
            id,
            kind,
            reason: reason.clone(),
            staff: entry.header().staff,
            at_ms: entry.at_ms(),
            lacks_in,
        });
        self.verdict(entry, index, VerdictKind::Parked, reason);
    }

    /// Notes what the hub decided about an item of a branch; it becomes a transaction of node 0.
    pub(crate) fn verdict(
        &mut self,
        entry: &Entry,
        item: Option<u16>,
        verdict: VerdictKind,
        reason: String,
    ) {
        self.verdicts.push(Verdict {
            position: entry.position,
            item,
            verdict,
            reason,
        });
    }

    /// Opens an exception, or ends it.
    pub(crate) fn except(
        &mut self,
        branch: BranchId,
        kind: &'static str,
        subject: [u8; 16],
        at_ms: i64,
        detail: Option<String>,
    ) {
        let row = ExceptionWrite {
            branch,
            kind,
            subject,
            detail: detail.map(shorten),
            at_ms,
        };
        self.writes.exceptions.insert((branch, kind, subject), row);
    }
}

/// The id of something parked in the API.
fn parked_id(position: Position, item: i32) -> [u8; 16] {
    position.fact_uuid(u16::try_from(item).unwrap_or(match item {
        ALL_CHANGES => u16::MAX,
        _ => u16::MAX - 1,
    }))
}

fn is_change(entry: &Entry, index: u16) -> bool {
    entry.transaction.items[usize::from(index)].kind() == sync_protocol::item::kind::CHANGE
}

fn shorten(mut text: String) -> String {
    if text.len() > REASON_BYTES {
        let end = (0..=REASON_BYTES)
            .rev()
            .find(|end| text.is_char_boundary(*end))
            .unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}
