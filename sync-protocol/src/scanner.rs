//! Reads an Automerge change chunk before Automerge does.
//!
//! A hundred bytes of a change can claim a million operations, and Automerge 0.12 accepts, and
//! even panics on, forms it never writes itself: such a change would leave a document that does
//! not load again (`docs/adr` keeps the reasons). The scanner takes a plain change (type 1) only
//! in the one form that Automerge writes, bounds what it costs, and never panics. Its work grows
//! with the bytes alone. It knows nothing of the document: whether dependencies, objects and
//! elements exist, and whether `seq` and `start_op` follow on, is for the caller to test.

mod column;
mod columns;
mod error;
mod header;
mod leb128;
mod predecessors;
mod values;
mod walk;

use std::ops::Range;

use sha2::{Digest, Sha256};

pub use column::Column;
pub use error::{Place, ScanError};

use header::Header;
use leb128::Input;

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
/// Magic and checksum; the hash covers everything behind them.
const UNHASHED_BYTES: usize = 8;
const CHUNK_TYPE_CHANGE: u8 = 1;

/// An actor has 1 to this many bytes.
pub const ACTOR_BYTES_MAX: usize = 64;
/// The longest message where one is allowed.
pub const MESSAGE_BYTES_MAX: usize = 1024;
/// The most bytes behind the columns where they are allowed.
pub const EXTRA_BYTES_MAX: usize = 1024;
/// A time lies within this many units of zero.
pub const TIME_MAX: i64 = 1 << 53;

/// How much one change may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanLimits {
    /// Bytes of the chunk.
    pub chunk_bytes: usize,
    /// Changes it follows directly.
    pub deps: usize,
    /// Actors it names besides its own.
    pub other_actors: usize,
    /// Operations, runs written out.
    pub operations: u64,
    /// Operations that its operations replace, runs written out.
    pub predecessors: u64,
    /// Bytes of map keys and mark names, runs written out.
    pub repeated_string_bytes: u64,
    /// Whether a message of at most [`MESSAGE_BYTES_MAX`] may stand in it.
    pub allow_message: bool,
    /// Whether at most [`EXTRA_BYTES_MAX`] may follow the columns.
    pub allow_extra: bool,
    /// Whether the time must be zero, instead of within [`TIME_MAX`].
    pub require_time_zero: bool,
}

impl ScanLimits {
    /// What version 1 of the sync protocol lets through.
    pub const PROTOCOL_1: ScanLimits = ScanLimits {
        chunk_bytes: 512 * 1024,
        deps: 16,
        other_actors: 64,
        operations: 4_096,
        predecessors: 8_192,
        repeated_string_bytes: 1024 * 1024,
        allow_message: false,
        allow_extra: false,
        require_time_zero: true,
    };
}

/// A change whose form is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedChange<'a> {
    /// The change's hash: SHA-256 over type, length and body.
    pub hash: [u8; 32],
    /// Hashes of the changes it follows directly, ascending.
    pub deps: Vec<[u8; 32]>,
    /// The actor that made it.
    pub actor: &'a [u8],
    /// Which of the actor's changes it is, from 1.
    pub seq: u64,
    /// Counter of its first operation.
    pub start_op: u64,
    /// Time, in what unit its maker chose; 0 when there is none.
    pub time: i64,
    /// Message; empty when there is none.
    pub message: &'a str,
    /// The other actors it names, ascending.
    pub other_actors: Vec<&'a [u8]>,
    /// Bytes behind the columns.
    pub extra: &'a [u8],
    /// How many operations it holds.
    pub operations: u64,
    /// How many operations its operations replace, counted once per operation.
    pub predecessors: u64,
    /// Bytes of map keys and mark names with runs written out.
    pub repeated_string_bytes: u64,
    /// Where the parts stand that others may know already.
    pub ranges: ChangeRanges,
}

/// Byte ranges of a chunk whose content a receiver may hold already. Everything else, with these
/// put back in order, gives the same chunk and hash again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRanges {
    /// All dependencies, 32 bytes each, without their count.
    pub deps: Range<usize>,
    /// The change's actor, without its length.
    pub actor: Range<usize>,
    /// Each other actor, without its length.
    pub other_actors: Vec<Range<usize>>,
    /// The bytes behind the columns.
    pub extra: Range<usize>,
}

/// Scans one change chunk, from its first byte to its last.
///
/// # Errors
///
/// The first rule that the chunk breaks, see [`ScanError`].
pub fn scan_change<'a>(
    chunk: &'a [u8],
    limits: &ScanLimits,
) -> Result<ScannedChange<'a>, ScanError> {
    let hash = check_frame(chunk, limits)?;
    let header = Header::read(chunk, UNHASHED_BYTES, limits)?;
    let counts = walk::walk(
        &header.columns,
        header.start_op,
        header.actor,
        &header.other_actors,
        limits,
    )?;
    Ok(ScannedChange {
        hash,
        deps: header.deps,
        actor: header.actor,
        seq: header.seq,
        start_op: header.start_op,
        time: header.time,
        message: header.message,
        other_actors: header.other_actors,
        extra: header.extra,
        operations: counts.operations,
        predecessors: counts.predecessors,
        repeated_string_bytes: counts.repeated_string_bytes,
        ranges: header.ranges,
    })
}

/// Tests what stands around the body, and the checksum; the hash comes of itself.
fn check_frame(chunk: &[u8], limits: &ScanLimits) -> Result<[u8; 32], ScanError> {
    if chunk.len() > limits.chunk_bytes {
        return Err(ScanError::ChunkTooLong {
            size_bytes: chunk.len(),
            limit: limits.chunk_bytes,
        });
    }
    let mut input = Input::new(chunk, Place::Frame);
    if input.take(4)? != MAGIC {
        return Err(ScanError::NotAChunk);
    }
    let checksum = input.take(4)?;
    let hashed = input.rest();
    match input.take(1)? {
        [CHUNK_TYPE_CHANGE] => {}
        other => {
            return Err(ScanError::ChunkType {
                chunk_type: other.first().copied().unwrap_or(0),
            });
        }
    }
    if input.unsigned()? != input.rest().len() as u64 {
        return Err(ScanError::BodyLength);
    }
    let hash: [u8; 32] = Sha256::digest(hashed).into();
    if hash[..4] == *checksum {
        Ok(hash)
    } else {
        Err(ScanError::Checksum)
    }
}
