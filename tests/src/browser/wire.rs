//! WebDriver's JSON over HTTP. Here is no command's meaning, only calls and the errors they bring.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use reqwest::Method;
use serde_json::{Value, json};

use crate::process::chain::api::client;

/// A driver, and the session in it.
#[derive(Debug)]
pub(super) struct Wire {
    http: reqwest::Client,
    base: String,
    session: String,
}

impl Wire {
    pub(super) fn to(address: SocketAddr) -> Result<Self> {
        Ok(Self {
            http: client()?,
            base: format!("http://{address}"),
            session: String::new(),
        })
    }

    /// Whether the driver is ready for a session.
    pub(super) async fn status(&self) -> Result<bool> {
        let url = format!("{}/status", self.base);
        let answer: Value = self.http.get(url).send().await?.json().await?;
        Ok(answer["value"]["ready"] == true)
    }

    /// Opens the session; gives the capabilities that came of it.
    pub(super) async fn open_session(&mut self, wanted: &Value) -> Result<Value> {
        let url = format!("{}/session", self.base);
        let opened = self.call(Method::POST, url, Some(wanted)).await?;
        let id = opened["sessionId"].as_str();
        self.session = id.context("a session without an id")?.to_owned();
        Ok(opened["capabilities"].clone())
    }

    pub(super) async fn post(&self, command: &str, body: &Value) -> Result<Value> {
        self.call(Method::POST, self.url(command), Some(body)).await
    }

    pub(super) async fn get(&self, command: &str) -> Result<Value> {
        self.call(Method::GET, self.url(command), None).await
    }

    pub(super) async fn delete(&self, command: &str) -> Result<Value> {
        self.call(Method::DELETE, self.url(command), None).await
    }

    fn url(&self, command: &str) -> String {
        format!("{}/session/{}/{command}", self.base, self.session)
    }

    async fn call(&self, method: Method, url: String, body: Option<&Value>) -> Result<Value> {
        let command = url.rsplit('/').next().unwrap_or_default().to_owned();
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let is_done = response.status().is_success();
        let mut answer: Value = response.json().await?;
        let value = answer.get_mut("value").map_or(json!(null), Value::take);
        if !is_done {
            let message = value["message"].as_str().unwrap_or_default();
            let short = message.lines().next().unwrap_or_default();
            bail!("{command}: {}: {short}", value["error"]);
        }
        Ok(value)
    }
}
