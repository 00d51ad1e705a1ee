//! What the versioned rows of the hub have in common.

use serde::Serialize;
use sqlx::PgConnection;

use crate::store::ids::{AsUuid, unsigned};

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
    let query = match kind {
        RowKind::Branch => sqlx::query_as("select version from locations.branch where branch = $1"),
        RowKind::Staff => sqlx::query_as("select version from staff.staff where staff = $1"),
        RowKind::Credential => {
            sqlx::query_as("select version from staff.credential where staff = $1")
        }
        RowKind::Part => sqlx::query_as("select version from inventory.part where part = $1"),
        RowKind::Preset => sqlx::query_as("select version from inventory.preset where preset = $1"),
        RowKind::Company => {
            sqlx::query_as("select version from locations.company where branch = $1")
        }
    };
    let row: Option<(i64,)> = query.bind(id.uuid()).fetch_optional(connection).await?;
    Ok(row.map_or(0, |(version,)| unsigned(version)) + 1)
}

/// JSON text of a row's fields.
#[expect(
    clippy::expect_used,
    reason = "rows are plain structs with text keys, which always serialise"
)]
pub(crate) fn json<T: Serialize>(fields: &T) -> String {
    serde_json::to_string(fields).expect("rows serialise")
}
