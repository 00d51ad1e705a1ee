//! Which node of which branch this data directory is: `node.toml`, written at joining.
//!
//! It holds no secret; keys and certificates lie in `secrets/`. The certificate is what proves the identity to the
//! hub; this file says the same for people and for the time before the first row of the branch arrives.

use std::fs;
use std::path::Path;

use domain::id::BranchId;
use serde::{Deserialize, Serialize};
use sync_protocol::position::{NodeId, start_of_branch_line};

use crate::error::StoreError;

/// Name of the file in the data directory.
pub const NODE_FILE: &str = "node.toml";

/// The node's own identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeIdentity {
    /// The node's number.
    pub node: NodeId,
    /// Its branch.
    pub branch: BranchId,
    /// The branch's code, as in order numbers.
    pub code: String,
    /// The branch's name.
    pub name: String,
    /// IANA time zone of the branch.
    pub time_zone: String,
    /// Region of the branch: the scope of its availability feed.
    pub region: String,
    /// Where the hub listens, `HOST:PORT` (UDP).
    pub hub: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeFile {
    node: String,
    branch: BranchId,
    code: String,
    name: String,
    time_zone: String,
    region: String,
    hub: String,
}

impl NodeIdentity {
    /// The chain hash before the first entry of this node's line.
    pub fn line_start(&self) -> sync_protocol::hash::Hash {
        start_of_branch_line(self.node, self.branch)
    }

    /// Reads `node.toml` of a data directory.
    ///
    /// # Errors
    /// When the file is missing (the directory was never joined) or does not read.
    pub fn read(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(NODE_FILE);
        let text = fs::read_to_string(&path).map_err(|source| StoreError::Io {
            path: path.display().to_string(),
            source,
        })?;
        let wrong = |what: String| StoreError::Config {
            path: path.display().to_string(),
            what,
        };
        let file: NodeFile = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let node = u32::from_str_radix(&file.node, 16)
            .map_err(|_| wrong("node is not hexadecimal".to_owned()))?;
        Ok(Self {
            node: NodeId(node),
            branch: file.branch,
            code: file.code,
            name: file.name,
            time_zone: file.time_zone,
            region: file.region,
            hub: file.hub,
        })
    }

    /// Writes `node.toml`; the last step of joining.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), StoreError> {
        let path = dir.join(NODE_FILE);
        let file = NodeFile {
            node: self.node.to_string(),
            branch: self.branch,
            code: self.code.clone(),
            name: self.name.clone(),
            time_zone: self.time_zone.clone(),
            region: self.region.clone(),
            hub: self.hub.clone(),
        };
        let text = toml::to_string(&file).map_err(|error| StoreError::Config {
            path: path.display().to_string(),
            what: error.to_string(),
        })?;
        crate::store::secrets::write_private(&path, text.as_bytes())
    }
}
