//! Holding the hub's tables against a rebuild from its logs (INV-4, INV-5, INV-9, INV-15).
//!
//! Everything is read in one snapshot, so verification runs beside a serving hub and changes nothing there. The logs
//! are replayed in the stored apply order into a scratch database by the very code that applied them, and every
//! derived table is compared row by row. What differs is named by table, key and column, never by value.

mod compare;
mod replay;
mod report;
mod tables;

use std::path::Path;

use thiserror::Error;

pub use report::{
    BranchReport, ConservationReport, Difference, LogReport, PartStock, VerifyReport,
};

use super::Hub;
use crate::error::HubError;
use crate::private_postgres::{ClusterAdmin, DatabaseName, PrivatePostgresError};
use crate::store;
use crate::store::db::{PgConnectOptions, PgPool, PgPoolOptions, SqlError};

/// Why nothing can be said.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The core failed.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The private cluster gives no scratch database.
    #[error("no scratch database: {0}")]
    Cluster(#[from] PrivatePostgresError),
    /// There is no private cluster for this data directory.
    #[error("the data directory has no running Postgres of its own: name a scratch database")]
    NoCluster,
}

impl From<SqlError> for VerifyError {
    fn from(error: SqlError) -> Self {
        VerifyError::Hub(error.into())
    }
}

impl Hub {
    /// Verifies with a scratch database in the private cluster of `data_dir`, which is deleted afterwards.
    pub async fn verify_private(&self, data_dir: &Path) -> Result<VerifyReport, VerifyError> {
        let admin = ClusterAdmin::attach(data_dir)
            .await?
            .ok_or(VerifyError::NoCluster)?;
        let name: DatabaseName =
            format!("scratch_{:016x}", u64::from_be_bytes(self.env.random())).parse()?;
        admin.ensure_database(&name).await?;
        let scratch: PgConnectOptions = admin.database_url(&name).parse()?;
        let report = self.verify(scratch).await;
        admin.drop_database(&name).await?;
        report
    }

    /// Verifies with `scratch`, an empty database that this role owns and that has PostGIS.
    pub async fn verify(&self, scratch: PgConnectOptions) -> Result<VerifyReport, VerifyError> {
        let pool = PgPoolOptions::new()
            .max_connections(2)
            .connect_with(scratch)
            .await?;
        store::MIGRATIONS.run(&pool).await.map_err(HubError::from)?;
        let report = self.verify_into(&pool).await;
        pool.close().await;
        Ok(report?)
    }

    async fn verify_into(&self, scratch: &PgPool) -> Result<VerifyReport, HubError> {
        let mut live = self.snapshot().await?;
        let mut report = VerifyReport::default();
        let replayed = replay::replay(&mut live, scratch, &mut report).await?;
        let mut rebuilt = scratch.acquire().await?;
        for table in tables::DERIVED {
            compare::compare(&mut live, &mut rebuilt, table, &mut report).await?;
        }
        report::fill(&mut live, &replayed, &mut report).await?;
        live.rollback().await?;
        report.finish();
        Ok(report)
    }
}
