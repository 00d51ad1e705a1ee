//! Why a use case did not do what was asked of it.
//!
//! One enum for all use cases; the web side maps it once to a status. Refusals are written for people and never carry
//! a personal value.

use domain::problem::FieldProblem;
use serde_json::{Map, Value};
use sync_protocol::document::EditError;
use thiserror::Error;

use crate::error::HubError;
use crate::store::db::SqlError;

/// A refusal or failure of a use case.
#[derive(Debug, Error)]
pub enum AppError {
    /// There is no such thing, or the person may not know of it.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// User name and password do not belong together.
    #[error("this user name and password do not belong together")]
    WrongCredentials,
    /// The person may not do this.
    #[error("{detail}")]
    Forbidden {
        /// Why, for a person.
        detail: String,
    },
    /// Input that is wrong, by field.
    #[error("some fields are wrong")]
    Invalid(Vec<FieldProblem>),
    /// The state of things does not allow it.
    #[error("{detail}")]
    Conflict {
        /// A short name of the rule.
        kind: &'static str,
        /// Why, for a person.
        detail: String,
        /// Figures that go with it.
        extra: Map<String, Value>,
    },
    /// Somebody changed it since the caller read it.
    #[error("it was changed meanwhile")]
    Stale,
    /// The idempotency key belongs to another request.
    #[error("the key belongs to another request")]
    KeyReused,
    /// The core failed.
    #[error(transparent)]
    Hub(HubError),
}

impl AppError {
    /// One wrong field.
    pub fn field(pointer: impl Into<String>, detail: impl std::fmt::Display) -> Self {
        Self::Invalid(vec![FieldProblem::new(pointer, detail)])
    }

    /// A conflict without figures.
    pub fn conflict(kind: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict {
            kind,
            detail: detail.into(),
            extra: Map::new(),
        }
    }

    /// Adds a figure to a conflict.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Self::Conflict { extra, .. } = &mut self {
            extra.insert(name.to_owned(), value.into());
        }
        self
    }
}

impl From<HubError> for AppError {
    /// What the hub's own checks refuse was asked for by a person: too long a text, too full a document.
    fn from(error: HubError) -> Self {
        match error {
            HubError::Edit(EditError::Limits(reason)) => {
                Self::field("", format!("this is too much for one change: {reason}"))
            }
            HubError::Edit(EditError::Document(reason)) => Self::field("", reason),
            HubError::Refused { detail } => Self::field("", detail),
            other => Self::Hub(other),
        }
    }
}

impl From<SqlError> for AppError {
    fn from(error: SqlError) -> Self {
        Self::Hub(HubError::Database(error))
    }
}

impl From<domain::document::DocumentError> for AppError {
    /// A stored document that does not read, which passed the policy when it came.
    fn from(error: domain::document::DocumentError) -> Self {
        tracing::error!(%error, "a stored document does not read");
        Self::Hub(HubError::Row("a document that does not read"))
    }
}

impl From<Vec<FieldProblem>> for AppError {
    fn from(problems: Vec<FieldProblem>) -> Self {
        Self::Invalid(problems)
    }
}
