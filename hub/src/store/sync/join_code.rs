//! Join codes: hashes of their secrets, for whom they are good, and what they were used for.

use domain::id::{BranchId, StaffId};
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};
use sync_protocol::hash::Hash;
use sync_protocol::position::NodeId;

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, hash_of, node_number, node_of};

/// Codes are kept so long after they expired, in milliseconds, so that a late machine hears that its code is old.
const FORGOTTEN_AFTER_MS: i64 = 24 * 60 * 60 * 1000;

/// A join code as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinCodeRow {
    /// The branch that a machine joins with it.
    pub branch: BranchId,
    /// Until when it is good, milliseconds since 1970.
    pub expires_ms: i64,
    /// What it was used for.
    pub used: Option<UsedCode>,
}

/// The machine that a code made a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedCode {
    /// The node.
    pub node: NodeId,
    /// Its key.
    pub public_key: [u8; 32],
    /// Its certificate, DER.
    pub certificate: Vec<u8>,
}

#[derive(FromRow)]
struct Raw {
    branch_id: Uuid,
    expires_ms: i64,
    node: Option<i64>,
    public_key: Option<Vec<u8>>,
    certificate: Option<Vec<u8>>,
}

impl Raw {
    fn typed(self) -> Result<JoinCodeRow, HubError> {
        let used = match (self.node, self.public_key, self.certificate) {
            (Some(node), Some(key), Some(certificate)) => Some(UsedCode {
                node: node_of(node)?,
                public_key: hash_of(&key)?,
                certificate,
            }),
            _ => None,
        };
        Ok(JoinCodeRow {
            branch: BranchId::of_uuid(self.branch_id),
            expires_ms: self.expires_ms,
            used,
        })
    }
}

/// A code to be stored; the secret itself never is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCode {
    /// The branch that a machine joins with it.
    pub branch: BranchId,
    /// SHA-256 of the secret.
    pub secret_hash: Hash,
    /// When it was made, milliseconds since 1970.
    pub created_ms: i64,
    /// Until when it is good.
    pub expires_ms: i64,
    /// Who made it.
    pub staff: StaffId,
}

/// Adds a code and forgets those of the branch that expired a day ago and more.
pub async fn insert(connection: &mut PgConnection, code: &NewCode) -> Result<(), sqlx::Error> {
    sqlx::query("delete from sync.join_code where branch_id = $1 and expires_ms < $2")
        .bind(code.branch.uuid())
        .bind(code.created_ms - FORGOTTEN_AFTER_MS)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "insert into sync.join_code (branch_id, secret_hash, made_by, made_ms, expires_ms) values ($1, $2, $3, $4, $5)",
    )
    .bind(code.branch.uuid())
    .bind(&code.secret_hash[..])
    .bind(code.staff.uuid())
    .bind(code.created_ms)
    .bind(code.expires_ms)
    .execute(connection)
    .await?;
    Ok(())
}

/// Finds a code by its secret's hash and locks it.
pub async fn lock(
    connection: &mut PgConnection,
    secret_hash: &Hash,
) -> Result<Option<JoinCodeRow>, HubError> {
    let row: Option<Raw> = sqlx::query_as(
        "select branch_id, expires_ms, node, public_key, certificate from sync.join_code
         where secret_hash = $1 for update",
    )
    .bind(&secret_hash[..])
    .fetch_optional(connection)
    .await?;
    row.map(Raw::typed).transpose()
}

/// Uses a code up.
pub async fn use_up(
    connection: &mut PgConnection,
    branch: BranchId,
    secret_hash: &Hash,
    used: &UsedCode,
    at_ms: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update sync.join_code set used_ms = $3, node = $4, public_key = $5, certificate = $6
         where branch_id = $1 and secret_hash = $2 and used_ms is null",
    )
    .bind(branch.uuid())
    .bind(&secret_hash[..])
    .bind(at_ms)
    .bind(node_number(used.node))
    .bind(&used.public_key[..])
    .bind(&used.certificate)
    .execute(connection)
    .await?;
    Ok(())
}
