//! What a branch does by itself as time goes by: goods that were kept for a payment go back, business days end.
//!
//! Both are facts of the branch's own log and need nobody else, so they happen while cut off as well.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::{day, payment};
use crate::store::Store;

/// How often the clock is looked at.
const EVERY: Duration = Duration::from_secs(20);
/// The hour of the night at which the business day before is closed.
const DAY_ENDS_HOUR: u8 = 2;

/// Runs until the program is to end.
pub(super) async fn run(store: Store, mut stopping: watch::Receiver<bool>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        if let Err(error) = store.write(payment::end_holds).await {
            tracing::warn!(%error, "goods that were kept for a payment did not go back");
        }
        match store.write(|tx| day::close_passed(tx, DAY_ENDS_HOUR)).await {
            Ok(0) => {}
            Ok(days) => tracing::info!(days, "business days closed"),
            Err(error) => tracing::warn!(%error, "a business day was not closed"),
        }
    }
}
