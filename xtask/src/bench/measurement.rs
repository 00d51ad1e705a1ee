//! Measurements that are tests of the hub: they make branches, which write real logs, and print the rows.
//!
//! `cargo xtask bench reconcile`: the night of a hundred branches beside that of ten, with a hub that answers meanwhile.
//! `cargo xtask bench ingest`: what a till's transaction takes at the hub beside one about an order.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::command::cargo;
use crate::install::{self, Need};

pub(super) const NIGHT: &str = "night::speed::nights_of_a_hundred_branches";
pub(super) const INGEST: &str = "throughput::small_transactions_per_second";

/// Runs the test of this name in release and gives its rows.
pub(super) fn rows_of(root: &Path, name: &str) -> Result<Vec<Value>> {
    install::ensure(&[Need::Database])?;
    let done = cargo(root)
        .args([
            "test",
            "--release",
            "--package",
            "hub",
            "--test",
            "it",
            "--",
        ])
        .args(["--ignored", "--exact", "--nocapture", name])
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("starting {name}"))?;
    let text = String::from_utf8(done.stdout)?;
    if !done.status.success() {
        bail!("{name} failed: {text}");
    }
    text.lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).context("a row that is no JSON"))
        .collect()
}
