//! Two ends of a session over stores in memory and a link that can be cut at any frame.
//!
//! For tests and the simulator: the sessions are the real ones, the stores keep only what a session needs. Nothing
//! here waits or runs by itself; [`Link::run`] steps both ends until nothing is left to do.

use std::collections::{BTreeMap, VecDeque};

use domain::id::BranchId;

use crate::block::{BlockWriter, LogEntry};
use crate::branch_session::{self, BranchSession, OutBlock};
use crate::compress::compress;
use crate::error::DecodeError;
use crate::feed::{Cursor, FeedBlock, FeedEntry, FeedId, FeedTip, head_mac};
use crate::frame::FrameReader;
use crate::hub_session::{self, HubSession, NodeState, OutFeedBlock};
use crate::limits::BLOCK_BYTES;
use crate::line::{Lineage, LineageRow};
use crate::mending::feed::{FeedGap, FeedSpan, ProvenFeed, feed_blocks_for};
use crate::mending::{Gap, KeptEntry, LogSpan, Proven, blocks_for};
use crate::message::{Ack, FeedHead, Hello, KeyState};
use crate::position::{Epoch, NodeId, Tip, chain, start_of_branch_line};
use crate::transaction::Transaction;

/// The key of the hub's MACs over feed heads.
pub const FEED_KEY: [u8; 32] = [7; 32];

/// A branch's log and feeds, kept in memory.
#[derive(Debug, Clone)]
pub struct MemoryBranch {
    /// Its node.
    pub node: NodeId,
    /// Its branch.
    pub branch: BranchId,
    /// The epoch in which it writes now.
    pub epoch: Epoch,
    /// Every entry: tip behind it and its bytes.
    pub log: Vec<(Tip, Vec<u8>)>,
    /// Epochs with entries.
    pub lineage: Vec<LineageRow>,
    /// What the hub acknowledged.
    pub ack: Ack,
    /// Feed entries, applied once each.
    pub applied: Vec<FeedEntry>,
    /// Where the feeds stand.
    pub cursors: Vec<Cursor>,
    /// The newest head of each feed, with the hub's MAC.
    pub heads: BTreeMap<u8, FeedHead>,
    /// Feed entries that were lost and came back, in the order in which they came.
    pub put_back: Vec<ProvenFeed>,
    /// Why feed entries that were lost did not come back.
    pub not_back: Vec<String>,
}

impl MemoryBranch {
    /// An empty branch.
    pub fn new(node: NodeId, branch: BranchId, epoch: Epoch) -> Self {
        let start = Tip::start(start_of_branch_line(node, branch));
        MemoryBranch {
            node,
            branch,
            epoch,
            log: Vec::new(),
            lineage: Vec::new(),
            ack: Ack {
                stored: start,
                applied: 0,
            },
            applied: Vec::new(),
            cursors: Vec::new(),
            heads: BTreeMap::new(),
            put_back: Vec::new(),
            not_back: Vec::new(),
        }
    }

    /// The end of the log.
    pub fn tip(&self) -> Tip {
        self.log.last().map_or_else(
            || Tip::start(start_of_branch_line(self.node, self.branch)),
            |(tip, _)| *tip,
        )
    }

    /// Appends a transaction.
    pub fn append(&mut self, transaction: &Transaction) {
        let before = self.tip();
        if before.epoch != self.epoch {
            self.lineage.push(LineageRow {
                epoch: self.epoch,
                parent: before,
            });
        }
        let seq = before.seq + 1;
        let hash = chain(&before.hash, self.epoch, seq, &transaction.hash());
        self.log.push((
            Tip {
                epoch: self.epoch,
                seq,
                hash,
            },
            transaction.to_bytes(),
        ));
    }

    /// What it says in Hello.
    pub fn hello(&self) -> Hello {
        let known = self.ack.stored.epoch;
        let lineage = Lineage::new(self.lineage.clone()).unwrap_or_default();
        Hello {
            current_epoch: self.epoch,
            tip: self.tip(),
            last_ack: self.ack.stored,
            lineage: lineage.since(known),
            cursors: self.cursors.clone(),
            keys: KeyState::default(),
            hlc: 0,
            schema: 1,
            version: "test".to_owned(),
        }
    }

    /// Blocks behind `after`; `None` where `after` is not in the log.
    pub fn read(&self, after: Tip, limit_bytes: usize) -> Option<Vec<OutBlock>> {
        let mut before = match after.seq {
            0 => Tip::start(start_of_branch_line(self.node, self.branch)),
            seq => self.log.get(seq as usize - 1)?.0,
        };
        if before.hash != after.hash {
            return None;
        }
        let mut blocks = Vec::new();
        let mut size_bytes = 0;
        let mut rest = self.log[after.seq as usize..].iter().peekable();
        while size_bytes < limit_bytes {
            let Some((first, _)) = rest.peek() else { break };
            let mut writer = BlockWriter::new(self.node, first.epoch, first.seq, &before.hash);
            while let Some((tip, _)) =
                rest.next_if(|(tip, bytes)| writer.push(tip.epoch, tip.seq, bytes))
            {
                before = *tip;
            }
            let packed = compress(&writer.finish());
            size_bytes += packed.len();
            blocks.push(OutBlock {
                packed,
                last: before,
                keys: Vec::new(),
            });
        }
        Some(blocks)
    }

    /// Packed blocks for entries that the hub lost.
    pub fn read_span(&self, span: &LogSpan) -> Vec<Vec<u8>> {
        let index = |seq: u64| usize::try_from(seq).unwrap_or(usize::MAX).saturating_sub(1);
        let (first, end) = (index(span.first), index(span.last).saturating_add(1));
        let start = start_of_branch_line(self.node, self.branch);
        let before = match first {
            0 => start,
            first => self.log.get(first - 1).map_or(start, |(tip, _)| tip.hash),
        };
        let kept: Vec<KeptEntry> = self
            .log
            .get(first..end.min(self.log.len()))
            .unwrap_or_default()
            .iter()
            .filter(|(tip, _)| tip.epoch == span.epoch)
            .map(|(tip, bytes)| KeptEntry {
                seq: tip.seq,
                bytes: bytes.clone(),
                hash: tip.hash,
            })
            .collect();
        let blocks = blocks_for(span, &before, &kept);
        blocks.iter().map(|bytes| compress(bytes)).collect()
    }

    /// Applies a feed block.
    pub fn store_feed(&mut self, block: FeedBlock, head: Option<FeedHead>) -> Cursor {
        if let Some(head) = head {
            self.heads.insert(head.feed_kind, head);
        }
        let tip = block.tip();
        let cursor = Cursor::new(block.feed.kind, tip.n, &tip.running);
        self.cursors.retain(|known| known.kind != cursor.kind);
        self.cursors.push(cursor);
        self.applied.extend(block.entries);
        cursor
    }
}

/// The hub's side of one node, kept in memory.
#[derive(Debug, Clone)]
pub struct MemoryHub {
    /// The node's entries, in the order of their commits.
    pub entries: Vec<LogEntry>,
    /// The hub's tip.
    pub tip: Tip,
    /// Epochs that the hub holds.
    pub lineage: Vec<LineageRow>,
    /// Sessions so far.
    pub session: u64,
    /// The feeds that the branch reads.
    pub feeds: BTreeMap<FeedId, Vec<(FeedTip, FeedEntry)>>,
    /// Incidents.
    pub incidents: Vec<String>,
    /// Entries that were lost and came back, in the order in which they came.
    pub put_back: Vec<Proven>,
}

impl MemoryHub {
    /// An empty hub for one node with these feeds.
    pub fn new(node: NodeId, branch: BranchId, feeds: &[FeedId]) -> Self {
        MemoryHub {
            entries: Vec::new(),
            tip: Tip::start(start_of_branch_line(node, branch)),
            lineage: Vec::new(),
            session: 0,
            feeds: feeds.iter().map(|feed| (*feed, Vec::new())).collect(),
            incidents: Vec::new(),
            put_back: Vec::new(),
        }
    }

    /// Adds an entry to a feed.
    pub fn publish(&mut self, feed: FeedId, entry: FeedEntry) {
        let rows = self.feeds.entry(feed).or_default();
        let before = rows.last().map_or(
            FeedTip {
                n: 0,
                running: feed.start(),
            },
            |(tip, _)| *tip,
        );
        let n = before.n + 1;
        rows.push((
            FeedTip {
                n,
                running: entry.running(&before.running, n),
            },
            entry,
        ));
    }

    /// The end of a feed.
    pub fn head(&self, feed: &FeedId) -> FeedTip {
        self.feeds[feed].last().map_or(
            FeedTip {
                n: 0,
                running: feed.start(),
            },
            |(tip, _)| *tip,
        )
    }

    /// Answers a Hello: raises the session number.
    pub fn state(&mut self, hello: &Hello) -> NodeState {
        self.session += 1;
        let known_cursors = hello
            .cursors
            .iter()
            .map(|cursor| self.knows(cursor))
            .collect();
        NodeState {
            session: self.session,
            tip: self.tip,
            applied: self.tip.seq,
            lineage: Lineage::new(self.lineage.clone()).unwrap_or_default(),
            feeds: self
                .feeds
                .keys()
                .map(|feed| (*feed, self.head(feed)))
                .collect(),
            known_cursors,
            keys: KeyState::default(),
            missing_keys: Vec::new(),
            schema: 1,
            hlc: 0,
        }
    }

    fn knows(&self, cursor: &Cursor) -> bool {
        self.feeds.iter().any(|(feed, rows)| {
            let running = match cursor.n {
                0 => Some(feed.start()),
                n => rows.get(n as usize - 1).map(|(tip, _)| tip.running),
            };
            feed.kind == cursor.kind
                && running
                    .is_some_and(|running| Cursor::new(feed.kind, cursor.n, &running) == *cursor)
        })
    }

    /// Takes entries that follow the tip, drops others.
    pub fn commit(&mut self, entries: Vec<LogEntry>) -> Ack {
        for entry in entries {
            if entry.position.seq != self.tip.seq + 1 {
                continue;
            }
            if entry.position.epoch != self.tip.epoch {
                self.lineage.push(LineageRow {
                    epoch: entry.position.epoch,
                    parent: self.tip,
                });
            }
            self.tip = Tip {
                epoch: entry.position.epoch,
                seq: entry.position.seq,
                hash: entry.hash,
            };
            self.entries.push(entry);
        }
        Ack {
            stored: self.tip,
            applied: self.tip.seq,
        }
    }

    /// Packed blocks for entries of a feed that the branch lost.
    pub fn read_feed_span(&self, feed: FeedId, span: &FeedSpan) -> Vec<Vec<u8>> {
        let index = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).saturating_sub(1);
        let rows = &self.feeds[&feed];
        let (first, end) = (index(span.first), index(span.last).saturating_add(1));
        let before = match first {
            0 => feed.start(),
            first => rows
                .get(first - 1)
                .map_or(feed.start(), |(tip, _)| tip.running),
        };
        let kept: Vec<KeptEntry> = rows
            .get(first..end.min(rows.len()))
            .unwrap_or_default()
            .iter()
            .map(|(tip, entry)| KeptEntry {
                seq: tip.n,
                bytes: entry.to_bytes(),
                hash: tip.running,
            })
            .collect();
        let blocks = feed_blocks_for(feed, span, &before, &kept);
        blocks.iter().map(|bytes| compress(bytes)).collect()
    }

    /// Entries of a feed behind `after` as one block.
    pub fn read_feed(&self, feed: FeedId, after: u64, limit_bytes: usize) -> Vec<OutFeedBlock> {
        let rows = &self.feeds[&feed];
        let before = if after == 0 {
            feed.start()
        } else {
            rows[after as usize - 1].0.running
        };
        let mut bytes = FeedBlock::start_bytes(feed, after + 1, &before);
        let mut tip = FeedTip {
            n: after,
            running: before,
        };
        for (next, entry) in &rows[after as usize..] {
            let encoded = entry.to_bytes();
            if tip.n > after && bytes.len() + encoded.len() > limit_bytes.min(BLOCK_BYTES) {
                break;
            }
            bytes.extend_from_slice(&encoded);
            tip = *next;
        }
        vec![OutFeedBlock {
            feed,
            packed: compress(&bytes),
            tip,
            mac: head_mac(&FEED_KEY, feed, &tip),
            keys: Vec::new(),
        }]
    }
}

/// What became of a run.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Both ends have nothing left to do.
    Quiet,
    /// The link was cut.
    Cut,
    /// A side ended the session.
    Ended,
}

/// One connection between a branch and the hub.
#[derive(Debug)]
pub struct Link<'a> {
    branch: &'a mut MemoryBranch,
    hub: &'a mut MemoryHub,
    branch_session: BranchSession,
    hub_session: HubSession,
    to_hub: VecDeque<Vec<u8>>,
    to_branch: VecDeque<Vec<u8>>,
    from_branch: FrameReader,
    from_hub: FrameReader,
    ended: bool,
    /// Frames carried so far, both directions.
    pub frames: usize,
    /// Frame bytes carried so far, both directions.
    pub frame_bytes: usize,
}

impl<'a> Link<'a> {
    /// Connects the two.
    pub fn connect(branch: &'a mut MemoryBranch, hub: &'a mut MemoryHub) -> Self {
        let feeds = hub.feeds.keys().copied().collect();
        let (branch_session, effects) = BranchSession::open(branch.hello(), feeds);
        let hub_session = HubSession::new(branch.node);
        let mut link = Link {
            branch,
            hub,
            branch_session,
            hub_session,
            to_hub: VecDeque::new(),
            to_branch: VecDeque::new(),
            from_branch: FrameReader::new(),
            from_hub: FrameReader::new(),
            ended: false,
            frames: 0,
            frame_bytes: 0,
        };
        link.carry_out_branch(effects);
        link
    }

    /// Steps both ends until nothing is left to do, or until `cut_after` frames were carried: of the frame behind
    /// them only the first `torn_bytes` arrive, and everything else that was on the way is lost.
    pub fn run(&mut self, cut_after: usize, torn_bytes: usize) -> Outcome {
        loop {
            let up = self.to_hub.len() >= self.to_branch.len();
            let frame = if up {
                self.to_hub.pop_front()
            } else {
                self.to_branch.pop_front()
            };
            let Some(mut frame) = frame else {
                return if self.ended {
                    Outcome::Ended
                } else {
                    Outcome::Quiet
                };
            };
            let cut = self.frames >= cut_after;
            if cut {
                frame.truncate(torn_bytes.min(frame.len().saturating_sub(1)));
            }
            self.frames += 1;
            self.frame_bytes += frame.len();
            if up {
                self.deliver_to_hub(&frame)
            } else {
                self.deliver_to_branch(&frame)
            }
            if cut {
                return Outcome::Cut;
            }
        }
    }

    /// The hub finds that it lost entries.
    pub fn lose(&mut self, gap: Gap) {
        let effects = self.hub_session.handle(hub_session::Input::Lost(gap));
        self.carry_out_hub(effects);
    }

    /// The branch finds that it lost entries of a feed.
    pub fn lose_feed(&mut self, gap: FeedGap) {
        let effects = self
            .branch_session
            .handle(branch_session::Input::FeedLost(gap));
        self.carry_out_branch(effects);
    }

    fn deliver_to_hub(&mut self, bytes: &[u8]) {
        self.from_branch.push(bytes);
        loop {
            let effects = match self.from_branch.next_frame() {
                Ok(Some(frame)) => self.hub_session.handle(hub_session::Input::Frame(frame)),
                Ok(None) => return,
                Err(error) => self.hub_session.on_bad_bytes(&error),
            };
            self.carry_out_hub(effects);
        }
    }

    fn deliver_to_branch(&mut self, bytes: &[u8]) {
        self.from_hub.push(bytes);
        loop {
            let effects = match self.from_hub.next_frame() {
                Ok(Some(frame)) => self
                    .branch_session
                    .handle(branch_session::Input::Frame(frame)),
                Ok(None) => return,
                Err(error) => self.branch_session.on_bad_bytes(&error),
            };
            self.carry_out_branch(effects);
        }
    }

    fn carry_out_branch(&mut self, effects: Vec<branch_session::Effect>) {
        use branch_session::{Effect, Input};
        for effect in effects {
            let input = match effect {
                Effect::Send(bytes) => {
                    self.to_hub.push_back(bytes);
                    continue;
                }
                Effect::ReadLog { after, limit_bytes } => {
                    match self.branch.read(after, limit_bytes) {
                        Some(blocks) => Input::LogRead(blocks),
                        None => Input::NotOnLine,
                    }
                }
                Effect::Acknowledged(ack) => {
                    self.branch.ack = ack;
                    continue;
                }
                Effect::StoreFeed(block, head) => {
                    Input::FeedStored(self.branch.store_feed(block, head))
                }
                Effect::ReadKeys(_) => Input::KeysRead(Vec::new()),
                Effect::ReadSpan(span) => Input::SpanRead(span, self.branch.read_span(&span)),
                Effect::PutBackFeed(proven) => {
                    self.branch.put_back.push(proven);
                    continue;
                }
                Effect::FeedNotBack(span, why) => {
                    self.branch.not_back.push(format!("{span}: {why}"));
                    continue;
                }
                Effect::End(_) => {
                    self.ended = true;
                    continue;
                }
                Effect::Welcomed(_) | Effect::StoreKeys(_) | Effect::StoreCountersignature(_) => {
                    continue;
                }
            };
            let more = self.branch_session.handle(input);
            self.carry_out_branch(more);
        }
    }

    fn carry_out_hub(&mut self, effects: Vec<hub_session::Effect>) {
        use hub_session::{Effect, Input};
        for effect in effects {
            let input = match effect {
                Effect::Send(bytes) => {
                    self.to_branch.push_back(bytes);
                    continue;
                }
                Effect::Admit(hello) => Input::Admitted(Box::new(self.hub.state(&hello))),
                Effect::Ingest(entries) => Input::Committed(self.hub.commit(entries)),
                Effect::ReadFeed {
                    feed,
                    after,
                    limit_bytes,
                } => Input::FeedRead(self.hub.read_feed(feed, after, limit_bytes)),
                Effect::ReadKeys(_) => Input::KeysRead(Vec::new()),
                Effect::ReadFeedSpan(feed, span) => {
                    Input::FeedSpanRead(self.hub.read_feed_span(feed, &span))
                }
                Effect::PutBack(proven) => {
                    self.hub.put_back.push(proven);
                    continue;
                }
                Effect::NotBack(span, why) => {
                    self.hub.incidents.push(format!("{span}: {why}"));
                    continue;
                }
                Effect::Incident(text) => {
                    self.hub.incidents.push(text);
                    continue;
                }
                Effect::End(_) => {
                    self.ended = true;
                    continue;
                }
                Effect::Opened
                | Effect::StoreCursors(_)
                | Effect::StoreKeys(_)
                | Effect::CheckHead(_) => continue,
            };
            let more = self.hub_session.handle(input);
            self.carry_out_hub(more);
        }
    }
}

/// Reads every frame of a byte string; for golden frames.
pub fn frames(bytes: &[u8]) -> Result<Vec<crate::frame::Frame>, DecodeError> {
    let mut reader = FrameReader::new();
    reader.push(bytes);
    let mut out = Vec::new();
    while let Some(frame) = reader.next_frame()? {
        out.push(frame);
    }
    Ok(out)
}
