//! One transfer through all hands: requested and approved at the hub, shipped by one branch, received by another.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::super::api::Api;
use super::super::chain::Chain;
use super::super::report::Transfer;
use super::super::transfers::wait_for_state;

const QUANTITY: i64 = 2;

pub(crate) async fn run(chain: &Chain, skus: &[String]) -> Result<Transfer> {
    let (source, destination) = (
        chain.branch_api(0, "branch_manager")?,
        chain.branch_api(1, "branch_manager")?,
    );
    let manager = chain.hub_api("central_manager")?;
    let sku = part_with_stock(&source, skus).await?;
    let (source_before, destination_before) = (
        on_hand(&source, &sku).await?,
        on_hand(&destination, &sku).await?,
    );
    let lines = json!([{ "sku": sku, "quantity": QUANTITY }]);
    let body =
        json!({ "from": chain.branches[0].code, "to": chain.branches[1].code, "lines": lines });
    let request = manager
        .post("/api/v1/transfers", "demo-transfer", &body)
        .await?;
    let id = request["id"]
        .as_str()
        .context("a transfer without an id")?
        .to_owned();
    manager
        .post(
            &format!("/api/v1/transfers/{id}/approve"),
            "demo-transfer-approve",
            &Value::Null,
        )
        .await?;
    wait_for_state(&source, &id, "approved").await?;
    let lines = json!({ "lines": lines });
    source
        .post(
            &format!("/api/v1/transfers/{id}/ship"),
            "demo-transfer-ship",
            &lines,
        )
        .await?;
    wait_for_state(&destination, &id, "shipped").await?;
    destination
        .post(
            &format!("/api/v1/transfers/{id}/receive"),
            "demo-transfer-receive",
            &lines,
        )
        .await?;
    let state = wait_for_state(&manager, &id, "received").await?;
    Ok(Transfer {
        quantity: QUANTITY,
        source_before,
        source_after: on_hand(&source, &sku).await?,
        destination_before,
        destination_after: on_hand(&destination, &sku).await?,
        state,
    })
}

async fn part_with_stock(source: &Api, skus: &[String]) -> Result<String> {
    for sku in skus {
        let stock = source.get(&format!("/api/v1/stock/{sku}")).await?;
        if stock["free"].as_i64().unwrap_or_default() >= QUANTITY {
            return Ok(sku.clone());
        }
    }
    anyhow::bail!("no part has {QUANTITY} free at {}", source.base)
}

async fn on_hand(api: &Api, sku: &str) -> Result<i64> {
    let stock = api.get(&format!("/api/v1/stock/{sku}")).await?;
    stock["on_hand"].as_i64().context("stock without on_hand")
}
