//! Documents and who is interested in them.

use domain::id::{BranchId, DocumentId};
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};
use sync_protocol::hash::Hash;

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, hash_of};

/// A document's row without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentHead {
    /// The branch that it belongs to.
    pub branch: BranchId,
    /// The document.
    pub document: DocumentId,
    /// Its kind.
    pub kind: i16,
    /// How many changes it has.
    pub version: i64,
    /// Its document hash.
    pub hash: Hash,
    /// When it began.
    pub created_ms: i64,
    /// The newest time of its changes.
    pub updated_ms: i64,
}

type RawHead = (Uuid, Uuid, i16, i64, Vec<u8>, i64, i64);

fn head(
    (branch, document, kind, version, hash, created_ms, updated_ms): RawHead,
) -> Result<DocumentHead, HubError> {
    Ok(DocumentHead {
        branch: BranchId::of_uuid(branch),
        document: DocumentId::of_uuid(document),
        kind,
        version,
        hash: hash_of(&hash)?,
        created_ms,
        updated_ms,
    })
}

fn uuids(documents: &[DocumentId]) -> Vec<Uuid> {
    documents.iter().map(|document| document.uuid()).collect()
}

/// Locks these documents, in the order of their ids.
pub async fn lock(
    connection: &mut PgConnection,
    documents: &[DocumentId],
) -> Result<Vec<DocumentHead>, HubError> {
    let rows: Vec<RawHead> = sqlx::query_as(
        "select branch_id, document, kind, version, hash, created_ms, updated_ms from sync.document
         where document = any($1) order by document for update",
    )
    .bind(uuids(documents))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(head).collect()
}

/// Reads one document's row without a lock.
pub async fn find(
    connection: &mut PgConnection,
    document: DocumentId,
) -> Result<Option<DocumentHead>, HubError> {
    let row: Option<RawHead> = sqlx::query_as(
        "select branch_id, document, kind, version, hash, created_ms, updated_ms from sync.document
         where document = $1",
    )
    .bind(document.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(head).transpose()
}

/// The bytes of a document.
#[derive(Debug, FromRow)]
pub struct DocumentBody {
    /// The document.
    pub document: Uuid,
    /// Its kind.
    pub kind: i16,
    /// Sorted heads, one behind the other.
    pub heads: Vec<u8>,
    /// postcard of the origins.
    pub origins: Vec<u8>,
    /// `save_nocompress`.
    pub saved: Vec<u8>,
}

/// The bytes of these documents.
pub async fn bodies(
    connection: &mut PgConnection,
    documents: &[DocumentId],
) -> Result<Vec<DocumentBody>, sqlx::Error> {
    sqlx::query_as(
        "select document, kind, heads, origins, saved from sync.document where document = any($1)",
    )
    .bind(uuids(documents))
    .fetch_all(connection)
    .await
}

/// A document to be written.
#[derive(Debug)]
pub struct DocumentWrite {
    /// Its row.
    pub head: DocumentHead,
    /// Its heads.
    pub heads: Vec<u8>,
    /// Its origins.
    pub origins: Vec<u8>,
    /// Its bytes.
    pub saved: Vec<u8>,
}

/// Writes documents, new and changed.
pub async fn save(
    connection: &mut PgConnection,
    rows: Vec<DocumentWrite>,
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let column = |field: fn(&DocumentWrite) -> i64| rows.iter().map(field).collect::<Vec<i64>>();
    let branches: Vec<Uuid> = rows.iter().map(|row| row.head.branch.uuid()).collect();
    let documents: Vec<Uuid> = rows.iter().map(|row| row.head.document.uuid()).collect();
    let kinds: Vec<i16> = rows.iter().map(|row| row.head.kind).collect();
    let versions = column(|row| row.head.version);
    let created = column(|row| row.head.created_ms);
    let updated = column(|row| row.head.updated_ms);
    let (mut heads, mut hashes, mut origins, mut saved) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        heads.push(row.heads);
        hashes.push(row.head.hash.to_vec());
        origins.push(row.origins);
        saved.push(row.saved);
    }
    sqlx::query(
        "insert into sync.document select * from unnest(
            $1::uuid[], $2::uuid[], $3::smallint[], $4::bigint[], $5::bytea[], $6::bytea[], $7::bytea[],
            $8::bytea[], $9::bigint[], $10::bigint[])
         on conflict (branch_id, document) do update set version = excluded.version, heads = excluded.heads,
            hash = excluded.hash, origins = excluded.origins, saved = excluded.saved,
            updated_ms = excluded.updated_ms",
    )
    .bind(branches)
    .bind(documents)
    .bind(kinds)
    .bind(versions)
    .bind(heads)
    .bind(hashes)
    .bind(origins)
    .bind(saved)
    .bind(created)
    .bind(updated)
    .execute(connection)
    .await?;
    Ok(())
}

/// Which branches are interested in these documents. Under the documents' locks.
pub async fn interest(
    connection: &mut PgConnection,
    documents: &[DocumentId],
) -> Result<Vec<(DocumentId, BranchId)>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid)> =
        sqlx::query_as("select document, branch_id from sync.interest where document = any($1)")
            .bind(uuids(documents))
            .fetch_all(connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(document, branch)| (DocumentId::of_uuid(document), BranchId::of_uuid(branch)))
        .collect())
}

/// Adds interest.
pub async fn insert_interest(
    connection: &mut PgConnection,
    rows: &[(BranchId, DocumentId, i16)],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into sync.interest select * from unnest($1::uuid[], $2::uuid[], $3::smallint[])",
    )
    .bind(rows.iter().map(|row| row.0.uuid()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.1.uuid()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.2).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// The documents of one kind that a branch is interested in.
pub async fn interest_of(
    connection: &mut PgConnection,
    branch: BranchId,
    kind: i16,
) -> Result<Vec<DocumentId>, sqlx::Error> {
    let rows: Vec<(Uuid,)> = sqlx::query_as(
        "select document from sync.interest where branch_id = $1 and kind = $2 order by document",
    )
    .bind(branch.uuid())
    .bind(kind)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(document,)| DocumentId::of_uuid(document))
        .collect())
}

/// Document hashes that branches are interested in, by branch.
pub async fn hashes_by_branch(
    connection: &mut PgConnection,
) -> Result<Vec<(BranchId, Hash)>, HubError> {
    let rows: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(
        "select i.branch_id, d.hash from sync.interest i join sync.document d on d.document = i.document
         order by i.branch_id, d.hash",
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(branch, hash)| Ok((BranchId::of_uuid(branch), hash_of(&hash)?)))
        .collect()
}

/// Hashes of the documents that one branch is interested in.
pub async fn hashes_of_branch(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<Vec<Hash>, HubError> {
    let rows: Vec<(Vec<u8>,)> = sqlx::query_as(
        "select d.hash from sync.interest i join sync.document d on d.document = i.document where i.branch_id = $1",
    )
    .bind(branch.uuid())
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|(hash,)| hash_of(&hash)).collect()
}

/// Every document with its hash.
pub async fn all_hashes(
    connection: &mut PgConnection,
) -> Result<Vec<(DocumentId, Hash)>, HubError> {
    let rows: Vec<(Uuid, Vec<u8>)> =
        sqlx::query_as("select document, hash from sync.document order by document")
            .fetch_all(connection)
            .await?;
    rows.into_iter()
        .map(|(document, hash)| Ok((DocumentId::of_uuid(document), hash_of(&hash)?)))
        .collect()
}
