//! `edge-node export`: beside a running server through it, otherwise straight from the database.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use domain::id::StaffId;
use domain::staff::Role;
use futures_util::StreamExt;

use super::client::{Running, successful};
use crate::app::export::{ExportFormat, ExportWhat, chunk};
use crate::config::Config;
use crate::store::{Actor, Store, StoreConfig};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// What to write out
    #[arg(value_name = "WHAT")]
    what: What,
    /// How
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    format: Format,
    /// Where to; standard output when left out
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    Orders,
    Customers,
    Stock,
    Movements,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Csv,
    Jsonl,
}

/// Whoever can read the data directory can read all of it.
const READER: Actor = Actor {
    staff: StaffId::NIL,
    role: Role::BranchManager,
    terminal: 0,
};

pub(super) async fn run(config: &Config, options: &Options) -> anyhow::Result<()> {
    let dir = config.data()?;
    let mut output: Box<dyn Write> = match &options.output {
        Some(path) => {
            let file = std::fs::File::create(path).with_context(|| path.display().to_string())?;
            Box::new(std::io::BufWriter::new(file))
        }
        None => Box::new(std::io::stdout().lock()),
    };
    match Running::find(dir).await? {
        Some(running) => from_server(&running, options, &mut output).await?,
        None => from_store(&Store::open(StoreConfig::of(dir)?)?, options, &mut output)?,
    }
    output.flush().context("the export could not be written")
}

async fn from_server(
    running: &Running,
    options: &Options,
    output: &mut dyn Write,
) -> anyhow::Result<()> {
    let what = match options.what {
        What::Orders => "orders",
        What::Customers => "customers",
        What::Stock => "stock",
        What::Movements => "movements",
    };
    let format = match options.format {
        Format::Csv => "csv",
        Format::Jsonl => "jsonl",
    };
    let path = format!("/api/v1/exports/{what}.{format}");
    let answer = successful(running.get(&path).send().await?).await?;
    let mut pieces = answer.bytes_stream();
    while let Some(piece) = pieces.next().await {
        output.write_all(&piece.context("the export broke off")?)?;
    }
    Ok(())
}

fn from_store(store: &Store, options: &Options, output: &mut dyn Write) -> anyhow::Result<()> {
    let what = match options.what {
        What::Orders => ExportWhat::Orders,
        What::Customers => ExportWhat::Customers,
        What::Stock => ExportWhat::Stock,
        What::Movements => ExportWhat::Movements,
    };
    let format = match options.format {
        Format::Csv => ExportFormat::Csv,
        Format::Jsonl => ExportFormat::Jsonl,
    };
    let mut after = None;
    loop {
        let piece = store.read_blocking(|reader| chunk(reader, &READER, what, format, after))?;
        output.write_all(&piece.bytes)?;
        match piece.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}
