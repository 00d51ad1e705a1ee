//! Stock that moves between branches.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::process::chain::api::{Api, fresh_key};
use tests::process::chain::wait::until;
use tests::process::chain::{Chain, PATIENCE, Plan, id_of};

use super::sound::ensure_converged;

/// Goal: every piece of a transfer is somewhere at every moment (INV-5), ends once (INV-7), and the hub's figures are
/// the branches' (INV-5b).
/// Method: five pieces leave; two arrive good and one broken, two are missing; one turns up, the other is looked into and
/// written off, and arrives after all. Shipping and receiving happen while cut off. After each step conservation at the
/// hub is balanced.
#[tokio::test]
async fn a_transfer_with_damaged_and_missing_pieces_accounts_for_every_piece() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let chain = Chain::start(&Plan {
        parts: 2,
        ..Plan::of(&["SRC", "DST"])
    })
    .await?;
    let (source, destination) = (chain.manager(0).await?, chain.manager(1).await?);
    let central = chain.hub.api("central").await?;
    let sku = chain.skus[0].clone();
    let lines = json!([{ "sku": sku, "quantity": 5 }]);
    let request = json!({ "from": "SRC", "to": "DST", "lines": lines });
    let id = id_of(&central.send("/api/v1/transfers", &request).await?)?;
    let approve = format!("/api/v1/transfers/{id}/approve");
    central.send(&approve, &Value::Null).await?;
    until_state(&source, &id, "approved").await?;
    balanced(&central, &sku, json!({ "on_hand": 20, "in_transit": 0 })).await?;

    source.send("/api/v1/sync/pause", &Value::Null).await?;
    source
        .send(
            &format!("/api/v1/transfers/{id}/ship"),
            &json!({ "lines": lines }),
        )
        .await?;
    stands(&source, &sku, 5).await?;
    source.send("/api/v1/sync/resume", &Value::Null).await?;
    until_state(&destination, &id, "shipped").await?;
    until_balanced(&central, &sku, json!({ "on_hand": 15, "in_transit": 5 })).await?;

    destination.send("/api/v1/sync/pause", &Value::Null).await?;
    receive(
        &destination,
        &id,
        json!({ "sku": sku, "quantity": 2, "damaged": 1, "missing": 2 }),
    )
    .await?;
    stands(&destination, &sku, 12).await?;
    destination
        .send("/api/v1/sync/resume", &Value::Null)
        .await?;
    until_state(&central, &id, "received_short").await?;
    until_balanced(
        &central,
        &sku,
        json!({ "on_hand": 17, "in_transit": 2, "scrapped": 1 }),
    )
    .await?;

    receive(
        &destination,
        &id,
        json!({ "sku": sku, "quantity": 1, "damaged": 0, "missing": 1 }),
    )
    .await?;
    stands(&destination, &sku, 13).await?;
    until_balanced(
        &central,
        &sku,
        json!({ "opening": 20, "on_hand": 18, "in_transit": 1, "scrapped": 1, "lost": 0 }),
    )
    .await?;
    settle(&central, &id, &sku).await?;
    until_state(&source, &id, "lost").await?;
    until_state(&destination, &id, "lost").await?;
    until_balanced(
        &central,
        &sku,
        json!({ "on_hand": 18, "in_transit": 0, "lost": 1 }),
    )
    .await?;
    ensure_converged(&chain).await?;

    receive(
        &destination,
        &id,
        json!({ "sku": sku, "quantity": 1, "damaged": 0, "missing": 0 }),
    )
    .await?;
    until_state(&source, &id, "received").await?;
    until_balanced(
        &central,
        &sku,
        json!({ "on_hand": 19, "in_transit": 0, "scrapped": 1, "lost": 0 }),
    )
    .await?;
    let more = json!({ "lines": [{ "sku": sku, "quantity": 1, "damaged": 0, "missing": 0 }] });
    let path = format!("/api/v1/transfers/{id}/receive");
    refused(&destination, &path, &more, 409).await?;
    ensure_converged(&chain).await?;
    let all = central.get("/api/v1/stock/conservation").await?;
    let rows = all["items"].as_array().context("conservation has items")?;
    ensure!(
        !rows.is_empty() && rows.iter().all(|row| row["balanced"] == true),
        "{all}"
    );
    Ok(())
}

/// Looks into the transfer and writes one piece off; what cannot be is refused.
async fn settle(central: &Api, id: &str, sku: &str) -> Result<()> {
    let path = |act: &str| format!("/api/v1/transfers/{id}/{act}");
    let lost = |pieces: i64| json!({ "lines": [{ "sku": sku, "lost": pieces }], "reason": "the carrier lost it" });
    let silent = json!({ "lines": [{ "sku": sku, "lost": 1 }], "reason": "" });
    refused(central, &path("dispute"), &Value::Null, 422).await?;
    refused(central, &path("settle"), &lost(2), 422).await?;
    refused(central, &path("settle"), &silent, 422).await?;
    let reason = json!({ "reason": "one box is missing" });
    central.send(&path("dispute"), &reason).await?;
    ensure!(state_of(central, id).await? == "disputed");
    let settled = central.send(&path("settle"), &lost(1)).await?;
    ensure!(
        settled["state"] == "lost" && settled["lines"][0]["lost"] == 1,
        "{settled}"
    );
    refused(central, &path("settle"), &lost(1), 409).await
}

async fn refused(api: &Api, path: &str, body: &Value, status: u16) -> Result<()> {
    let answer = api
        .call(reqwest::Method::POST, path, Some(&fresh_key()), Some(body))
        .await?;
    ensure!(
        answer.status == status,
        "{path} should be refused with {status}: {} {}",
        answer.status,
        answer.json()
    );
    Ok(())
}

/// Goal: a branch asks, the hub says no, and nothing ever moves.
/// Method: a branch's request is cancelled at the hub; shipping it is refused at the source.
#[tokio::test]
async fn a_cancelled_transfer_is_not_shipped() {
    cancelled().await.unwrap();
}

async fn cancelled() -> Result<()> {
    let chain = Chain::start(&Plan {
        parts: 1,
        ..Plan::of(&["SRC", "DST"])
    })
    .await?;
    let (source, destination) = (chain.manager(0).await?, chain.manager(1).await?);
    let central = chain.hub.api("central").await?;
    let lines = json!([{ "sku": chain.skus[0], "quantity": 3 }]);
    let request = json!({ "from": "SRC", "to": "DST", "lines": lines });
    let id = id_of(&destination.send("/api/v1/transfers", &request).await?)?;
    until_state(&central, &id, "requested").await?;
    central
        .send(&format!("/api/v1/transfers/{id}/approve"), &Value::Null)
        .await?;
    until_state(&source, &id, "approved").await?;
    central
        .send(&format!("/api/v1/transfers/{id}/cancel"), &Value::Null)
        .await?;
    until_state(&source, &id, "cancelled").await?;
    until_state(&destination, &id, "cancelled").await?;
    let path = format!("/api/v1/transfers/{id}/ship");
    refused(&source, &path, &json!({ "lines": lines }), 409).await?;
    stands(&source, &chain.skus[0], 10).await?;
    ensure_converged(&chain).await
}

async fn receive(branch: &Api, id: &str, line: Value) -> Result<()> {
    let path = format!("/api/v1/transfers/{id}/receive");
    branch
        .send(&path, &json!({ "lines": [line] }))
        .await
        .map(drop)
}

async fn stands(branch: &Api, sku: &str, on_hand: i64) -> Result<()> {
    let stock = branch.stock(sku).await?;
    ensure!(
        stock["on_hand"] == on_hand,
        "{on_hand} should be there: {stock}"
    );
    Ok(())
}

async fn state_of(api: &Api, id: &str) -> Result<String> {
    let all = api.list("/api/v1/transfers").await?;
    let found = all.into_iter().find(|transfer| transfer["id"] == id);
    Ok(found
        .and_then(|row| row["state"].as_str().map(str::to_owned))
        .unwrap_or_default())
}

async fn until_state(api: &Api, id: &str, wanted: &str) -> Result<()> {
    until(
        &format!("{} shows the transfer as {wanted}", api.base()),
        PATIENCE,
        async || {
            let state = state_of(api, id).await?;
            Ok(if state == wanted { Ok(()) } else { Err(state) })
        },
    )
    .await
}

/// Conservation of a part: balanced, and with these figures.
async fn figures(central: &Api, sku: &str, wanted: &Value) -> Result<Result<(), String>> {
    let row = central
        .get(&format!("/api/v1/stock/{sku}/conservation"))
        .await?;
    ensure!(row["balanced"] == true, "pieces appear or vanish: {row}");
    let is_so = wanted
        .as_object()
        .into_iter()
        .flatten()
        .all(|(name, value)| row[name] == *value);
    Ok(if is_so { Ok(()) } else { Err(row.to_string()) })
}

async fn balanced(central: &Api, sku: &str, wanted: Value) -> Result<()> {
    figures(central, sku, &wanted)
        .await?
        .map_err(|row| anyhow::anyhow!("wanted {wanted}, found {row}"))
}

async fn until_balanced(central: &Api, sku: &str, wanted: Value) -> Result<()> {
    until(
        &format!("conservation shows {wanted}"),
        PATIENCE,
        async || figures(central, sku, &wanted).await,
    )
    .await
}
