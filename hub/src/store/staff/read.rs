//! People as they are listed, and their sessions.
//!
//! A session's token is never here, only its hash (T-5).

use domain::id::{BranchId, StaffId};
use domain::staff::{Role, StaffRow};
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, unsigned};
use crate::store::scope::{Place, Scope, behind};

/// A person's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffRecord {
    /// The person.
    pub id: StaffId,
    /// Counts the row's edits.
    pub version: u64,
    /// Its values.
    pub fields: StaffRow,
    /// When it was made.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

#[derive(FromRow)]
struct Raw {
    staff: Uuid,
    version: i64,
    username: String,
    name: String,
    role: String,
    branches: Vec<Uuid>,
    active: bool,
    created_ms: i64,
    updated_ms: i64,
}

impl Raw {
    fn typed(self) -> Result<StaffRecord, HubError> {
        let role: Role = self
            .role
            .parse()
            .map_err(|_| HubError::Row("an unknown role"))?;
        Ok(StaffRecord {
            id: StaffId::of_uuid(self.staff),
            version: unsigned(self.version),
            fields: StaffRow {
                username: self.username,
                name: self.name,
                role,
                branches: self.branches.into_iter().map(BranchId::of_uuid).collect(),
                active: self.active,
            },
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
        })
    }
}

/// People, the newest first, behind `place`; who works at several branches is shown to each of them.
pub async fn people(
    connection: &mut PgConnection,
    scope: &Scope,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<StaffRecord>, HubError> {
    let (at_ms, id) = behind(place);
    let rows: Vec<Raw> = sqlx::query_as(
        "select staff, version, username, name, role, branches, active, created_ms, updated_ms from staff.staff
         where not deleted and ($1::uuid[] is null or branches = '{}' or branches && $1)
         and ($2::bigint is null or (created_ms, staff) < ($2, $3::uuid))
         order by created_ms desc, staff desc limit $4",
    )
    .bind(scope.sql())
    .bind(at_ms)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Raw::typed).collect()
}

/// People by name, those who may sign in first, behind the person `after`; of those whose name or user name holds each
/// of `words`, in lower case.
pub async fn by_name(
    connection: &mut PgConnection,
    scope: &Scope,
    words: &[String],
    after: Option<StaffId>,
    limit: i64,
) -> Result<Vec<StaffRecord>, HubError> {
    let rows: Vec<Raw> = sqlx::query_as(
        "select staff, version, username, name, role, branches, active, created_ms, updated_ms from staff.staff
         where not deleted and ($1::uuid[] is null or branches = '{}' or branches && $1)
         and not exists (select 1 from unnest($2::text[]) word where position(word in lower(name || ' ' || username)) = 0)
         and ($3::uuid is null or (not active, lower(name), staff)
            > (select not active, lower(name), staff from staff.staff where staff = $3))
         order by not active, lower(name), staff limit $4",
    )
    .bind(scope.sql())
    .bind(words)
    .bind(after.map(AsUuid::uuid))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Raw::typed).collect()
}

/// How many people [`by_name`] has in all.
pub async fn count(
    connection: &mut PgConnection,
    scope: &Scope,
    words: &[String],
) -> Result<u64, sqlx::Error> {
    let (count,): (i64,) = sqlx::query_as(
        "select count(*) from staff.staff
         where not deleted and ($1::uuid[] is null or branches = '{}' or branches && $1)
         and not exists (select 1 from unnest($2::text[]) word where position(word in lower(name || ' ' || username)) = 0)",
    )
    .bind(scope.sql())
    .bind(words)
    .fetch_one(connection)
    .await?;
    Ok(count.unsigned_abs())
}

/// One person by id or user name. Of two people with one user name, which only an old backup can bring about, the older.
pub async fn person(
    connection: &mut PgConnection,
    id: Option<StaffId>,
    username: Option<&str>,
) -> Result<Option<StaffRecord>, HubError> {
    let row: Option<Raw> = sqlx::query_as(
        "select staff, version, username, name, role, branches, active, created_ms, updated_ms from staff.staff
         where not deleted and ($1::uuid is null or staff = $1) and ($2::text is null or username = $2)
         order by created_ms, staff limit 1",
    )
    .bind(id.map(AsUuid::uuid))
    .bind(username)
    .fetch_optional(connection)
    .await?;
    row.map(Raw::typed).transpose()
}

/// The names of these people.
pub async fn names(
    connection: &mut PgConnection,
    people: &[StaffId],
) -> Result<Vec<(StaffId, String)>, sqlx::Error> {
    let rows: Vec<(Uuid, String)> =
        sqlx::query_as("select staff, name from staff.staff where staff = any($1)")
            .bind(people.iter().map(|staff| staff.uuid()).collect::<Vec<_>>())
            .fetch_all(connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(staff, name)| (StaffId::of_uuid(staff), name))
        .collect())
}

/// The person's password hash.
pub async fn password_hash(
    connection: &mut PgConnection,
    staff: StaffId,
) -> Result<Option<String>, sqlx::Error> {
    let row: Option<(String,)> = sqlx::query_as(
        "select password_hash from staff.credential where staff = $1 and not deleted",
    )
    .bind(staff.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(hash,)| hash))
}

/// How a session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKind {
    /// By the API.
    Token,
    /// By the sign-in page.
    Page,
}

impl SessionKind {
    fn code(self) -> i16 {
        match self {
            SessionKind::Token => 1,
            SessionKind::Page => 2,
        }
    }
}

/// A session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRow {
    /// Whose.
    pub staff: StaffId,
    /// How it began.
    pub kind: SessionKind,
    /// When it was last used.
    pub used_ms: i64,
    /// When it ends at the latest.
    pub expires_ms: i64,
}

/// Begins a session.
pub async fn insert_session(
    connection: &mut PgConnection,
    token_hash: &[u8; 32],
    session: &SessionRow,
) -> Result<(), sqlx::Error> {
    sqlx::query("insert into staff.session values ($1, $2, $3, $4, $4, $5)")
        .bind(&token_hash[..])
        .bind(session.staff.uuid())
        .bind(session.kind.code())
        .bind(session.used_ms)
        .bind(session.expires_ms)
        .execute(connection)
        .await?;
    Ok(())
}

/// Finds a session by the hash of its token.
pub async fn session(
    connection: &mut PgConnection,
    token_hash: &[u8; 32],
) -> Result<Option<SessionRow>, sqlx::Error> {
    let row: Option<(Uuid, i16, i64, i64)> = sqlx::query_as(
        "select staff, kind, used_ms, expires_ms from staff.session where token_hash = $1",
    )
    .bind(&token_hash[..])
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(staff, kind, used_ms, expires_ms)| SessionRow {
        staff: StaffId::of_uuid(staff),
        kind: if kind == SessionKind::Page.code() {
            SessionKind::Page
        } else {
            SessionKind::Token
        },
        used_ms,
        expires_ms,
    }))
}

/// Notes that a session was used.
pub async fn touch_session(
    connection: &mut PgConnection,
    token_hash: &[u8; 32],
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("update staff.session set used_ms = greatest(used_ms, $2) where token_hash = $1")
        .bind(&token_hash[..])
        .bind(now_ms)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends a session.
pub async fn delete_session(
    connection: &mut PgConnection,
    token_hash: &[u8; 32],
) -> Result<(), sqlx::Error> {
    sqlx::query("delete from staff.session where token_hash = $1")
        .bind(&token_hash[..])
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends all sessions of a person.
pub async fn delete_sessions_of(
    connection: &mut PgConnection,
    staff: StaffId,
) -> Result<(), sqlx::Error> {
    sqlx::query("delete from staff.session where staff = $1")
        .bind(staff.uuid())
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes sessions that ended.
pub async fn purge_sessions(
    connection: &mut PgConnection,
    now_ms: i64,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query("delete from staff.session where expires_ms <= $1")
        .bind(now_ms)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}
