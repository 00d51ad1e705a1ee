//! Frames: type, flags, length, body. The header is written by hand, bodies are postcard or block bytes.
//!
//! A reader takes bytes as they come and gives whole frames; it never holds more than one frame above what was
//! pushed, and a length above the limit is refused before a byte of the body is kept.

use crate::compress;
use crate::error::DecodeError;
use crate::limits::{BLOCK_BYTES_MAX, FEED_BLOCK_BYTES_MAX, FRAME_BYTES};

/// Bytes before a frame's body.
pub const FRAME_HEADER_BYTES: usize = 6;
/// Flag: the body is zstd.
pub const FLAG_ZSTD: u8 = 1;
/// Frame types from here on are skipped by a reader that does not know them.
pub const FIRST_SKIPPABLE: u8 = 128;

/// Frame types of protocol 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[expect(
    missing_docs,
    reason = "each type is documented at its body in `message`"
)]
pub enum FrameType {
    Hello = 1,
    Welcome = 2,
    Block = 3,
    Ack = 4,
    FeedBlock = 5,
    FeedAck = 6,
    FeedHead = 7,
    KeyState = 8,
    KeyWant = 9,
    KeyGive = 10,
    Head = 11,
    Countersignature = 12,
    Recover = 13,
    Return = 14,
    Want = 15,
    Join = 16,
    Grant = 17,
    Renew = 18,
    LookUp = 19,
    LookUpAnswer = 20,
    Close = 21,
    Ping = 22,
    Pong = 23,
    Absent = 24,
}

impl FrameType {
    const ALL: [FrameType; 24] = [
        FrameType::Hello,
        FrameType::Welcome,
        FrameType::Block,
        FrameType::Ack,
        FrameType::FeedBlock,
        FrameType::FeedAck,
        FrameType::FeedHead,
        FrameType::KeyState,
        FrameType::KeyWant,
        FrameType::KeyGive,
        FrameType::Head,
        FrameType::Countersignature,
        FrameType::Recover,
        FrameType::Return,
        FrameType::Want,
        FrameType::Join,
        FrameType::Grant,
        FrameType::Renew,
        FrameType::LookUp,
        FrameType::LookUpAnswer,
        FrameType::Close,
        FrameType::Ping,
        FrameType::Pong,
        FrameType::Absent,
    ];

    fn from_number(number: u8) -> Option<Self> {
        FrameType::ALL
            .into_iter()
            .find(|kind| *kind as u8 == number)
    }

    fn decompressed_limit(self) -> usize {
        match self {
            FrameType::FeedBlock | FrameType::Return => FEED_BLOCK_BYTES_MAX,
            FrameType::Block | FrameType::Recover => BLOCK_BYTES_MAX,
            _ => FRAME_BYTES,
        }
    }
}

/// A received frame with its body decompressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its type.
    pub kind: FrameType,
    /// Its body, decompressed.
    pub body: Vec<u8>,
    /// Bytes of header and body as they were on the wire.
    pub wire_bytes: usize,
}

/// The bytes of a frame with a plain body.
pub fn encode(kind: FrameType, body: &[u8]) -> Vec<u8> {
    put(kind, 0, body)
}

/// The bytes of a frame whose body is compressed already.
pub fn encode_compressed(kind: FrameType, zstd_body: &[u8]) -> Vec<u8> {
    put(kind, FLAG_ZSTD, zstd_body)
}

/// The bytes of a frame, compressed where that makes it smaller.
pub fn encode_smaller(kind: FrameType, body: &[u8]) -> Vec<u8> {
    let packed = compress::compress(body);
    if packed.len() < body.len() {
        put(kind, FLAG_ZSTD, &packed)
    } else {
        put(kind, 0, body)
    }
}

fn put(kind: FrameType, flags: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(FRAME_HEADER_BYTES + body.len());
    out.push(kind as u8);
    out.push(flags);
    out.extend_from_slice(&(body.len() as u32).to_be_bytes());
    out.extend_from_slice(body);
    out
}

/// Cuts a byte stream into frames.
#[derive(Debug, Default)]
pub struct FrameReader {
    buffer: Vec<u8>,
    at: usize,
}

impl FrameReader {
    /// An empty reader.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether bytes of an unfinished frame are held.
    pub fn is_mid_frame(&self) -> bool {
        self.at < self.buffer.len()
    }

    /// The next whole frame, if its bytes are here. After an error the stream is of no more use.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, DecodeError> {
        loop {
            let rest = &self.buffer[self.at..];
            let Some((header, _)) = rest.split_first_chunk::<FRAME_HEADER_BYTES>() else {
                return Ok(None);
            };
            let [number, flags, length @ ..] = *header;
            let length = u32::from_be_bytes(length) as usize;
            let kind = check_header(number, flags, length)?;
            let end = FRAME_HEADER_BYTES + length;
            if rest.len() < end {
                return Ok(None);
            }
            self.at += end;
            let Some(kind) = kind else { continue };
            let body = &self.buffer[self.at - length..self.at];
            let body = if flags & FLAG_ZSTD != 0 {
                compress::decompress(body, kind.decompressed_limit())?
            } else {
                body.to_vec()
            };
            return Ok(Some(Frame {
                kind,
                body,
                wire_bytes: end,
            }));
        }
    }
}

fn check_header(number: u8, flags: u8, length: usize) -> Result<Option<FrameType>, DecodeError> {
    if length > FRAME_BYTES {
        return Err(DecodeError::Limit {
            what: "frame",
            value: length as u64,
            limit: FRAME_BYTES as u64,
        });
    }
    let kind = FrameType::from_number(number);
    if kind.is_none() && number < FIRST_SKIPPABLE {
        return Err(DecodeError::Unknown {
            what: "frame type",
            value: u64::from(number),
        });
    }
    if kind.is_some() && flags & !FLAG_ZSTD != 0 {
        return Err(DecodeError::Unknown {
            what: "frame flags",
            value: u64::from(flags),
        });
    }
    Ok(kind)
}
