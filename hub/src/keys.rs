//! The hub's secrets: files of `secrets/`, mode 600 in a folder of mode 700, made once and never changed.
//!
//! They lie outside the database and its backups. Nothing here is ever printed or sent.

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use domain::seal::{open_at_rest, seal_at_rest};
use domain::sensitive::Sensitive;
use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use crate::env::Env;
use crate::error::HubError;

/// Keys of this hub.
#[derive(Clone)]
pub struct Keys {
    /// The folder `secrets/`, where the certificate authority's files lie as well.
    pub dir: PathBuf,
    /// Signs for node 0: countersignatures.
    pub node0: SigningKey,
    /// MACs feed heads.
    pub feed: [u8; 32],
    /// Seals person keys and stored answers in the database.
    pub storage: [u8; 32],
    /// Fingerprints bodies of requests with an idempotency key.
    pub idempotency: [u8; 32],
    /// Makes QUIC's stateless reset tokens.
    pub quic_reset: [u8; 64],
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

impl Keys {
    /// Reads the keys of `data_dir`, making those that are missing.
    pub fn load_or_create(data_dir: &Path, env: &Env) -> Result<Self, HubError> {
        let dir = data_dir.join("secrets");
        make_dir(&dir)?;
        let node0: [u8; 32] = fixed(&dir, "node0.key", env)?;
        Ok(Keys {
            node0: SigningKey::from_bytes(&node0),
            feed: fixed(&dir, "feed.key", env)?,
            storage: fixed(&dir, "storage.key", env)?,
            idempotency: fixed(&dir, "idempotency.key", env)?,
            quic_reset: fixed(&dir, "quic_reset.key", env)?,
            dir,
        })
    }

    /// Seals bytes for a table; `label` says what they are and for whom.
    pub fn seal_at_rest(&self, env: &Env, label: &[u8], bytes: &[u8]) -> Result<Vec<u8>, HubError> {
        Ok(seal_at_rest(&self.storage, label, env.random(), bytes)?)
    }

    /// Opens what [`Self::seal_at_rest`] sealed.
    pub fn open_at_rest(
        &self,
        label: &[u8],
        sealed: &[u8],
    ) -> Result<Sensitive<Vec<u8>>, HubError> {
        Ok(open_at_rest(&self.storage, label, sealed)?)
    }
}

fn make_dir(dir: &Path) -> Result<(), HubError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| HubError::Secrets {
            path: dir.to_owned(),
            source,
        })
}

fn fixed<const N: usize>(dir: &Path, name: &str, env: &Env) -> Result<[u8; N], HubError> {
    let bytes = read_or_create_secret(dir, name, || env.random::<N>().to_vec())?;
    bytes
        .as_slice()
        .try_into()
        .map_err(|_| HubError::SecretsLength {
            path: dir.join(name),
        })
}

/// Reads the file `name` of `dir`, or makes it (mode 600, flushed) with what `make` gives. Of two processes that make
/// it at the same time both get the bytes of the first.
pub fn read_or_create_secret(
    dir: &Path,
    name: &str,
    make: impl FnOnce() -> Vec<u8>,
) -> Result<Zeroizing<Vec<u8>>, HubError> {
    make_dir(dir)?;
    let path = dir.join(name);
    let failed = |source| HubError::Secrets {
        path: path.clone(),
        source,
    };
    if let Some(bytes) = read(&path).map_err(failed)? {
        return Ok(bytes);
    }
    let bytes = Zeroizing::new(make());
    let temporary = dir.join(format!("{name}.{}.new", std::process::id()));
    write(&temporary, &bytes).map_err(failed)?;
    let linked = fs::hard_link(&temporary, &path);
    fs::remove_file(&temporary).map_err(failed)?;
    match linked {
        Ok(()) => {
            fs::File::open(dir)
                .and_then(|folder| folder.sync_all())
                .map_err(failed)?;
            Ok(bytes)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(&path)
            .map_err(failed)?
            .ok_or_else(|| failed(ErrorKind::NotFound.into())),
        Err(error) => Err(failed(error)),
    }
}

fn read(path: &Path) -> std::io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Zeroizing::new(Vec::new());
    file.read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
