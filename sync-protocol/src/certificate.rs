//! The names in our certificates: who a peer is stands in one SAN URI and nowhere else.
//!
//! `counterpart:node:<8 hex>:branch:<uuid>` for a branch machine, `counterpart:hub` for the hub. Subject, issuer and
//! every other name are for people and are never read.

use std::fmt;
use std::str::FromStr;

use domain::id::BranchId;

use crate::position::NodeId;

/// The SAN URI of the hub.
pub const HUB_URI: &str = "counterpart:hub";
/// The DNS name that clients send; nothing depends on it, TLS wants one.
pub const SERVER_NAME: &str = "hub.counterpart.invalid";
/// How long a node's certificate is in date, in milliseconds (30 days).
pub const NODE_CERTIFICATE_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// Whom a node's certificate names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeName {
    /// The machine.
    pub node: NodeId,
    /// The branch that it speaks for.
    pub branch: BranchId,
}

/// A URI that does not name a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the certificate names no node of a branch")]
pub struct NodeNameError;

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "counterpart:node:{}:branch:{}", self.node, self.branch)
    }
}

impl FromStr for NodeName {
    type Err = NodeNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text
            .strip_prefix("counterpart:node:")
            .ok_or(NodeNameError)?;
        let (node, branch) = rest.split_once(":branch:").ok_or(NodeNameError)?;
        let number = u32::from_str_radix(node, 16).map_err(|_| NodeNameError)?;
        let name = NodeName {
            node: NodeId(number),
            branch: branch.parse().map_err(|_| NodeNameError)?,
        };
        if name.node == NodeId::HUB || name.branch.is_nil() || name.to_string() != text {
            return Err(NodeNameError);
        }
        Ok(name)
    }
}

/// DER of an Ed25519 private key (RFC 8410, PKCS #8 version 1) made of its 32-byte seed.
pub fn private_key_der(seed: &[u8; 32]) -> Vec<u8> {
    let mut der = vec![
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    der.extend_from_slice(seed);
    der
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_spelling_of_a_node_is_a_name() {
        let name = NodeName {
            node: NodeId(0x2a),
            branch: BranchId::from_bytes([7; 16]),
        };
        let text = name.to_string();
        assert_eq!(
            text,
            "counterpart:node:0000002a:branch:07070707-0707-0707-0707-070707070707"
        );
        assert_eq!(text.parse::<NodeName>().unwrap(), name);
        for wrong in [
            HUB_URI,
            "counterpart:node:2a:branch:07070707-0707-0707-0707-070707070707",
            "counterpart:node:0000002A:branch:07070707-0707-0707-0707-070707070707",
            "counterpart:node:00000000:branch:07070707-0707-0707-0707-070707070707",
            "counterpart:node:0000002a:branch:00000000-0000-0000-0000-000000000000",
            "counterpart:node:0000002a:branch:07070707-0707-0707-0707-070707070707 ",
        ] {
            assert!(wrong.parse::<NodeName>().is_err(), "{wrong}");
        }
    }
}
