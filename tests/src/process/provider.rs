//! A hub whose cards are taken by the double of Stripe.

use std::fs;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::chain::Chain;
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
