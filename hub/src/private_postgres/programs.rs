//! Finding the server programs.
//!
//! Debian keeps each major version in a folder of its own and none on the path. A cluster is only
//! ever run by the major that made it.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::{PrivatePostgresError, Result};

const OLDEST_MAJOR: u32 = 15;
const DEBIAN_FOLDER: &str = "/usr/lib/postgresql";
const CHOSEN_FOLDER: &str = "COUNTERPART_POSTGRES_BIN";

/// The folder of one version's `postgres` and `initdb`.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    bin: PathBuf,
    major: u32,
}

impl Programs {
    /// The chosen ones, or the newest that has PostGIS, or the newest.
    pub(super) fn newest() -> Result<Self> {
        let all = Self::all();
        let with_postgis = all.iter().filter(|programs| programs.has_postgis());
        let newest = with_postgis.max_by_key(|programs| programs.major);
        newest
            .or_else(|| all.iter().max_by_key(|programs| programs.major))
            .cloned()
            .ok_or(PrivatePostgresError::ProgramsMissing)
    }

    pub(super) fn of_major(major: u32) -> Result<Self> {
        let found = Self::all()
            .into_iter()
            .find(|programs| programs.major == major);
        found.ok_or(PrivatePostgresError::MajorMissing { major })
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.bin.join("postgres")
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.bin.join("initdb")
    }

    fn all() -> Vec<Self> {
        if let Some(chosen) = env::var_os(CHOSEN_FOLDER) {
            return Self::at(Path::new(&chosen)).into_iter().collect();
        }
        let debian = std::fs::read_dir(DEBIAN_FOLDER)
            .into_iter()
            .flatten()
            .flatten();
        let debian = debian.map(|version| version.path().join("bin"));
        let path = env::var_os("PATH").unwrap_or_default();
        debian
            .chain(env::split_paths(&path))
            .filter_map(|folder| Self::at(&folder))
            .filter(|programs| programs.major >= OLDEST_MAJOR)
            .collect()
    }

    fn at(bin: &Path) -> Option<Self> {
        // Links on the path lead to the folder that holds all programs of one version.
        let postgres = bin.join("postgres").canonicalize().ok()?;
        let bin = postgres.parent()?.to_path_buf();
        if !postgres.is_file() || !bin.join("initdb").is_file() {
            return None;
        }
        let major = debian_major(&bin).or_else(|| asked_major(&bin))?;
        Some(Self { bin, major })
    }

    fn has_postgis(&self) -> bool {
        let control = format!(
            "/usr/share/postgresql/{}/extension/postgis.control",
            self.major
        );
        Path::new(&control).is_file()
    }
}

/// `/usr/lib/postgresql/15/bin` says it in its name.
fn debian_major(bin: &Path) -> Option<u32> {
    let version = bin.strip_prefix(DEBIAN_FOLDER).ok()?.iter().next()?;
    version.to_str()?.parse().ok()
}

fn asked_major(bin: &Path) -> Option<u32> {
    let output = std::process::Command::new(bin.join("postgres"))
        .arg("--version")
        .output()
        .ok()?;
    major_in(&String::from_utf8(output.stdout).ok()?)
}

/// From `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major_in(version: &str) -> Option<u32> {
    let number = version
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let digits = number.split(|sign: char| !sign.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_is_read_from_path_or_version_line() {
        assert_eq!(
            debian_major(Path::new("/usr/lib/postgresql/15/bin")),
            Some(15)
        );
        assert_eq!(debian_major(Path::new("/opt/pg/bin")), None);
        assert_eq!(
            major_in("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(major_in("postgres (PostgreSQL) 18beta1"), Some(18));
    }
}
