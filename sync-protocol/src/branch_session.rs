//! The branch's end of a session: Hello, log up, feeds down.
//!
//! A pure state machine. The driver hands in what happened (frames, stored feed entries, log blocks that it read) and
//! carries out the effects in order. Nothing here waits: sending goes on while feeds come in, and at most
//! [`UNACKNOWLEDGED_BYTES`] of log are on the way. An acknowledgement only ever advances, but for Welcome (INV-10).

use std::collections::VecDeque;

use domain::id::DocumentId;

use crate::error::DecodeError;
use crate::feed::{Cursor, FeedBlock, FeedId, FeedTip};
use crate::frame::{Frame, FrameType, encode_compressed};
use crate::head::{Countersignature, SignedHead};
use crate::item::{decode_body, encode_body};
use crate::limits::{HELLO_LOG_BYTES, UNACKNOWLEDGED_BYTES};
use crate::mending::feed::{FeedAnswer, FeedGap, FeedSpan, ProvenFeed};
use crate::mending::{LogSpan, NotBack};
use crate::message::{
    Absent, Ack, Close, CloseReason, FeedAck, FeedHead, GivenKey, Hello, KeyGive, KeyState,
    KeyWant, Want, Welcome,
};
use crate::position::Tip;
use crate::{frame, limits};

/// A log block that the store gave out to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutBlock {
    /// zstd of the block's bytes.
    pub packed: Vec<u8>,
    /// The tip behind its last transaction.
    pub last: Tip,
    /// Person keys that its transactions begin to use; they travel before it.
    pub keys: Vec<GivenKey>,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A frame came.
    Frame(Frame),
    /// The log grew to this tip.
    Appended(Tip),
    /// The answer to [`Effect::ReadLog`].
    LogRead(Vec<OutBlock>),
    /// The answer to [`Effect::ReadLog`]: the tip asked for is not on this branch's line.
    NotOnLine,
    /// Feed entries were applied, or stored raw, in one commit.
    FeedStored(Cursor),
    /// The answer to [`Effect::ReadKeys`].
    KeysRead(Vec<GivenKey>),
    /// The answer to [`Effect::ReadSpan`]: packed blocks, none where the entries are not there or not sound.
    SpanRead(LogSpan, Vec<Vec<u8>>),
    /// A head was signed.
    HeadSigned(SignedHead),
    /// The branch lost entries of a feed: ask the hub for them again. One question at a time.
    FeedLost(FeedGap),
    /// The node stops or pauses.
    Leave,
}

/// What the driver does, in order.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Write these bytes to the stream.
    Send(Vec<u8>),
    /// Read whole blocks behind `after`, at most about `limit_bytes` of packed bytes (one block at least).
    ReadLog {
        /// Where to start.
        after: Tip,
        /// How much.
        limit_bytes: usize,
    },
    /// The session is open.
    Welcomed(Welcome),
    /// Remember what the hub has.
    Acknowledged(Ack),
    /// Apply feed entries, move the cursor, and keep the hub's MAC over it, if one is there, in the same commit.
    StoreFeed(FeedBlock, Option<FeedHead>),
    /// Keep these person keys.
    StoreKeys(Vec<GivenKey>),
    /// Read person keys for the hub; empty = all that were created here.
    ReadKeys(Vec<DocumentId>),
    /// Read entries that the hub lost, as [`crate::mending::blocks_for`] gives them.
    ReadSpan(LogSpan),
    /// Keep the hub's countersignature.
    StoreCountersignature(Countersignature),
    /// Put entries of a feed back that were lost: they are proven, and were applied long ago.
    PutBackFeed(ProvenFeed),
    /// Entries of a feed that were lost did not come back.
    FeedNotBack(FeedSpan, NotBack),
    /// The session is over.
    End(SessionEnd),
}

/// Why a session is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEnd {
    /// The hub closed it.
    ClosedByHub(Close),
    /// This side left.
    Left,
    /// The hub sent bytes that are not the protocol.
    Protocol(String),
    /// The hub's tip is not on this branch's line: the two must be brought together first.
    NotOnLine(Tip),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    AwaitingWelcome,
    Open,
    Over,
}

/// The branch's end.
#[derive(Debug)]
pub struct BranchSession {
    phase: Phase,
    tip: Tip,
    sent: Tip,
    stored: Tip,
    /// The highest number sent in this session; early blocks may reach beyond `sent` after Welcome.
    reach: u64,
    on_the_way: VecDeque<(Tip, usize)>,
    reading: bool,
    reread: bool,
    /// The feeds that this branch reads.
    feeds: Vec<FeedId>,
    cursors: Vec<Cursor>,
    /// Announced heads whose last block is still to come, at most one of each feed.
    heads: Vec<FeedHead>,
    keys: KeyState,
    answer: Option<FeedAnswer>,
}

impl BranchSession {
    /// Opens a session: Hello, and the first read of the log that goes with it.
    pub fn open(hello: Hello, feeds: Vec<FeedId>) -> (Self, Vec<Effect>) {
        let mut session = BranchSession {
            phase: Phase::AwaitingWelcome,
            tip: hello.tip,
            sent: hello.last_ack,
            stored: hello.last_ack,
            reach: hello.last_ack.seq,
            on_the_way: VecDeque::new(),
            reading: false,
            reread: false,
            feeds,
            cursors: hello.cursors.clone(),
            heads: Vec::new(),
            keys: hello.keys,
            answer: None,
        };
        let mut effects = vec![Effect::Send(hello.to_frame())];
        session.read_more(&mut effects);
        (session, effects)
    }

    /// Whether the hub has answered and the session is not over.
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// The tip that the hub has stored, as last acknowledged.
    pub fn stored(&self) -> Tip {
        self.stored
    }

    /// What was asked for again and has not come yet.
    pub fn wanted(&self) -> Option<FeedSpan> {
        self.answer.as_ref().map(|answer| answer.gap().span)
    }

    /// Takes what happened and says what to do.
    pub fn handle(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.phase == Phase::Over {
            return effects;
        }
        match input {
            Input::Frame(frame) => self.on_frame(&frame, &mut effects),
            Input::Appended(tip) => {
                self.tip = tip;
                self.read_more(&mut effects);
            }
            Input::LogRead(blocks) => self.on_log_read(blocks, &mut effects),
            Input::NotOnLine => self.on_not_on_line(&mut effects),
            Input::FeedStored(cursor) => self.on_feed_stored(cursor, &mut effects),
            Input::KeysRead(keys) => send_keys(keys, &mut effects),
            Input::SpanRead(span, blocks) => self.on_span_read(span, blocks, &mut effects),
            Input::FeedLost(gap) => self.on_feed_lost(gap, &mut effects),
            Input::HeadSigned(head) => {
                effects.push(Effect::Send(frame::encode(
                    FrameType::Head,
                    &encode_body(&head),
                )));
            }
            Input::Leave => {
                let close = Close {
                    reason: CloseReason::Leaving,
                    detail: "the branch leaves".to_owned(),
                };
                effects.push(Effect::Send(close.to_frame()));
                self.end(SessionEnd::Left, &mut effects);
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

    fn on_frame(&mut self, frame: &Frame, effects: &mut Vec<Effect>) {
        if let Err(error) = self.try_frame(frame, effects) {
            self.protocol_error(&error.to_string(), effects);
        }
    }

    fn try_frame(&mut self, frame: &Frame, effects: &mut Vec<Effect>) -> Result<(), DecodeError> {
        let body = &frame.body;
        match (self.phase, frame.kind) {
            (Phase::AwaitingWelcome, FrameType::Welcome) => {
                self.on_welcome(Welcome::from_body(body)?, effects)
            }
            (_, FrameType::Close) => {
                self.end(SessionEnd::ClosedByHub(Close::from_body(body)?), effects);
            }
            (Phase::Open, FrameType::Ack) => self.on_ack(Ack::from_body(body)?, effects)?,
            (Phase::Open, FrameType::FeedBlock) => {
                self.on_feed_block(FeedBlock::decode(body)?, body.len(), effects)?
            }
            (Phase::Open, FrameType::FeedHead) => self.on_feed_head(FeedHead::from_body(body)?)?,
            (Phase::Open, FrameType::KeyWant) => {
                effects.push(Effect::ReadKeys(KeyWant::from_body(body)?.persons))
            }
            (Phase::Open, FrameType::KeyGive) => {
                effects.push(Effect::StoreKeys(KeyGive::from_body(body)?.keys))
            }
            (Phase::Open, FrameType::Want) => {
                let Want::Log(span) = Want::from_body(body)? else {
                    return Err(DecodeError::Form {
                        what: "Want",
                        reason: "a feed is asked for of the hub",
                    });
                };
                effects.push(Effect::ReadSpan(span));
            }
            (Phase::Open, FrameType::Absent) => {
                self.on_absent(Absent::from_body(body)?, effects)?;
            }
            (Phase::Open, FrameType::Countersignature) => {
                effects.push(Effect::StoreCountersignature(decode_body(
                    body,
                    "countersignature",
                )?));
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

    fn on_welcome(&mut self, welcome: Welcome, effects: &mut Vec<Effect>) {
        self.phase = Phase::Open;
        if let Some(tip) = welcome.tip
            && tip != self.stored
        {
            self.stored = tip;
            self.sent = tip;
            self.reach = self.reach.max(tip.seq);
            self.on_the_way.clear();
            self.reread = self.reading;
        }
        if welcome.keys.is_some_and(|keys| keys != self.keys) {
            effects.push(Effect::Send(
                KeyWant {
                    persons: Vec::new(),
                }
                .to_frame(),
            ));
        }
        effects.push(Effect::Acknowledged(Ack {
            stored: self.stored,
            applied: welcome.applied,
        }));
        effects.push(Effect::Welcomed(welcome));
        self.read_more(effects);
    }

    fn on_ack(&mut self, ack: Ack, effects: &mut Vec<Effect>) -> Result<(), DecodeError> {
        if ack.stored.seq < self.stored.seq
            || ack.stored.seq > self.reach
            || ack.applied > ack.stored.seq
        {
            return Err(DecodeError::Form {
                what: "Ack",
                reason: "it goes back, or ahead of what was sent",
            });
        }
        self.stored = ack.stored;
        if self.sent.seq < ack.stored.seq {
            self.sent = ack.stored;
        }
        while let Some((tip, _)) = self
            .on_the_way
            .pop_front_if(|(tip, _)| tip.seq <= ack.stored.seq)
        {
            if tip.seq == ack.stored.seq && tip.hash != ack.stored.hash {
                return Err(DecodeError::Form {
                    what: "Ack",
                    reason: "the hub's chain differs from this branch's",
                });
            }
        }
        effects.push(Effect::Acknowledged(ack));
        self.read_more(effects);
        Ok(())
    }

    /// A head travels before the blocks that it closes, so that no cut leaves entries without one for long.
    fn on_feed_head(&mut self, head: FeedHead) -> Result<(), DecodeError> {
        let is_read = |feed: &FeedId| feed.kind as u8 == head.feed_kind && feed.scope == head.scope;
        if !self.feeds.iter().any(is_read) {
            return Err(DecodeError::Form {
                what: "feed head",
                reason: "this feed is not one that the branch reads",
            });
        }
        self.heads.retain(|known| known.feed_kind != head.feed_kind);
        self.heads.push(head);
        Ok(())
    }

    /// The announced head that this block reaches.
    fn head_of(&mut self, feed: FeedId, tip: &FeedTip) -> Result<Option<FeedHead>, DecodeError> {
        let kind = feed.kind as u8;
        let place = self
            .heads
            .iter()
            .position(|head| head.feed_kind == kind && head.n <= tip.n);
        let Some(head) = place.map(|place| self.heads.swap_remove(place)) else {
            return Ok(None);
        };
        if (head.n, head.running) != (tip.n, tip.running) {
            return Err(DecodeError::Form {
                what: "feed head",
                reason: "it is not that of the entries that follow it",
            });
        }
        Ok(Some(head))
    }

    fn on_feed_block(
        &mut self,
        block: FeedBlock,
        size_bytes: usize,
        effects: &mut Vec<Effect>,
    ) -> Result<(), DecodeError> {
        // What was lost lies before the cursor, what is new behind it.
        if self
            .answer
            .as_ref()
            .is_some_and(|answer| answer.takes(&block))
        {
            self.on_returned(block, size_bytes, effects);
            return Ok(());
        }
        if !self.feeds.contains(&block.feed) {
            return Err(DecodeError::Form {
                what: "feed block",
                reason: "this feed is not one that the branch reads",
            });
        }
        let known = self
            .cursors
            .iter()
            .find(|cursor| cursor.kind == block.feed.kind);
        let expected = known
            .copied()
            .unwrap_or_else(|| Cursor::new(block.feed.kind, 0, &block.feed.start()));
        if Cursor::new(block.feed.kind, block.first - 1, &block.before) != expected {
            return Err(DecodeError::Form {
                what: "feed block",
                reason: "it does not follow the branch's cursor",
            });
        }
        let tip = block.tip();
        let moved = Cursor::new(block.feed.kind, tip.n, &tip.running);
        self.cursors.retain(|cursor| cursor.kind != moved.kind);
        self.cursors.push(moved);
        let head = self.head_of(block.feed, &tip)?;
        effects.push(Effect::StoreFeed(block, head));
        Ok(())
    }

    fn on_feed_lost(&mut self, gap: FeedGap, effects: &mut Vec<Effect>) {
        let is_read = self.feeds.contains(&gap.feed) && gap.feed.kind == gap.span.kind;
        if self.phase == Phase::Open && self.answer.is_none() && is_read && gap.span.check().is_ok()
        {
            self.answer = Some(FeedAnswer::to(gap));
            effects.push(Effect::Send(Want::Feed(gap.span).to_frame()));
        }
    }

    fn on_returned(&mut self, block: FeedBlock, size_bytes: usize, effects: &mut Vec<Effect>) {
        let Some(answer) = &mut self.answer else {
            return;
        };
        let span = answer.gap().span;
        match answer.add(block, size_bytes) {
            Ok(None) => return,
            Ok(Some(proven)) => effects.push(Effect::PutBackFeed(proven)),
            Err(why) => effects.push(Effect::FeedNotBack(span, why)),
        }
        self.answer = None;
    }

    fn on_absent(&mut self, absent: Absent, effects: &mut Vec<Effect>) -> Result<(), DecodeError> {
        match (absent.want, self.wanted()) {
            (Want::Feed(span), Some(wanted)) if span == wanted => {
                self.answer = None;
                effects.push(Effect::FeedNotBack(span, NotBack::Absent));
                Ok(())
            }
            _ => Err(DecodeError::Form {
                what: "Absent",
                reason: "nobody asked for this",
            }),
        }
    }

    fn on_feed_stored(&mut self, cursor: Cursor, effects: &mut Vec<Effect>) {
        if self.phase == Phase::Open {
            effects.push(Effect::Send(
                FeedAck {
                    cursors: vec![cursor],
                }
                .to_frame(),
            ));
        }
    }

    fn on_log_read(&mut self, blocks: Vec<OutBlock>, effects: &mut Vec<Effect>) {
        self.reading = false;
        if std::mem::take(&mut self.reread) {
            self.read_more(effects);
            return;
        }
        for block in blocks {
            if block.last.seq <= self.stored.seq {
                continue;
            }
            send_keys(block.keys, effects);
            let bytes = encode_compressed(FrameType::Block, &block.packed);
            self.on_the_way.push_back((block.last, bytes.len()));
            self.sent = block.last;
            self.reach = self.reach.max(block.last.seq);
            effects.push(Effect::Send(bytes));
        }
        self.read_more(effects);
    }

    /// What the hub lost does not count as being on the way: it acknowledged it long ago.
    fn on_span_read(&self, span: LogSpan, blocks: Vec<Vec<u8>>, effects: &mut Vec<Effect>) {
        if self.phase != Phase::Open {
            return;
        }
        if blocks.is_empty() {
            let absent = Absent {
                want: Want::Log(span),
            };
            effects.push(Effect::Send(absent.to_frame()));
        }
        for packed in blocks {
            let bytes = encode_compressed(FrameType::Block, &packed);
            effects.push(Effect::Send(bytes));
        }
    }

    fn on_not_on_line(&mut self, effects: &mut Vec<Effect>) {
        self.reading = false;
        if std::mem::take(&mut self.reread) || self.phase == Phase::AwaitingWelcome {
            self.read_more_if_open(effects);
            return;
        }
        let detail = "the hub holds entries that this branch does not have".to_owned();
        effects.push(Effect::Send(
            Close {
                reason: CloseReason::Held,
                detail,
            }
            .to_frame(),
        ));
        self.end(SessionEnd::NotOnLine(self.stored), effects);
    }

    fn read_more_if_open(&mut self, effects: &mut Vec<Effect>) {
        if self.phase == Phase::Open {
            self.read_more(effects);
        }
    }

    fn read_more(&mut self, effects: &mut Vec<Effect>) {
        let window = match self.phase {
            Phase::AwaitingWelcome => HELLO_LOG_BYTES,
            Phase::Open => UNACKNOWLEDGED_BYTES,
            Phase::Over => return,
        };
        let used: usize = self.on_the_way.iter().map(|(_, bytes)| bytes).sum();
        let behind =
            self.sent.seq < self.tip.seq || self.sent.epoch != self.tip.epoch && self.tip.seq > 0;
        if self.reading || used >= window || !behind {
            return;
        }
        self.reading = true;
        let limit_bytes = (window - used).min(limits::FRAME_BYTES);
        effects.push(Effect::ReadLog {
            after: self.sent,
            limit_bytes,
        });
    }

    fn protocol_error(&mut self, detail: &str, effects: &mut Vec<Effect>) {
        let close = Close {
            reason: CloseReason::Protocol,
            detail: detail.to_owned(),
        };
        effects.push(Effect::Send(close.to_frame()));
        self.end(SessionEnd::Protocol(detail.to_owned()), effects);
    }

    fn end(&mut self, end: SessionEnd, effects: &mut Vec<Effect>) {
        self.phase = Phase::Over;
        effects.push(Effect::End(end));
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
