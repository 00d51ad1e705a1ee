//! The program's log: one line per event, to standard error, as text or JSON.
//!
//! Standard output belongs to the commands' answers. No personal value, token or code of a person is ever logged; the
//! types that hold such values do not print them.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tracing_subscriber::EnvFilter;

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For a person.
    #[default]
    Text,
    /// For a machine, one JSON object per line.
    Json,
}

/// The filter does not read.
#[derive(Debug, Error)]
#[error("the log filter {filter:?} does not read: {reason}")]
pub struct FilterError {
    /// The filter as configured.
    pub filter: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Starts logging for the whole process; a second call changes nothing.
///
/// # Errors
/// When `filter` (`info,hub=debug`) does not read.
pub fn start(filter: &str, format: LogFormat) -> Result<(), FilterError> {
    let filter = EnvFilter::try_new(filter).map_err(|error| FilterError {
        filter: filter.to_owned(),
        reason: error.to_string(),
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(true);
    let started = match format {
        LogFormat::Text => builder
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
    Ok(())
}
