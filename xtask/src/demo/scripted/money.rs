//! What the scripted demo takes: its drawers, the cards that were promised while cut off, the night at the end, and one
//! payment that is taken twice on purpose for the night to find.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::super::api::until;
use super::super::chain::Chain;
use super::super::night;
use super::super::report::{Report, Takings};
use super::super::till::{self, Tender};
use super::{CONVERGE_WITHIN, step, wait_until_applied};

/// The most that a branch may promise, in cents: an outage of the demo takes in more than a day's work.
const PROMISE_LIMIT_MINOR: i64 = 100_000_000;
const HEARD_WITHIN: Duration = Duration::from_secs(60);

/// The drawer of a branch and what its customers owe by card.
#[derive(Debug, Default)]
struct Till {
    session: String,
    sales: AtomicUsize,
    cash_minor: AtomicI64,
    promised_minor: AtomicI64,
    promised: Mutex<Vec<String>>,
}

/// All tills of the chain.
#[derive(Debug, Default)]
pub(super) struct Tills(Vec<Till>);

impl Tills {
    /// Lets branches promise enough, and opens their drawers.
    pub(super) async fn open(chain: &Chain) -> Result<Self> {
        let central = &chain.hub_api("central_manager")?;
        for branch in central.list("/api/v1/branches").await? {
            let id = branch["id"].as_str().context("a branch without an id")?;
            let path = format!("/api/v1/branches/{id}/till-rules");
            let mut rules = central.get(&path).await?;
            rules["promise_limit_minor"] = json!(PROMISE_LIMIT_MINOR);
            central
                .post(&path, &format!("demo-rules-{id}"), &rules)
                .await?;
        }
        let mut tills = Vec::new();
        for index in 0..chain.branches.len() {
            let manager = &chain.branch_api(index, "branch_manager")?;
            until(
                "a branch hears how much it may promise",
                HEARD_WITHIN,
                || async move {
                    let limit = manager.get("/api/v1/payments").await?["exposure"]["limit"].take();
                    Ok(if limit["amount_minor"] == PROMISE_LIMIT_MINOR {
                        Ok(())
                    } else {
                        Err(limit.to_string())
                    })
                },
            )
            .await?;
            tills.push(Till {
                session: till::open(manager, "day").await?,
                ..Till::default()
            });
        }
        Ok(Self(tills))
    }

    /// How the next customer of a branch pays: every third by card.
    pub(super) fn next_tender(&self, index: usize) -> Tender {
        if self.0[index]
            .sales
            .fetch_add(1, Ordering::AcqRel)
            .is_multiple_of(3)
        {
            Tender::Card
        } else {
            Tender::Cash
        }
    }

    /// Takes note of a receipt.
    pub(super) fn note(&self, index: usize, receipt: &Value) {
        let till = &self.0[index];
        till.cash_minor
            .fetch_add(till::cash_of(receipt), Ordering::AcqRel);
        let cards = till::cards_of(receipt);
        if !cards.is_empty() {
            let due = receipt["due"]["amount_minor"].as_i64().unwrap_or_default();
            till.promised_minor.fetch_add(due, Ordering::AcqRel);
        }
        till.promised
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(cards);
    }

    fn promised(&self, index: usize) -> Vec<String> {
        let promised = self.0[index].promised.lock();
        promised.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Customers pay what was promised, drawers are counted, and the night is done.
    pub(super) async fn settle(&self, chain: &Chain, report: &mut Report) -> Result<()> {
        step("customers pay what was promised by card");
        let mut takings = Takings::default();
        for (index, till) in self.0.iter().enumerate() {
            let promised = self.promised(index);
            till::until_captured(chain, index, &promised).await?;
            let manager = chain.branch_api(index, "branch_manager")?;
            let cash = till.cash_minor.load(Ordering::Acquire);
            till::close_exactly(&manager, &till.session, till::FLOAT_MINOR + cash).await?;
            takings.sales += till.sales.load(Ordering::Acquire) as u64;
            takings.promised += promised.len() as u64;
            takings.cash_minor += cash;
            takings.card_minor += till.promised_minor.load(Ordering::Acquire);
        }
        step(&format!(
            "{} sales, {} of them promised by card while cut off and captured after",
            takings.sales, takings.promised
        ));
        report.takings = Some(takings);
        if takings.promised > 0 {
            let provider = chain.provider()?;
            let all = json!({ "currency": "eur" });
            provider.control("payouts", all).await?;
        }
        Ok(())
    }

    /// The night of today must be green; then a payment is taken twice, and the night must name it and nothing else.
    pub(super) async fn night(&self, chain: &Chain, report: &mut Report) -> Result<()> {
        step("the night: every branch's day against its own word, the provider and itself");
        let date = till::business_date()?;
        night::close_days(chain, &date).await?;
        wait_until_applied(chain, CONVERGE_WITHIN).await?;
        let before = night::run(chain, &date, 1).await?;
        for (branch, check, records) in night::not_green(&before) {
            let words: Vec<&str> = records
                .iter()
                .filter_map(|one| one["detail"].as_str())
                .collect();
            let finding = format!("night of {date}, {branch} {check}: {}", words.join("; "));
            report.findings.push(finding);
        }
        report.reconciliation = Some(night::summary(&before)?);
        let mut promised = (0..self.0.len()).map(|index| (index, self.promised(index)));
        let first = |(index, all): (usize, Vec<String>)| Some((index, all.into_iter().next()?));
        let Some((index, victim)) = promised.find_map(first) else {
            step("nobody paid by card, so nothing can be taken twice");
            return Ok(());
        };
        step(&format!(
            "taking the payment {victim} twice; the night must name it"
        ));
        take_twice(chain, &victim).await?;
        let second = night::run(chain, &date, 2).await?;
        let found = night::not_green(&second);
        let new: Vec<_> = found
            .iter()
            .filter(|one| !night::not_green(&before).contains(one))
            .collect();
        let is_named = match new.as_slice() {
            [(branch, check, records)] => {
                *branch == chain.branches[index].code
                    && check == "payments"
                    && records.len() == 1
                    && records[0]["subject"] == victim.as_str()
            }
            _ => false,
        };
        if !is_named {
            report.findings.push(format!(
                "the night did not name the payment {victim}: {new:?}"
            ));
        }
        report.planted_found = Some(is_named);
        wait_until_applied(chain, CONVERGE_WITHIN).await
    }
}

/// Has the provider take a payment once more; its statement says so from then on.
async fn take_twice(chain: &Chain, payment: &str) -> Result<()> {
    let provider = chain.provider()?;
    let state = provider.state().await?;
    let mut intents = state["payment_intent"].as_array().into_iter().flatten();
    let intent = intents
        .find(|intent| intent["metadata"].to_string().contains(payment))
        .and_then(|intent| intent["id"].as_str())
        .with_context(|| format!("the provider knows no payment {payment}"))?;
    let path = format!("payment_intents/{intent}/again");
    provider.control(&path, json!({})).await.map(drop)
}
