//! Orders that were collected, and those that are past their promise.

use domain::order::totals;
use domain::reconcile::{DAY_MS, OrdersFacts, Outcome, UninvoicedOrder, judge_orders};

use super::Ground;
use crate::app::reconcile::day::span_of;
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::reconciliation::day::first_day;
use crate::store::reconciliation::orders as store;

/// Orders that were collected so many days ago were judged by earlier nights.
const DAYS: i64 = 31;

pub(super) async fn check(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
) -> Result<Outcome, HubError> {
    let branch = ground.branch.id;
    // Before its first day with a till a branch wrote no invoices.
    let first = first_day(sql, branch).await?.unwrap_or(ground.day.day);
    let first_ms = span_of(first, &ground.branch.time_zone).start_ms;
    let since_ms = first_ms.max(ground.day.end_ms - DAYS * DAY_MS);
    let end_ms = ground.day.end_ms;
    let (collected, open, past_promise) = store::counts(sql, branch, since_ms, end_ms).await?;
    let overdue = match past_promise {
        0 => Vec::new(),
        _ => store::overdue(sql, branch, end_ms).await?,
    };
    let uninvoiced = store::uninvoiced(sql, branch, since_ms, end_ms).await?;
    let facts = OrdersFacts {
        collected: collected.unsigned_abs(),
        open: open.unsigned_abs(),
        past_promise: past_promise.unsigned_abs(),
        overdue,
        uninvoiced: uninvoiced
            .into_iter()
            .map(|(order, view)| UninvoicedOrder {
                order,
                gross_minor: totals(&view).map_or(i64::MAX, |totals| totals.gross_minor),
                currency: view.currency,
                number: view.number,
            })
            .collect(),
    };
    Ok(judge_orders(&facts, &ground.day))
}
