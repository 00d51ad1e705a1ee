//! TLS of a branch: 1.3 only, ring, the hub checked by our authority and its one name.
//!
//! Dates are never looked at: a branch whose clock is wrong must still reach its hub and take the time from there. At
//! first contact the root is known only by the fingerprint in the join code; the hub sends it along.

use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::{NoInitialCipherSuite, QuicClientConfig};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use sync_protocol::certificate::{HUB_URI, private_key_der};
use sync_protocol::join_code::JoinCode;
use thiserror::Error as ThisError;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::credentials::Credentials;
use super::transport;

/// TLS could not be set up: a certificate or key of `secrets/` does not fit.
#[derive(Debug, ThisError)]
pub enum TlsError {
    /// A key or certificate does not fit.
    #[error("the node's certificate or key is not usable: {0}")]
    Rustls(#[from] Error),
    /// The provider has no suite for QUIC's first packets.
    #[error(transparent)]
    Suite(#[from] NoInitialCipherSuite),
}

/// By what the hub is known.
#[derive(Debug, Clone)]
pub(super) enum Trust {
    /// The root of its authority, kept since joining.
    Root(CertificateDer<'static>),
    /// The fingerprint in a join code.
    Fingerprint([u8; 16]),
}

/// Settings of an attempt that speaks `alpn`, with a node's certificate or without.
pub(super) fn client(
    trust: Trust,
    alpn: &[u8],
    credentials: Option<&Credentials>,
) -> Result<quinn::ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = HubVerifier {
        trust,
        algorithms: provider.signature_verification_algorithms,
    };
    let builder = ClientConfig::builder_with_provider(Arc::<CryptoProvider>::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match credentials {
        None => builder.with_no_client_auth(),
        Some(credentials) => {
            let key =
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(private_key_der(&credentials.seed)));
            builder.with_client_auth_cert(credentials.presented(), key)?
        }
    };
    config.alpn_protocols = vec![alpn.to_vec()];
    config.resumption = Resumption::disabled();
    let mut client = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(config)?));
    client.transport_config(transport::transport());
    Ok(client)
}

#[derive(Debug)]
struct HubVerifier {
    trust: Trust,
    algorithms: WebPkiSupportedAlgorithms,
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, Error> {
    match X509Certificate::from_der(der) {
        Ok((_, certificate)) => Ok(certificate),
        Err(_) => Err(Error::InvalidCertificate(CertificateError::BadEncoding)),
    }
}

/// The fingerprint of a certificate's public key.
pub(super) fn fingerprint(der: &CertificateDer<'_>) -> Option<[u8; 16]> {
    let certificate = parse(der).ok()?;
    Some(JoinCode::fingerprint_of(certificate.public_key().raw))
}

/// The first moment in which all of these certificates had begun to be in date.
fn moment_of(certificates: &[&CertificateDer<'_>]) -> Result<UnixTime, Error> {
    let mut seconds = 0;
    for der in certificates {
        let begins = u64::try_from(parse(der)?.validity().not_before.timestamp()).unwrap_or(0);
        seconds = seconds.max(begins);
    }
    Ok(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
}

fn names_the_hub(der: &CertificateDer<'_>) -> Result<bool, Error> {
    let certificate = parse(der)?;
    let san = certificate
        .subject_alternative_name()
        .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
    Ok(san.is_some_and(|san| matches!(san.value.general_names[..], [GeneralName::URI(HUB_URI)])))
}

impl HubVerifier {
    fn root(&self, presented: &[CertificateDer<'_>]) -> Result<CertificateDer<'static>, Error> {
        match &self.trust {
            Trust::Root(root) => Ok(root.clone()),
            Trust::Fingerprint(expected) => presented
                .iter()
                .find(|der| fingerprint(der).as_ref() == Some(expected))
                .map(|der| der.clone().into_owned())
                .ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        }
    }
}

impl ServerCertVerifier for HubVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let root = self.root(intermediates)?;
        let mut roots = RootCertStore::empty();
        roots.add(root)?;
        let presented: Vec<_> = std::iter::once(end_entity).chain(intermediates).collect();
        let moment = moment_of(&presented)?;
        let leaf = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &leaf,
            &roots,
            intermediates,
            moment,
            self.algorithms.all,
        )?;
        if names_the_hub(end_entity)? {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::NotValidForName))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
