//! Several tabs of one browser: one profile, one jar of cookies.

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{Browser, SIZES};

/// A tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab(String);

impl Browser {
    /// The tab in front.
    ///
    /// # Errors
    /// When there is none.
    pub async fn tab(&self) -> Result<Tab> {
        let handle = self.wire.get("window").await?;
        Ok(Tab(handle.as_str().context("a tab's handle")?.to_owned()))
    }

    /// Opens a tab and brings it to the front.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn open_tab(&mut self) -> Result<Tab> {
        let made = self
            .wire
            .post("window/new", &json!({ "type": "tab" }))
            .await?;
        let handle = made["handle"].as_str().context("a new tab's handle")?;
        let tab = Tab(handle.to_owned());
        self.switch_to(&tab).await?;
        self.resize(SIZES[0]).await?;
        Ok(tab)
    }

    /// Brings a tab to the front.
    ///
    /// # Errors
    /// When it is closed.
    pub async fn switch_to(&self, tab: &Tab) -> Result<()> {
        self.wire
            .post("window", &json!({ "handle": tab.0 }))
            .await
            .map(drop)
    }

    /// Closes the tab in front; another must be brought there afterwards.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn close_tab(&self) -> Result<()> {
        self.wire.delete("window").await.map(drop)
    }
}
