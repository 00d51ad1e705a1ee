//! A branch without its hub.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::process::chain::api::Api;
use tests::process::chain::wait::{until, until_link};
use tests::process::chain::{Chain, PATIENCE, Plan, add_staff, id_of};

use super::sound::{ensure_converged, orders_at_hub, plain_id};

/// Goal: the counter works with the hub gone (INV-17), and everything arrives when it is back.
/// Method: the hub is stopped; a person who never signed in before does so, takes orders and customers in, uses parts,
/// reads every list; then the hub returns.
#[tokio::test]
async fn a_branch_works_on_while_the_hub_is_gone() {
    works_on().await.unwrap();
}

async fn works_on() -> Result<()> {
    let mut chain = Chain::start(&Plan::of(&["OUT"])).await?;
    let operator = chain.hub.api("operator").await?;
    add_staff(&operator, "tina", "technician", &["OUT"]).await?;
    until("tina is known", PATIENCE, async || {
        Ok(if chain.edges[0].knows("tina")? {
            Ok(())
        } else {
            Err("not yet".to_owned())
        })
    })
    .await?;
    chain.hub.stop().await?;
    let tina = chain.edges[0].api("tina").await?;
    until_link(&tina, "cut_off", Duration::from_secs(30)).await?;
    let order = a_day_at_the_counter(&tina, &chain.skus).await?;
    for path in [
        "orders",
        "customers",
        "parts",
        "stock",
        "transfers",
        "documents",
        "sync",
        "settings",
        "conflicts",
    ] {
        tina.get(&format!("/api/v1/{path}")).await?;
    }
    let ready = reqwest::get(format!("{}/readyz", chain.edges[0].url())).await?;
    ensure!(
        ready.status() == 200,
        "a cut-off branch is not ready: {}",
        ready.status()
    );
    let seen = tina.get(&format!("/api/v1/orders/{order}")).await?;
    ensure!(
        seen["sync"] == "local",
        "an order made cut off is {}",
        seen["sync"]
    );
    chain.hub.start().await?;
    ensure_converged(&chain).await?;
    let seen = tina.get(&format!("/api/v1/orders/{order}")).await?;
    ensure!(
        seen["sync"] == "applied",
        "after the outage the order is {}",
        seen["sync"]
    );
    let central = chain.hub.api("central").await?;
    let at_hub = central.get(&format!("/api/v1/orders/{order}")).await?;
    for field in ["number", "status", "outcome", "customer", "notes", "heads"] {
        let (at_hub, here) = (&at_hub[field], &seen[field]);
        ensure!(at_hub == here, "{field}: {at_hub} at the hub, {here} here");
    }
    let line = |order: &Value| {
        (
            order["lines"][0]["sku"].clone(),
            order["lines"][0]["quantity"].clone(),
        )
    };
    ensure!(
        line(&at_hub) == line(&seen),
        "lines: {} at the hub, {} here",
        at_hub["lines"],
        seen["lines"]
    );
    Ok(())
}

/// Takes an order in and repairs the device with two parts; gives the order's id.
async fn a_day_at_the_counter(api: &Api, skus: &[String]) -> Result<String> {
    let customer =
        json!({ "name": "Ada Example", "phone": "+49 30 555", "email": "ada@example.org" });
    let customer = id_of(&api.send("/api/v1/customers", &customer).await?)?;
    let body =
        json!({ "customer_id": customer, "devices": [{ "category": "Kettle", "fault": "leaks" }] });
    let visit = api.send("/api/v1/orders", &body).await?;
    let order = id_of(&visit["items"][0])?;
    api.move_order(&order, "in_repair", None).await?;
    let line = id_of(&api.add_part_line(&order, &skus[0], 2).await?)?;
    let path = format!("/api/v1/orders/{order}/lines/{line}/consume");
    api.send(&path, &Value::Null).await?;
    api.send(
        &format!("/api/v1/orders/{order}/notes"),
        &json!({ "text": "new seal" }),
    )
    .await?;
    api.move_order(&order, "ready", Some("repaired")).await?;
    api.move_order(&order, "collected", None).await?;
    let stock = api.stock(&skus[0]).await?;
    ensure!(
        stock["on_hand"] == 8 && stock["reserved"] == 0,
        "two of ten were used: {stock}"
    );
    let search = api
        .send("/api/v1/search", &json!({ "q": "Ada Example" }))
        .await?;
    ensure!(
        search.to_string().contains(&customer),
        "the new customer is not found: {search}"
    );
    Ok(order)
}

/// Goal: the outage drill really cuts the line and really restores it.
/// Method: a relay counts what passes; while paused nothing does, though there is something to send and the hub is
/// there; after the end of the pause it arrives.
#[tokio::test]
async fn a_paused_branch_sends_nothing_until_it_is_resumed() {
    drill().await.unwrap();
}

async fn drill() -> Result<()> {
    let chain = Chain::start(&Plan {
        relayed: true,
        ..Plan::of(&["PAU"])
    })
    .await?;
    let manager = chain.manager(0).await?;
    manager.send("/api/v1/sync/pause", &Value::Null).await?;
    until_link(&manager, "paused", PATIENCE).await?;
    let relay = &chain.relays[0];
    // The last words of a connection may still be on the way when the branch shows that it is cut.
    let mut last = relay.counts();
    until("the line is silent", PATIENCE, async || {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let before = std::mem::replace(&mut last, relay.counts());
        Ok(if before == last {
            Ok(())
        } else {
            Err(format!("{last:?}"))
        })
    })
    .await?;
    let order = manager.take_in("paused-order", "flickers").await?;
    let order = plain_id(&id_of(&order)?);
    // Longer than any wait of an impatient branch while somebody watches.
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let sync = manager.get("/api/v1/sync").await?;
        ensure!(
            sync["link"] == "paused" && sync["pending"]["transactions"] == 1,
            "{sync}"
        );
    }
    ensure!(
        relay.counts() == last,
        "paused, and yet {:?} became {:?}",
        last,
        relay.counts()
    );
    let mut hub = chain.hub.connect().await?;
    let edge = &chain.edges[0];
    ensure!(
        !orders_at_hub(&mut hub, &edge.branch_id)
            .await?
            .contains(&order),
        "it is at the hub already"
    );
    manager.send("/api/v1/sync/resume", &Value::Null).await?;
    ensure_converged(&chain).await?;
    ensure!(
        orders_at_hub(&mut hub, &edge.branch_id)
            .await?
            .contains(&order),
        "it did not arrive"
    );
    Ok(())
}
