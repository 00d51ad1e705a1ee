//! Opening a data directory, and what that finds out: whether it was restored, which epoch comes next.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, RwLock};

use rusqlite::Connection;
use rustix::fs::{FlockOperation, flock};
use tokio::sync::{broadcast, watch};

use super::secrets::{IDEMPOTENCY_KEY, STORAGE_KEY, io, key_or_new, read_high_water};
use super::writer::Writer;
use super::{Inner, PersonIndex, QUEUE, Shared, Store, incident, log, migrate, reader, replay};
use crate::env::Env;
use crate::error::StoreError;
use crate::identity::NodeIdentity;

/// Name of the database in the data directory.
pub const DATABASE: &str = "counterpart.db";

/// What a commit does, on demand of a test or the simulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitFault {
    /// Nothing special.
    None,
    /// COMMIT gives an error and nothing is written.
    Fail,
    /// Everything is written and the answer is lost (F-25).
    LoseAnswer,
}

/// Faults on demand; by default there are none.
#[derive(Clone, Default)]
pub struct Faults {
    /// Asked before each COMMIT.
    pub at_commit: Option<Arc<dyn Fn() -> CommitFault + Send + Sync>>,
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faults")
            .field("at_commit", &self.at_commit.is_some())
            .finish()
    }
}

/// What is needed to open a data directory.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// The data directory.
    pub dir: PathBuf,
    /// Which node it is.
    pub identity: NodeIdentity,
    /// Clock and randomness.
    pub env: Env,
    /// Faults on demand.
    pub faults: Faults,
}

impl StoreConfig {
    /// The directory of a joined node, with the system's clock and randomness.
    ///
    /// # Errors
    /// When `node.toml` does not read.
    pub fn of(dir: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            dir: dir.to_owned(),
            identity: NodeIdentity::read(dir)?,
            env: Env::system(),
            faults: Faults::default(),
        })
    }
}

pub(super) fn open(config: StoreConfig) -> Result<Store, StoreError> {
    let StoreConfig {
        dir,
        identity,
        env,
        faults,
    } = config;
    let lock = prepare_dir(&dir)?;
    let storage_key = key_or_new(&dir, STORAGE_KEY, &env)?;
    let idempotency_key = key_or_new(&dir, IDEMPOTENCY_KEY, &env)?;
    let mut conn = open_writing(&dir.join(DATABASE))?;
    migrate::migrate(&mut conn)?;
    fill_log_headers(&mut conn)?;
    let tip = log::tip(&conn, &identity)?;
    let restored = read_high_water(&dir)? > tip.seq;
    if restored {
        let detail = format!(
            "the log ends at {} and was further before: the database was restored",
            tip.seq
        );
        incident::add(&conn, env.now_ms(), "restored", &detail)?;
    }
    let persons = PersonIndex::load(&conn, &storage_key)?;
    let shared = Arc::new(Shared {
        identity,
        env,
        storage_key,
        dir: dir.clone(),
        persons: RwLock::new(persons),
        digests: Mutex::new(None),
        part_words: Mutex::new(None),
        tip: watch::Sender::new(tip),
        vouch: AtomicU64::new(0),
        feed_checks: watch::Sender::new(1),
        notices: broadcast::Sender::new(1_024),
        epoch: AtomicU64::new(0),
        clock_marked: AtomicBool::new(false),
        faults,
    });
    let (queue, jobs) = sync_channel(QUEUE);
    let writer = Writer::new(conn, shared.clone(), jobs)?;
    let thread = std::thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || writer.run())
        .map_err(io(&dir))?;
    Ok(Store {
        inner: Arc::new(Inner {
            readers: reader::Pool::new(dir.join(DATABASE)),
            shared,
            queue: Some(queue),
            thread: Mutex::new(Some(thread)),
            restored,
            idempotency_key,
            _lock: lock,
        }),
    })
}

/// A database that was written before the log's heads were kept gets them now, in one commit.
fn fill_log_headers(conn: &mut Connection) -> Result<(), StoreError> {
    let transaction = conn.transaction()?;
    log::header::fill(&transaction, &transaction)?;
    Ok(transaction.commit()?)
}

/// Makes the directory private and takes its lock.
fn prepare_dir(dir: &Path) -> Result<File, StoreError> {
    if !dir.is_dir() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(io(dir))?;
    }
    fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(io(dir))?;
    let path = dir.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(io(&path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::Locked {
            path: dir.display().to_string(),
        }),
        Err(error) => Err(io(&path)(error.into())),
    }
}

fn open_writing(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(path)
            .map_err(io(path))?;
    }
    let conn = Connection::open(path)?;
    // A newer program's database must not even be switched to WAL.
    migrate::check(&conn)?;
    conn.pragma_update(None, "journal_mode", "wal")?;
    configure(&conn)?;
    conn.pragma_update(None, "synchronous", "full")?;
    conn.pragma_update(None, "wal_autocheckpoint", 0)?;
    conn.pragma_update(None, "cache_size", -24_000)?;
    Ok(conn)
}

pub(crate) fn configure(conn: &Connection) -> Result<(), StoreError> {
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "temp_store", "memory")?;
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    conn.set_prepared_statement_cache_capacity(256);
    Ok(())
}

/// Makes all derived tables anew from log and feeds, in one commit. Refuses while a server runs.
///
/// # Errors
/// When the directory is in use, or log and feeds do not read.
pub fn rebuild(dir: &Path) -> Result<(), StoreError> {
    let identity = NodeIdentity::read(dir)?;
    let _lock = prepare_dir(dir)?;
    let mut conn = open_writing(&dir.join(DATABASE))?;
    migrate::migrate(&mut conn)?;
    if !super::verify::chain_holds(&conn, &identity)? {
        let what = "log or feeds are not intact; a rebuild would make that permanent".to_owned();
        return Err(StoreError::Corrupt {
            table: "log_entry",
            what,
        });
    }
    let transaction = conn.transaction()?;
    replay::clear(&transaction)?;
    replay::replay(&transaction, &transaction, &identity)?;
    transaction.commit()?;
    Ok(())
}
