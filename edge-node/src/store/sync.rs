//! What the session with the hub needs of the store: tips, acknowledgements, blocks, keys, heads.
//!
//! These functions store and read; when to call which is the sync driver's business. An acknowledgement is taken as
//! the session gives it: only Welcome may set it back, and that leaves an incident (INV-10).

pub mod waiting;

use domain::id::DocumentId;
use rusqlite::{Connection, OptionalExtension};
use sync_protocol::feed::FeedId;
use sync_protocol::head::{Countersignature, HeadClaim, SignedHead, StockBalance, stock_digest};
use sync_protocol::mending::LogSpan;
use sync_protocol::message::{Ack, GivenKey, Hello};
use sync_protocol::position::{Epoch, Tip};

use super::feed::FeedProgress;
use super::log::ReadLog;
use super::reader::Reader;
use super::value::{Id, hash, signed, unsigned};
use super::{SCHEMA, Store, Touched, feed, incident, log, person};
use crate::error::{AppError, StoreError};
use crate::identity::NodeIdentity;

/// What the hub has, and what still waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncState {
    /// The log's tip.
    pub tip: Tip,
    /// The tip that the hub acknowledged as stored.
    pub stored: Tip,
    /// Everything up to this number has had its effects at the hub.
    pub applied: u64,
    /// Transactions that the hub has not stored.
    pub pending_transactions: u64,
    /// Their bytes.
    pub pending_bytes: u64,
    /// When the oldest of them was written, in milliseconds since 1970.
    pub oldest_pending_at_ms: Option<i64>,
    /// How far each feed is.
    pub feeds: Vec<FeedProgress>,
    /// Keys of documents with several different values.
    pub conflicts: u64,
    /// Decisions that wait for people.
    pub decisions: u64,
    /// Items that were parked here or at the hub and not settled.
    pub parked: u64,
}

struct Acked {
    stored: Tip,
    applied: u64,
}

fn acked(conn: &Connection, identity: &NodeIdentity) -> Result<Acked, StoreError> {
    let found = conn
        .prepare_cached(
            "select ack_epoch, ack_seq, ack_hash, applied from sync_state where id = 1",
        )?
        .query_row([], |row| {
            let stored = Tip {
                epoch: Epoch(unsigned(row, 0)?),
                seq: unsigned(row, 1)?,
                hash: hash(row, 2)?,
            };
            Ok(Acked {
                stored,
                applied: unsigned(row, 3)?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_else(|| Acked {
        stored: Tip::start(identity.line_start()),
        applied: 0,
    }))
}

/// (stored, applied) as numbers of this node's log.
pub(crate) fn acked_seqs(
    conn: &Connection,
    identity: &NodeIdentity,
) -> Result<(u64, u64), StoreError> {
    let acked = acked(conn, identity)?;
    Ok((acked.stored.seq, acked.applied))
}

/// The state of the exchange with the hub.
pub fn state(reader: &Reader<'_>) -> Result<SyncState, AppError> {
    let conn = reader.conn();
    let acked = acked(conn, reader.identity())?;
    let tip = log::tip(conn, reader.identity())?;
    let (pending_bytes, oldest_pending_at_ms) = log::header::bytes_behind(conn, acked.stored.seq)?;
    let count_of = |sql: &'static str| -> Result<u64, AppError> {
        Ok(conn
            .prepare_cached(sql)?
            .query_row([], |row| unsigned(row, 0))?)
    };
    Ok(SyncState {
        tip,
        stored: acked.stored,
        applied: acked.applied,
        pending_transactions: tip.seq.saturating_sub(acked.stored.seq),
        pending_bytes,
        oldest_pending_at_ms,
        feeds: feed::progress(conn, reader.identity())?,
        conflicts: count_of("select count(*) from conflict")?,
        decisions: count_of("select count(*) from decision")?,
        parked: super::parked::count(conn)?,
    })
}

impl Store {
    /// The feeds that this branch reads.
    pub fn feeds(&self) -> Vec<FeedId> {
        feed::feeds_of(self.identity())
    }

    /// The Hello that opens a session now. `version` is the program's, for people.
    pub async fn hello(&self, version: &str) -> Result<Hello, AppError> {
        let version = version.to_owned();
        let current_epoch = self.epoch();
        self.read(move |reader| {
            let conn = reader.conn();
            let acked = acked(conn, reader.identity())?;
            Ok(Hello {
                current_epoch,
                tip: log::tip(conn, reader.identity())?,
                last_ack: acked.stored,
                lineage: log::lineage_since(conn, acked.stored.epoch)?,
                cursors: feed::cursors(conn)?,
                keys: person::key_state(conn)?,
                hlc: log::hlc_floor(conn)?,
                schema: SCHEMA,
                version,
            })
        })
        .await
    }

    /// Whole log blocks behind `after`, with the person keys first used in them.
    pub async fn read_blocks(&self, after: Tip, limit_bytes: usize) -> Result<ReadLog, AppError> {
        self.read(move |reader| {
            let key = &reader.shared().storage_key;
            Ok(log::read_blocks(
                reader.conn(),
                reader.identity(),
                key,
                &after,
                limit_bytes,
            )?)
        })
        .await
    }

    /// Packed blocks for entries that the hub lost; none where they are not here or not sound.
    pub async fn read_span(&self, span: LogSpan) -> Result<Vec<Vec<u8>>, AppError> {
        self.read(move |reader| Ok(log::read_span(reader.conn(), reader.identity(), &span)?))
            .await
    }

    /// Remembers what the hub has stored and applied.
    pub async fn acknowledge(&self, ack: Ack) -> Result<(), AppError> {
        self.write(move |tx| {
            let before = acked(tx.conn(), tx.identity())?;
            if (before.stored, before.applied) == (ack.stored, ack.applied) {
                return Ok(());
            }
            if ack.stored.seq < before.stored.seq {
                let detail = format!(
                    "the hub had stored {} and has {} now: its database went back in time",
                    before.stored.seq, ack.stored.seq
                );
                incident::record(tx, "ack_back", &detail)?;
            }
            tx.conn()
                .prepare_cached(
                    "insert into sync_state (id, ack_epoch, ack_seq, ack_hash, applied, hlc)
                     values (1, ?1, ?2, ?3, ?4, 0)
                     on conflict (id) do update set ack_epoch = excluded.ack_epoch, ack_seq = excluded.ack_seq,
                         ack_hash = excluded.ack_hash, applied = excluded.applied",
                )?
                .execute((
                    signed(ack.stored.epoch.0),
                    signed(ack.stored.seq),
                    &ack.stored.hash,
                    signed(ack.applied),
                ))?;
            tx.touch(Touched::Sync);
            Ok(())
        })
        .await
    }

    /// Keeps person keys that the hub gave; their persons can be found and shown from then on.
    pub async fn store_keys(&self, keys: Vec<GivenKey>) -> Result<(), AppError> {
        self.write(move |tx| {
            for key in &keys {
                let erased: Option<i64> = tx
                    .conn()
                    .prepare_cached("select 1 from erased_person where person = ?1")?
                    .query_row([Id(key.person)], |row| row.get(0))
                    .optional()?;
                let nonce = tx.bytes();
                if erased.is_none()
                    && person::keep_key(tx.conn(), tx.storage_key(), nonce, key, None)?
                {
                    tx.touch(Touched::Customer(key.person));
                }
            }
            Ok(())
        })
        .await
    }

    /// Person keys for the hub: of `persons`, or all that were made here when it is empty.
    pub async fn read_keys(&self, persons: Vec<DocumentId>) -> Result<Vec<GivenKey>, AppError> {
        self.read(move |reader| {
            let storage_key = &reader.shared().storage_key;
            if persons.is_empty() {
                return Ok(person::keys_created_here(reader.conn(), storage_key)?);
            }
            let mut keys = Vec::new();
            for person in persons {
                keys.extend(person::given_keys(reader.conn(), storage_key, person)?);
            }
            Ok(keys)
        })
        .await
    }

    /// What a signed head says now: the tip and the stock digest at it.
    pub async fn head_claim(&self) -> Result<HeadClaim, AppError> {
        self.read(|reader| {
            let tip = log::tip(reader.conn(), reader.identity())?;
            Ok(HeadClaim {
                node: reader.identity().node,
                tip,
                stock: stock_digest_of(reader.conn())?,
            })
        })
        .await
    }

    /// Keeps a head that this node signed.
    pub async fn store_head(&self, head: SignedHead) -> Result<(), AppError> {
        self.write(move |tx| {
            let SignedHead { claim, signature } = &head;
            tx.conn()
                .prepare_cached(
                    "insert into signed_head (seq, epoch, hash, stock, signature) values (?1, ?2, ?3, ?4, ?5)
                     on conflict (seq) do nothing",
                )?
                .execute((
                    signed(claim.tip.seq),
                    signed(claim.tip.epoch.0),
                    &claim.tip.hash,
                    &claim.stock,
                    signature,
                ))?;
            Ok(())
        })
        .await
    }

    /// Keeps the hub's countersignature of a head.
    pub async fn store_countersignature(&self, seen: Countersignature) -> Result<(), AppError> {
        self.write(move |tx| {
            tx.conn()
                .prepare_cached(
                    "update signed_head set countersignature = ?3 where seq = ?1 and hash = ?2",
                )?
                .execute((
                    signed(seen.claim.tip.seq),
                    &seen.claim.tip.hash,
                    &seen.signature,
                ))?;
            Ok(())
        })
        .await
    }

    /// Number of the last entry that a head of this node vouches for; 0 for none.
    pub async fn last_head_seq(&self) -> Result<u64, AppError> {
        self.read(|reader| {
            let mut statement = reader
                .conn()
                .prepare_cached("select coalesce(max(seq), 0) from signed_head")?;
            Ok(statement.query_row([], |row| unsigned(row, 0))?)
        })
        .await
    }

    /// Begins a new epoch: after the hub refused what was written in this one.
    pub async fn new_epoch(&self) -> Result<Epoch, AppError> {
        self.write(|tx| {
            tx.new_epoch();
            Ok(())
        })
        .await?;
        Ok(self.epoch())
    }

    /// Notes something that people should know about the exchange with the hub.
    pub async fn record_incident(
        &self,
        kind: &'static str,
        detail: String,
    ) -> Result<(), AppError> {
        self.write(move |tx| incident::record(tx, kind, &detail))
            .await
    }
}

/// The digest of the stock as it stands.
pub fn stock_digest_now(reader: &Reader<'_>) -> Result<[u8; 32], AppError> {
    Ok(stock_digest_of(reader.conn())?)
}

pub(crate) fn stock_digest_of(conn: &Connection) -> Result<[u8; 32], StoreError> {
    let mut statement = conn.prepare_cached("select part, on_hand, movements from stock")?;
    let rows = statement.query_map([], |row| {
        let part = row.get::<_, Id<domain::id::PartId>>(0)?.0;
        Ok(StockBalance {
            part,
            on_hand: row.get(1)?,
            movements: unsigned(row, 2)?,
        })
    })?;
    Ok(stock_digest(rows.collect::<Result<_, _>>()?))
}
