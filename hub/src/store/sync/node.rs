//! Nodes, their tips and epochs, the hub's own lines, cursors, incidents.

use domain::id::BranchId;
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};
use sync_protocol::feed::{Cursor, FeedKind};
use sync_protocol::line::LineageRow;
use sync_protocol::position::{Epoch, NodeId, Tip};

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, big, hash_of, node_number, node_of, tip_of, unsigned};

/// A machine that speaks for a branch, as the hub knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    /// The machine.
    pub node: NodeId,
    /// Its branch.
    pub branch: BranchId,
    /// Its Ed25519 public key.
    pub public_key: [u8; 32],
    /// The machine that it replaced.
    pub former: Option<NodeId>,
    /// When it was enrolled.
    pub enrolled_ms: i64,
    /// Why it may no longer speak.
    pub revoked: Option<String>,
    /// Another machine took its place.
    pub closed: bool,
    /// Number of its newest session.
    pub session: u64,
    /// The hub's tip of its log.
    pub tip: Tip,
    /// Everything up to here had its effects.
    pub applied: u64,
    /// When it was last heard.
    pub last_contact_ms: Option<i64>,
    /// Where its log ended when it last said Hello.
    pub hello_tip_seq: u64,
    /// Its program's version, as it says.
    pub version: String,
}

#[derive(FromRow)]
struct Raw {
    branch_id: Uuid,
    node: i64,
    public_key: Vec<u8>,
    former: Option<i64>,
    enrolled_ms: i64,
    revoked_reason: Option<String>,
    closed: bool,
    tip_epoch: i64,
    tip_seq: i64,
    tip_hash: Vec<u8>,
    applied: i64,
    session: i64,
    last_contact_ms: Option<i64>,
    hello_tip_seq: i64,
    version: String,
}

impl Raw {
    fn typed(self) -> Result<NodeRow, HubError> {
        Ok(NodeRow {
            node: node_of(self.node)?,
            branch: BranchId::of_uuid(self.branch_id),
            public_key: hash_of(&self.public_key)?,
            former: self.former.map(node_of).transpose()?,
            enrolled_ms: self.enrolled_ms,
            revoked: self.revoked_reason,
            closed: self.closed,
            session: unsigned(self.session),
            tip: tip_of(self.tip_epoch, self.tip_seq, &self.tip_hash)?,
            applied: unsigned(self.applied),
            last_contact_ms: self.last_contact_ms,
            hello_tip_seq: unsigned(self.hello_tip_seq),
            version: self.version,
        })
    }
}

fn typed(rows: Vec<Raw>) -> Result<Vec<NodeRow>, HubError> {
    rows.into_iter().map(Raw::typed).collect()
}

/// Locks these nodes, in the order of branch and number.
pub async fn lock(
    connection: &mut PgConnection,
    nodes: &[NodeId],
) -> Result<Vec<NodeRow>, HubError> {
    let numbers: Vec<i64> = nodes.iter().copied().map(node_number).collect();
    let rows = sqlx::query_as(
        "select * from sync.node where node = any($1) order by branch_id, node for update",
    )
    .bind(numbers)
    .fetch_all(connection)
    .await?;
    typed(rows)
}

/// One node.
pub async fn find(
    connection: &mut PgConnection,
    node: NodeId,
) -> Result<Option<NodeRow>, HubError> {
    let row: Option<Raw> = sqlx::query_as("select * from sync.node where node = $1")
        .bind(node_number(node))
        .fetch_optional(connection)
        .await?;
    row.map(Raw::typed).transpose()
}

/// The nodes of a branch, the newest first.
pub async fn of_branch(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<Vec<NodeRow>, HubError> {
    let rows = sqlx::query_as(
        "select * from sync.node where branch_id = $1 order by enrolled_ms desc, node",
    )
    .bind(branch.uuid())
    .fetch_all(connection)
    .await?;
    typed(rows)
}

/// All nodes by branch.
pub async fn all(connection: &mut PgConnection) -> Result<Vec<NodeRow>, HubError> {
    let rows = sqlx::query_as("select * from sync.node order by branch_id, node")
        .fetch_all(connection)
        .await?;
    typed(rows)
}

/// Raises the session number of a node that is not revoked and keeps what its Hello says of it.
pub async fn raise_session(
    connection: &mut PgConnection,
    node: NodeId,
    hello_tip_seq: u64,
    version: &str,
    now_ms: i64,
) -> Result<Option<NodeRow>, HubError> {
    let row: Option<Raw> = sqlx::query_as(
        "update sync.node set session = session + 1, hello_tip_seq = $2, version = $3, last_contact_ms = $4
         where node = $1 and revoked_reason is null returning *",
    )
    .bind(node_number(node))
    .bind(big(hello_tip_seq))
    .bind(version)
    .bind(now_ms)
    .fetch_optional(connection)
    .await?;
    row.map(Raw::typed).transpose()
}

/// Remembers when a node was last heard.
pub async fn set_contact(
    connection: &mut PgConnection,
    node: NodeId,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("update sync.node set last_contact_ms = $2 where node = $1")
        .bind(node_number(node))
        .bind(now_ms)
        .execute(connection)
        .await?;
    Ok(())
}

/// A node that was enrolled.
#[derive(Debug, Clone)]
pub struct Enrolled {
    /// The machine.
    pub node: NodeId,
    /// Its branch.
    pub branch: BranchId,
    /// Its key.
    pub public_key: [u8; 32],
    /// The machine that it replaces.
    pub former: Option<NodeId>,
    /// When.
    pub at_ms: i64,
    /// `h(0)` of its log.
    pub start: [u8; 32],
}

/// Adds a node; its former one is closed.
pub async fn enrol(connection: &mut PgConnection, row: &Enrolled) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into sync.node (branch_id, node, public_key, former, enrolled_ms, tip_hash)
         values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
    )
    .bind(row.branch.uuid())
    .bind(node_number(row.node))
    .bind(&row.public_key[..])
    .bind(row.former.map(node_number))
    .bind(row.at_ms)
    .bind(&row.start[..])
    .execute(&mut *connection)
    .await?;
    match row.former {
        Some(former) => close(connection, former).await,
        None => Ok(()),
    }
}

/// Says that a node may no longer speak.
pub async fn revoke(
    connection: &mut PgConnection,
    node: NodeId,
    reason: &str,
    at_ms: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("update sync.node set revoked_reason = $2, revoked_ms = $3 where node = $1 and revoked_reason is null")
        .bind(node_number(node))
        .bind(reason)
        .bind(at_ms)
        .execute(connection)
        .await?;
    Ok(())
}

/// Says that a node's line grows no more.
pub async fn close(connection: &mut PgConnection, node: NodeId) -> Result<(), sqlx::Error> {
    sqlx::query("update sync.node set closed = true where node = $1")
        .bind(node_number(node))
        .execute(connection)
        .await?;
    Ok(())
}

/// Moves the tips of nodes, which have had all effects up to there.
pub async fn save_tips(
    connection: &mut PgConnection,
    tips: &[(NodeId, Tip)],
) -> Result<(), sqlx::Error> {
    if tips.is_empty() {
        return Ok(());
    }
    let nodes: Vec<i64> = tips.iter().map(|(node, _)| node_number(*node)).collect();
    let epochs: Vec<i64> = tips.iter().map(|(_, tip)| big(tip.epoch.0)).collect();
    let seqs: Vec<i64> = tips.iter().map(|(_, tip)| big(tip.seq)).collect();
    let hashes: Vec<Vec<u8>> = tips.iter().map(|(_, tip)| tip.hash.to_vec()).collect();
    sqlx::query(
        "update sync.node n set tip_epoch = t.epoch, tip_seq = t.seq, tip_hash = t.hash, applied = t.seq
         from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[]) as t (node, epoch, seq, hash)
         where n.node = t.node",
    )
    .bind(nodes)
    .bind(epochs)
    .bind(seqs)
    .bind(hashes)
    .execute(connection)
    .await?;
    Ok(())
}

/// An epoch of a node with its parent link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochRow {
    /// The node's branch; nil for the hub.
    pub branch: BranchId,
    /// The node.
    pub node: NodeId,
    /// Epoch and parent.
    pub row: LineageRow,
}

/// Adds epochs.
pub async fn insert_lineage(
    connection: &mut PgConnection,
    rows: &[EpochRow],
) -> Result<(), sqlx::Error> {
    for row in rows {
        sqlx::query("insert into sync.lineage values ($1, $2, $3, $4, $5, $6)")
            .bind(row.branch.uuid())
            .bind(node_number(row.node))
            .bind(big(row.row.epoch.0))
            .bind(big(row.row.parent.epoch.0))
            .bind(big(row.row.parent.seq))
            .bind(&row.row.parent.hash[..])
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// The epochs of these nodes, oldest first.
pub async fn lineage(
    connection: &mut PgConnection,
    nodes: &[NodeId],
) -> Result<Vec<(NodeId, LineageRow)>, HubError> {
    let numbers: Vec<i64> = nodes.iter().copied().map(node_number).collect();
    let rows: Vec<(i64, i64, i64, i64, Vec<u8>)> = sqlx::query_as(
        "select node, epoch, parent_epoch, parent_seq, parent_hash from sync.lineage
         where node = any($1) order by node, parent_seq",
    )
    .bind(numbers)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(node, epoch, parent_epoch, parent_seq, parent_hash)| {
            let parent = tip_of(parent_epoch, parent_seq, &parent_hash)?;
            Ok((
                node_of(node)?,
                LineageRow {
                    epoch: Epoch(unsigned(epoch)),
                    parent,
                },
            ))
        })
        .collect()
}

/// Every line of node 0 with its tip, by epoch.
pub async fn hub_lines(connection: &mut PgConnection) -> Result<Vec<Tip>, HubError> {
    let rows: Vec<(i64, i64, Vec<u8>)> =
        sqlx::query_as("select epoch, tip_seq, tip_hash from sync.hub_line order by epoch")
            .fetch_all(connection)
            .await?;
    rows.into_iter()
        .map(|(epoch, seq, hash)| tip_of(epoch, seq, &hash))
        .collect()
}

/// Moves the tip of a line of node 0.
pub async fn save_hub_line(connection: &mut PgConnection, tip: Tip) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into sync.hub_line values ($1, $2, $3)
         on conflict (epoch) do update set tip_seq = excluded.tip_seq, tip_hash = excluded.tip_hash",
    )
    .bind(big(tip.epoch.0))
    .bind(big(tip.seq))
    .bind(&tip.hash[..])
    .execute(connection)
    .await?;
    Ok(())
}

/// Remembers how far a node has applied its feeds; a cursor never goes back here.
pub async fn save_cursors(
    connection: &mut PgConnection,
    branch: BranchId,
    node: NodeId,
    cursors: &[Cursor],
) -> Result<(), sqlx::Error> {
    let kinds: Vec<i16> = cursors
        .iter()
        .map(|cursor| i16::from(cursor.kind as u8))
        .collect();
    let numbers: Vec<i64> = cursors.iter().map(|cursor| big(cursor.n)).collect();
    let checks: Vec<Vec<u8>> = cursors.iter().map(|cursor| cursor.check.to_vec()).collect();
    sqlx::query(
        "insert into sync.cursor select $1, $2, t.kind, t.n, t.check_bytes
         from unnest($3::smallint[], $4::bigint[], $5::bytea[]) as t (kind, n, check_bytes)
         on conflict (branch_id, node, feed_kind)
         do update set n = excluded.n, check_bytes = excluded.check_bytes where excluded.n > cursor.n",
    )
    .bind(branch.uuid())
    .bind(node_number(node))
    .bind(kinds)
    .bind(numbers)
    .bind(checks)
    .execute(connection)
    .await?;
    Ok(())
}

/// How far these nodes have applied their feeds.
pub async fn cursors(connection: &mut PgConnection) -> Result<Vec<(NodeId, Cursor)>, HubError> {
    let rows: Vec<(i64, i16, i64, Vec<u8>)> = sqlx::query_as(
        "select node, feed_kind, n, check_bytes from sync.cursor order by node, feed_kind",
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(node, kind, n, check)| {
            let kind =
                u8::try_from(kind).map_err(|_| HubError::Row("a feed kind outside 8 bits"))?;
            let check = check
                .as_slice()
                .try_into()
                .map_err(|_| HubError::Row("a cursor check of another length"))?;
            Ok((
                node_of(node)?,
                Cursor {
                    kind: FeedKind::from_number(kind)?,
                    n: unsigned(n),
                    check,
                },
            ))
        })
        .collect()
}

/// Records something that an operator should look at.
pub async fn insert_incident(
    connection: &mut PgConnection,
    branch: BranchId,
    id: [u8; 16],
    at_ms: i64,
    kind: &str,
    detail: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("insert into sync.incident values ($1, $2, $3, $4, $5)")
        .bind(branch.uuid())
        .bind(id.uuid())
        .bind(at_ms)
        .bind(kind)
        .bind(detail)
        .execute(connection)
        .await?;
    Ok(())
}
