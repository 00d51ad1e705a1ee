//! Schema `inventory`: the movement ledger and the columns kept from it, reservations, transfers, settings, catalogue.

pub mod held;
pub mod ledger;
pub mod preset;
pub mod read;
pub mod transfer;

use domain::id::{BranchId, DocumentId, PartId, PresetId};
use domain::inventory::InventorySettingsView;
use domain::part::PartRow;
use domain::preset::PresetRow;
use sqlx::PgConnection;
use sqlx::types::Uuid;
use sync_protocol::item::Row;

use crate::store::ids::{AsUuid, OfUuid, big};

/// The settings of one part at one branch.
#[derive(Debug)]
pub struct SettingWrite {
    /// The document.
    pub document: DocumentId,
    /// What it says.
    pub view: InventorySettingsView,
    /// How many changes it has.
    pub version: i64,
    /// The newest time of its changes.
    pub updated_ms: i64,
}

/// Writes settings, new and changed.
pub async fn save_settings(
    connection: &mut PgConnection,
    rows: &[SettingWrite],
) -> Result<(), sqlx::Error> {
    for row in rows {
        let barcodes: Vec<String> = row.view.barcodes.iter().cloned().collect();
        sqlx::query(
            "insert into inventory.setting values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             on conflict (branch_id, document) do update set bin = excluded.bin,
                reorder_point = excluded.reorder_point, note = excluded.note, barcodes = excluded.barcodes,
                version = excluded.version, updated_ms = excluded.updated_ms",
        )
        .bind(row.view.branch.uuid())
        .bind(row.document.uuid())
        .bind(row.view.part.uuid())
        .bind(&row.view.bin)
        .bind(row.view.reorder_point)
        .bind(&row.view.note)
        .bind(barcodes)
        .bind(row.version)
        .bind(row.updated_ms)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Writes parts; the highest version of each counts.
pub async fn save_parts(
    connection: &mut PgConnection,
    rows: &[(&Row<PartId, PartRow>, i64)],
) -> Result<(), sqlx::Error> {
    for (row, at_ms) in rows {
        let fields = &row.fields;
        sqlx::query(
            "insert into inventory.part values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
             on conflict (part) do update set version = excluded.version, deleted = excluded.deleted,
                sku = excluded.sku, name = excluded.name, category = excluded.category,
                price_minor = excluded.price_minor, currency = excluded.currency, tax_bp = excluded.tax_bp,
                barcodes = excluded.barcodes, active = excluded.active, updated_ms = excluded.updated_ms
             where excluded.version > part.version",
        )
        .bind(row.id.uuid())
        .bind(big(row.version))
        .bind(row.deleted)
        .bind(&fields.sku)
        .bind(&fields.name)
        .bind(&fields.category)
        .bind(fields.price_minor)
        .bind(fields.currency.as_str())
        .bind(fields.tax_bp.cast_signed())
        .bind(&fields.barcodes)
        .bind(fields.active)
        .bind(at_ms)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Writes presets; the highest version of each counts.
pub async fn save_presets(
    connection: &mut PgConnection,
    rows: &[(&Row<PresetId, PresetRow>, i64)],
) -> Result<(), sqlx::Error> {
    for (row, at_ms) in rows {
        sqlx::query(
            "insert into inventory.preset values ($1, $2, $3, $4::jsonb, $5)
             on conflict (preset) do update set version = excluded.version, deleted = excluded.deleted,
                fields = excluded.fields, updated_ms = excluded.updated_ms
             where excluded.version > preset.version",
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

/// Free pieces as last told to the branches.
#[derive(Debug, Clone, Copy)]
pub struct AvailabilityWrite {
    /// The branch.
    pub branch: BranchId,
    /// The part.
    pub part: PartId,
    /// Free pieces.
    pub quantity: i64,
    /// When that was so.
    pub as_of_ms: i64,
}

/// Writes availability.
pub async fn save_availability(
    connection: &mut PgConnection,
    rows: &[AvailabilityWrite],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into inventory.availability
         select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])
         on conflict (branch_id, part) do update set quantity = excluded.quantity, as_of_ms = excluded.as_of_ms",
    )
    .bind(rows.iter().map(|row| row.branch.uuid()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.part.uuid()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.quantity).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.as_of_ms).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Branch, part and free pieces wherever they differ from what was last told; with `only_zero` only where a part
/// reached or left zero.
pub async fn availability_due(
    connection: &mut PgConnection,
    only_zero: bool,
) -> Result<Vec<(BranchId, PartId, i64)>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid, i64)> = sqlx::query_as(
        "select s.branch_id, s.part, greatest(s.on_hand - s.reserved, 0)
         from inventory.stock s left join inventory.availability a on a.branch_id = s.branch_id and a.part = s.part
         where greatest(s.on_hand - s.reserved, 0) <> coalesce(a.quantity, 0)
         and (not $1 or (greatest(s.on_hand - s.reserved, 0) > 0) <> (coalesce(a.quantity, 0) > 0))
         order by s.branch_id, s.part",
    )
    .bind(only_zero)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(branch, part, quantity)| {
            (BranchId::of_uuid(branch), PartId::of_uuid(part), quantity)
        })
        .collect())
}

/// The version of a part's row.
pub(super) async fn part_version(
    connection: &mut PgConnection,
    id: Uuid,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("select version from inventory.part where part = $1")
        .bind(id)
        .fetch_optional(connection)
        .await
}

/// The version of a preset's row.
pub(super) async fn preset_version(
    connection: &mut PgConnection,
    id: Uuid,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("select version from inventory.preset where preset = $1")
        .bind(id)
        .fetch_optional(connection)
        .await
}
