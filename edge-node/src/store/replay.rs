//! The rebuild: log and feeds once more, in the order in which they were applied.
//!
//! It uses the very function that applied them, so the tables come out the same (INV-15) unless somebody changed them.

use std::collections::BTreeSet;

use rusqlite::Connection;
use sync_protocol::feed::FeedKind;

use super::document::Documents;
use super::project::{ApplyContext, Projector, Source};
use super::value::unsigned;
use super::{feed, log};
use crate::error::StoreError;
use crate::identity::NodeIdentity;

/// Empties the derived tables.
pub(crate) fn clear(conn: &Connection) -> Result<(), StoreError> {
    conn.execute_batch(
        "delete from document; delete from conflict; delete from decision; delete from parked_item;
         delete from repair_order; delete from order_text; delete from import_record; delete from customer;
         delete from inventory_setting; delete from movement; delete from stock; delete from reservation;
         delete from transfer_record; delete from transfer; delete from branch; delete from staff;
         delete from credential; delete from part; delete from preset; delete from company;
         delete from availability; delete from known_node; delete from closed_line; delete from erased_person;
         delete from verdict; delete from audit_note; delete from log_header;
         delete from barcode; delete from receipt; delete from order_money; delete from refund;
         delete from refund_asked; delete from payment_record; delete from payment; delete from cash_session;
         delete from cash_move; delete from money_entry; delete from money_balance; delete from paper_series;
         delete from hold; delete from day_closed; delete from till_rules; delete from account;",
    )?;
    Ok(())
}

/// Applies all entries of `from` to the empty derived tables of `to`; how many there were.
pub(crate) fn replay(
    from: &Connection,
    to: &Connection,
    identity: &NodeIdentity,
) -> Result<u64, StoreError> {
    let mut documents = Documents::default();
    let mut touched = BTreeSet::new();
    let mut order = from.prepare("select source, n from apply_order order by ord")?;
    let mut rows = order.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let (source, n): (i64, u64) = (row.get(0)?, unsigned(row, 1)?);
        let mut projector = Projector::new(to, identity, &mut documents, &mut touched);
        apply_one(from, &mut projector, identity, source, n)?;
        documents.keep_job();
        documents.commit();
        touched.clear();
        count += 1;
    }
    log::header::fill(from, to)?;
    Ok(count)
}

fn apply_one(
    from: &Connection,
    projector: &mut Projector<'_>,
    identity: &NodeIdentity,
    source: i64,
    n: u64,
) -> Result<(), StoreError> {
    if source == log::SOURCE_OWN {
        // An entry that is missing or does not read is named by the checks of the log; the rest is replayed.
        let entry = match log::entry(from, identity, n) {
            Ok(Some(entry)) => entry,
            Ok(None) | Err(StoreError::Decode(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let cx = ApplyContext {
            origin: entry.position,
            header: entry.transaction.header,
            source: Source::Own,
        };
        for (index, item) in (0..).zip(&entry.transaction.items) {
            projector.apply_raw(&cx, index, item)?;
        }
        return Ok(());
    }
    let kind = u8::try_from(source)
        .ok()
        .and_then(|number| FeedKind::from_number(number).ok());
    match (kind, feed::entry(from, source, n)) {
        (Some(kind), Ok(Some((entry, _)))) => feed::apply_items(projector, kind, &entry),
        (None, _) | (_, Ok(None) | Err(StoreError::Decode(_))) => Ok(()),
        (_, Err(error)) => Err(error),
    }
}
