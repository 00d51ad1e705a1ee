//! Documents of a branch that a night looks at one by one.

use domain::id::{BranchId, DocumentId};
use sqlx::PgConnection;
use sqlx::types::Uuid;

use crate::store::ids::{AsUuid, OfUuid};

/// A document with its heads and its hash as they stand.
#[derive(Debug, Clone)]
pub struct HeadsRow {
    /// The document.
    pub document: DocumentId,
    /// Its heads, one behind the other.
    pub heads: Vec<u8>,
    /// Its hash.
    pub hash: Vec<u8>,
}

/// Documents of a branch that changed since `since_ms`, and one of 30 of the others, another choice each day.
pub async fn sample(
    connection: &mut PgConnection,
    branch: BranchId,
    since_ms: i64,
    day: i32,
    limit: i64,
) -> Result<Vec<HeadsRow>, sqlx::Error> {
    let rows: Vec<(Uuid, Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "select d.document, d.heads, d.hash from sync.interest i join sync.document d on d.document = i.document
         where i.branch_id = $1 and (d.updated_ms >= $2 or mod(abs(hashtextextended(d.document::text, 0) % 30), 30) = $3)
         order by d.updated_ms desc, d.document limit $4",
    )
    .bind(branch.uuid())
    .bind(since_ms)
    .bind(i64::from(day.rem_euclid(30)))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(document, heads, hash)| HeadsRow {
            document: DocumentId::of_uuid(document),
            heads,
            hash,
        })
        .collect())
}
