//! What must hold whatever happened, read by SQL of the test's own.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use edge_node::identity::NodeIdentity;
use sqlx::{PgConnection, Row as _};
use sync_protocol::position::{Epoch, chain};
use sync_protocol::transaction::Transaction;
use tests::process::chain::Chain;
use tests::process::edge::Edge;

/// INV-9, INV-5 at a branch: the chain is unbroken from its first entry, and every quantity is what the movements and
/// the open reservations come to.
pub fn ensure_branch_is_sound(edge: &Edge) -> Result<()> {
    ensure_chain(edge)?;
    let database = edge.database()?;
    let wrong: i64 = database.query_row(
        "select count(*) from stock where on_hand <> (
             select coalesce(sum((to_account = 1) * quantity - (from_account = 1) * quantity), 0)
             from movement where movement.part = stock.part and superseded = 0)
           or movements <> (select count(*) from movement where movement.part = stock.part and kind not in (12, 13))
           or reserved <> (select coalesce(sum(quantity), 0) from reservation
                           where reservation.part = stock.part and open = 1)
           or on_hand < reserved",
        [],
        |row| row.get(0),
    )?;
    ensure!(
        wrong == 0,
        "{}: {wrong} parts do not equal their ledger",
        edge.code
    );
    Ok(())
}

/// INV-14: every feed ends at a head that the hub vouched for.
fn ensure_feeds_are_vouched_for(edge: &Edge) -> Result<()> {
    let bare: i64 = edge.database()?.query_row(
        "select count(*) from feed_cursor c
         where not exists (select 1 from feed_head h where (h.kind, h.n, h.running) = (c.kind, c.n, c.running))",
        [],
        |row| row.get(0),
    )?;
    ensure!(bare == 0, "{}: {bare} feeds end without a head", edge.code);
    Ok(())
}

fn ensure_chain(edge: &Edge) -> Result<()> {
    let database = edge.database()?;
    let mut hash = NodeIdentity::read(edge.dir())?.line_start();
    let mut expected = 1_u64;
    let mut rows =
        database.prepare("select seq, epoch, bytes, chain from log_entry order by seq")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let (seq, epoch): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (bytes, stored): (Vec<u8>, Vec<u8>) = (row.get(2)?, row.get(3)?);
        let (seq, epoch) = (u64::try_from(seq)?, Epoch(u64::try_from(epoch)?));
        hash = chain(&hash, epoch, seq, &Transaction::from_bytes(&bytes)?.hash());
        ensure!(
            seq == expected,
            "{}: entry {seq} follows {}",
            edge.code,
            expected - 1
        );
        ensure!(
            hash[..] == stored[..],
            "{}: the chain is broken at {seq}",
            edge.code
        );
        expected += 1;
    }
    Ok(())
}

/// Ids of the orders in a branch's tables.
pub fn orders_at_branch(edge: &Edge) -> Result<BTreeSet<String>> {
    let database = edge.database()?;
    let mut rows = database.prepare("select hex(id) from repair_order")?;
    let ids = rows.query_map([], |row| row.get::<_, String>(0))?;
    Ok(ids
        .map(|id| id.map(|id| id.to_lowercase()))
        .collect::<Result<_, _>>()?)
}

/// Ids of the orders of a branch in the hub's tables.
pub async fn orders_at_hub(hub: &mut PgConnection, branch_id: &str) -> Result<BTreeSet<String>> {
    let rows = sqlx::query(
        "select replace(document::text, '-', '') from orders.repair_order where branch_id = $1::text::uuid",
    );
    let rows = rows.bind(branch_id).fetch_all(hub).await?;
    Ok(rows.into_iter().map(|row| row.get(0)).collect())
}

/// A UUID as the two functions above give it.
pub fn plain_id(id: &str) -> String {
    id.replace('-', "")
}

/// Part → (on hand, reserved, movements).
type Stock = BTreeMap<String, (i64, i64, i64)>;

/// A branch's stock by its own tables.
pub fn stock_at_branch(edge: &Edge) -> Result<Stock> {
    let database = edge.database()?;
    let mut rows =
        database.prepare("select lower(hex(part)), on_hand, reserved, movements from stock")?;
    let rows = rows.query_map([], |row| {
        Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?)))
    })?;
    let all: Stock = rows.collect::<Result<_, _>>()?;
    Ok(moved(all))
}

/// A branch's stock by the hub's tables.
pub async fn stock_at_hub(hub: &mut PgConnection, branch_id: &str) -> Result<Stock> {
    let rows = sqlx::query(
        "select replace(part::text, '-', ''), on_hand, reserved, movements from inventory.stock
         where branch_id = $1::text::uuid",
    );
    let rows = rows.bind(branch_id).fetch_all(hub).await?;
    let all = rows
        .into_iter()
        .map(|row| (row.get(0), (row.get(1), row.get(2), row.get(3))))
        .collect();
    Ok(moved(all))
}

/// A part that never moved may have a row or none.
fn moved(all: Stock) -> Stock {
    all.into_iter()
        .filter(|(_, figures)| *figures != (0, 0, 0))
        .collect()
}

/// What must be so when every branch is level with the hub: digests, orders, quantities and counts of movements agree
/// (INV-4, INV-5b), and every branch is sound.
pub async fn ensure_converged(chain: &Chain) -> Result<()> {
    chain.until_level().await?;
    chain.ensure_equal().await?;
    let mut hub = chain.hub.connect().await?;
    for edge in &chain.edges {
        ensure_branch_is_sound(edge)?;
        ensure_feeds_are_vouched_for(edge)?;
        let (own, at_hub) = (
            orders_at_branch(edge)?,
            orders_at_hub(&mut hub, &edge.branch_id).await?,
        );
        ensure!(
            own == at_hub,
            "{}: {} orders, {} at the hub",
            edge.code,
            own.len(),
            at_hub.len()
        );
        let (own, at_hub) = (
            stock_at_branch(edge)?,
            stock_at_hub(&mut hub, &edge.branch_id).await?,
        );
        ensure!(
            own == at_hub,
            "{}: stock {own:?}, at the hub {at_hub:?}",
            edge.code
        );
    }
    Ok(())
}
