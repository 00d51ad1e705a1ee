//! How much a branch holds, in counts.

use domain::id::BranchId;
use sqlx::PgConnection;

use crate::store::ids::AsUuid;

/// Counts over a branch's stock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// Parts of which something is on hand.
    pub parts: i64,
    /// Pieces on hand.
    pub pieces: i64,
    /// Pieces reserved for orders.
    pub reserved: i64,
    /// Parts below zero.
    pub below_zero: i64,
}

/// What a branch holds.
pub async fn held(connection: &mut PgConnection, branch: BranchId) -> Result<Held, sqlx::Error> {
    let (parts, pieces, reserved, below_zero): (i64, i64, i64, i64) = sqlx::query_as(
        "select count(*) filter (where on_hand > 0), coalesce(sum(on_hand) filter (where on_hand > 0), 0)::bigint,
            coalesce(sum(reserved), 0)::bigint, count(*) filter (where on_hand < 0)
         from inventory.stock where branch_id = $1",
    )
    .bind(branch.uuid())
    .fetch_one(connection)
    .await?;
    Ok(Held {
        parts,
        pieces,
        reserved,
        below_zero,
    })
}
