//! The node's key and certificates, as they lie in `secrets/`.

use std::fs;
use std::path::Path;

use ed25519_dalek::SigningKey;
use rustls::pki_types::CertificateDer;
use sync_protocol::certificate::{NODE_CERTIFICATE_MS, NodeName};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::store::secrets::{io, secrets_dir, write_private};

/// The node's Ed25519 seed.
pub(super) const NODE_KEY: &str = "node.key";
/// The node's certificate and its chain up to the root, one DER behind the other.
const CHAIN: &str = "node.crt.der";
/// The root of the hub's authority.
const ROOT: &str = "hub_ca.der";
/// The hub's public key, which countersigns heads.
const HUB_KEY: &str = "hub.pub";

/// What a node shows and what it trusts.
pub struct Credentials {
    pub(super) seed: Zeroizing<[u8; 32]>,
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) root: CertificateDer<'static>,
    /// Ed25519 public key of node 0.
    pub hub_key: [u8; 32],
    not_after_ms: i64,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("not_after_ms", &self.not_after_ms)
            .finish_non_exhaustive()
    }
}

/// A node's certificate, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) name: NodeName,
    pub(super) public_key: Vec<u8>,
    pub(super) not_after_ms: i64,
}

/// Reads who a certificate names, from its SAN URI alone.
pub(super) fn read_leaf(der: &[u8]) -> Option<Leaf> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let san = certificate.subject_alternative_name().ok()??;
    let [GeneralName::URI(uri)] = san.value.general_names[..] else {
        return None;
    };
    Some(Leaf {
        name: uri.parse().ok()?,
        public_key: certificate.public_key().subject_public_key.data.to_vec(),
        not_after_ms: certificate
            .validity()
            .not_after
            .timestamp()
            .saturating_mul(1000),
    })
}

impl Credentials {
    /// Reads them from `secrets/` of a data directory.
    ///
    /// # Errors
    /// When a file is missing or not what it should be.
    pub fn read(dir: &Path) -> Result<Self, StoreError> {
        let secrets = secrets_dir(dir)?;
        let chain = split_chain(&read(&secrets.join(CHAIN))?);
        let leaf = chain
            .first()
            .and_then(|der| read_leaf(der))
            .ok_or_else(|| wrong(&secrets.join(CHAIN)))?;
        Ok(Self {
            seed: Zeroizing::new(fixed(&secrets.join(NODE_KEY))?),
            root: CertificateDer::from(read(&secrets.join(ROOT))?.to_vec()),
            hub_key: fixed(&secrets.join(HUB_KEY))?,
            not_after_ms: leaf.not_after_ms,
            chain,
        })
    }

    /// The key that signs heads.
    pub fn signing_key(&self) -> SigningKey {
        SigningKey::from_bytes(&self.seed)
    }

    /// Whether a third of the certificate's life is over. A clock that is wrong asks too early or too late; an expired
    /// certificate can still be renewed.
    pub fn is_renewal_due(&self, now_ms: i64) -> bool {
        now_ms >= self.not_after_ms - NODE_CERTIFICATE_MS / 3 * 2
    }

    /// What is shown to the hub: the chain without the root, which the hub has.
    pub(super) fn presented(&self) -> Vec<CertificateDer<'static>> {
        self.chain
            .iter()
            .filter(|der| **der != self.root)
            .cloned()
            .collect()
    }
}

/// Writes what joining or renewing gave. The chain is the last, since with it the node can connect.
pub(super) fn write(dir: &Path, chain: &[Vec<u8>], hub_key: &[u8; 32]) -> Result<(), StoreError> {
    let secrets = secrets_dir(dir)?;
    if let Some(root) = chain.last() {
        write_private(&secrets.join(ROOT), root)?;
    }
    write_private(&secrets.join(HUB_KEY), hub_key)?;
    write_private(&secrets.join(CHAIN), &chain.concat())
}

fn split_chain(mut bytes: &[u8]) -> Vec<CertificateDer<'static>> {
    let mut chain = Vec::new();
    while let Ok((rest, _)) = X509Certificate::from_der(bytes) {
        chain.push(CertificateDer::from(
            bytes[..bytes.len() - rest.len()].to_vec(),
        ));
        bytes = rest;
    }
    chain
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    fs::read(path).map(Zeroizing::new).map_err(io(path))
}

fn fixed(path: &Path) -> Result<[u8; 32], StoreError> {
    <[u8; 32]>::try_from(read(path)?.as_slice()).map_err(|_| wrong(path))
}

fn wrong(path: &Path) -> StoreError {
    StoreError::Config {
        path: path.display().to_string(),
        what: "it is not what joining wrote".to_owned(),
    }
}
