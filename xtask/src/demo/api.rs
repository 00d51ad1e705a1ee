//! A small client of the product's API: sign in, call, and say clearly what was refused.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// One side of the product, as one person.
#[derive(Debug)]
pub(crate) struct Api {
    http: reqwest::Client,
    pub(crate) base: String,
    username: String,
    password: String,
    token: tokio::sync::Mutex<Option<String>>,
}

/// An answer: its status and its JSON (null where there is none).
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// The body of a 2xx answer; anything else is an error that says what was asked and what came.
    pub(crate) fn ok(self, what: &str) -> Result<Value> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        bail!("{what}: {} {}", self.status, self.body)
    }
}

impl Api {
    pub(crate) fn new(base: &str, username: &str, password: &str) -> Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(120))
            .build()?;
        Ok(Self {
            http,
            base: base.to_owned(),
            username: username.to_owned(),
            password: password.to_owned(),
            token: tokio::sync::Mutex::new(None),
        })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.call(Method::GET, path, None, None)
            .await?
            .ok(&format!("GET {}{path}", self.base))
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Result<Value> {
        self.call(Method::POST, path, Some(key), Some(body))
            .await?
            .ok(&format!("POST {}{path}", self.base))
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::PATCH, path, None, Some(body))
            .await?
            .ok(&format!("PATCH {}{path}", self.base))
    }

    /// Every item of a list, page by page.
    pub(crate) async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let after = cursor
                .as_ref()
                .map(|cursor| format!("&cursor={cursor}"))
                .unwrap_or_default();
            let page = self.get(&format!("{path}{joint}limit=500{after}")).await?;
            items.extend(page["items"].as_array().cloned().unwrap_or_default());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(items),
            }
        }
    }

    /// One call; signs in first, and once more when the token has run out.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let token = self.token().await?;
        let answer = self.send(method.clone(), path, key, body, &token).await?;
        if answer.status != StatusCode::UNAUTHORIZED.as_u16() {
            return Ok(answer);
        }
        self.forget_token(&token).await;
        let token = self.token().await?;
        self.send(method, path, key, body, &token).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
        token: &str,
    ) -> Result<Answer> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(token);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        read(request.send().await?).await
    }

    /// Streams bytes as a body of `content_type`.
    pub(crate) async fn upload(
        &self,
        path: &str,
        content_type: &str,
        bytes: Vec<u8>,
    ) -> Result<Value> {
        let token = self.token().await?;
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .bearer_auth(token)
            .header("Content-Type", content_type)
            .timeout(Duration::from_secs(1_800))
            .body(bytes);
        read(request.send().await?)
            .await?
            .ok(&format!("POST {}{path}", self.base))
    }

    /// The id of the person who signs in.
    pub(crate) async fn staff_id(&self) -> Result<String> {
        let session = self.sign_in().await?;
        let id = session["staff"]["id"].as_str();
        Ok(id.context("a session without a person")?.to_owned())
    }

    async fn sign_in(&self) -> Result<Value> {
        let body = json!({ "username": self.username, "password": self.password });
        let request = self
            .http
            .post(format!("{}/api/v1/session", self.base))
            .json(&body);
        let answer = read(request.send().await?).await?;
        answer.ok(&format!("signing in at {} as {}", self.base, self.username))
    }

    /// The token; of many who ask at once, one signs in.
    async fn token(&self) -> Result<String> {
        let mut token = self.token.lock().await;
        if let Some(known) = &*token {
            return Ok(known.clone());
        }
        let fresh = self.sign_in().await?["token"]
            .as_str()
            .context("a session without a token")?
            .to_owned();
        *token = Some(fresh.clone());
        Ok(fresh)
    }

    async fn forget_token(&self, stale: &str) {
        let mut token = self.token.lock().await;
        if token.as_deref() == Some(stale) {
            *token = None;
        }
    }
}

async fn read(response: reqwest::Response) -> Result<Answer> {
    let status = response.status().as_u16();
    let bytes = response.bytes().await?;
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Ok(Answer { status, body })
}

/// Waits until `base` answers 200 on its readiness route, or says why not.
pub(crate) async fn wait_until_ready(
    base: &str,
    within: Duration,
    mut still_runs: impl FnMut() -> Result<()>,
) -> Result<()> {
    let http = reqwest::Client::builder()
        .timeout(Duration::from_secs(5))
        .build()?;
    let until = std::time::Instant::now() + within;
    let mut last;
    loop {
        still_runs()?;
        match http.get(format!("{base}/readyz")).send().await {
            Ok(response) if response.status().is_success() => return Ok(()),
            Ok(response) => {
                last = format!(
                    "{}: {}",
                    response.status(),
                    response.text().await.unwrap_or_default()
                )
            }
            Err(error) => last = error.to_string(),
        }
        if std::time::Instant::now() > until {
            bail!("{base} was not ready within {} s: {last}", within.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Asks again and again until `question` answers, or gives the last state after `within`.
pub(crate) async fn until<T, F, Fut>(what: &str, within: Duration, mut question: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Result<T, String>>>,
{
    let end = std::time::Instant::now() + within;
    loop {
        match question().await? {
            Ok(value) => return Ok(value),
            Err(state) if std::time::Instant::now() > end => {
                bail!(
                    "{what}: not within {} s, last seen: {state}",
                    within.as_secs()
                )
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}
