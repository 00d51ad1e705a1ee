//! A person of another branch: asked for at the hub, brought here, served here.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tests::process::chain::api::{Answer, Api, fresh_key};
use tests::process::chain::wait::until_link;
use tests::process::chain::{Chain, Plan, id_of};
use tests::process::hub::Database;

use super::sound::ensure_converged;

/// Goal: connected, a branch finds and brings a person of another branch and serves them, with everything the person is
/// and nothing of anybody else (INV-11); cut off it is told so at once, and whoever was brought stays.
/// Method: ONE takes two people in; TWO finds one, brings them twice at once, takes an order in for them and edits them;
/// both sides change the person; digests agree, every side verifies itself, TWO and THREE hold no stranger; then the hub
/// is killed.
#[tokio::test]
async fn a_person_of_another_branch_is_brought_and_served() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let plan = Plan {
        parts: 0,
        opening: 0,
        database: Database::Private,
        ..Plan::of(&["ONE", "TWO", "SIX"])
    };
    let mut chain = Chain::start(&plan).await?;
    let (one, two, six) = (
        chain.manager(0).await?,
        chain.manager(1).await?,
        chain.manager(2).await?,
    );
    let wanted = customer(&one, "Jürgen Großmann", "+49 30 5557731").await?;
    let stranger = customer(&one, "Other Person", "+49 30 9999999").await?;
    chain.until_level().await?;

    let found = look_up(&two, "grossmann").await?;
    let people = found["people"].as_array().context("people")?;
    ensure!(people.len() == 1, "{found}");
    ensure!(people[0]["id"] == wanted.as_str(), "{found}");
    ensure!(people[0]["branch"] == "ONE", "{found}");
    ensure!(
        !found.to_string().contains("555"),
        "a whole number: {found}"
    );
    let before = two.found(&format!("/api/v1/customers/{wanted}")).await?;
    ensure!(before.is_err(), "a question brings nobody");

    let (first, second) = tokio::join!(attach(&two, &wanted), attach(&two, &wanted));
    for brought in [first?, second?] {
        let brought = brought.ok("attach")?;
        ensure!(brought["phone"] == "+49 30 5557731", "{brought}");
        ensure!(brought["branch"] == "ONE", "{brought}");
    }
    let search = json!({ "q": "7731" });
    let here = two.post("/api/v1/search", &fresh_key(), &search).await?;
    ensure!(here["customers"][0]["id"] == wanted.as_str(), "{here}");
    ensure!(
        look_up(&two, "grossmann").await?["people"] == json!([]),
        "who is here is not elsewhere"
    );
    let order =
        json!({ "customer_id": wanted, "devices": [{ "category": "Radio", "fault": "hums" }] });
    two.post("/api/v1/orders", &fresh_key(), &order).await?;
    let path = format!("/api/v1/customers/{wanted}");
    let (ours, theirs) = (
        json!({ "language": "de" }),
        json!({ "note": "rings first" }),
    );
    tokio::try_join!(two.patch(&path, &ours), one.patch(&path, &theirs))?;
    ensure_converged(&chain).await?;
    chain.hub.verified().await?;
    for branch in [&one, &two] {
        let person = branch.get(&path).await?;
        ensure!(
            person["language"] == "de" && person["note"] == "rings first",
            "{person}"
        );
    }
    for (branch, person) in [(&two, &stranger), (&six, &stranger), (&six, &wanted)] {
        let held = branch.found(&format!("/api/v1/documents/{person}")).await?;
        ensure!(held.is_err(), "{} holds {person}", branch.base());
    }
    cut_off(&mut chain, &two, &wanted, &stranger).await
}

async fn cut_off(chain: &mut Chain, two: &Api, here: &str, stranger: &str) -> Result<()> {
    chain.hub.kill().await?;
    until_link(two, "cut_off", Duration::from_secs(30)).await?;
    let body = json!({ "q": "other person" });
    let asked = two
        .call(Method::POST, "/api/v1/customers/lookup", None, Some(&body))
        .await?;
    for refused in [asked, attach(two, stranger).await?] {
        let problem = refused.json();
        ensure!(refused.status == 503, "{problem}");
        ensure!(
            problem["type"]
                .as_str()
                .is_some_and(|kind| kind.contains("cut-off")),
            "{problem}"
        );
    }
    attach(two, here).await?.ok("who is here stays").map(drop)
}

async fn customer(api: &Api, name: &str, phone: &str) -> Result<String> {
    let body = json!({ "name": name, "phone": phone });
    id_of(&api.post("/api/v1/customers", &fresh_key(), &body).await?)
}

async fn look_up(api: &Api, text: &str) -> Result<Value> {
    let body = json!({ "q": text });
    api.post("/api/v1/customers/lookup", &fresh_key(), &body)
        .await
}

async fn attach(api: &Api, person: &str) -> Result<Answer> {
    let path = format!("/api/v1/customers/{person}/attach");
    api.call(Method::POST, &path, Some(&fresh_key()), None)
        .await
}
