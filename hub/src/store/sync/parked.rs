//! What is kept and not applied, until people decide.

use std::collections::BTreeSet;

use domain::id::{BranchId, DocumentId, StaffId};
use sqlx::PgConnection;
use sqlx::types::Uuid;
use sync_protocol::position::Position;

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, big, node_number, position_of};

/// Stands for all changes of a transaction in [`ParkedRow::item`].
pub const ALL_CHANGES: i32 = -1;
/// Stands for the whole transaction in [`ParkedRow::item`].
pub const WHOLE: i32 = -2;

/// Something parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedRow {
    /// Whose.
    pub branch: BranchId,
    /// Which transaction.
    pub position: Position,
    /// Which item, or [`ALL_CHANGES`] or [`WHOLE`].
    pub item: i32,
    /// Its id in the API.
    pub id: [u8; 16],
    /// The item's kind.
    pub kind: u16,
    /// Why, for people.
    pub reason: String,
    /// Who wrote it.
    pub staff: StaffId,
    /// When, as the branch saw it.
    pub at_ms: i64,
    /// The document of which a change was not here that these hang on.
    pub lacks_in: Option<DocumentId>,
}

/// Adds parked rows.
pub async fn insert(connection: &mut PgConnection, rows: &[ParkedRow]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let uuids = |field: fn(&ParkedRow) -> Uuid| rows.iter().map(field).collect::<Vec<Uuid>>();
    let numbers = |field: fn(&ParkedRow) -> i64| rows.iter().map(field).collect::<Vec<i64>>();
    sqlx::query(
        "insert into sync.parked (branch_id, node, epoch, seq, item, id, kind, reason, staff, at_ms, lacks_in, state)
         select t.*, 1 from unnest(
            $1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[], $6::uuid[], $7::integer[],
            $8::text[], $9::uuid[], $10::bigint[], $11::uuid[]) as t",
    )
    .bind(uuids(|row| row.branch.uuid()))
    .bind(numbers(|row| node_number(row.position.node)))
    .bind(numbers(|row| big(row.position.epoch.0)))
    .bind(numbers(|row| big(row.position.seq)))
    .bind(rows.iter().map(|row| row.item).collect::<Vec<_>>())
    .bind(uuids(|row| row.id.uuid()))
    .bind(rows.iter().map(|row| i32::from(row.kind)).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.reason.replace('\0', " ")).collect::<Vec<_>>())
    .bind(uuids(|row| row.staff.uuid()))
    .bind(numbers(|row| row.at_ms))
    .bind(rows.iter().map(|row| row.lacks_in.map(AsUuid::uuid)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Something parked that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRow {
    /// Whose.
    pub branch: BranchId,
    /// Which transaction.
    pub position: Position,
    /// Which item, or [`ALL_CHANGES`] or [`WHOLE`].
    pub item: i32,
    /// 1 parked, 2 released, 3 dropped.
    pub state: i16,
}

type RawOpen = (Uuid, i64, i64, i64, i32, i16);

fn open_of((branch, node, epoch, seq, item, state): RawOpen) -> Result<OpenRow, HubError> {
    Ok(OpenRow {
        branch: BranchId::of_uuid(branch),
        position: position_of(node, epoch, seq)?,
        item,
        state,
    })
}

/// What is parked under an id of the API.
pub async fn by_id(
    connection: &mut PgConnection,
    id: [u8; 16],
) -> Result<Option<OpenRow>, HubError> {
    let row: Option<RawOpen> = sqlx::query_as(
        "select branch_id, node, epoch, seq, item, state from sync.parked where id = $1",
    )
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(open_of).transpose()
}

/// Changes of a transaction that are parked because something is lacking that they hang on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LackingRow {
    /// Which transaction.
    pub position: Position,
    /// Its id in the API.
    pub id: [u8; 16],
}

/// What waits for a change that is lacking, of these documents or of all, the oldest first.
pub async fn lacking(
    connection: &mut PgConnection,
    documents: Option<&BTreeSet<DocumentId>>,
    limit: i64,
) -> Result<Vec<LackingRow>, HubError> {
    let documents: Option<Vec<Uuid>> =
        documents.map(|documents| documents.iter().map(|id| id.uuid()).collect());
    let rows: Vec<(i64, i64, i64, Uuid)> = sqlx::query_as(
        "select node, epoch, seq, id from sync.parked
         where state = 1 and lacks_in is not null and ($1::uuid[] is null or lacks_in = any($1))
         order by at_ms, node, epoch, seq limit $2",
    )
    .bind(documents)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(node, epoch, seq, id)| {
            Ok(LackingRow {
                position: position_of(node, epoch, seq)?,
                id: id.into_bytes(),
            })
        })
        .collect()
}

/// What of a transaction waits for a decision.
pub async fn open_at(
    connection: &mut PgConnection,
    position: Position,
) -> Result<Vec<OpenRow>, HubError> {
    let rows: Vec<RawOpen> = sqlx::query_as(
        "select branch_id, node, epoch, seq, item, state from sync.parked
         where node = $1 and epoch = $2 and seq = $3 and state = 1 order by item",
    )
    .bind(node_number(position.node))
    .bind(big(position.epoch.0))
    .bind(big(position.seq))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(open_of).collect()
}

/// Says what became of something parked: 2 released, 3 dropped.
pub async fn set_state(
    connection: &mut PgConnection,
    position: Position,
    item: i32,
    state: i16,
) -> Result<(), sqlx::Error> {
    sqlx::query("update sync.parked set state = $5 where node = $1 and epoch = $2 and seq = $3 and item = $4")
        .bind(node_number(position.node))
        .bind(big(position.epoch.0))
        .bind(big(position.seq))
        .bind(item)
        .bind(state)
        .execute(connection)
        .await?;
    Ok(())
}
