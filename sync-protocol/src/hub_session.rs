//! The hub's end of a session: admission, log in, feeds out.
//!
//! A pure state machine for one connection of one node. Blocks are held against the tip that this session expects
//! next before anything else sees them; entries that the hub has already are dropped by position and chain (INV-3).
//! The commit itself holds the node's cursor against the entries once more.

use std::collections::{BTreeMap, VecDeque};

use domain::id::DocumentId;

use crate::block::{Block, LogEntry, tip_behind};
use crate::error::DecodeError;
use crate::feed::{Cursor, FeedId, FeedKind, FeedTip};
use crate::frame::{Frame, FrameType, encode_compressed};
use crate::head::{Countersignature, SignedHead};
use crate::item::{decode_body, encode_body};
use crate::limits::UNACKNOWLEDGED_BYTES;
use crate::line::{Lineage, Meeting, meet};
use crate::mending::feed::FeedSpan;
use crate::mending::{Answer, Gap, LogSpan, NotBack, Proven};
use crate::message::{
    Absent, Ack, Close, CloseReason, FeedAck, FeedHead, GivenKey, Hello, KeyGive, KeyState,
    KeyWant, Want, Welcome,
};
use crate::position::{NodeId, Tip};
use crate::{frame, limits};

/// What the hub knows of a node when it says Hello.
#[derive(Debug, Clone)]
pub struct NodeState {
    /// The session number that this Hello got.
    pub session: u64,
    /// The hub's tip of the node's log.
    pub tip: Tip,
    /// Everything up to here has had its effects.
    pub applied: u64,
    /// The epochs that the hub holds of the node.
    pub lineage: Lineage,
    /// The feeds that the branch reads, with their heads.
    pub feeds: Vec<(FeedId, FeedTip)>,
    /// For each cursor in Hello: whether the hub has that entry with that hash.
    pub known_cursors: Vec<bool>,
    /// The person keys that the branch should hold.
    pub keys: KeyState,
    /// Persons whose keys the hub lacks and the branch should have.
    pub missing_keys: Vec<DocumentId>,
    /// Highest schema that the branch may write.
    pub schema: u32,
    /// The hub's hybrid clock.
    pub hlc: u64,
}

/// A run of feed entries that the store gave out to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutFeedBlock {
    /// Which feed.
    pub feed: FeedId,
    /// zstd of the feed block's bytes.
    pub packed: Vec<u8>,
    /// The tip behind its last entry.
    pub tip: FeedTip,
    /// The MAC of that tip under the hub's feed key, which proves a returned entry genuine (INV-14).
    pub mac: [u8; 16],
    /// Person keys that its entries begin to use; they travel before it.
    pub keys: Vec<GivenKey>,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A frame came.
    Frame(Frame),
    /// The answer to [`Effect::Admit`].
    Admitted(Box<NodeState>),
    /// The answer to [`Effect::Admit`]: no.
    Refused(Close),
    /// Entries of this node were committed.
    Committed(Ack),
    /// A feed of this branch grew.
    FeedGrew(FeedId, FeedTip),
    /// The answer to [`Effect::ReadFeed`].
    FeedRead(Vec<OutFeedBlock>),
    /// The answer to [`Effect::ReadFeedSpan`]: packed blocks, none where the entries are not there or not sound.
    FeedSpanRead(Vec<Vec<u8>>),
    /// The answer to [`Effect::ReadKeys`].
    KeysRead(Vec<GivenKey>),
    /// A head was countersigned.
    Countersigned(Countersignature),
    /// The hub lost entries of the node's log: ask for them again. One question at a time.
    Lost(Gap),
    /// End the session.
    End(Close),
}

/// What the driver does, in order.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Write these bytes to the stream.
    Send(Vec<u8>),
    /// Raise the node's session number and read its state.
    Admit(Box<Hello>),
    /// The session is open.
    Opened,
    /// Queue these entries for the group commit.
    Ingest(Vec<LogEntry>),
    /// Read entries of `feed` behind `after`, at most about `limit_bytes` packed (one entry at least).
    ReadFeed {
        /// Which feed.
        feed: FeedId,
        /// Number of the last entry sent.
        after: u64,
        /// How much.
        limit_bytes: usize,
    },
    /// Read entries of a feed that the branch lost, as [`crate::mending::feed::feed_blocks_for`] gives them.
    ReadFeedSpan(FeedId, FeedSpan),
    /// Remember how far the branch has applied its feeds.
    StoreCursors(Vec<Cursor>),
    /// Keep these person keys.
    StoreKeys(Vec<GivenKey>),
    /// Read person keys for the branch; empty = all that it may have.
    ReadKeys(Vec<DocumentId>),
    /// Hold a signed head against the hub's copy, keep and countersign it.
    CheckHead(SignedHead),
    /// Put entries back that were lost: they are proven.
    PutBack(Proven),
    /// Entries that were lost did not come back.
    NotBack(LogSpan, NotBack),
    /// The histories differ: record an incident.
    Incident(String),
    /// The session is over.
    End(Close),
}

#[derive(Debug)]
struct FeedProgress {
    head: FeedTip,
    sent: u64,
    acknowledged: u64,
    on_the_way: VecDeque<(u64, usize)>,
    reading: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    AwaitingHello,
    Admitting,
    Open,
    Over,
}

/// The hub's end.
#[derive(Debug)]
pub struct HubSession {
    node: NodeId,
    phase: Phase,
    hello: Option<Hello>,
    early: Vec<Frame>,
    expected: Tip,
    feeds: BTreeMap<FeedId, FeedProgress>,
    answer: Option<Answer>,
    /// What the branch asked for again and has not got yet.
    asked: Option<FeedSpan>,
}

impl HubSession {
    /// A session of `node`, as its certificate names it.
    pub fn new(node: NodeId) -> Self {
        HubSession {
            node,
            phase: Phase::AwaitingHello,
            hello: None,
            early: Vec::new(),
            expected: Tip::start([0; 32]),
            feeds: BTreeMap::new(),
            answer: None,
            asked: None,
        }
    }

    /// What was asked for again and has not come yet.
    pub fn wanted(&self) -> Option<LogSpan> {
        self.answer.as_ref().map(|answer| answer.gap().span)
    }

    /// Takes what happened and says what to do.
    pub fn handle(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.phase == Phase::Over {
            return effects;
        }
        match input {
            Input::Frame(frame) => self.on_frame(frame, &mut effects),
            Input::Admitted(state) => self.on_admitted(*state, &mut effects),
            Input::Refused(close) | Input::End(close) => self.end(close, &mut effects),
            Input::Committed(ack) => effects.push(Effect::Send(ack.to_frame())),
            Input::FeedGrew(feed, tip) => {
                if let Some(progress) = self.feeds.get_mut(&feed)
                    && tip.n > progress.head.n
                {
                    progress.head = tip;
                }
                self.read_feeds(&mut effects);
            }
            Input::FeedRead(blocks) => self.on_feed_read(blocks, &mut effects),
            Input::FeedSpanRead(blocks) => self.on_feed_span_read(blocks, &mut effects),
            Input::KeysRead(keys) => send_keys(keys, &mut effects),
            Input::Lost(gap) => self.on_lost(gap, &mut effects),
            Input::Countersigned(signature) => {
                effects.push(Effect::Send(frame::encode(
                    FrameType::Countersignature,
                    &encode_body(&signature),
                )));
            }
        }
        effects
    }

    /// The stream gave bytes that are not frames.
    pub fn on_bad_bytes(&mut self, error: &DecodeError) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.protocol_error(&error.to_string(), &mut effects);
        effects
    }

    fn on_frame(&mut self, frame: Frame, effects: &mut Vec<Effect>) {
        if self.phase == Phase::Admitting {
            let held: usize = self.early.iter().map(|frame| frame.wire_bytes).sum();
            if held + frame.wire_bytes > UNACKNOWLEDGED_BYTES + limits::FRAME_BYTES {
                self.protocol_error("more than the window before Welcome", effects);
            } else {
                self.early.push(frame);
            }
            return;
        }
        if let Err(error) = self.try_frame(&frame, effects) {
            self.protocol_error(&error.to_string(), effects);
        }
    }

    fn try_frame(&mut self, frame: &Frame, effects: &mut Vec<Effect>) -> Result<(), DecodeError> {
        let body = &frame.body;
        match (self.phase, frame.kind) {
            (Phase::AwaitingHello, FrameType::Hello) => {
                let hello = Hello::from_body(body)?;
                self.hello = Some(hello.clone());
                self.phase = Phase::Admitting;
                effects.push(Effect::Admit(Box::new(hello)));
            }
            (_, FrameType::Close) => {
                self.phase = Phase::Over;
                effects.push(Effect::End(Close::from_body(body)?));
            }
            (Phase::Open, FrameType::Block) => {
                self.on_block(Block::decode(body)?, body.len(), effects)?;
            }
            (Phase::Open, FrameType::Absent) => {
                self.on_absent(Absent::from_body(body)?, effects)?;
            }
            (Phase::Open, FrameType::Want) => self.on_want(Want::from_body(body)?, effects)?,
            (Phase::Open, FrameType::FeedAck) => {
                self.on_feed_ack(FeedAck::from_body(body)?, effects)?
            }
            (Phase::Open, FrameType::KeyWant) => {
                effects.push(Effect::ReadKeys(KeyWant::from_body(body)?.persons))
            }
            (Phase::Open, FrameType::KeyGive) => {
                effects.push(Effect::StoreKeys(KeyGive::from_body(body)?.keys))
            }
            (Phase::Open, FrameType::Head) => {
                effects.push(Effect::CheckHead(decode_body(body, "signed head")?))
            }
            (_, kind) => {
                return Err(DecodeError::Unknown {
                    what: "frame at this point",
                    value: kind as u64,
                });
            }
        }
        Ok(())
    }

    fn on_admitted(&mut self, state: NodeState, effects: &mut Vec<Effect>) {
        let Some(hello) = self.hello.take() else {
            return;
        };
        if let Err(detail) = may_continue(&state, &hello) {
            effects.push(Effect::Incident(detail.clone()));
            self.end(
                Close {
                    reason: CloseReason::Held,
                    detail,
                },
                effects,
            );
            return;
        }
        self.phase = Phase::Open;
        self.expected = state.tip;
        let welcome = self.welcome(&state, &hello);
        effects.push(Effect::Send(welcome.to_frame()));
        effects.push(Effect::Opened);
        send_wants(&state.missing_keys, effects);
        self.read_feeds(effects);
        for frame in std::mem::take(&mut self.early) {
            if self.phase == Phase::Open {
                self.on_frame(frame, effects);
            }
        }
    }

    fn welcome(&mut self, state: &NodeState, hello: &Hello) -> Welcome {
        let mut differing = Vec::new();
        for (feed, head) in &state.feeds {
            let known = hello.cursors.iter().find(|cursor| cursor.kind == feed.kind);
            let sent = known.map_or(0, |cursor| cursor.n);
            if sent != head.n {
                differing.push(Cursor::new(feed.kind, head.n, &head.running));
            }
            let progress = FeedProgress {
                head: *head,
                sent,
                acknowledged: sent,
                on_the_way: VecDeque::new(),
                reading: false,
            };
            self.feeds.insert(*feed, progress);
        }
        Welcome {
            session: state.session,
            tip: (state.tip != hello.last_ack).then_some(state.tip),
            applied: state.applied,
            schema: state.schema,
            hlc: state.hlc,
            cursors: differing,
            keys: (state.keys != hello.keys).then_some(state.keys),
        }
    }

    fn on_lost(&mut self, gap: Gap, effects: &mut Vec<Effect>) {
        if self.phase == Phase::Open && self.answer.is_none() && gap.span.check().is_ok() {
            self.answer = Some(Answer::to(gap));
            effects.push(Effect::Send(Want::Log(gap.span).to_frame()));
        }
    }

    fn on_returned(&mut self, block: Block, size_bytes: usize, effects: &mut Vec<Effect>) {
        let Some(answer) = &mut self.answer else {
            return;
        };
        let span = answer.gap().span;
        match answer.add(block, size_bytes) {
            Ok(None) => return,
            Ok(Some(proven)) => effects.push(Effect::PutBack(proven)),
            Err(why) => effects.push(Effect::NotBack(span, why)),
        }
        self.answer = None;
    }

    fn on_absent(&mut self, absent: Absent, effects: &mut Vec<Effect>) -> Result<(), DecodeError> {
        match (absent.want, self.wanted()) {
            (Want::Log(span), Some(wanted)) if span == wanted => {
                self.answer = None;
                effects.push(Effect::NotBack(span, NotBack::Absent));
                Ok(())
            }
            _ => Err(DecodeError::Form {
                what: "Absent",
                reason: "nobody asked for this",
            }),
        }
    }

    /// A branch asks for entries of a feed that it reads, one question at a time.
    fn on_want(&mut self, want: Want, effects: &mut Vec<Effect>) -> Result<(), DecodeError> {
        let refused = |reason| {
            Err(DecodeError::Form {
                what: "Want",
                reason,
            })
        };
        let Want::Feed(span) = want else {
            return refused("a log is asked for of who wrote it");
        };
        let Some(feed) = self.feeds.keys().find(|feed| feed.kind == span.kind) else {
            return refused("the branch does not read this feed");
        };
        if self.asked.is_some() {
            return refused("one question at a time");
        }
        self.asked = Some(span);
        effects.push(Effect::ReadFeedSpan(*feed, span));
        Ok(())
    }

    /// What the branch lost does not count as being on the way: it acknowledged it long ago.
    fn on_feed_span_read(&mut self, blocks: Vec<Vec<u8>>, effects: &mut Vec<Effect>) {
        let Some(span) = self.asked.take() else {
            return;
        };
        if blocks.is_empty() {
            let absent = Absent {
                want: Want::Feed(span),
            };
            effects.push(Effect::Send(absent.to_frame()));
        }
        for packed in blocks {
            let bytes = encode_compressed(FrameType::FeedBlock, &packed);
            effects.push(Effect::Send(bytes));
        }
    }

    fn on_block(
        &mut self,
        block: Block,
        size_bytes: usize,
        effects: &mut Vec<Effect>,
    ) -> Result<(), DecodeError> {
        if block.node != self.node {
            return Err(DecodeError::Form {
                what: "block",
                reason: "it is another node's",
            });
        }
        if self
            .answer
            .as_ref()
            .is_some_and(|answer| answer.takes(&block))
        {
            self.on_returned(block, size_bytes, effects);
            return Ok(());
        }
        let before = Tip {
            epoch: block.epoch,
            seq: block.first_seq - 1,
            hash: block.before,
        };
        let entries = block.entries();
        let fresh: Vec<LogEntry> = entries
            .iter()
            .filter(|entry| entry.position.seq > self.expected.seq)
            .cloned()
            .collect();
        let known_end = entries
            .iter()
            .rfind(|entry| entry.position.seq <= self.expected.seq);
        let continues = match known_end {
            None => before.seq == self.expected.seq && before.hash == self.expected.hash,
            Some(entry) if entry.position.seq == self.expected.seq => {
                entry.hash == self.expected.hash
            }
            Some(_) => true,
        };
        if !continues {
            return Err(DecodeError::Form {
                what: "block",
                reason: "it does not continue the node's log",
            });
        }
        if !fresh.is_empty() {
            self.expected = tip_behind(&fresh, self.expected);
            effects.push(Effect::Ingest(fresh));
        }
        Ok(())
    }

    fn on_feed_ack(&mut self, ack: FeedAck, effects: &mut Vec<Effect>) -> Result<(), DecodeError> {
        for cursor in &ack.cursors {
            let Some(progress) = self
                .feeds
                .iter_mut()
                .find(|(feed, _)| feed.kind == cursor.kind)
                .map(|(_, p)| p)
            else {
                return Err(DecodeError::Form {
                    what: "FeedAck",
                    reason: "the branch does not read this feed",
                });
            };
            if cursor.n < progress.acknowledged || cursor.n > progress.sent {
                return Err(DecodeError::Form {
                    what: "FeedAck",
                    reason: "it goes back, or ahead of what was sent",
                });
            }
            progress.acknowledged = cursor.n;
            while progress
                .on_the_way
                .front()
                .is_some_and(|(n, _)| *n <= cursor.n)
            {
                progress.on_the_way.pop_front();
            }
        }
        effects.push(Effect::StoreCursors(ack.cursors));
        self.read_feeds(effects);
        Ok(())
    }

    fn on_feed_read(&mut self, blocks: Vec<OutFeedBlock>, effects: &mut Vec<Effect>) {
        for progress in self.feeds.values_mut() {
            progress.reading = false;
        }
        let ends: BTreeMap<FeedId, FeedHead> = blocks
            .iter()
            .map(|block| (block.feed, FeedHead::new(block.feed, &block.tip, block.mac)))
            .collect();
        for head in ends.into_values() {
            effects.push(Effect::Send(head.to_frame()));
        }
        for block in blocks {
            send_keys(block.keys, effects);
            let bytes = encode_compressed(FrameType::FeedBlock, &block.packed);
            if let Some(progress) = self.feeds.get_mut(&block.feed) {
                progress.on_the_way.push_back((block.tip.n, bytes.len()));
                progress.sent = block.tip.n;
            }
            effects.push(Effect::Send(bytes));
        }
        self.read_feeds(effects);
    }

    /// One read at a time, the register first, so that a branch learns of a revocation before anything else.
    fn read_feeds(&mut self, effects: &mut Vec<Effect>) {
        if self.phase != Phase::Open || self.feeds.values().any(|progress| progress.reading) {
            return;
        }
        let used: usize = self
            .feeds
            .values()
            .flat_map(|progress| &progress.on_the_way)
            .map(|(_, bytes)| bytes)
            .sum();
        if used >= UNACKNOWLEDGED_BYTES {
            return;
        }
        const ORDER: [FeedKind; 4] = [
            FeedKind::Register,
            FeedKind::Chain,
            FeedKind::Private,
            FeedKind::Availability,
        ];
        for kind in ORDER {
            let behind = self
                .feeds
                .iter_mut()
                .find(|(feed, progress)| feed.kind == kind && progress.sent < progress.head.n);
            if let Some((feed, progress)) = behind {
                progress.reading = true;
                effects.push(Effect::ReadFeed {
                    feed: *feed,
                    after: progress.sent,
                    limit_bytes: UNACKNOWLEDGED_BYTES - used,
                });
                return;
            }
        }
    }

    fn protocol_error(&mut self, detail: &str, effects: &mut Vec<Effect>) {
        effects.push(Effect::Incident(detail.to_owned()));
        self.end(
            Close {
                reason: CloseReason::Protocol,
                detail: detail.to_owned(),
            },
            effects,
        );
    }

    fn end(&mut self, close: Close, effects: &mut Vec<Effect>) {
        self.phase = Phase::Over;
        effects.push(Effect::Send(close.to_frame()));
        effects.push(Effect::End(close));
    }
}

/// Whether the branch's log continues the hub's, and its cursors are ones that the hub gave out.
fn may_continue(state: &NodeState, hello: &Hello) -> Result<(), String> {
    if let Some(index) = state.known_cursors.iter().position(|known| !known) {
        let kind = hello
            .cursors
            .get(index)
            .map_or("unknown", |cursor| cursor.kind.as_str());
        return Err(format!(
            "the branch holds entries of its {kind} feed that the hub does not have"
        ));
    }
    let mut branch = state.lineage.clone();
    for row in &hello.lineage {
        if branch.row(row.epoch).is_none() {
            branch.push(*row).map_err(|error| error.to_string())?;
        }
    }
    if hello.last_ack.seq > state.tip.seq {
        return Err("the hub has less of the branch's log than it acknowledged".to_owned());
    }
    match meet(&state.lineage, &state.tip, &branch, &hello.tip) {
        Meeting::Normal => Ok(()),
        Meeting::BranchLost => Err("the branch's log ends before the hub's copy of it".to_owned()),
        Meeting::Fork { common_seq } => Err(format!(
            "the branch's log and the hub's copy part behind entry {common_seq}"
        )),
    }
}

fn send_keys(keys: Vec<GivenKey>, effects: &mut Vec<Effect>) {
    for chunk in keys.chunks(limits::KEYS_PER_FRAME) {
        effects.push(Effect::Send(
            KeyGive {
                keys: chunk.to_vec(),
            }
            .to_frame(),
        ));
    }
}

fn send_wants(persons: &[DocumentId], effects: &mut Vec<Effect>) {
    for chunk in persons.chunks(limits::KEYS_PER_FRAME) {
        effects.push(Effect::Send(
            KeyWant {
                persons: chunk.to_vec(),
            }
            .to_frame(),
        ));
    }
}
