//! Deletes what nobody can use any more: sessions that ended, answers of keys older than 30 days.
//!
//! Late or never makes no difference to anybody: what is old does not count where it is read.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::Hub;
use crate::app::session::purge;

const EVERY: Duration = Duration::from_secs(3_600);

pub(super) async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !*stopped.borrow() {
        tokio::select! {
            _ = ticks.tick() => match purge(&hub).await {
                Ok(0) => {}
                Ok(count) => tracing::debug!(count, "ended sessions and old answers deleted"),
                Err(error) => tracing::debug!(%error, "nothing could be deleted now"),
            },
            _ = stopped.changed() => {}
        }
    }
}
