//! TLS of the hub: 1.3 only, ring, client certificates of our own authority, no resumption.
//!
//! The handshake checks the chain and never the dates: which dates are good depends on the ALPN, and the listener looks
//! at both afterwards with the hub's clock. A resumed session would restore a client certificate unchecked, so there are
//! none.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::{NoInitialCipherSuite, QuicServerConfig};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};
use sync_protocol::certificate::private_key_der;
use sync_protocol::message::{ALPN, ALPN_JOIN, ALPN_RENEW};
use thiserror::Error as ThisError;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The TLS settings could not be made.
#[derive(Debug, ThisError)]
pub enum TlsError {
    /// A key or certificate does not fit.
    #[error("the hub's certificate or key is not usable: {0}")]
    Rustls(#[from] Error),
    /// The root certificate does not fit.
    #[error("the root certificate is not usable: {0}")]
    Verifier(#[from] VerifierBuilderError),
    /// The provider has no suite for QUIC's first packets.
    #[error(transparent)]
    Suite(#[from] NoInitialCipherSuite),
}

/// Settings of the listening end, for the hub's `chain` and the key of `seed`.
pub(super) fn server(
    root: &CertificateDer<'static>,
    chain: Vec<CertificateDer<'static>>,
    seed: &[u8; 32],
) -> Result<quinn::ServerConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(private_key_der(seed)));
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(NodeVerifier::new(root, provider)?))
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![ALPN.to_vec(), ALPN_RENEW.to_vec(), ALPN_JOIN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(quinn::ServerConfig::with_crypto(Arc::new(
        QuicServerConfig::try_from(config)?,
    )))
}

/// Checks that a client's certificate comes from our authority; a client without one is let through, since joining
/// needs none.
struct NodeVerifier {
    chain: Arc<dyn ClientCertVerifier>,
}

impl NodeVerifier {
    fn new(
        root: &CertificateDer<'static>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.add(root.clone())?;
        let chain = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .allow_unauthenticated()
            .clear_root_hint_subjects()
            .build()?;
        Ok(Self { chain })
    }
}

impl fmt::Debug for NodeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeVerifier")
    }
}

/// The first moment in which all of these certificates had begun to be in date.
fn moment_of(certificates: &[&CertificateDer<'_>]) -> Result<UnixTime, Error> {
    let mut seconds = 0;
    for der in certificates {
        let (_, certificate) = X509Certificate::from_der(der)
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let begins = u64::try_from(certificate.validity().not_before.timestamp()).unwrap_or(0);
        seconds = seconds.max(begins);
    }
    Ok(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
}

impl ClientCertVerifier for NodeVerifier {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let presented: Vec<_> = std::iter::once(end_entity).chain(intermediates).collect();
        self.chain
            .verify_client_cert(end_entity, intermediates, moment_of(&presented)?)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        self.chain
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        self.chain
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}
