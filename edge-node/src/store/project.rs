//! What items come to in the tables.
//!
//! One function, `Projector::apply`, serves the node's own transactions, feed entries and the rebuild from both, so
//! that replaying gives the same rows (INV-15). It depends on nothing but the database, the item and where it stands:
//! no clock, no randomness, and never a refusal for state. What cannot be applied is parked and said.

mod changes;
mod customers;
mod hub_rows;
mod inventory;
mod money;
mod orders;
mod stock;
mod transfers;

use std::collections::BTreeSet;

use domain::id::DocumentId;
use rusqlite::Connection;
use sync_protocol::document::Document;
use sync_protocol::feed::FeedKind;
use sync_protocol::item::Item;
use sync_protocol::position::{NodeId, Position};
use sync_protocol::transaction::{Header, RawItem};

use super::Touched;
use super::document::Documents;
use super::value::{Id, derived_id, signed};
use crate::error::StoreError;
use crate::identity::NodeIdentity;

/// From where an item comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The node's own log.
    Own,
    /// A feed.
    Feed(FeedKind),
}

/// Where an item stands.
#[derive(Debug, Clone, Copy)]
pub struct ApplyContext {
    /// Its transaction.
    pub origin: Position,
    /// The transaction's header.
    pub header: Header,
    /// From where it comes.
    pub source: Source,
}

/// Applies items to the tables of one database.
pub struct Projector<'a> {
    conn: &'a Connection,
    identity: &'a NodeIdentity,
    documents: &'a mut Documents,
    touched: &'a mut BTreeSet<Touched>,
}

impl<'a> Projector<'a> {
    pub(super) fn new(
        conn: &'a Connection,
        identity: &'a NodeIdentity,
        documents: &'a mut Documents,
        touched: &'a mut BTreeSet<Touched>,
    ) -> Self {
        Self {
            conn,
            identity,
            documents,
            touched,
        }
    }

    /// Applies an item as it came; an erased one says nothing, one that does not read is parked.
    pub(super) fn apply_raw(
        &mut self,
        cx: &ApplyContext,
        index: u16,
        raw: &RawItem,
    ) -> Result<(), StoreError> {
        match Item::from_raw(raw) {
            Ok(Some(item)) => self.apply(cx, index, &item, None),
            Ok(None) => Ok(()),
            Err(error) => self.park(cx, index, raw.kind(), None, &error.to_string()),
        }
    }

    /// Applies one item. `prepared` is the document behind an own change, which was made by editing.
    pub(super) fn apply(
        &mut self,
        cx: &ApplyContext,
        index: u16,
        item: &Item,
        prepared: Option<Document>,
    ) -> Result<(), StoreError> {
        match item {
            Item::Change(change) => self.change(cx, index, change, prepared),
            Item::Snapshot(snapshot) => self.snapshot(cx, index, snapshot),
            Item::Detach(detach) => self.detach(detach.document),
            Item::Movement(movement) => self.movement(cx, index, movement),
            Item::Reserve(reserve) => self.reserve(cx, reserve),
            Item::Release(release) => self.release(cx, release),
            Item::TransferRequest(request) => self.transfer_record(cx, request.id, item),
            Item::Plan(plan) => self.transfer_record(cx, plan.id, item),
            Item::Shipment(shipment) => self.transfer_record(cx, shipment.transfer, item),
            Item::Arrival(arrival) => self.transfer_record(cx, arrival.transfer, item),
            Item::ImportRecord(record) => self.import_record(record),
            Item::Note(note) => self.audit_note(cx, note),
            Item::Receipt(_)
            | Item::Refund(_)
            | Item::RefundAsked(_)
            | Item::RefundDecided(_)
            | Item::PaymentCancelled(_)
            | Item::PaymentAgain(_)
            | Item::PaymentResult(_)
            | Item::RepaymentResult(_)
            | Item::CashOpened(_)
            | Item::CashMoved(_)
            | Item::CashClosed(_)
            | Item::Hold(_)
            | Item::DayClosed(_) => self.money(cx, index, item),
            _ => self.hub_row(cx, item),
        }
    }

    /// Keeps an item that cannot be applied where people see it; nothing else waits for it (INV-22).
    fn park(
        &mut self,
        cx: &ApplyContext,
        index: u16,
        kind: u16,
        document: Option<DocumentId>,
        reason: &str,
    ) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "insert into parked_item (node, epoch, seq, item, kind, document, reason)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7) on conflict do nothing",
            )?
            .execute((
                cx.origin.node.0,
                signed(cx.origin.epoch.0),
                signed(cx.origin.seq),
                index,
                kind,
                document.map(Id),
                reason,
            ))?;
        self.touched.insert(Touched::Exceptions);
        Ok(())
    }

    fn import_record(
        &mut self,
        record: &sync_protocol::item::ImportRecord,
    ) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "insert into import_record (source, repair_order, fingerprint) values (?1, ?2, ?3)
                 on conflict (source) do update set fingerprint = excluded.fingerprint",
            )?
            .execute((&record.source, Id(record.order), &record.fingerprint))?;
        Ok(())
    }

    fn audit_note(
        &mut self,
        cx: &ApplyContext,
        note: &sync_protocol::item::AuditNote,
    ) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "insert into audit_note (subject, text, at, staff) values (?1, ?2, ?3, ?4)",
            )?
            .execute((
                &note.subject,
                &note.text,
                cx.header.at_ms(),
                Id(cx.header.staff),
            ))?;
        Ok(())
    }

    /// Opens a decision for people, or closes it: it is open exactly while its condition holds.
    pub(super) fn decision(
        &mut self,
        kind: &str,
        subject: &[u8; 16],
        is_open: bool,
        since_ms: i64,
    ) -> Result<(), StoreError> {
        let id = derived_id(&[b"decision ", kind.as_bytes(), subject]);
        let changed = if is_open {
            self.conn
                .prepare_cached(
                    "insert into decision (id, kind, subject, since) values (?1, ?2, ?3, ?4) on conflict do nothing",
                )?
                .execute((&id, kind, subject, since_ms))?
        } else {
            self.conn
                .prepare_cached("delete from decision where id = ?1")?
                .execute([&id])?
        };
        if changed > 0 {
            self.touched.insert(Touched::Exceptions);
        }
        Ok(())
    }

    fn is_own(&self, node: NodeId) -> bool {
        node == self.identity.node
    }
}
