//! Why a private cluster could not be started or stopped.
//!
//! Each text says what a person can do. No text holds a password.

use std::{
    io,
    path::{Path, PathBuf},
};

/// What went wrong with the private cluster.
#[derive(Debug, thiserror::Error)]
pub enum PrivatePostgresError {
    /// No server programs of a usable version.
    #[error(
        "no Postgres server programs (15 or newer) found below /usr/lib/postgresql, on the path, or \
         in COUNTERPART_POSTGRES_BIN; install postgresql-15 and postgresql-15-postgis-3"
    )]
    ProgramsMissing,
    /// The cluster was made by another major version.
    #[error("this cluster was made by Postgres {major}, whose server programs are not installed")]
    MajorMissing {
        /// The version in the cluster's `PG_VERSION`
        major: u32,
    },
    /// Root may not run Postgres, and there is nobody else to run it as.
    #[error(
        "running as root needs a `postgres` account to run the server under; /etc/passwd has none"
    )]
    NoPostgresAccount,
    /// Another process owns this directory's cluster.
    #[error("{data_dir} is in use by another running hub")]
    InUse {
        /// The hub's data directory
        data_dir: PathBuf,
    },
    /// This directory is a copy of another one that still exists (F-23).
    #[error(
        "the cluster in {home} belongs to {owner}, which still exists: this data directory is a \
         copy; delete its postgres-location and restore the database from a backup"
    )]
    PlaceTaken {
        /// Where the cluster lies
        home: PathBuf,
        /// The data directory that it belongs to
        owner: PathBuf,
    },
    /// There is a cluster, but nothing to sign in with.
    #[error("there is a cluster, but its passwords in {path} are missing or unreadable")]
    PasswordMissing {
        /// Where the passwords should be
        path: PathBuf,
    },
    /// The server refused our password.
    #[error("the server on port {port} refuses our password")]
    PasswordRefused {
        /// The server's port
        port: u16,
    },
    /// A file could not be used.
    #[error("cannot {action} {path}")]
    File {
        /// What was tried
        action: &'static str,
        /// With what
        path: PathBuf,
        /// Why not
        source: io::Error,
    },
    /// A server program could not be run at all.
    #[error("cannot run {program}")]
    Program {
        /// Which one
        program: PathBuf,
        /// Why not
        source: io::Error,
    },
    /// `initdb` failed.
    #[error("initdb failed: {output}")]
    Initdb {
        /// What it printed
        output: String,
    },
    /// The server ended while starting.
    #[error("the server ended while starting: {log}")]
    EndedEarly {
        /// The end of its log
        log: String,
    },
    /// The server did not answer in time.
    #[error("the server on port {port} did not answer in time")]
    NotReady {
        /// The server's port
        port: u16,
    },
    /// The server did not end.
    #[error("process {pid} did not end")]
    NotStopped {
        /// The postmaster
        pid: u32,
    },
    /// No port could be had.
    #[error("no free port on 127.0.0.1")]
    NoPort {
        /// Why not
        source: io::Error,
    },
    /// Randomness for the passwords could not be had.
    #[error("the system gives no randomness: {0}")]
    NoRandomness(getrandom::Error),
    /// A name that is none.
    #[error(
        "`{0}` is no database name: lower-case letters, digits and _, at most 63, a letter first"
    )]
    BadName(String),
    /// A statement failed.
    #[error("cannot {action}")]
    Sql {
        /// What was tried
        action: &'static str,
        /// Why not
        source: sqlx::Error,
    },
}

/// For `map_err`: the failed action and the path it was tried with.
pub(super) fn io_error(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> PrivatePostgresError + use<> {
    let path = path.to_path_buf();
    move |source| PrivatePostgresError::File {
        action,
        path,
        source,
    }
}
