//! Words of branches at the end of a day, and what the hub had when it took them.

use domain::day::DayClosed;
use domain::id::BranchId;
use domain::reconcile::DocumentsHeld;
use sqlx::PgConnection;
use sqlx::types::Uuid;
use sync_protocol::item::decode_body;
use sync_protocol::position::{Epoch, NodeId};

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, big, hash_of, node_number, node_of, unsigned};

/// A branch's word and its place in the log.
#[derive(Debug, Clone)]
pub struct Word {
    /// The branch.
    pub branch: BranchId,
    /// The machine that wrote it.
    pub node: NodeId,
    /// Its epoch.
    pub epoch: Epoch,
    /// The transaction.
    pub seq: u64,
    /// Where that stands in the apply order.
    pub ord: i64,
    /// When, as the branch saw it.
    pub at_ms: i64,
    /// What it says.
    pub closed: DayClosed,
}

type Raw = (i64, i64, i64, i64, i64, Vec<u8>);

/// The newest word of a branch on a day.
pub async fn word(
    connection: &mut PgConnection,
    branch: BranchId,
    day: i32,
) -> Result<Option<Word>, HubError> {
    let row: Option<Raw> = sqlx::query_as(
        "select node, epoch, seq, ord, at_ms, body from reconciliation.day_closed
         where branch_id = $1 and business_day = $2 order by ord desc, seq desc, item desc limit 1",
    )
    .bind(branch.uuid())
    .bind(day)
    .fetch_optional(connection)
    .await?;
    row.map(|(node, epoch, seq, ord, at_ms, body)| {
        Ok(Word {
            branch,
            node: node_of(node)?,
            epoch: Epoch(unsigned(epoch)),
            seq: unsigned(seq),
            ord,
            at_ms,
            closed: decode_body(&body, "DayClosed")?,
        })
    })
    .transpose()
}

/// What the hub had when it took a word, and when that was by its clock.
pub async fn held(
    connection: &mut PgConnection,
    word: &Word,
) -> Result<Option<(DocumentsHeld, i64)>, HubError> {
    let row: Option<(i64, Vec<u8>, i64, i64)> = sqlx::query_as(
        "select documents, documents_digest, feed_head, taken_ms from reconciliation.held_against
         where branch_id = $1 and node = $2 and epoch = $3 and seq = $4",
    )
    .bind(word.branch.uuid())
    .bind(node_number(word.node))
    .bind(big(word.epoch.0))
    .bind(big(word.seq))
    .fetch_optional(connection)
    .await?;
    row.map(|(documents, digest, feed_head, taken_ms)| {
        let held = DocumentsHeld {
            count: unsigned(documents),
            digest: hash_of(&digest)?,
            feed_head: unsigned(feed_head),
        };
        Ok((held, taken_ms))
    })
    .transpose()
}

/// The first day of which a branch gave a word or wrote money.
pub async fn first_day(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<Option<i32>, sqlx::Error> {
    sqlx::query_scalar(
        "select least(
            (select min(business_day) from reconciliation.day_closed where branch_id = $1),
            (select min(business_day) from payments.receipt where branch_id = $1))",
    )
    .bind(branch.uuid())
    .fetch_one(connection)
    .await
}

/// The first day behind this one of which a branch gave a word.
pub async fn next_word(
    connection: &mut PgConnection,
    branch: BranchId,
    day: i32,
) -> Result<Option<i32>, sqlx::Error> {
    sqlx::query_scalar(
        "select min(business_day) from reconciliation.day_closed where branch_id = $1 and business_day > $2",
    )
    .bind(branch.uuid())
    .bind(day)
    .fetch_one(connection)
    .await
}

/// A branch as the night needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NightBranch {
    /// The branch; nil for what belongs to none.
    pub id: BranchId,
    /// Its code.
    pub code: String,
    /// Its time zone.
    pub time_zone: String,
    /// Its currency.
    pub currency: String,
}

/// Every branch by its code.
pub async fn branches(connection: &mut PgConnection) -> Result<Vec<NightBranch>, sqlx::Error> {
    let rows: Vec<(Uuid, String, String, String)> = sqlx::query_as(
        "select branch, code, time_zone, currency from locations.branch where not deleted order by code, branch",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, code, time_zone, currency)| NightBranch {
            id: BranchId::of_uuid(id),
            code,
            time_zone,
            currency,
        })
        .collect())
}
