//! Talking to the server that runs on this data directory.

use std::path::Path;

use anyhow::{Context, bail};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

use crate::server::LocalServer;

/// The running server, with its token.
pub(super) struct Running {
    http: Client,
    server: LocalServer,
}

impl Running {
    /// The server of a data directory; none when it does not run.
    pub(super) async fn find(dir: &Path) -> anyhow::Result<Option<Self>> {
        let Some(server) = LocalServer::read(dir)? else {
            return Ok(None);
        };
        let http = Client::builder().no_proxy().build()?;
        let running = Self { http, server };
        // A process that was killed leaves its file behind.
        match running.get("/api/v1/session").send().await {
            Ok(answer) if answer.status().is_success() => Ok(Some(running)),
            Ok(answer) => bail!(
                "{} answers, but not as this directory's server: {}",
                running.server.url,
                answer.status()
            ),
            Err(error) if error.is_connect() => Ok(None),
            Err(error) => Err(error).context("the running server cannot be asked"),
        }
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.http
            .get(format!("{}{path}", self.server.url))
            .bearer_auth(&self.server.token)
    }

    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.http
            .post(format!("{}{path}", self.server.url))
            .bearer_auth(&self.server.token)
    }
}

/// The answer, or what the problem says.
pub(super) async fn successful(answer: Response) -> anyhow::Result<Response> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let problem: Value = answer.json().await.unwrap_or_default();
    let mut said: Vec<String> = ["title", "detail"]
        .iter()
        .filter_map(|name| problem[name].as_str().map(str::to_owned))
        .collect();
    for error in problem["errors"].as_array().into_iter().flatten() {
        let part = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        said.push(format!("{} {}", part("pointer"), part("detail")));
    }
    bail!("the server answers {status}: {}", said.join(" "))
}
