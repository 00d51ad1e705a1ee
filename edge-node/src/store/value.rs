//! Ids, hashes and numbers as SQLite stores them: ids and hashes are blobs, unsigned numbers below 2^63 are integers.

use domain::id::{
    BranchId, DocumentId, LineId, PartId, PaymentId, ReceiptId, RefundId, SessionId, StaffId,
    TransferId, VisitId,
};
use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use sync_protocol::hash::Hash;

/// An id as a blob of sixteen bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Id<T>(pub(crate) T);

macro_rules! ids {
    ($($name:ident),+) => {$(
        impl ToSql for Id<$name> {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
            }
        }

        impl FromSql for Id<$name> {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Ok(Id($name::from_bytes(array(value)?)))
            }
        }
    )+};
}

ids!(
    BranchId, DocumentId, LineId, PartId, PaymentId, ReceiptId, RefundId, SessionId, StaffId,
    TransferId, VisitId
);

fn array<const N: usize>(value: ValueRef<'_>) -> FromSqlResult<[u8; N]> {
    let blob = value.as_blob()?;
    blob.try_into().map_err(|_| FromSqlError::InvalidBlobSize {
        expected_size: N,
        blob_size: blob.len(),
    })
}

/// Fixed bytes of a column.
pub(crate) struct Bytes<const N: usize>(pub(crate) [u8; N]);

impl<const N: usize> FromSql for Bytes<N> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        array(value).map(Bytes)
    }
}

/// A hash column.
pub(crate) fn hash(row: &Row<'_>, index: usize) -> rusqlite::Result<Hash> {
    Ok(row.get::<_, Bytes<32>>(index)?.0)
}

/// An unsigned column.
pub(crate) fn unsigned(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(index)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, number))
}

/// An unsigned number below 2^63 as a column.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Heads as one blob, 32 bytes each.
pub(crate) fn join_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}

/// Heads from one blob; `None` when its length is not a multiple of 32.
pub(crate) fn split_hashes(bytes: &[u8]) -> Option<Vec<Hash>> {
    let (chunks, rest) = bytes.as_chunks::<32>();
    rest.is_empty().then(|| chunks.to_vec())
}

/// An id made of what it is about: first half of a hash as UUID version 8 (RFC 9562).
pub(crate) fn derived_id(parts: &[&[u8]]) -> [u8; 16] {
    let hash = sync_protocol::hash::sha256(&parts.concat());
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    id[6] = (id[6] & 0x0f) | 0x80;
    id[8] = (id[8] & 0x3f) | 0x80;
    id
}
