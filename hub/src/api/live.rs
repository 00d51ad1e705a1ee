//! What happens, as server-sent events: which things changed.
//!
//! Events hold no values; what they are about is asked for under the caller's rights. A connection begins with
//! `resync`, and a reader that was too slow gets another one. It ends with the program and with the session.

use std::time::Duration;

use futures_util::stream::{Stream, unfold};
use serde_json::json;
use tokio::sync::{broadcast, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};
use web_kit::LiveEvent;

use super::caller::Caller;
use super::state::HubState;
use crate::app::{Activity, Topic};

const CHECK_S: u64 = 10;

struct Source {
    state: HubState,
    caller: Caller,
    activity: broadcast::Receiver<Activity>,
    stop: watch::Receiver<bool>,
    check: Interval,
    waiting: Vec<LiveEvent>,
}

/// The events of one connection.
pub fn events(state: HubState, caller: Caller) -> impl Stream<Item = LiveEvent> + Send + 'static {
    let mut check = interval(Duration::from_secs(CHECK_S));
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let source = Source {
        activity: state.hub().activity(),
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
                activity = self.activity.recv() => match activity {
                    Ok(activity) => self.waiting = of_activity(&activity),
                    Err(broadcast::error::RecvError::Lagged(_)) => return Some(LiveEvent::resync()),
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                // The stream also ends when its watch is gone.
                () = async { drop(self.stop.wait_for(|stop| *stop).await) } => return None,
                _ = self.check.tick() => {
                    if !self.caller.is_still_valid(&self.state).await {
                        return None;
                    }
                }
            }
        }
    }
}

/// One event per topic.
fn of_activity(activity: &Activity) -> Vec<LiveEvent> {
    let ids: Vec<String> = activity.documents.iter().map(ToString::to_string).collect();
    let mut events: Vec<LiveEvent> = activity
        .topics
        .iter()
        .map(|topic| match topic {
            Topic::Orders | Topic::Customers => {
                LiveEvent::named(name_of(*topic), &json!({ "ids": ids }))
            }
            _ => LiveEvent::named(name_of(*topic), &json!({})),
        })
        .collect();
    if activity.topics.iter().any(|topic| {
        matches!(
            topic,
            Topic::Links | Topic::Branches | Topic::Exceptions | Topic::Parked
        )
    }) {
        events.push(LiveEvent::named("status-changed", &json!({})));
    }
    events
}

fn name_of(topic: Topic) -> &'static str {
    match topic {
        Topic::Orders => "orders-changed",
        Topic::Customers => "customers-changed",
        Topic::Stock => "stock-changed",
        Topic::Transfers => "transfers-changed",
        Topic::Branches => "branches-changed",
        Topic::Staff => "staff-changed",
        Topic::Parts => "parts-changed",
        Topic::Settings => "settings-changed",
        Topic::Parked => "parked-changed",
        Topic::Exceptions => "exceptions-changed",
        Topic::Money => "money-changed",
        Topic::Nights => "nights-changed",
        Topic::Links => "links-changed",
    }
}
