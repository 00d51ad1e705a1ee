//! The cluster's two passwords: its superuser's and the program's.
//!
//! Random, in `secrets/` with mode 600, outside the database and its backups (T-16).

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::{PrivatePostgresError, Result, error::io_error};

const LENGTH_BYTES: usize = 24;

/// Hexadecimal, so that they stand in an address and in a statement as they are.
pub(super) struct Passwords {
    pub(super) admin: String,
    pub(super) application: String,
}

impl Passwords {
    /// Those of this directory; new ones only while there is no cluster that knows others.
    pub(super) fn load_or_make(data_dir: &Path, has_cluster: bool) -> Result<Self> {
        let folder = data_dir.join("secrets");
        let path = folder.join("postgres-passwords");
        let known = fs::read_to_string(&path)
            .ok()
            .and_then(|text| Self::parse(&text));
        if let Some(known) = known {
            return Ok(known);
        }
        if has_cluster {
            return Err(PrivatePostgresError::PasswordMissing { path });
        }
        let made = Self {
            admin: random()?,
            application: random()?,
        };
        if !folder.exists() {
            let built = fs::DirBuilder::new().mode(0o700).create(&folder);
            built.map_err(io_error("make", &folder))?;
        }
        let text = format!("{}\n{}\n", made.admin, made.application);
        write_secret(&path, &text)?;
        Ok(made)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (admin, application) = (lines.next()?, lines.next()?);
        let is_whole = |line: &str| {
            line.len() == 2 * LENGTH_BYTES && line.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        (is_whole(admin) && is_whole(application)).then(|| Self {
            admin: admin.to_owned(),
            application: application.to_owned(),
        })
    }
}

/// Writes a file that only its owner may read, whole or not at all.
pub(super) fn write_secret(path: &Path, text: &str) -> Result<()> {
    let beside: PathBuf = path.with_extension("new");
    let write = || {
        let mut file = fs::File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(io_error("write", path))
}

fn random() -> Result<String> {
    let mut bytes = [0; LENGTH_BYTES];
    getrandom::fill(&mut bytes).map_err(PrivatePostgresError::NoRandomness)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
