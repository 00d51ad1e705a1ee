//! Chromium as a person sits before it: real keys, real clicks, real pages.
//!
//! ChromeDriver speaks WebDriver over loopback, and this is a client of it with the few commands that journeys need.
//! Nothing here knows a page of the product, and nothing waits for a time to pass: only for what can be seen.

mod axe;
mod inspect;
mod keyboard;
mod links;
mod opened;
mod page;
mod pointer;
mod tabs;
mod wire;

pub use self::inspect::{SIZES, Scheme, Size};
pub use self::keyboard::Key;
pub use self::links::shape_of;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use self::wire::Wire;
use crate::process::chain::child::{Running, signal_to};
use crate::process::chain::place::{Folder, Ports};
use crate::process::chain::wait::until;

const READY_WITHIN: Duration = Duration::from_secs(30);
/// How long a page may take to show what it should on a busy machine.
pub const SHOWN_WITHIN: Duration = Duration::from_secs(20);

/// What Chromium is told: no window, no network of its own, a profile of its own.
const SWITCHES: [&str; 14] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--metrics-recording-only",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
];

/// One browser with an empty profile. It ends when this is dropped.
#[derive(Debug)]
pub struct Browser {
    wire: Wire,
    browser_pid: Option<u32>,
    keys_pressed: u32,
    pictures: Option<PathBuf>,
    axe: Option<String>,
    // Ends after the browser was told to.
    _driver: Running,
    _ports: Ports,
}

/// Why no browser can be started here, if so.
#[must_use]
pub fn missing() -> Option<&'static str> {
    for (name, reason) in [
        ("chromedriver", "skipped: chromedriver is not installed"),
        ("chromium", "skipped: chromium is not installed"),
    ] {
        if on_path(name).is_none() {
            return Some(reason);
        }
    }
    None
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

impl Browser {
    /// Starts a browser whose profile lies in `folder`.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(folder: &Folder) -> Result<Self> {
        let (driver, chromium) = on_path("chromedriver")
            .zip(on_path("chromium"))
            .context("chromium or its driver is missing")?;
        let ports = Ports::reserve(1)?;
        let name = format!("browser-{}", ports.first());
        let log = folder.path().join(format!("{name}.log"));
        let port = format!("--port={}", ports.first());
        let running = Running::start("chromedriver", &driver, &[&port], &log)?;
        let mut wire = Wire::to(ports.address(0))?;
        until("chromedriver is ready", READY_WITHIN, async || {
            Ok(match wire.status().await {
                Ok(true) => Ok(()),
                Ok(false) => Err("not ready".to_owned()),
                Err(error) => Err(format!("{error:#}")),
            })
        })
        .await?;
        let profile = folder.path().join(&name);
        let capabilities = wire
            .open_session(&capabilities(&chromium, &profile)?)
            .await?;
        let pid = capabilities["goog:processID"].as_u64();
        let mut browser = Self {
            wire,
            browser_pid: pid.and_then(|pid| u32::try_from(pid).ok()),
            keys_pressed: 0,
            pictures: inspect::pictures_folder()?,
            axe: axe::source().await,
            _driver: running,
            _ports: ports,
        };
        browser.resize(SIZES[0]).await?;
        Ok(browser)
    }

    /// Asks the page: `body` is a function's body, `arguments` are its arguments.
    ///
    /// # Errors
    /// When the script throws.
    pub async fn ask(&self, body: &str, arguments: &[Value]) -> Result<Value> {
        let call = json!({ "script": body, "args": arguments });
        self.wire.post("execute/sync", &call).await
    }

    /// One command of the DevTools protocol.
    ///
    /// # Errors
    /// When the browser refuses it.
    pub(crate) async fn devtools(&self, command: &str, parameters: &Value) -> Result<Value> {
        let call = json!({ "cmd": command, "params": parameters });
        self.wire.post("goog/cdp/execute", &call).await
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A driver that is killed leaves its browser behind.
        if let Some(pid) = self.browser_pid {
            signal_to(pid, rustix::process::Signal::KILL);
        }
    }
}

fn capabilities(chromium: &std::path::Path, profile: &std::path::Path) -> Result<Value> {
    let mut arguments: Vec<String> = SWITCHES.iter().map(|&text| text.to_owned()).collect();
    let profile = profile.to_str().context("a profile folder in UTF-8")?;
    arguments.push(format!("--user-data-dir={profile}"));
    Ok(json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        "goog:loggingPrefs": { "browser": "ALL" },
        "goog:chromeOptions": { "binary": chromium, "args": arguments },
        "unhandledPromptBehavior": "accept",
    } } }))
}
