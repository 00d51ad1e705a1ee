//! What the hub itself writes: managers' use cases, enrolment, availability.
//!
//! A [`HubTx`] becomes one transaction of node 0 that goes through the same checks, the same application and the same
//! commit as a branch's. Dropping it undoes everything.

use std::collections::HashMap;
use std::sync::Arc;

use domain::document::{DocumentKind, Edit};
use domain::id::{DocumentId, StaffId};
use sync_protocol::document::Document;
use sync_protocol::item::{Item, Origin};
use sync_protocol::position::Position;
use sync_protocol::transaction::{RawItem, hlc_ms};
use tokio::sync::OwnedMutexGuard;

use super::Hub;
use super::apply::Needs;
use super::commit::{Batch, Committer, OwnTransaction};
use crate::error::HubError;
use crate::store::db::PgConnection;

/// Who acts, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// The person; nil for the system.
    pub staff: StaffId,
    /// The terminal; 0 for the API.
    pub terminal: u16,
}

impl Actor {
    /// The hub by itself.
    pub const SYSTEM: Actor = Actor {
        staff: StaffId::NIL,
        terminal: 0,
    };
}

/// What a commit wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The transaction's id; `None` when nothing went into the log.
    pub position: Option<Position>,
    /// Its time, milliseconds since 1970.
    pub at_ms: i64,
}

/// A transaction of the hub that is being written. It holds the commit path of this process: be brief.
pub struct HubTx {
    hub: Arc<Hub>,
    committer: OwnedMutexGuard<Committer>,
    batch: Batch,
    actor: Actor,
    command: u16,
    position: Position,
    hlc: u64,
    items: Vec<RawItem>,
    edited: HashMap<DocumentId, Arc<Document>>,
}

impl std::fmt::Debug for HubTx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubTx")
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

impl Hub {
    /// Begins a transaction of the hub; `command` is one of [`sync_protocol::item::command`].
    pub async fn begin(self: &Arc<Self>, actor: Actor, command: u16) -> Result<HubTx, HubError> {
        let committer = self.committer.clone().lock_owned().await;
        let mut batch = Batch::begin(&self.pool, &committer).await?;
        let position = batch.next_position(&self.env);
        let hlc = batch.next_hlc(&self.env);
        Ok(HubTx {
            hub: self.clone(),
            committer,
            batch,
            actor,
            command,
            position,
            hlc,
            items: Vec::new(),
            edited: HashMap::new(),
        })
    }
}

impl HubTx {
    /// The connection inside the SQL transaction: to read, and to write what no log carries (sessions, join codes,
    /// idempotency keys) in the same commit.
    pub fn sql(&mut self) -> &mut PgConnection {
        self.batch.connection()
    }

    /// The transaction's time, milliseconds since 1970.
    pub fn at_ms(&self) -> i64 {
        hlc_ms(self.hlc)
    }

    /// Where the transaction stands if it commits.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The hub.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Adds anything that is no change of a document: rows, plans, acts, notes.
    pub fn fact(&mut self, item: Item) {
        self.items.push(item.to_raw());
    }

    /// A document as it stands in this transaction, locked until it ends.
    pub async fn document(
        &mut self,
        document: DocumentId,
    ) -> Result<Option<Arc<Document>>, HubError> {
        if let Some(edited) = self.edited.get(&document) {
            return Ok(Some(edited.clone()));
        }
        let needs = Needs {
            documents: [document].into(),
            ..Needs::default()
        };
        let Batch { work, sql, .. } = &mut self.batch;
        work.load(sql, &needs, &mut self.committer.cache).await?;
        Ok(work.document(document).map(|state| state.document.clone()))
    }

    /// Edits a document, or begins one that does not exist. `None` where the edits change nothing.
    pub async fn edit_document(
        &mut self,
        document: DocumentId,
        kind: DocumentKind,
        edits: &[Edit],
    ) -> Result<Option<Arc<Document>>, HubError> {
        let before = self.document(document).await?;
        let origin = Origin {
            actor: self.position.actor(),
            seq: 0,
            staff: self.actor.staff,
            hlc: self.hlc,
        };
        let Some((edited, chunk)) =
            Document::edit(before.as_deref(), document, kind, origin, edits)?
        else {
            return Ok(None);
        };
        let edited = Arc::new(edited);
        self.items
            .push(Item::change(document, kind, chunk).to_raw());
        self.edited.insert(document, edited.clone());
        Ok(Some(edited))
    }

    /// Commits: the log, its effects, the feeds, and what was written through [`Self::sql`]. What the checks refuse is
    /// an error and nothing is written. Once begun it goes on to its end, also when nobody waits for it any more.
    pub async fn commit(self) -> Result<Committed, HubError> {
        tokio::spawn(self.commit_to_end()).await?
    }

    async fn commit_to_end(self) -> Result<Committed, HubError> {
        let at_ms = self.at_ms();
        let HubTx {
            hub,
            mut committer,
            mut batch,
            actor,
            command,
            hlc,
            items,
            ..
        } = self;
        if items.is_empty() {
            batch.sql.commit().await?;
            return Ok(Committed {
                position: None,
                at_ms,
            });
        }
        let own = OwnTransaction {
            command,
            staff: actor.staff,
            terminal: actor.terminal,
            hlc: Some(hlc),
            items,
        };
        let entry = batch.own_entry(&hub.env, own)?;
        batch.apply_own(&entry, &mut committer.cache).await?;
        if let Some(verdict) = batch.work.verdicts.first() {
            return Err(HubError::Refused {
                detail: verdict.reason.clone(),
            });
        }
        batch.commit(&hub, &mut committer).await?;
        Ok(Committed {
            position: Some(entry.position),
            at_ms,
        })
    }
}
