//! Use cases of the hub: taking in logs, publishing feeds, and everything that managers do.
//!
//! [`Hub`] is what handlers, workers and the sync driver share. Every effect on a log's tables goes through
//! `apply`, in one SQL transaction with the log itself.

mod apply;
pub mod audit;
mod availability;
pub mod branch;
mod cache;
mod command;
mod commit;
pub mod conflict;
pub mod customer;
pub mod document;
pub mod enrol;
pub mod error;
pub mod exceptions;
mod feeds;
mod head;
pub mod idempotency;
pub(crate) mod ingest;
pub mod lacking;
mod lineage;
pub mod look_up;
pub mod mending;
pub mod money;
pub mod network;
pub mod order;
pub mod parked;
pub mod part;
mod person_keys;
pub mod preset;
mod publish;
pub mod reconcile;
pub mod search;
pub mod session;
pub mod settings;
pub mod staff;
pub mod stock;
pub mod transfer;
pub mod verify;
pub mod watch;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use domain::id::{BranchId, DocumentId};
use domain::reconcile::Patience;
use domain::sensitive::Sensitive;
use sync_protocol::document::Document;
use tokio::sync::{Mutex as AsyncMutex, mpsc};

pub use command::{Actor, Committed, HubTx};
pub use ingest::SubmitReply;
pub use lineage::{Link, LinkChange, NodeRow, branch_feeds};
pub use watch::{Activity, SessionEvent, Topic};

pub use crate::worker::Workers;

use crate::app::commit::Committer;
use crate::app::ingest::Submission;
use crate::app::lineage::Links;
use crate::app::watch::Watch;
use crate::env::Env;
use crate::error::HubError;
use crate::keys::Keys;
use crate::outside::{Outside, OutsideSettings};
use crate::payment::Providers;
use crate::store;
use crate::store::db::{PgConnectOptions, PgPool, PgPoolOptions, SqlError, SqlTransaction};

/// Submissions that wait for the group commit; a session waits while there are more.
const QUEUE: usize = 4_096;

/// Bounds and intervals of a hub process.
#[derive(Debug, Clone)]
pub struct HubOptions {
    /// Documents kept in memory.
    pub cache_documents: usize,
    /// How often availability is cut.
    pub availability_every: Duration,
    /// How long after a part reached or left zero.
    pub availability_delay: Duration,
    /// Connections to the database.
    pub connections: u32,
    /// When others are left alone, and when they are asked again.
    pub outside: OutsideSettings,
    /// The hour of a branch's night in its own zone; none for no nights by themselves.
    pub night_hour: Option<u8>,
    /// How long things may take before a night looks at them.
    pub patience: Patience,
}

impl Default for HubOptions {
    fn default() -> Self {
        HubOptions {
            cache_documents: 16_384,
            availability_every: Duration::from_secs(300),
            availability_delay: Duration::from_secs(2),
            connections: 16,
            night_hour: None,
            patience: Patience::default(),
            outside: OutsideSettings::default(),
        }
    }
}

/// Who moves money, and the card readers by the codes of their branches.
#[derive(Debug)]
pub struct PaymentDesk {
    /// The providers.
    pub providers: Providers,
    /// Readers.
    pub readers: BTreeMap<String, String>,
}

/// One hub process over its database.
pub struct Hub {
    pool: PgPool,
    env: Env,
    keys: Keys,
    options: HubOptions,
    committer: Arc<AsyncMutex<Committer>>,
    queue: mpsc::Sender<Submission>,
    queue_end: Mutex<Option<mpsc::Receiver<Submission>>>,
    watch: Watch,
    links: Mutex<Links>,
    people: OnceLock<search::People>,
    outside: Arc<Outside>,
    desk: OnceLock<PaymentDesk>,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Hub {
    /// Connects, brings the schema up to date, and draws this process's identity. Its epoch is drawn with its first
    /// write.
    pub async fn open(
        database: PgConnectOptions,
        keys: Keys,
        env: Env,
        options: HubOptions,
    ) -> Result<Arc<Self>, HubError> {
        let pool = PgPoolOptions::new()
            .max_connections(options.connections)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(database)
            .await?;
        store::MIGRATIONS.run(&pool).await?;
        let (queue, queue_end) = mpsc::channel(QUEUE);
        Ok(Arc::new(Hub {
            committer: Arc::new(AsyncMutex::new(Committer::new(options.cache_documents))),
            watch: Watch::new(env.random()),
            queue,
            queue_end: Mutex::new(Some(queue_end)),
            links: Mutex::new(Links::default()),
            people: OnceLock::new(),
            outside: Arc::new(Outside::new(options.outside)),
            desk: OnceLock::new(),
            pool,
            env,
            keys,
            options,
        }))
    }

    /// Brings a database's schema up to date; a newer one is refused untouched.
    pub async fn migrate(database: &PgConnectOptions) -> Result<(), HubError> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_with(database.clone())
            .await?;
        let result = store::MIGRATIONS.run(&pool).await;
        pool.close().await;
        Ok(result?)
    }

    /// Starts the workers: group commit, availability, and listening to other hub processes. Only once.
    pub fn start(self: &Arc<Self>) -> Workers {
        let queue = self
            .queue_end
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        Workers::start(self, queue)
    }

    /// Whether the database answers: a connection is tried before it is lent.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), HubError> {
        self.pool.acquire().await?;
        Ok(())
    }

    /// The database.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Everything as of one moment, read only: several statements of one answer agree with each other (INV-24).
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn snapshot(&self) -> Result<SqlTransaction, SqlError> {
        crate::store::db::snapshot(&self.pool).await
    }

    /// The index of persons, which is filled when somebody first searches.
    pub fn people(&self) -> &search::People {
        self.people.get_or_init(|| search::People::new(self))
    }

    /// Says who moves money; before that, and without, promises wait. Only the first word counts.
    pub fn open_desk(&self, desk: PaymentDesk) {
        drop(self.desk.set(desk));
    }

    /// Who moves money, where that is set up.
    pub fn providers(&self) -> Option<&Providers> {
        self.desk.get().map(|desk| &desk.providers)
    }

    /// The card reader on the counter of the branch with this code.
    pub fn reader_at(&self, code: &str) -> Option<String> {
        self.desk.get()?.readers.get(code).cloned()
    }

    /// How everything outside is doing that the hub calls.
    pub fn outside(&self) -> &Arc<Outside> {
        &self.outside
    }

    /// Bounds and intervals.
    pub fn options(&self) -> &HubOptions {
        &self.options
    }

    /// Clock and random bytes.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The secrets.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// A document as it is now, to read.
    pub async fn load_document(
        &self,
        document: DocumentId,
    ) -> Result<Option<Arc<Document>>, HubError> {
        let mut connection = self.pool.acquire().await?;
        let bodies = store::sync::document::bodies(&mut connection, &[document]).await?;
        bodies
            .into_iter()
            .next()
            .map(|body| Ok(Arc::new(apply::open_body(body)?)))
            .transpose()
    }

    /// Records something that an operator should look at.
    pub async fn incident(
        &self,
        branch: Option<BranchId>,
        kind: &'static str,
        detail: &str,
    ) -> Result<(), HubError> {
        tracing::warn!(kind, detail, "incident");
        let mut connection = self.pool.acquire().await?;
        let id = uuid_v4(self.env.random());
        let branch = branch.unwrap_or(BranchId::NIL);
        let detail = detail.replace('\0', " ");
        store::sync::node::insert_incident(
            &mut connection,
            branch,
            id,
            self.env.now_ms(),
            kind,
            &detail,
        )
        .await?;
        Ok(())
    }

    /// Seals bytes for a table; `label` says what they are and for whom.
    pub fn seal_at_rest(&self, label: &[u8], bytes: &[u8]) -> Result<Vec<u8>, HubError> {
        self.keys.seal_at_rest(&self.env, label, bytes)
    }

    /// Opens what [`Self::seal_at_rest`] sealed.
    pub fn open_at_rest(
        &self,
        label: &[u8],
        sealed: &[u8],
    ) -> Result<Sensitive<Vec<u8>>, HubError> {
        self.keys.open_at_rest(label, sealed)
    }
}

pub(crate) fn uuid_v4(mut bytes: [u8; 16]) -> [u8; 16] {
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    bytes
}
