//! How a command on this machine finds the running server: `server.json` in the data directory, mode 600.
//!
//! The token in it lives as long as the process and is good for what runs a branch. Who can read the file can
//! read the database as well.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use web_kit::SessionToken;

use crate::error::StoreError;
use crate::store::secrets::write_private;

/// Name of the file in the data directory.
pub const SERVER_FILE: &str = "server.json";

/// Where the running server is, and what opens it.
#[derive(Clone, Serialize, Deserialize)]
pub struct LocalServer {
    /// Its address on this machine, `http://127.0.0.1:…`.
    pub url: String,
    /// Its process.
    pub pid: u32,
    /// The token for `Authorization: Bearer`.
    pub token: String,
}

impl std::fmt::Debug for LocalServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LocalServer({}, {})", self.url, self.pid)
    }
}

/// The file of this process; taken away at its end.
#[derive(Debug)]
pub struct ServerNote {
    path: PathBuf,
}

impl LocalServer {
    /// Writes the file of this process.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(
        dir: &Path,
        address: SocketAddr,
        token: &SessionToken,
    ) -> Result<ServerNote, StoreError> {
        let path = dir.join(SERVER_FILE);
        let server = Self {
            url: format!("http://{address}"),
            pid: std::process::id(),
            token: token.reveal(),
        };
        write_private(&path, serde_json::to_string_pretty(&server)?.as_bytes())?;
        Ok(ServerNote { path })
    }

    /// Reads the file of the running server; none when no server noted itself.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(dir: &Path) -> Result<Option<Self>, StoreError> {
        let path = dir.join(SERVER_FILE);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::Io {
                path: path.display().to_string(),
                source,
            }),
        }
    }
}

impl ServerNote {
    /// Takes the file away.
    pub fn remove(self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, "{} stays", self.path.display());
        }
    }
}
