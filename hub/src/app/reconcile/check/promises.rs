//! Cards that are promised: the branch's limit, and their age.

use domain::reconcile::{Outcome, PromiseFacts, judge_promises};

use super::Ground;
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::reconciliation::day::Word;
use crate::store::reconciliation::payments as store;

pub(super) async fn check(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
    word: &Word,
) -> Result<Outcome, HubError> {
    let branch = ground.branch.id;
    let currency = word.closed.currency;
    let rules = store::rules(sql, branch).await?;
    let (count, open_minor, open) =
        store::promises(sql, branch, currency, ground.day.end_ms).await?;
    let facts = PromiseFacts {
        currency,
        limit_minor: rules.promise_limit_minor,
        days: rules.promise_days,
        count,
        open_minor,
        open,
    };
    Ok(judge_promises(&facts, &ground.day))
}
