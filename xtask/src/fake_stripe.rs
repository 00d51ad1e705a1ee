//! `cargo xtask fake-stripe`: the double of Stripe, until Ctrl-C.
//!
//! Builds and starts the program of the `tests` package. What it can do is said there, in `tests/src/stripe`.

use anyhow::Result;

use crate::command::{cargo, run as run_command, workspace_root};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where it listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:12111")]
    listen: String,
    /// Where its webhooks go
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// Further arguments of the program, after `--`
    #[arg(last = true)]
    further: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = workspace_root()?;
    let mut program = cargo(&root);
    program.args([
        "run",
        "--quiet",
        "-p",
        "tests",
        "--bin",
        "fake-stripe",
        "--",
    ]);
    program.args(["--listen", &arguments.listen]);
    if let Some(url) = &arguments.webhook_url {
        program.args(["--webhook-url", url]);
    }
    run_command(program.args(&arguments.further))
}
