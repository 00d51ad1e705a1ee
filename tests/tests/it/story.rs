//! A customer's whole visit, with the line cut at each of its steps in turn.

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tests::process::chain::api::{Api, first_order, fresh_key};
use tests::process::chain::{Chain, Plan, id_of};
use tests::process::provider::{customer_pays, open_provider, until_payment};
use tests::process::relay::UdpRelay;
use tests::stripe::FakeStripe;

use super::sound::ensure_converged;

const PRICE: i64 = 1_000;

/// What a visit is made of, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The person is known at another branch.
    Verify,
    /// The part is set aside for the order.
    Reserve,
    /// The card is asked for, the goods are kept for it.
    Pay,
    /// The customer pays, the device is handed over.
    Confirm,
}

const STEPS: [Step; 4] = [Step::Verify, Step::Reserve, Step::Pay, Step::Confirm];

/// One branch with its line, and the step at which that is cut.
struct Visit<'a> {
    counter: Api,
    line: &'a UdpRelay,
    stripe: &'a FakeStripe,
    /// Who comes, and the id that their home branch gave them.
    name: String,
    known: String,
    cut_at: Step,
}

/// Goal: verify the customer, reserve the part, pay, confirm: a line that is cut at any of these steps stops none of
/// them, and what it delayed happens once (INV-3, INV-8, INV-17).
/// Method: four branches at a time, each behind a relay that drops everything during one step; the person lives at a
/// fifth branch; what was charged is read at the provider.
#[tokio::test]
async fn a_visit_ends_well_wherever_the_line_is_cut() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let mut chain = Chain::start(&Plan {
        parts: 1,
        relayed: true,
        ..Plan::of(&["VER", "RES", "PAY", "CON", "HOM"])
    })
    .await?;
    let (stripe, _) = open_provider(&mut chain, false, &[]).await?;
    let home = chain.manager(STEPS.len()).await?;
    let mut visits = Vec::new();
    for (index, cut_at) in STEPS.into_iter().enumerate() {
        let name = format!("{cut_at:?} Storyteller");
        let person = json!({ "name": name, "phone": format!("+49 30 700010{index}") });
        visits.push(Visit {
            counter: chain.manager(index).await?,
            line: &chain.relays[index],
            stripe: &stripe,
            known: id_of(&home.send("/api/v1/customers", &person).await?)?,
            name,
            cut_at,
        });
    }
    chain.until_level().await?;
    let [first, second, third, fourth] = visits.as_slice() else {
        anyhow::bail!("a branch for each step");
    };
    tokio::try_join!(first.run(), second.run(), third.run(), fourth.run())?;
    let state = stripe.state().await?;
    let charges = state["charge"].as_array().context("charges")?;
    let amounts: Vec<i64> = charges
        .iter()
        .filter_map(|one| one["amount_captured"].as_i64())
        .collect();
    ensure!(amounts == [PRICE; STEPS.len()], "each once: {amounts:?}");
    ensure_converged(&chain).await
}

impl Visit<'_> {
    async fn run(&self) -> Result<()> {
        let done = self.steps().await;
        done.with_context(|| format!("cut at {:?}", self.cut_at))
    }

    async fn steps(&self) -> Result<()> {
        self.begin(Step::Verify);
        let customer = self.verify().await?;
        self.end(Step::Verify);

        self.begin(Step::Reserve);
        let (order, part) = self.reserve(&customer).await?;
        self.end(Step::Reserve);

        self.begin(Step::Pay);
        let payment = self.pay(&order).await?;
        self.end(Step::Pay);
        let asked = until_payment(&self.counter, &payment, "processing").await?;

        self.begin(Step::Confirm);
        customer_pays(self.stripe, &asked).await?;
        self.confirm(&order, &part).await?;
        self.end(Step::Confirm);
        let paid = until_payment(&self.counter, &payment, "captured").await?;
        ensure!(paid["captured"]["amount_minor"] == PRICE, "{paid}");
        let stock = self.counter.stock("P-00").await?;
        let is_used = stock["on_hand"] == 9 && stock["reserved"] == 0;
        ensure!(is_used, "one of ten was used: {stock}");
        Ok(())
    }

    fn begin(&self, step: Step) {
        if step == self.cut_at {
            self.line.cut();
        }
    }

    fn end(&self, step: Step) {
        if step == self.cut_at {
            self.line.restore();
        }
    }

    /// Whoever comes is brought from their home branch; cut off, they are taken in as somebody new.
    async fn verify(&self) -> Result<String> {
        let question = json!({ "q": self.name });
        let path = "/api/v1/customers/lookup";
        let said = self.counter.call(Method::POST, path, None, Some(&question));
        let said = said.await?;
        if self.cut_at == Step::Verify {
            ensure!(said.status == 503, "{}", said.json());
            let person = json!({ "name": self.name, "phone": "+49 30 7000999" });
            return id_of(&self.counter.send("/api/v1/customers", &person).await?);
        }
        let found = said.ok("look up")?;
        ensure!(found["people"][0]["id"] == self.known.as_str(), "{found}");
        let attach = format!("/api/v1/customers/{}/attach", self.known);
        id_of(&self.counter.send(&attach, &Value::Null).await?)
    }

    /// An order with a part that is set aside.
    async fn reserve(&self, customer: &str) -> Result<(String, String)> {
        let body = json!({ "customer_id": customer,
                           "devices": [{ "category": "Phone", "fault": "screen broken" }] });
        let visit = self.counter.send("/api/v1/orders", &body).await?;
        let order = id_of(&first_order(&visit)?)?;
        self.counter.move_order(&order, "in_repair", None).await?;
        let line = self.counter.add_part_line(&order, "P-00", 1).await?;
        let stock = self.counter.stock("P-00").await?;
        ensure!(stock["reserved"] == 1, "{stock}");
        Ok((order, id_of(&line)?))
    }

    /// Asks for the card; a second click asks for nothing more.
    async fn pay(&self, order: &str) -> Result<String> {
        let body = json!({ "tender": "card", "hold": true,
                           "amount": { "amount_minor": PRICE, "currency": "EUR" } });
        let path = format!("/api/v1/orders/{order}/payments");
        let key = fresh_key();
        let first = self.counter.post(&path, &key, &body).await?;
        let second = self.counter.post(&path, &key, &body).await?;
        ensure!(first == second, "{first} {second}");
        let tender = &first["tenders"][0];
        ensure!(tender["state"] == "queued", "{first}");
        let payment = tender["payment_id"].as_str();
        Ok(payment.context("a payment")?.to_owned())
    }

    /// The part is used, and the device leaves with nothing left to pay.
    async fn confirm(&self, order: &str, part: &str) -> Result<()> {
        let used = format!("/api/v1/orders/{order}/lines/{part}/consume");
        self.counter.send(&used, &Value::Null).await?;
        self.counter
            .move_order(order, "ready", Some("repaired"))
            .await?;
        let sale = json!({ "orders": [{ "order_id": order }] });
        let receipt = self.counter.send("/api/v1/sales", &sale).await?;
        ensure!(receipt["due"]["amount_minor"] == 0, "{receipt}");
        let path = format!("/api/v1/orders/{order}");
        let seen = self.counter.get(&path).await?;
        ensure!(seen["status"] == "collected", "{}", seen["status"]);
        Ok(())
    }
}
