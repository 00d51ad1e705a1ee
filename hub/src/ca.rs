//! The chain's own certificate authority: a root, and an intermediate that signs the hub's and the nodes' certificates.
//!
//! Secrets lie in `DIR/secrets` with mode 600, never in the database and never in a backup (T-16). Once the intermediate
//! exists `ca_root.key` is not read again and may lie offline. Who a certificate speaks for stands in one SAN URI
//! ([`sync_protocol::certificate`]); nothing here ever reads a name from anywhere else, and nothing of a request but its
//! public key goes into a certificate.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::env::Entropy;
use domain::id::BranchId;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ED25519,
    PublicKeyData, SanType, SerialNumber,
};
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, PrivatePkcs8KeyDer};
use sync_protocol::certificate::{HUB_URI, NODE_CERTIFICATE_MS, NodeName, private_key_der};
use sync_protocol::join_code::JoinCode;
use sync_protocol::position::NodeId;
use thiserror::Error;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use zeroize::Zeroizing;

use crate::error::HubError;
use crate::keys::read_or_create_secret;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const ROOT_MS: i64 = 30 * 365 * DAY_MS;
const INTERMEDIATE_MS: i64 = 10 * 365 * DAY_MS;
const HUB_MS: i64 = 365 * DAY_MS;
/// Certificates begin to be in date a little in the past, for readers whose clock is behind.
const BACKDATED_MS: i64 = DAY_MS;

const ROOT_KEY: &str = "ca_root.key";
const ROOT_CERTIFICATE: &str = "ca_root.der";
const INTERMEDIATE_KEY: &str = "ca_intermediate.key";
const INTERMEDIATE_CERTIFICATE: &str = "ca_intermediate.der";

/// What can go wrong with the authority and its files.
#[derive(Debug, Error)]
pub enum CaError {
    /// A file of `secrets/` cannot be made.
    #[error(transparent)]
    Secrets(#[from] HubError),
    /// A file of `secrets/` cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of `secrets/` is not what it should be.
    #[error("{} is not what it should be", path.display())]
    Content {
        /// The file.
        path: PathBuf,
    },
    /// A certificate could not be made.
    #[error("a certificate could not be made: {0}")]
    Make(#[from] rcgen::Error),
    /// A certificate does not read.
    #[error("the certificate does not read")]
    Read,
    /// A certificate names no node.
    #[error("the certificate names no node of a branch")]
    Name,
    /// The request for a certificate is not one, or not signed by the key that asks.
    #[error("the request is not signed by the key that asks")]
    Request,
}

/// The authority, ready to sign.
pub struct Ca {
    root: CertificateDer<'static>,
    intermediate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    fingerprint: [u8; 16],
}

impl std::fmt::Debug for Ca {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ca")
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

/// What a certificate of ours says: read from its SAN URI, its dates and its key only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeCertificate {
    /// Whom it names.
    pub name: NodeName,
    /// The Ed25519 public key.
    pub public_key: [u8; 32],
    /// First millisecond in which it is in date.
    pub not_before_ms: i64,
    /// Last millisecond in which it is in date.
    pub not_after_ms: i64,
}

impl Ca {
    /// Opens the authority in `secrets`, or makes it there.
    ///
    /// # Errors
    /// When a file cannot be read or written or is not what it should be.
    pub fn open(secrets: &Path, now_ms: i64, entropy: &mut impl Entropy) -> Result<Self, CaError> {
        if !secrets.join(INTERMEDIATE_CERTIFICATE).exists() {
            create(secrets, now_ms, entropy)?;
        }
        Self::load(secrets)
    }

    fn load(secrets: &Path) -> Result<Self, CaError> {
        let root = CertificateDer::from(read(secrets, ROOT_CERTIFICATE)?.to_vec());
        let intermediate = CertificateDer::from(read(secrets, INTERMEDIATE_CERTIFICATE)?.to_vec());
        let key_seed = seed(secrets, INTERMEDIATE_KEY, &read(secrets, INTERMEDIATE_KEY)?)?;
        let key = key_pair(&key_seed)?;
        let content = |name: &str| CaError::Content {
            path: secrets.join(name),
        };
        let fingerprint = fingerprint(&root).map_err(|_| content(ROOT_CERTIFICATE))?;
        let (_, parsed) = X509Certificate::from_der(&intermediate)
            .map_err(|_| content(INTERMEDIATE_CERTIFICATE))?;
        if parsed.public_key().subject_public_key.data.as_ref() != key.public_key_raw() {
            return Err(content(INTERMEDIATE_KEY));
        }
        let issuer = Issuer::from_ca_cert_der(&intermediate, key)?;
        Ok(Self {
            root,
            intermediate,
            issuer,
            fingerprint,
        })
    }

    /// The root certificate: what every node pins.
    pub fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    /// First 16 bytes of H over the root's public key: the second half of every join code.
    pub fn fingerprint(&self) -> [u8; 16] {
        self.fingerprint
    }

    /// The hub's TLS certificate for the Ed25519 key of `seed`, then the chain up to and with the root, so that a machine
    /// that knows only the root's fingerprint can check it.
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub fn hub_chain(
        &self,
        seed: &[u8; 32],
        now_ms: i64,
        entropy: &mut impl Entropy,
    ) -> Result<Vec<CertificateDer<'static>>, CaError> {
        let mut params = params("Counterpart hub", now_ms, HUB_MS, entropy);
        params.subject_alt_names = vec![SanType::URI(HUB_URI.try_into()?)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key_pair(seed)?, &self.issuer)?;
        Ok(vec![
            certificate.der().clone(),
            self.intermediate.clone(),
            self.root.clone(),
        ])
    }

    /// Checks a certificate signing request (RFC 2986): it is of Ed25519, its key is `public_key` and signed it.
    ///
    /// # Errors
    /// [`CaError::Request`] otherwise.
    pub fn check_request(request: &[u8], public_key: &[u8; 32]) -> Result<(), CaError> {
        parse_request(request, public_key).map(|_| ())
    }

    /// A certificate of 30 days for a node that proved its key by `request`, then the chain up to and with the root.
    ///
    /// # Errors
    /// [`CaError::Request`] when the request does not prove the key.
    pub fn node_chain(
        &self,
        name: NodeName,
        public_key: &[u8; 32],
        request: &[u8],
        now_ms: i64,
        entropy: &mut impl Entropy,
    ) -> Result<Vec<Vec<u8>>, CaError> {
        let request = parse_request(request, public_key)?;
        let mut params = params("Counterpart node", now_ms, NODE_CERTIFICATE_MS, entropy);
        params.subject_alt_names = vec![SanType::URI(name.to_string().as_str().try_into()?)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&request.public_key, &self.issuer)?;
        Ok(self.chain_of(certificate.der().to_vec()))
    }

    /// A node's certificate with the chain up to and with the root.
    pub fn chain_of(&self, certificate: Vec<u8>) -> Vec<Vec<u8>> {
        vec![certificate, self.intermediate.to_vec(), self.root.to_vec()]
    }
}

impl NodeCertificate {
    /// Reads a node's certificate. That it comes from our authority is the business of the TLS handshake.
    ///
    /// # Errors
    /// When it does not read, is not of Ed25519, or names none or several nodes.
    pub fn read(der: &[u8]) -> Result<Self, CaError> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| CaError::Read)?;
        let san = certificate
            .subject_alternative_name()
            .map_err(|_| CaError::Read)?
            .ok_or(CaError::Name)?;
        let [GeneralName::URI(uri)] = san.value.general_names[..] else {
            return Err(CaError::Name);
        };
        let key = certificate.public_key();
        if key.algorithm.algorithm != x509_parser::oid_registry::OID_SIG_ED25519 {
            return Err(CaError::Read);
        }
        let validity = certificate.validity();
        Ok(Self {
            name: uri.parse().map_err(|_| CaError::Name)?,
            public_key: key
                .subject_public_key
                .data
                .as_ref()
                .try_into()
                .map_err(|_| CaError::Read)?,
            not_before_ms: validity.not_before.timestamp().saturating_mul(1000),
            not_after_ms: validity
                .not_after
                .timestamp()
                .saturating_mul(1000)
                .saturating_add(999),
        })
    }

    /// Whether it is in date.
    pub fn is_in_date(&self, now_ms: i64) -> bool {
        (self.not_before_ms..=self.not_after_ms).contains(&now_ms)
    }

    /// The node.
    pub fn node(&self) -> NodeId {
        self.name.node
    }

    /// The branch.
    pub fn branch(&self) -> BranchId {
        self.name.branch
    }
}

/// Makes what is missing, file by file, each of the one before: a crash or a second process in between leaves files that
/// belong together, and the next start goes on from there. The intermediate's certificate is the last.
fn create(secrets: &Path, now_ms: i64, entropy: &mut impl Entropy) -> Result<(), CaError> {
    let root_seed = make_seed(secrets, ROOT_KEY, entropy)?;
    let root_key = key_pair(&root_seed)?;
    let root = root_params(now_ms, entropy);
    let certificate = root.self_signed(&root_key)?;
    let root_der = read_or_create_secret(secrets, ROOT_CERTIFICATE, || certificate.der().to_vec())?;
    let intermediate_seed = make_seed(secrets, INTERMEDIATE_KEY, entropy)?;
    let key = key_pair(&intermediate_seed)?;
    let issuer = Issuer::from_ca_cert_der(&CertificateDer::from(root_der.to_vec()), root_key)?;
    let mut intermediate = params("Counterpart intermediate", now_ms, INTERMEDIATE_MS, entropy);
    intermediate.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    intermediate.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = intermediate.signed_by(&key, &issuer)?;
    read_or_create_secret(secrets, INTERMEDIATE_CERTIFICATE, || {
        certificate.der().to_vec()
    })?;
    Ok(())
}

fn root_params(now_ms: i64, entropy: &mut impl Entropy) -> CertificateParams {
    let mut root = params("Counterpart root", now_ms, ROOT_MS, entropy);
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    root
}

fn make_seed(
    secrets: &Path,
    name: &str,
    entropy: &mut impl Entropy,
) -> Result<Zeroizing<[u8; 32]>, CaError> {
    let bytes = read_or_create_secret(secrets, name, || {
        let mut seed = vec![0; 32];
        entropy.fill(&mut seed);
        seed
    })?;
    seed(secrets, name, &bytes)
}

fn params(
    common_name: &str,
    now_ms: i64,
    valid_ms: i64,
    entropy: &mut impl Entropy,
) -> CertificateParams {
    let mut serial = [0; 16];
    entropy.fill(&mut serial);
    serial[0] = (serial[0] & 0x7f) | 0x40;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let at = |ms: i64| epoch + Duration::from_secs(u64::try_from(ms / 1000).unwrap_or(0));
    let mut params = CertificateParams::default();
    params.not_before = at(now_ms - BACKDATED_MS);
    params.not_after = at(now_ms + valid_ms);
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.distinguished_name = name;
    params.use_authority_key_identifier_extension = true;
    params
}

fn parse_request(
    request: &[u8],
    public_key: &[u8; 32],
) -> Result<CertificateSigningRequestParams, CaError> {
    let parsed =
        CertificateSigningRequestParams::from_der(&CertificateSigningRequestDer::from(request))
            .map_err(|_| CaError::Request)?;
    if *parsed.public_key.algorithm() != PKCS_ED25519 || parsed.public_key.der_bytes() != public_key
    {
        return Err(CaError::Request);
    }
    Ok(parsed)
}

fn fingerprint(certificate: &CertificateDer<'_>) -> Result<[u8; 16], CaError> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| CaError::Read)?;
    Ok(JoinCode::fingerprint_of(parsed.public_key().raw))
}

fn key_pair(seed: &[u8; 32]) -> Result<KeyPair, CaError> {
    let der = Zeroizing::new(private_key_der(seed));
    Ok(KeyPair::from_pkcs8_der_and_sign_algo(
        &PrivatePkcs8KeyDer::from(der.as_slice()),
        &PKCS_ED25519,
    )?)
}

fn seed(secrets: &Path, name: &str, bytes: &[u8]) -> Result<Zeroizing<[u8; 32]>, CaError> {
    let seed = bytes.try_into().map_err(|_| CaError::Content {
        path: secrets.join(name),
    })?;
    Ok(Zeroizing::new(seed))
}

fn read(secrets: &Path, name: &str) -> Result<Zeroizing<Vec<u8>>, CaError> {
    let path = secrets.join(name);
    let bytes = fs::read(&path).map_err(|source| CaError::File { path, source })?;
    Ok(Zeroizing::new(bytes))
}

#[cfg(test)]
mod tests;
