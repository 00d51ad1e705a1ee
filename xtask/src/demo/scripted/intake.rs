//! Taking records in one by one while cut off, over a branch that is killed on the way.
//!
//! Every request has a key; one that got no answer is repeated with the same key after the restart, and must then
//! have had its effect once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::super::api::{Answer, Api};
use super::super::chain::Chain;
use super::super::databases;
use super::super::report::{Kill, Report};
use super::super::till::{due_of, tender};
use super::super::words::{self, Dice};
use super::first_part;
use super::money::Tills;
use crate::records::{Outcome, Source, SourceRecord};

/// Requests under way at once at each branch.
const WORKERS: usize = 8;
/// The kill waits for so many unanswered requests.
const IN_FLIGHT: usize = 4;

/// What is taken in, and what was answered.
#[derive(Debug)]
pub(crate) struct Intake {
    records: Vec<Vec<SourceRecord>>,
    next: Vec<AtomicUsize>,
    skus: Vec<String>,
    tills: Arc<Tills>,
    /// Order ids that a branch answered with 2xx, by branch, each with its key.
    answered: Mutex<Vec<BTreeMap<String, String>>>,
    /// Keys that were answered with more than one id.
    doubled: Mutex<BTreeSet<String>>,
    waiting: AtomicUsize,
    unanswered: AtomicUsize,
}

impl Intake {
    pub(crate) fn new(source: &Source, skus: Vec<String>, tills: Arc<Tills>) -> Self {
        let records: Vec<Vec<SourceRecord>> = source
            .groups
            .iter()
            .map(|group| group.records[first_part(group)..].to_vec())
            .collect();
        Self {
            next: records.iter().map(|_| AtomicUsize::new(0)).collect(),
            answered: Mutex::new(vec![BTreeMap::new(); records.len()]),
            records,
            skus,
            tills,
            doubled: Mutex::new(BTreeSet::new()),
            waiting: AtomicUsize::new(0),
            unanswered: AtomicUsize::new(0),
        }
    }

    pub(crate) fn orders_of(&self, index: usize) -> u64 {
        self.lock()[index].len() as u64
    }

    pub(crate) fn orders(&self) -> u64 {
        self.lock().iter().map(|ids| ids.len() as u64).sum()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<BTreeMap<String, String>>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answered(&self, index: usize, key: &str, id: &str) {
        if let Some(known) = self.lock()[index].insert(key.to_owned(), id.to_owned())
            && known != id
        {
            self.doubled
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(key.to_owned());
        }
    }

    /// Holds the answered ids against both databases: `lost` and `duplicated`.
    pub(crate) async fn hold_against(&self, chain: &Chain, report: &mut Report) -> Result<()> {
        let mut lost = 0;
        let mut duplicated = self
            .doubled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len() as u64;
        let at_hub: BTreeSet<String> = databases::hub_tables(&chain.file()?.hub.database_url)
            .await?
            .into_values()
            .flat_map(|tables| tables.orders.into_keys())
            .collect();
        for (index, branch) in chain.branches.iter().enumerate() {
            let at_branch = databases::branch_orders(&branch.data_dir)?;
            let answered: BTreeSet<String> = self.lock()[index].values().cloned().collect();
            lost += answered
                .iter()
                .filter(|id| !at_branch.ids.contains(*id) || !at_hub.contains(*id))
                .count() as u64;
            let is_lost = |ids: &&Vec<String>| ids.iter().all(|id| !at_hub.contains(id));
            lost += at_branch.by_source.values().filter(is_lost).count() as u64;
            duplicated += at_branch.doubled_sources;
            let by_hand = at_branch.ids.len() - at_branch.imported.len();
            duplicated += by_hand.saturating_sub(answered.len()) as u64;
        }
        report.lost = Some(lost);
        report.duplicated = Some(duplicated);
        Ok(())
    }
}

/// Takes everything in; kills the first branch when half of its records are in and enough requests are unanswered.
pub(crate) async fn run(chain: &mut Chain, intake: &Arc<Intake>) -> Result<Kill> {
    let (alive, watch) = watch::channel(true);
    let mut workers = Vec::new();
    for index in 0..chain.branches.len() {
        for _ in 0..WORKERS {
            let person = Person {
                api: chain.branch_api(index, "branch_manager")?,
                index,
                intake: Arc::clone(intake),
                alive: watch.clone(),
            };
            workers.push(tokio::spawn(async move { person.work().await }));
        }
    }
    let half = intake.records[0].len() / 2;
    while intake.next[0].load(Ordering::Acquire) < half
        || intake.waiting.load(Ordering::Acquire) < IN_FLIGHT
    {
        ensure!(
            intake.next[0].load(Ordering::Acquire) < intake.records[0].len(),
            "the first branch was done before {IN_FLIGHT} requests were unanswered at once"
        );
        tokio::task::yield_now().await;
    }
    chain.kill_branch(0)?;
    alive.send_replace(false);
    while intake.waiting.load(Ordering::Acquire) > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let in_flight = intake.unanswered.load(Ordering::Acquire) as u64;
    chain.start_branch(0).await?;
    alive.send_replace(true);
    for worker in workers {
        worker.await??;
    }
    ensure!(
        in_flight >= IN_FLIGHT as u64,
        "only {in_flight} requests were unanswered when the branch was killed"
    );
    Ok(Kill {
        branch: chain.branches[0].code.clone(),
        in_flight,
    })
}

/// Somebody at the counter.
struct Person {
    api: Arc<Api>,
    index: usize,
    intake: Arc<Intake>,
    alive: watch::Receiver<bool>,
}

impl Person {
    async fn work(mut self) -> Result<()> {
        loop {
            let number = self.intake.next[self.index].fetch_add(1, Ordering::AcqRel);
            let intake = Arc::clone(&self.intake);
            let Some(record) = intake.records[self.index].get(number) else {
                return Ok(());
            };
            self.take_in(record, number)
                .await
                .with_context(|| format!("record {}", record.id))?;
        }
    }

    async fn take_in(&mut self, record: &SourceRecord, number: usize) -> Result<()> {
        let mut dice = Dice::new((self.index as u64) << 32 | number as u64);
        let (name, phone, email) = words::person(&mut dice);
        let key = format!("record-{}-{}", record.data_provider, record.id)
            .replace(|c: char| !c.is_ascii_graphic(), "_");
        let body = json!({
            "customer": { "name": name, "phone": phone, "email": email },
            "devices": [{ "category": record.category, "brand": record.brand, "model": "", "fault": record.problem }],
        });
        let visit = self
            .post("/api/v1/orders", &key, &body)
            .await?
            .ok("POST /api/v1/orders")?;
        let id = visit["items"][0]["id"]
            .as_str()
            .context("an order without an id")?
            .to_owned();
        self.intake.answered(self.index, &key, &id);
        match record.outcome {
            Outcome::Fixed => {
                self.move_to(&id, &key, "in_repair", None).await?;
                self.add_labour(&id, &key, &mut dice).await?;
                if number.is_multiple_of(2) {
                    self.use_part(&id, &key, &mut dice).await?;
                }
                self.move_to(&id, &key, "ready", Some("repaired")).await?;
                self.hand_over(&id, &key).await
            }
            Outcome::EndOfLife => {
                self.move_to(&id, &key, "diagnosing", None).await?;
                self.move_to(&id, &key, "ready", Some("unrepairable"))
                    .await?;
                self.hand_over(&id, &key).await
            }
            Outcome::Repairable => self.move_to(&id, &key, "diagnosing", None).await,
            Outcome::Unknown => {
                let note = json!({ "text": "outcome unknown" });
                let path = format!("/api/v1/orders/{id}/notes");
                self.post(&path, &format!("{key}-note"), &note)
                    .await?
                    .ok("a note")
                    .map(drop)
            }
        }
    }

    async fn move_to(
        &mut self,
        order: &str,
        key: &str,
        status: &str,
        outcome: Option<&str>,
    ) -> Result<()> {
        let mut body = json!({ "status": status });
        if let Some(outcome) = outcome {
            body["outcome"] = json!(outcome);
        }
        let path = format!("/api/v1/orders/{order}/status");
        self.post(&path, &format!("{key}-{status}"), &body)
            .await?
            .ok(&format!("moving {order} to {status}"))
            .map(drop)
    }

    /// The customer pays what is due and takes the device along; an order that owes nothing is only handed over.
    async fn hand_over(&mut self, order: &str, key: &str) -> Result<()> {
        let path = format!("/api/v1/orders/{order}");
        let read = self.call(Method::GET, &path, None, None).await?;
        let due_minor = due_of(&read.ok("reading an order")?)?;
        if due_minor == 0 {
            return self.move_to(order, key, "collected", None).await;
        }
        let kind = self.intake.tills.next_tender(self.index);
        let body =
            json!({ "orders": [{ "order_id": order }], "tenders": [tender(kind, due_minor)] });
        let sale = self
            .post("/api/v1/sales", &format!("{key}-sale"), &body)
            .await?;
        let receipt = sale.ok(&format!("selling {order}"))?;
        self.intake.tills.note(self.index, &receipt);
        Ok(())
    }

    async fn add_labour(&mut self, order: &str, key: &str, dice: &mut Dice) -> Result<()> {
        let price_minor = 1_900 + 500 * dice.below(12);
        let body = json!({
            "kind": "service", "text": "repaired", "quantity": 1,
            "unit_price": { "amount_minor": price_minor, "currency": "EUR" }, "tax_rate_bp": 1900,
        });
        let path = format!("/api/v1/orders/{order}/lines");
        self.post(&path, &format!("{key}-labour"), &body)
            .await?
            .ok("the labour")
            .map(drop)
    }

    async fn use_part(&mut self, order: &str, key: &str, dice: &mut Dice) -> Result<()> {
        let intake = Arc::clone(&self.intake);
        let sku = &intake.skus[dice.below(intake.skus.len() as u64) as usize];
        let path = format!("/api/v1/orders/{order}/lines");
        let body = json!({ "kind": "part", "sku": sku, "quantity": 1 });
        let answer = self.post(&path, &format!("{key}-line"), &body).await?;
        if answer.status == 409 {
            return Ok(());
        }
        let line = answer.ok("reserving a part")?;
        let line = line["id"]
            .as_str()
            .context("a line without an id")?
            .to_owned();
        let path = format!("{path}/{line}/consume");
        self.post(&path, &format!("{key}-consume"), &Value::Null)
            .await?
            .ok("using a part")
            .map(drop)
    }

    async fn post(&mut self, path: &str, key: &str, body: &Value) -> Result<Answer> {
        self.call(Method::POST, path, Some(key), Some(body)).await
    }

    /// Calls until there is an answer; the branch may be killed at any moment, the key stays the same.
    async fn call(
        &mut self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer> {
        loop {
            self.alive.wait_for(|alive| *alive).await?;
            let killable = self.index == 0;
            if killable {
                self.intake.waiting.fetch_add(1, Ordering::AcqRel);
            }
            let answer = self.api.call(method.clone(), path, key, body).await;
            if killable {
                self.intake.waiting.fetch_sub(1, Ordering::AcqRel);
            }
            match answer {
                Err(error) if killable && is_transport(&error) => {
                    self.intake.unanswered.fetch_add(1, Ordering::AcqRel);
                    self.wait_for_the_kill().await?;
                }
                answer => return answer,
            }
        }
    }

    /// A broken connection comes a moment before the word that the branch was killed.
    async fn wait_for_the_kill(&mut self) -> Result<()> {
        let heard = tokio::time::timeout(
            Duration::from_secs(10),
            self.alive.wait_for(|alive| !*alive),
        )
        .await;
        heard.context("the branch broke a connection without having been killed")??;
        Ok(())
    }
}

fn is_transport(error: &anyhow::Error) -> bool {
    error.downcast_ref::<reqwest::Error>().is_some()
}
