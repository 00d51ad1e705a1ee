//! Nights by themselves: every minute those that are due at the hour of each branch, and at once those of days whose
//! word came late.
//!
//! What is due follows from what was done, so a hub that slept makes up for what it missed, each night once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast::error::RecvError, watch};
use tokio::time::{Instant, sleep_until};

use crate::app::Hub;
use crate::app::reconcile::run_due;
use crate::app::watch::Topic;

const EVERY: Duration = Duration::from_secs(60);
/// Words of several branches come together when a line returns.
const SOON: Duration = Duration::from_secs(2);

pub(super) async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    let Some(hour) = hub.options().night_hour else {
        return;
    };
    let mut news = hub.activity();
    while !*stopped.borrow() {
        let began = Instant::now();
        let nights = run_due(&hub, hub.env().now_ms(), hour);
        let done = tokio::select! {
            done = nights => done,
            _ = stopped.changed() => return,
        };
        match done {
            Ok(done) => {
                for night in done {
                    tracing::info!(
                        branch = night.branch,
                        day = night.business_date,
                        run = night.run,
                        state = night.state,
                        "night"
                    );
                }
            }
            Err(error) => tracing::warn!(%error, "nights are done later"),
        }
        // What this turn said itself is no news.
        news = news.resubscribe();
        let woken = async {
            loop {
                match news.recv().await {
                    Ok(news) if !news.topics.contains(&Topic::Nights) => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => return true,
                    Err(RecvError::Closed) => return false,
                }
            }
        };
        tokio::select! {
            () = sleep_until(began + EVERY) => {}
            is_open = woken => {
                if !is_open {
                    return;
                }
                tokio::select! {
                    () = sleep_until(Instant::now() + SOON) => {}
                    _ = stopped.changed() => {}
                }
            }
            _ = stopped.changed() => {}
        }
    }
}
