//! When availability is cut: every few minutes, and shortly after a part reached or left zero.
//!
//! A cut that failed is made at the next turn, which tells at least as much.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::app::Hub;

pub(super) async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    let (every, delay) = (
        hub.options().availability_every,
        hub.options().availability_delay,
    );
    let mut next_cut = Instant::now() + every;
    while !*stopped.borrow() {
        let mut until = next_cut;
        let mut only_zero = false;
        tokio::select! {
            () = sleep_until(next_cut) => {}
            () = hub.zero_crossed() => {
                until = Instant::now() + delay;
                only_zero = true;
            }
            _ = stopped.changed() => continue,
        }
        tokio::select! {
            () = sleep_until(until) => {}
            _ = stopped.changed() => continue,
        }
        if !only_zero {
            next_cut = Instant::now() + every;
        }
        if let Err(error) = hub.cut_availability(only_zero).await {
            tracing::warn!(%error, "availability is cut later");
        }
    }
}
