//! What a page only shows when something is opened: its dialogs, its folded parts, the list of its keys.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::inspect::{SIZES, Scheme};
use super::{Browser, Key};

const OPEN: &str = "dialog[open]";
/// Folded parts that are opened at once; a page with more has them all alike.
const MOST_FOLDED: usize = 12;
/// What opens a dialog, one for each kind: `openers` gives pairs of a name without anybody's id, and the element.
const OPENERS: &str = "const openers = new Map(); \
    for (const e of document.querySelectorAll('[data-opens], [hx-target=\"#dialog\"][hx-get]')) { \
      const name = (e.dataset.opens ?? e.getAttribute('hx-get')).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}/g, 'one'); \
      if (e.checkVisibility() && !openers.has(name)) openers.set(name, e); \
    }";

impl Browser {
    /// Opens what the page in front has to open and `known` does not have yet, closes it again, and tells what is wrong
    /// with it, a line for each.
    ///
    /// # Errors
    /// When something that should open does not.
    pub async fn opened_findings(&mut self, known: &mut BTreeSet<String>) -> Result<Vec<String>> {
        self.resize(SIZES[0]).await?;
        let mut findings = Vec::new();
        for name in self.openers().await? {
            if known.insert(name.clone()) {
                self.open(&name).await.with_context(|| name.clone())?;
                findings.extend(self.findings_within(&name, OPEN).await?);
                self.close_dialog().await?;
            }
        }
        if self.has_shell().await? {
            self.type_text("?").await?;
            self.until_shown("dialog#keys").await?;
            findings.extend(self.findings_within("the keys", OPEN).await?);
            self.press(Key::Escape).await?;
            self.until_gone(OPEN).await?;
        }
        if self.unfold().await? {
            findings.extend(self.findings_within("unfolded", "details[open]").await?);
        }
        findings.extend(self.take_errors().await?);
        Ok(findings)
    }

    /// Opens the dialogs that `known` does not have yet, and tells only what does not fit.
    ///
    /// # Errors
    /// When one that should open does not.
    pub async fn opened_misfits(&mut self, known: &mut BTreeSet<String>) -> Result<Vec<String>> {
        let mut findings = Vec::new();
        for name in self.openers().await? {
            if known.insert(name.clone()) {
                self.resize(SIZES[0]).await?;
                self.open(&name).await.with_context(|| name.clone())?;
                let misfits = self.misfits().await?;
                findings.extend(misfits.into_iter().map(|line| format!("{name}: {line}")));
                self.close_dialog().await?;
            }
        }
        findings.extend(self.take_errors().await?);
        Ok(findings)
    }

    /// The names of what opens dialogs here.
    async fn openers(&self) -> Result<Vec<String>> {
        let script = format!("{OPENERS} return [...openers.keys()]");
        let names = self.ask(&script, &[]).await?;
        let names = names.as_array().context("openers are a list")?;
        Ok(names
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect())
    }

    async fn open(&self, name: &str) -> Result<()> {
        let script = format!("{OPENERS} openers.get(arguments[0]).click()");
        self.ask(&script, &[json!(name)]).await?;
        self.until_shown(OPEN).await
    }

    async fn close_dialog(&self) -> Result<()> {
        let script = "document.querySelector('dialog[open]').close()";
        self.ask(script, &[]).await?;
        self.until_gone(OPEN).await
    }

    /// Whether `?` means something here: nobody is typing, and the page listens.
    async fn has_shell(&self) -> Result<bool> {
        let script =
            "document.activeElement?.blur(); return document.querySelector('dialog#keys') !== null";
        Ok(self.ask(script, &[]).await? == true)
    }

    async fn unfold(&self) -> Result<bool> {
        let script = "const folded = [...document.querySelectorAll('details:not([open])')].filter((e) => e.checkVisibility()); \
            for (const e of folded.slice(0, arguments[0])) e.open = true; return folded.length > 0";
        Ok(self.ask(script, &[json!(MOST_FOLDED)]).await? == true)
    }

    async fn findings_within(&mut self, what: &str, scope: &str) -> Result<Vec<String>> {
        let mut findings = self.misfits().await?;
        for scheme in [Scheme::Dark, Scheme::Light] {
            self.prefer(scheme).await?;
            findings.extend(self.axe_at(SIZES[0], scheme, scope).await?);
        }
        Ok(findings
            .into_iter()
            .map(|line| format!("{what}: {line}"))
            .collect())
    }
}
