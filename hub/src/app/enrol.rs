//! Enrolment: machines become nodes by join codes, and known ones get fresh certificates.
//!
//! A code is stored as a hash only, belongs to one branch, lives 30 minutes and is used up in the very commit that writes
//! *node enrolled* and keeps the certificate (T-4). Nothing of a machine's request but its proven key is believed.

use std::sync::Arc;

use domain::id::BranchId;
use sync_protocol::certificate::NodeName;
use sync_protocol::item::{Item, NodeEnrolled, command};
use sync_protocol::join_code::JoinCode;
use sync_protocol::message::{Close, CloseReason, Grant, Join, Renew};
use sync_protocol::position::NodeId;
use thiserror::Error;

use super::{Actor, Hub, HubTx};
use crate::ca::{Ca, CaError, NodeCertificate};
use crate::error::HubError;
use crate::store::locations::{self, JoinedBranch};
use crate::store::sync::join_code::{self, JoinCodeRow, UsedCode};
use crate::store::sync::node::{self, NodeRow};

/// Why something about a machine was not done.
#[derive(Debug, Error)]
pub enum EnrolError {
    /// No such branch.
    #[error("there is no such branch")]
    UnknownBranch,
    /// No such machine.
    #[error("there is no such machine")]
    UnknownNode,
    /// The code is not one of this hub, or was forgotten.
    #[error("the hub does not know this join code")]
    UnknownCode,
    /// The code is too old.
    #[error("this join code is older than 30 minutes; a new one is needed")]
    OldCode,
    /// Another machine used the code.
    #[error("this join code was used already; a new one is needed")]
    UsedCode,
    /// The machine may no longer speak.
    #[error("this machine was revoked")]
    Revoked,
    /// The certificate's key is not the one that was enrolled.
    #[error("this machine was enrolled with another key")]
    OtherKey,
    /// The request for a certificate, or the authority.
    #[error(transparent)]
    Certificate(#[from] CaError),
    /// The core.
    #[error(transparent)]
    Hub(#[from] HubError),
}

impl From<EnrolError> for Close {
    /// What the machine hears.
    fn from(error: EnrolError) -> Self {
        let reason = match &error {
            EnrolError::UnknownCode | EnrolError::OldCode | EnrolError::UsedCode => {
                CloseReason::JoinCode
            }
            EnrolError::Revoked => CloseReason::Revoked,
            EnrolError::UnknownNode | EnrolError::UnknownBranch => CloseReason::Held,
            EnrolError::OtherKey | EnrolError::Certificate(CaError::Request) => {
                CloseReason::Protocol
            }
            EnrolError::Hub(inner) if inner.is_transient() => CloseReason::Busy,
            EnrolError::Certificate(_) | EnrolError::Hub(_) => CloseReason::Internal,
        };
        let detail = match reason {
            CloseReason::Busy | CloseReason::Internal => {
                tracing::warn!(%error, "enrolment failed");
                "the hub cannot do this now".to_owned()
            }
            _ => error.to_string(),
        };
        Close { reason, detail }
    }
}

impl Hub {
    /// Makes a machine a node of the code's branch.
    ///
    /// # Errors
    /// When the code or the request is not good, or the database fails; the code is then as it was.
    pub async fn join(self: &Arc<Self>, ca: &Ca, join: &Join) -> Result<Grant, EnrolError> {
        Ca::check_request(&join.request, &join.public_key)?;
        let hash = JoinCode::secret_hash(&join.secret);
        let now_ms = self.env.now_ms();
        let mut tx = self.begin(Actor::SYSTEM, command::NODES).await?;
        let code = join_code::lock(tx.sql(), &hash)
            .await?
            .ok_or(EnrolError::UnknownCode)?;
        if let Some(again) = used_before(&code, &join.public_key, now_ms)? {
            let branch = locations::for_joining(tx.sql(), code.branch)
                .await?
                .ok_or(EnrolError::UnknownBranch)?;
            return Ok(self.grant(
                again.node,
                code.branch,
                branch,
                ca.chain_of(again.certificate),
            ));
        }
        let branch = locations::for_joining(tx.sql(), code.branch)
            .await?
            .ok_or(EnrolError::UnknownBranch)?;
        let former = active_node(&mut tx, code.branch).await?;
        let node = self.free_node_number(&mut tx).await?;
        let name = NodeName {
            node,
            branch: code.branch,
        };
        let chain = ca.node_chain(
            name,
            &join.public_key,
            &join.request,
            now_ms,
            &mut self.env.entropy(),
        )?;
        let certificate = chain.first().cloned().unwrap_or_default();
        let used = UsedCode {
            node,
            public_key: join.public_key,
            certificate,
        };
        join_code::use_up(tx.sql(), code.branch, &hash, &used, now_ms)
            .await
            .map_err(HubError::from)?;
        tx.fact(Item::NodeEnrolled(NodeEnrolled {
            node,
            branch: code.branch,
            public_key: join.public_key,
            former,
        }));
        tx.commit().await?;
        Ok(self.grant(node, code.branch, branch, chain))
    }

    /// Whether the machine of a certificate may speak: known, of this key and branch, not revoked.
    ///
    /// # Errors
    /// When it may not, or the database fails.
    pub async fn standing(&self, certificate: &NodeCertificate) -> Result<NodeRow, EnrolError> {
        let row = self
            .node(certificate.node())
            .await?
            .ok_or(EnrolError::UnknownNode)?;
        if row.branch != certificate.branch() || row.public_key != certificate.public_key {
            return Err(EnrolError::OtherKey);
        }
        if row.revoked.is_some() {
            return Err(EnrolError::Revoked);
        }
        Ok(row)
    }

    /// A fresh certificate for a machine that may speak; the old one may have expired (T-17).
    ///
    /// # Errors
    /// When it may not speak, the request is not of its key, or the database fails.
    pub async fn renew(
        &self,
        ca: &Ca,
        certificate: &NodeCertificate,
        renew: &Renew,
    ) -> Result<Grant, EnrolError> {
        let row = self.standing(certificate).await?;
        let mut connection = self.pool.acquire().await.map_err(HubError::from)?;
        let branch = locations::for_joining(&mut connection, row.branch)
            .await?
            .ok_or(EnrolError::UnknownBranch)?;
        drop(connection);
        let now_ms = self.env.now_ms();
        let chain = ca.node_chain(
            certificate.name,
            &row.public_key,
            &renew.request,
            now_ms,
            &mut self.env.entropy(),
        )?;
        Ok(self.grant(row.node, row.branch, branch, chain))
    }

    async fn free_node_number(&self, tx: &mut HubTx) -> Result<NodeId, EnrolError> {
        loop {
            let node = NodeId(u32::from_be_bytes(self.env.random()));
            if node != NodeId::HUB && node::find(tx.sql(), node).await?.is_none() {
                return Ok(node);
            }
        }
    }

    fn grant(
        &self,
        node: NodeId,
        branch: BranchId,
        row: JoinedBranch,
        certificates: Vec<Vec<u8>>,
    ) -> Grant {
        Grant {
            node,
            branch,
            branch_code: row.code,
            branch_name: row.name,
            time_zone: row.time_zone,
            region: row.region,
            certificates,
            hub_key: self.keys.node0.verifying_key().to_bytes(),
        }
    }
}

/// The machine that speaks for a branch now, and that a new one replaces.
async fn active_node(tx: &mut HubTx, branch: BranchId) -> Result<Option<NodeId>, HubError> {
    let nodes = node::of_branch(tx.sql(), branch).await?;
    Ok(nodes
        .into_iter()
        .find(|row| !row.closed && row.revoked.is_none())
        .map(|row| row.node))
}

/// Nothing for a code that is fresh; what it was used for when the same machine asks again.
fn used_before(
    code: &JoinCodeRow,
    public_key: &[u8; 32],
    now_ms: i64,
) -> Result<Option<UsedCode>, EnrolError> {
    if now_ms > code.expires_ms {
        return Err(EnrolError::OldCode);
    }
    match &code.used {
        None => Ok(None),
        Some(used) if used.public_key == *public_key => Ok(Some(used.clone())),
        Some(_) => Err(EnrolError::UsedCode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_for_one_key_and_for_thirty_minutes() {
        let used = UsedCode {
            node: NodeId(7),
            public_key: [1; 32],
            certificate: vec![1],
        };
        let fresh = JoinCodeRow {
            branch: BranchId::NIL,
            expires_ms: 1000,
            used: None,
        };
        let spent = JoinCodeRow {
            used: Some(used.clone()),
            ..fresh.clone()
        };
        assert!(matches!(used_before(&fresh, &[1; 32], 1000), Ok(None)));
        assert!(matches!(
            used_before(&fresh, &[1; 32], 1001),
            Err(EnrolError::OldCode)
        ));
        assert!(matches!(used_before(&spent, &[1; 32], 1000), Ok(Some(again)) if again == used));
        assert!(matches!(
            used_before(&spent, &[2; 32], 1000),
            Err(EnrolError::UsedCode)
        ));
        assert!(matches!(
            used_before(&spent, &[1; 32], 1001),
            Err(EnrolError::OldCode)
        ));
    }
}
