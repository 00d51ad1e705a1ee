//! What can go wrong in the hub's core.
//!
//! One enum for the core; use cases and pages wrap it in theirs. Nothing here ever carries a personal value, a key or
//! a statement's parameters.

use std::path::PathBuf;

use domain::id::DocumentId;
use sync_protocol::document::{ChangeRefusal, EditError, LoadError};
use sync_protocol::error::DecodeError;
use thiserror::Error;

/// A failure of the core.
#[derive(Debug, Error)]
pub enum HubError {
    /// The database refused or is gone.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The database's schema could not be brought up to date, or is newer than this program.
    #[error("the database's schema is not what this program needs: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A file of `secrets/` cannot be read or written.
    #[error("{path}: {source}")]
    Secrets {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of `secrets/` has the wrong length.
    #[error("{path} does not hold a key")]
    SecretsLength {
        /// Which file.
        path: PathBuf,
    },
    /// A stored document is not what its row says (INV-23).
    #[error("document {document}: {source}")]
    Document {
        /// Which one.
        document: DocumentId,
        /// What is wrong with it.
        source: LoadError,
    },
    /// A document that does not exist.
    #[error("document {0} is unknown")]
    UnknownDocument(DocumentId),
    /// An edit of the hub does not fit its document.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The checks that branches are held against refuse what the hub wrote.
    #[error("the checks refuse this: {detail}")]
    Refused {
        /// Why.
        detail: String,
    },
    /// Stored bytes do not decode.
    #[error("stored bytes do not decode: {0}")]
    Decode(#[from] DecodeError),
    /// A stored value is not of the form that this program writes.
    #[error("a stored row is malformed: {0}")]
    Row(&'static str),
    /// Something sealed does not open, or cannot be sealed.
    #[error("a stored secret does not open: {0}")]
    Seal(#[from] domain::seal::SealError),
    /// A task of the process ended early.
    #[error("the hub is stopping")]
    Stopped,
    /// Work on another thread panicked.
    #[error("work on another thread failed: {0}")]
    Join(#[from] tokio::task::JoinError),
}

impl HubError {
    /// Whether the same call may succeed later without anything being changed: the database was away, or two commits
    /// met (SQLSTATE classes 08, 40, 53, 55, 57, 58).
    pub fn is_transient(&self) -> bool {
        match self {
            HubError::Database(error) => is_transient(error),
            HubError::Stopped => true,
            _ => false,
        }
    }
}

impl From<ChangeRefusal> for HubError {
    fn from(refusal: ChangeRefusal) -> Self {
        HubError::Refused {
            detail: refusal.to_string(),
        }
    }
}

/// The SQLSTATE class of a database error.
pub(crate) fn sql_class(error: &sqlx::Error) -> Option<String> {
    let code = error.as_database_error()?.code()?;
    code.get(..2).map(str::to_owned)
}

fn is_transient(error: &sqlx::Error) -> bool {
    match sql_class(error) {
        Some(class) => matches!(class.as_str(), "08" | "40" | "53" | "55" | "57" | "58"),
        None => !matches!(
            error,
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::RowNotFound
        ),
    }
}

/// Whether the values themselves are what the database refuses (classes 22 and 23): trying again does not help.
pub(crate) fn refuses_values(error: &sqlx::Error) -> bool {
    sql_class(error).is_some_and(|class| class == "22" || class == "23")
}
