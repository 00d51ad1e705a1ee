//! Ids as the database has them.
//!
//! Ids are `uuid` columns, nodes and epochs `bigint`. Nothing here ever changes a byte of an id.

use domain::id::{
    BranchId, CorrectionId, DocumentId, LineId, PartId, PaymentId, PresetId, ReceiptId, RefundId,
    RepaymentId, SessionId, StaffId, TransferId,
};
use sqlx::types::Uuid;
use sync_protocol::hash::Hash;
use sync_protocol::position::{Epoch, NodeId, Position, Tip};

use crate::error::HubError;

/// An id that is stored as `uuid`.
pub trait AsUuid: Copy {
    /// The column's value.
    fn uuid(self) -> Uuid;
}

/// An id that is read from `uuid`.
pub trait OfUuid: Sized {
    /// The id in the column.
    fn of_uuid(uuid: Uuid) -> Self;
}

macro_rules! ids {
    ($($id:ident),+) => {$(
        impl AsUuid for $id {
            fn uuid(self) -> Uuid {
                Uuid::from_bytes(*self.as_bytes())
            }
        }
        impl OfUuid for $id {
            fn of_uuid(uuid: Uuid) -> Self {
                $id::from_bytes(uuid.into_bytes())
            }
        }
    )+};
}

ids!(
    BranchId,
    CorrectionId,
    DocumentId,
    LineId,
    PartId,
    PaymentId,
    PresetId,
    ReceiptId,
    RefundId,
    RepaymentId,
    SessionId,
    StaffId,
    TransferId
);

impl AsUuid for [u8; 16] {
    fn uuid(self) -> Uuid {
        Uuid::from_bytes(self)
    }
}

/// A node's column value.
pub fn node_number(node: NodeId) -> i64 {
    i64::from(node.0)
}

/// The node in a column.
pub fn node_of(number: i64) -> Result<NodeId, HubError> {
    u32::try_from(number)
        .map(NodeId)
        .map_err(|_| HubError::Row("a node number outside 32 bits"))
}

/// A number of the log as its column's value; numbers stay below 2^63 by the protocol.
pub fn big(number: u64) -> i64 {
    number.cast_signed()
}

/// The number in a column.
pub fn unsigned(number: i64) -> u64 {
    number.cast_unsigned()
}

/// A hash from a column.
pub fn hash_of(bytes: &[u8]) -> Result<Hash, HubError> {
    bytes
        .try_into()
        .map_err(|_| HubError::Row("a hash that is not 32 bytes"))
}

/// A tip from its columns.
pub fn tip_of(epoch: i64, seq: i64, hash: &[u8]) -> Result<Tip, HubError> {
    Ok(Tip {
        epoch: Epoch(unsigned(epoch)),
        seq: unsigned(seq),
        hash: hash_of(hash)?,
    })
}

/// A position from its columns.
pub fn position_of(node: i64, epoch: i64, seq: i64) -> Result<Position, HubError> {
    Ok(Position {
        node: node_of(node)?,
        epoch: Epoch(unsigned(epoch)),
        seq: unsigned(seq),
    })
}
