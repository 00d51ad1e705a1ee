//! Presets as people see them.

use domain::id::PresetId;
use domain::preset::PresetRow;
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, unsigned};
use crate::store::scope::{Place, behind};

/// A preset's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetRecord {
    /// The preset.
    pub id: PresetId,
    /// Counts its edits.
    pub version: u64,
    /// Its values.
    pub fields: PresetRow,
    /// When it was last changed.
    pub updated_ms: i64,
}

#[derive(FromRow)]
struct Raw {
    preset: Uuid,
    version: i64,
    fields: String,
    updated_ms: i64,
}

impl Raw {
    fn typed(self) -> Result<PresetRecord, HubError> {
        Ok(PresetRecord {
            id: PresetId::of_uuid(self.preset),
            version: unsigned(self.version),
            fields: serde_json::from_str(&self.fields)
                .map_err(|_| HubError::Row("a preset that does not read"))?,
            updated_ms: self.updated_ms,
        })
    }
}

/// Presets, the last changed first; `words` stand in category, fault or service.
pub async fn presets(
    connection: &mut PgConnection,
    words: Option<&str>,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<PresetRecord>, HubError> {
    let (at_ms, id) = behind(place);
    let rows: Vec<Raw> = sqlx::query_as(
        "select preset, version, fields::text as fields, updated_ms from inventory.preset
         where not deleted
         and ($1::text is null or position(lower($1) in lower(concat_ws(' ', fields ->> 'category', fields ->> 'fault',
            fields ->> 'service'))) > 0)
         and ($2::bigint is null or (updated_ms, preset) < ($2, $3::uuid))
         order by updated_ms desc, preset desc limit $4",
    )
    .bind(words)
    .bind(at_ms)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Raw::typed).collect()
}

/// One preset.
pub async fn preset(
    connection: &mut PgConnection,
    id: PresetId,
) -> Result<Option<PresetRecord>, HubError> {
    let row: Option<Raw> = sqlx::query_as(
        "select preset, version, fields::text as fields, updated_ms from inventory.preset
         where not deleted and preset = $1",
    )
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(Raw::typed).transpose()
}
