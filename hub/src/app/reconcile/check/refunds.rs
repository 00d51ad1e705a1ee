//! Money given back against what came.

use domain::reconcile::{Outcome, RefundsFacts, judge_refunds};

use super::Ground;
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::reconciliation::payments as store;

pub(super) async fn check(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
) -> Result<Outcome, HubError> {
    let branch = ground.branch.id;
    let (refunds, receipts_over) = store::refunds_of_day(sql, branch, ground.day.day).await?;
    let facts = RefundsFacts {
        refunds,
        over: store::over_repaid(sql, branch).await?,
        receipts_over,
        undecided: store::undecided(sql, branch, ground.day.end_ms).await?,
        due: store::repayments_due(sql, branch).await?,
    };
    Ok(judge_refunds(&facts, &ground.day, ground.patience))
}
