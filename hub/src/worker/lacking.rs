//! When parked changes are looked at that hang on a change which was not here: at the start, when their documents change or
//! a log is whole again, and every minute for what other processes did.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::id::DocumentId;
use tokio::sync::broadcast::Receiver;
use tokio::sync::{broadcast::error::RecvError, watch};
use tokio::time::{Instant, sleep_until};

use crate::app::Hub;
use crate::app::lacking::release_ready;
use crate::app::watch::{Activity, Topic};

/// All of them are looked at after this long at the latest.
const EVERY: Duration = Duration::from_secs(60);
/// Changes come all the time; their documents are looked at together.
const TOGETHER: Duration = Duration::from_millis(500);

pub(super) async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    let mut news = hub.activity();
    // None: all that there are.
    let mut documents: Option<BTreeSet<DocumentId>> = None;
    while !*stopped.borrow() {
        match release_ready(&hub, documents.as_ref()).await {
            Ok(0) => {}
            Ok(transactions) => tracing::info!(transactions, "parked changes were released"),
            Err(error) => tracing::warn!(%error, "parked changes are looked at later"),
        }
        tokio::select! {
            next = next_documents(&mut news) => match next {
                Some(next) => documents = next,
                None => return,
            },
            _ = stopped.changed() => {}
        }
    }
}

/// What to look at next; nothing where the hub is gone. The inner `None` is all.
async fn next_documents(news: &mut Receiver<Activity>) -> Option<Option<BTreeSet<DocumentId>>> {
    let all_at = Instant::now() + EVERY;
    let mut until = all_at;
    let mut documents = Some(BTreeSet::new());
    loop {
        let heard = tokio::select! {
            heard = news.recv() => heard,
            () = sleep_until(until) => return Some(documents.filter(|documents| !documents.is_empty())),
        };
        match heard {
            Ok(news) if news.topics.contains(&Topic::Parked) => documents = None,
            Ok(news) if news.documents.is_empty() => continue,
            Ok(news) => {
                if let Some(documents) = &mut documents {
                    documents.extend(news.documents);
                }
            }
            Err(RecvError::Lagged(_)) => documents = None,
            Err(RecvError::Closed) => return None,
        }
        until = until.min(Instant::now() + TOGETHER);
    }
}
