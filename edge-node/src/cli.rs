//! The command line: `edge-node join|serve|verify|rebuild|import|export|config`.
//!
//! Answers go to standard output, the log and errors to standard error. Exit code 0 means that what was asked for is
//! done, and nothing else.

mod client;
mod export;
mod import;
mod join;
mod verify;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use serde_json::json;

use crate::config::{CommonOptions, Config, ServeOptions};
use crate::{server, store};

/// The program of one branch: its pages, its API, its line to the hub.
#[derive(Debug, Parser)]
#[command(name = "edge-node", version, about, long_about = LONG_ABOUT)]
struct Cli {
    #[command(flatten)]
    common: CommonOptions,
    #[command(subcommand)]
    command: Command,
}

const LONG_ABOUT: &str = "The program of one branch: its pages, its API, its line to the hub.

A branch machine begins with `edge-node join`, which needs the hub's address and a join code that somebody made there. \
From then on `edge-node serve` is all it needs; it works whether the hub can be reached or not.

Options come from flags, from the environment (COUNTERPART_…) and from the file named by --config, in this order.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a data directory a machine of a branch
    Join(join::Options),
    /// Serves pages and API, and keeps the line to the hub
    Serve(ServeOptions),
    /// Holds every table against a rebuild from log and feeds; reads beside a running server
    Verify(verify::Options),
    /// Makes every table anew from log and feeds; refuses while a server runs
    Rebuild(JsonOption),
    /// Brings records in, through the running server
    #[command(subcommand)]
    Import(import::Options),
    /// Writes out everything that is held of one kind
    Export(export::Options),
    /// Shows the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Clone, Copy, Args)]
struct JsonOption {
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Prints the effective values; there is no secret among them
    Print {
        #[command(flatten)]
        serve: ServeOptions,
        #[command(flatten)]
        output: JsonOption,
    },
}

/// Runs the command that the process was called with.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    // Before anything opens a connection: rustls must not have to choose.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        tracing::debug!("a provider of cryptography was chosen before");
    }
    match execute(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn complain(error: &anyhow::Error) {
    if writeln!(std::io::stderr(), "edge-node: {error:#}").is_err() {
        tracing::error!("{error:#}");
    }
}

fn execute(cli: Cli) -> anyhow::Result<()> {
    let serve = match &cli.command {
        Command::Serve(options) | Command::Config(ConfigCommand::Print { serve: options, .. }) => {
            options.clone()
        }
        _ => ServeOptions::default(),
    };
    let config = Config::load(&cli.common, &serve)?;
    web_kit::telemetry::start(&config.log, config.log_format)?;
    match cli.command {
        Command::Join(options) => runtime()?.block_on(join::run(&config, &options)),
        Command::Serve(_) => runtime()?.block_on(server::run(&config)),
        Command::Verify(options) => verify::run(&config, options),
        Command::Rebuild(output) => rebuild(&config, output),
        Command::Import(options) => runtime()?.block_on(import::run(&config, &options)),
        Command::Export(options) => runtime()?.block_on(export::run(&config, &options)),
        Command::Config(ConfigCommand::Print { output, .. }) => print_config(&config, output),
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime does not start")
}

fn rebuild(config: &Config, output: JsonOption) -> anyhow::Result<()> {
    store::rebuild(config.data()?)?;
    if output.json {
        say(&json!({ "rebuilt": true }).to_string())
    } else {
        say("All tables were made anew from log and feeds.")
    }
}

fn print_config(config: &Config, output: JsonOption) -> anyhow::Result<()> {
    let values = config.shown();
    if output.json {
        return say(&serde_json::to_string_pretty(&values)?);
    }
    let lines: Vec<String> = values
        .into_iter()
        .map(|(key, value)| match value {
            serde_json::Value::Null => format!("# {key} is not set"),
            value => format!("{key} = {value}"),
        })
        .collect();
    say(&lines.join("\n"))
}

/// Writes a line of an answer.
fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .context("the answer could not be written")
}
