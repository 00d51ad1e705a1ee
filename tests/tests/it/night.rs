//! The night over real programs: branches that end their day, the hub's command and API, a cut line, and a provider
//! that is wrong.
//!
//! No program has a clock to set, so the day that is closed is the present one; the day that a branch missed is the one
//! before, of which it gives its word late.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use hub::app::reconcile::{business_day, show_day};
use reqwest::Method;
use serde_json::{Value, json};
use tests::process::chain::api::{Api, fresh_key};
use tests::process::chain::wait::{level, until, until_link};
use tests::process::chain::{Chain, PATIENCE, Plan};
use tests::process::provider::{customer_pays, until_payment};
use tests::stripe::FakeStripe;

use super::payment::with_provider;
use super::sound::ensure_converged;

const PRICE: i64 = 1_000;
const FLOAT: i64 = 10_000;

/// Two branches, a provider, and the business day.
pub(super) struct Town {
    pub(super) chain: Chain,
    pub(super) stripe: FakeStripe,
    pub(super) central: Api,
    pub(super) managers: Vec<Api>,
    pub(super) today: String,
    pub(super) yesterday: String,
}

impl Town {
    /// Nights begin at midnight, so the day before is due whatever the hour in which the test runs.
    pub(super) async fn open(codes: &[&'static str], relayed: bool) -> Result<Self> {
        let mut chain = Chain::start(&Plan {
            parts: 1,
            relayed,
            ..Plan::of(codes)
        })
        .await?;
        let config = chain.folder.path().join("hub.toml");
        fs::write(&config, "[night]\nhour = 0\n")?;
        let config = config.to_str().context("a path that is text")?.to_owned();
        let stripe = with_provider(&mut chain, &["--config".to_owned(), config]).await?;
        chain.until_level().await?;
        let central = chain.hub.api("central").await?;
        let mut managers = Vec::new();
        for index in 0..chain.edges.len() {
            managers.push(chain.manager(index).await?);
        }
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        let day = business_day(i64::try_from(now.as_millis())?, "Europe/Berlin");
        Ok(Self {
            chain,
            stripe,
            central,
            managers,
            today: show_day(day),
            yesterday: show_day(day - 1),
        })
    }

    /// Sells a piece; gives the payment.
    pub(super) async fn sell(&self, branch: usize, tender: &str) -> Result<String> {
        let body = json!({
            "parts": [{ "sku": "P-00", "quantity": 1 }],
            "tenders": [{ "tender": tender, "amount": euro(PRICE) }],
        });
        let receipt = self.managers[branch].send("/api/v1/sales", &body).await?;
        let payment = receipt["tenders"][0]["payment_id"].as_str();
        Ok(payment.context("a payment")?.to_owned())
    }

    async fn until_state(&self, branch: usize, payment: &str, state: &str) -> Result<Value> {
        until_payment(&self.managers[branch], payment, state).await
    }

    /// The customer pays what the branch asks by a link.
    pub(super) async fn customer_pays(&self, branch: usize, payment: &str) -> Result<()> {
        let asked = self.until_state(branch, payment, "processing").await?;
        customer_pays(&self.stripe, &asked).await
    }

    /// A day at the counter: a drawer, a piece for cash, one by card, the count. Gives the payment by card.
    pub(super) async fn trade(&self, branch: usize) -> Result<String> {
        let session = self.open_drawer(branch).await?;
        self.sell(branch, "cash").await?;
        let payment = self.sell(branch, "card").await?;
        self.customer_pays(branch, &payment).await?;
        self.until_state(branch, &payment, "captured").await?;
        self.count(branch, &session, FLOAT + PRICE).await?;
        Ok(payment)
    }

    async fn open_drawer(&self, branch: usize) -> Result<String> {
        let body = json!({ "float": euro(FLOAT) });
        let opened = self.managers[branch].send("/api/v1/cash-sessions", &body);
        tests::process::chain::id_of(&opened.await?)
    }

    async fn count(&self, branch: usize, session: &str, minor: i64) -> Result<()> {
        let counted = json!([{ "value_minor": 1_000, "pieces": minor / 1_000 }]);
        let path = format!("/api/v1/cash-sessions/{session}/close");
        let body = json!({ "counted": counted });
        let closed = self.managers[branch].send(&path, &body);
        closed.await.map(drop)
    }

    /// The branch's word on a day.
    pub(super) async fn close_day(&self, branch: usize, day: &str) -> Result<()> {
        let body = json!({ "business_date": day });
        let said = self.managers[branch].send("/api/v1/business-days", &body);
        said.await.map(drop)
    }

    pub(super) async fn close_days(&self, day: &str) -> Result<()> {
        for branch in 0..self.managers.len() {
            self.close_day(branch, day).await?;
        }
        self.chain.until_level().await?;
        for edge in &self.chain.edges {
            self.until_vouched(&edge.code).await?;
        }
        Ok(())
    }

    /// The end of a drawer or a day has the machine sign its log; the hub's word on that takes a moment.
    async fn until_vouched(&self, code: &str) -> Result<()> {
        let path = format!("/api/v1/audit/verify?branch={code}");
        until("the hub countersigns the log", PATIENCE, async || {
            let chains = self.central.get(&path).await?;
            let chain = &chains["items"][0];
            let is_whole = chain["signed_head"]["seq"] == chain["length"];
            let is_seen = chain["signed_head"]["countersignature"].is_string();
            Ok(if is_whole && is_seen {
                Ok(())
            } else {
                Err(chain.to_string())
            })
        })
        .await
    }

    async fn take_statement(&self) -> Result<Value> {
        let path = "/api/v1/settlements/stripe";
        self.central.send(path, &Value::Null).await
    }

    /// The night by the command; gives what it found.
    pub(super) async fn night(&self, day: &str) -> Result<Value> {
        let arguments = ["reconcile", "--business-date", day, "--json"];
        let said = self.chain.hub.command(&arguments, None).await?;
        serde_json::from_str(&said).with_context(|| format!("no JSON: {said}"))
    }

    pub(super) async fn seen(&self, day: &str) -> Result<Value> {
        let path = format!("/api/v1/reconciliations/{day}");
        self.central.get(&path).await
    }
}

fn euro(minor: i64) -> Value {
    json!({ "amount_minor": minor, "currency": "EUR" })
}

/// The night of a branch; null is what belongs to none.
pub(super) fn of_branch(night: &Value, code: impl Into<Value>) -> Value {
    let code = code.into();
    let branches = night["branches"].as_array();
    let mut branches = branches.into_iter().flatten();
    let found = branches.find(|one| one["branch"] == code);
    found.cloned().unwrap_or_default()
}

/// Every check that is not green: branch, check, state, and what its records say.
pub(super) fn bad(night: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut bad = Vec::new();
    for branch in list(&night["branches"]) {
        for check in list(&branch["checks"]) {
            if check["state"] == "green" {
                continue;
            }
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            let records = list(&check["records"]);
            let records = records.iter().map(|record| {
                let (kind, subject) = (text(&record["kind"]), text(&record["subject"]));
                let detail = text(&record["detail"]);
                format!(
                    "{kind} {subject}: {detail} [{}]",
                    record["amount"]["amount_minor"]
                )
            });
            let records = records.collect::<Vec<_>>().join("; ");
            let (code, name) = (text(&branch["branch"]), text(&check["check"]));
            bad.push(format!(
                "{code} {name} {}: {records}",
                text(&check["state"])
            ));
        }
    }
    bad
}

fn ensure_green(night: &Value) -> Result<()> {
    ensure!(night["state"] == "green", "{:#?}", bad(night));
    Ok(())
}

/// Goal: after an ordinary day of two shops all thirteen checks of each are green, by the command and by the API; the
/// night is signed off and opened again.
/// Method: cash and card at both, real drawers, the provider's statement; then every route with right and wrong words.
#[tokio::test]
async fn two_shops_end_their_day_and_all_is_green() {
    two_shops().await.unwrap();
}

async fn two_shops() -> Result<()> {
    let town = Town::open(&["NIA", "NIB"], false).await?;
    for branch in 0..2 {
        town.trade(branch).await?;
    }
    town.close_days(&town.today).await?;
    town.take_statement().await?;
    town.stripe
        .control("payouts", json!({ "short_by": 0 }))
        .await?;
    town.take_statement().await?;
    by_command(&town).await?;
    by_api(&town).await?;
    ensure_converged(&town.chain).await
}

async fn by_command(town: &Town) -> Result<()> {
    let night = town.night(&town.today).await?;
    ensure_green(&night)?;
    ensure!(night["business_date"] == json!(town.today), "{night}");
    for code in ["NIA", "NIB"] {
        let branch = of_branch(&night, code);
        let checks = branch["checks"].as_array().map_or(0, Vec::len);
        ensure!(
            branch["run"] == "done" && checks == 13,
            "{code}: {branch:#}"
        );
        let figure = |check: &str, name: &str| {
            let checks = branch["checks"].as_array().into_iter().flatten();
            let found = checks.filter(|one| one["check"] == check);
            found.map(|one| one["figures"][name].clone()).next()
        };
        let seen = (figure("cash", "sessions"), figure("payments", "matched"));
        ensure!(
            seen == (Some(json!(1)), Some(json!(1))),
            "{code} looked at its drawer and its card: {seen:?}"
        );
    }
    ensure!(
        of_branch(&night, Value::Null)["state"] == "green",
        "{night}"
    );
    let hub = &town.chain.hub;
    let text = [
        "reconcile",
        "--business-date",
        &town.today,
        "--branch",
        "NIB",
    ];
    let said = hub.command(&text, None).await?;
    ensure!(said.trim() == "NIB done green", "{said:?}");
    let rounds = |night: &Value, code| of_branch(night, code)["rounds"].clone();
    let night = town.seen(&town.today).await?;
    ensure!(
        (rounds(&night, "NIA"), rounds(&night, "NIB")) == (json!(1), json!(2)),
        "one branch was done again: {night}"
    );
    for wrong in [
        ["reconcile", "--business-date", "2026-02-30", "--json"].as_slice(),
        &[
            "reconcile",
            "--business-date",
            &town.today,
            "--branch",
            "XXX",
        ],
        &["reconcile"],
    ] {
        let output = hub.try_command(wrong).await?;
        ensure!(!output.status.success(), "{wrong:?} succeeded");
        ensure!(
            output.stdout.is_empty() && !output.stderr.is_empty(),
            "{wrong:?} says why"
        );
    }
    Ok(())
}

async fn by_api(town: &Town) -> Result<()> {
    let (central, day) = (&town.central, &town.today);
    let body = json!({ "business_date": day });
    let started = central.send("/api/v1/reconciliations", &body).await?;
    ensure!(
        started["href"] == format!("/api/v1/reconciliations/{day}"),
        "{started}"
    );
    until("the night is done again", PATIENCE, async || {
        let night = town.seen(day).await?;
        let rounds = of_branch(&night, "NIA")["rounds"].clone();
        let is_done = of_branch(&night, "NIB")["rounds"] == 3 && rounds == 2;
        Ok(if is_done {
            Ok(())
        } else {
            Err(night.to_string())
        })
    })
    .await?;
    ensure_green(&town.seen(day).await?)?;
    let path = format!("/api/v1/reconciliations/{day}?branch=NIA&check=cash&brief=true");
    let one = central.get(&path).await?;
    let checks = one["branches"][0]["checks"].as_array().map(Vec::len);
    ensure!(checks == Some(1), "{one}");
    let list = central.get("/api/v1/reconciliations").await?;
    let newest = &list["items"][0];
    ensure!(newest["id"] == json!(day) && newest["green"] == 3, "{list}");
    sign_and_reopen(town).await
}

async fn sign_and_reopen(town: &Town) -> Result<()> {
    let path = |word: &str| format!("/api/v1/reconciliations/{}/{word}", town.today);
    let refused = async |word: &str, body: Value, status: u16| -> Result<()> {
        let (path, key) = (path(word), fresh_key());
        let answer = town
            .central
            .call(Method::POST, &path, Some(&key), Some(&body))
            .await?;
        ensure!(answer.status == status, "{word} {body}: {}", answer.json());
        Ok(())
    };
    refused("reopen", json!({ "reason": "too early" }), 409).await?;
    let signed = town.central.send(&path("sign-off"), &json!({})).await?;
    ensure!(signed["signed_off"]["by"].is_string(), "{signed}");
    refused("sign-off", json!({}), 409).await?;
    refused("reopen", json!({}), 422).await?;
    let seen = town.seen(&town.today).await?;
    ensure!(
        seen["signed_off"]["by"] == signed["signed_off"]["by"],
        "{seen}"
    );
    let why = json!({ "reason": "a receipt was found" });
    let opened = town.central.send(&path("reopen"), &why).await?;
    ensure!(opened["signed_off"].is_null(), "{opened}");
    let alone = json!({ "branch": "NIA" });
    let signed = town.central.send(&path("sign-off"), &alone).await?;
    ensure!(
        signed["branches"][0]["signed_off"]["by"].is_string(),
        "{signed}"
    );
    let seen = town.seen(&town.today).await?;
    ensure!(
        seen["signed_off"].is_null()
            && of_branch(&seen, "NIA")["signed_off"]["by"].is_string()
            && of_branch(&seen, "NIB")["signed_off"].is_null(),
        "{seen}"
    );
    Ok(())
}

/// Goal: a branch that is cut off is unreconciled since the first day that it missed and holds up nobody; when its line
/// is back the hub does the missed day by itself, once, and it is green.
/// Method: the line is cut; both branches sell and close; the command does the night; the line comes back.
#[tokio::test]
async fn a_branch_that_was_cut_off_is_done_by_itself_when_it_is_back() {
    cut_off().await.unwrap();
}

async fn cut_off() -> Result<()> {
    let town = Town::open(&["NIC", "NID"], true).await?;
    town.trade(1).await?;
    level(&town.managers[1], PATIENCE).await?;
    town.chain.relays[1].cut();
    until_link(&town.managers[1], "cut_off", PATIENCE).await?;
    town.trade(0).await?;
    let session = town.open_drawer(1).await?;
    town.sell(1, "cash").await?;
    town.count(1, &session, FLOAT + PRICE).await?;
    for day in [&town.yesterday, &town.today] {
        town.close_day(0, day).await?;
        town.close_day(1, day).await?;
    }
    level(&town.managers[0], PATIENCE).await?;
    town.until_vouched("NIC").await?;
    town.take_statement().await?;
    let night = town.night(&town.yesterday).await?;
    let night = (of_branch(&night, "NIC"), of_branch(&night, "NID"), night);
    ensure!(
        (&night.0["run"], &night.0["state"]) == (&json!("done"), &json!("green")),
        "{:#}",
        night.2
    );
    ensure!(
        (&night.1["run"], &night.1["since"]) == (&json!("unreconciled"), &json!(town.yesterday)),
        "{:#}",
        night.2
    );
    let night = town.night(&town.today).await?;
    let since = of_branch(&night, "NID")["since"].clone();
    ensure!(
        since == json!(town.yesterday),
        "not reconciled since then: {night:#}"
    );
    ensure!(of_branch(&night, "NIC")["state"] == "green", "{night:#}");
    line_is_back(&town).await
}

async fn line_is_back(town: &Town) -> Result<()> {
    let before = of_branch(&town.seen(&town.yesterday).await?, "NID")["rounds"].clone();
    town.chain.relays[1].restore();
    let by_itself = |code: &'static str, day: String| async move {
        let path = format!("/api/v1/reconciliations/{day}");
        until(&format!("the night of {code}"), PATIENCE * 2, async || {
            let night = town.central.found(&path).await?;
            let night = night.map(|night| of_branch(&night, code));
            Ok(night.and_then(|night| {
                if night["run"] == "done" {
                    Ok(night)
                } else {
                    Err(night.to_string())
                }
            }))
        })
        .await
    };
    let missed = by_itself("NID", town.yesterday.clone()).await?;
    ensure!(missed["state"] == "green", "{missed:#}");
    ensure!(missed["since"].is_null(), "{missed}");
    let rounds = missed["rounds"].as_i64();
    ensure!(
        rounds == before.as_i64().map(|rounds| rounds + 1),
        "{before} and {missed}"
    );
    // The next turn of the worker, which has something else to do, leaves it alone.
    let earlier = show_day(hub::app::reconcile::parse_day(&town.yesterday).context("a day")? - 1);
    town.close_day(0, &earlier).await?;
    by_itself("NIC", earlier).await?;
    let night = town.seen(&town.yesterday).await?;
    ensure!(
        of_branch(&night, "NID")["rounds"].as_i64() == rounds,
        "once: {night}"
    );
    let night = town.night(&town.today).await?;
    town.take_statement().await?;
    ensure!(bad(&night).is_empty(), "{:#?}", bad(&night));
    ensure_converged(&town.chain).await
}

/// Goal: what is wrong at the provider itself is named, each by its payment or payout and by its amount; what is only
/// noise on the way changes nothing.
/// Method: webhooks twice and forged, a capture taken twice, a payout short by a fee, one after the other.
#[tokio::test]
async fn what_is_wrong_at_the_provider_is_named() {
    at_the_provider().await.unwrap();
}

async fn at_the_provider() -> Result<()> {
    let town = Town::open(&["NIE", "NIF"], false).await?;
    noise(&town).await?;
    let twice = town.trade(0).await?;
    town.trade(1).await?;
    town.close_days(&town.today).await?;
    town.take_statement().await?;
    ensure_green(&town.night(&town.today).await?)?;
    captured_twice(&town, &twice).await?;
    short_payout(&town, &twice).await
}

/// A forged word that a promise is paid is not believed, and a word that comes twice counts once.
async fn noise(town: &Town) -> Result<()> {
    let session = town.open_drawer(0).await?;
    let promised = town.sell(0, "card").await?;
    town.until_state(0, &promised, "processing").await?;
    let faults = async |fault: &str, times: usize| {
        let body = json!({ "fault": fault, "times": times });
        town.stripe.control("webhooks/faults", body).await
    };
    faults("forged", 1).await?;
    faults("duplicate", 8).await?;
    town.customer_pays(0, &promised).await?;
    let paid = town.until_state(0, &promised, "captured").await?;
    ensure!(paid["captured"]["amount_minor"] == PRICE, "{paid}");
    town.count(0, &session, FLOAT).await
}

async fn captured_twice(town: &Town, payment: &str) -> Result<()> {
    let state = town.stripe.state().await?;
    let intents = state["payment_intent"].as_array().cloned();
    let is_its = |one: &&Value| one["metadata"].to_string().contains(payment);
    let intents = intents.unwrap_or_default();
    let intent = intents
        .iter()
        .find(is_its)
        .and_then(|one| one["id"].as_str());
    let path = format!("payment_intents/{}/again", intent.context("the intent")?);
    town.stripe.control(&path, json!({})).await?;
    town.take_statement().await?;
    let night = town.night(&town.today).await?;
    let bad = bad(&night);
    ensure!(
        bad.len() == 1 && bad[0].starts_with(&format!("NIE payments red: payment {payment}: ")),
        "{bad:#?}"
    );
    ensure!(bad[0].ends_with(&format!("[{PRICE}]")), "{bad:#?}");
    ensure!(!bad[0].contains(';'), "named once: {bad:#?}");
    Ok(())
}

async fn short_payout(town: &Town, twice: &str) -> Result<()> {
    let payout = town.stripe.control("payouts", json!({ "short_by": 40 }));
    let payout = payout.await?["id"].as_str().context("a payout")?.to_owned();
    town.take_statement().await?;
    let bad = bad(&town.night(&town.today).await?);
    ensure!(bad.len() == 2 && bad[0].contains(twice), "{bad:#?}");
    let named = format!("- payments red: payout {payout}: ");
    ensure!(
        bad[1].starts_with(&named) && bad[1].ends_with("[-40]"),
        "{bad:#?}"
    );
    let exceptions = town.central.list("/api/v1/exceptions").await?;
    let nights = exceptions.iter().filter(|one| one["kind"] == "night");
    ensure!(nights.count() == 2, "{exceptions:#?}");
    Ok(())
}
