//! Errors as Stripe says them.

use serde_json::{Map, Value, json};

/// A refusal with its status.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    error: Map<String, Value>,
}

/// What a call gives.
pub(super) type Reply = Result<Value, Refusal>;

impl Refusal {
    pub(super) fn new(status: u16, kind: &str, message: impl Into<String>) -> Self {
        let mut error = Map::new();
        error.insert("type".to_owned(), kind.into());
        error.insert("message".to_owned(), message.into().into());
        Self { status, error }
    }

    /// A 400 with a code.
    pub(super) fn invalid(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", message).with("code", code)
    }

    pub(super) fn missing(param: &str) -> Self {
        Self::invalid(
            "parameter_missing",
            format!("Missing required param: {param}."),
        )
        .with("param", param)
    }

    pub(super) fn unknown_id(object: &str, id: &str) -> Self {
        Self::new(
            404,
            "invalid_request_error",
            format!("No such {object}: '{id}'"),
        )
        .with("code", "resource_missing")
        .with("param", "id")
    }

    pub(super) fn unexpected_state(message: impl Into<String>) -> Self {
        Self::invalid("payment_intent_unexpected_state", message)
    }

    pub(super) fn declined(code: &str) -> Self {
        Self::new(402, "card_error", "Your card was declined.")
            .with("code", "card_declined")
            .with("decline_code", code)
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.error.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn body(&self) -> Value {
        json!({ "error": self.error })
    }
}
