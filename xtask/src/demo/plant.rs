//! Damage on purpose: each fault is written past the product, straight into a database, so that the check has
//! something true to find.

use anyhow::{Context as _, Result, ensure};
use rusqlite::Connection;

use super::chain::Chain;
use super::databases;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Fault {
    /// An order vanishes from a branch's tables
    LoseOrder,
    /// An order stands twice in a branch's tables
    DoubleOrder,
    /// A bit of a transaction in a branch's log is turned over
    FlipLogByte,
    /// A movement takes stock without giving it to any account
    OneLegMovement,
    /// An order's status is changed in the hub's table
    EditHubRow,
}

pub(crate) async fn plant(fault: Fault, chain: &Chain) -> Result<()> {
    match fault {
        Fault::EditHubRow => {
            let url = chain.file()?.hub.database_url;
            let changed = databases::hub_execute(
                &url,
                "update orders.repair_order set status = 'cancelled', outcome = null
                 where (branch_id, document) = (select branch_id, document from orders.repair_order
                                                where status = 'collected' order by branch_id, document limit 1)",
            )
            .await?;
            ensure!(
                changed == 1,
                "there was no collected order to edit at the hub"
            );
            Ok(())
        }
        fault => {
            let path = chain.branch_dir(0).join("counterpart.db");
            let mut conn =
                Connection::open(&path).with_context(|| format!("opening {}", path.display()))?;
            conn.busy_timeout(std::time::Duration::from_secs(10))?;
            at_branch(fault, &mut conn)
        }
    }
}

fn at_branch(fault: Fault, conn: &mut Connection) -> Result<()> {
    let changed = match fault {
        Fault::LoseOrder => conn.execute(
            "delete from repair_order where row = (select max(row) from repair_order where source is null)",
            [],
        )?,
        Fault::DoubleOrder => conn.execute(
            "insert into repair_order select (select max(row) + 1 from repair_order), randomblob(16), number, branch,
                 visit, customer, status, outcome, technician, urgent, promised_at, created_at, updated_at, source,
                 serial, own_seq, view
             from repair_order where row = (select max(row) from repair_order where source is not null)",
            [],
        )?,
        Fault::FlipLogByte => flip(conn)?,
        Fault::OneLegMovement => conn.execute(
            "update movement set to_account = from_account
             where row = (select max(row) from movement where to_account = 1)",
            [],
        )?,
        Fault::EditHubRow => 0,
    };
    ensure!(
        changed == 1,
        "there was nothing at the branch to plant the fault in"
    );
    Ok(())
}

fn flip(conn: &mut Connection) -> Result<usize> {
    let middle = "select seq, bytes from log_entry order by abs(seq - (select max(seq) / 2 from log_entry)) limit 1";
    let (seq, mut bytes): (i64, Vec<u8>) =
        conn.query_row(middle, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    Ok(conn.execute(
        "update log_entry set bytes = ?1 where seq = ?2",
        (&bytes, seq),
    )?)
}
