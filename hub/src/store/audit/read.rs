//! Exceptions and signed heads as people see them.

use domain::id::{BranchId, StaffId};
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};
use sync_protocol::position::NodeId;

use crate::store::ids::{AsUuid, OfUuid, node_number};
use crate::store::scope::Scope;

/// Something that people must look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionRecord {
    /// Whose it is; nil for the hub.
    pub branch: BranchId,
    /// What kind.
    pub kind: String,
    /// A document, a part or a fact, as the kind says.
    pub subject: [u8; 16],
    /// For people.
    pub detail: String,
    /// Since when.
    pub at_ms: i64,
}

/// Where the last exception of a page stood: time, branch, kind, subject.
pub type ExceptionPlace = (i64, [u8; 16], String, [u8; 16]);

type Raw = (Uuid, String, Uuid, String, i64);

/// Exceptions, the newest first; of `kinds` only, where given.
pub async fn exceptions(
    connection: &mut PgConnection,
    scope: &Scope,
    kinds: Option<&[&str]>,
    place: Option<ExceptionPlace>,
    limit: i64,
) -> Result<Vec<ExceptionRecord>, sqlx::Error> {
    let (at_ms, branch, kind, subject) = match place {
        Some((at_ms, branch, kind, subject)) => (
            Some(at_ms),
            Some(branch.uuid()),
            Some(kind),
            Some(subject.uuid()),
        ),
        None => (None, None, None, None),
    };
    let rows: Vec<Raw> = sqlx::query_as(
        "select branch_id, kind, subject, detail, at_ms from audit.exception
         where ($1::uuid[] is null or branch_id = any($1))
         and ($2::text[] is null or kind = any($2))
         and ($3::bigint is null or (at_ms, branch_id, kind, subject) < ($3, $4::uuid, $5::text, $6::uuid))
         order by at_ms desc, branch_id desc, kind desc, subject desc limit $7",
    )
    .bind(scope.sql())
    .bind(kinds.map(<[&str]>::to_vec))
    .bind(at_ms)
    .bind(branch)
    .bind(kind)
    .bind(subject)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(branch, kind, subject, detail, at_ms)| ExceptionRecord {
            branch: BranchId::of_uuid(branch),
            kind,
            subject: subject.into_bytes(),
            detail,
            at_ms,
        })
        .collect())
}

/// One exception, by branch, kind and subject.
pub async fn exception(
    connection: &mut PgConnection,
    (branch, kind, subject): &(BranchId, String, [u8; 16]),
) -> Result<Option<ExceptionRecord>, sqlx::Error> {
    let row: Option<(String, i64)> = sqlx::query_as(
        "select detail, at_ms from audit.exception where branch_id = $1 and kind = $2 and subject = $3",
    )
    .bind(branch.uuid())
    .bind(kind)
    .bind(subject.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(detail, at_ms)| ExceptionRecord {
        branch: *branch,
        kind: kind.clone(),
        subject: *subject,
        detail,
        at_ms,
    }))
}

/// Exceptions of these kinds about one thing, the newest first.
pub async fn about(
    connection: &mut PgConnection,
    subject: [u8; 16],
    kinds: &[&str],
) -> Result<Vec<ExceptionRecord>, sqlx::Error> {
    let rows: Vec<(Uuid, String, String, i64)> = sqlx::query_as(
        "select branch_id, kind, detail, at_ms from audit.exception where subject = $1 and kind = any($2)
         order by at_ms desc",
    )
    .bind(subject.uuid())
    .bind(kinds)
    .fetch_all(connection)
    .await?;
    let record = |(branch, kind, detail, at_ms)| ExceptionRecord {
        branch: BranchId::of_uuid(branch),
        kind,
        subject,
        detail,
        at_ms,
    };
    Ok(rows.into_iter().map(record).collect())
}

/// Who looks into an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerRecord {
    /// Whose exception; nil for the hub.
    pub branch: BranchId,
    /// What kind.
    pub kind: String,
    /// What it is about.
    pub subject: [u8; 16],
    /// Who.
    pub staff: StaffId,
    /// Since when.
    pub since_ms: i64,
}

/// Everybody who looks into something.
pub async fn owners(connection: &mut PgConnection) -> Result<Vec<OwnerRecord>, sqlx::Error> {
    let rows: Vec<(Uuid, String, Uuid, Uuid, i64)> = sqlx::query_as(
        "select branch_id, kind, subject, staff, since_ms from audit.exception_owner",
    )
    .fetch_all(connection)
    .await?;
    let owner =
        |(branch, kind, subject, staff, since_ms): (Uuid, String, Uuid, Uuid, i64)| OwnerRecord {
            branch: BranchId::of_uuid(branch),
            kind,
            subject: subject.into_bytes(),
            staff: StaffId::of_uuid(staff),
            since_ms,
        };
    Ok(rows.into_iter().map(owner).collect())
}

/// Who looks into one exception.
pub async fn owner(
    connection: &mut PgConnection,
    (branch, kind, subject): &(BranchId, String, [u8; 16]),
) -> Result<Option<StaffId>, sqlx::Error> {
    let row: Option<(Uuid,)> = sqlx::query_as(
        "select staff from audit.exception_owner where branch_id = $1 and kind = $2 and subject = $3",
    )
    .bind(branch.uuid())
    .bind(kind)
    .bind(subject.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(staff,)| StaffId::of_uuid(staff)))
}

/// Keeps who looks into an exception; none for nobody.
pub async fn save_owner(
    connection: &mut PgConnection,
    (branch, kind, subject): &(BranchId, String, [u8; 16]),
    owner: Option<StaffId>,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    let (branch, subject) = (branch.uuid(), subject.uuid());
    match owner {
        Some(owner) => sqlx::query(
            "insert into audit.exception_owner values ($1, $2, $3, $4, $5)
             on conflict (branch_id, kind, subject) do update set staff = excluded.staff, since_ms = excluded.since_ms",
        )
        .bind(branch)
        .bind(kind)
        .bind(subject)
        .bind(owner.uuid())
        .bind(now_ms)
        .execute(connection)
        .await?,
        None => sqlx::query(
            "delete from audit.exception_owner where branch_id = $1 and kind = $2 and subject = $3",
        )
        .bind(branch)
        .bind(kind)
        .bind(subject)
        .execute(connection)
        .await?,
    };
    Ok(())
}

/// How many exceptions of one kind a branch has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCount {
    /// Whose they are; nil for the hub.
    pub branch: BranchId,
    /// What kind.
    pub kind: String,
    /// How many.
    pub count: u64,
    /// Since when the oldest is open.
    pub oldest_ms: i64,
}

/// Open exceptions by branch and kind.
pub async fn open_counts(
    connection: &mut PgConnection,
    scope: &Scope,
) -> Result<Vec<OpenCount>, sqlx::Error> {
    let rows: Vec<(Uuid, String, i64, i64)> = sqlx::query_as(
        "select branch_id, kind, count(*), min(at_ms) from audit.exception
         where ($1::uuid[] is null or branch_id = any($1)) group by branch_id, kind order by branch_id, kind",
    )
    .bind(scope.sql())
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(branch, kind, count, oldest_ms)| OpenCount {
            branch: BranchId::of_uuid(branch),
            kind,
            count: count.unsigned_abs(),
            oldest_ms,
        })
        .collect())
}

/// A signed head.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct HeadRecord {
    /// Number of the last transaction that it covers.
    pub seq: i64,
    /// Chain hash behind it.
    pub hash: Vec<u8>,
    /// The node's signature.
    pub signature: Vec<u8>,
    /// The hub's; absent where the head is not what the hub has.
    pub countersignature: Option<Vec<u8>>,
    /// When the hub saw it.
    pub seen_ms: i64,
}

/// The newest signed head of a node.
pub async fn newest_head(
    connection: &mut PgConnection,
    branch: BranchId,
    node: NodeId,
) -> Result<Option<HeadRecord>, sqlx::Error> {
    sqlx::query_as(
        "select seq, hash, signature, countersignature, seen_ms from audit.signed_head
         where branch_id = $1 and node = $2 order by seq desc, epoch desc limit 1",
    )
    .bind(branch.uuid())
    .bind(node_number(node))
    .fetch_optional(connection)
    .await
}

/// A note about something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteRecord {
    /// The text.
    pub text: String,
    /// Who.
    pub staff: StaffId,
    /// When.
    pub at_ms: i64,
}

/// The hub's own notes about one thing, the newest first.
pub async fn notes_about(
    connection: &mut PgConnection,
    subject: [u8; 16],
    limit: i64,
) -> Result<Vec<NoteRecord>, sqlx::Error> {
    let rows: Vec<(String, Uuid, i64)> = sqlx::query_as(
        "select text, staff, at_ms from audit.note where subject = $1 and branch_id = $2
         order by at_ms desc, fact desc limit $3",
    )
    .bind(subject.uuid())
    .bind(BranchId::NIL.uuid())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let note = |(text, staff, at_ms)| NoteRecord {
        text,
        staff: StaffId::of_uuid(staff),
        at_ms,
    };
    Ok(rows.into_iter().map(note).collect())
}

/// What the newest of the hub's own notes about settling this conflict is about.
pub async fn settled_in(
    connection: &mut PgConnection,
    conflict: &str,
) -> Result<Option<[u8; 16]>, sqlx::Error> {
    let row: Option<(Uuid,)> = sqlx::query_as(
        r#"select subject from audit.note
           where branch_id = $1 and text like '{"conflict":"%' and left(text, 50) = '{"conflict":"' || $2 || '"'
           order by at_ms desc limit 1"#,
    )
    .bind(BranchId::NIL.uuid())
    .bind(conflict)
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(subject,)| subject.into_bytes()))
}

/// What the open exceptions of one kind are about, the oldest first.
pub async fn open_subjects(
    connection: &mut PgConnection,
    kind: &str,
) -> Result<Vec<[u8; 16]>, sqlx::Error> {
    let rows: Vec<(Uuid,)> = sqlx::query_as(
        "select subject from audit.exception where kind = $1 order by at_ms limit 500",
    )
    .bind(kind)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(subject,)| subject.into_bytes())
        .collect())
}
