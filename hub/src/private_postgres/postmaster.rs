//! The server's process: starting, knowing whether it is there, stopping.
//!
//! A process counts as ours only when its working folder is the cluster's: process ids are reused.
//! Only processes that do are ever signalled.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Child,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use super::{
    POLL_EVERY, PrivatePostgresError, Result, account::Account, error::io_error, programs::Programs,
};

const FAST_WITHIN: Duration = Duration::from_secs(60);
const IMMEDIATE_WITHIN: Duration = Duration::from_secs(10);
/// How long a value that is dropped waits for its server.
const DROP_WITHIN: Duration = Duration::from_secs(5);

/// How a server is stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Manner {
    /// Connections are closed, a checkpoint is written
    Fast,
    /// Everything ends at once; the next start recovers
    Immediate,
}

impl Manner {
    fn signal(self) -> Signal {
        match self {
            Self::Fast => Signal::INT,
            Self::Immediate => Signal::QUIT,
        }
    }
}

/// A postmaster that we started or adopted.
#[derive(Debug)]
pub(super) struct Postmaster {
    pid: Pid,
    data: PathBuf,
    /// Absent for an adopted one, which is not our child
    child: Option<Child>,
    is_released: bool,
}

/// A postmaster found running, and its port.
pub(super) struct RunningPostmaster {
    pub(super) postmaster: Postmaster,
    pub(super) port: u16,
}

impl Postmaster {
    pub(super) fn spawn(
        programs: &Programs,
        account: &Account,
        data: &Path,
        log: File,
    ) -> Result<Self> {
        let mut command = account.command(&programs.postgres());
        command.arg("-D").arg(data);
        let error_log = log.try_clone().map_err(io_error("open the log of", data))?;
        let spawned = command.stdout(log).stderr(error_log).spawn();
        let child = spawned.map_err(|source| PrivatePostgresError::Program {
            program: programs.postgres(),
            source,
        })?;
        let pid = Pid::from_child(&child);
        Ok(Self {
            pid,
            data: data.to_path_buf(),
            child: Some(child),
            is_released: false,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    pub(super) fn is_alive(&mut self) -> bool {
        match &mut self.child {
            Some(child) => matches!(child.try_wait(), Ok(None)),
            None => is_postgres_in(self.pid, &self.data),
        }
    }

    /// Whether it says that it takes connections, on this port. Until then somebody else may be
    /// listening there, who is not to be given a password.
    pub(super) fn is_ready(&self, port: u16) -> bool {
        LockFile::read(&self.data.join("postmaster.pid"))
            .is_some_and(|lock| lock.pid == self.pid && lock.port == port && lock.is_ready)
    }

    /// Stops it and waits until it is gone, asking more firmly when it takes too long.
    pub(super) async fn stop(&mut self, manner: Manner) -> Result<()> {
        let steps = match manner {
            Manner::Fast => &[
                (Manner::Fast, FAST_WITHIN),
                (Manner::Immediate, IMMEDIATE_WITHIN),
            ][..],
            Manner::Immediate => &[(Manner::Immediate, IMMEDIATE_WITHIN)][..],
        };
        for (manner, within) in steps {
            if self.ends_after(manner.signal(), *within).await {
                return Ok(());
            }
        }
        if self.ends_after(Signal::KILL, IMMEDIATE_WITHIN).await {
            return Ok(());
        }
        Err(PrivatePostgresError::NotStopped { pid: self.pid() })
    }

    async fn ends_after(&mut self, signal: Signal, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        if self.is_alive() {
            send(self.pid, signal);
        }
        while self.is_alive() {
            if Instant::now() >= deadline {
                return false;
            }
            sleep(POLL_EVERY).await;
        }
        true
    }

    /// From now on dropping this leaves the server alone.
    pub(super) fn release(&mut self) {
        self.is_released = true;
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        if self.is_released || !self.is_alive() {
            return;
        }
        send(self.pid, Signal::INT);
        let deadline = std::time::Instant::now() + DROP_WITHIN;
        while self.is_alive() && std::time::Instant::now() < deadline {
            std::thread::sleep(POLL_EVERY);
        }
    }
}

/// The postmaster that the cluster's lock file names, if it is really there.
///
/// The file is Postgres's own guard against backends that outlived their postmaster, so it is
/// removed only when a foreign process has its number and nothing runs in the cluster.
pub(super) fn running_in(data: &Path) -> Result<Option<RunningPostmaster>> {
    let path = data.join("postmaster.pid");
    let Some(lock) = LockFile::read(&path) else {
        return Ok(None);
    };
    if is_postgres_in(lock.pid, data) {
        let postmaster = Postmaster {
            pid: lock.pid,
            data: data.to_path_buf(),
            child: None,
            is_released: false,
        };
        return Ok(Some(RunningPostmaster {
            postmaster,
            port: lock.port,
        }));
    }
    let is_number_reused = Path::new("/proc").join(lock.pid.to_string()).exists();
    if is_number_reused && processes_in(data).is_empty() {
        fs::remove_file(&path).map_err(io_error("remove", &path))?;
    }
    Ok(None)
}

/// The port of a server that really runs in this cluster and takes connections.
pub(super) fn port_of_running(data: &Path) -> Option<u16> {
    let lock = LockFile::read(&data.join("postmaster.pid"))?;
    (lock.is_ready && is_postgres_in(lock.pid, data)).then_some(lock.port)
}

/// Stops every server process of a cluster, whoever started it, and says whether there was one.
/// Blocks while it waits.
pub(super) fn stop_all_in(data: &Path) -> Result<bool> {
    let Ok(data) = data.canonicalize() else {
        return Ok(false);
    };
    let mut found = processes_in(&data);
    if found.is_empty() {
        return Ok(false);
    }
    let steps = [
        (Signal::INT, DROP_WITHIN),
        (Signal::QUIT, DROP_WITHIN),
        (Signal::KILL, DROP_WITHIN),
    ];
    for (signal, within) in steps {
        // The postmaster ends its own children; orphans without one are asked themselves.
        let postmaster = LockFile::read(&data.join("postmaster.pid")).map(|lock| lock.pid);
        match postmaster.filter(|pid| found.contains(pid) && signal != Signal::KILL) {
            Some(pid) => send(pid, signal),
            None => found.iter().for_each(|pid| send(*pid, signal)),
        }
        let deadline = std::time::Instant::now() + within;
        while !found.is_empty() && std::time::Instant::now() < deadline {
            std::thread::sleep(POLL_EVERY);
            found = processes_in(&data);
        }
        if found.is_empty() {
            return Ok(true);
        }
    }
    let pid = found
        .first()
        .map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs());
    Err(PrivatePostgresError::NotStopped { pid })
}

fn send(pid: Pid, signal: Signal) {
    // The one way to fail is that it has just ended, which is what we want.
    if let Err(error) = kill_process(pid, signal) {
        tracing::debug!(%error, %pid, "the server process could not be signalled");
    }
}

/// Whether this process is a live server process of this cluster.
fn is_postgres_in(pid: Pid, data: &Path) -> bool {
    let folder = Path::new("/proc").join(pid.to_string());
    let Ok(status) = fs::read_to_string(folder.join("stat")) else {
        return false;
    };
    // `pid (name) state …`; the name may hold anything, so what follows its last bracket counts.
    let Some((before, after)) = status.rsplit_once(')') else {
        return false;
    };
    let is_ended = after.trim_start().starts_with(['Z', 'X']);
    if is_ended || !before.contains("(postgres") {
        return false;
    }
    match fs::read_link(folder.join("cwd")) {
        Ok(folder) => folder == data,
        // Root without the right to trace others cannot read it; the name must do then.
        Err(error) => error.kind() == std::io::ErrorKind::PermissionDenied,
    }
}

fn processes_in(data: &Path) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(Pid::from_raw)
        .filter(|pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder == data))
        .filter(|pid| is_postgres_in(*pid, data))
        .collect()
}

/// What `postmaster.pid` says: process id in line 1, port in line 4, state in line 8.
struct LockFile {
    pid: Pid,
    port: u16,
    is_ready: bool,
}

impl LockFile {
    fn read(path: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(path).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let pid = Pid::from_raw(lines.first()?.parse().ok()?)?;
        let port = lines.get(3)?.parse().ok()?;
        Some(Self {
            pid,
            port,
            is_ready: lines.get(7) == Some(&"ready"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_says_process_and_port() {
        let lock = LockFile::parse("4711\n/data\n1700000000\n5433\n\n127.0.0.1\n 1 2\nready   \n");
        let lock = lock.map(|lock| (lock.pid.to_string(), lock.port, lock.is_ready));
        assert_eq!(lock, Some(("4711".into(), 5433, true)));
        let early = LockFile::parse("4711\n/data\n1700000000\n5433\n\n");
        assert!(early.is_some_and(|lock| !lock.is_ready));
        assert!(LockFile::parse("4711\n/data\n").is_none());
    }

    #[test]
    fn a_foreign_process_is_never_taken_for_ours() {
        let own = rustix::process::getpid();
        assert!(!is_postgres_in(own, Path::new("/")));
        assert!(processes_in(Path::new("/nowhere")).is_empty());
    }
}
