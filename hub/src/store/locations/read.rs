//! Branches and the company as people see them.

use domain::branch::{BranchRow, Location};
use domain::company::CompanyRow;
use domain::id::BranchId;
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, unsigned};
use crate::store::scope::{Place, Scope, behind};

/// A branch's row.
#[derive(Debug, Clone, PartialEq)]
pub struct BranchRecord {
    /// The branch.
    pub id: BranchId,
    /// Counts its edits.
    pub version: u64,
    /// Its values.
    pub fields: BranchRow,
    /// When it was made.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

#[derive(FromRow)]
struct Raw {
    branch: Uuid,
    version: i64,
    code: String,
    name: String,
    region: String,
    address: String,
    latitude_e7: Option<i32>,
    longitude_e7: Option<i32>,
    time_zone: String,
    currency: String,
    capacity: i64,
    prices_include_tax: bool,
    active: bool,
    opening_hours: String,
    language: String,
    created_ms: i64,
    updated_ms: i64,
}

impl Raw {
    fn typed(self) -> Result<BranchRecord, HubError> {
        let location = match (self.latitude_e7, self.longitude_e7) {
            (Some(latitude_e7), Some(longitude_e7)) => Some(Location {
                latitude_e7,
                longitude_e7,
            }),
            _ => None,
        };
        let currency = self
            .currency
            .parse()
            .map_err(|_| HubError::Row("an unknown currency"))?;
        Ok(BranchRecord {
            id: BranchId::of_uuid(self.branch),
            version: unsigned(self.version),
            fields: BranchRow {
                code: self.code,
                name: self.name,
                region: self.region,
                address: self.address,
                location,
                time_zone: self.time_zone,
                currency,
                capacity: u32::try_from(self.capacity)
                    .map_err(|_| HubError::Row("a capacity out of range"))?,
                prices_include_tax: self.prices_include_tax,
                active: self.active,
                opening_hours: self.opening_hours,
                language: self.language,
            },
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
        })
    }
}

/// Branches, the newest first, behind `place`.
pub async fn branches(
    connection: &mut PgConnection,
    scope: &Scope,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<BranchRecord>, HubError> {
    let (at_ms, id) = behind(place);
    let rows: Vec<Raw> = sqlx::query_as(
        "select branch, version, code, name, region, address, latitude_e7, longitude_e7, time_zone, currency, capacity,
            prices_include_tax, active, opening_hours, language, created_ms, updated_ms
         from locations.branch
         where not deleted and ($1::uuid[] is null or branch = any($1))
         and ($2::bigint is null or (created_ms, branch) < ($2, $3::uuid))
         order by created_ms desc, branch desc limit $4",
    )
    .bind(scope.sql())
    .bind(at_ms)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Raw::typed).collect()
}

/// A branch as a list or a map of very many shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchPlace {
    /// The branch.
    pub id: BranchId,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Its address.
    pub address: String,
    /// Where it lies.
    pub location: Option<Location>,
    /// Whether it is open for business.
    pub active: bool,
}

type RawPlace = (
    Uuid,
    String,
    String,
    String,
    String,
    Option<i32>,
    Option<i32>,
    bool,
);

/// Every branch by its code.
pub async fn places(
    connection: &mut PgConnection,
    scope: &Scope,
) -> Result<Vec<BranchPlace>, sqlx::Error> {
    let rows: Vec<RawPlace> = sqlx::query_as(
        "select branch, code, name, region, address, latitude_e7, longitude_e7, active from locations.branch
         where not deleted and ($1::uuid[] is null or branch = any($1)) order by code, branch",
    )
    .bind(scope.sql())
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(
            |(branch, code, name, region, address, latitude, longitude, active)| BranchPlace {
                id: BranchId::of_uuid(branch),
                code,
                name,
                region,
                address,
                location: latitude
                    .zip(longitude)
                    .map(|(latitude_e7, longitude_e7)| Location {
                        latitude_e7,
                        longitude_e7,
                    }),
                active,
            },
        )
        .collect())
}

/// How many branches there are.
pub async fn count(connection: &mut PgConnection, scope: &Scope) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "select count(*) from locations.branch
         where not deleted and ($1::uuid[] is null or branch = any($1))",
    )
    .bind(scope.sql())
    .fetch_one(connection)
    .await
}

/// One branch by its id or its code.
pub async fn branch(
    connection: &mut PgConnection,
    id: Option<BranchId>,
    code: Option<&str>,
) -> Result<Option<BranchRecord>, HubError> {
    let row: Option<Raw> = sqlx::query_as(
        "select branch, version, code, name, region, address, latitude_e7, longitude_e7, time_zone, currency, capacity,
            prices_include_tax, active, opening_hours, language, created_ms, updated_ms
         from locations.branch
         where not deleted and ($1::uuid is null or branch = $1) and ($2::text is null or code = $2)
         order by created_ms, branch limit 1",
    )
    .bind(id.map(AsUuid::uuid))
    .bind(code)
    .fetch_optional(connection)
    .await?;
    row.map(Raw::typed).transpose()
}

/// The statement of [`nearest`]: the index on `location` gives branches by distance, so only as many are read as are
/// asked for. Public so that a test can ask the planner about this very text.
pub const NEAREST: &str = "select branch, version, code, name, region, address, latitude_e7, longitude_e7, time_zone, \
     currency, capacity, prices_include_tax, active, opening_hours, language, created_ms, updated_ms, \
     st_distance(location, st_setsrid(st_makepoint($1, $2), 4326)::geography) as metres \
     from locations.branch \
     where not deleted and active and location is not null and ($3::uuid[] is null or branch = any($3)) \
     order by location <-> st_setsrid(st_makepoint($1, $2), 4326)::geography limit $4";

#[derive(FromRow)]
struct RawNear {
    #[sqlx(flatten)]
    branch: Raw,
    metres: f64,
}

/// Open branches by distance on the globe (WGS 84), the nearest first, with metres; of `among` only, where given.
pub async fn nearest(
    connection: &mut PgConnection,
    latitude: f64,
    longitude: f64,
    among: Option<&[BranchId]>,
    limit: i64,
) -> Result<Vec<(BranchRecord, f64)>, HubError> {
    let rows: Vec<RawNear> = sqlx::query_as(NEAREST)
        .bind(longitude)
        .bind(latitude)
        .bind(among.map(|among| among.iter().map(|branch| branch.uuid()).collect::<Vec<_>>()))
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.into_iter()
        .map(|row| Ok((row.branch.typed()?, row.metres)))
        .collect()
}

/// The company's settings and their version.
pub async fn company(connection: &mut PgConnection) -> Result<Option<(u64, CompanyRow)>, HubError> {
    let row: Option<(i64, String)> = sqlx::query_as(
        "select version, fields::text from locations.company where branch = $1 and not deleted",
    )
    .bind(BranchId::NIL.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(|(version, fields)| {
        let fields = serde_json::from_str(&fields)
            .map_err(|_| HubError::Row("a company that does not read"))?;
        Ok((unsigned(version), fields))
    })
    .transpose()
}

/// Every branch's code, those that are gone included.
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

/// The open branches with these codes.
pub async fn with_codes(
    connection: &mut PgConnection,
    codes: &[String],
) -> Result<Vec<(String, BranchId)>, sqlx::Error> {
    let rows: Vec<(String, Uuid)> =
        sqlx::query_as("select code, branch from locations.branch where not deleted and code = any($1) order by branch")
            .bind(codes)
            .fetch_all(connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(code, branch)| (code, BranchId::of_uuid(branch)))
        .collect())
}

/// Time zone and language that most branches have; `None` while there is no branch.
pub async fn usual_place(
    connection: &mut PgConnection,
) -> Result<Option<(String, String)>, sqlx::Error> {
    sqlx::query_as(
        "select time_zone, language from locations.branch where not deleted
         group by time_zone, language order by count(*) desc, time_zone, language limit 1",
    )
    .fetch_optional(connection)
    .await
}

/// The currency that most branches have.
pub async fn usual_currency(
    connection: &mut PgConnection,
) -> Result<Option<domain::money::Currency>, sqlx::Error> {
    let row: Option<(String,)> = sqlx::query_as(
        "select currency from locations.branch where not deleted
         group by 1 order by count(*) desc, 1 limit 1",
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|(code,)| code.parse().ok()))
}
