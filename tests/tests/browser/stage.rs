//! A chain and a browser, with somebody signed in.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tests::browser::{Browser, missing};
use tests::process::chain::wait::{until, until_link};
use tests::process::chain::{Chain, PASSWORD, PATIENCE, Plan};

/// Where a journey plays.
pub struct Stage {
    /// Ends before the chain does: a browser whose server is gone logs errors.
    pub browser: Browser,
    /// The programs.
    pub chain: Chain,
}

impl Stage {
    /// Starts both; none, with the reason printed, where there is no browser.
    pub async fn open(plan: &Plan) -> Result<Option<Self>> {
        if let Some(reason) = missing() {
            eprintln!("{reason}");
            return Ok(None);
        }
        let chain = Chain::start(plan).await?;
        let browser = Browser::start(&chain.folder).await?;
        Ok(Some(Self { browser, chain }))
    }

    /// The address of a page of a branch.
    pub fn branch(&self, index: usize, path: &str) -> String {
        format!("{}{path}", self.chain.edges[index].url())
    }

    /// The address of a page of the hub.
    pub fn hub(&self, path: &str) -> String {
        format!("{}{path}", self.chain.hub.url())
    }

    /// Goes to a page of a branch.
    pub async fn go(&self, index: usize, path: &str) -> Result<()> {
        self.browser.go(&self.branch(index, path)).await
    }

    /// Goes to a page of the hub.
    pub async fn go_hub(&self, path: &str) -> Result<()> {
        self.browser.go(&self.hub(path)).await
    }

    /// Signs out of the program in front.
    pub async fn sign_out(&self) -> Result<()> {
        sign_out(&self.browser).await
    }

    /// Signs the manager of a branch in.
    pub async fn sign_in_manager(&mut self, index: usize) -> Result<()> {
        let (username, url) = (self.manager_name(index), self.branch(index, "/"));
        sign_in(&mut self.browser, &url, &username, PASSWORD).await
    }

    /// Signs in at the hub.
    pub async fn sign_in_hub(&mut self, username: &str) -> Result<()> {
        let url = self.hub("/");
        sign_in(&mut self.browser, &url, username, PASSWORD).await
    }

    /// The manager's user name at a branch.
    pub fn manager_name(&self, index: usize) -> String {
        let code = self.chain.edges[index].code.to_lowercase();
        format!("manager.{code}")
    }

    /// Kills the hub, and waits until a branch has noticed.
    pub async fn kill_hub(&mut self) -> Result<()> {
        self.chain.hub.kill().await?;
        for index in 0..self.chain.edges.len() {
            let manager = self.chain.manager(index).await?;
            until_link(&manager, "cut_off", Duration::from_secs(30)).await?;
        }
        Ok(())
    }

    /// Waits until the element of this id has the focus.
    pub async fn until_focus(&self, id: &str) -> Result<()> {
        let script = "return document.activeElement?.id === arguments[0]";
        self.browser
            .until_true(&format!("{id} has the focus"), script, &[json!(id)])
            .await
    }

    /// Waits until an order of a branch has this status.
    pub async fn until_status(&self, index: usize, id: &str, status: &str) -> Result<()> {
        let manager = self.chain.manager(index).await?;
        until(&format!("the order is {status}"), PATIENCE, async || {
            let order = manager.get(&format!("/api/v1/orders/{id}")).await?;
            Ok(if order["status"] == status {
                Ok(())
            } else {
                Err(order["status"].to_string())
            })
        })
        .await
    }

    /// Waits until a branch has so many orders; gives them.
    pub async fn until_orders(&self, index: usize, count: usize) -> Result<Vec<Value>> {
        let manager = self.chain.manager(index).await?;
        until(&format!("{count} orders"), PATIENCE, async || {
            let orders = manager.list("/api/v1/orders").await?;
            Ok(if orders.len() == count {
                Ok(orders)
            } else {
                Err(format!("{} orders", orders.len()))
            })
        })
        .await
    }
}

/// Signs in on the way to an address.
pub async fn sign_in(
    browser: &mut Browser,
    url: &str,
    username: &str,
    password: &str,
) -> Result<()> {
    browser.go(url).await?;
    browser.until_at("/sign-in").await?;
    browser.fill("#username", username).await?;
    browser.fill("#password", password).await?;
    browser.click("main button[type=submit]").await?;
    browser.until_shown("nav.rail").await?;
    browser.take_key_count();
    Ok(())
}

/// Signs out of the program in front.
pub async fn sign_out(browser: &Browser) -> Result<()> {
    browser.click("nav.rail form button").await?;
    browser.until_at("/sign-in").await
}
