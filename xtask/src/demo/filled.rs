//! The demo's chain on ports of its own, for a command that looks at it and is done.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::chain::{Chain, Programs};
use super::place::{Ports, make_folder, state_root};
use super::{fill, person, scripted};

/// A chain filled as the demo is. Stopped and removed by [`Filled::end`].
#[derive(Debug)]
pub(crate) struct Filled {
    chain: Chain,
}

impl Filled {
    /// Starts nothing yet.
    pub(crate) fn new(programs: Programs) -> Result<Self> {
        let branches = fill::branches().len();
        let base = scripted::free_base(branches)?;
        let folder = state_root()?.join(format!("filled-{base}-{}", std::process::id()));
        make_folder(&folder)?;
        Ok(Self {
            chain: Chain::new(&folder, Ports::of(Some(base))?, branches, programs)?,
        })
    }

    /// Starts and fills it; gives its `demo.json`.
    pub(crate) async fn start(&mut self) -> Result<PathBuf> {
        let folder = self.chain.folder.clone();
        person::first_start(&mut self.chain, &folder).await?;
        Ok(folder.join("demo.json"))
    }

    /// Stops everything and removes the folder.
    pub(crate) fn end(mut self) -> Result<()> {
        self.chain.stop()?;
        std::fs::remove_dir_all(&self.chain.folder)
            .with_context(|| format!("removing {}", self.chain.folder.display()))
    }
}
