//! Under which account the server runs.
//!
//! Postgres refuses to run as root, so root runs it as `postgres`. Everybody else runs it as
//! himself. Files are handed over one by one, never a tree that is not ours.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt},
    path::Path,
    process::{Command, Stdio},
};

use super::{PrivatePostgresError, Result, error::io_error, programs::Programs};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    /// The one we run under
    Own,
    /// `postgres`, because we are root
    Postgres { uid: u32, gid: u32 },
}

impl Account {
    pub(super) fn find() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        let accounts = fs::read_to_string("/etc/passwd")
            .map_err(io_error("read", Path::new("/etc/passwd")))?;
        postgres_in(&accounts).ok_or(PrivatePostgresError::NoPostgresAccount)
    }

    /// A command that runs under this account, in its own process group, and is told nothing of
    /// our environment: neither `PG…` settings nor anything secret.
    pub(super) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC");
        command
            .current_dir("/")
            .stdin(Stdio::null())
            .process_group(0);
        if let Self::Postgres { uid, gid } = self {
            // Setting a uid as root also drops root's supplementary groups.
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Makes this account the owner of one file or folder.
    pub(super) fn own(self, path: &Path) -> Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Postgres { uid, gid } => {
                chown(path, Some(uid), Some(gid)).map_err(io_error("hand over", path))
            }
        }
    }

    /// Whether this account can get into a folder: tried, since modes alone do not tell.
    pub(super) fn can_enter(self, folder: &Path, programs: &Programs) -> bool {
        let mut command = self.command(&programs.postgres());
        command
            .current_dir(folder)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

fn postgres_in(accounts: &str) -> Option<Account> {
    let line = accounts
        .lines()
        .find(|line| line.starts_with("postgres:"))?;
    let mut fields = line.split(':').skip(2);
    let uid = fields.next()?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Account::Postgres { uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_found_in_the_list() {
        let accounts = "root:x:0:0:root:/:/bin/sh\npostgres:x:101:104:PG,,,:/var/lib:/bin/bash\n";
        assert_eq!(
            postgres_in(accounts),
            Some(Account::Postgres { uid: 101, gid: 104 })
        );
        assert_eq!(postgres_in("root:x:0:0:root:/:/bin/sh\n"), None);
    }
}
