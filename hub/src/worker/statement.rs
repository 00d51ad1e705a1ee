//! Takes in what is new in the statement of the card provider, once an hour.
//!
//! Lines are taken once by their names, so taking the statement twice does no harm.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::Hub;
use crate::app::money::settle::take_statement;

const EVERY: Duration = Duration::from_secs(60 * 60);

pub(super) async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        match take_statement(&hub).await {
            Ok(None | Some(0)) => {}
            Ok(Some(lines)) => tracing::info!(lines, "lines of the provider's statement taken in"),
            Err(error) => tracing::warn!(%error, "the provider's statement is taken in later"),
        }
    }
}
