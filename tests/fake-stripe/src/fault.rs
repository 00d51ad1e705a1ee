//! Faults on demand: the next so many calls of a path go wrong in a chosen way.

use std::time::Duration;

use axum::http::Method;
use serde::Deserialize;

/// How a call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FaultKind {
    /// No answer, nothing happened.
    TimeoutBefore,
    /// No answer, and it happened.
    TimeoutAfter,
    /// 409: the same key is under way.
    Conflict,
    /// 429 with `Retry-After`.
    RateLimited,
    /// 500 before anything happened; the key stays new.
    #[serde(rename = "error_500")]
    Error500,
    /// 500 before anything happened, kept as the key's answer.
    #[serde(rename = "error_500_kept")]
    Error500Kept,
    /// It happened, and the answer is a 500, kept as the key's answer.
    #[serde(rename = "error_500_after")]
    Error500After,
    /// 402: the card is declined.
    Declined,
    /// It happens, later; meanwhile the key is in use.
    Slow,
    /// It happened, and the answer breaks off.
    Broken,
}

/// A fault that waits for its calls.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    /// A path; `*` stands for one part, `**` at the end for all that follow.
    path: String,
    /// Any where none is named.
    #[serde(default)]
    method: Option<String>,
    pub(super) fault: FaultKind,
    #[serde(default = "once")]
    times: u32,
    #[serde(default)]
    pub(super) retry_after_s: Option<u64>,
    #[serde(default)]
    delay_ms: Option<u64>,
    #[serde(default)]
    pub(super) decline_code: Option<String>,
}

const fn once() -> u32 {
    1
}

impl Fault {
    /// How long a slow answer takes, and how long no answer is held back.
    pub(super) fn delay(&self) -> Duration {
        let otherwise_ms = if self.fault == FaultKind::Slow {
            500
        } else {
            60_000
        };
        Duration::from_millis(self.delay_ms.unwrap_or(otherwise_ms))
    }

    fn fits(&self, method: &Method, path: &str) -> bool {
        let is_method = self
            .method
            .as_ref()
            .is_none_or(|name| name.eq_ignore_ascii_case(method.as_str()));
        is_method && fits(&self.path, path)
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    for wanted in pattern.split('/') {
        match (wanted, parts.next()) {
            ("**", _) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(part)) if wanted == part => {}
            _ => return false,
        }
    }
    parts.next().is_none()
}

/// The fault of a call, once less afterwards.
pub(super) fn take(faults: &mut Vec<Fault>, method: &Method, path: &str) -> Option<Fault> {
    let at = faults.iter().position(|fault| fault.fits(method, path))?;
    let fault = faults[at].clone();
    faults[at].times = fault.times.saturating_sub(1);
    if faults[at].times == 0 {
        faults.remove(at);
    }
    Some(fault)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn stars_stand_for_parts() {
        assert!(fits("/v1/refunds", "/v1/refunds"));
        assert!(!fits("/v1/refunds", "/v1/refunds/re_1"));
        assert!(fits(
            "/v1/payment_intents/*/capture",
            "/v1/payment_intents/pi_1/capture"
        ));
        assert!(!fits("/v1/payment_intents/*", "/v1/payment_intents"));
        assert!(fits("/v1/**", "/v1/a/b") && fits("/v1/**", "/v1/a"));
    }
}
