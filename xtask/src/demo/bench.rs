//! A hub and one branch for measuring: empty, in a folder of their own, removed at the end.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};

use super::api::Api;
use super::chain::{Chain, NewBranch, Programs};
use super::place::{Ports, state_root};
use super::{fill, scripted};

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

impl Bench {
    pub(crate) fn new(programs: Programs) -> Result<Self> {
        let base = scripted::free_base(2)?;
        let folder = state_root()?.join(format!("bench-{base}-{}", std::process::id()));
        Ok(Self {
            chain: Chain::new(&folder, Ports::of(Some(base))?, programs)?,
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
