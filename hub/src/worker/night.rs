//! Nights by themselves: every minute those that are due at the hour of each branch, at once those of days whose word
//! came late, and those that had found a log red which is mended by now.
//!
//! What is due follows from what was done, so a hub that slept makes up for what it missed, each night once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast::error::RecvError, watch};
use tokio::time::{Instant, sleep_until};

use crate::app::Hub;
use crate::app::reconcile::{Done, run_due, run_mended};
use crate::app::watch::Topic;
use crate::error::HubError;

const EVERY: Duration = Duration::from_secs(60);
/// Words of several branches come together when a line returns.
const SOON: Duration = Duration::from_secs(2);

pub(super) async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    let mut news = hub.activity();
    while !*stopped.borrow() {
        let began = Instant::now();
        let nights = run_all(&hub);
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

/// A hub without an hour for nights still does those again that it was asked for and that a mended log changes.
async fn run_all(hub: &Arc<Hub>) -> Result<Vec<Done>, HubError> {
    let now_ms = hub.env().now_ms();
    let mut done = run_mended(hub, now_ms).await?;
    if let Some(hour) = hub.options().night_hour {
        done.extend(run_due(hub, now_ms, hour).await?);
    }
    Ok(done)
}
