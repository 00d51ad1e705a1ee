//! A hub and one branch for measuring: empty, in a folder of their own, removed at the end.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde_json::json;
use tokio::task::JoinSet;

use super::api::Api;
use super::chain::{Chain, NewBranch, Programs};
use super::place::{Ports, state_root};
use super::{fill, scripted};

/// Branches that are added at the same time; the hub commits them in groups.
const AT_ONCE: usize = 32;

/// A chain that is measured.
#[derive(Debug)]
pub(crate) struct Bench {
    chain: Chain,
}

/// What a program needs to play a joined branch itself.
#[derive(Debug)]
pub(crate) struct JoinedPlace {
    pub(crate) data_dir: PathBuf,
    pub(crate) hub_quic: String,
    pub(crate) database_url: String,
}

/// A branch on the map.
#[derive(Debug)]
pub(crate) struct Point {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
}

/// A hub with very many branches, and who may look at them.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) address: String,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) folder: PathBuf,
}

impl Bench {
    pub(crate) fn new(programs: Programs) -> Result<Self> {
        let base = scripted::free_base(2)?;
        let folder = state_root()?.join(format!("bench-{base}-{}", std::process::id()));
        Ok(Self {
            chain: Chain::new(&folder, Ports::of(Some(base))?, 2, programs)?,
        })
    }

    /// A hub that runs, and a joined branch that does not.
    pub(crate) async fn join_only(&mut self) -> Result<JoinedPlace> {
        self.start().await?;
        let operator = self.chain.hub_api("operator")?;
        self.chain.join_branch(&operator, &branch()).await?;
        let file = self.chain.file()?;
        Ok(JoinedPlace {
            data_dir: self.chain.branch_dir(0).to_path_buf(),
            hub_quic: file.hub.quic,
            database_url: file.hub.database_url,
        })
    }

    /// A hub and a branch that run; a client of the branch and its process.
    pub(crate) async fn serve_branch(&mut self) -> Result<(Arc<Api>, u32)> {
        self.start().await?;
        let operator = self.chain.hub_api("operator")?;
        self.chain.add_branch(&operator, &branch()).await?;
        fill::branch_staff(&mut self.chain, 0).await?;
        let skus = fill::parts(&self.chain, 1).await?;
        fill::wait_for_people_and_parts(&self.chain, &skus).await?;
        let file = self.chain.file()?;
        let pid = file.branches.first().context("the bench has a branch")?.pid;
        Ok((self.chain.branch_api(0, "branch_manager")?, pid))
    }

    /// A hub that runs, with these branches on its map and no machine anywhere.
    pub(crate) async fn network(&mut self, points: Vec<Point>) -> Result<Network> {
        self.start().await?;
        let operator = self.chain.hub_api("operator")?;
        let mut adding = JoinSet::new();
        let mut points = points.into_iter();
        loop {
            while adding.len() < AT_ONCE
                && let Some(point) = points.next()
            {
                let operator = Arc::clone(&operator);
                adding.spawn(async move {
                    let body = json!({
                        "code": point.code, "name": point.name, "region": point.region,
                        "location": { "latitude": point.latitude, "longitude": point.longitude },
                        "time_zone": "Etc/UTC", "currency": "EUR",
                    });
                    operator.post("/api/v1/branches", &point.code, &body).await
                });
            }
            match adding.join_next().await {
                Some(added) => added.context("adding a branch")??,
                None => break,
            };
        }
        let login = self.chain.login("central_manager", "hub")?.clone();
        Ok(Network {
            address: self
                .chain
                .hub_url()
                .trim_start_matches("http://")
                .to_owned(),
            username: login.username,
            password: login.password,
            folder: self.chain.folder.clone(),
        })
    }

    async fn start(&mut self) -> Result<()> {
        self.chain.start_hub().await?;
        fill::first_operator(&mut self.chain)?;
        fill::chain_staff(&mut self.chain).await
    }

    /// Stops everything and removes the folder.
    pub(crate) fn end(mut self) -> Result<()> {
        self.chain.stop()?;
        std::fs::remove_dir_all(&self.chain.folder)
            .with_context(|| format!("removing {}", self.chain.folder.display()))
    }
}

fn branch() -> NewBranch {
    NewBranch {
        code: "BEN".to_owned(),
        name: "Bench (generated)".to_owned(),
        address: "generated".to_owned(),
        latitude: 52.0,
        longitude: 13.0,
    }
}
