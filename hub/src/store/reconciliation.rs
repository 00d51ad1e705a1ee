//! Nights: what the hub had when a branch closed its day, and what was found.

pub mod again;
pub mod day;
pub mod documents;
pub mod goods;
pub mod ledger;
pub mod line;
pub mod orders;
pub mod papers;
pub mod payments;
pub mod run;
pub mod tables;

use domain::id::BranchId;
use sqlx::PgConnection;
use sync_protocol::feed::FeedId;
use sync_protocol::hash::digest_of_documents;
use sync_protocol::position::Position;

use crate::error::HubError;
use crate::store::ids::{AsUuid, big, node_number};
use crate::store::sync::document::hashes_of_branch;

/// Keeps the documents of a branch as the hub has them at this position, for its word at the end of a day.
pub async fn hold_against(
    connection: &mut PgConnection,
    branch: BranchId,
    position: Position,
    now_ms: i64,
) -> Result<(), HubError> {
    let hashes = hashes_of_branch(connection, branch).await?;
    let count = i64::try_from(hashes.len()).unwrap_or(i64::MAX);
    let digest = digest_of_documents(hashes);
    sqlx::query(
        "insert into reconciliation.held_against
         values ($1, $2, $3, $4, $5, $6, coalesce((select n from sync.feed where feed = $7), 0), $8)
         on conflict do nothing",
    )
    .bind(branch.uuid())
    .bind(node_number(position.node))
    .bind(big(position.epoch.0))
    .bind(big(position.seq))
    .bind(count)
    .bind(digest.as_slice())
    .bind(FeedId::private(branch).to_bytes().as_slice())
    .bind(now_ms)
    .execute(connection)
    .await?;
    Ok(())
}
