//! What can go wrong below the faces of the program, and how a use case says no.
//!
//! [`StoreError`] is about the disk and the machinery, [`AppError`] about what somebody asked for. The faces map
//! `AppError` once to a status and a page; no other place does. Neither ever carries a personal value.

use domain::document::DocumentError;
use domain::order::OrderError;
use domain::problem::FieldProblem;
use serde_json::{Map, Value};
use sync_protocol::document::{ChangeRefusal, EditError, LoadError};
use sync_protocol::error::DecodeError;
use thiserror::Error;

/// The store could not do it.
#[derive(Debug, Error)]
pub enum StoreError {
    /// SQLite said no.
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A file of the data directory could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process uses the data directory.
    #[error("another process uses {path}")]
    Locked {
        /// The data directory.
        path: String,
    },
    /// A newer program wrote the database (INV-18).
    #[error(
        "the database has schema {found}, this program knows up to {known}: use the newer program"
    )]
    Newer {
        /// The schema found.
        found: u32,
        /// The last one known.
        known: u32,
    },
    /// Stored bytes are not what they should be.
    #[error("stored bytes do not read: {0}")]
    Decode(#[from] DecodeError),
    /// A stored document does not load (INV-23).
    #[error("a stored document does not load: {0}")]
    Load(#[from] LoadError),
    /// A document cannot be read or edited.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// JSON of a table does not read.
    #[error("stored JSON does not read: {0}")]
    Json(#[from] serde_json::Error),
    /// A row contradicts another.
    #[error("{table}: {what}")]
    Corrupt {
        /// Which table.
        table: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// `node.toml` or a file of `secrets/` is not what it should be.
    #[error("{path} is not what it should be: {what}")]
    Config {
        /// Which file.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// COMMIT gave an error, or no answer: whether the write took place is unknown to its caller (F-25).
    #[error("the commit failed: {reason}")]
    CommitFailed {
        /// What SQLite said.
        reason: String,
    },
    /// The write failed inside with a panic; nothing was written.
    #[error("the write failed inside")]
    Panicked,
    /// The store is being closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether the database found no room on the disk.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(failure, _)) => {
                failure.code == rusqlite::ErrorCode::DiskFull
            }
            _ => false,
        }
    }
}

/// A use case says no.
#[derive(Debug, Error)]
pub enum AppError {
    /// No such thing here.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// The user name and password do not belong together.
    #[error("this user name and password do not belong together")]
    WrongCredentials,
    /// Signed in, and not allowed to do this.
    #[error("{detail}")]
    Forbidden {
        /// Why not.
        detail: String,
    },
    /// Readable and wrong, by field.
    #[error("some fields are wrong")]
    Invalid(Vec<FieldProblem>),
    /// The state of things does not allow it.
    #[error("{detail}")]
    Conflict {
        /// Which rule, as in `short-of-stock`.
        kind: &'static str,
        /// What happened, for a person.
        detail: String,
        /// Members of this kind of conflict, such as `allowed`, `free`, `elsewhere`.
        extra: Map<String, Value>,
    },
    /// Somebody changed it since the caller read it.
    #[error("it was changed since it was read")]
    Stale,
    /// More than one transaction or document can hold.
    #[error("{detail}")]
    TooLarge {
        /// What is too large.
        detail: String,
    },
    /// The same idempotency key came with another request.
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// The writer's queue is full.
    #[error("too many writes are waiting")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AppError {
    /// One wrong field.
    pub fn field(pointer: &str, detail: impl std::fmt::Display) -> Self {
        AppError::Invalid(vec![FieldProblem::new(pointer, detail)])
    }

    /// A conflict without members of its own.
    pub fn conflict(kind: &'static str, detail: impl Into<String>) -> Self {
        AppError::Conflict {
            kind,
            detail: detail.into(),
            extra: Map::new(),
        }
    }

    /// Adds a member to a conflict; other errors stay as they are.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let AppError::Conflict { extra, .. } = &mut self {
            extra.insert(name.to_owned(), value.into());
        }
        self
    }
}

impl From<rusqlite::Error> for AppError {
    fn from(error: rusqlite::Error) -> Self {
        AppError::Store(error.into())
    }
}

impl From<DecodeError> for AppError {
    fn from(error: DecodeError) -> Self {
        AppError::Store(error.into())
    }
}

impl From<DocumentError> for AppError {
    fn from(error: DocumentError) -> Self {
        AppError::Store(error.into())
    }
}

impl From<serde_json::Error> for AppError {
    fn from(error: serde_json::Error) -> Self {
        AppError::Store(error.into())
    }
}

impl From<EditError> for AppError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Document(error) => error.into(),
            EditError::Limits(error) => AppError::TooLarge {
                detail: error.to_string(),
            },
        }
    }
}

impl From<ChangeRefusal> for StoreError {
    fn from(refusal: ChangeRefusal) -> Self {
        StoreError::Corrupt {
            table: "document",
            what: refusal.to_string(),
        }
    }
}

impl From<OrderError> for AppError {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::Fields(problems) => AppError::Invalid(problems),
            OrderError::UnknownLine => AppError::NotFound { what: "line" },
            OrderError::UnknownEvent => AppError::NotFound {
                what: "step that could be undone",
            },
            OrderError::UnknownEstimate => AppError::NotFound { what: "estimate" },
            OrderError::Move(error) => AppError::conflict("move-not-allowed", error.to_string()),
            OrderError::Answered => {
                AppError::conflict("answered", OrderError::Answered.to_string())
            }
            OrderError::Money(error) => AppError::field("/unit_price", error),
            OrderError::NotReceived => AppError::field("/status", OrderError::NotReceived),
            OrderError::Full => AppError::TooLarge {
                detail: OrderError::Full.to_string(),
            },
        }
    }
}
