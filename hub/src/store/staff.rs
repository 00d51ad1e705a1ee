//! Schema `staff`: people, what they sign in with, sessions.

pub mod read;

use domain::id::{BranchId, StaffId};
use domain::staff::{CredentialRow, Role, StaffRow};
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};
use sync_protocol::item::Row;

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, big, unsigned};

/// Writes people; the highest version of each counts.
pub async fn save_staff(
    connection: &mut PgConnection,
    rows: &[(&Row<StaffId, StaffRow>, i64)],
) -> Result<(), sqlx::Error> {
    for (row, at_ms) in rows {
        let fields = &row.fields;
        sqlx::query(
            "insert into staff.staff values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
             on conflict (staff) do update set version = excluded.version, deleted = excluded.deleted,
                username = excluded.username, name = excluded.name, role = excluded.role,
                branches = excluded.branches, active = excluded.active, updated_ms = excluded.updated_ms
             where excluded.version > staff.version",
        )
        .bind(row.id.uuid())
        .bind(big(row.version))
        .bind(row.deleted)
        .bind(&fields.username)
        .bind(&fields.name)
        .bind(fields.role.as_str())
        .bind(fields.branches.iter().map(|branch| branch.uuid()).collect::<Vec<_>>())
        .bind(fields.active)
        .bind(at_ms)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Writes credentials; the highest version of each counts.
pub async fn save_credentials(
    connection: &mut PgConnection,
    rows: &[(&Row<StaffId, CredentialRow>, i64)],
) -> Result<(), sqlx::Error> {
    for (row, at_ms) in rows {
        sqlx::query(
            "insert into staff.credential values ($1, $2, $3, $4, $5)
             on conflict (staff) do update set version = excluded.version, deleted = excluded.deleted,
                password_hash = excluded.password_hash, updated_ms = excluded.updated_ms
             where excluded.version > credential.version",
        )
        .bind(row.id.uuid())
        .bind(big(row.version))
        .bind(row.deleted)
        .bind(&row.fields.password_hash)
        .bind(at_ms)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

#[derive(FromRow)]
struct RawStaff {
    staff: Uuid,
    version: i64,
    deleted: bool,
    username: String,
    name: String,
    role: String,
    branches: Vec<Uuid>,
    active: bool,
}

impl RawStaff {
    fn typed(self) -> Result<Row<StaffId, StaffRow>, HubError> {
        let role: Role = self
            .role
            .parse()
            .map_err(|_| HubError::Row("an unknown role"))?;
        Ok(Row {
            id: StaffId::of_uuid(self.staff),
            version: unsigned(self.version),
            deleted: self.deleted,
            fields: StaffRow {
                username: self.username,
                name: self.name,
                role,
                branches: self.branches.into_iter().map(BranchId::of_uuid).collect(),
                active: self.active,
            },
        })
    }
}

/// These people, or everybody.
pub async fn people(
    connection: &mut PgConnection,
    which: Option<&[StaffId]>,
) -> Result<Vec<Row<StaffId, StaffRow>>, HubError> {
    let rows: Vec<RawStaff> = sqlx::query_as(
        "select staff, version, deleted, username, name, role, branches, active from staff.staff
         where $1::uuid[] is null or staff = any($1) order by staff",
    )
    .bind(which.map(|which| which.iter().map(|staff| staff.uuid()).collect::<Vec<_>>()))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(RawStaff::typed).collect()
}

/// What these people, or everybody, sign in with.
pub async fn credentials(
    connection: &mut PgConnection,
    which: Option<&[StaffId]>,
) -> Result<Vec<Row<StaffId, CredentialRow>>, sqlx::Error> {
    let rows: Vec<(Uuid, i64, bool, String)> = sqlx::query_as(
        "select staff, version, deleted, password_hash from staff.credential
         where $1::uuid[] is null or staff = any($1) order by staff",
    )
    .bind(which.map(|which| which.iter().map(|staff| staff.uuid()).collect::<Vec<_>>()))
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(staff, version, deleted, password_hash)| {
            let id = StaffId::of_uuid(staff);
            Row {
                id,
                version: unsigned(version),
                deleted,
                fields: CredentialRow {
                    staff: id,
                    password_hash,
                },
            }
        })
        .collect())
}

/// The version of a person's row.
pub(super) async fn staff_version(
    connection: &mut PgConnection,
    id: Uuid,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("select version from staff.staff where staff = $1")
        .bind(id)
        .fetch_optional(connection)
        .await
}

/// The version of a credential's row.
pub(super) async fn credential_version(
    connection: &mut PgConnection,
    id: Uuid,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("select version from staff.credential where staff = $1")
        .bind(id)
        .fetch_optional(connection)
        .await
}
