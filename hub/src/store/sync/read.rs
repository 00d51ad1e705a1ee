//! Documents, parked transactions and incidents as people see them.

use domain::document::DocumentKind;
use domain::id::{BranchId, DocumentId};
use sqlx::PgConnection;
use sqlx::types::Uuid;
use sync_protocol::hash::Hash;
use sync_protocol::position::Position;

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, hash_of, position_of};
use crate::store::scope::{Place, Scope, behind};

/// A document's row without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRecord {
    /// The branch that it belongs to.
    pub branch: BranchId,
    /// The document.
    pub id: DocumentId,
    /// Its kind; none for one that this version does not know.
    pub kind: Option<DocumentKind>,
    /// How many changes it has.
    pub version: i64,
    /// Its heads.
    pub heads: Vec<Hash>,
    /// When it began.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

type RawDocument = (Uuid, Uuid, i16, i64, Vec<u8>, i64, i64);

fn document_of(
    (branch, id, kind, version, heads, created_ms, updated_ms): RawDocument,
) -> Result<DocumentRecord, HubError> {
    Ok(DocumentRecord {
        branch: BranchId::of_uuid(branch),
        id: DocumentId::of_uuid(id),
        kind: u8::try_from(kind).ok().and_then(DocumentKind::from_code),
        version,
        heads: heads.chunks(32).map(hash_of).collect::<Result<_, _>>()?,
        created_ms,
        updated_ms,
    })
}

/// Documents, the newest first.
pub async fn documents(
    connection: &mut PgConnection,
    scope: &Scope,
    kind: Option<DocumentKind>,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<DocumentRecord>, HubError> {
    let (at_ms, id) = behind(place);
    let rows: Vec<RawDocument> = sqlx::query_as(
        "select branch_id, document, kind, version, heads, created_ms, updated_ms from sync.document
         where ($1::uuid[] is null or branch_id = any($1))
         and ($2::smallint is null or kind = $2)
         and ($3::bigint is null or (created_ms, document) < ($3, $4::uuid))
         order by created_ms desc, document desc limit $5",
    )
    .bind(scope.sql())
    .bind(kind.map(|kind| i16::from(kind.code())))
    .bind(at_ms)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(document_of).collect()
}

/// These documents' rows.
pub async fn documents_of(
    connection: &mut PgConnection,
    ids: &[DocumentId],
) -> Result<Vec<DocumentRecord>, HubError> {
    let rows: Vec<RawDocument> = sqlx::query_as(
        "select branch_id, document, kind, version, heads, created_ms, updated_ms from sync.document
         where document = any($1)",
    )
    .bind(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(document_of).collect()
}

/// Something parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedRecord {
    /// Its id.
    pub id: [u8; 16],
    /// Whose.
    pub branch: BranchId,
    /// Which transaction.
    pub position: Position,
    /// Which item; none for several.
    pub item: Option<u16>,
    /// Why.
    pub reason: String,
    /// Who wrote it.
    pub staff: [u8; 16],
    /// When, as the branch saw it.
    pub at_ms: i64,
    /// 1 parked, 2 released, 3 dropped.
    pub state: i16,
}

type RawParked = (Uuid, i64, i64, i64, i32, Uuid, String, Uuid, i64, i16);

/// Parked transactions, the newest first.
pub async fn parked(
    connection: &mut PgConnection,
    scope: &Scope,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<ParkedRecord>, HubError> {
    parked_in(connection, scope, None, place, limit).await
}

/// Parked transactions, the newest first; in one state only, where given.
pub async fn parked_in(
    connection: &mut PgConnection,
    scope: &Scope,
    state: Option<i16>,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<ParkedRecord>, HubError> {
    let (at_ms, id) = behind(place);
    let rows: Vec<RawParked> = sqlx::query_as(
        "select branch_id, node, epoch, seq, item, id, reason, staff, at_ms, state from sync.parked
         where ($1::uuid[] is null or branch_id = any($1))
         and ($2::bigint is null or (at_ms, id) < ($2, $3::uuid))
         and ($5::smallint is null or state = $5)
         order by at_ms desc, id desc limit $4",
    )
    .bind(scope.sql())
    .bind(at_ms)
    .bind(id)
    .bind(limit)
    .bind(state)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(
            |(branch, node, epoch, seq, item, id, reason, staff, at_ms, state)| {
                Ok(ParkedRecord {
                    id: id.into_bytes(),
                    branch: BranchId::of_uuid(branch),
                    position: position_of(node, epoch, seq)?,
                    item: u16::try_from(item).ok(),
                    reason,
                    staff: staff.into_bytes(),
                    at_ms,
                    state,
                })
            },
        )
        .collect()
}

/// Something that an operator should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentRecord {
    /// Its id.
    pub id: [u8; 16],
    /// Whose; nil for the hub.
    pub branch: BranchId,
    /// When.
    pub at_ms: i64,
    /// What kind.
    pub kind: String,
    /// For people.
    pub detail: String,
}

/// Incidents, the newest first.
pub async fn incidents(
    connection: &mut PgConnection,
    scope: &Scope,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<IncidentRecord>, sqlx::Error> {
    let (at_ms, id) = behind(place);
    let rows: Vec<(Uuid, Uuid, i64, String, String)> = sqlx::query_as(
        "select branch_id, id, at_ms, kind, detail from sync.incident
         where ($1::uuid[] is null or branch_id = any($1))
         and ($2::bigint is null or (at_ms, id) < ($2, $3::uuid))
         order by at_ms desc, id desc limit $4",
    )
    .bind(scope.sql())
    .bind(at_ms)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(branch, id, at_ms, kind, detail)| IncidentRecord {
            id: id.into_bytes(),
            branch: BranchId::of_uuid(branch),
            at_ms,
            kind,
            detail,
        })
        .collect())
}

/// Whether the database answers.
pub async fn ping(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let row: (i32,) = sqlx::query_as("select 1").fetch_one(connection).await?;
    debug_assert_eq!(row.0, 1);
    Ok(())
}
