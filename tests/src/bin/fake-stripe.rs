//! The double of Stripe as a program of its own: `cargo xtask fake-stripe`.

use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::Result;
use clap::Parser;
use tests::stripe::{FakeOptions, FakeStripe};

#[derive(Parser)]
#[command(
    name = "fake-stripe",
    about = "A stateful double of Stripe, on loopback"
)]
struct Arguments {
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
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let fake = FakeStripe::start(FakeOptions {
        listen: arguments.listen,
        key: arguments.key,
        webhook_secret: arguments.webhook_secret,
        webhook_url: arguments.webhook_url,
        fee_bp: arguments.fee_bp,
        fee_fixed: arguments.fee_fixed,
    })
    .await?;
    writeln!(
        std::io::stdout(),
        "{}",
        serde_json::json!({ "url": fake.url() })
    )?;
    tokio::signal::ctrl_c().await?;
    Ok(())
}
