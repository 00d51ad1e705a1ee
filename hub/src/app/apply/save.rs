//! Writing what transactions changed, in bulk, on the SQL transaction that holds their locks.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use domain::document::DocumentKind;
use domain::id::{BranchId, DocumentId};
use sync_protocol::document::Document;
use sync_protocol::feed::{FeedEntry, FeedId, FeedTip};
use sync_protocol::position::NodeId;

use super::Work;
use super::project::Projection;
use crate::app::watch::Topic;
use crate::error::HubError;
use crate::store::audit::ExceptionWrite;
use crate::store::db::PgConnection;
use crate::store::inventory::transfer::{self, TransferWrite};
use crate::store::inventory::{self, ledger};
use crate::store::orders::OrderWrite;
use crate::store::payments::{
    day, entry, hold, job, paper, payment, receipt, refund, rows, session, settlement,
};
use crate::store::sync::feed::{self, NumberedEntry};
use crate::store::sync::{document, node, parked};
use crate::store::{audit, customers, locations, orders, staff};

/// What the process tells itself once the commit stands.
#[derive(Debug, Default)]
pub(crate) struct Saved {
    /// Documents as committed.
    pub documents: Vec<Arc<Document>>,
    /// Feeds that grew.
    pub feeds: Vec<(FeedId, FeedTip)>,
    /// What pages should look at again.
    pub topics: BTreeSet<Topic>,
    /// A part reached or left zero.
    pub zero_crossed: bool,
    /// Whether pieces arrived that were written off.
    pub pieces_found: bool,
    /// Nodes that may no longer speak.
    pub revoked: Vec<NodeId>,
}

impl Work {
    /// Writes everything; the work is done afterwards.
    pub(crate) async fn save(
        mut self,
        connection: &mut PgConnection,
        projection: Projection,
    ) -> Result<Saved, HubError> {
        let mut saved = self.saved();
        self.save_documents(connection, projection).await?;
        self.save_inventory(connection).await?;
        self.save_rows(connection).await?;
        self.save_money(connection).await?;
        let writes = self.writes;
        parked::insert(connection, &writes.parked).await?;
        for (position, item, state) in &writes.parked_states {
            parked::set_state(connection, *position, *item, *state).await?;
        }
        audit::insert_notes(connection, &writes.notes).await?;
        let imports: Vec<_> = writes.imports.values().collect();
        orders::save_imports(connection, &imports).await?;
        let exceptions: Vec<&ExceptionWrite> = writes.exceptions.values().collect();
        audit::save_exceptions(connection, &exceptions).await?;
        saved.feeds = append_feeds(connection, writes.feeds).await?;
        Ok(saved)
    }

    fn saved(&self) -> Saved {
        let writes = &self.writes;
        let mut topics = BTreeSet::new();
        let mut topic = |is_changed: bool, topic: Topic| {
            if is_changed {
                topics.insert(topic);
            }
        };
        let documents: Vec<Arc<Document>> = writes
            .documents
            .iter()
            .filter_map(|id| Some(self.document(*id)?.document.clone()))
            .collect();
        for document in &documents {
            topic(
                true,
                match document.kind() {
                    DocumentKind::Order => Topic::Orders,
                    DocumentKind::Customer => Topic::Customers,
                    DocumentKind::Inventory => Topic::Stock,
                },
            );
        }
        topic(
            !writes.stock.is_empty() || !writes.reservations.is_empty(),
            Topic::Stock,
        );
        topic(!writes.transfers.is_empty(), Topic::Transfers);
        topic(
            !writes.branches.is_empty()
                || !writes.enrolled.is_empty()
                || !writes.revoked.is_empty(),
            Topic::Branches,
        );
        topic(
            !writes.staff.is_empty() || !writes.credentials.is_empty(),
            Topic::Staff,
        );
        topic(
            !writes.parts.is_empty() || !writes.presets.is_empty(),
            Topic::Parts,
        );
        topic(
            !writes.companies.is_empty() || !writes.till_rules.is_empty(),
            Topic::Settings,
        );
        topic(!writes.money.is_empty(), Topic::Money);
        topic(
            !writes.money.days.is_empty() || !writes.money.sign_offs.is_empty(),
            Topic::Nights,
        );
        topic(
            !writes.parked.is_empty() || !writes.parked_states.is_empty(),
            Topic::Parked,
        );
        topic(!writes.exceptions.is_empty(), Topic::Exceptions);
        let revoked = writes
            .revoked
            .iter()
            .map(|(revoked, _)| revoked.node)
            .collect();
        Saved {
            documents,
            feeds: Vec::new(),
            topics,
            zero_crossed: writes.zero_crossed,
            pieces_found: writes.pieces_found,
            revoked,
        }
    }

    async fn save_documents(
        &mut self,
        connection: &mut PgConnection,
        projection: Projection,
    ) -> Result<(), HubError> {
        self.except_double_numbers(connection, &projection.orders)
            .await?;
        document::save(connection, projection.documents).await?;
        document::insert_interest(connection, &self.writes.interest).await?;
        orders::save(connection, &projection.orders).await?;
        customers::save(connection, &projection.customers).await?;
        inventory::save_settings(connection, &projection.settings).await?;
        Ok(())
    }

    /// A number that two orders have is for people to settle; nothing else depends on it.
    async fn except_double_numbers(
        &mut self,
        connection: &mut PgConnection,
        written: &[OrderWrite],
    ) -> Result<(), HubError> {
        if self.writes.new_orders.is_empty() {
            return Ok(());
        }
        let views: HashMap<DocumentId, &OrderWrite> =
            written.iter().map(|row| (row.document, row)).collect();
        let new: Vec<&OrderWrite> = self
            .writes
            .new_orders
            .iter()
            .filter_map(|id| views.get(id).copied())
            .collect();
        let numbers: Vec<String> = new.iter().map(|row| row.view.number.clone()).collect();
        let mut holders: BTreeMap<String, BTreeSet<DocumentId>> = BTreeMap::new();
        for (number, document) in orders::with_numbers(connection, &numbers).await? {
            holders.entry(number).or_default().insert(document);
        }
        let mut doubles: Vec<(BranchId, DocumentId, i64, String)> = Vec::new();
        for row in new {
            let holders = holders.entry(row.view.number.clone()).or_default();
            if let Some(first) = holders.first() {
                let detail = format!("order {first} has the number {} as well", row.view.number);
                let at_ms = self
                    .document(row.document)
                    .map_or(0, |state| state.created_ms);
                doubles.push((row.view.branch, row.document, at_ms, detail));
            }
            holders.insert(row.document);
        }
        for (branch, document, at_ms, detail) in doubles {
            self.except(
                branch,
                "double_number",
                *document.as_bytes(),
                at_ms,
                Some(detail),
            );
        }
        Ok(())
    }

    async fn save_inventory(&self, connection: &mut PgConnection) -> Result<(), HubError> {
        let writes = &self.writes;
        ledger::insert_movements(connection, &writes.movements).await?;
        ledger::insert_keys(connection, &writes.keys).await?;
        let stock: Vec<_> = writes
            .stock
            .iter()
            .filter_map(|key| Some((*key, *self.stock.get(key)?)))
            .collect();
        ledger::save_stock(connection, &stock).await?;
        let reservations: Vec<_> = writes
            .reservations
            .iter()
            .filter_map(|key| Some((*key, (*self.reservations.get(key)?)?)))
            .collect();
        ledger::save_reservations(connection, &reservations).await?;
        transfer::insert_records(connection, &writes.records).await?;
        let transfers: Vec<TransferWrite> = writes
            .transfers
            .iter()
            .filter_map(|(id, (first_ms, last_ms))| {
                let fold = self.transfers.get(id)?.fold.clone()?;
                Some(TransferWrite {
                    transfer: *id,
                    fold,
                    first_ms: *first_ms,
                    last_ms: *last_ms,
                })
            })
            .collect();
        transfer::save(connection, &transfers).await?;
        let availability: Vec<_> = writes.availability.values().copied().collect();
        inventory::save_availability(connection, &availability).await?;
        Ok(())
    }

    async fn save_money(&self, connection: &mut PgConnection) -> Result<(), HubError> {
        let money = &self.writes.money;
        receipt::insert(connection, &money.receipts).await?;
        refund::insert(connection, &money.refunds).await?;
        refund::save_asked(connection, &money.asked).await?;
        paper::insert_numbers(connection, &money.numbers).await?;
        paper::insert_order_money(connection, &money.orders).await?;
        payment::insert_records(connection, &money.records).await?;
        payment::save(connection, &money.payment_rows(&self.money)).await?;
        hold::save(connection, &money.holds).await?;
        job::insert(connection, &money.jobs).await?;
        session::save(connection, &money.sessions).await?;
        session::insert_moves(connection, &money.moves).await?;
        settlement::save(connection, &money.lines).await?;
        settlement::insert_corrections(connection, &money.corrections).await?;
        day::insert_days(connection, &money.days).await?;
        day::insert_sign_offs(connection, &money.sign_offs).await?;
        entry::post(connection, &money.entries).await?;
        Ok(())
    }

    async fn save_rows(&self, connection: &mut PgConnection) -> Result<(), HubError> {
        let writes = &self.writes;
        locations::save_branches(connection, &by_ref(&writes.branches)).await?;
        rows::save_rules(connection, &writes.till_rules).await?;
        rows::save_accounts(connection, &writes.accounts).await?;
        locations::save_companies(connection, &by_ref(&writes.companies)).await?;
        staff::save_staff(connection, &by_ref(&writes.staff)).await?;
        staff::save_credentials(connection, &by_ref(&writes.credentials)).await?;
        inventory::save_parts(connection, &by_ref(&writes.parts)).await?;
        inventory::save_presets(connection, &by_ref(&writes.presets)).await?;
        for enrolled in &writes.enrolled {
            node::enrol(connection, enrolled).await?;
        }
        for (revoked, at_ms) in &writes.revoked {
            node::revoke(connection, revoked.node, &revoked.reason, *at_ms).await?;
        }
        for closed in &writes.closed {
            node::close(connection, *closed).await?;
        }
        for (person, at_ms) in &writes.erased {
            customers::erase(connection, *person, *at_ms).await?;
        }
        Ok(())
    }
}

fn by_ref<T>(rows: &[(T, i64)]) -> Vec<(&T, i64)> {
    rows.iter().map(|(row, at_ms)| (row, *at_ms)).collect()
}

async fn append_feeds(
    connection: &mut PgConnection,
    entries: Vec<(FeedId, FeedEntry)>,
) -> Result<Vec<(FeedId, FeedTip)>, HubError> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let feeds: BTreeSet<FeedId> = entries.iter().map(|(feed, _)| *feed).collect();
    let feeds: Vec<FeedId> = feeds.into_iter().collect();
    let mut tips: BTreeMap<FeedId, FeedTip> = feeds
        .iter()
        .map(|feed| {
            (
                *feed,
                FeedTip {
                    n: 0,
                    running: feed.start(),
                },
            )
        })
        .collect();
    tips.extend(feed::lock(connection, &feeds).await?);
    let mut numbered = Vec::with_capacity(entries.len());
    for (feed, entry) in entries {
        let Some(tip) = tips.get_mut(&feed) else {
            continue;
        };
        tip.n += 1;
        tip.running = entry.running(&tip.running, tip.n);
        numbered.push(NumberedEntry {
            feed,
            n: tip.n,
            running: tip.running,
            bytes: entry.to_bytes(),
        });
    }
    let tips: Vec<(FeedId, FeedTip)> = tips.into_iter().collect();
    feed::append(connection, numbered, &tips).await?;
    Ok(tips)
}
