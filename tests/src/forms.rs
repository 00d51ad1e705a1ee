//! Pages without a browser: their links and forms as plain HTML, and a person who sends them.
//!
//! It reads the HTML that the product's own templates make: attributes in double quotes, no form inside a form.

mod read;

use anyhow::{Context as _, Result, ensure};
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};

pub use read::{Button, Field, Form, Page};

/// A page or the answer to a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The status.
    pub status: u16,
    /// Where it leads.
    pub location: Option<String>,
    /// What is shown.
    pub text: String,
}

/// A person with the session of a browser.
#[derive(Debug, Clone)]
pub struct Visitor {
    http: reqwest::Client,
    base: String,
    cookie: String,
}

fn header(headers: &HeaderMap, name: reqwest::header::HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

impl Visitor {
    /// Signs in by the form.
    ///
    /// # Errors
    /// When the program does not answer, or says no.
    pub async fn sign_in(base: &str, username: &str, password: &str) -> Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let visitor = Self {
            http,
            base: base.to_owned(),
            cookie: String::new(),
        };
        let fields = [("username", username), ("password", password)];
        let response = visitor.send("/sign-in", &fields).await?;
        ensure!(
            response.status().as_u16() == 303,
            "signing in as {username}: {}",
            response.status()
        );
        let cookie = header(response.headers(), SET_COOKIE).context("a session's cookie")?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(Self { cookie, ..visitor })
    }

    /// Reads a page.
    ///
    /// # Errors
    /// When no whole answer comes.
    pub async fn get(&self, path: &str) -> Result<Shown> {
        let request = self.http.get(format!("{}{path}", self.base));
        shown(request.header(COOKIE, &self.cookie).send().await?).await
    }

    /// Sends a form.
    ///
    /// # Errors
    /// When no whole answer comes.
    pub async fn post(&self, path: &str, fields: &[(String, String)]) -> Result<Shown> {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        shown(self.send(path, &fields).await?).await
    }

    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Result<reqwest::Response> {
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header(COOKIE, &self.cookie)
            .body(pairs.join("&"));
        Ok(request.send().await?)
    }
}

async fn shown(response: reqwest::Response) -> Result<Shown> {
    Ok(Shown {
        status: response.status().as_u16(),
        location: header(response.headers(), LOCATION),
        text: response.text().await?,
    })
}

fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| match byte {
            byte if plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
