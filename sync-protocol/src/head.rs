//! Signed heads: what a node vouches for about its log and its stock, and the hub's countersignature.

use domain::id::PartId;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::hash::{Domain, Hash, Hasher};
use crate::position::{NodeId, Tip};

/// What a head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadClaim {
    /// Whose log.
    pub node: NodeId,
    /// Its tip.
    pub tip: Tip,
    /// [`stock_digest`] at that tip.
    pub stock: Hash,
}

/// A head with the node's signature (64 bytes).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHead {
    /// What is signed.
    pub claim: HeadClaim,
    /// Ed25519 by the node key.
    pub signature: Vec<u8>,
}

/// The hub's countersignature of a head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Countersignature {
    /// What is signed.
    pub claim: HeadClaim,
    /// Ed25519 by the node-0 key.
    pub signature: Vec<u8>,
}

impl HeadClaim {
    fn append(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.node.0.to_be_bytes());
        out.extend_from_slice(&self.tip.epoch.0.to_be_bytes());
        out.extend_from_slice(&self.tip.seq.to_be_bytes());
        out.extend_from_slice(&self.tip.hash);
        out.extend_from_slice(&self.stock);
    }

    /// The bytes that the node signs.
    pub fn head_bytes(&self) -> Vec<u8> {
        let mut out = b"counterpart head 1".to_vec();
        self.append(&mut out);
        out
    }

    /// The bytes that the hub countersigns.
    pub fn seen_bytes(&self, node_signature: &[u8]) -> Vec<u8> {
        let mut out = b"counterpart seen 1".to_vec();
        self.append(&mut out);
        out.extend_from_slice(node_signature);
        out
    }
}

impl SignedHead {
    /// Signs `claim`.
    pub fn sign(claim: HeadClaim, key: &SigningKey) -> Self {
        SignedHead {
            claim,
            signature: key.sign(&claim.head_bytes()).to_bytes().to_vec(),
        }
    }

    /// Whether the node of `public_key` signed this.
    pub fn verify(&self, public_key: &[u8; 32]) -> bool {
        verify(public_key, &self.claim.head_bytes(), &self.signature)
    }

    /// The hub's countersignature.
    pub fn countersign(&self, key: &SigningKey) -> Countersignature {
        let signature = key
            .sign(&self.claim.seen_bytes(&self.signature))
            .to_bytes()
            .to_vec();
        Countersignature {
            claim: self.claim,
            signature,
        }
    }
}

impl Countersignature {
    /// Whether the hub of `public_key` countersigned `node_signature`.
    pub fn verify(&self, public_key: &[u8; 32], node_signature: &[u8]) -> bool {
        verify(
            public_key,
            &self.claim.seen_bytes(node_signature),
            &self.signature,
        )
    }
}

fn verify(public_key: &[u8; 32], bytes: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (
        VerifyingKey::from_bytes(public_key),
        Signature::from_slice(signature),
    ) else {
        return false;
    };
    key.verify_strict(bytes, &signature).is_ok()
}

/// One part's balance in a stock digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StockBalance {
    /// The part.
    pub part: PartId,
    /// On hand at the branch.
    pub on_hand: i64,
    /// Movements of the part in the branch's own log.
    pub movements: u64,
}

/// `H(05 ‖ (part ‖ on hand ‖ movement count)… by part id)`; parts without a movement are left out.
pub fn stock_digest(mut balances: Vec<StockBalance>) -> Hash {
    balances.retain(|balance| balance.movements > 0);
    balances.sort_unstable_by_key(|balance| balance.part);
    let mut hasher = Hasher::new(Domain::Stock);
    for balance in &balances {
        hasher.update(balance.part.as_bytes());
        hasher.update(&balance.on_hand.to_be_bytes());
        hasher.update(&balance.movements.to_be_bytes());
    }
    hasher.finish()
}
