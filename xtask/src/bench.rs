//! `cargo xtask bench`: the product's figures in release builds, each beside its floor in the same run.
//!
//! Real processes and real databases in a folder of their own, removed at the end. Machines differ and are noisy:
//! read the ratios.

mod measurement;
mod pages;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::command::{cargo, output, run as run_command, target_folder, workspace_root};
use crate::demo::{Bench, Programs};
use crate::install::{self, Need};
use crate::records;

/// Rows of `bench import`.
const IMPORT_ROWS: u64 = 500_000;
const IMPORT_MIB: f64 = 64.0;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to measure
    #[arg(value_enum, default_value_t = What::Engine)]
    what: What,
    /// Write the rows here as well
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Local commits while sync runs; a catch-up after an outage
    Engine,
    /// Memory while half a million records come in
    Import,
    /// Pages and reads of a branch with 100,000 orders; the hub's map of 16,288 branches
    Pages,
    /// The night of 100 branches with 1,000 transactions each
    Reconcile,
    /// What the hub takes in: transactions with money beside those without
    Ingest,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = workspace_root()?;
    let rows = match arguments.what {
        What::Pages => pages::measure(&root, &target_folder(&root)?)?,
        What::Reconcile => measurement::rows_of(&root, measurement::NIGHT)?,
        What::Ingest => measurement::rows_of(&root, measurement::INGEST)?,
        what => chain_rows(&root, what)?,
    };
    show(&rows);
    if let Some(file) = &arguments.json {
        std::fs::write(file, serde_json::to_vec_pretty(&json!({ "rows": rows }))?)
            .with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}

/// What needs a hub and its database.
fn chain_rows(root: &Path, what: What) -> Result<Vec<Value>> {
    install::ensure(&[Need::Database])?;
    run_command(cargo(root).args([
        "build",
        "--release",
        "--package",
        "hub",
        "--package",
        "edge-node",
        "--bins",
    ]))?;
    let programs = Programs::in_folder(&target_folder(root)?.join("release"))?;
    let runtime = tokio::runtime::Runtime::new()?;
    match what {
        What::Engine => engine(root, programs, &runtime),
        What::Import => runtime.block_on(import(programs)),
        What::Pages | What::Reconcile | What::Ingest => bail!("this needs no chain"),
    }
}

fn engine(
    root: &Path,
    programs: Programs,
    runtime: &tokio::runtime::Runtime,
) -> Result<Vec<Value>> {
    let program = bench_program(root, "tests", "engine")?;
    let mut bench = Bench::new(programs)?;
    let measured = runtime.block_on(bench.join_only()).and_then(|place| {
        let output = Command::new(&program)
            .arg(&place.data_dir)
            .args([&place.hub_quic, &place.database_url])
            .output()
            .context("starting the engine's bench")?;
        if !output.status.success() {
            bail!(
                "the engine's bench failed: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let text = String::from_utf8(output.stdout)?;
        text.lines()
            .map(|line| serde_json::from_str(line).context("a row that is no JSON"))
            .collect()
    });
    let ended = bench.end();
    let rows = measured?;
    ended?;
    Ok(rows)
}

fn bench_program(root: &Path, package: &str, name: &str) -> Result<PathBuf> {
    let built = output(cargo(root).args([
        "build",
        "--release",
        "--package",
        package,
        "--bench",
        name,
        "--message-format",
        "json-render-diagnostics",
    ]))?;
    built
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .with_context(|| format!("cargo built no bench named {name}"))
}

async fn import(programs: Programs) -> Result<Vec<Value>> {
    let mut bench = Bench::new(programs)?;
    let measured = import_rows(&mut bench).await;
    let ended = bench.end();
    let rows = measured?;
    ended?;
    Ok(rows)
}

async fn import_rows(bench: &mut Bench) -> Result<Vec<Value>> {
    let (api, pid) = bench.serve_branch().await?;
    let mut file = Vec::new();
    records::generate(
        &records::Plan {
            seed: 7,
            groups: 4,
            records: IMPORT_ROWS,
        },
        &mut file,
    )?;
    let idle_kib = memory_kib(pid, "VmRSS")?;
    let begun = Instant::now();
    let answer = api.upload("/api/v1/imports/ords", "text/csv", file).await?;
    let taken_s = begun.elapsed().as_secs_f64();
    let above_mib = (memory_kib(pid, "VmHWM")? - idle_kib) as f64 / 1_024.0;
    let created = answer["created"].as_u64().unwrap_or_default();
    let row = |name: &str, target: &str, value: f64, unit: &str, floor: f64, met: bool| {
        let ratio = if floor > 0.0 { value / floor } else { 0.0 };
        json!({ "name": name, "target": target, "value": value, "unit": unit, "floor": floor, "ratio": ratio,
                "met": met, "profile": "release", "n": created })
    };
    let idle_mib = idle_kib as f64 / 1_024.0;
    let name = "import of 500,000 records: peak memory above idle";
    Ok(vec![
        row(
            name,
            "<= 64 MiB",
            above_mib,
            "MiB",
            idle_mib,
            above_mib <= IMPORT_MIB,
        ),
        row(
            "import of 500,000 records: time",
            "none",
            taken_s,
            "s",
            0.0,
            created == IMPORT_ROWS,
        ),
    ])
}

fn memory_kib(pid: u32, field: &str) -> Result<i64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find(|line| line.starts_with(field))
        .context("no such figure of the process")?;
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .context("a figure that is no number")
}

fn show(rows: &[Value]) {
    println!(
        "{:<72}{:>12} {:<5}{:>12}{:>8}  target",
        "", "value", "", "floor", "ratio"
    );
    for row in rows {
        let number = |name: &str| row[name].as_f64().unwrap_or_default();
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        println!(
            "{:<72}{:>12.3} {:<5}{:>12.3}{:>8.2}  {} {}",
            text("name"),
            number("value"),
            text("unit"),
            number("floor"),
            number("ratio"),
            text("target"),
            if row["met"] == true { "met" } else { "MISSED" }
        );
    }
}
