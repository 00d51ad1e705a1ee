//! `cargo xtask bench pages`: a branch that has worked for years, asked for every page and every read.
//!
//! The branch is filled once and kept under the target folder by what makes it. Its hub is out of reach: a shop works
//! so, and nothing else runs beside what is measured.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::bench_program;
use crate::command::{cargo, run};

/// Where published records lie beside the project, if they do.
const RECORDS: &str = "../shared/data";

pub(super) fn measure(root: &Path, target: &Path) -> Result<Vec<Value>> {
    run(cargo(root).args(["build", "--release", "--package", "edge-node", "--bins"]))?;
    let program = bench_program(root, "edge-node", "pages")?;
    let output = Command::new(program)
        .arg(target.join("release").join("edge-node"))
        .arg(target.join("bench-pages"))
        .arg(root.join(RECORDS))
        .stderr(Stdio::inherit())
        .output()
        .context("starting the pages' bench")?;
    if !output.status.success() {
        bail!("the pages' bench failed");
    }
    let text = String::from_utf8(output.stdout)?;
    text.lines()
        .map(|line| serde_json::from_str(line).context("a row that is no JSON"))
        .collect()
}
