//! Webhooks: signed as Stripe signs them, in order, and wrong on demand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::mpsc;

use super::lock;

/// How often a webhook is sent that nobody takes.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);
const OLD_S: u64 = 3_600;

/// How a webhook goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WebhookFault {
    /// It comes twice.
    Duplicate,
    /// It comes after the next one.
    Reordered,
    /// Somebody who does not know the secret wrote it.
    Forged,
    /// It is an hour old, and signed so.
    Old,
    /// It does not come until it is released.
    Withheld,
}

/// Carries webhooks.
#[derive(Debug)]
pub(super) struct Courier {
    pub(super) url: Option<String>,
    pub(super) secret: String,
    pub(super) faults: VecDeque<WebhookFault>,
    /// Comes after the next one.
    late: Option<Value>,
    pub(super) withheld: Vec<Value>,
    pub(super) sent: Vec<Value>,
}

impl Courier {
    pub(super) const fn new(url: Option<String>, secret: String) -> Self {
        Self {
            url,
            secret,
            faults: VecDeque::new(),
            late: None,
            withheld: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// What is sent now, and how, when an event comes.
    fn plan(&mut self, event: Value) -> Vec<(Value, Option<WebhookFault>)> {
        let fault = self.faults.pop_front();
        let mut plan = match fault {
            Some(WebhookFault::Withheld) => {
                self.withheld.push(event);
                return Vec::new();
            }
            Some(WebhookFault::Reordered) => {
                if let Some(earlier) = self.late.replace(event) {
                    self.withheld.push(earlier);
                }
                return Vec::new();
            }
            Some(WebhookFault::Duplicate) => vec![(event.clone(), None), (event, None)],
            other => vec![(event, other)],
        };
        plan.extend(self.late.take().map(|late| (late, None)));
        plan
    }

    /// Everything that was held back.
    pub(super) fn release(&mut self) -> Vec<Value> {
        let mut held = std::mem::take(&mut self.withheld);
        held.extend(self.late.take());
        held
    }
}

/// The header of a webhook.
pub fn signature(secret: &str, at_s: u64, body: &[u8]) -> String {
    let signed = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mut mac| {
        mac.update(format!("{at_s}.").as_bytes());
        mac.update(body);
        mac.finalize().into_bytes()
    });
    let hex: String = signed
        .iter()
        .flatten()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("t={at_s},v1={hex}")
}

/// Sends what happens until the double ends.
pub(super) async fn run(
    courier: Arc<Mutex<Courier>>,
    http: reqwest::Client,
    mut events: mpsc::UnboundedReceiver<Value>,
) {
    while let Some(event) = events.recv().await {
        let plan = lock(&courier).plan(event);
        for (event, fault) in plan {
            send(&courier, &http, &event, fault).await;
        }
    }
}

pub(super) async fn send(
    courier: &Mutex<Courier>,
    http: &reqwest::Client,
    event: &Value,
    fault: Option<WebhookFault>,
) {
    let (url, secret) = {
        let courier = lock(courier);
        (courier.url.clone(), courier.secret.clone())
    };
    let Some(url) = url else {
        return;
    };
    let body = event.to_string();
    let secret = if fault == Some(WebhookFault::Forged) {
        "whsec_of_somebody_else".to_owned()
    } else {
        secret
    };
    let mut status = 0;
    for attempt in 0..TRIES {
        // Signed anew each time, as Stripe does, by the real clock: receivers compare it with theirs.
        let now_s = now_s();
        let at_s = if fault == Some(WebhookFault::Old) {
            now_s.saturating_sub(OLD_S)
        } else {
            now_s
        };
        let request = http
            .post(&url)
            .header("content-type", "application/json; charset=utf-8")
            .header(
                "stripe-signature",
                signature(&secret, at_s, body.as_bytes()),
            )
            .body(body.clone());
        status = match request.send().await {
            Ok(answer) => answer.status().as_u16(),
            Err(_) => 0,
        };
        if (200..300).contains(&status) || fault.is_some() {
            break;
        }
        tokio::time::sleep(PAUSE * (attempt + 1)).await;
    }
    lock(courier).sent.push(json!({
        "event": event["id"], "type": event["type"], "status": status,
        "fault": fault.map(|fault| format!("{fault:?}").to_lowercase()),
    }));
}

fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
