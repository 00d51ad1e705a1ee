//! Where the cluster lies, and its files.
//!
//! Normally in `postgres/` below the data directory. Where the server's account cannot enter that
//! (root's own folders are closed to it), below `/var/lib/counterpart-postgres`, and a file
//! `postgres-location` in the data directory says where. A cluster is made beside its final name,
//! so that a half-made one is never taken for one; no cluster with data is ever deleted here
//! without being told to.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    PrivatePostgresError, Result,
    account::Account,
    error::io_error,
    password::{Passwords, write_secret},
    postmaster,
    programs::Programs,
    settings::{ADMIN_ROLE, HOST_RULES, Settings, port_in},
};

const ELSEWHERE: &str = "/var/lib/counterpart-postgres";
const LOCATION_FILE: &str = "postgres-location";
const OWNER_FILE: &str = "belongs-to";
const LOG_TAIL_BYTES: u64 = 4096;

/// The folder that holds the cluster (`data/`) and the server's log.
#[derive(Clone, Debug)]
pub(super) struct Place {
    home: PathBuf,
}

impl Place {
    /// Where this directory's cluster is, if it has a place already.
    pub(super) fn known(data_dir: &Path) -> Result<Option<Self>> {
        let location = data_dir.join(LOCATION_FILE);
        match fs::read_to_string(&location) {
            Ok(text) => {
                return Ok(Some(Self {
                    home: PathBuf::from(text.trim_end()),
                }));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error("read", &location)(error)),
        }
        let home = data_dir.join("postgres");
        if !home.exists() {
            return Ok(None);
        }
        // Processes are told apart by the resolved path of their folder.
        let home = home.canonicalize().map_err(io_error("resolve", &home))?;
        Ok(Some(Self { home }))
    }

    /// The known place if it is this directory's own: a copy of another directory knows a place
    /// that it may not touch.
    pub(super) fn owned(data_dir: &Path) -> Result<Option<Self>> {
        let Ok(data_dir) = data_dir.canonicalize() else {
            return Ok(None);
        };
        let Some(place) = Self::known(&data_dir)? else {
            return Ok(None);
        };
        let owner = fs::read_to_string(place.home.join(OWNER_FILE)).unwrap_or_default();
        let is_inside = place.home.starts_with(&data_dir);
        Ok((is_inside || Path::new(owner.trim_end()) == data_dir).then_some(place))
    }

    /// The known place, or a new one that the account can enter. `data_dir` is resolved.
    pub(super) fn settle(data_dir: &Path, account: &Account, programs: &Programs) -> Result<Self> {
        if data_dir.join(LOCATION_FILE).exists()
            && let Some(place) = Self::known(data_dir)?
        {
            place.claim(data_dir)?;
            return Ok(place);
        }
        let inside = Self {
            home: data_dir.join("postgres"),
        };
        make_folder(&inside.home)?;
        if inside.has_cluster() || account.can_enter(&inside.home, programs) {
            let home = inside
                .home
                .canonicalize()
                .map_err(io_error("resolve", &inside.home))?;
            return Ok(Self { home });
        }
        fs::remove_dir(&inside.home).map_err(io_error("remove", &inside.home))?;
        let place = Self::elsewhere(data_dir)?;
        let text = format!("{}\n", place.home.display());
        write_secret(&data_dir.join(LOCATION_FILE), &text)?;
        Ok(place)
    }

    /// A new folder below [`ELSEWHERE`]. Older ones of a directory with this path, which was
    /// deleted since, are stopped and left as they are.
    fn elsewhere(data_dir: &Path) -> Result<Self> {
        make_folder(Path::new(ELSEWHERE))?;
        let digest = Sha256::digest(data_dir.as_os_str().as_encoded_bytes());
        let name: String = digest[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        for number in 1_u32.. {
            let place = Self {
                home: Path::new(ELSEWHERE).join(format!("{name}-{number}")),
            };
            if place.home.exists() {
                postmaster::stop_all_in(&place.data())?;
                continue;
            }
            make_folder(&place.home)?;
            place.claim(data_dir)?;
            let home = place
                .home
                .canonicalize()
                .map_err(io_error("resolve", &place.home))?;
            return Ok(Self { home });
        }
        unreachable!("four thousand million folders of one name")
    }

    /// Writes down whose cluster this is; refuses when that one is still there (F-23). A moved
    /// directory takes its cluster along.
    fn claim(&self, data_dir: &Path) -> Result<()> {
        let path = self.home.join(OWNER_FILE);
        if let Ok(owner) = fs::read_to_string(&path) {
            let owner = PathBuf::from(owner.trim_end());
            if owner == data_dir {
                return Ok(());
            }
            let named = fs::read_to_string(owner.join(LOCATION_FILE));
            if named.is_ok_and(|named| Path::new(named.trim_end()) == self.home) {
                return Err(PrivatePostgresError::PlaceTaken {
                    home: self.home.clone(),
                    owner,
                });
            }
        }
        write_secret(&path, &format!("{}\n", data_dir.display()))
    }

    pub(super) fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    fn log(&self) -> PathBuf {
        self.home.join("postgres.log")
    }

    fn settings(&self) -> PathBuf {
        self.data().join("postgresql.conf")
    }

    pub(super) fn has_cluster(&self) -> bool {
        self.data().join("PG_VERSION").exists()
    }

    /// The major version that made the cluster, `None` before there is one.
    pub(super) fn cluster_major(&self) -> Result<Option<u32>> {
        let path = self.data().join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("read", &path)(error)),
        }
    }

    /// Runs `initdb` beside the final place and moves the result there.
    pub(super) async fn make_cluster(
        &self,
        programs: &Programs,
        account: &Account,
        passwords: &Passwords,
        fsync: bool,
    ) -> Result<()> {
        let unfinished = self.home.join("data.new");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(io_error("remove", &unfinished))?;
        }
        let built = fs::DirBuilder::new().mode(0o700).create(&unfinished);
        built.map_err(io_error("make", &unfinished))?;
        account.own(&unfinished)?;
        let password = self.home.join("initdb-password");
        write_secret(&password, &passwords.admin)?;
        account.own(&password)?;
        let mut command = account.command(&programs.initdb());
        command
            .arg("-D")
            .arg(&unfinished)
            .arg("--pwfile")
            .arg(&password);
        command.args([
            "-U",
            ADMIN_ROLE,
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--data-checksums",
        ]);
        command.args(["--auth-host=scram-sha-256", "--auth-local=reject"]);
        if !fsync {
            command.arg("--no-sync");
        }
        let output = tokio::process::Command::from(command).output().await;
        fs::remove_file(&password).map_err(io_error("remove", &password))?;
        let output = output.map_err(|source| PrivatePostgresError::Program {
            program: programs.initdb(),
            source,
        })?;
        if !output.status.success() {
            let output = String::from_utf8_lossy(&output.stderr)
                .trim_end()
                .to_owned();
            return Err(PrivatePostgresError::Initdb { output });
        }
        let finish = || {
            fs::write(unfinished.join("pg_hba.conf"), HOST_RULES)?;
            fs::rename(&unfinished, self.data())?;
            File::open(&self.home)?.sync_all()
        };
        finish().map_err(io_error("move into place", &unfinished))
    }

    /// Whether the server was last started with exactly these settings.
    pub(super) fn settings_are(&self, settings: &Settings) -> bool {
        fs::read_to_string(self.settings()).is_ok_and(|text| text == settings.text())
    }

    pub(super) fn previous_port(&self) -> Option<u16> {
        port_in(&fs::read_to_string(self.settings()).ok()?)
    }

    pub(super) fn write_settings(&self, settings: &Settings, account: &Account) -> Result<()> {
        let path = self.settings();
        fs::write(&path, settings.text()).map_err(io_error("write", &path))?;
        account.own(&path)
    }

    /// A new log; the former one is kept once.
    pub(super) fn begin_log(&self) -> Result<File> {
        let path = self.log();
        match fs::rename(&path, path.with_extension("log.1")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io_error("rename", &path)(error));
            }
            _ => {}
        }
        // Appending, so that emptying the file under a running server leaves no hole in it.
        let opened = File::options().create(true).append(true).open(&path);
        opened.map_err(io_error("open", &path))
    }

    /// Empties a log that has grown past the limit (INV-16).
    pub(super) fn limit_log(&self, limit_bytes: u64) {
        let path = self.log();
        if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > limit_bytes)
            && let Err(error) = File::options()
                .write(true)
                .open(&path)
                .and_then(|file| file.set_len(0))
        {
            tracing::warn!(%error, "the log of the private Postgres cannot be emptied");
        }
    }

    /// The last lines of the server's log.
    pub(super) fn log_tail(&self) -> String {
        let read = || -> io::Result<Vec<u8>> {
            let mut file = File::open(self.log())?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL_BYTES)))?;
            let mut bytes = Vec::new();
            file.take(LOG_TAIL_BYTES).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().unwrap_or_default();
        String::from_utf8_lossy(&bytes).trim_end().to_owned()
    }

    /// Deletes the cluster and what says where it was.
    pub(super) fn delete(&self, data_dir: &Path) -> Result<()> {
        for path in [self.home.clone(), data_dir.join(LOCATION_FILE)] {
            let deleted = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            match deleted {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(io_error("delete", &path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A folder that others may pass through, whatever our umask is; the cluster inside is closed.
fn make_folder(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let make = || {
        fs::create_dir(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))
    };
    make().map_err(io_error("make", path))
}
