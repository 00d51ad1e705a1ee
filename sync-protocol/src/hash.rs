//! SHA-256 with the domain-separating first byte of `docs/PROTOCOL.md`.
//!
//! `H(nn ‖ …)`: each use has its own first byte, so a hash of one kind never stands for another.

use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// What is hashed; the value is the first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Domain {
    /// The start of a line.
    Start = 0,
    /// One item.
    Item = 1,
    /// One transaction.
    Transaction = 2,
    /// One step of a log's chain.
    Chain = 3,
    /// The id of a fact.
    Fact = 4,
    /// The stock digest of a signed head.
    Stock = 5,
    /// The start of a feed.
    FeedStart = 6,
    /// One step of a feed's chain.
    FeedChain = 7,
    /// A document and its heads.
    Document = 8,
}

/// A running hash of fixed-width parts.
#[derive(Clone)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Starts with the byte of `domain`.
    pub fn new(domain: Domain) -> Self {
        let mut inner = Sha256::new();
        inner.update([domain as u8]);
        Self(inner)
    }

    /// Adds bytes as they are.
    #[must_use]
    pub fn with(mut self, bytes: &[u8]) -> Self {
        self.0.update(bytes);
        self
    }

    /// Adds bytes as they are, in place.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest.
    pub fn finish(self) -> Hash {
        self.0.finalize().into()
    }
}

/// Plain SHA-256 without a first byte, for fingerprints of keys and blobs.
pub fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// The document hash `H(08 ‖ document ‖ sorted heads)`.
pub fn document_hash(document: &[u8; 16], sorted_heads: &[Hash]) -> Hash {
    let mut hasher = Hasher::new(Domain::Document).with(document);
    for head in sorted_heads {
        hasher.update(head);
    }
    hasher.finish()
}

/// Digest over document hashes: plain SHA-256 of the sorted hashes one behind the other.
pub fn digest_of_documents(mut hashes: Vec<Hash>) -> Hash {
    hashes.sort_unstable();
    let mut digest = DocumentsDigest::default();
    for hash in &hashes {
        digest.add(hash);
    }
    digest.finish()
}

/// The same over hashes that come in order, one by one, without holding them.
#[derive(Debug, Clone, Default)]
pub struct DocumentsDigest(Sha256);

impl DocumentsDigest {
    /// Takes the next hash, which is not below the one before.
    pub fn add(&mut self, hash: &Hash) {
        self.0.update(hash);
    }

    /// The digest over all that came.
    pub fn finish(self) -> Hash {
        self.0.finalize().into()
    }
}
