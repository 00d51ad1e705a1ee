//! Works off the outbox: at the start, when a commit may have put something in, and when a job is due again.
//!
//! What fails is due again by itself; nothing here decides when.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::app::{Hub, Topic};
use crate::store::sync::outbox;

/// The longest wait before the outbox is looked at again; another process may have left something in it.
const LONGEST: Duration = Duration::from_secs(5);
/// The wait after a database that did not answer.
const AFTER_ERROR: Duration = Duration::from_secs(2);

pub(super) async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    let mut activity = hub.activity();
    while !*stopped.borrow() {
        let wait = match hub.work_off().await {
            Ok(0) => next(&hub).await,
            Ok(_) => continue,
            Err(error) => {
                tracing::warn!(%error, "the outbox is worked off later");
                AFTER_ERROR
            }
        };
        let until = tokio::time::sleep(wait);
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => break,
                _ = stopped.wait_for(|stop| *stop) => return,
                told = activity.recv() => {
                    let is_money = told.map_or(true, |told| told.topics.contains(&Topic::Money));
                    if is_money {
                        break;
                    }
                }
            }
        }
    }
}

async fn next(hub: &Hub) -> Duration {
    let due_ms = match hub.pool().acquire().await {
        Ok(mut connection) => outbox::next_due(&mut connection).await.ok().flatten(),
        Err(_) => None,
    };
    let wait_ms = due_ms.map_or(i64::MAX, |due_ms| due_ms.saturating_sub(hub.env().now_ms()));
    let wait = Duration::from_millis(u64::try_from(wait_ms.max(50)).unwrap_or(u64::MAX));
    wait.min(LONGEST)
}
