//! What happens, as server-sent events: which things changed, the line to the hub, imports.
//!
//! Events hold ids and figures; what they are about is asked for under the caller's rights. A connection begins with
//! `resync`, and a reader that was too slow gets another one. It ends with the program and with the session.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{Stream, unfold};
use serde::Serialize;
use serde_json::json;
use tokio::sync::{broadcast, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};
use web_kit::LiveEvent;

use super::caller::Caller;
use super::state::EdgeState;
use crate::store::{Notice, Touched};
use crate::sync::LinkStatus;

/// The events that pages listen to.
pub const EVENT_NAMES: &[&str] = &[
    "orders-changed",
    "customers-changed",
    "stock-changed",
    "transfers-changed",
    "money-changed",
    "rows-changed",
    "status-changed",
    "import-progress",
];

const CHECK_S: u64 = 10;

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ImportProgress {
    /// Which import, counted since the program started.
    pub import: u64,
    /// Rows read.
    pub read: u64,
    /// Orders made.
    pub created: u64,
    /// Orders whose record had changed.
    pub changed: u64,
    /// Records that were there already.
    pub skipped: u64,
    /// Rows that do not read.
    pub rejected: u64,
    /// Whether it came to its end.
    pub done: bool,
}

struct Source {
    state: EdgeState,
    caller: Caller,
    notices: broadcast::Receiver<Arc<Notice>>,
    link: watch::Receiver<LinkStatus>,
    imports: broadcast::Receiver<ImportProgress>,
    stop: watch::Receiver<bool>,
    check: Interval,
    waiting: Vec<LiveEvent>,
}

/// The events of one connection.
pub fn events(state: EdgeState, caller: Caller) -> impl Stream<Item = LiveEvent> + Send + 'static {
    let mut check = interval(Duration::from_secs(CHECK_S));
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let source = Source {
        notices: state.store().notices(),
        link: state.sync().watch(),
        imports: state.imports(),
        stop: state.stopping(),
        state,
        caller,
        check,
        waiting: vec![LiveEvent::resync()],
    };
    unfold(source, |mut source| async move {
        source.next().await.map(|event| (event, source))
    })
}

impl Source {
    async fn next(&mut self) -> Option<LiveEvent> {
        loop {
            if let Some(event) = self.waiting.pop() {
                return Some(event);
            }
            tokio::select! {
                notice = self.notices.recv() => match notice {
                    Ok(notice) => self.waiting = of_notice(&notice),
                    Err(broadcast::error::RecvError::Lagged(_)) => return Some(LiveEvent::resync()),
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                moved = self.link.changed() => {
                    moved.ok()?;
                    return Some(LiveEvent::named("status-changed", &json!({})));
                }
                progress = self.imports.recv() => match progress {
                    Ok(progress) => return Some(LiveEvent::named("import-progress", &progress)),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                () = stopped(&mut self.stop) => return None,
                _ = self.check.tick() => {
                    // An open page is somebody who looks at the line.
                    self.state.sync().touch();
                    if !self.caller.is_still_valid(&self.state).await {
                        return None;
                    }
                }
            }
        }
    }
}

/// Waits until the program is to end, or is gone.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stop| *stop).await);
}

/// One event per kind of thing, whatever the number of things.
fn of_notice(notice: &Notice) -> Vec<LiveEvent> {
    let mut orders = Vec::new();
    let mut customers = Vec::new();
    let mut parts = Vec::new();
    let mut transfers = Vec::new();
    let mut kinds = Vec::new();
    let mut settings = false;
    let mut money = false;
    let mut status = false;
    for touched in &notice.touched {
        match touched {
            Touched::Order(id) => orders.push(id.to_string()),
            Touched::Customer(id) => customers.push(id.to_string()),
            Touched::Inventory(_) => settings = true,
            Touched::Stock(part) => parts.push(part.to_string()),
            Touched::Transfer(id) => transfers.push(id.to_string()),
            Touched::Rows(kind) => kinds.push(*kind),
            Touched::Money => money = true,
            Touched::Exceptions | Touched::Sync => status = true,
        }
    }
    let seq = notice.tip.seq;
    let lists = [
        ("orders-changed", orders),
        ("customers-changed", customers),
        ("stock-changed", parts),
        ("transfers-changed", transfers),
    ];
    // Where a part lies and when to reorder it stands in the lists of stock.
    let mut events: Vec<LiveEvent> = lists
        .into_iter()
        .filter(|(name, ids)| !ids.is_empty() || (settings && *name == "stock-changed"))
        .map(|(name, ids)| LiveEvent::named(name, &json!({ "ids": ids, "seq": seq })))
        .collect();
    if !kinds.is_empty() {
        events.push(LiveEvent::named("rows-changed", &json!({ "kinds": kinds })));
    }
    if money {
        events.push(LiveEvent::named("money-changed", &json!({ "seq": seq })));
    }
    let written = notice
        .touched
        .iter()
        .any(|touched| !matches!(touched, Touched::Rows(_)));
    if status || written {
        // What waits to go out changes with every write.
        events.push(LiveEvent::named("status-changed", &json!({})));
    }
    events.reverse();
    events
}
