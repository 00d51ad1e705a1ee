//! A stateful double of Stripe: the part of its API that the chain uses, with faults on demand.
//!
//! It keeps what it is told in memory, and in a file where it shall outlive its process, speaks Stripe's JSON and errors, honours idempotency keys, and signs its webhooks.
//! The official SDK drives it in a test, so that it stays honest. Loopback only, ids by counter, no randomness, and no
//! rule of the chain: it knows money as Stripe does.

mod answer;
mod balance;
mod charge;
mod control;
mod expand;
mod fault;
mod form;
mod intent;
mod keys;
mod link;
mod reader;
mod refund;
mod routes;
mod server;
mod webhook;
mod world;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use server::Shared;
use webhook::Courier;
use world::{Saved, World};

pub use webhook::signature;

/// How the double is set up.
#[derive(Debug, Clone)]
pub struct FakeOptions {
    /// Where it listens; port 0 takes any.
    pub listen: SocketAddr,
    /// The secret key that it knows.
    pub key: String,
    /// What signs its webhooks.
    pub webhook_secret: String,
    /// Where webhooks go; none sends none until a call of `/_fake/webhooks` says where.
    pub webhook_url: Option<String>,
    /// What it keeps of a charge, in basis points …
    pub fee_bp: i64,
    /// … and per charge.
    pub fee_fixed: i64,
    /// The file that keeps its state from one start to the next; none forgets it.
    pub state: Option<PathBuf>,
}

impl Default for FakeOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            key: "sk_test_counterpart".to_owned(),
            webhook_secret: "whsec_counterpart".to_owned(),
            webhook_url: None,
            fee_bp: 140,
            fee_fixed: 25,
            state: None,
        }
    }
}

/// A running double; it ends when dropped.
#[derive(Debug)]
pub struct FakeStripe {
    address: SocketAddr,
    http: reqwest::Client,
    tasks: Vec<JoinHandle<()>>,
    shared: Arc<Shared>,
    state: Option<PathBuf>,
}

impl Drop for FakeStripe {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        if let Some(file) = &self.state {
            keep(&self.shared, file);
        }
    }
}

impl FakeStripe {
    /// Listens.
    ///
    /// # Errors
    /// When the address cannot be had or is not on loopback.
    pub async fn start(options: FakeOptions) -> Result<Self> {
        ensure!(
            options.listen.ip().is_loopback(),
            "the double of Stripe listens on loopback only"
        );
        let listener = TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("listening at {}", options.listen))?;
        let address = listener.local_addr()?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        let (events, waiting) = mpsc::unbounded_channel();
        let mut world = World::new(
            format!("http://{address}"),
            options.fee_bp,
            options.fee_fixed,
        );
        if let Some(saved) = options.state.as_deref().map(kept).transpose()?.flatten() {
            world.restore(saved);
        }
        let courier = Arc::new(Mutex::new(Courier::new(
            options.webhook_url,
            options.webhook_secret,
        )));
        let shared = Arc::new(Shared {
            key: options.key,
            world: Mutex::new(world),
            courier: courier.clone(),
            events,
            changed: Notify::new(),
        });
        let sending = webhook::run(courier, http.clone(), waiting);
        let serving = axum::serve(listener, server::router(shared.clone())).into_future();
        let mut tasks = vec![
            tokio::spawn(sending),
            tokio::spawn(async move {
                if let Err(error) = serving.await {
                    eprintln!("the double of Stripe stopped: {error}");
                }
            }),
        ];
        if let Some(file) = options.state.clone() {
            tasks.push(tokio::spawn(keep_on(shared.clone(), file)));
        }
        Ok(Self {
            address,
            http,
            tasks,
            shared,
            state: options.state,
        })
    }

    /// Its address, as a client takes it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Calls the control plane, such as `links/plink_1/pay`.
    ///
    /// # Errors
    /// When it says no, with what it says.
    pub async fn control(&self, path: &str, body: Value) -> Result<Value> {
        let url = format!("{}/_fake/{path}", self.url());
        let answer = self.http.post(url).json(&body).send().await?;
        let status = answer.status();
        let said: Value = answer.json().await?;
        ensure!(status.is_success(), "{path}: {status} {said}");
        Ok(said)
    }

    /// Everything that it holds.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn state(&self) -> Result<Value> {
        let url = format!("{}/_fake/state", self.url());
        Ok(self.http.get(url).send().await?.json().await?)
    }
}

/// What an earlier process kept; nothing where there is no file.
fn kept(file: &Path) -> Result<Option<Saved>> {
    match std::fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .with_context(|| format!("{} is no state of the double of Stripe", file.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {}", file.display())),
    }
}

async fn keep_on(shared: Arc<Shared>, file: PathBuf) {
    loop {
        shared.changed.notified().await;
        keep(&shared, &file);
    }
}

/// Writes the state, in one step.
fn keep(shared: &Shared, file: &Path) {
    let beside = file.with_extension("new");
    let written = lock(&shared.world)
        .saved()
        .map_err(std::io::Error::from)
        .and_then(|bytes| std::fs::write(&beside, bytes))
        .and_then(|()| std::fs::rename(&beside, file));
    if let Err(error) = written {
        eprintln!("the state of the double of Stripe is not kept: {error}");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use serde_json::json;

    use super::*;

    /// Goal: what was set up outlives a stop, and ids go on where they were.
    /// Method: a reader, a stop, a start over the same file, another reader.
    #[tokio::test]
    async fn its_state_outlives_its_process() {
        let folder = tempfile::tempdir().unwrap();
        let options = || FakeOptions {
            state: Some(folder.path().join("state.json")),
            ..FakeOptions::default()
        };
        let first = FakeStripe::start(options()).await.unwrap();
        let reader = first.control("readers", json!({})).await.unwrap();
        drop(first);
        let second = FakeStripe::start(options()).await.unwrap();
        let other = second.control("readers", json!({})).await.unwrap();
        assert_ne!(reader["id"], other["id"]);
        let state = second.state().await.unwrap();
        assert_eq!(state["terminal.reader"], json!([reader, other]));
    }
}
