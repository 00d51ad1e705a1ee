//! When commits of other hub processes are looked for: at their notice, or at the latest after [`POLL`].
//!
//! Notices are hints: a connection that breaks costs at most one wait.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::app::Hub;
use crate::store::db::PgListener;
use crate::store::notice;

/// Other processes' commits are found after this long at the latest.
const POLL: Duration = Duration::from_secs(5);

pub(super) async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    let mut listener = None;
    while !*stopped.borrow() {
        let wait = next_foreign_commit(&hub, &mut listener);
        tokio::select! {
            () = wait => {}
            _ = stopped.changed() => continue,
        }
        let followed = async {
            hub.follow_others().await?;
            hub.follow_mending().await
        };
        if let Err(error) = followed.await {
            tracing::debug!(%error, "other hub processes cannot be followed now");
            listener = None;
        }
    }
}

async fn next_foreign_commit(hub: &Hub, listener: &mut Option<PgListener>) {
    if listener.is_none() {
        *listener = notice::listen(hub.pool()).await.ok();
    }
    let deadline = Instant::now() + POLL;
    if let Some(active) = listener {
        loop {
            match timeout_at(deadline, active.recv()).await {
                Ok(Ok(notification)) if hub.is_own_notice(notification.payload()) => {}
                Ok(Err(_)) => break,
                _ => return,
            }
        }
        *listener = None;
    }
    sleep_until(deadline).await;
}
