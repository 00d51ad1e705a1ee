//! Frame bodies of protocol 1.
//!
//! Field order is the format; a released body never changes. Block and FeedBlock bodies are not postcard: they are
//! the stored bytes of [`crate::block`] and [`crate::feed`].

use domain::id::{BranchId, DocumentId};
use serde::{Deserialize, Serialize};

use crate::error::DecodeError;
use crate::feed::{Cursor, FeedId, FeedTip};
use crate::frame::{self, FrameType};
use crate::hash::{Hash, sha256};
use crate::item::{decode_body, encode_body};
use crate::limits;
use crate::line::LineageRow;
use crate::mending::LogSpan;
use crate::mending::feed::FeedSpan;
use crate::position::{Epoch, NodeId, Tip};

/// ALPN of an ordinary session: our certificate, in date.
pub const ALPN: &[u8] = b"counterpart/1";
/// ALPN of joining: no certificate.
pub const ALPN_JOIN: &[u8] = b"counterpart-join/1";
/// ALPN of renewal: our certificate, expired allowed.
pub const ALPN_RENEW: &[u8] = b"counterpart-renew/1";

/// First byte of a stream that carries log, feeds and what orders with them.
pub const STREAM_LOG: u8 = 1;
/// First byte of a stream for pings and live look-ups.
pub const STREAM_CONTROL: u8 = 2;
/// First byte of a stream for snapshots, segments and photos.
pub const STREAM_BULK: u8 = 3;

/// Count and hash of the person keys that a side holds for a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeyState {
    /// How many.
    pub count: u32,
    /// First 16 bytes of H over sorted (person ‖ generation).
    pub hash: [u8; 16],
}

impl KeyState {
    /// The state of a set of keys.
    pub fn of(mut keys: Vec<(DocumentId, u8)>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        let mut bytes = Vec::with_capacity(keys.len() * 17);
        for (person, generation) in &keys {
            bytes.extend_from_slice(person.as_bytes());
            bytes.push(*generation);
        }
        let mut hash = [0; 16];
        hash.copy_from_slice(&sha256(&bytes)[..16]);
        KeyState {
            count: keys.len() as u32,
            hash,
        }
    }
}

/// The branch opens a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The epoch in which this process writes.
    pub current_epoch: Epoch,
    /// The branch's tip.
    pub tip: Tip,
    /// The last tip that the hub acknowledged as stored; seq 0 for none.
    pub last_ack: Tip,
    /// Epochs since that of `last_ack`, oldest first; the first hangs on an epoch that the hub has.
    pub lineage: Vec<LineageRow>,
    /// How far each feed is; one that is missing starts from its beginning.
    pub cursors: Vec<Cursor>,
    /// Person keys held here.
    pub keys: KeyState,
    /// Hybrid clock.
    pub hlc: u64,
    /// Schema version of the branch's database.
    pub schema: u32,
    /// Program version, for people.
    pub version: String,
}

/// The hub answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The session's number; a later Hello of the node raises it.
    pub session: u64,
    /// The hub's tip of the branch's log, where it differs from `last_ack`.
    pub tip: Option<Tip>,
    /// Everything up to this number has had its effects.
    pub applied: u64,
    /// The highest schema that the branch may write.
    pub schema: u32,
    /// The hub's hybrid clock.
    pub hlc: u64,
    /// Heads of the feeds that the branch reads, where they differ from its cursors.
    pub cursors: Vec<Cursor>,
    /// Person keys that the hub expects the branch to hold, where they differ.
    pub keys: Option<KeyState>,
}

/// What the hub has stored and applied of the branch's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The hub's tip.
    pub stored: Tip,
    /// Everything up to this number has had its effects.
    pub applied: u64,
}

/// How far the branch has applied its feeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedAck {
    /// One cursor for each feed that moved.
    pub cursors: Vec<Cursor>,
}

/// A flushed feed head and its MAC under the hub's feed key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedHead {
    /// Feed kind and scope, 17 bytes.
    pub feed_kind: u8,
    /// Scope of the feed.
    pub scope: [u8; 16],
    /// Number of the last entry.
    pub n: u64,
    /// Running hash behind it.
    pub running: Hash,
    /// The MAC.
    pub mac: [u8; 16],
}

/// Keys that a side lacks; empty = everything that the other may give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyWant {
    /// Persons.
    pub persons: Vec<DocumentId>,
}

/// One person's key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenKey {
    /// The customer document.
    pub person: DocumentId,
    /// Which key of the person.
    pub generation: u8,
    /// The key.
    pub key: [u8; 32],
}

impl std::fmt::Debug for GivenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GivenKey")
            .field("person", &self.person)
            .field("generation", &self.generation)
            .finish()
    }
}

/// Keys given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyGive {
    /// The keys.
    pub keys: Vec<GivenKey>,
}

/// What a side lacks and the other sends again as the frames in which it went. More kinds may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Want {
    /// Entries of a log, as blocks: the last of them, as many as fit. The hub asks.
    Log(LogSpan),
    /// Entries of a feed, as feed blocks: the last of them, as many as fit. A branch asks.
    Feed(FeedSpan),
}

/// What was asked for by a [`Want`] and is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    /// The question.
    pub want: Want,
}

/// A machine wants to become a node of a branch.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// The secret of the join code.
    pub secret: [u8; 20],
    /// The machine's Ed25519 public key.
    pub public_key: [u8; 32],
    /// The machine's certificate signing request, DER (RFC 2986).
    pub request: Vec<u8>,
    /// Program version, for people.
    pub version: String,
}

impl std::fmt::Debug for Join {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Join")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// The hub made it one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The node's number.
    pub node: NodeId,
    /// Its branch.
    pub branch: BranchId,
    /// The branch's code.
    pub branch_code: String,
    /// The branch's name.
    pub branch_name: String,
    /// The branch's IANA time zone.
    pub time_zone: String,
    /// The branch's region (scope of its availability feed).
    pub region: String,
    /// Certificate of the node, DER, then the chain up to the root.
    pub certificates: Vec<Vec<u8>>,
    /// Ed25519 public key of node 0, which countersigns heads.
    pub hub_key: [u8; 32],
}

/// A known key asks for a fresh certificate; the answer is a [`Grant`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renew {
    /// Certificate signing request, DER.
    pub request: Vec<u8>,
}

/// Why an end closes the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum CloseReason {
    /// The node stops or pauses.
    Leaving = 1,
    /// A newer session of the same node took over.
    Replaced = 2,
    /// The node is revoked.
    Revoked = 3,
    /// Bytes were not what the protocol says.
    Protocol = 4,
    /// The two histories differ in a way that an operator must settle.
    Held = 5,
    /// The join code is unknown, used or old.
    JoinCode = 6,
    /// The peer is overloaded; come again later.
    Busy = 7,
    /// The peer failed inside.
    Internal = 8,
    /// The certificate is not in date: renew it.
    Expired = 9,
}

impl CloseReason {
    const ALL: [CloseReason; 9] = [
        CloseReason::Leaving,
        CloseReason::Replaced,
        CloseReason::Revoked,
        CloseReason::Protocol,
        CloseReason::Held,
        CloseReason::JoinCode,
        CloseReason::Busy,
        CloseReason::Internal,
        CloseReason::Expired,
    ];

    /// The number that stands for it as the error code of a closed QUIC connection.
    pub fn code(self) -> u32 {
        u32::from(self as u8)
    }

    /// Reads the number.
    pub fn from_code(code: u64) -> Option<Self> {
        CloseReason::ALL
            .into_iter()
            .find(|reason| u64::from(reason.code()) == code)
    }
}

/// The last frame of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    /// Why.
    pub reason: CloseReason,
    /// The sentence that people see.
    pub detail: String,
}

/// Is the other side there? The answer carries the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// Chosen by the asker.
    pub number: u64,
}

macro_rules! bodies {
    ($($body:ident => $kind:ident),+ $(,)?) => {
        $(impl $body {
            /// The frame's bytes.
            pub fn to_frame(&self) -> Vec<u8> {
                frame::encode(FrameType::$kind, &encode_body(self))
            }

            /// Reads a frame body.
            pub fn from_body(body: &[u8]) -> Result<Self, DecodeError> {
                let value: Self = decode_body(body, stringify!($body))?;
                value.check()?;
                Ok(value)
            }
        })+
    };
}

bodies! {
    Hello => Hello, Welcome => Welcome, Ack => Ack, FeedAck => FeedAck, FeedHead => FeedHead,
    KeyState => KeyState, KeyWant => KeyWant, KeyGive => KeyGive, Join => Join, Grant => Grant,
    Renew => Renew, Close => Close, Ping => Ping, Want => Want, Absent => Absent,
}

impl Ping {
    /// The answer's frame.
    pub fn to_pong_frame(&self) -> Vec<u8> {
        frame::encode(FrameType::Pong, &encode_body(self))
    }
}

trait Check {
    fn check(&self) -> Result<(), DecodeError> {
        Ok(())
    }
}

impl Check for Ack {}
impl Check for FeedHead {}

impl FeedHead {
    /// The head of `feed` at `tip`.
    pub const fn new(feed: FeedId, tip: &FeedTip, mac: [u8; 16]) -> Self {
        FeedHead {
            feed_kind: feed.kind as u8,
            scope: feed.scope,
            n: tip.n,
            running: tip.running,
            mac,
        }
    }
}
impl Check for KeyState {}
impl Check for Close {}
impl Check for Ping {}
impl Check for Join {}
impl Check for Grant {}
impl Check for Renew {}

fn at_most(what: &'static str, value: usize, limit: usize) -> Result<(), DecodeError> {
    if value > limit {
        return Err(DecodeError::Limit {
            what,
            value: value as u64,
            limit: limit as u64,
        });
    }
    Ok(())
}

impl Check for Want {
    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Want::Log(span) => span.check(),
            Want::Feed(span) => span.check(),
        }
    }
}

impl Check for Absent {
    fn check(&self) -> Result<(), DecodeError> {
        self.want.check()
    }
}

impl Check for Hello {
    fn check(&self) -> Result<(), DecodeError> {
        at_most(
            "lineage rows in Hello",
            self.lineage.len(),
            limits::HELLO_LINEAGE_ROWS,
        )?;
        at_most(
            "cursors in Hello",
            self.cursors.len(),
            limits::HELLO_CURSORS,
        )?;
        at_most("program version", self.version.len(), 64)?;
        if self.current_epoch == Epoch::NONE {
            return Err(DecodeError::Form {
                what: "Hello",
                reason: "an epoch is never 0",
            });
        }
        Ok(())
    }
}

impl Check for Welcome {
    fn check(&self) -> Result<(), DecodeError> {
        at_most(
            "cursors in Welcome",
            self.cursors.len(),
            limits::HELLO_CURSORS,
        )
    }
}

impl Check for FeedAck {
    fn check(&self) -> Result<(), DecodeError> {
        at_most(
            "cursors in FeedAck",
            self.cursors.len(),
            limits::HELLO_CURSORS,
        )
    }
}

impl Check for KeyWant {
    fn check(&self) -> Result<(), DecodeError> {
        at_most(
            "persons in KeyWant",
            self.persons.len(),
            limits::KEYS_PER_FRAME,
        )
    }
}

impl Check for KeyGive {
    fn check(&self) -> Result<(), DecodeError> {
        at_most("keys in KeyGive", self.keys.len(), limits::KEYS_PER_FRAME)
    }
}
