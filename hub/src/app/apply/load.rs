//! What transactions need to be known before they can be applied.
//!
//! Read in bulk, under the locks of node rows, document rows and the head of the apply order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::document::DocumentKind;
use domain::id::{
    BranchId, DocumentId, LineId, PartId, PaymentId, ReceiptId, RefundId, SessionId, StaffId,
    TransferId,
};
use domain::stock::BusinessKey;
use sync_protocol::document::Document;
use sync_protocol::hash::Hash;
use sync_protocol::item::{Item, Origin, VerdictKind, decode_body};
use sync_protocol::position::{NodeId, Position};

use super::money::{PaymentHistory, ReceiptHistory};
use super::{Decoded, DocumentState, Entry, Work};
use crate::app::cache::DocumentCache;
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::ids::OfUuid;
use crate::store::inventory::{ledger, transfer};
use crate::store::payments::{payment, receipt, refund, session};
use crate::store::sync::document::{self, DocumentBody, DocumentHead};
use crate::store::{locations, staff, sync};

/// What must be looked up.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    pub documents: BTreeSet<DocumentId>,
    pub stock: BTreeSet<(BranchId, PartId)>,
    pub keys: BTreeSet<(BranchId, BusinessKey)>,
    pub reservations: BTreeSet<(BranchId, LineId)>,
    pub transfers: BTreeSet<TransferId>,
    pub receipts: BTreeSet<ReceiptId>,
    pub refunds: BTreeSet<RefundId>,
    pub payments: BTreeSet<PaymentId>,
    pub sessions: BTreeSet<SessionId>,
    pub staff: BTreeSet<StaffId>,
    pub all_staff: bool,
    pub regions: bool,
    pub nodes: BTreeSet<NodeId>,
    /// Transactions of which something parked is released.
    pub released: BTreeSet<Position>,
}

impl Needs {
    /// What these transactions need.
    pub(crate) fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut needs = Needs::default();
        for entry in entries {
            if entry.refusal.is_some() {
                continue;
            }
            for decoded in &entry.items {
                if let Decoded::Item(item) = decoded {
                    needs.add(entry.branch, item);
                }
            }
        }
        needs
    }

    fn add(&mut self, branch: BranchId, item: &Item) {
        match item {
            Item::Change(change) => {
                self.documents.insert(change.document);
            }
            Item::Movement(movement) => {
                self.stock.insert((movement.branch, movement.part));
                self.keys
                    .extend(movement.business_key().map(|key| (movement.branch, key)));
                if movement.kind.by_hub() {
                    self.transfers
                        .insert(TransferId::from_bytes(movement.subject));
                }
            }
            Item::Reserve(reserve) => {
                self.reservations.insert((branch, reserve.id));
                self.stock.insert((branch, reserve.part));
            }
            Item::Release(release) => {
                self.reservations.insert((branch, release.reservation));
            }
            Item::TransferRequest(request) => {
                self.transfers.insert(request.id);
            }
            Item::Plan(plan) => {
                self.transfers.insert(plan.id);
            }
            Item::Shipment(shipment) => {
                self.transfers.insert(shipment.transfer);
            }
            Item::Arrival(arrival) => {
                self.transfers.insert(arrival.transfer);
            }
            Item::Receipt(receipt) => {
                self.receipts.insert(receipt.id);
                let payments = receipt.tenders.iter().map(|tender| tender.payment);
                self.payments.extend(payments);
            }
            Item::Refund(refund) => {
                self.refunds.insert(refund.id);
                self.receipts.insert(refund.receipt);
                let payments = refund.tenders.iter().map(|tender| tender.payment);
                self.payments.extend(payments);
            }
            Item::PaymentCancelled(cancelled) => {
                self.payments.insert(cancelled.payment);
            }
            Item::PaymentAgain(again) => {
                self.payments.insert(again.payment);
            }
            Item::PaymentResult(result) => {
                self.payments.insert(result.payment);
            }
            Item::RepaymentResult(result) => {
                self.payments.insert(result.payment);
            }
            Item::CashOpened(opened) => {
                self.sessions.insert(opened.id);
            }
            Item::CashMoved(moved) => {
                self.sessions.insert(moved.session);
            }
            Item::CashClosed(closed) => {
                self.sessions.insert(closed.session);
            }
            Item::Branch(_) => (self.all_staff, self.regions) = (true, true),
            Item::Staff(row) => {
                self.staff.insert(row.id);
                self.regions = true;
            }
            Item::Credential(row) => {
                self.staff.insert(row.id);
                self.regions = true;
            }
            Item::Attach(attach) => {
                self.documents.insert(attach.document);
            }
            Item::Availability(_) => self.regions = true,
            Item::Verdict(verdict) => {
                self.nodes.insert(verdict.position.node);
                if verdict.verdict == VerdictKind::Released {
                    self.released.insert(verdict.position);
                }
            }
            _ => {}
        }
    }
}

impl Work {
    /// Looks up what is needed and not known yet.
    pub(crate) async fn load(
        &mut self,
        connection: &mut PgConnection,
        needs: &Needs,
        cache: &mut DocumentCache,
    ) -> Result<(), HubError> {
        if !needs.released.is_empty() {
            self.load_released(connection, &needs.released).await?;
            let parked = needs.released.iter().filter_map(|at| self.held.get(at));
            let of_parked = Needs::of(parked);
            self.load_known(connection, &of_parked, cache).await?;
        }
        self.load_known(connection, needs, cache).await
    }

    async fn load_known(
        &mut self,
        connection: &mut PgConnection,
        needs: &Needs,
        cache: &mut DocumentCache,
    ) -> Result<(), HubError> {
        let documents: Vec<DocumentId> = needs
            .documents
            .iter()
            .filter(|id| !self.documents.contains_key(id))
            .copied()
            .collect();
        if !documents.is_empty() {
            self.load_documents(connection, &documents, cache).await?;
        }
        self.load_inventory(connection, needs).await?;
        self.load_money(connection, needs).await?;
        self.load_people(connection, needs).await
    }

    /// Transactions whose parked items are released, as they stand in their logs, and what of them waits.
    async fn load_released(
        &mut self,
        connection: &mut PgConnection,
        positions: &BTreeSet<Position>,
    ) -> Result<(), HubError> {
        for position in positions {
            for row in sync::parked::open_at(connection, *position).await? {
                self.parked_before.insert((row.position, row.item));
            }
            if self.held.contains_key(position) {
                continue;
            }
            if let Some(entry) = held_entry(connection, *position).await? {
                self.held.insert(*position, entry);
            }
        }
        Ok(())
    }

    async fn load_documents(
        &mut self,
        connection: &mut PgConnection,
        documents: &[DocumentId],
        cache: &mut DocumentCache,
    ) -> Result<(), HubError> {
        let heads = document::lock(connection, documents).await?;
        self.documents
            .extend(documents.iter().map(|id| (*id, None)));
        if heads.is_empty() {
            return Ok(());
        }
        let known: Vec<DocumentId> = heads.iter().map(|head| head.document).collect();
        for (document, branch) in document::interest(connection, &known).await? {
            self.interest.entry(document).or_default().insert(branch);
        }
        let mut absent: BTreeMap<DocumentId, DocumentHead> = BTreeMap::new();
        for head in heads {
            match cache.get(&head) {
                Some(document) => self.insert_document(&head, document),
                None => {
                    absent.insert(head.document, head);
                }
            }
        }
        if absent.is_empty() {
            return Ok(());
        }
        let ids: Vec<DocumentId> = absent.keys().copied().collect();
        let bodies = document::bodies(connection, &ids).await?;
        let opened = tokio::task::spawn_blocking(move || {
            bodies
                .into_iter()
                .map(open_body)
                .collect::<Result<Vec<_>, _>>()
        });
        for document in opened.await?? {
            let document = Arc::new(document);
            if let Some(head) = absent.get(&document.id()) {
                self.insert_document(head, document.clone());
            }
            cache.put(document);
        }
        Ok(())
    }

    fn insert_document(&mut self, head: &DocumentHead, document: Arc<Document>) {
        let state = DocumentState {
            document,
            branch: head.branch,
            created_ms: head.created_ms,
            updated_ms: head.updated_ms,
        };
        self.documents.insert(head.document, Some(state));
    }

    async fn load_inventory(
        &mut self,
        connection: &mut PgConnection,
        needs: &Needs,
    ) -> Result<(), HubError> {
        let reservations: Vec<(BranchId, LineId)> = needs
            .reservations
            .iter()
            .filter(|key| !self.reservations.contains_key(key))
            .copied()
            .collect();
        let mut stock: BTreeSet<(BranchId, PartId)> = needs.stock.clone();
        if !reservations.is_empty() {
            self.reservations
                .extend(reservations.iter().map(|key| (*key, None)));
            for (key, row) in ledger::reservations(connection, &reservations).await? {
                stock.insert((key.0, row.part));
                self.reservations.insert(key, Some(row));
            }
        }
        let stock: Vec<(BranchId, PartId)> = stock
            .into_iter()
            .filter(|key| !self.stock.contains_key(key))
            .collect();
        if !stock.is_empty() {
            self.stock
                .extend(stock.iter().map(|key| (*key, ledger::Stock::default())));
            self.stock
                .extend(ledger::lock_stock(connection, &stock).await?);
        }
        let keys: Vec<(BranchId, BusinessKey)> = needs
            .keys
            .iter()
            .filter(|key| !self.keys.contains_key(key))
            .copied()
            .collect();
        if !keys.is_empty() {
            self.keys.extend(keys.iter().map(|key| (*key, false)));
            let taken = ledger::taken_keys(connection, &keys).await?;
            self.keys.extend(taken.into_iter().map(|key| (key, true)));
        }
        let transfers: Vec<TransferId> = needs
            .transfers
            .iter()
            .filter(|id| !self.transfers.contains_key(id))
            .copied()
            .collect();
        if !transfers.is_empty() {
            for (id, record) in transfer::records(connection, &transfers).await? {
                self.transfers.entry(id).or_default().records.push(record);
            }
            for id in transfers {
                let history = self.transfers.entry(id).or_default();
                history.fold = domain::transfer::fold_transfer(&history.records);
            }
        }
        Ok(())
    }

    async fn load_money(
        &mut self,
        connection: &mut PgConnection,
        needs: &Needs,
    ) -> Result<(), HubError> {
        let receipts = absent(&needs.receipts, &self.money.receipts);
        if !receipts.is_empty() {
            let none = receipts.iter().map(|id| (*id, None));
            self.money.receipts.extend(none);
            for (branch, receipt) in receipt::receipts(connection, &receipts).await? {
                let history = ReceiptHistory {
                    branch,
                    refunds: Vec::new(),
                    receipt,
                };
                let id = history.receipt.id;
                self.money.receipts.insert(id, Some(history));
            }
            for refund in refund::refunds_of(connection, &receipts).await? {
                if let Some(Some(history)) = self.money.receipts.get_mut(&refund.receipt) {
                    history.refunds.push(refund);
                }
            }
        }
        let refunds = absent(&needs.refunds, &self.money.refunds);
        if !refunds.is_empty() {
            let none = refunds.iter().map(|id| (*id, false));
            self.money.refunds.extend(none);
            let known = refund::known_refunds(connection, &refunds).await?;
            let known = known.into_iter().map(|id| (id, true));
            self.money.refunds.extend(known);
        }
        let sessions = absent(&needs.sessions, &self.money.sessions);
        if !sessions.is_empty() {
            let none = sessions.iter().map(|id| (*id, None));
            self.money.sessions.extend(none);
            let known = session::known(connection, &sessions).await?;
            let known = known.into_iter().map(|(id, known)| (id, Some(known)));
            self.money.sessions.extend(known);
        }
        self.load_payments(connection, needs).await
    }

    async fn load_payments(
        &mut self,
        connection: &mut PgConnection,
        needs: &Needs,
    ) -> Result<(), HubError> {
        let payments = absent(&needs.payments, &self.money.payments);
        if payments.is_empty() {
            return Ok(());
        }
        let none = payments.iter().map(|id| (*id, None));
        self.money.payments.extend(none);
        for (id, belongs) in payment::belongs(connection, &payments).await? {
            let history = PaymentHistory {
                belongs,
                records: Vec::new(),
            };
            self.money.payments.insert(id, Some(history));
        }
        for (id, record) in payment::records(connection, &payments).await? {
            if let Some(Some(history)) = self.money.payments.get_mut(&id) {
                history.records.push(record);
            }
        }
        Ok(())
    }

    async fn load_people(
        &mut self,
        connection: &mut PgConnection,
        needs: &Needs,
    ) -> Result<(), HubError> {
        if needs.regions && self.regions.is_none() {
            self.regions = Some(locations::regions(connection).await?.into_iter().collect());
        }
        let wanted: Vec<StaffId> = needs
            .staff
            .iter()
            .filter(|id| !self.staff_loaded.contains(id))
            .copied()
            .collect();
        let which = if needs.all_staff && !self.all_staff {
            None
        } else {
            Some(wanted.as_slice())
        };
        if which.is_none_or(|which| !which.is_empty()) && !self.all_staff {
            for row in staff::people(connection, which).await? {
                self.staff.entry(row.id).or_insert(row);
            }
            for row in staff::credentials(connection, which).await? {
                self.credentials.entry(row.id).or_insert(row);
            }
            self.all_staff |= which.is_none();
            self.staff_loaded.extend(wanted);
        }
        for node in needs
            .nodes
            .iter()
            .filter(|node| !self.node_branches.contains_key(node))
            .copied()
            .collect::<Vec<_>>()
        {
            if let Some(row) = sync::node::find(connection, node).await? {
                self.node_branches.insert(node, row.branch);
            }
        }
        Ok(())
    }
}

fn absent<Id: Copy + Ord, T>(wanted: &BTreeSet<Id>, known: &BTreeMap<Id, T>) -> Vec<Id> {
    let absent = wanted.iter().filter(|id| !known.contains_key(id));
    absent.copied().collect()
}

/// A transaction as it stands in its log, whatever became of it when it came.
pub(crate) async fn held_entry(
    connection: &mut PgConnection,
    position: Position,
) -> Result<Option<Entry>, HubError> {
    let Some(node) = sync::node::find(connection, position.node).await? else {
        return Ok(None);
    };
    let (epoch, seq) = (position.epoch, position.seq);
    let blocks =
        sync::log::blocks_between(connection, position.node, node.branch, epoch, seq, seq).await?;
    for block in blocks {
        let mut entries = block.open()?.entries().into_iter();
        if let Some(entry) = entries.find(|entry| entry.position == position) {
            return Ok(Some(Entry::new(entry, node.branch, 0)));
        }
    }
    Ok(None)
}

/// Loads a stored document and holds it against its row (INV-23).
pub(crate) fn open_body(body: DocumentBody) -> Result<Document, HubError> {
    let id = DocumentId::of_uuid(body.document);
    let kind = u8::try_from(body.kind)
        .ok()
        .and_then(DocumentKind::from_code)
        .ok_or(HubError::Row("a document kind outside the known ones"))?;
    let (heads, []) = body.heads.as_chunks::<32>() else {
        return Err(HubError::Row("heads that are not 32 bytes each"));
    };
    let heads: Vec<Hash> = heads.to_vec();
    let origins: Vec<Origin> = decode_body(&body.origins, "origins")?;
    Document::load(id, kind, &body.saved, &heads, origins).map_err(|source| HubError::Document {
        document: id,
        source,
    })
}
