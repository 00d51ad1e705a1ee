//! `cargo xtask fake-stripe`: the double of Stripe, until Ctrl-C.
//!
//! What it can do is said in `tests/fake-stripe`.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use fake_stripe::{FakeOptions, FakeStripe};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where it listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:12111")]
    listen: SocketAddr,
    /// The secret key that it knows
    #[arg(long, value_name = "KEY", default_value = "sk_test_counterpart")]
    key: String,
    /// What signs its webhooks
    #[arg(long, value_name = "SECRET", default_value = "whsec_counterpart")]
    webhook_secret: String,
    /// Where webhooks go, such as http://127.0.0.1:8080/api/v1/webhooks/stripe
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// What it keeps of a charge, in basis points
    #[arg(long, value_name = "BP", default_value_t = 140)]
    fee_bp: i64,
    /// What it keeps per charge, in minor units
    #[arg(long, value_name = "MINOR", default_value_t = 25)]
    fee_fixed: i64,
    /// Keep its state in this file from one start to the next
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let fake = FakeStripe::start(FakeOptions {
            listen: arguments.listen,
            key: arguments.key.clone(),
            webhook_secret: arguments.webhook_secret.clone(),
            webhook_url: arguments.webhook_url.clone(),
            fee_bp: arguments.fee_bp,
            fee_fixed: arguments.fee_fixed,
            state: arguments.state.clone(),
        })
        .await?;
        println!("{}", serde_json::json!({ "url": fake.url() }));
        tokio::signal::ctrl_c().await?;
        Ok(())
    })
}
