//! Stripe's webhooks: whether one is from Stripe, and what it speaks of.
//!
//! A webhook only says *look at this payment*: what it stands at is asked for afterwards, so that old, doubled and
//! reordered ones do no harm. Nothing of the body is read before its signature holds (T-12).

use domain::id::{BranchId, PaymentId, RepaymentId};
use domain::sensitive::Sensitive;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;
use thiserror::Error;

use super::pay::{check_id, mark};
use super::types::Metadata;
use super::{META_BRANCH, META_PAYMENT, META_REPAYMENT};

/// How far the time of a webhook may be off ours, either way.
pub const TOLERANCE_MS: i64 = 5 * 60_000;
/// The longest body that is looked at.
pub const BODY_MAX_BYTES: usize = 256 << 10;
/// Signatures that are compared; Stripe sends two while its secret is rolled.
const SIGNATURES_MAX: usize = 10;
const HEADER_MAX: usize = 4_096;
const KIND_MAX: usize = 100;

/// Why a webhook is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WebhookError {
    /// No `Stripe-Signature`, or none that reads.
    #[error("the header Stripe-Signature is missing or does not read")]
    Header,
    /// Older or newer than five minutes.
    #[error("the webhook is not of these five minutes")]
    Time,
    /// Nobody who knows the secret wrote this.
    #[error("the signature is wrong")]
    Signature,
    /// Signed, and yet not an event.
    #[error("the body is not an event")]
    Body,
}

/// What a webhook speaks of. Its state is not among it on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StripeEvent {
    /// Stripe's name of the event; each counts once.
    pub id: String,
    /// What happened, such as `payment_intent.succeeded`.
    pub kind: String,
    /// Stripe's name of what it happened to; empty where it has none.
    pub object: String,
    /// The payment intent that the object is or belongs to, or that a reader shows.
    pub intent: Option<String>,
    /// The payment link that a checkout session belongs to.
    pub link: Option<String>,
    /// Our mark: the payment.
    pub payment: Option<PaymentId>,
    /// Our mark: the repayment.
    pub repayment: Option<RepaymentId>,
    /// Our mark: the branch.
    pub branch: Option<BranchId>,
    /// When, by Stripe's clock.
    pub at_ms: i64,
}

/// Checks that a webhook is from Stripe and of these minutes, and reads what it speaks of.
///
/// # Errors
/// When it is not to be believed.
pub fn receive(
    secret: &Sensitive<String>,
    header: Option<&str>,
    body: &[u8],
    now_ms: i64,
) -> Result<StripeEvent, WebhookError> {
    verify(secret, header, body, now_ms)?;
    read(body)
}

/// Checks `Stripe-Signature`: HMAC-SHA-256 over time, a dot and the body; one of several signatures must hold.
///
/// # Errors
/// When none does, or the time is off.
pub fn verify(
    secret: &Sensitive<String>,
    header: Option<&str>,
    body: &[u8],
    now_ms: i64,
) -> Result<(), WebhookError> {
    let header = header.filter(|header| header.len() <= HEADER_MAX);
    let (time, signatures) = header.and_then(parts).ok_or(WebhookError::Header)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .map_err(|_| WebhookError::Signature)?;
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    let is_signed = signatures.iter().fold(false, |found, one| {
        found | mac.clone().verify_slice(one).is_ok()
    });
    if !is_signed {
        return Err(WebhookError::Signature);
    }
    let seconds: i64 = time.parse().map_err(|_| WebhookError::Header)?;
    let off_ms = seconds.saturating_mul(1_000).abs_diff(now_ms);
    if off_ms > TOLERANCE_MS.unsigned_abs() {
        return Err(WebhookError::Time);
    }
    Ok(())
}

/// The time as it was written, and all signatures of the scheme `v1`.
fn parts(header: &str) -> Option<(&str, Vec<[u8; 32]>)> {
    let mut time = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", value)) if time.is_none() => time = Some(value),
            Some(("t", _)) => return None,
            Some(("v1", value)) if signatures.len() < SIGNATURES_MAX => {
                signatures.extend(unhex(value));
            }
            _ => {}
        }
    }
    let time = time.filter(|time| {
        (1..=12).contains(&time.len()) && time.bytes().all(|byte| byte.is_ascii_digit())
    })?;
    (!signatures.is_empty()).then_some((time, signatures))
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let text = text.as_bytes();
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(bytes)
}

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: i64,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Object,
}

/// Of any kind: what does not read as a mark or a name is none, since Stripe sends a refused event again for days.
#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    id: String,
    object: String,
    #[serde(default)]
    payment_intent: Value,
    #[serde(default)]
    payment_link: Value,
    #[serde(default)]
    action: Value,
    #[serde(default)]
    metadata: Option<Metadata>,
}

impl Object {
    fn intent(&self) -> Option<String> {
        if self.object == "payment_intent" {
            return Some(self.id.clone());
        }
        let shown = &self.action["process_payment_intent"]["payment_intent"];
        [&self.payment_intent, shown]
            .into_iter()
            .find_map(|value| value.as_str().map(str::to_owned))
    }
}

fn read(body: &[u8]) -> Result<StripeEvent, WebhookError> {
    let event: Event = serde_json::from_slice(body).map_err(|_| WebhookError::Body)?;
    let object = event.data.object;
    let is_name = |name: &String| check_id(name).is_ok();
    if !is_name(&event.id) || event.kind.len() > KIND_MAX {
        return Err(WebhookError::Body);
    }
    let intent = object.intent().filter(is_name);
    let link = object.payment_link.as_str().map(str::to_owned);
    let metadata = object.metadata.unwrap_or_default();
    Ok(StripeEvent {
        id: event.id,
        kind: event.kind,
        object: Some(object.id).filter(is_name).unwrap_or_default(),
        intent,
        link: link.filter(is_name),
        payment: mark(&metadata, META_PAYMENT),
        repayment: mark(&metadata, META_REPAYMENT),
        branch: mark(&metadata, META_BRANCH),
        at_ms: event.created.saturating_mul(1_000),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const NOW_MS: i64 = 1_795_305_600_000;
    const BODY: &[u8] = br#"{"id":"evt_1","type":"payment_intent.succeeded","created":1795305590,
        "data":{"object":{"id":"pi_1","object":"payment_intent","metadata":{
        "counterpart_payment":"0b2a1f0e-6f0e-4f4e-9d3e-111111111111","counterpart_branch":"nonsense"}}}}"#;

    fn secret() -> Sensitive<String> {
        Sensitive::new("whsec_test".to_owned())
    }

    fn signature(secret: &str, time: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{time}.").as_bytes());
        mac.update(body);
        let bytes = mac.finalize().into_bytes();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn header(time: i64, body: &[u8]) -> String {
        format!("t={time},v1={}", signature("whsec_test", time, body))
    }

    fn received(header: &str, body: &[u8]) -> Result<StripeEvent, WebhookError> {
        receive(&secret(), Some(header), body, NOW_MS)
    }

    #[test]
    fn a_signed_event_says_what_it_speaks_of() {
        let event = received(&header(NOW_MS / 1_000, BODY), BODY).unwrap();
        assert_eq!(
            (event.id.as_str(), event.intent.as_deref()),
            ("evt_1", Some("pi_1"))
        );
        assert!(event.payment.is_some() && event.branch.is_none());
    }

    #[test]
    fn five_minutes_either_way_and_no_more() {
        let now_s = NOW_MS / 1_000;
        for (off_s, is_fine) in [(-301, false), (-300, true), (300, true), (301, false)] {
            let outcome = received(&header(now_s + off_s, BODY), BODY);
            assert_eq!(outcome.is_ok(), is_fine, "{off_s} s");
            if !is_fine {
                assert_eq!(outcome, Err(WebhookError::Time));
            }
        }
    }

    #[test]
    fn one_of_several_signatures_is_enough_and_the_old_scheme_is_not() {
        let now_s = NOW_MS / 1_000;
        let good = signature("whsec_test", now_s, BODY);
        let other = signature("whsec_rolled", now_s, BODY);
        assert!(received(&format!("t={now_s},v1={other},v1={good},v0=x"), BODY).is_ok());
        assert!(received(&format!(" t={now_s} , v1={good}"), BODY).is_ok());
        for (wrong, why) in [
            (format!("t={now_s},v1={other}"), WebhookError::Signature),
            (format!("t={now_s},v0={good}"), WebhookError::Header),
            (format!("v1={good}"), WebhookError::Header),
            (format!("t={now_s},t=1,v1={good}"), WebhookError::Header),
            (format!("t=-{now_s},v1={good}"), WebhookError::Header),
            (
                format!("t={},v1={good}", now_s + 1),
                WebhookError::Signature,
            ),
            (
                format!("t={now_s},v1={}", &good[..62]),
                WebhookError::Header,
            ),
            (String::new(), WebhookError::Header),
            ("t=1,".repeat(2_000), WebhookError::Header),
        ] {
            assert_eq!(received(&wrong, BODY), Err(why), "{wrong:.80}");
        }
        let mut flipped = BODY.to_vec();
        flipped[9] ^= 1;
        assert_eq!(
            received(&header(now_s, BODY), &flipped),
            Err(WebhookError::Signature)
        );
        assert_eq!(
            receive(&secret(), None, BODY, NOW_MS),
            Err(WebhookError::Header)
        );
    }

    #[test]
    fn a_signed_body_that_is_no_event_is_refused() {
        let now_s = NOW_MS / 1_000;
        for body in [
            &b"{}"[..],
            b"\xff",
            br#"{"id":"evt/../1","type":"x","created":1,"data":{"object":{"id":"pi_1","object":"charge"}}}"#,
        ] {
            assert_eq!(received(&header(now_s, body), body), Err(WebhookError::Body));
        }
    }

    #[test]
    fn events_of_other_kinds_are_taken_and_name_what_reads() {
        let now_s = NOW_MS / 1_000;
        let event = |object: &str| {
            let body = format!(
                r#"{{"id":"evt_2","type":"x.y","created":1,"data":{{"object":{object}}}}}"#
            );
            received(&header(now_s, body.as_bytes()), body.as_bytes()).unwrap()
        };
        let balance = event(r#"{"object":"balance"}"#);
        assert_eq!((balance.object.as_str(), balance.intent), ("", None));
        let reader = event(
            r#"{"id":"tmr_1","object":"terminal.reader","metadata":{},
            "action":{"process_payment_intent":{"payment_intent":"pi_7"}}}"#,
        );
        assert_eq!(reader.intent.as_deref(), Some("pi_7"));
        let odd = event(
            r#"{"id":"../x","object":"charge","payment_intent":{"id":1},"payment_link":"a/b"}"#,
        );
        assert_eq!(
            (odd.object.as_str(), odd.intent, odd.link),
            ("", None, None)
        );
    }
}
