//! A client of the product's API, as one signed-in person.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::Method;
use serde_json::{Value, json};

static NEXT_KEY: AtomicU64 = AtomicU64::new(1);

/// An idempotency key that nobody has used.
#[must_use]
pub fn fresh_key() -> String {
    format!(
        "key-{}-{}",
        std::process::id(),
        NEXT_KEY.fetch_add(1, Ordering::Relaxed)
    )
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Whether it says that it is a stored answer.
    pub is_replayed: bool,
    /// Its content type.
    pub content_type: String,
    /// Its body.
    pub bytes: Vec<u8>,
}

impl Answer {
    async fn read(response: reqwest::Response) -> Result<Self> {
        let header = |name: &str| {
            let value = response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        Ok(Self {
            status: response.status().as_u16(),
            is_replayed: header("idempotency-replayed") == "true",
            content_type: header("content-type"),
            bytes: response.bytes().await?.to_vec(),
        })
    }

    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    /// The JSON of a 2xx answer.
    ///
    /// # Errors
    /// When it is another one.
    pub fn ok(&self, what: &str) -> Result<Value> {
        if (200..300).contains(&self.status) {
            return Ok(self.json());
        }
        bail!(
            "{what}: {} {}",
            self.status,
            String::from_utf8_lossy(&self.bytes)
        )
    }
}

/// A signed-in person at one of the programs.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Api {
    /// Signs in.
    ///
    /// # Errors
    /// When the program does not answer, or says no.
    pub async fn sign_in(base: &str, username: &str, password: &str) -> Result<Self> {
        let answer = Self::try_sign_in(base, username, password).await?;
        answer.map_err(|refused| anyhow::anyhow!("signing in at {base} as {username}: {refused:?}"))
    }

    /// Signs in, or gives the answer that said no.
    ///
    /// # Errors
    /// When the program does not answer.
    pub async fn try_sign_in(
        base: &str,
        username: &str,
        password: &str,
    ) -> Result<Result<Self, Answer>> {
        let http = client()?;
        let body = json!({ "username": username, "password": password });
        let url = format!("{base}/api/v1/session");
        let answer = Answer::read(http.post(url).json(&body).send().await?).await?;
        if answer.status >= 300 {
            return Ok(Err(answer));
        }
        let signed_in = answer.json();
        let token = signed_in["token"]
            .as_str()
            .context("a session without a token")?;
        Ok(Ok(Self {
            http,
            base: base.to_owned(),
            token: token.to_owned(),
        }))
    }

    /// Where it calls.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The bearer token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The same session at another address, such as a relay's.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self.clone()
        }
    }

    /// One call.
    ///
    /// # Errors
    /// When no whole answer comes.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let mut request = self.request(method, path);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::read(request.send().await?).await
    }

    /// A request with the token, to be sent by the caller.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(&self.token)
    }

    /// Reads.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.call(Method::GET, path, None, None)
            .await?
            .ok(&format!("GET {}{path}", self.base))
    }

    /// Whether this is there: `Err` inside says what was answered instead.
    ///
    /// # Errors
    /// When the program does not answer.
    pub async fn found(&self, path: &str) -> Result<Result<Value, String>> {
        let answer = self.call(Method::GET, path, None, None).await?;
        Ok(match answer.status {
            200 => Ok(answer.json()),
            status => Err(format!(
                "{status} {}",
                String::from_utf8_lossy(&answer.bytes)
            )),
        })
    }

    /// Writes.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Result<Value> {
        let body = (!body.is_null()).then_some(body);
        self.call(Method::POST, path, Some(key), body)
            .await?
            .ok(&format!("POST {}{path}", self.base))
    }

    /// Writes once, under a key that nobody has used.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn send(&self, path: &str, body: &Value) -> Result<Value> {
        self.post(path, &fresh_key(), body).await
    }

    /// Changes.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::PATCH, path, None, Some(body))
            .await?
            .ok(&format!("PATCH {}{path}", self.base))
    }

    /// Every item of a list, page by page.
    ///
    /// # Errors
    /// When a page is refused.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let (mut items, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}{joint}limit=500{after}")).await?;
            let found = page["items"].as_array().context("a list without items")?;
            items.extend(found.iter().cloned());
            match page["next_cursor"].as_str() {
                Some(cursor) => after = format!("&cursor={cursor}"),
                None => return Ok(items),
            }
        }
    }

    /// Takes an order in; gives the order.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn take_in(&self, key: &str, fault: &str) -> Result<Value> {
        let visit = self.post("/api/v1/orders", key, &order_body(fault)).await?;
        first_order(&visit)
    }

    /// Moves an order.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn move_order(
        &self,
        order: &str,
        status: &str,
        outcome: Option<&str>,
    ) -> Result<Value> {
        let mut body = json!({ "status": status });
        if let Some(outcome) = outcome {
            body["outcome"] = json!(outcome);
        }
        self.send(&format!("/api/v1/orders/{order}/status"), &body)
            .await
    }

    /// Adds a line for a part, which reserves it.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn add_part_line(&self, order: &str, sku: &str, quantity: u32) -> Result<Value> {
        let body = json!({ "kind": "part", "sku": sku, "quantity": quantity });
        self.send(&format!("/api/v1/orders/{order}/lines"), &body)
            .await
    }

    /// A part's stock here.
    ///
    /// # Errors
    /// When it is not known.
    pub async fn stock(&self, sku: &str) -> Result<Value> {
        self.get(&format!("/api/v1/stock/{sku}")).await
    }
}

/// A new order with a new customer and one device.
#[must_use]
pub fn order_body(fault: &str) -> Value {
    json!({
        "customer": { "name": "Test Person", "phone": "+49 30 1234567", "email": "person@example.org" },
        "devices": [{ "category": "Toaster", "brand": "Acme", "model": "T1", "serial": "S-1", "fault": fault,
                      "accessories": ["cable"] }],
    })
}

/// The order of a visit with one device.
///
/// # Errors
/// When the visit has another number of orders.
pub fn first_order(visit: &Value) -> Result<Value> {
    let items = visit["items"]
        .as_array()
        .with_context(|| format!("no items in {visit}"))?;
    ensure!(items.len() == 1, "one device makes one order, not {visit}");
    Ok(items[0].clone())
}

/// A client that waits, but not for ever.
///
/// # Errors
/// When the system gives none.
pub fn client() -> Result<reqwest::Client> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(120))
        // An import holds a fast client back for longer than this default of the client would bear.
        .tcp_user_timeout(None);
    Ok(client.build()?)
}
