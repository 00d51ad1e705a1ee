//! A branch's database that says whatever the test wants, for the branch's own line to the hub.
//!
//! The line is the product's: real QUIC, a real certificate. Only what stands in the log is made up (F-17).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::{DocumentId, StaffId};
use edge_node::error::AppError;
use edge_node::identity::NodeIdentity;
use edge_node::store::FeedStep;
use edge_node::store::log::ReadLog;
use edge_node::sync::{BranchStore, Opening};
use sync_protocol::block::BlockWriter;
use sync_protocol::branch_session::OutBlock;
use sync_protocol::compress::compress;
use sync_protocol::feed::{Cursor, FeedBlock, FeedId};
use sync_protocol::head::{Countersignature, HeadClaim, SignedHead};
use sync_protocol::item::{Item, Verdict, command};
use sync_protocol::line::{next_epoch, no_parent};
use sync_protocol::mending::LogSpan;
use sync_protocol::mending::feed::FeedGap;
use sync_protocol::message::{Ack, FeedHead, GivenKey, Hello, KeyState, Welcome};
use sync_protocol::position::{Epoch, Position, Tip, chain};
use sync_protocol::transaction::{Header, Transaction};
use tokio::sync::watch;

/// The only epoch of its line.
pub const EPOCH: Epoch = Epoch(0x0bad_c0de);

/// The made-up database.
#[derive(Debug, Clone)]
pub struct HostileStore {
    identity: Arc<NodeIdentity>,
    tips: Arc<watch::Sender<Tip>>,
    acks: Arc<watch::Sender<Option<Ack>>>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Encoded transactions, each with the tip behind it.
    log: Vec<(Vec<u8>, Tip)>,
    cursors: Vec<Cursor>,
    verdicts: Vec<Verdict>,
    incidents: Vec<String>,
    /// What the hub asked for again.
    asked: Vec<LogSpan>,
    /// What it is answered, whatever it asks.
    answers: VecDeque<Vec<Vec<u8>>>,
}

impl HostileStore {
    /// An empty log of this node.
    pub fn new(identity: NodeIdentity) -> Self {
        let start = Tip::start(identity.line_start());
        Self {
            identity: Arc::new(identity),
            tips: Arc::new(watch::channel(start).0),
            acks: Arc::new(watch::channel(None).0),
            state: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) -> Tip {
        Tip::start(self.identity.line_start())
    }

    /// Appends a transaction; gives its position.
    pub fn append(&self, items: &[Item], at_ms: i64) -> Position {
        let seq = self.state().log.len() as u64 + 1;
        let header = Header {
            flags: 0,
            command: command::SYSTEM,
            hlc: (u64::try_from(at_ms).unwrap() << 16) + seq,
            staff: StaffId::NIL,
            terminal: 0,
            business_day: i32::try_from(at_ms / 86_400_000).unwrap(),
            items: 0,
        };
        let transaction =
            Transaction::new(header, items.iter().map(Item::to_raw).collect()).unwrap();
        let before = *self.tips.borrow();
        let hash = chain(&before.hash, EPOCH, seq, &transaction.hash());
        let tip = Tip {
            epoch: EPOCH,
            seq,
            hash,
        };
        self.state().log.push((transaction.to_bytes(), tip));
        self.tips.send_replace(tip);
        Position {
            node: self.identity.node,
            epoch: EPOCH,
            seq,
        }
    }

    /// What the hub acknowledged, as it comes.
    pub fn acks(&self) -> watch::Receiver<Option<Ack>> {
        self.acks.subscribe()
    }

    /// Verdicts that came back.
    pub fn verdicts(&self) -> Vec<Verdict> {
        self.state().verdicts.clone()
    }

    /// What the line held to be wrong.
    pub fn incidents(&self) -> Vec<String> {
        self.state().incidents.clone()
    }

    /// Answers the hub's next question for lost entries with these blocks.
    pub fn answer_with(&self, blocks: Vec<Vec<u8>>) {
        self.state().answers.push_back(blocks);
    }

    /// What the hub asked for again.
    pub fn asked(&self) -> Vec<LogSpan> {
        self.state().asked.clone()
    }

    /// A block of its entries from `first` on, so many, with another last byte where `is_other`.
    pub fn block(&self, first: u64, count: usize, is_other: bool) -> Vec<u8> {
        let state = self.state();
        let index = usize::try_from(first).unwrap() - 1;
        let before = match index {
            0 => self.start().hash,
            index => state.log[index - 1].1.hash,
        };
        let mut writer = BlockWriter::new(self.identity.node, EPOCH, first, &before);
        for (seq, (bytes, _)) in (first..).zip(&state.log[index..index + count]) {
            let mut bytes = bytes.clone();
            if is_other && let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
            assert!(writer.push(EPOCH, seq, &bytes), "one block");
        }
        writer.finish()
    }

    fn block_behind(&self, after: Tip) -> Option<OutBlock> {
        let state = self.state();
        let rest = &state.log[usize::try_from(after.seq).unwrap()..];
        let (_, last) = rest.last()?;
        let mut writer = BlockWriter::new(self.identity.node, EPOCH, after.seq + 1, &after.hash);
        for (seq, (bytes, _)) in (after.seq + 1..).zip(rest) {
            assert!(
                writer.push(EPOCH, seq, bytes),
                "the test's log fits into one block"
            );
        }
        Some(OutBlock {
            packed: compress(&writer.finish()),
            last: *last,
            keys: Vec::new(),
        })
    }
}

impl BranchStore for HostileStore {
    fn tips(&self) -> watch::Receiver<Tip> {
        self.tips.subscribe()
    }

    fn vouch_for(&self) -> u64 {
        0
    }

    /// It never looks.
    fn feed_checks(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }

    async fn mend_feeds(&self, _step: FeedStep) -> Result<Option<FeedGap>, AppError> {
        Ok(None)
    }

    async fn opening(&self) -> Result<Opening, AppError> {
        let tip = *self.tips.borrow();
        let start = self.start();
        let hello = Hello {
            current_epoch: EPOCH,
            tip,
            last_ack: start,
            lineage: vec![next_epoch(EPOCH, no_parent(start.hash))],
            cursors: self.state().cursors.clone(),
            keys: KeyState::of(Vec::new()),
            hlc: 0,
            schema: 1,
            version: "hostile".to_owned(),
        };
        let feeds = vec![
            FeedId::private(self.identity.branch),
            FeedId::chain(),
            FeedId::availability(&self.identity.region),
            FeedId::register(),
        ];
        Ok(Opening { hello, feeds })
    }

    async fn read_log(&self, after: Tip, _limit_bytes: usize) -> Result<ReadLog, AppError> {
        Ok(ReadLog::Blocks(
            self.block_behind(after).into_iter().collect(),
        ))
    }

    async fn read_span(&self, span: LogSpan) -> Result<Vec<Vec<u8>>, AppError> {
        let mut state = self.state();
        state.asked.push(span);
        let answer = state.answers.pop_front().unwrap_or_default();
        Ok(answer.iter().map(|bytes| compress(bytes)).collect())
    }

    async fn acknowledge(&self, ack: Ack) -> Result<(), AppError> {
        self.acks.send_replace(Some(ack));
        Ok(())
    }

    async fn welcomed(&self, _welcome: &Welcome) -> Result<(), AppError> {
        Ok(())
    }

    async fn apply_feed(
        &self,
        block: FeedBlock,
        _head: Option<FeedHead>,
    ) -> Result<Cursor, AppError> {
        let tip = block.tip();
        let cursor = Cursor::new(block.feed.kind, tip.n, &tip.running);
        let mut state = self.state();
        for (_, raw) in block.entries.iter().flat_map(|entry| &entry.items) {
            if let Ok(Some(Item::Verdict(verdict))) = Item::from_raw(raw) {
                state.verdicts.push(verdict);
            }
        }
        state.cursors.retain(|known| known.kind != cursor.kind);
        state.cursors.push(cursor);
        Ok(cursor)
    }

    async fn store_keys(&self, _keys: Vec<GivenKey>) -> Result<(), AppError> {
        Ok(())
    }

    async fn keys_for_hub(&self, _persons: Vec<DocumentId>) -> Result<Vec<GivenKey>, AppError> {
        Ok(Vec::new())
    }

    async fn last_head_seq(&self) -> Result<u64, AppError> {
        Ok(0)
    }

    /// It signs nothing.
    async fn head_claim(&self) -> Result<HeadClaim, AppError> {
        Err(AppError::NotFound { what: "head" })
    }

    async fn store_head(&self, _head: SignedHead) -> Result<(), AppError> {
        Ok(())
    }

    async fn store_countersignature(&self, _signature: Countersignature) -> Result<(), AppError> {
        Ok(())
    }

    async fn incident(&self, detail: String) -> Result<(), AppError> {
        self.state().incidents.push(detail);
        Ok(())
    }
}
