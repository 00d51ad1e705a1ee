//! The nearest branches, with what they have free of a part as last known.

use std::collections::BTreeMap;

use domain::branch::Location;
use domain::id::BranchId;

use super::{BranchRecord, BranchState, LinkState, store, with_links};
use crate::app::Hub;
use crate::app::error::AppError;
use crate::store::inventory::read as inventory;

/// A branch with its distance and what it has free of a part.
#[derive(Debug, Clone, PartialEq)]
pub struct NearBranch {
    /// The branch.
    pub record: BranchRecord,
    /// Metres on the globe.
    pub metres: f64,
    /// Free pieces, where a part was asked for.
    pub free: Option<i64>,
    /// When that was so: now for a branch that is connected, else when it was last heard.
    pub as_of_ms: Option<i64>,
}

/// Which branches are near.
#[derive(Debug, Clone)]
pub struct NearQuery {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// A part that must be there.
    pub sku: Option<String>,
    /// How many pieces of it.
    pub quantity: i64,
    /// How many branches.
    pub limit: i64,
}

/// The nearest open branches, of those that have a part free where one is named.
///
/// # Errors
/// A place off the globe, an unknown part.
pub async fn nearest(hub: &Hub, query: &NearQuery) -> Result<Vec<NearBranch>, AppError> {
    if Location::from_degrees(query.latitude, query.longitude).is_none() {
        return Err(AppError::field(
            "/latitude",
            "latitude and longitude must lie on the globe",
        ));
    }
    let mut connection = hub.snapshot().await?;
    let free: Option<BTreeMap<BranchId, i64>> = match &query.sku {
        None => None,
        Some(sku) => {
            let part = inventory::part_by_sku(&mut connection, sku).await?;
            let part = part.ok_or_else(|| AppError::field("/sku", "there is no such part"))?;
            Some(
                inventory::free_of(&mut connection, part.id, query.quantity.max(1))
                    .await?
                    .into_iter()
                    .collect(),
            )
        }
    };
    let among: Option<Vec<BranchId>> = free.as_ref().map(|free| free.keys().copied().collect());
    let (latitude, longitude) = (query.latitude, query.longitude);
    let near = store::nearest(
        &mut connection,
        latitude,
        longitude,
        among.as_deref(),
        query.limit,
    )
    .await?;
    drop(connection);
    let (records, metres): (Vec<_>, Vec<_>) = near.into_iter().unzip();
    let now_ms = hub.env().now_ms();
    let states = with_links(hub, records).await?;
    let found = states
        .into_iter()
        .zip(metres)
        .map(|(BranchState { record, link }, metres)| {
            let as_of_ms = match link.state {
                LinkState::Connected => Some(now_ms),
                _ => link.last_contact_ms,
            };
            let free = free.as_ref().and_then(|free| free.get(&record.id).copied());
            NearBranch {
                record,
                metres,
                free,
                as_of_ms: as_of_ms.filter(|_| free.is_some()),
            }
        });
    Ok(found.collect())
}
