//! One job of the writer: what a use case sees of the database while it changes it.
//!
//! Edits and facts are applied to the tables as they come, so that a use case reads what it just wrote; at the end
//! they become one transaction of the log, in the same commit. A job that says no leaves nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::document::{DocumentKind, Edit};
use domain::id::DocumentId;
use domain::money::Currency;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::Connection;
use sync_protocol::document::Document;
use sync_protocol::item::{Item, Origin, kind};
use sync_protocol::limits::{DOCUMENT_BYTES_BRANCH, TRANSACTION_BYTES, TRANSACTION_ITEMS};
use sync_protocol::position::{Epoch, Position, Tip, chain};
use sync_protocol::transaction::{
    FLAG_CLOCK_MARKED, HEADER_BYTES, Header, RawItem, Transaction, next_hlc,
};

use super::document::Documents;
use super::project::{ApplyContext, Projector, Source};
use super::reader::Reader;
use super::writer::draw_epoch;
use super::{Actor, Shared, Touched, catalogue, log};
use crate::env::Random;
use crate::error::{AppError, StoreError};
use crate::identity::NodeIdentity;

/// What the jobs of one commit share.
pub(super) struct Batch {
    pub(super) epoch: Epoch,
    pub(super) tip: Tip,
    /// The newest entry that a signed head should vouch for soon.
    pub(super) vouch: u64,
    /// Business days that were closed.
    pub(super) days_closed: u64,
    hlc: u64,
    written: usize,
    pub(super) documents: Documents,
    pub(super) touched: BTreeSet<Touched>,
    job_touched: BTreeSet<Touched>,
}

#[derive(Clone, Copy)]
pub(super) struct Saved {
    tip: Tip,
    hlc: u64,
    written: usize,
}

impl Batch {
    pub(super) fn new(epoch: Epoch, tip: Tip, hlc: u64) -> Self {
        Self {
            epoch,
            tip,
            vouch: 0,
            days_closed: 0,
            hlc,
            written: 0,
            documents: Documents::default(),
            touched: BTreeSet::new(),
            job_touched: BTreeSet::new(),
        }
    }

    pub(super) fn save(&self) -> Saved {
        Saved {
            tip: self.tip,
            hlc: self.hlc,
            written: self.written,
        }
    }

    /// The job stands: what it did counts for those behind it.
    pub(super) fn keep(&mut self) {
        self.documents.keep_job();
        self.touched.append(&mut self.job_touched);
    }

    /// The job is gone.
    pub(super) fn restore(&mut self, saved: Saved) {
        (self.tip, self.hlc, self.written) = (saved.tip, saved.hlc, saved.written);
        self.documents.drop_job();
        self.job_touched.clear();
    }

    pub(super) fn take_written(&mut self) -> usize {
        std::mem::take(&mut self.written)
    }
}

/// What applies at this branch now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchSettings {
    /// Currency of new orders.
    pub currency: Currency,
    /// Whether unit prices of new orders include tax.
    pub prices_include_tax: bool,
    /// IANA time zone.
    pub time_zone: String,
    /// The language of pages and papers.
    pub language: String,
}

struct OpenTransaction {
    header: Header,
    position: Position,
    items: Vec<RawItem>,
    size: usize,
}

/// One job of the writer; see the module's text.
pub struct WriteTx<'a> {
    conn: &'a Connection,
    shared: &'a Shared,
    batch: &'a mut Batch,
    open: Option<OpenTransaction>,
}

impl std::fmt::Debug for WriteTx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WriteTx")
    }
}

impl<'a> WriteTx<'a> {
    pub(super) fn new(conn: &'a Connection, shared: &'a Shared, batch: &'a mut Batch) -> Self {
        Self {
            conn,
            shared,
            batch,
            open: None,
        }
    }

    pub(super) fn conn(&self) -> &'a Connection {
        self.conn
    }

    pub(super) fn storage_key(&self) -> &'a [u8; 32] {
        &self.shared.storage_key
    }

    /// Milliseconds since 1970 UTC.
    pub fn now_ms(&self) -> i64 {
        self.shared.env.now_ms()
    }

    /// The random source, to be lent on as `&mut tx.random()`.
    pub fn random(&self) -> Random<'a> {
        self.shared.env.random()
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        self.shared.env.bytes()
    }

    /// Which node this is.
    pub fn identity(&self) -> &'a NodeIdentity {
        &self.shared.identity
    }

    /// Everything that can be read, with what this job wrote so far.
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(self.conn, self.shared)
    }

    /// What applies at this branch now.
    pub fn settings(&self) -> Result<BranchSettings, AppError> {
        Ok(catalogue::branch_settings(self.conn, self.identity())?)
    }

    /// Begins the job's transaction. Where one use case calls another the outermost names it: a second call changes
    /// nothing. A transaction without items is not written.
    pub fn begin(&mut self, command: u16, actor: &Actor) -> Result<(), AppError> {
        if self.open.is_some() {
            return Ok(());
        }
        let now_ms = self.now_ms();
        let hlc = next_hlc(self.batch.hlc, now_ms);
        let marked = self.shared.clock_marked.load(Ordering::Acquire);
        let header = Header {
            flags: if marked { FLAG_CLOCK_MARKED } else { 0 },
            command,
            hlc,
            staff: actor.staff,
            terminal: actor.terminal,
            business_day: business_day(now_ms, &self.settings()?.time_zone),
            items: 0,
        };
        let position = Position {
            node: self.identity().node,
            epoch: self.batch.epoch,
            seq: self.batch.tip.seq + 1,
        };
        self.open = Some(OpenTransaction {
            header,
            position,
            items: Vec::new(),
            size: HEADER_BYTES,
        });
        Ok(())
    }

    /// The position of the transaction that was begun.
    pub fn position(&self) -> Option<Position> {
        self.open.as_ref().map(|open| open.position)
    }

    /// A document as it is now; `None` when it is not here. An unreadable one is an error.
    pub fn document(&mut self, id: DocumentId) -> Result<Option<Arc<Document>>, AppError> {
        Ok(self.batch.documents.get(self.conn, id)?)
    }

    /// Edits a document, or begins one. `None` where the edits change nothing.
    pub fn edit_document(
        &mut self,
        id: DocumentId,
        kind: DocumentKind,
        edits: &[Edit],
    ) -> Result<Option<Arc<Document>>, AppError> {
        let before = self.document(id)?;
        let open = self.begun()?;
        let origin = Origin {
            actor: open.position.actor(),
            seq: 0,
            staff: open.header.staff,
            hlc: open.header.hlc,
        };
        let Some((document, chunk)) = Document::edit(before.as_deref(), id, kind, origin, edits)?
        else {
            return Ok(None);
        };
        let size_bytes = document.save().len();
        if size_bytes > DOCUMENT_BYTES_BRANCH {
            let detail = format!(
                "the document would have {size_bytes} bytes, the limit is {DOCUMENT_BYTES_BRANCH}"
            );
            return Err(AppError::TooLarge { detail });
        }
        self.add(Item::change(id, kind, chunk), Some(document))?;
        self.document(id)
    }

    /// Adds a fact and applies it to the tables; gives its id in the API.
    pub fn fact(&mut self, item: Item) -> Result<[u8; 16], AppError> {
        let index = self.add(item, None)?;
        let open = self.begun()?;
        Ok(open.position.fact_uuid(index))
    }

    fn begun(&mut self) -> Result<&mut OpenTransaction, AppError> {
        self.open.as_mut().ok_or_else(|| {
            let what = "a use case wrote without beginning a transaction".to_owned();
            AppError::Store(StoreError::Corrupt {
                table: "log_entry",
                what,
            })
        })
    }

    fn add(&mut self, item: Item, prepared: Option<Document>) -> Result<u16, AppError> {
        let raw = item.to_raw();
        let (conn, identity) = (self.conn, self.identity());
        let open = self.begun()?;
        let size = open.size + raw.encoded_len();
        if size > TRANSACTION_BYTES || open.items.len() >= TRANSACTION_ITEMS {
            let detail = "this is more than one transaction can hold".to_owned();
            return Err(AppError::TooLarge { detail });
        }
        let index = open.items.len() as u16;
        open.items.push(raw);
        open.size = size;
        let cx = ApplyContext {
            origin: open.position,
            header: open.header,
            source: Source::Own,
        };
        let batch = &mut *self.batch;
        let mut projector =
            Projector::new(conn, identity, &mut batch.documents, &mut batch.job_touched);
        projector.apply(&cx, index, &item, prepared)?;
        Ok(index)
    }

    /// Applies an entry of a feed; for the store's own use.
    pub(super) fn projector(&mut self) -> Projector<'_> {
        let identity = &self.shared.identity;
        Projector::new(
            self.conn,
            identity,
            &mut self.batch.documents,
            &mut self.batch.job_touched,
        )
    }

    /// Raises the clock's floor to what was seen elsewhere.
    pub(super) fn saw_hlc(&mut self, hlc: u64) {
        self.batch.hlc = self.batch.hlc.max(hlc);
    }

    /// Notes that something was touched.
    pub(super) fn touch(&mut self, touched: Touched) {
        self.batch.job_touched.insert(touched);
    }

    /// Begins a new epoch with the next transaction. One that was begun keeps its own, so this is a job by itself.
    pub(super) fn new_epoch(&mut self) {
        if self.open.is_none() {
            self.batch.epoch = draw_epoch(self.shared);
        }
    }

    /// Counts bytes written beside the log, for the checkpoint.
    pub(super) fn wrote(&mut self, size_bytes: usize) {
        self.batch.written += size_bytes;
    }

    /// Appends what was collected to the log.
    pub(super) fn finish(&mut self) -> Result<(), AppError> {
        self.batch.written += 4 * 4096;
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        if open.items.is_empty() {
            return Ok(());
        }
        let is_closing =
            |item: &RawItem| matches!(item.kind(), kind::CASH_CLOSED | kind::DAY_CLOSED);
        let closes = open.items.iter().any(is_closing);
        let is_day = |item: &RawItem| item.kind() == kind::DAY_CLOSED;
        let ends_day = open.items.iter().any(is_day);
        let transaction = Transaction::new(open.header, open.items)?;
        let Position { epoch, seq, .. } = open.position;
        if closes {
            self.batch.vouch = seq;
        }
        self.batch.days_closed += u64::from(ends_day);
        let tip = self.batch.tip;
        let hash = chain(&tip.hash, epoch, seq, &transaction.hash());
        let bytes = transaction.to_bytes();
        log::append(self.conn, &tip, epoch, seq, &bytes, &hash)?;
        self.batch.tip = Tip { epoch, seq, hash };
        self.batch.hlc = open.header.hlc;
        self.batch.written += 4 * bytes.len();
        Ok(())
    }
}

/// Days since 1970 in a time zone; an unknown zone counts as UTC.
pub(crate) fn business_day(at_ms: i64, time_zone: &str) -> i32 {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let day = at.to_zoned(zone).date();
    let since = day.since((jiff::Unit::Day, jiff::civil::Date::constant(1970, 1, 1)));
    since.map_or(0, |span| span.get_days())
}
