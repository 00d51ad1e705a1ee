//! A stateful double of Stripe: the part of its API that the chain uses, with faults on demand.
//!
//! It keeps what it is told in memory, speaks Stripe's JSON and errors, honours idempotency keys, and signs its webhooks.
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
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use server::Shared;
use webhook::Courier;
use world::World;

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
        }
    }
}

/// A running double; it ends when dropped.
#[derive(Debug)]
pub struct FakeStripe {
    address: SocketAddr,
    http: reqwest::Client,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for FakeStripe {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
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
        let world = World::new(
            format!("http://{address}"),
            options.fee_bp,
            options.fee_fixed,
        );
        let courier = Arc::new(Mutex::new(Courier::new(
            options.webhook_url,
            options.webhook_secret,
        )));
        let shared = Arc::new(Shared {
            key: options.key,
            world: Mutex::new(world),
            courier: courier.clone(),
            events,
        });
        let sending = webhook::run(courier, http.clone(), waiting);
        let serving = axum::serve(listener, server::router(shared)).into_future();
        let tasks = vec![
            tokio::spawn(sending),
            tokio::spawn(async move {
                if let Err(error) = serving.await {
                    eprintln!("the double of Stripe stopped: {error}");
                }
            }),
        ];
        Ok(Self {
            address,
            http,
            tasks,
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
