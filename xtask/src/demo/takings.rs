//! A day of money at the demo's branches: orders that are paid when they are collected, parts over the counter, something
//! given back, a company that buys on account, drawers that are counted, and the night with two things to look at.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::api::{Api, until};
use super::chain::Chain;
use super::devices::{self, Part};
use super::till::{self, Tender};
use super::{fill, night, scripted};

const HEARD_WITHIN: Duration = Duration::from_secs(60);
/// Sales over the counter of each branch.
const COUNTER_SALES: usize = 6;
/// Cards that are still promised when the day ends.
const STILL_PROMISED: usize = 2;
/// What one drawer lacks in the evening, in cents.
const MISSING_MINOR: i64 = 500;
/// What the provider keeps back without a word, in cents.
const SHORT_MINOR: i64 = 30;

/// What a branch took today.
#[derive(Debug, Default)]
pub(crate) struct Day {
    session: String,
    sales: usize,
    cash_minor: i64,
    cards: Vec<String>,
    receipts: Vec<Value>,
}

impl Day {
    /// Opens the drawer of a branch.
    pub(crate) async fn begin(chain: &Chain, index: usize) -> Result<Self> {
        let manager = chain.branch_api(index, "branch_manager")?;
        Ok(Self {
            session: till::open(&manager, "morning").await?,
            ..Self::default()
        })
    }

    /// The customer pays what is due of an order, every third by card, and takes it along.
    pub(crate) async fn collect(&mut self, clerk: &Api, order: &str) -> Result<()> {
        let due_minor = till::due_of(&clerk.get(&format!("/api/v1/orders/{order}")).await?)?;
        if due_minor == 0 {
            let key = format!("demo-collect-{order}");
            return fill::move_to(clerk, order, &key, "collected", &Value::Null)
                .await
                .map(drop);
        }
        let kind = self.next_tender();
        let body = json!({ "orders": [{ "order_id": order }], "tenders": [till::tender(kind, due_minor)] });
        self.sell(clerk, &format!("demo-sale-{order}"), &body).await
    }

    fn next_tender(&self) -> Tender {
        if self.sales % 3 == 1 {
            Tender::Card
        } else {
            Tender::Cash
        }
    }

    async fn sell(&mut self, clerk: &Api, key: &str, body: &Value) -> Result<()> {
        let receipt = clerk.post("/api/v1/sales", key, body).await?;
        self.sales += 1;
        self.cash_minor += till::cash_of(&receipt);
        self.cards.extend(till::cards_of(&receipt));
        self.receipts.push(receipt);
        Ok(())
    }

    /// Parts over the counter, a company that buys on account, and what customers bring back.
    pub(crate) async fn go_on(&mut self, chain: &Chain, index: usize) -> Result<()> {
        let clerk = &chain.branch_api(index, "clerk")?;
        let parts = devices::parts(fill::PARTS);
        let mut next = parts.iter().skip(index * 7);
        for number in 0..COUNTER_SALES {
            let part = free_part(clerk, &mut next).await?;
            let tender = till::tender(self.next_tender(), part.price_minor);
            let body =
                json!({ "parts": [{ "sku": part.sku, "quantity": 1 }], "tenders": [tender] });
            let key = format!("demo-counter-{index}-{number}");
            self.sell(clerk, &key, &body).await?;
        }
        if index == 0 {
            let part = free_part(clerk, &mut next).await?;
            let body = &on_account(chain, index, part).await?;
            sell_when_heard(clerk, body).await?;
        }
        self.give_back(clerk, index).await
    }

    /// A part comes back for cash; a repair above what a clerk may give back waits for the hub's word.
    async fn give_back(&mut self, clerk: &Api, index: usize) -> Result<()> {
        const CLERKS_LIMIT_MINOR: i64 = 10_000;
        let is_small = |receipt: &&Value| gross_of(receipt) < CLERKS_LIMIT_MINOR;
        let is_cash = |receipt: &&Value| till::cards_of(receipt).is_empty();
        let mut newest_first = self.receipts.iter().rev();
        let back = newest_first.find(|one| is_small(one) && is_cash(one) && till::cash_of(one) > 0);
        let back = back.context("nobody paid cash over the counter")?;
        refund(clerk, back, "does not fit", "shelf").await?;
        let returned_minor = till::cash_of(back);
        if index == 1 {
            let large = self
                .receipts
                .iter()
                .find(|one| !is_small(one) && is_cash(one));
            let large = large.context("nobody paid a large repair in cash")?;
            refund(clerk, large, "the fault came back", "scrap").await?;
        }
        self.cash_minor -= returned_minor;
        Ok(())
    }

    /// Most customers follow the link for their card; the drawer is counted and its session closed.
    pub(crate) async fn end(&self, chain: &Chain, index: usize) -> Result<()> {
        let manager = chain.branch_api(index, "branch_manager")?;
        let paid = self.cards.len().saturating_sub(STILL_PROMISED);
        till::until_captured(chain, index, &self.cards[..paid]).await?;
        let there = till::FLOAT_MINOR + self.cash_minor;
        if index == 1 {
            let reason = "change given twice, noticed too late (generated)";
            till::close(&manager, &self.session, there - MISSING_MINOR, reason).await?;
        } else {
            till::close_exactly(&manager, &self.session, there).await?;
        }
        Ok(())
    }
}

/// The provider pays out a little less than it should, the night is done, and the next day's drawers are opened.
pub(crate) async fn night(chain: &Chain) -> Result<()> {
    let short = json!({ "currency": "eur", "short_by": SHORT_MINOR });
    chain.provider()?.control("payouts", short).await?;
    let date = till::business_date()?;
    night::close_days(chain, &date).await?;
    scripted::wait_until_applied(chain, HEARD_WITHIN).await?;
    night::run(chain, &date, 1).await?;
    for index in 0..chain.branches.len() {
        till::open(&*chain.branch_api(index, "branch_manager")?, "next").await?;
    }
    Ok(())
}

/// The next part that lies free on the shelf.
async fn free_part<'a>(
    clerk: &Api,
    parts: &mut impl Iterator<Item = &'a Part>,
) -> Result<&'a Part> {
    for part in parts {
        let stock = clerk.get(&format!("/api/v1/stock/{}", part.sku)).await?;
        if stock["free"].as_i64() > Some(0) {
            return Ok(part);
        }
    }
    bail!("no part is free at {}", clerk.base)
}

/// Sells on account as soon as the branch has heard of the account; until then the till refuses.
async fn sell_when_heard(clerk: &Api, body: &Value) -> Result<()> {
    let tries = &AtomicU32::new(0);
    until("the branch sells on account", HEARD_WITHIN, || async move {
        let key = format!("demo-on-account-{}", tries.fetch_add(1, Ordering::Relaxed));
        let answer = clerk
            .call(
                reqwest::Method::POST,
                "/api/v1/sales",
                Some(&key),
                Some(body),
            )
            .await?;
        Ok(match answer.status {
            409 | 422 => Err(answer.body.to_string()),
            _ => Ok(answer),
        })
    })
    .await?
    .ok("selling on account")
    .map(drop)
}

/// A company with an account, and what it buys.
async fn on_account(chain: &Chain, index: usize, part: &Part) -> Result<Value> {
    let clerk = &chain.branch_api(index, "clerk")?;
    let company = json!({
        "name": "Spree Office Services (generated)", "phone": "+49 30 5550 0100",
        "email": "office@example.org", "language": "de", "note": "This company is generated for the demo.",
    });
    let company = clerk
        .post("/api/v1/customers", "demo-company", &company)
        .await?;
    let id = company["id"].as_str().context("a customer without an id")?;
    let central = &chain.hub_api("central_manager")?;
    let account = &json!({ "limit_minor": 100_000, "due_days": 14 });
    let path = &format!("/api/v1/customers/{id}/account");
    until("the hub knows the company", HEARD_WITHIN, || async move {
        let answer = central
            .call(
                reqwest::Method::POST,
                path,
                Some("demo-account"),
                Some(account),
            )
            .await?;
        Ok(match answer.status {
            404 => Err("the hub does not know it yet".to_owned()),
            _ => Ok(answer),
        })
    })
    .await?
    .ok("opening an account")?;
    Ok(json!({
        "customer_id": id, "parts": [{ "sku": part.sku, "quantity": 1 }],
        "tenders": [till::tender(Tender::Account, part.price_minor)],
    }))
}

fn gross_of(receipt: &Value) -> i64 {
    receipt["gross"]["amount_minor"]
        .as_i64()
        .unwrap_or_default()
}

async fn refund(clerk: &Api, receipt: &Value, reason: &str, goods: &str) -> Result<()> {
    let id = receipt["id"].as_str().context("a receipt without an id")?;
    let lines: Vec<Value> = receipt["lines"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|line| {
            let mut back = json!({ "line_id": line["id"], "quantity": line["quantity"] });
            if line["kind"] == "part" {
                back["goods"] = json!(goods);
            }
            back
        })
        .collect();
    let body = json!({ "lines": lines, "reason": reason });
    let path = format!("/api/v1/sales/{id}/refunds");
    clerk
        .post(&path, &format!("demo-refund-{id}"), &body)
        .await
        .map(drop)
}
