//! Reading: a consistent state of the database, on connections that cannot write.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLockReadGuard};

use domain::id::DocumentId;
use domain::sensitive::PersonKey;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{BranchSettings, PersonIndex, Shared, catalogue, open, person};
use crate::error::{AppError, StoreError};
use crate::identity::NodeIdentity;

/// Reads that run at the same time.
const READERS: usize = 4;

/// What a read sees: one state of the database, and what is kept in memory beside it.
pub struct Reader<'a> {
    conn: &'a Connection,
    shared: &'a Shared,
}

impl std::fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(conn: &'a Connection, shared: &'a Shared) -> Self {
        Self { conn, shared }
    }

    pub(super) fn conn(&self) -> &'a Connection {
        self.conn
    }

    /// Which node this is.
    pub fn identity(&self) -> &'a NodeIdentity {
        &self.shared.identity
    }

    /// Milliseconds since 1970 UTC.
    pub fn now_ms(&self) -> i64 {
        self.shared.env.now_ms()
    }

    /// What applies at this branch now.
    pub fn settings(&self) -> Result<BranchSettings, AppError> {
        Ok(catalogue::branch_settings(self.conn, self.identity())?)
    }

    /// The persons' names, phones and e-mails in memory.
    pub fn persons(&self) -> RwLockReadGuard<'a, PersonIndex> {
        self.shared
            .persons
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A person's keys, as far as they are here.
    pub fn person_keys(&self, person: DocumentId) -> Result<Vec<PersonKey>, AppError> {
        Ok(person::keys(self.conn, &self.shared.storage_key, person)?)
    }

    pub(super) fn shared(&self) -> &'a Shared {
        self.shared
    }
}

/// Connections that are not in use.
pub(super) struct Pool {
    path: PathBuf,
    free: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Pool {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            free: Mutex::new(Vec::new()),
            permits: Arc::new(Semaphore::new(READERS)),
        }
    }

    /// Waits for its turn; `None` never comes, for the semaphore is never closed.
    pub(super) async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        self.permits.clone().acquire_owned().await.ok()
    }

    pub(super) fn read<T>(
        &self,
        shared: &Shared,
        work: impl FnOnce(&Reader<'_>) -> Result<T, AppError>,
    ) -> Result<T, AppError> {
        let free = self
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let conn = match free {
            Some(conn) => conn,
            None => open_reading(&self.path)?,
        };
        conn.execute_batch("begin")?;
        let result = work(&Reader::new(&conn, shared));
        conn.execute_batch("commit")?;
        self.free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(conn);
        result
    }
}

/// Opens the database for reading only.
pub(crate) fn open_reading(path: &std::path::Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    open::configure(&conn)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}
