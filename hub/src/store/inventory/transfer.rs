//! Transfers and the records whose fold they are.

use domain::id::{BranchId, StaffId, TransferId};
use domain::transfer::{TransferFold, TransferRecord};
use sqlx::PgConnection;
use sqlx::types::Uuid;
use sync_protocol::item::{Item, kind};
use sync_protocol::position::Position;

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, big, node_number};

/// A record about a transfer.
#[derive(Debug, Clone)]
pub struct RecordWrite {
    /// The transfer.
    pub transfer: TransferId,
    /// Where its transaction stands in the apply order.
    pub ord: i64,
    /// The transaction.
    pub position: Position,
    /// The item.
    pub item: u16,
    /// The item's kind.
    pub kind: u16,
    /// The item's body.
    pub body: Vec<u8>,
    /// Who.
    pub staff: StaffId,
    /// When, as the writer saw it.
    pub at_ms: i64,
}

/// Adds records.
pub async fn insert_records(
    connection: &mut PgConnection,
    rows: &[RecordWrite],
) -> Result<(), sqlx::Error> {
    for row in rows {
        sqlx::query("insert into inventory.transfer_record values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
            .bind(row.transfer.uuid())
            .bind(row.ord)
            .bind(node_number(row.position.node))
            .bind(big(row.position.epoch.0))
            .bind(big(row.position.seq))
            .bind(i32::from(row.item))
            .bind(i32::from(row.kind))
            .bind(&row.body)
            .bind(row.staff.uuid())
            .bind(row.at_ms)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// The records of these transfers in the order in which they were accepted.
pub async fn records(
    connection: &mut PgConnection,
    transfers: &[TransferId],
) -> Result<Vec<(TransferId, TransferRecord)>, HubError> {
    let rows: Vec<(Uuid, i32, Vec<u8>)> = sqlx::query_as(
        "select transfer, kind, body from inventory.transfer_record where transfer = any($1)
         order by transfer, ord, seq, item",
    )
    .bind(
        transfers
            .iter()
            .map(|transfer| transfer.uuid())
            .collect::<Vec<_>>(),
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(transfer, kind, body)| {
            let kind =
                u16::try_from(kind).map_err(|_| HubError::Row("an item kind outside 16 bits"))?;
            let record = record_of(Item::decode(kind, &body)?)
                .ok_or(HubError::Row("not a record of a transfer"))?;
            Ok((TransferId::of_uuid(transfer), record))
        })
        .collect()
}

/// A record with who made it and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordStep {
    /// The transfer.
    pub transfer: TransferId,
    /// What it says.
    pub record: TransferRecord,
    /// Who; nil for the system.
    pub staff: StaffId,
    /// When, as the writer saw it.
    pub at_ms: i64,
}

/// The records of these transfers in the order in which they were accepted, each with its writer.
pub async fn steps(
    connection: &mut PgConnection,
    transfers: &[TransferId],
) -> Result<Vec<RecordStep>, HubError> {
    let rows: Vec<(Uuid, i32, Vec<u8>, Uuid, i64)> = sqlx::query_as(
        "select transfer, kind, body, staff, at_ms from inventory.transfer_record where transfer = any($1)
         order by transfer, ord, seq, item",
    )
    .bind(
        transfers
            .iter()
            .map(|transfer| transfer.uuid())
            .collect::<Vec<_>>(),
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(transfer, kind, body, staff, at_ms)| {
            let kind =
                u16::try_from(kind).map_err(|_| HubError::Row("an item kind outside 16 bits"))?;
            Ok(RecordStep {
                transfer: TransferId::of_uuid(transfer),
                record: record_of(Item::decode(kind, &body)?)
                    .ok_or(HubError::Row("not a record of a transfer"))?,
                staff: StaffId::of_uuid(staff),
                at_ms,
            })
        })
        .collect()
}

/// The record that an item is.
pub fn record_of(item: Item) -> Option<TransferRecord> {
    match item {
        Item::TransferRequest(request) => Some(TransferRecord::Request(request)),
        Item::Plan(plan) => Some(TransferRecord::Plan(plan)),
        Item::Shipment(shipment) => Some(TransferRecord::Shipment(shipment)),
        Item::Arrival(arrival) => Some(TransferRecord::Arrival(arrival)),
        Item::Movement(movement) => Some(TransferRecord::Movement(movement)),
        _ => None,
    }
}

/// Whether items of this kind are records of transfers by themselves.
pub fn is_record(kind: u16) -> bool {
    matches!(
        kind,
        kind::TRANSFER_REQUEST | kind::PLAN | kind::SHIPMENT | kind::ARRIVAL
    )
}

/// Where a transfer stands.
#[derive(Debug, Clone)]
pub struct TransferWrite {
    /// The transfer.
    pub transfer: TransferId,
    /// The fold over its records.
    pub fold: TransferFold,
    /// The time of the first record that is added here.
    pub first_ms: i64,
    /// The time of the last one.
    pub last_ms: i64,
}

/// Writes transfers, new and changed.
pub async fn save(
    connection: &mut PgConnection,
    rows: &[TransferWrite],
) -> Result<(), sqlx::Error> {
    for row in rows {
        sqlx::query(
            "insert into inventory.transfer values ($1, $2, $3, $4, $5, $6)
             on conflict (transfer) do update set from_branch = excluded.from_branch,
                to_branch = excluded.to_branch, state = excluded.state, updated_ms = excluded.updated_ms",
        )
        .bind(row.transfer.uuid())
        .bind(row.fold.from.uuid())
        .bind(row.fold.to.uuid())
        .bind(row.fold.state.as_str())
        .bind(row.first_ms)
        .bind(row.last_ms)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// The ends of a transfer, if it is known.
pub async fn ends(
    connection: &mut PgConnection,
    transfer: TransferId,
) -> Result<Option<(BranchId, BranchId)>, sqlx::Error> {
    let row: Option<(Uuid, Uuid)> =
        sqlx::query_as("select from_branch, to_branch from inventory.transfer where transfer = $1")
            .bind(transfer.uuid())
            .fetch_optional(connection)
            .await?;
    Ok(row.map(|(from, to)| (BranchId::of_uuid(from), BranchId::of_uuid(to))))
}
