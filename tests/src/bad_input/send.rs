//! Sends a case and holds the answer against what every answer must be.
//!
//! Bodies of accepted requests are not read: an event stream has no end.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::case::{Case, KEY_HEADER, Key, SignIn};
use super::report::FindingKind;

/// A running server and a sign-in on it.
#[derive(Debug, Clone)]
pub struct Target {
    /// `http://127.0.0.1:4000`, without a slash at the end.
    pub base_url: String,
    /// For `Authorization: Bearer`.
    pub token: String,
}

/// What came back.
pub(super) enum Answer {
    Accepted {
        status: u16,
    },
    Refused {
        status: u16,
        content_type: String,
        body: Vec<u8>,
    },
    /// The server wants the client to wait so long.
    Wait {
        seconds: u64,
    },
    Nothing {
        why: String,
        was_too_late: bool,
    },
}

pub(super) struct Sender {
    client: reqwest::Client,
    target: Target,
    run: String,
    longest_wait: Duration,
    sent: u64,
}

impl Sender {
    pub(super) fn new(target: &Target, timeout: Duration, longest_wait: Duration) -> Result<Self> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout)
            .build()
            .context("building the client")?;
        let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        let run = format!("bad-input-{}-{}", std::process::id(), started.as_nanos());
        Ok(Self {
            client,
            target: target.clone(),
            run,
            longest_wait,
            sent: 0,
        })
    }

    pub(super) const fn sent(&self) -> u64 {
        self.sent
    }

    /// Sends until an answer comes that is no "later", at most so many times. A server that
    /// refuses a long body early may close the connection on it, so that is tried again too.
    pub(super) async fn send(&mut self, case: &Case) -> Result<Answer> {
        let mut last = Answer::Nothing {
            why: "not sent".into(),
            was_too_late: false,
        };
        for _ in 0..4 {
            last = self.send_once(case).await?;
            match &last {
                Answer::Wait { seconds } => {
                    tokio::time::sleep(Duration::from_secs(*seconds)).await;
                }
                Answer::Nothing {
                    was_too_late: false,
                    ..
                } => {}
                _ => return Ok(last),
            }
        }
        Ok(last)
    }

    async fn send_once(&mut self, case: &Case) -> Result<Answer> {
        self.sent += 1;
        let response = match self.client.execute(self.request(case)?).await {
            Ok(response) => response,
            Err(error) => {
                return Ok(Answer::Nothing {
                    was_too_late: error.is_timeout(),
                    why: format!("{error:?}"),
                });
            }
        };
        let status = response.status().as_u16();
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let asked = header("retry-after").filter(|_| status == 429);
        if let Some(seconds) = asked.and_then(|seconds| seconds.parse::<u64>().ok())
            && Duration::from_secs(seconds) <= self.longest_wait
        {
            return Ok(Answer::Wait { seconds });
        }
        if status < 400 {
            return Ok(Answer::Accepted { status });
        }
        let content_type = header("content-type").unwrap_or_default().to_owned();
        match response.bytes().await {
            Ok(body) => Ok(Answer::Refused {
                status,
                content_type,
                body: body.to_vec(),
            }),
            Err(error) => Ok(Answer::Nothing {
                was_too_late: error.is_timeout(),
                why: format!("status {status}, then {error:?}"),
            }),
        }
    }

    fn request(&self, case: &Case) -> Result<reqwest::Request> {
        let request = &case.request;
        let mut url = format!("{}{}", self.target.base_url, request.path);
        if !request.query.is_empty() {
            url = format!("{url}?{}", request.query);
        }
        let method = reqwest::Method::from_bytes(request.method.as_bytes())?;
        let url = reqwest::Url::parse(&url).with_context(|| format!("the address {url}"))?;
        let mut built = self.client.request(method, url);
        for (name, value) in &request.headers {
            // What HTTP itself cannot carry cannot reach a server either.
            if let Ok(value) = reqwest::header::HeaderValue::from_bytes(value) {
                built = built.header(name, value);
            }
        }
        match &request.key {
            Key::Absent => {}
            Key::Fresh => built = built.header(KEY_HEADER, format!("{}-{}", self.run, self.sent)),
            Key::Fixed(value) => built = built.header(KEY_HEADER, value.as_slice()),
        }
        match request.sign_in {
            SignIn::Token => built = built.bearer_auth(&self.target.token),
            SignIn::Wrong => built = built.bearer_auth("no-such-token"),
            SignIn::Absent => {}
        }
        if let Some(content_type) = &request.content_type {
            built = built.header("content-type", content_type);
        }
        if let Some(body) = &request.body {
            built = built.body(body.clone());
        }
        built.build().context("building a request")
    }
}

/// What is wrong with a refusal, whatever it refuses.
pub(super) fn fault_of_refusal(
    status: u16,
    content_type: &str,
    body: &[u8],
) -> Option<(FindingKind, String)> {
    let shown: String = String::from_utf8_lossy(body).chars().take(300).collect();
    if status >= 500 {
        return Some((FindingKind::ServerError, format!("{status} {shown}")));
    }
    let not_a_problem = |why: String| Some((FindingKind::NotAProblem, why));
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type != "application/problem+json" {
        return not_a_problem(format!(
            "{status} with content type {content_type:?}: {shown}"
        ));
    }
    let Ok(problem) = serde_json::from_slice::<Value>(body) else {
        return not_a_problem(format!("{status} with a body that is no JSON: {shown}"));
    };
    for member in ["type", "title", "detail"] {
        if problem[member].as_str().is_none_or(str::is_empty) {
            return not_a_problem(format!("{status} without {member}: {shown}"));
        }
    }
    if problem["status"] != status {
        return not_a_problem(format!("{status}, but the body says {}", problem["status"]));
    }
    None
}
