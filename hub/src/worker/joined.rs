//! Points orders that name somebody who was joined with another to the one that stays: at the start, after a join, and
//! when a branch sends orders that it wrote before it heard of one.
//!
//! Pages show the one that stays in any case; late is only untidy.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast::error::RecvError, watch};
use tokio::time::{Instant, sleep_until};

use crate::app::Hub;
use crate::app::watch::Topic;

/// Orders come all the time; they are looked at together.
const EVERY: Duration = Duration::from_secs(2);

pub(super) async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    let mut news = hub.activity();
    while !*stopped.borrow() {
        let next = Instant::now() + EVERY;
        match hub.point_late_orders().await {
            Ok(0) => {}
            Ok(orders) => tracing::info!(orders, "orders were pointed to the person that stays"),
            Err(error) => tracing::warn!(%error, "orders of joined persons are pointed later"),
        }
        let changed = async {
            sleep_until(next).await;
            loop {
                match news.recv().await {
                    Ok(news) if !concerns(&news.topics) => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => return true,
                    Err(RecvError::Closed) => return false,
                }
            }
        };
        tokio::select! {
            is_open = changed => if !is_open { return },
            _ = stopped.changed() => {}
        }
    }
}

fn concerns<'a>(topics: impl IntoIterator<Item = &'a Topic>) -> bool {
    topics
        .into_iter()
        .any(|topic| matches!(topic, Topic::Orders | Topic::Customers))
}
