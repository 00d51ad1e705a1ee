//! Idempotency keys: the first answer of a key is its answer for a day, whatever it was.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::Refusal;

const LIFE_MS: i64 = 24 * 3_600_000;

/// All keys that are not too old.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Keys(BTreeMap<String, Entry>);

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    path: String,
    params: Value,
    at_ms: i64,
    /// None while the first call is under way.
    answer: Option<(u16, Value)>,
}

impl Keys {
    /// What was answered under the key, or that this call is the first one.
    pub(super) fn begin(
        &mut self,
        key: &str,
        path: &str,
        params: &Value,
        now_ms: i64,
    ) -> Result<Option<(u16, Value)>, Refusal> {
        self.0
            .retain(|_, entry| now_ms.saturating_sub(entry.at_ms) < LIFE_MS);
        if key.len() > 255 {
            return Err(Refusal::new(
                400,
                "idempotency_error",
                "Idempotency keys are at most 255 characters long.",
            ));
        }
        if let Some(entry) = self.0.get(key) {
            return entry.answer(key, path, params);
        }
        let entry = Entry {
            path: path.to_owned(),
            params: params.clone(),
            at_ms: now_ms,
            answer: None,
        };
        self.0.insert(key.to_owned(), entry);
        Ok(None)
    }

    /// Keeps the answer of the first call.
    pub(super) fn keep(&mut self, key: &str, status: u16, body: &Value) {
        if let Some(entry) = self.0.get_mut(key) {
            entry.answer = Some((status, body.clone()));
        }
    }

    /// The call was refused before anything began: the key is as good as new.
    pub(super) fn forget(&mut self, key: &str) {
        self.0.remove(key);
    }
}

impl Entry {
    fn answer(
        &self,
        key: &str,
        path: &str,
        params: &Value,
    ) -> Result<Option<(u16, Value)>, Refusal> {
        if self.path != path {
            let message = format!(
                "Keys for idempotent requests can only be used for the same endpoint they were first used for \
                 ('{path}' vs '{}'). Try using a key other than '{key}' if you meant to execute a different request.",
                self.path
            );
            return Err(Refusal::new(400, "idempotency_error", message));
        }
        if self.params != *params {
            let message = format!(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. \
                 Try using a key other than '{key}' if you meant to execute a different request."
            );
            return Err(Refusal::new(400, "idempotency_error", message));
        }
        match &self.answer {
            Some(answer) => Ok(Some(answer.clone())),
            None => Err(in_use()),
        }
    }
}

/// The same key is under way.
pub(super) fn in_use() -> Refusal {
    Refusal::new(
        409,
        "idempotency_error",
        "There is currently another in-progress request using this Stripe Idempotency Key. Please try again later.",
    )
    .with("code", "idempotency_key_in_use")
}
