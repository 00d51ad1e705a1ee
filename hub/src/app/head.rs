//! Signed heads: held against the hub's copy of the log and the ledger, kept, and countersigned (INV-5b, INV-9).

use domain::id::BranchId;
use sync_protocol::hash::Hash;
use sync_protocol::head::{Countersignature, SignedHead, stock_digest};
use sync_protocol::position::NodeId;

use super::Hub;
use crate::error::HubError;
use crate::store::audit;
use crate::store::inventory::ledger;
use crate::store::sync::node::NodeRow;
use crate::store::sync::{log, node};

impl Hub {
    /// Checks a head that `node` sent. Countersigned only when signature, chain and stock are what the hub has; what
    /// differs is kept without countersignature and an incident.
    pub async fn check_head(
        &self,
        node: NodeId,
        head: &SignedHead,
    ) -> Result<Option<Countersignature>, HubError> {
        let mut connection = self.pool.acquire().await?;
        let Some(row) = node::find(&mut connection, node).await? else {
            return Ok(None);
        };
        drop(connection);
        if head.claim.node != node || !head.verify(&row.public_key) {
            self.incident(
                Some(row.branch),
                "signed_head",
                "a head that the machine did not sign",
            )
            .await?;
            return Ok(None);
        }
        if head.claim.tip.seq > row.tip.seq {
            return Ok(None);
        }
        let difference = self.difference(&row, head).await?;
        let countersignature = difference
            .is_none()
            .then(|| head.countersign(&self.keys.node0));
        let mut connection = self.pool.acquire().await?;
        let now_ms = self.env.now_ms();
        audit::insert_head(
            &mut connection,
            row.branch,
            head,
            countersignature.as_ref(),
            now_ms,
        )
        .await?;
        drop(connection);
        if let Some(detail) = difference {
            self.incident(Some(row.branch), "signed_head", detail)
                .await?;
        }
        Ok(countersignature)
    }

    async fn difference(
        &self,
        row: &NodeRow,
        head: &SignedHead,
    ) -> Result<Option<&'static str>, HubError> {
        let tip = head.claim.tip;
        let hash = if tip.seq == row.tip.seq && tip.epoch == row.tip.epoch {
            Some(row.tip.hash)
        } else {
            self.hash_at(row.branch, row.node, head).await?
        };
        if hash != Some(tip.hash) {
            return Ok(Some("the machine signed another log than the hub has"));
        }
        let mut connection = self.pool.acquire().await?;
        let balances = ledger::balances_at(&mut connection, row.branch, row.node, tip.seq).await?;
        let is_same = stock_digest(balances) == head.claim.stock;
        Ok((!is_same)
            .then_some("the machine counts other stock than the hub does at the same position"))
    }

    /// The chain hash behind the entry that a head names.
    async fn hash_at(
        &self,
        branch: BranchId,
        node: NodeId,
        head: &SignedHead,
    ) -> Result<Option<Hash>, HubError> {
        let tip = head.claim.tip;
        let mut connection = self.pool.acquire().await?;
        let blocks =
            log::blocks_between(&mut connection, node, branch, tip.epoch, tip.seq, tip.seq).await?;
        for block in blocks {
            let entries = block.open()?.entries();
            if let Some(entry) = entries
                .into_iter()
                .find(|entry| entry.position.seq == tip.seq)
            {
                return Ok(Some(entry.hash));
            }
        }
        Ok(None)
    }
}
