//! The workers of a serving process: group commit, availability, pieces found
//! again, orders of joined persons, parked changes whose lack is made good, nights, other hub processes, retention.
//!
//! A worker waits and calls use cases; it holds no rule of the chain. Each ends at the same signal, after what it is
//! doing.

mod availability;
mod joined;
mod lacking;
mod night;
mod others;
mod outbox;
mod retention;
mod statement;
mod transit;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::app::Hub;
use crate::app::ingest::Submission;

/// The workers of a serving process.
#[derive(Debug)]
pub struct Workers {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Workers {
    pub(crate) fn start(hub: &Arc<Hub>, queue: Option<mpsc::Receiver<Submission>>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = Vec::new();
        if let Some(queue) = queue {
            tasks.push(tokio::spawn(hub.clone().run_ingest(queue, stopped.clone())));
            tasks.push(tokio::spawn(availability::run(
                hub.clone(),
                stopped.clone(),
            )));
            tasks.push(tokio::spawn(others::run(hub.clone(), stopped.clone())));
            tasks.push(tokio::spawn(joined::run(hub.clone(), stopped.clone())));
            tasks.push(tokio::spawn(lacking::run(hub.clone(), stopped.clone())));
            tasks.push(tokio::spawn(statement::run(hub.clone(), stopped.clone())));
            tasks.push(tokio::spawn(outbox::run(hub.clone(), stopped.clone())));
            tasks.push(tokio::spawn(transit::run(hub.clone(), stopped.clone())));
            tasks.push(tokio::spawn(night::run(hub.clone(), stopped.clone())));
            tasks.push(tokio::spawn(retention::run(hub.clone(), stopped)));
        }
        Workers { stop, tasks }
    }

    /// Ends the workers after what they are doing; what was not committed is not acknowledged.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a worker ended badly");
            }
        }
    }
}
