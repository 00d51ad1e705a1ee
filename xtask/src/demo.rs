//! `cargo xtask demo`: a whole chain on this machine, for a person, for a script, or to be checked.
//!
//! Three faces: the demo that runs until Ctrl-C, the scripted demo that plays an outage with repair records and
//! reports figures, and the check that holds what every side says about itself against the others.

mod api;
mod bench;
mod chain;
mod check;
mod child;
mod databases;
mod devices;
mod fill;
mod filled;
mod night;
mod person;
mod place;
mod plant;
mod report;
mod scripted;
mod takings;
mod till;
mod transfers;
mod words;

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::command::{cargo, run as run_command, workspace_root};
use crate::install::{self, Need};
pub(crate) use bench::{Bench, Point};
pub(crate) use chain::Programs;
pub(crate) use filled::Filled;
use plant::Fault;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Begin with empty databases
    #[arg(long)]
    fresh: bool,
    /// Hub at P (HTTP and UDP), branch i at P+1+i, instead of 8080, 4433 and 8101…
    #[arg(long, value_name = "P")]
    base_port: Option<u16>,
    /// Use the executables beside this program instead of building them
    #[arg(long)]
    no_build: bool,
    /// Play an outage with repair records, check, report and stop
    #[arg(long)]
    scripted: bool,
    /// Compare what hub and branches of the running demo say, in their tables and in their logs
    #[arg(long, conflicts_with = "scripted")]
    check: bool,
    /// Records in the Open Repair Data Standard; generated ones without it
    #[arg(long, value_name = "FILE", requires = "scripted")]
    repairs: Option<PathBuf>,
    /// Branches of the scripted demo
    #[arg(long, value_name = "N", requires = "scripted", value_parser = clap::value_parser!(u8).range(2..=12))]
    branches: Option<u8>,
    /// Write the report here as well
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Keep the scripted demo running at its end, until Ctrl-C
    #[arg(long, requires = "scripted")]
    hold: bool,
    /// Damage something on purpose before the check
    #[arg(long, value_name = "FAULT", requires = "scripted")]
    plant: Option<Fault>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    if arguments.check {
        return runtime.block_on(check::run(arguments.base_port, arguments.report.as_deref()));
    }
    let programs = programs(arguments.no_build)?;
    if arguments.scripted {
        let plan = scripted::Plan {
            repairs: arguments.repairs.clone(),
            branches: usize::from(arguments.branches.unwrap_or(3)),
            report: arguments.report.clone(),
            hold: arguments.hold,
            plant: arguments.plant,
            base_port: arguments.base_port,
        };
        return runtime.block_on(scripted::run(&plan, programs));
    }
    if arguments.report.is_some() {
        bail!("--report goes with --scripted or --check");
    }
    runtime.block_on(person::run(arguments.fresh, arguments.base_port, programs))
}

fn programs(no_build: bool) -> Result<chain::Programs> {
    install::ensure(&[Need::Database])?;
    if !no_build {
        let root = workspace_root()?;
        run_command(cargo(&root).args([
            "build",
            "--quiet",
            "--package",
            "hub",
            "--package",
            "edge-node",
            "--bins",
        ]))?;
    }
    chain::Programs::beside_this()
}
