//! Transactions: the header and the items, exactly as they are hashed, stored and sent.
//!
//! A transaction is never split and never re-encoded: its items keep the bytes with which they came.

use domain::id::StaffId;

use crate::bytes::Reader;
use crate::error::DecodeError;
use crate::hash::{Domain, Hash, Hasher};
use crate::limits::{TRANSACTION_BYTES, TRANSACTION_ITEMS};

/// Bytes of an encoded [`Header`].
pub const HEADER_BYTES: usize = 36;
/// The only header version of protocol 1.
pub const HEADER_VERSION: u8 = 1;
/// Header flag: the node knew that its clock was off.
pub const FLAG_CLOCK_MARKED: u8 = 1;
const ERASED: u32 = u32::MAX;

/// Who did what, where and when, as the node saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Bit 0: the node knew that its clock was off.
    pub flags: u8,
    /// Which use case wrote the transaction ([`crate::item::command`]).
    pub command: u16,
    /// Hybrid logical clock: milliseconds since 1970 in the upper 48 bits, counter in the lower 16.
    pub hlc: u64,
    /// Who; nil for the system.
    pub staff: StaffId,
    /// From which terminal; 0 for the API.
    pub terminal: u16,
    /// Days since 1970 in the branch's time zone.
    pub business_day: i32,
    /// How many items the transaction has.
    pub items: u16,
}

impl Header {
    /// The 36 bytes.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[0] = HEADER_VERSION;
        out[1] = self.flags;
        out[2..4].copy_from_slice(&self.command.to_be_bytes());
        out[4..12].copy_from_slice(&self.hlc.to_be_bytes());
        out[12..28].copy_from_slice(self.staff.as_bytes());
        out[28..30].copy_from_slice(&self.terminal.to_be_bytes());
        out[30..34].copy_from_slice(&self.business_day.to_be_bytes());
        out[34..36].copy_from_slice(&self.items.to_be_bytes());
        out
    }

    /// Reads the 36 bytes.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = reader.u8()?;
        if version != HEADER_VERSION {
            return Err(DecodeError::Unknown {
                what: "transaction header version",
                value: u64::from(version),
            });
        }
        let header = Header {
            flags: reader.u8()?,
            command: reader.u16()?,
            hlc: reader.u64()?,
            staff: StaffId::from_bytes(reader.array()?),
            terminal: reader.u16()?,
            business_day: reader.i32()?,
            items: reader.u16()?,
        };
        if usize::from(header.items) > TRANSACTION_ITEMS {
            return Err(DecodeError::Limit {
                what: "items in a transaction",
                value: u64::from(header.items),
                limit: TRANSACTION_ITEMS as u64,
            });
        }
        Ok(header)
    }

    /// Milliseconds since 1970 of the hybrid clock.
    pub fn at_ms(&self) -> i64 {
        hlc_ms(self.hlc)
    }
}

/// Milliseconds since 1970 of a hybrid clock value.
pub fn hlc_ms(hlc: u64) -> i64 {
    i64::try_from(hlc >> 16).unwrap_or(i64::MAX)
}

/// The next hybrid clock value: not before `now_ms`, always above `floor`; the counter's overflow carries.
pub fn next_hlc(floor: u64, now_ms: i64) -> u64 {
    let now = u64::try_from(now_ms).unwrap_or(0).min((1 << 48) - 1) << 16;
    now.max(floor.saturating_add(1))
}

/// One item: its kind and its body as it came, or the hash of an erased one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawItem {
    /// The bytes are here.
    Present {
        /// Item kind ([`crate::item::kind`]).
        kind: u16,
        /// Body bytes.
        body: Vec<u8>,
    },
    /// The bytes were erased; the chain still verifies.
    Erased {
        /// Item kind.
        kind: u16,
        /// Item hash.
        hash: Hash,
    },
}

impl RawItem {
    /// The item's kind.
    pub fn kind(&self) -> u16 {
        match self {
            RawItem::Present { kind, .. } | RawItem::Erased { kind, .. } => *kind,
        }
    }

    /// The body, unless erased.
    pub fn body(&self) -> Option<&[u8]> {
        match self {
            RawItem::Present { body, .. } => Some(body),
            RawItem::Erased { .. } => None,
        }
    }

    /// The item hash `H(01 ‖ item)`.
    pub fn hash(&self) -> Hash {
        match self {
            RawItem::Present { kind, body } => Hasher::new(Domain::Item)
                .with(&kind.to_be_bytes())
                .with(&(body.len() as u32).to_be_bytes())
                .with(body)
                .finish(),
            RawItem::Erased { hash, .. } => *hash,
        }
    }

    /// Bytes of the encoded item.
    pub fn encoded_len(&self) -> usize {
        6 + self.body().map_or(32, <[u8]>::len)
    }

    /// Appends kind, length and body (or `ffffffff` and the hash).
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.kind().to_be_bytes());
        match self {
            RawItem::Present { body, .. } => {
                out.extend_from_slice(&(body.len() as u32).to_be_bytes());
                out.extend_from_slice(body);
            }
            RawItem::Erased { hash, .. } => {
                out.extend_from_slice(&ERASED.to_be_bytes());
                out.extend_from_slice(hash);
            }
        }
    }

    /// Reads one item.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = reader.u16()?;
        let len = reader.u32()?;
        if len == ERASED {
            return Ok(RawItem::Erased {
                kind,
                hash: reader.array()?,
            });
        }
        let len = len as usize;
        if len > TRANSACTION_BYTES {
            return Err(DecodeError::Limit {
                what: "item",
                value: len as u64,
                limit: TRANSACTION_BYTES as u64,
            });
        }
        Ok(RawItem::Present {
            kind,
            body: reader.take(len)?.to_vec(),
        })
    }
}

/// A transaction: what one commit of a node says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Who, what, when.
    pub header: Header,
    /// What changed, in order.
    pub items: Vec<RawItem>,
}

impl Transaction {
    /// Makes a transaction; the header's item count is set here.
    pub fn new(mut header: Header, items: Vec<RawItem>) -> Result<Self, DecodeError> {
        if items.len() > TRANSACTION_ITEMS {
            return Err(DecodeError::Limit {
                what: "items in a transaction",
                value: items.len() as u64,
                limit: TRANSACTION_ITEMS as u64,
            });
        }
        header.items = items.len() as u16;
        let transaction = Transaction { header, items };
        let size = transaction.encoded_len();
        if size > TRANSACTION_BYTES {
            return Err(DecodeError::Limit {
                what: "transaction",
                value: size as u64,
                limit: TRANSACTION_BYTES as u64,
            });
        }
        Ok(transaction)
    }

    /// Bytes of the encoded transaction.
    pub fn encoded_len(&self) -> usize {
        HEADER_BYTES + self.items.iter().map(RawItem::encoded_len).sum::<usize>()
    }

    /// Appends header and items.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.header.encode());
        for item in &self.items {
            item.encode(out);
        }
    }

    /// Header and items as one vector.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_len());
        self.encode(&mut out);
        out
    }

    /// Reads one transaction; more may follow in the reader.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let before = reader.remaining();
        let header = Header::decode(reader)?;
        let mut items = Vec::with_capacity(usize::from(header.items).min(64));
        for _ in 0..header.items {
            items.push(RawItem::decode(reader)?);
        }
        let size = before - reader.remaining();
        if size > TRANSACTION_BYTES {
            return Err(DecodeError::Limit {
                what: "transaction",
                value: size as u64,
                limit: TRANSACTION_BYTES as u64,
            });
        }
        Ok(Transaction { header, items })
    }

    /// Reads exactly one transaction.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, "transaction");
        let transaction = Self::decode(&mut reader)?;
        reader.finish()?;
        Ok(transaction)
    }

    /// The transaction hash `H(02 ‖ header ‖ item hashes)`.
    pub fn hash(&self) -> Hash {
        let mut hasher = Hasher::new(Domain::Transaction).with(&self.header.encode());
        for item in &self.items {
            hasher.update(&item.hash());
        }
        hasher.finish()
    }
}
