//! What every page is held to: readable for everybody in light and dark, no error, no refused resource, no sideways
//! scroll at three sizes. Takes the page's picture on the way.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Browser;

/// Where pictures go; nothing = `target/pictures`.
const PICTURES: &str = "COUNTERPART_PICTURES";

/// Width and height of a page in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u32, pub u32);

/// The screens of a counter, a tablet and an office. The first is the usual one.
pub const SIZES: [Size; 3] = [Size(1366, 768), Size(820, 1180), Size(1920, 1080)];

/// What the system prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Dark on light
    Light,
    /// Light on dark
    Dark,
}

impl Scheme {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// Elements above which axe takes seconds; such a page (a reference) it reads at the usual size only.
const LONG: u64 = 4_000;

/// A page scrolls downwards only, a dialog stands on the screen, and words stay in what one presses.
const OUT_OF_PLACE: &str = "const found = []; \
    const named = (e) => e.tagName.toLowerCase() + (e.id ? '#' + e.id : '') + '.' + e.className; \
    const root = document.scrollingElement; const over = root.scrollWidth - root.clientWidth; \
    if (over > 0) { \
      const wide = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1); \
      found.push(`scrolls sideways by ${over} px, by ${wide.slice(-3).map(named).join(', ')}`); \
    } \
    for (const dialog of document.querySelectorAll('dialog[open]')) { \
      const box = dialog.getBoundingClientRect(); \
      if (box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight) found.push(`${named(dialog)} stands out of the screen`); \
      if (dialog.scrollWidth > dialog.clientWidth) found.push(`${named(dialog)} scrolls sideways`); \
    } \
    for (const e of document.querySelectorAll('.button, button, .badge, .segments a, .rail a')) { \
      if (!e.checkVisibility() || e.classList.contains('sr') || getComputedStyle(e).overflowX !== 'visible') continue; \
      if (e.scrollWidth > e.clientWidth + 1) found.push(`${named(e)} is ${e.scrollWidth - e.clientWidth} px too small for ${JSON.stringify(e.textContent.trim().slice(0, 60))}`); \
    } \
    return found;";

/// Statuses with which a page says no to a person; the browser logs them, and they are no error.
const REFUSALS: [&str; 5] = ["401", "403", "409", "412", "422"];

pub(super) fn pictures_folder() -> Result<Option<PathBuf>> {
    let folder = match std::env::var_os(PICTURES) {
        Some(folder) if folder.is_empty() => return Ok(None),
        Some(folder) => PathBuf::from(folder),
        None => {
            let test = std::env::current_exe()?;
            let target = test.ancestors().nth(3).context("no target folder")?;
            target.join("pictures")
        }
    };
    std::fs::create_dir_all(&folder)?;
    Ok(Some(folder))
}

impl Browser {
    /// Makes the page this large.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn resize(&mut self, Size(width, height): Size) -> Result<()> {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics)
            .await
            .map(drop)
    }

    /// Lets the system prefer light or dark, and no motion, so that a picture shows the page and not its way there.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn prefer(&self, scheme: Scheme) -> Result<()> {
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme.name() },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.devtools("Emulation.setEmulatedMedia", &features)
            .await?;
        let settle = "const done = arguments[arguments.length - 1]; \
            const ending = document.getAnimations().filter((one) => one.effect?.getComputedTiming().endTime !== Infinity); \
            Promise.allSettled(ending.map((one) => one.finished)).then(() => requestAnimationFrame(() => done(true)));";
        let call = json!({ "script": settle, "args": [] });
        self.wire.post("execute/async", &call).await.map(drop)
    }

    /// Holds the page in front to everything above and keeps its pictures as `NAME-light.png` and `NAME-dark.png`.
    ///
    /// # Errors
    /// When it fails one of them; names each.
    pub async fn inspect(&mut self, name: &str) -> Result<()> {
        let findings = self.findings(name).await?;
        let address = self.address().await?;
        ensure!(
            findings.is_empty(),
            "{name} ({address}):\n  {}",
            findings.join("\n  ")
        );
        Ok(())
    }

    /// What is wrong with the page in front, a line for each.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn findings(&mut self, name: &str) -> Result<Vec<String>> {
        let mut findings = Vec::new();
        let is_long = self.count("body *").await? > LONG;
        for scheme in [Scheme::Dark, Scheme::Light] {
            self.prefer(scheme).await?;
            for size in SIZES.into_iter().rev() {
                self.resize(size).await?;
                findings.extend(self.out_of_place(size).await?);
                if size == SIZES[0] || !is_long {
                    findings.extend(self.axe_at(size, scheme, "html").await?);
                }
            }
            if let Some(folder) = self.pictures.clone() {
                self.picture(&folder.join(format!("{name}-{}.png", scheme.name())))
                    .await?;
            }
        }
        findings.extend(self.take_errors().await?);
        Ok(findings)
    }

    /// What axe finds in what a selector names.
    pub(super) async fn axe_at(
        &self,
        size: Size,
        scheme: Scheme,
        scope: &str,
    ) -> Result<Vec<String>> {
        let found = self.axe_findings(scope).await?;
        let Size(width, height) = size;
        Ok(found
            .into_iter()
            .map(|line| format!("{} {width}×{height}: {line}", scheme.name()))
            .collect())
    }

    /// What does not fit at each size, whatever the colours.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn misfits(&mut self) -> Result<Vec<String>> {
        let mut findings = Vec::new();
        for size in SIZES.into_iter().rev() {
            self.resize(size).await?;
            findings.extend(self.out_of_place(size).await?);
        }
        Ok(findings)
    }

    /// What stands out of the page, of an open dialog or of its own button at this size.
    async fn out_of_place(&self, Size(width, height): Size) -> Result<Vec<String>> {
        let found = self.ask(OUT_OF_PLACE, &[]).await?;
        let lines = found.as_array().context("what stands out is a list")?;
        Ok(lines
            .iter()
            .filter_map(Value::as_str)
            .map(|line| format!("{width}×{height}: {line}"))
            .collect())
    }

    /// Keeps what is to be seen.
    ///
    /// # Errors
    /// When there is no picture, or nowhere to put it.
    pub async fn picture(&self, file: &Path) -> Result<()> {
        let picture = self.wire.get("screenshot").await?;
        let bytes = STANDARD.decode(picture.as_str().context("a picture")?)?;
        std::fs::write(file, bytes).with_context(|| format!("writing {}", file.display()))
    }

    /// Errors of scripts, refused resources and breaches of the content security policy since the last call, of every
    /// page that was visited.
    ///
    /// # Errors
    /// When the browser gives no log.
    pub async fn take_errors(&self) -> Result<Vec<String>> {
        let log = self
            .wire
            .post("se/log", &json!({ "type": "browser" }))
            .await?;
        let entries = log.as_array().context("the log is a list")?;
        Ok(entries.iter().filter_map(error_in).collect())
    }
}

fn error_in(entry: &Value) -> Option<String> {
    let message = entry["message"].as_str().unwrap_or_default();
    let source = entry["source"].as_str().unwrap_or_default();
    let breaks_policy = source == "security" || message.contains("Content Security Policy");
    if entry["level"] != "SEVERE" && !breaks_policy {
        return None;
    }
    let is_refusal = source == "network"
        && REFUSALS
            .iter()
            .any(|status| message.contains(&format!("a status of {status}")));
    (!is_refusal).then(|| format!("{source}: {message}"))
}
