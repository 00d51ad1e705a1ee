//! The machines of a branch: joined by a code that is good once, revoked for good.

use std::time::Duration;

use domain::id::{BranchId, StaffId};
use domain::text::{NOTE_MAX, clean_block};
use sync_protocol::item::{Item, NodeRevoked};
use sync_protocol::join_code::JoinCode;
use sync_protocol::position::NodeId;

use super::store;
use crate::app::error::AppError;
use crate::app::session::Person;
use crate::app::{Hub, HubTx, NodeRow};
use crate::store::sync::{join_code, node};

/// How long a join code may be used.
pub const JOIN_CODE_LIFE: Duration = Duration::from_secs(30 * 60);

/// The machines of a branch, the newest first.
///
/// # Errors
/// When there is no such branch.
pub async fn machines(hub: &Hub, id: BranchId) -> Result<Vec<NodeRow>, AppError> {
    let mut connection = hub.snapshot().await?;
    if store::branch(&mut connection, Some(id), None)
        .await?
        .is_none()
    {
        return Err(AppError::NotFound { what: "branch" });
    }
    Ok(node::of_branch(&mut connection, id).await?)
}

/// What a new machine of a branch shows once.
#[derive(Debug)]
pub struct NewJoinCode {
    /// The code.
    pub code: JoinCode,
    /// Until when it may be used.
    pub expires_ms: i64,
}

/// Makes a one-use join code for a branch; `fingerprint` is that of the authority's root. Only its hash is stored.
///
/// # Errors
/// When there is no such branch.
pub async fn new_join_code(
    tx: &mut HubTx,
    id: BranchId,
    fingerprint: [u8; 16],
    staff: StaffId,
) -> Result<NewJoinCode, AppError> {
    if store::branch(tx.sql(), Some(id), None).await?.is_none() {
        return Err(AppError::NotFound { what: "branch" });
    }
    let code = JoinCode {
        secret: tx.hub().env().random(),
        fingerprint,
    };
    let created_ms = tx.at_ms();
    let life_ms = i64::try_from(JOIN_CODE_LIFE.as_millis()).unwrap_or(i64::MAX);
    let new = join_code::NewCode {
        branch: id,
        secret_hash: JoinCode::secret_hash(&code.secret),
        created_ms,
        expires_ms: created_ms.saturating_add(life_ms),
        staff,
    };
    join_code::insert(tx.sql(), &new).await?;
    Ok(NewJoinCode {
        code,
        expires_ms: new.expires_ms,
    })
}

/// Takes a machine's right to speak away; what it wrote before stays.
///
/// # Errors
/// When there is no such machine, or it is revoked already.
pub async fn revoke(
    tx: &mut HubTx,
    person: &Person,
    id: NodeId,
    reason: &str,
) -> Result<NodeRow, AppError> {
    let reason =
        clean_block(reason, NOTE_MAX).map_err(|error| AppError::field("/reason", error))?;
    let row = node::find(tx.sql(), id)
        .await?
        .ok_or(AppError::NotFound { what: "machine" })?;
    person.require_branch(row.branch)?;
    if row.revoked.is_some() {
        return Err(AppError::conflict(
            "revoked",
            "this machine was revoked already",
        ));
    }
    tx.fact(Item::NodeRevoked(NodeRevoked {
        node: id,
        reason: reason.clone(),
    }));
    Ok(NodeRow {
        revoked: Some(reason),
        ..row
    })
}
