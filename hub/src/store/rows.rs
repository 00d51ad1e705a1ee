//! What the versioned rows of the hub have in common.

use serde::Serialize;
use sqlx::PgConnection;

use crate::store::ids::{AsUuid, unsigned};
use crate::store::{inventory, locations, staff};

/// A kind of versioned row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// A branch.
    Branch,
    /// A person.
    Staff,
    /// What a person signs in with.
    Credential,
    /// A part.
    Part,
    /// A preset.
    Preset,
    /// The company.
    Company,
}

/// The version that the next row of `id` gets. Inside a [`crate::app::HubTx`] nobody else can take it.
pub async fn next_version(
    connection: &mut PgConnection,
    kind: RowKind,
    id: [u8; 16],
) -> Result<u64, sqlx::Error> {
    let version = match kind {
        RowKind::Branch => locations::branch_version(connection, id.uuid()).await?,
        RowKind::Company => locations::company_version(connection, id.uuid()).await?,
        RowKind::Staff => staff::staff_version(connection, id.uuid()).await?,
        RowKind::Credential => staff::credential_version(connection, id.uuid()).await?,
        RowKind::Part => inventory::part_version(connection, id.uuid()).await?,
        RowKind::Preset => inventory::preset_version(connection, id.uuid()).await?,
    };
    Ok(version.map_or(0, unsigned) + 1)
}

/// JSON text of a row's fields.
#[expect(
    clippy::expect_used,
    reason = "rows are plain structs with text keys, which always serialise"
)]
pub(crate) fn json<T: Serialize>(fields: &T) -> String {
    serde_json::to_string(fields).expect("rows serialise")
}
