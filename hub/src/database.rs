//! Which database the hub works on: a private cluster in its data directory, or one of the operator's.
//!
//! Commands beside a running hub use the cluster that it started; without a running hub they start it and stop it
//! again.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::config::Config;
use crate::private_postgres::{ClusterAdmin, DatabaseName, PrivatePostgres, PrivatePostgresConfig};
use crate::store::db::PgConnectOptions;

/// Name of the database in the private cluster.
const NAME: &str = "counterpart";

/// The database and, where this process started it, its cluster.
#[derive(Debug)]
pub struct Database {
    url: String,
    cluster: Option<PrivatePostgres>,
}

impl Database {
    /// The operator's database, or the private cluster, started or adopted by this process.
    ///
    /// # Errors
    /// When the cluster cannot be started.
    pub async fn start(config: &Config, data: &Path) -> Result<Self> {
        if let Some(url) = &config.database_url {
            return Ok(Self {
                url: url.expose().clone(),
                cluster: None,
            });
        }
        let cluster = PrivatePostgres::start(PrivatePostgresConfig::new(data)).await?;
        let name: DatabaseName = NAME.parse()?;
        cluster.ensure_database(&name).await?;
        Ok(Self {
            url: cluster.database_url(&name),
            cluster: Some(cluster),
        })
    }

    /// For a command: the cluster of a running hub, or one that is started for the command.
    ///
    /// # Errors
    /// When there is no database to be had.
    pub async fn attach(config: &Config, data: &Path) -> Result<Self> {
        if config.database_url.is_none()
            && let Some(admin) = ClusterAdmin::attach(data).await?
        {
            return Ok(Self {
                url: admin.database_url(&NAME.parse()?),
                cluster: None,
            });
        }
        Self::start(config, data).await
    }

    /// Its address, with its password: never logged.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How to connect.
    ///
    /// # Errors
    /// When the address does not read.
    pub fn options(&self) -> Result<PgConnectOptions> {
        self.url
            .parse()
            .context("the database's address does not read")
    }

    /// The cluster, if this process started one.
    pub fn take_cluster(&mut self) -> Option<PrivatePostgres> {
        self.cluster.take()
    }

    /// Stops the cluster, if this process started one.
    ///
    /// # Errors
    /// When it does not stop.
    pub async fn stop(mut self) -> Result<()> {
        match self.cluster.take() {
            Some(cluster) => Ok(cluster.stop_fast().await?),
            None => Ok(()),
        }
    }
}
