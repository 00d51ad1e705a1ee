//! Pieces set aside against open reservations.

use domain::reconcile::{Outcome, judge_reserved};

use super::Ground;
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::reconciliation::goods as store;

pub(super) async fn check(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
) -> Result<Outcome, HubError> {
    let (parts, open, off) = store::reserved(sql, ground.branch.id).await?;
    Ok(judge_reserved(
        parts.unsigned_abs(),
        open.unsigned_abs(),
        &off,
    ))
}
