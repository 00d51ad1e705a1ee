//! `cargo xtask pictures`: a picture of every page, light and dark, into `docs/pictures`.
//!
//! A filled chain, a browser that follows every link of it (a test, so that the pages are judged on the way), and
//! pngquant, so that the folder stays small enough for a repository.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::command::{cargo, output, run as run_command, target_folder, workspace_root};
use crate::demo::{Filled, Programs};
use crate::install::{self, Need};

const FOLDER: &str = "docs/pictures";
/// What all pictures together may weigh.
const LARGEST_BYTES: u64 = 4 << 20;
const COLOURS: &str = "96";

#[derive(clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_arguments: &Arguments) -> Result<()> {
    install::ensure(&[Need::Database, Need::Browser, Need::Npm, Need::Pngquant])?;
    let root = workspace_root()?;
    let journeys = build(&root)?;
    let target = target_folder(&root)?;
    let taken = target.join("pictures-taken");
    if taken.exists() {
        std::fs::remove_dir_all(&taken)?;
    }
    let mut chain = Filled::new(Programs::in_folder(&target.join("debug"))?)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime
        .block_on(chain.start())
        .and_then(|demo| take(&journeys, &demo, &taken));
    let ended = chain.end();
    outcome?;
    ended?;
    keep(&taken, &root.join(FOLDER))
}

/// Builds the programs and the journeys in one call, so that nothing is compiled twice; gives the journeys' executable.
fn build(root: &Path) -> Result<PathBuf> {
    let mut build = cargo(root);
    build.args(["build", "-p", "hub", "-p", "edge-node", "-p", "tests"]);
    build.args(["--bins", "--test", "browser"]);
    let built = output(build.args(["--message-format", "json-render-diagnostics"]))?;
    built
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "browser")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo built no test named browser")
}

/// Lets the browser go through all pages of the chain.
fn take(journeys: &Path, demo: &Path, taken: &Path) -> Result<()> {
    let mut journeys = Command::new(journeys);
    journeys.args(["pictures::", "--ignored", "--nocapture"]);
    journeys.env("COUNTERPART_DEMO_FILE", demo);
    journeys.env("COUNTERPART_PICTURES", taken);
    run_command(&mut journeys)
}

/// Replaces what is in the folder by what was taken.
fn keep(taken: &Path, folder: &Path) -> Result<()> {
    let pictures = pngs_in(taken)?;
    ensure!(!pictures.is_empty(), "no picture was taken");
    std::fs::create_dir_all(folder)?;
    for old in pngs_in(folder)? {
        std::fs::remove_file(old)?;
    }
    let mut bytes = 0;
    for picture in &pictures {
        let name = picture.file_name().context("a picture without a name")?;
        let kept = folder.join(name);
        let mut pngquant = Command::new("pngquant");
        pngquant.args([COLOURS, "--nofs", "--speed", "1", "--strip", "--output"]);
        let status = pngquant.arg(&kept).arg("--").arg(picture).status();
        let is_made = status.context("pngquant could not be started")?.success();
        ensure!(is_made, "pngquant refused {}", picture.display());
        bytes += kept.metadata()?.len();
    }
    println!("{} pictures, {} KiB", pictures.len(), bytes >> 10);
    ensure!(
        bytes < LARGEST_BYTES,
        "that is more than {LARGEST_BYTES} bytes"
    );
    Ok(())
}

fn pngs_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "png") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
