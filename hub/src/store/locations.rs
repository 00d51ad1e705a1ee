//! Schema `locations`: branches with their place on earth, and the company.

pub mod read;

use domain::branch::BranchRow;
use domain::company::CompanyRow;
use domain::id::BranchId;
use sqlx::PgConnection;
use sqlx::types::Uuid;
use sync_protocol::item::Row;

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, big};

/// Writes branches; the highest version of each counts.
pub async fn save_branches(
    connection: &mut PgConnection,
    rows: &[(&Row<BranchId, BranchRow>, i64)],
) -> Result<(), sqlx::Error> {
    for (row, at_ms) in rows {
        let fields = &row.fields;
        let place = fields.location;
        sqlx::query(
            "insert into locations.branch (branch, version, deleted, code, name, region, address, latitude_e7,
                longitude_e7, location, time_zone, currency, capacity, prices_include_tax, active, opening_hours,
                language, created_ms, updated_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9,
                st_setsrid(st_makepoint($9::float8 / 1e7, $8::float8 / 1e7), 4326)::geography,
                $10, $11, $12, $13, $14, $15, $16, $17, $17)
             on conflict (branch) do update set version = excluded.version, deleted = excluded.deleted,
                code = excluded.code, name = excluded.name, region = excluded.region, address = excluded.address,
                latitude_e7 = excluded.latitude_e7, longitude_e7 = excluded.longitude_e7,
                location = excluded.location, time_zone = excluded.time_zone, currency = excluded.currency,
                capacity = excluded.capacity, prices_include_tax = excluded.prices_include_tax,
                active = excluded.active, opening_hours = excluded.opening_hours,
                language = excluded.language, updated_ms = excluded.updated_ms
             where excluded.version > branch.version",
        )
        .bind(row.id.uuid())
        .bind(big(row.version))
        .bind(row.deleted)
        .bind(&fields.code)
        .bind(&fields.name)
        .bind(&fields.region)
        .bind(&fields.address)
        .bind(place.map(|place| place.latitude_e7))
        .bind(place.map(|place| place.longitude_e7))
        .bind(&fields.time_zone)
        .bind(fields.currency.as_str())
        .bind(i64::from(fields.capacity))
        .bind(fields.prices_include_tax)
        .bind(fields.active)
        .bind(&fields.opening_hours)
        .bind(&fields.language)
        .bind(at_ms)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Writes the company's rows; the highest version of each counts.
pub async fn save_companies(
    connection: &mut PgConnection,
    rows: &[(&Row<BranchId, CompanyRow>, i64)],
) -> Result<(), sqlx::Error> {
    for (row, at_ms) in rows {
        sqlx::query(
            "insert into locations.company values ($1, $2, $3, $4::jsonb, $5)
             on conflict (branch) do update set version = excluded.version, deleted = excluded.deleted,
                fields = excluded.fields, updated_ms = excluded.updated_ms
             where excluded.version > company.version",
        )
        .bind(row.id.uuid())
        .bind(big(row.version))
        .bind(row.deleted)
        .bind(crate::store::rows::json(&row.fields))
        .bind(at_ms)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Every branch that is not gone, with its region.
pub async fn regions(
    connection: &mut PgConnection,
) -> Result<Vec<(BranchId, String)>, sqlx::Error> {
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "select branch, region from locations.branch where not deleted order by branch",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(branch, region)| (BranchId::of_uuid(branch), region))
        .collect())
}

/// A branch's region.
pub async fn region(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<Option<String>, sqlx::Error> {
    let row: Option<(String,)> =
        sqlx::query_as("select region from locations.branch where branch = $1")
            .bind(branch.uuid())
            .fetch_optional(connection)
            .await?;
    Ok(row.map(|(region,)| region))
}

/// Every branch with its code.
pub async fn codes(connection: &mut PgConnection) -> Result<Vec<(BranchId, String)>, sqlx::Error> {
    let rows: Vec<(Uuid, String)> =
        sqlx::query_as("select branch, code from locations.branch order by branch")
            .fetch_all(connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(branch, code)| (BranchId::of_uuid(branch), code))
        .collect())
}

/// What a machine that joins must know of its branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedBranch {
    /// The code, as in order numbers.
    pub code: String,
    /// The name.
    pub name: String,
    /// IANA time zone.
    pub time_zone: String,
    /// The region, scope of its availability feed.
    pub region: String,
}

/// What a machine that joins must know of its branch; nothing where the branch is gone.
pub async fn for_joining(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<Option<JoinedBranch>, HubError> {
    let row: Option<(String, String, String, String)> = sqlx::query_as(
        "select code, name, time_zone, region from locations.branch where branch = $1 and not deleted",
    )
    .bind(branch.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(code, name, time_zone, region)| JoinedBranch {
        code,
        name,
        time_zone,
        region,
    }))
}

/// The version of a branch's row.
pub(super) async fn branch_version(
    connection: &mut PgConnection,
    id: Uuid,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("select version from locations.branch where branch = $1")
        .bind(id)
        .fetch_optional(connection)
        .await
}

/// The version of a company's row.
pub(super) async fn company_version(
    connection: &mut PgConnection,
    id: Uuid,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("select version from locations.company where branch = $1")
        .bind(id)
        .fetch_optional(connection)
        .await
}
