//! The branch's database: one SQLite file, one thread that writes it, a few connections that read it.
//!
//! Everything that happens is a transaction in the log; the tables are what log and feeds come to, kept in the same
//! commit by the one function `project::Projector::apply`. Nothing answers before COMMIT (INV-1). SQL stands here
//! and nowhere else; decisions about the shop stand in `app` and `domain`.

pub mod audit;
pub mod catalogue;
pub mod customer;
pub mod digest;
pub mod document;
pub mod feed;
pub mod idempotency;
pub mod import_record;
pub mod incident;
pub mod inventory;
pub mod log;
mod migrate;
pub mod money;
mod open;
pub mod order;
pub mod parked;
pub mod person;
pub mod project;
pub mod reader;
mod replay;
pub mod secrets;
pub mod session;
pub mod staff;
pub mod stock;
pub mod sync;
pub mod transfer;
mod tx;

pub(crate) use tx::business_day;
mod value;
pub mod verify;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use domain::id::{DocumentId, PartId, StaffId, TransferId};
use domain::staff::Role;
use sync_protocol::position::{Epoch, Tip};
use tokio::sync::{broadcast, oneshot, watch};

use crate::env::Env;
use crate::error::{AppError, StoreError};
use crate::identity::NodeIdentity;
pub use feed::FeedStep;
pub use migrate::SCHEMA;
pub use open::{CommitFault, Faults, StoreConfig, rebuild};
pub use person::{PersonIndex, PersonMatch};
pub use reader::Reader;
pub use sync::SyncState;
pub use tx::{BranchSettings, WriteTx};
pub use verify::{VerifyReport, verify};

/// Jobs that may wait for the writer; one more is answered with [`AppError::Busy`].
pub const QUEUE: usize = 1_024;

/// Who does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// The person; nil for the system.
    pub staff: StaffId,
    /// What the person is.
    pub role: Role,
    /// From which terminal; 0 for the API.
    pub terminal: u16,
}

impl Actor {
    /// The node itself.
    pub const SYSTEM: Actor = Actor {
        staff: StaffId::NIL,
        role: Role::Operator,
        terminal: 0,
    };
}

/// What a commit touched; pages that show it ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touched {
    /// An order.
    Order(DocumentId),
    /// A customer.
    Customer(DocumentId),
    /// Inventory settings.
    Inventory(DocumentId),
    /// Quantities of a part.
    Stock(PartId),
    /// A transfer.
    Transfer(TransferId),
    /// Receipts, payments or cash sessions.
    Money,
    /// Rows of the hub, by item kind.
    Rows(u16),
    /// Incidents, decisions, conflicts or parked items.
    Exceptions,
    /// What the hub has stored and applied.
    Sync,
}

/// A commit and what it touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The log's tip behind it.
    pub tip: Tip,
    /// What it touched, each once.
    pub touched: Vec<Touched>,
}

/// What writer, readers and handles share.
pub(crate) struct Shared {
    pub(crate) identity: NodeIdentity,
    pub(crate) env: Env,
    pub(crate) storage_key: zeroize::Zeroizing<[u8; 32]>,
    pub(crate) dir: PathBuf,
    pub(crate) persons: RwLock<PersonIndex>,
    pub(crate) digests: Mutex<digest::Kept>,
    pub(crate) part_words: Mutex<catalogue::KeptWords>,
    pub(crate) tip: watch::Sender<Tip>,
    pub(crate) vouch: AtomicU64,
    /// How often the feeds were to be looked through: at the start, after every business day, when somebody asks.
    pub(crate) feed_checks: watch::Sender<u64>,
    pub(crate) notices: broadcast::Sender<Arc<Notice>>,
    pub(crate) epoch: AtomicU64,
    pub(crate) clock_marked: AtomicBool,
    pub(crate) faults: Faults,
}

impl Shared {
    /// The feeds are to be looked through as soon as the hub can be asked.
    pub(crate) fn look_at_feeds(&self) {
        self.feed_checks.send_modify(|checks| *checks += 1);
    }
}

/// A handle of the open database; cheap to clone. The last one closes it and waits for the writer.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.inner.shared.dir.display())
    }
}

struct Inner {
    shared: Arc<Shared>,
    readers: reader::Pool,
    queue: Option<SyncSender<Box<dyn writer::Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    restored: bool,
    idempotency_key: zeroize::Zeroizing<[u8; 32]>,
    _lock: std::fs::File,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue = None;
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writer thread ended with a panic");
        }
    }
}

impl Store {
    /// Opens or makes the database of a data directory: locks it, migrates it, draws an epoch, starts the writer.
    ///
    /// # Errors
    /// When another process has it, a newer program wrote it, or the disk says no.
    pub fn open(config: StoreConfig) -> Result<Self, StoreError> {
        open::open(config)
    }

    /// Runs `work` in the writer, within one commit. `Ok` means committed and on disk; `Err` that nothing changed,
    /// but for [`StoreError::CommitFailed`], where that is unknown.
    pub async fn write<T, F>(&self, work: F) -> Result<T, AppError>
    where
        T: Send + 'static,
        F: FnOnce(&mut WriteTx<'_>) -> Result<T, AppError> + Send + 'static,
    {
        self.submit(work)?
            .await
            .unwrap_or(Err(AppError::Store(StoreError::Closed)))
    }

    /// [`Store::write`] for threads without a runtime.
    pub fn write_blocking<T, F>(&self, work: F) -> Result<T, AppError>
    where
        T: Send + 'static,
        F: FnOnce(&mut WriteTx<'_>) -> Result<T, AppError> + Send + 'static,
    {
        self.submit(work)?
            .blocking_recv()
            .unwrap_or(Err(AppError::Store(StoreError::Closed)))
    }

    fn submit<T, F>(&self, work: F) -> Result<oneshot::Receiver<Result<T, AppError>>, AppError>
    where
        T: Send + 'static,
        F: FnOnce(&mut WriteTx<'_>) -> Result<T, AppError> + Send + 'static,
    {
        let (job, answer) = writer::job(work);
        let Some(queue) = &self.inner.queue else {
            return Err(StoreError::Closed.into());
        };
        match queue.try_send(job) {
            Ok(()) => Ok(answer),
            Err(TrySendError::Full(_)) => Err(AppError::Busy),
            Err(TrySendError::Disconnected(_)) => Err(StoreError::Closed.into()),
        }
    }

    /// Runs `work` on a reading connection, off the async threads, over one consistent state.
    pub async fn read<T, F>(&self, work: F) -> Result<T, AppError>
    where
        T: Send + 'static,
        F: FnOnce(&Reader<'_>) -> Result<T, AppError> + Send + 'static,
    {
        let permit = self.inner.readers.permit().await;
        let inner = self.inner.clone();
        let read = tokio::task::spawn_blocking(move || {
            let result = inner.readers.read(&inner.shared, work);
            drop(permit);
            result
        });
        read.await
            .unwrap_or(Err(AppError::Store(StoreError::Panicked)))
    }

    /// [`Store::read`] for threads without a runtime.
    pub fn read_blocking<T>(
        &self,
        work: impl FnOnce(&Reader<'_>) -> Result<T, AppError>,
    ) -> Result<T, AppError> {
        self.inner.readers.read(&self.inner.shared, work)
    }

    /// Which node this is.
    pub fn identity(&self) -> &NodeIdentity {
        &self.inner.shared.identity
    }

    /// Clock and randomness.
    pub fn env(&self) -> &Env {
        &self.inner.shared.env
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        &self.inner.shared.dir
    }

    /// The epoch in which this process writes now.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.inner.shared.epoch.load(Ordering::Acquire))
    }

    /// The log's tip, as it moves.
    pub fn tip(&self) -> watch::Receiver<Tip> {
        self.inner.shared.tip.subscribe()
    }

    /// The newest entry that a signed head should vouch for soon: the end of a cash session or of a day.
    pub fn vouch_for(&self) -> u64 {
        self.inner.shared.vouch.load(Ordering::Acquire)
    }

    /// How often the feeds were to be looked through for entries that are lost here, as it grows.
    pub fn feed_checks(&self) -> watch::Receiver<u64> {
        self.inner.shared.feed_checks.subscribe()
    }

    /// Has the feeds looked through as soon as the hub can be asked for what is lost of them.
    pub fn look_at_feeds(&self) {
        self.inner.shared.look_at_feeds();
    }

    /// Commits and what they touched, as they happen. A slow reader loses some and is told so.
    pub fn notices(&self) -> broadcast::Receiver<Arc<Notice>> {
        self.inner.shared.notices.subscribe()
    }

    /// Whether the database lay behind its high-water mark when it was opened: it was restored from a backup.
    pub fn was_restored(&self) -> bool {
        self.inner.restored
    }

    /// The secret under which request bodies are fingerprinted, from `secrets/idempotency.key`.
    pub fn idempotency_key(&self) -> [u8; 32] {
        *self.inner.idempotency_key
    }

    /// Marks transactions from now on: the node knows that its clock is off (or no longer is).
    pub fn mark_clock(&self, is_off: bool) {
        self.inner
            .shared
            .clock_marked
            .store(is_off, Ordering::Release);
    }
}
