//! Money by card, from the counter to the provider and back, with a double of the provider that fails on demand.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::process::chain::api::Api;
use tests::process::chain::wait::until;
use tests::process::chain::{Chain, PATIENCE, Plan, id_of};
use tests::process::provider::{customer_pays, open_provider, until_payment};
use tests::stripe::FakeStripe;

use super::sound::ensure_converged;

/// Gives the hub of a chain a provider, and more flags; the hub starts again.
pub(super) async fn with_provider(chain: &mut Chain, flags: &[String]) -> Result<FakeStripe> {
    let (stripe, _) = open_provider(chain, false, flags).await?;
    Ok(stripe)
}

/// A shop, its hub, and a provider.
struct Shop {
    chain: Chain,
    stripe: FakeStripe,
    /// The reader on the counter, where there is one.
    reader: String,
    manager: Api,
    central: Api,
}

impl Shop {
    async fn open() -> Result<Self> {
        Self::open_with(false).await
    }

    async fn open_with(with_readers: bool) -> Result<Self> {
        let mut chain = Chain::start(&Plan {
            parts: 2,
            ..Plan::of(&["PAY"])
        })
        .await?;
        let (stripe, mut readers) = open_provider(&mut chain, with_readers, &[]).await?;
        chain.until_level().await?;
        let manager = chain.manager(0).await?;
        let central = chain.hub.api("central").await?;
        Ok(Self {
            chain,
            stripe,
            reader: readers.pop().unwrap_or_default(),
            manager,
            central,
        })
    }

    /// Waits until the reader on the counter shows an amount, or shows nothing any more.
    async fn until_reader(&self, shows: bool) -> Result<Value> {
        until("the reader shows what it should", PATIENCE, async || {
            let state = self.stripe.state().await?;
            let readers = state["terminal.reader"].as_array().cloned();
            let mut readers = readers.unwrap_or_default().into_iter();
            let found = readers.find(|one| one["id"] == *self.reader);
            let found = found.context("the reader")?;
            Ok(
                match (found["action"]["status"] == "in_progress") == shows {
                    true => Ok(found),
                    false => Err(found["action"].to_string()),
                },
            )
        })
        .await
    }

    /// Sells a piece by card; gives the payment.
    async fn sell(&self) -> Result<(Value, String)> {
        let body = json!({
            "parts": [{ "sku": "P-00", "quantity": 1 }],
            "tenders": [{ "tender": "card", "amount": { "amount_minor": 1_000, "currency": "EUR" } }],
        });
        let receipt = self.manager.send("/api/v1/sales", &body).await?;
        let payment = receipt["tenders"][0]["payment_id"].as_str();
        let payment = payment.context("a payment")?.to_owned();
        Ok((receipt, payment))
    }

    async fn cut(&self) -> Result<()> {
        self.manager
            .send("/api/v1/sync/pause", &Value::Null)
            .await
            .map(drop)
    }

    async fn mend(&self) -> Result<()> {
        self.manager
            .send("/api/v1/sync/resume", &Value::Null)
            .await
            .map(drop)
    }

    async fn until_state(&self, payment: &str, state: &str) -> Result<Value> {
        until_payment(&self.manager, payment, state).await
    }

    async fn customer_pays(&self, shown: &Value) -> Result<()> {
        customer_pays(&self.stripe, shown).await
    }

    /// What happens at the reader.
    async fn at_reader(&self, what: &str, body: Value) -> Result<Value> {
        let path = format!("readers/{}/{what}", self.reader);
        self.stripe.control(&path, body).await
    }

    /// The first card is declined, the reader asked again, twice by one key and once more, and the second card taken:
    /// each attempt is an intent of its own, and the one that was declined can bring nothing any more.
    async fn declined_and_asked_again(&self) -> Result<()> {
        let (_, payment) = self.sell().await?;
        let first = self.until_reader(true).await?;
        let first = intent_of(&first)?;
        let why = json!({ "declined": "insufficient_funds" });
        self.at_reader("decline", why).await?;
        self.until_state(&payment, "declined").await?;
        let path = format!("/api/v1/payments/{payment}/ask-again");
        let once = self.manager.post(&path, "again", &Value::Null).await?;
        let twice = self.manager.post(&path, "again", &Value::Null).await?;
        ensure!(once == twice, "{once} {twice}");
        self.until_state(&payment, "processing").await?;
        let second = intent_of(&self.until_reader(true).await?)?;
        ensure!(first != second, "a new attempt is an intent of its own");
        let late = self.manager.post(&path, "late", &Value::Null).await;
        ensure!(late.is_err(), "it is not declined any more: {late:?}");
        let state = self.stripe.state().await?;
        let intents = state["payment_intent"].as_array().cloned();
        let intents = intents.unwrap_or_default();
        let ended = intents.iter().find(|one| one["id"] == first.as_str());
        let ended = ended.context("the first intent")?;
        ensure!(ended["status"] == "canceled", "ended before: {ended}");
        self.at_reader("tap", json!({})).await?;
        let paid = self.until_state(&payment, "captured").await?;
        ensure!(paid["captured"]["amount_minor"] == 1_000, "{paid}");
        let state = self.stripe.state().await?;
        let intents = state["payment_intent"].as_array().cloned();
        let ours = intents.unwrap_or_default().into_iter();
        let taken = ours.filter(|one| {
            let is_ours = one["metadata"]["counterpart_payment"] == payment.as_str();
            is_ours && one["status"] == "succeeded"
        });
        ensure!(taken.count() == 1, "captured once");
        Ok(())
    }

    async fn call_off(&self, payment: &str) -> Result<()> {
        let path = format!("/api/v1/payments/{payment}/cancel");
        self.manager.send(&path, &Value::Null).await.map(drop)
    }

    /// All that was charged.
    async fn charged(&self) -> Result<i64> {
        let state = self.stripe.state().await?;
        let charges = state["charge"].as_array().cloned().unwrap_or_default();
        let amounts = charges
            .iter()
            .filter_map(|one| one["amount_captured"].as_i64());
        Ok(amounts.sum())
    }

    async fn fault(&self, path: &str, fault: &str) -> Result<()> {
        let body = json!({ "path": path, "fault": fault, "method": "POST" });
        self.stripe.control("faults", body).await.map(drop)
    }

    async fn ends_sound(&self) -> Result<()> {
        ensure_converged(&self.chain).await?;
        let dead = self.central.get("/api/v1/outbox?state=dead").await?;
        ensure!(dead == json!([]), "dead letters: {dead}");
        Ok(())
    }
}

fn intent_of(reader: &Value) -> Result<String> {
    let intent = &reader["action"]["process_payment_intent"]["payment_intent"];
    let intent = intent.as_str().context("an intent at the reader")?;
    Ok(intent.to_owned())
}

/// Goal: a card promised while cut off is asked for when the line is back, paid by the customer's own hand, captured
/// once, and given back by a refund; the branch learns of each step (INV-8, F-20).
/// Method: the line is cut before the sale, while the customer pays, and while the money goes back; the provider fails
/// once before and once after the effect.
#[tokio::test]
async fn a_card_promised_while_cut_off_is_captured_once_and_given_back() {
    promised().await.unwrap();
}

async fn promised() -> Result<()> {
    let shop = Shop::open().await?;
    shop.cut().await?;
    let (receipt, payment) = shop.sell().await?;
    ensure!(receipt["tenders"][0]["state"] == "queued", "{receipt}");
    shop.fault("/v1/payment_links", "timeout_before").await?;
    shop.fault("/v1/payment_links", "timeout_after").await?;
    shop.mend().await?;
    let asked = shop.until_state(&payment, "processing").await?;
    shop.cut().await?;
    shop.customer_pays(&asked).await?;
    shop.mend().await?;
    let paid = shop.until_state(&payment, "captured").await?;
    ensure!(paid["captured"]["amount_minor"] == 1_000, "{paid}");
    ensure!(shop.charged().await? == 1_000);
    shop.cut().await?;
    let line = receipt["lines"][0]["id"].clone();
    let back = json!({
        "lines": [{ "line_id": line, "quantity": 1, "goods": "shelf" }], "reason": "does not fit",
    });
    let path = format!("/api/v1/sales/{}/refunds", id_of(&receipt)?);
    let refund = shop.manager.send(&path, &back).await?;
    ensure!(refund["tenders"][0]["state"] == "asked", "{refund}");
    shop.fault("/v1/refunds", "timeout_after").await?;
    shop.mend().await?;
    shop.until_state(&payment, "refunded").await?;
    let state = shop.stripe.state().await?;
    let refunds = state["refund"].as_array().map_or(0, Vec::len);
    ensure!(refunds == 1, "given back once: {}", state["refund"]);
    let at_hub = shop
        .central
        .get(&format!("/api/v1/payments/{payment}"))
        .await?;
    ensure!(at_hub["refunded"]["amount_minor"] == 1_000, "{at_hub}");
    shop.ends_sound().await
}

/// Goal: a promise that was called off while cut off is never asked for, and a provider that is away holds up no
/// counter; what waited goes on when it is back.
/// Method: two sales while cut off, one called off; the provider answers 500 until its breaker opens.
#[tokio::test]
async fn what_was_called_off_is_never_asked_and_an_outage_only_delays() {
    called_off().await.unwrap();
}

async fn called_off() -> Result<()> {
    let shop = Shop::open().await?;
    shop.cut().await?;
    let (_, off) = shop.sell().await?;
    let (_, kept) = shop.sell().await?;
    let path = format!("/api/v1/payments/{off}/cancel");
    shop.manager.send(&path, &Value::Null).await?;
    for _ in 0..4 {
        shop.fault("/v1/payment_links", "error_500").await?;
    }
    shop.mend().await?;
    let asked = shop.until_state(&kept, "processing").await?;
    shop.customer_pays(&asked).await?;
    shop.until_state(&kept, "captured").await?;
    shop.until_state(&off, "cancelled").await?;
    ensure!(shop.charged().await? == 1_000, "only what was kept");
    shop.ends_sound().await
}

/// Goal: a card is taken at the reader on the counter: the branch asks, the hub drives the reader, and the branch learns
/// that it is paid, declined or called off; the reader never shows an amount that nobody waits for.
/// Method: the rules of the till say that there is a reader, and the hub's configuration which one. Three sales: a card
/// is shown; a card is refused and the sale called off; a card is refused, the reader asked again and another card
/// taken, once; a sale is called off while the reader shows it.
#[tokio::test]
async fn a_reader_on_the_counter_takes_declines_and_is_let_go() {
    at_the_reader().await.unwrap();
}

async fn at_the_reader() -> Result<()> {
    let shop = Shop::open_with(true).await?;
    let branch = &shop.chain.edges[0].branch_id;
    let rules = json!({ "promise_limit_minor": 100_000, "promise_days": 3, "refund_clerk_minor": 10_000,
                        "refund_manager_minor": 10_000, "reader": true });
    let path = format!("/api/v1/branches/{branch}/till-rules");
    shop.central.send(&path, &rules).await?;
    shop.chain.until_level().await?;

    let (receipt, taken) = shop.sell().await?;
    let shown = shop.until_reader(true).await?;
    let intent = &shown["action"]["process_payment_intent"]["payment_intent"];
    ensure!(intent.is_string(), "{shown}");
    shop.until_state(&taken, "processing").await?;
    shop.at_reader("tap", json!({})).await?;
    let paid = shop.until_state(&taken, "captured").await?;
    ensure!(paid["captured"]["amount_minor"] == 1_000, "{paid}");
    let number = receipt["number"].as_str().context("a number")?;
    let known = shop
        .manager
        .get(&format!("/api/v1/receipts/{number}"))
        .await?;
    ensure!(known["tenders"][0]["state"] == "captured", "{known}");

    let (_, declined) = shop.sell().await?;
    shop.until_reader(true).await?;
    let why = json!({ "declined": "insufficient_funds" });
    shop.at_reader("decline", why).await?;
    let said = shop.until_state(&declined, "declined").await?;
    let words = said["detail"].as_str().unwrap_or_default();
    ensure!(words.contains("insufficient_funds"), "{said}");
    shop.call_off(&declined).await?;
    shop.until_state(&declined, "cancelled").await?;

    shop.declined_and_asked_again().await?;
    let (_, dropped) = shop.sell().await?;
    shop.until_reader(true).await?;
    shop.call_off(&dropped).await?;
    shop.until_state(&dropped, "cancelled").await?;
    shop.until_reader(false).await?;
    let late = shop.at_reader("tap", json!({})).await;
    ensure!(late.is_err(), "nobody waits for a card any more: {late:?}");
    ensure!(
        shop.charged().await? == 2_000,
        "the first, and what was asked again"
    );
    let state = shop.stripe.state().await?;
    let links = state["payment_link"].as_array().map_or(0, Vec::len);
    ensure!(links == 0, "no link where a reader stands: {links}");
    shop.ends_sound().await
}

/// Goal: money that comes although the sale was called off is given back from the hub, once; the branch learns of it.
/// Method: the promise is called off while cut off and paid meanwhile; the same request twice, the answer of the provider
/// lost once.
#[tokio::test]
async fn what_comes_late_is_given_back_from_the_hub() {
    late().await.unwrap();
}

async fn late() -> Result<()> {
    let shop = Shop::open().await?;
    let (_, payment) = shop.sell().await?;
    let asked = shop.until_state(&payment, "processing").await?;
    shop.cut().await?;
    let off = format!("/api/v1/payments/{payment}/cancel");
    shop.manager.send(&off, &Value::Null).await?;
    shop.customer_pays(&asked).await?;
    shop.mend().await?;
    shop.until_state(&payment, "captured").await?;
    let path = format!("/api/v1/payments/{payment}");
    until("the hub knows that it is due back", PATIENCE, async || {
        let known = shop.central.get(&path).await?;
        Ok(match known["due_back"]["amount_minor"].as_i64() {
            Some(1_000) => Ok(()),
            _ => Err(known.to_string()),
        })
    })
    .await?;
    shop.fault("/v1/refunds", "timeout_after").await?;
    let why = json!({ "reason": "called off before it came" });
    let refunds = format!("{path}/refunds");
    let given = shop.central.post(&refunds, "late", &why).await?;
    let again = shop.central.post(&refunds, "late", &why).await?;
    ensure!(given == again, "{given} {again}");
    shop.until_state(&payment, "refunded").await?;
    let state = shop.stripe.state().await?;
    let count = state["refund"].as_array().map_or(0, Vec::len);
    ensure!(count == 1, "given back once: {}", state["refund"]);
    let open = shop.central.list("/api/v1/exceptions").await?;
    ensure!(open.iter().all(|one| one["kind"] != "payment"), "{open:?}");
    shop.ends_sound().await
}

/// Goal: a link of which the answer was lost for good is called off before another one asks; the customer pays once.
/// Method: the provider makes the link and keeps a failure as the answer for its key.
#[tokio::test]
async fn a_link_that_was_lost_is_called_off_before_another_asks() {
    lost().await.unwrap();
}

async fn lost() -> Result<()> {
    let shop = Shop::open().await?;
    shop.fault("/v1/payment_links", "error_500_after").await?;
    let (_, payment) = shop.sell().await?;
    let asked = shop.until_state(&payment, "processing").await?;
    let state = shop.stripe.state().await?;
    let links = state["payment_link"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let active = links.iter().filter(|link| link["active"] == true).count();
    ensure!((links.len(), active) == (2, 1), "{links:?}");
    shop.customer_pays(&asked).await?;
    shop.until_state(&payment, "captured").await?;
    ensure!(shop.charged().await? == 1_000);
    shop.ends_sound().await
}

/// Goal: a provider that does not let us waits for a person: a dead letter at once, and after that all goes on.
/// Method: the hub has a wrong key; it is mended, and the payment asked about again.
#[tokio::test]
async fn a_provider_that_does_not_let_us_waits_for_a_person() {
    not_let().await.unwrap();
}

async fn not_let() -> Result<()> {
    let mut shop = Shop::open().await?;
    let file = shop.chain.folder.path().join("provider/key");
    let right = fs::read_to_string(&file)?;
    shop.chain.hub.stop().await?;
    fs::write(&file, "sk_test_wrong")?;
    shop.chain.hub.start().await?;
    let central = shop.chain.hub.api("central").await?;
    let (_, payment) = shop.sell().await?;
    let dead = until("it is a dead letter", PATIENCE * 2, async || {
        let dead = central.get("/api/v1/outbox?state=dead").await?;
        Ok(if dead[0].is_object() {
            Ok(dead)
        } else {
            Err(dead.to_string())
        })
    })
    .await?;
    let error = dead[0]["last_error"].as_str().unwrap_or_default();
    ensure!(error.contains("does not let us"), "{dead}");
    shop.chain.hub.stop().await?;
    fs::write(&file, right)?;
    shop.chain.hub.start().await?;
    shop.central = shop.chain.hub.api("central").await?;
    let path = format!("/api/v1/payments/{payment}/ask-again");
    shop.central.send(&path, &Value::Null).await?;
    let asked = shop.until_state(&payment, "processing").await?;
    shop.customer_pays(&asked).await?;
    shop.until_state(&payment, "captured").await?;
    ensure!(shop.charged().await? == 1_000);
    shop.ends_sound().await
}
