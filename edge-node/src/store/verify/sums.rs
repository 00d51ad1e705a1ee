//! What holds inside the tables by themselves: documents load, sums are sums, sealed values open.

use domain::id::{BranchId, DocumentId, PartId};
use domain::seal::open_at_rest;
use rusqlite::Connection;

use super::super::value::{Bytes, Id};
use super::super::{document, person};
use super::{Differences, hex};
use crate::error::StoreError;
use crate::identity::NodeIdentity;

/// SQLite's own check of pages, indexes and the words for search.
pub(super) fn database_form(
    conn: &Connection,
    differences: &mut Differences,
) -> Result<(), StoreError> {
    let mut statement = conn.prepare("pragma integrity_check(100)")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let said: String = row.get(0)?;
        if said != "ok" {
            differences.add("sqlite", "integrity_check", said);
        }
    }
    Ok(())
}

/// Every document's bytes load with the heads of its row (INV-23).
pub(super) fn documents(
    conn: &Connection,
    differences: &mut Differences,
) -> Result<(), StoreError> {
    let mut statement = conn.prepare("select id from document order by id")?;
    let ids = statement.query_map([], |row| Ok(row.get::<_, Id<DocumentId>>(0)?.0))?;
    for id in ids {
        let id = id?;
        if let Err(error) = document::load(conn, id) {
            differences.add("document", id, error.to_string());
        }
    }
    Ok(())
}

/// On hand is the sum of the movements that count, reserved that of the open reservations.
pub(super) fn ledger(
    conn: &Connection,
    identity: &NodeIdentity,
    differences: &mut Differences,
) -> Result<(), StoreError> {
    let mut statement = conn.prepare(
        "select part, on_hand, reserved, movements, (
                 select coalesce(sum(case when m.superseded = 1 then 0 when m.to_account = 1 then m.quantity
                     when m.from_account = 1 then -m.quantity else 0 end), 0)
                 from movement m where m.part = s.part and m.branch = ?1),
             (select coalesce(sum(r.quantity), 0) from reservation r where r.part = s.part and r.open = 1),
             (select count(*) from movement m where m.part = s.part and m.branch = ?1 and m.kind not in (12, 13))
         from stock s order by part",
    )?;
    let mut rows = statement.query([Id::<BranchId>(identity.branch)])?;
    while let Some(row) = rows.next()? {
        let part = row.get::<_, Id<PartId>>(0)?.0;
        let number = |index: usize| row.get::<_, i64>(index);
        let (on_hand, reserved, movements) = (number(1)?, number(2)?, number(3)?);
        let (moved, held, count) = (number(4)?, number(5)?, number(6)?);
        if on_hand != moved {
            differences.add(
                "stock",
                part,
                format!("on hand is {on_hand}, its movements come to {moved}"),
            );
        }
        if reserved != held {
            differences.add(
                "stock",
                part,
                format!("reserved is {reserved}, open reservations come to {held}"),
            );
        }
        if movements != count {
            differences.add(
                "stock",
                part,
                format!("it counts {movements} movements, the ledger has {count}"),
            );
        }
    }
    Ok(())
}

/// Keys and answers open under the storage key, and so do the values of the customers taken in here.
pub(super) fn keys(
    conn: &Connection,
    identity: &NodeIdentity,
    storage_key: &[u8; 32],
    differences: &mut Differences,
) -> Result<(), StoreError> {
    for id in person::unopened(conn, storage_key)? {
        let is_ours: bool = conn
            .prepare_cached(
                "select home = ?2 and not exists (select 1 from erased_person where person = ?1)
                 from customer where id = ?1",
            )?
            .query_row((Id(id), Id(identity.branch)), |row| row.get(0))?;
        if is_ours {
            differences.add(
                "person_key",
                id,
                "the person's values do not open with the keys that are here",
            );
        }
    }
    let mut statement =
        conn.prepare("select key_hash, answer from idempotency order by key_hash")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let key_hash = row.get::<_, Bytes<32>>(0)?.0;
        let answer: Vec<u8> = row.get(1)?;
        if open_at_rest(storage_key, &key_hash, &answer).is_err() {
            differences.add(
                "idempotency",
                hex(&key_hash),
                "the stored answer does not open",
            );
        }
    }
    Ok(())
}
