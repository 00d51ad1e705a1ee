//! Files of `secrets/`: mode 600 below a folder of mode 700, outside the database and its backups.
//!
//! A file is written beside its place and renamed, so that a crash leaves the old or the new one.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::env::Env;
use crate::error::StoreError;

/// Seals person keys and stored answers.
pub const STORAGE_KEY: &str = "storage.key";
/// Fingerprints request bodies.
pub const IDEMPOTENCY_KEY: &str = "idempotency.key";
/// How far the log was, at least.
pub const HIGH_WATER: &str = "high_water";

pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.display().to_string();
    move |source| StoreError::Io { path, source }
}

/// The folder `secrets/` of a data directory, made when it is not there.
pub fn secrets_dir(dir: &Path) -> Result<PathBuf, StoreError> {
    let path = dir.join("secrets");
    if !path.is_dir() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(io(&path))?;
    }
    Ok(path)
}

/// Writes a file that only its owner reads, whole or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(io(&beside))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(io(&beside))?;
    fs::rename(&beside, path).map_err(io(path))?;
    if let Some(parent) = path.parent() {
        File::open(parent)
            .and_then(|folder| folder.sync_all())
            .map_err(io(parent))?;
    }
    Ok(())
}

/// Reads a key of 32 bytes, or makes it of random bytes when it is not there yet.
pub fn key_or_new(dir: &Path, name: &str, env: &Env) -> Result<Zeroizing<[u8; 32]>, StoreError> {
    let path = secrets_dir(dir)?.join(name);
    if !path.exists() {
        write_private(&path, &env.bytes::<32>())?;
    }
    let bytes = Zeroizing::new(fs::read(&path).map_err(io(&path))?);
    match <[u8; 32]>::try_from(bytes.as_slice()) {
        Ok(key) => Ok(Zeroizing::new(key)),
        Err(_) => Err(StoreError::Config {
            path: path.display().to_string(),
            what: "a key has 32 bytes".to_owned(),
        }),
    }
}

/// The high-water mark: the greatest number that the log is known to have had; 0 when there is none.
pub fn read_high_water(dir: &Path) -> Result<u64, StoreError> {
    let path = secrets_dir(dir)?.join(HIGH_WATER);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.trim().parse().unwrap_or(0)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(io(&path)(error)),
    }
}

/// Moves the high-water mark. Not flushed: it may lag, it only has to be right when it is ahead of a backup.
pub fn write_high_water(dir: &Path, seq: u64) -> Result<(), StoreError> {
    let path = secrets_dir(dir)?.join(HIGH_WATER);
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(io(&beside))?;
    file.write_all(format!("{seq}\n").as_bytes())
        .map_err(io(&beside))?;
    fs::rename(&beside, &path).map_err(io(&path))
}
