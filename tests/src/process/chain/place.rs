//! Where a test's programs lie and listen: a folder that the database's account can enter, and ports of its own.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Context as _, Result, bail};

/// Below the ports that the system gives to outgoing connections, so that none of these takes ours in the moment in
/// which a program is not running.
const FIRST_PORT: u16 = 10_000;
const PORTS: u16 = 9_000;

static TRIES: AtomicU16 = AtomicU16::new(0);

/// A temporary folder, removed at the end. `COUNTERPART_TEST_KEEP=1` keeps it.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _removed: Option<tempfile::TempDir>,
}

impl Folder {
    /// A new folder, open to other accounts.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("counterpart-it-")
            .tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let path = folder.path().to_path_buf();
        if std::env::var_os("COUNTERPART_TEST_KEEP").is_some() {
            eprintln!("kept: {}", folder.keep().display());
            return Ok(Self {
                path,
                _removed: None,
            });
        }
        Ok(Self {
            path,
            _removed: Some(folder),
        })
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Neighbouring ports on loopback, TCP and UDP, that no other test takes while this lives.
#[derive(Debug)]
pub struct Ports {
    first: u16,
    _locks: Vec<File>,
}

impl Ports {
    /// So many ports in a row.
    ///
    /// # Errors
    /// When there are none.
    pub fn reserve(count: u16) -> Result<Self> {
        let folder = lock_folder()?;
        let start = u16::try_from(std::process::id() % u32::from(PORTS))?;
        for _ in 0..PORTS {
            let round = TRIES.fetch_add(1, Ordering::Relaxed);
            let offset = start.wrapping_add(round.wrapping_mul(count)) % (PORTS - count);
            if let Some(locks) = take(&folder, FIRST_PORT + offset, count)? {
                return Ok(Self {
                    first: FIRST_PORT + offset,
                    _locks: locks,
                });
            }
        }
        bail!("no {count} free ports in a row")
    }

    /// The first of them.
    #[must_use]
    pub fn first(&self) -> u16 {
        self.first
    }

    /// The address of one of them.
    #[must_use]
    pub fn address(&self, number: u16) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.first + number))
    }
}

fn lock_folder() -> Result<PathBuf> {
    let uid = rustix::process::geteuid().as_raw();
    let folder = std::env::temp_dir().join(format!("counterpart-test-ports-{uid}"));
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn take(folder: &Path, first: u16, count: u16) -> Result<Option<Vec<File>>> {
    let mut locks = Vec::new();
    for port in first..first + count {
        let path = folder.join(port.to_string());
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let file = file.with_context(|| format!("opening {}", path.display()))?;
        // The kernel lets go of it however this process ends.
        let is_ours = file.try_lock().is_ok();
        let address = (Ipv4Addr::LOCALHOST, port);
        if !is_ours || TcpListener::bind(address).is_err() || UdpSocket::bind(address).is_err() {
            return Ok(None);
        }
        locks.push(file);
    }
    Ok(Some(locks))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::Ports;

    #[test]
    fn two_reservations_never_share_a_port() {
        let all: Vec<Ports> = (0..20).map(|_| Ports::reserve(3).unwrap()).collect();
        let mut numbers: Vec<u16> = all
            .iter()
            .flat_map(|ports| ports.first()..ports.first() + 3)
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 60);
    }
}
