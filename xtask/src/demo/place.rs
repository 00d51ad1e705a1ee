//! Where a demo lives: its folder, its ports, and `demo.json` which says both to others.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

/// Ports of the hub and the branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ports {
    /// 8080, 4433/udp, 8101…; the double of the card provider behind the last branch.
    Usual,
    /// The hub at P (HTTP and UDP), branch i at P + 1 + i, the double of the card provider behind the last branch.
    From(u16),
}

impl Ports {
    pub(crate) fn of(base: Option<u16>) -> Result<Self> {
        match base {
            None => Ok(Ports::Usual),
            Some(base) if (1_024..65_000).contains(&base) => Ok(Ports::From(base)),
            Some(base) => {
                bail!("--base-port {base}: a port from 1024 to 64999 leaves room for the branches")
            }
        }
    }

    pub(crate) fn hub_http(self) -> u16 {
        match self {
            Ports::Usual => 8_080,
            Ports::From(base) => base,
        }
    }

    pub(crate) fn hub_quic(self) -> u16 {
        match self {
            Ports::Usual => 4_433,
            Ports::From(base) => base,
        }
    }

    /// Branches count from 1.
    pub(crate) fn branch(self, number: usize) -> u16 {
        let number = u16::try_from(number).unwrap_or(u16::MAX);
        match self {
            Ports::Usual => 8_100_u16.saturating_add(number),
            Ports::From(base) => base.saturating_add(1).saturating_add(number),
        }
    }
}

/// `demo.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DemoFile {
    pub(crate) hub: HubPlace,
    pub(crate) branches: Vec<BranchPlace>,
    pub(crate) logins: Vec<Login>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct HubPlace {
    pub(crate) url: String,
    pub(crate) quic: String,
    pub(crate) data_dir: PathBuf,
    pub(crate) pid: u32,
    pub(crate) database_url: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BranchPlace {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) data_dir: PathBuf,
    pub(crate) pid: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Login {
    #[serde(rename = "where")]
    pub(crate) place: String,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) role: String,
}

impl DemoFile {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} is not a demo.json", path.display()))
    }

    /// Replaces the file in one step, so that a reader never sees half of it.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let beside = path.with_extension("json.new");
        std::fs::write(&beside, serde_json::to_vec_pretty(self)?)?;
        std::fs::rename(&beside, path).with_context(|| format!("writing {}", path.display()))
    }

    pub(crate) fn login(&self, role: &str, place: &str) -> Result<&Login> {
        self.logins
            .iter()
            .find(|login| {
                login.role == role && (login.place == place || login.place == "everywhere")
            })
            .with_context(|| format!("demo.json names no {role} for {place}"))
    }
}

/// The folder of all demos of this user: `/var/lib/counterpart-demo` for root, else below the state folder.
pub(crate) fn state_root() -> Result<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/counterpart-demo"));
    }
    let state = match std::env::var_os("XDG_STATE_HOME") {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        _ => {
            let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
            PathBuf::from(home.context("neither XDG_STATE_HOME nor HOME is set")?)
                .join(".local/state")
        }
    };
    Ok(state.join("counterpart-demo"))
}

/// The folder of the demo on these ports.
pub(crate) fn folder_of(ports: Ports) -> Result<PathBuf> {
    Ok(state_root()?.join(format!("port-{}", ports.hub_http())))
}

/// The `demo.json` of a base port, or the newest one.
pub(crate) fn find_demo_file(base: Option<u16>) -> Result<PathBuf> {
    if let Some(base) = base {
        let path = folder_of(Ports::of(Some(base))?)?.join("demo.json");
        return if path.is_file() {
            Ok(path)
        } else {
            bail!("no demo runs on base port {base}")
        };
    }
    let root = state_root()?;
    let mut newest: Option<(SystemTime, PathBuf)> = None;
    for entry in std::fs::read_dir(&root)
        .with_context(|| format!("no demo has run yet below {}", root.display()))?
    {
        let path = entry?.path().join("demo.json");
        if let Ok(changed) = path.metadata().and_then(|data| data.modified())
            && newest.as_ref().is_none_or(|(known, _)| changed > *known)
        {
            newest = Some((changed, path));
        }
    }
    newest
        .map(|(_, path)| path)
        .context("no demo has run yet: start one with `cargo xtask demo`")
}

/// Makes a folder that other users can enter (the database's user must), whatever the umask.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir_all(path).with_context(|| format!("making {}", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
        .with_context(|| format!("opening {} to the database's user", path.display()))
}
