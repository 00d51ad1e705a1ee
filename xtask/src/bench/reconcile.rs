//! `cargo xtask bench reconcile`: the night of a hundred branches, beside that of ten, with a hub that answers meanwhile.
//!
//! The hub's own test of it makes the branches, which write real logs, and prints the rows.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::command::cargo;
use crate::install::{self, Need};

const NAME: &str = "night::speed::nights_of_a_hundred_branches";

pub(super) fn measure(root: &Path) -> Result<Vec<Value>> {
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
        .args(["--ignored", "--exact", "--nocapture", NAME])
        .stderr(Stdio::inherit())
        .output()
        .context("starting the night's bench")?;
    let text = String::from_utf8(done.stdout)?;
    if !done.status.success() {
        bail!("the night's bench failed: {text}");
    }
    text.lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).context("a row that is no JSON"))
        .collect()
}
