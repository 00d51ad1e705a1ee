//! The command line: what each command takes, and its exit code, which is 0 only on success.
//!
//! Commands beside a running hub write through the same path as its pages, with an epoch of their own.

mod branch;
mod reconcile;
mod staff;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

use crate::app::{Hub, HubOptions};
use crate::config::{CommonOptions, Config, ServeOptions};
use crate::database::Database;
use crate::server::{self, Opened};

#[derive(Debug, Parser)]
#[command(
    name = "hub",
    version,
    about = "The hub of a chain of repair shops",
    arg_required_else_help = true
)]
struct Arguments {
    #[command(flatten)]
    common: CommonOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve pages, API and branches until told to end
    Serve(ServeOptions),
    /// Add branches and make join codes for their machines
    #[command(subcommand)]
    Branch(branch::Command),
    /// Add people
    #[command(subcommand)]
    Staff(staff::Command),
    /// Bring the database's schema up to date
    Migrate,
    /// Hold every table against a replay of the logs; exit code 1 where something differs
    Verify {
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
    },
    /// Hold a business day of every branch against its own word and the provider's statement
    Reconcile {
        /// The business date, as in 2026-11-21
        #[arg(long, value_name = "DATE")]
        business_date: String,
        /// Code of one branch
        #[arg(long, value_name = "CODE")]
        branch: Option<String>,
        /// Print what was found as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the address of the hub's database, with its password
    DatabaseUrl,
    /// Show the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the effective values, secrets hidden
    Print(ServeOptions),
}

/// Runs the command line.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match execute(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("hub: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(arguments: &Arguments) -> Result<ExitCode> {
    let serve = match &arguments.command {
        Command::Serve(serve) | Command::Config(ConfigCommand::Print(serve)) => serve.clone(),
        _ => ServeOptions::default(),
    };
    let config = Config::load(&arguments.common, &serve)?;
    web_kit::telemetry::start(&config.log, config.log_format)?;
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("TLS was set up twice"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(dispatch(&arguments.command, &config))
}

async fn dispatch(command: &Command, config: &Config) -> Result<ExitCode> {
    match command {
        Command::Serve(_) => server::run(config).await?,
        Command::Branch(command) => {
            with_hub(config, async |opened| branch::run(command, opened).await).await?
        }
        Command::Staff(command) => {
            with_hub(config, async |opened| staff::run(command, opened).await).await?
        }
        Command::Migrate => migrate(config).await?,
        Command::Verify { json } => return verify(config, *json).await,
        Command::Reconcile {
            business_date,
            branch,
            json,
        } => return reconcile::run(config, business_date, branch.as_deref(), *json).await,
        Command::DatabaseUrl => {
            let database = Database::attach(config, config.data()?).await?;
            let said = say(database.url());
            database.stop().await?;
            said?;
        }
        Command::Config(_) => {
            let shown = config
                .shown()
                .into_iter()
                .map(|(key, value)| format!("{key} = {value}"));
            say(&shown.collect::<Vec<_>>().join("\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs `work` on the core, beside a running hub or alone.
async fn with_hub<T>(config: &Config, work: impl AsyncFnOnce(&Opened) -> Result<T>) -> Result<T> {
    let data = config.data()?;
    let database = Database::attach(config, data).await?;
    let options = HubOptions {
        patience: config.night.patience(),
        ..HubOptions::default()
    };
    let opened = server::open(data, &database, options).await;
    let outcome = match &opened {
        Ok(opened) => work(opened).await,
        Err(_) => Err(anyhow::anyhow!("the hub's database cannot be opened")),
    };
    if let Ok(opened) = &opened {
        opened.hub.pool().close().await;
    }
    let stopped = database.stop().await;
    opened?;
    let value = outcome?;
    stopped?;
    Ok(value)
}

async fn migrate(config: &Config) -> Result<()> {
    let database = Database::attach(config, config.data()?).await?;
    let migrated = Hub::migrate(&database.options()?).await;
    database.stop().await?;
    migrated?;
    say("the schema is up to date")?;
    Ok(())
}

async fn verify(config: &Config, json: bool) -> Result<ExitCode> {
    let data = config.data()?.to_path_buf();
    let report = with_hub(config, async |opened| {
        opened
            .hub
            .verify_private(&data)
            .await
            .context("the hub cannot be verified")
    })
    .await?;
    if json {
        say(&serde_json::to_string_pretty(&report)?)?;
    } else {
        for difference in &report.differences {
            say(&format!(
                "{} {}: {}",
                difference.table, difference.key, difference.what
            ))?;
        }
        say(if report.ok {
            "all tables follow from the logs"
        } else {
            "something does not follow from the logs"
        })?;
    }
    Ok(if report.ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// One answer to standard output; a reader that went away is an error, not a panic.
fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .context("the answer could not be written")
}
