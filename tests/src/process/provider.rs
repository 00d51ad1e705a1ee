//! A hub whose cards are taken by the double of Stripe.

use std::fs;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::chain::api::Api;
use super::chain::wait::until;
use super::chain::{Chain, PATIENCE};
use crate::stripe::{FakeOptions, FakeStripe};

/// Starts a provider and has the hub of a chain use it from now on. With readers each branch gets one on its counter:
/// their ids at the provider, in the order of the branches. The hub gets more flags besides.
///
/// # Errors
/// When provider or hub do not start.
pub async fn open_provider(
    chain: &mut Chain,
    with_readers: bool,
    more: &[String],
) -> Result<(FakeStripe, Vec<String>)> {
    let options = FakeOptions::default();
    let secrets = chain.folder.path().join("provider");
    fs::create_dir_all(&secrets)?;
    let file = |name: &str, text: &str| -> Result<String> {
        let path = secrets.join(name);
        fs::write(&path, text)?;
        Ok(path.to_str().context("a path that is text")?.to_owned())
    };
    let mut flags = vec![
        "--stripe-key-file".to_owned(),
        file("key", &options.key)?,
        "--stripe-webhook-secret-file".to_owned(),
        file("webhook", &options.webhook_secret)?,
    ];
    let stripe = FakeStripe::start(FakeOptions {
        webhook_url: Some(format!("{}/api/v1/webhooks/stripe", chain.hub.url())),
        ..options
    })
    .await?;
    flags.extend(["--stripe-url".to_owned(), stripe.url()]);
    let mut readers = Vec::new();
    if with_readers {
        let mut lines = "[payment.readers]\n".to_owned();
        for edge in &chain.edges {
            let made = stripe
                .control("readers", json!({ "label": edge.code }))
                .await?;
            let id = made["id"].as_str().context("a reader")?.to_owned();
            lines.push_str(&format!("{} = \"{id}\"\n", edge.code));
            readers.push(id);
        }
        flags.extend(["--config".to_owned(), file("hub.toml", &lines)?]);
    }
    chain.hub.stop().await?;
    flags.extend_from_slice(more);
    chain.hub.serve_with(&flags);
    chain.hub.start().await?;
    Ok((stripe, readers))
}

/// Waits until a branch says this of a payment; gives it.
///
/// # Errors
/// When it does not in time.
pub async fn until_payment(branch: &Api, payment: &str, state: &str) -> Result<Value> {
    let what = format!("the payment is {state} at the branch");
    until(&what, PATIENCE * 2, async || {
        let all = branch.get("/api/v1/payments").await?;
        let items = all["items"].as_array().cloned().unwrap_or_default();
        let found = items.into_iter().find(|one| one["id"] == payment);
        Ok(match found {
            Some(found) if found["state"] == state => Ok(found),
            other => Err(format!("{other:?}")),
        })
    })
    .await
}

/// The customer opens the link that a branch shows for a payment, and pays.
///
/// # Errors
/// When the provider knows no such link.
pub async fn customer_pays(stripe: &FakeStripe, asked: &Value) -> Result<()> {
    let state = stripe.state().await?;
    let links = state["payment_link"].as_array().context("links")?;
    let link = links.iter().find(|one| one["url"] == asked["detail"]);
    let id = link.and_then(|one| one["id"].as_str());
    let path = format!("links/{}/pay", id.context("the link of the payment")?);
    stripe.control(&path, json!({})).await.map(drop)
}
