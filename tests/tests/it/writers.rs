//! People at the counter who go on working while their branch is killed under them.
//!
//! Each request has a key. One that got no answer is repeated with its key after the restart. What was answered is
//! kept, so that it can be looked for later.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tests::process::chain::api::{Answer, Api, first_order, fresh_key, order_body};
use tests::process::chain::id_of;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Written {
    /// The route.
    pub path: String,
    /// The key.
    pub key: String,
    /// The body.
    pub body: Value,
    /// The answer's status.
    pub status: u16,
    /// The answer.
    pub answer: Value,
}

/// What all writers share.
#[derive(Debug)]
pub struct Counter {
    /// The restart in which the branch lives, or none while it is dead.
    pub alive: watch::Sender<Option<u32>>,
    answered: Mutex<Vec<Written>>,
    in_flight: AtomicUsize,
    unanswered: AtomicUsize,
    is_closed: std::sync::atomic::AtomicBool,
}

impl Counter {
    /// Opens with a living branch.
    pub fn open() -> Arc<Self> {
        Arc::new(Self {
            alive: watch::channel(Some(0)).0,
            answered: Mutex::new(Vec::new()),
            in_flight: AtomicUsize::new(0),
            unanswered: AtomicUsize::new(0),
            is_closed: std::sync::atomic::AtomicBool::new(false),
        })
    }

    /// Requests that wait for their answer just now.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Requests that got none so far.
    pub fn unanswered(&self) -> usize {
        self.unanswered.load(Ordering::Acquire)
    }

    /// Answers so far.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// The answers from number `from` on.
    pub fn answered(&self, from: usize) -> Vec<Written> {
        self.lock()[from..].to_vec()
    }

    /// Writers finish what they are at and end.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Written>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }
}

/// Puts so many people to work.
pub fn start(
    counter: &Arc<Counter>,
    api: &Api,
    skus: &[String],
    count: usize,
) -> Vec<JoinHandle<Result<()>>> {
    let writer = |number| Writer {
        api: api.clone(),
        counter: Arc::clone(counter),
        alive: counter.alive.subscribe(),
        skus: skus.to_vec(),
        number,
    };
    (0..count)
        .map(|number| tokio::spawn(writer(number).work()))
        .collect()
}

struct Writer {
    api: Api,
    counter: Arc<Counter>,
    alive: watch::Receiver<Option<u32>>,
    skus: Vec<String>,
    number: usize,
}

impl Writer {
    async fn work(mut self) -> Result<()> {
        while !self.counter.is_closed() {
            self.serve_one()
                .await
                .with_context(|| format!("writer {}", self.number))?;
            self.number += 1;
        }
        Ok(())
    }

    /// One customer with one device, from the counter to the bench.
    async fn serve_one(&mut self) -> Result<()> {
        let visit = self
            .post("/api/v1/orders".to_owned(), order_body("does not heat"))
            .await?;
        let order = id_of(&first_order(&visit.ok("an order")?)?)?;
        let sku = self.skus[self.number % self.skus.len()].clone();
        let received =
            json!({ "kind": "receive", "quantity": 1, "reason": "delivery", "reference": "D-1" });
        self.post(format!("/api/v1/stock/{sku}/movements"), received)
            .await?
            .ok("a delivery")?;
        self.post(
            format!("/api/v1/orders/{order}/notes"),
            json!({ "text": "heard it click" }),
        )
        .await?
        .ok("a note")?;
        let status = json!({ "status": "in_repair" });
        self.post(format!("/api/v1/orders/{order}/status"), status)
            .await?
            .ok("a status")?;
        let line = json!({ "kind": "part", "sku": sku, "quantity": 1 });
        let line = self
            .post(format!("/api/v1/orders/{order}/lines"), line)
            .await?;
        if line.status != 409 {
            let line = id_of(&line.ok("a line")?)?;
            let path = format!("/api/v1/orders/{order}/lines/{line}/consume");
            self.post(path, Value::Null).await?.ok("using a part")?;
        }
        Ok(())
    }

    /// Posts until there is an answer.
    async fn post(&mut self, path: String, body: Value) -> Result<Answer> {
        let key = fresh_key();
        loop {
            let round = *self.alive.wait_for(Option::is_some).await?;
            self.counter.in_flight.fetch_add(1, Ordering::AcqRel);
            let sent = (!body.is_null()).then_some(&body);
            let answer = self.api.call(Method::POST, &path, Some(&key), sent).await;
            self.counter.in_flight.fetch_sub(1, Ordering::AcqRel);
            match answer {
                Ok(answer) => {
                    ensure!(
                        answer.status < 500,
                        "{path}: {} {}",
                        answer.status,
                        answer.json()
                    );
                    let written = Written {
                        path,
                        key,
                        body,
                        status: answer.status,
                        answer: answer.json(),
                    };
                    self.counter.lock().push(written);
                    return Ok(answer);
                }
                Err(error) => {
                    self.counter.unanswered.fetch_add(1, Ordering::AcqRel);
                    // A broken connection comes a moment before the word that the branch was killed.
                    let killed = self.alive.wait_for(|now| *now != round);
                    let killed = tokio::time::timeout(Duration::from_secs(10), killed).await;
                    drop(killed.with_context(|| {
                        format!("{path}: no answer from a living branch: {error:#}")
                    })??);
                }
            }
        }
    }
}

/// Repeats requests with their keys: each must give the first answer again, and say that it is a stored one.
pub async fn ensure_replayed(api: &Api, writes: &[Written]) -> Result<()> {
    for write in writes
        .iter()
        .filter(|write| (200..300).contains(&write.status))
    {
        let body = (!write.body.is_null()).then_some(&write.body);
        let again = api
            .call(Method::POST, &write.path, Some(&write.key), body)
            .await?;
        let is_same =
            again.status == write.status && again.json() == write.answer && again.is_replayed;
        ensure!(
            is_same,
            "{} with a used key: first {} {}, then {again:?}",
            write.path,
            write.status,
            write.answer
        );
    }
    Ok(())
}
