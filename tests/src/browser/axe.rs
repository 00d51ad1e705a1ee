//! axe-core, which finds what people with a screen reader, a keyboard or weak eyes would find.
//!
//! It comes from npm once and stays beside the executables; without npm pages are checked without it, and say so.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::Browser;
use crate::process::chain::child::npm_install;

const PACKAGE: &str = "axe-core@4.14.1";
/// Everything of the guidelines that a program can decide.
const TAGS: [&str; 6] = [
    "wcag2a",
    "wcag2aa",
    "wcag21a",
    "wcag21aa",
    "wcag22aa",
    "best-practice",
];

/// The script, or none where it cannot be had.
pub(super) async fn source() -> Option<String> {
    match fetch().await {
        Ok(source) => Some(source),
        Err(reason) => {
            eprintln!("skipped: no check by axe, {PACKAGE} cannot be had: {reason:#}");
            None
        }
    }
}

async fn fetch() -> Result<String> {
    let folder = folder()?;
    let file = folder.join("node_modules/axe-core/axe.min.js");
    if !file.is_file() {
        install(&folder).await?;
    }
    Ok(std::fs::read_to_string(&file)?)
}

fn folder() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let target = test.ancestors().nth(3).context("no target folder")?;
    Ok(target.join("test-assets").join(PACKAGE.replace('@', "-")))
}

/// Installs beside the place and moves it there whole, so that nobody ever sees half of it.
async fn install(folder: &Path) -> Result<()> {
    let parent = folder.parent().context("a folder in a folder")?;
    std::fs::create_dir_all(parent)?;
    let making = tempfile::Builder::new()
        .prefix("installing-")
        .tempdir_in(parent)?;
    std::fs::write(making.path().join("package.json"), r#"{ "private": true }"#)?;
    npm_install(making.path(), PACKAGE).await?;
    let made = making.keep();
    if std::fs::rename(&made, folder).is_err() {
        std::fs::remove_dir_all(&made)?;
        ensure!(folder.is_dir(), "{} cannot be made", folder.display());
    }
    Ok(())
}

/// A target that something fixed covers in part is small only until it is scrolled to: asked again in the middle.
const STILL_SMALL: &str = "async function isStillSmall(rule, node) { \
    if (rule.id !== 'target-size') return true; \
    const target = document.querySelector(node.target[0]); \
    const places = []; \
    for (let at = target; at; at = at.parentElement) places.push([at, at.scrollTop, at.scrollLeft]); \
    target.scrollIntoView({ block: 'center', behavior: 'instant' }); \
    const again = await axe.run(target, { runOnly: { type: 'rule', values: ['target-size'] }, resultTypes: ['violations'] }); \
    for (const [at, top, left] of places) at.scrollTo({ top, left, behavior: 'instant' }); \
    return again.violations.length > 0; \
}";
/// Asks, and gives a line for each finding.
const ASK: &str = "const done = arguments[arguments.length - 1]; \
    axe.run(arguments[1], { runOnly: arguments[0], resultTypes: ['violations'], preload: false }) \
      .then(async (found) => { \
        const lines = []; \
        for (const rule of found.violations) for (const node of rule.nodes) { \
          if (!(await isStillSmall(rule, node))) continue; \
          lines.push(`${rule.id}: ${node.target.join(' ')}: ${node.html.slice(0, 160)}: ${node.failureSummary.replaceAll('\\n', ' ').slice(0, 300)}`); \
        } \
        done(lines); \
      }) \
      .catch((error) => done([`axe failed: ${error}`]));";

impl Browser {
    /// Whether pages are checked by axe.
    #[must_use]
    pub fn has_axe(&self) -> bool {
        self.axe.is_some()
    }

    /// What axe finds in what a selector names as it is, a line for each.
    ///
    /// # Errors
    /// When axe itself fails.
    pub(super) async fn axe_findings(&self, scope: &str) -> Result<Vec<String>> {
        let Some(source) = &self.axe else {
            return Ok(Vec::new());
        };
        let is_there = self.ask("return typeof axe === 'object'", &[]).await?;
        if is_there != true {
            self.ask(source, &[]).await?;
        }
        let script = format!("{STILL_SMALL} {ASK}");
        let rules = json!({ "type": "tag", "values": TAGS });
        let call = json!({ "script": script, "args": [rules, scope] });
        let found = self.wire.post("execute/async", &call).await?;
        let lines = found.as_array().context("axe gives a list")?;
        Ok(lines
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect())
    }
}
