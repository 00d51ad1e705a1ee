//! Who may speak: certificates expired, revoked, missing, of another authority (F-19, T-3, T-17, INV-13).

use std::fs;
use std::sync::Arc;

use domain::env::SeededEntropy;
use edge_node::sync::{JoinError, LinkState};
use quinn::crypto::rustls::QuicClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use sync_protocol::message::{ALPN, ALPN_RENEW, CloseReason};

use crate::support::{ShiftedClock, TestHub};

const DAY_MINUTES: i64 = 24 * 60;

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_can_still_be_renewed_and_then_the_session_opens() {
    let hub = TestHub::start(11).await;
    let branch = hub.joined().await;
    let before = fs::read(branch.secret("node.crt.der")).unwrap();
    hub.clock.shift_minutes(31 * DAY_MINUTES);
    let serving = branch.serve(&hub.address().to_string());
    serving.becomes(LinkState::Connected).await;
    let after = fs::read(branch.secret("node.crt.der")).unwrap();
    assert_ne!(before, after);
    let seq = serving.write("after renewal").await;
    serving.stored(seq).await;
    serving.line.stop().await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_when_a_third_of_its_life_is_over() {
    let hub = TestHub::start(12).await;
    let branch = hub.joined().await;
    let path = branch.secret("node.crt.der");
    let before = fs::read(&path).unwrap();
    let clock = ShiftedClock::default();
    clock.shift_minutes(11 * DAY_MINUTES);
    hub.clock.shift_minutes(11 * DAY_MINUTES);
    let env = edge_node::env::Env::new(clock, SeededEntropy::new(12));
    let serving = branch.serve_with(&hub.address().to_string(), env);
    serving.becomes(LinkState::Connected).await;
    let renewed = async {
        while fs::read(&path).unwrap() == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::support::PATIENCE, renewed)
        .await
        .expect("the certificate is renewed beside the line");
    serving.line.stop().await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_years_off_keeps_nobody_from_the_hub() {
    let hub = TestHub::start(13).await;
    let branch = hub.joined().await;
    let clock = ShiftedClock::default();
    clock.shift_minutes(-10 * 365 * DAY_MINUTES);
    let serving = branch.serve_with(
        &hub.address().to_string(),
        edge_node::env::Env::new(clock, SeededEntropy::new(1)),
    );
    serving.becomes(LinkState::Connected).await;
    serving.line.stop().await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_machine_is_thrown_out_at_once_and_comes_no_further_than_a_reason() {
    let hub = TestHub::start(14).await;
    let branch = hub.joined().await;
    let address = hub.address().to_string();
    let serving = branch.serve(&address);
    serving.becomes(LinkState::Connected).await;
    hub.revoke(serving.node).await;
    let status = serving.becomes(LinkState::Held).await;
    assert!(status.detail.contains("revoked"), "{}", status.detail);
    let stored = hub.stored(serving.node).await;
    serving.write("by a thief").await;
    serving.line.nudge();
    assert_eq!(hub.stored(serving.node).await, stored);
    match edge_node::sync::renew(&address, branch.dir()).await {
        Err(JoinError::Refused(close)) => assert_eq!(close.reason, CloseReason::Revoked),
        other => panic!("a revoked machine must not renew: {other:?}"),
    }
    serving.line.stop().await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_hub_on_the_same_address_is_not_spoken_to_and_does_not_speak() {
    let (hub, other) = (TestHub::start(15).await, TestHub::start(16).await);
    let branch = hub.joined().await;
    let serving = branch.serve(&other.address().to_string());
    let status = serving.shows(|status| !status.detail.is_empty()).await;
    assert_ne!(status.state, LinkState::Connected);
    assert!(status.detail.contains("certificate"), "{}", status.detail);
    serving.line.stop().await;
    for hub in [hub, other] {
        hub.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_certificate_only_joining_is_possible() {
    let hub = TestHub::start(17).await;
    for alpn in [ALPN, ALPN_RENEW] {
        let endpoint = quinn::Endpoint::client(([127, 0, 0, 1], 0).into()).unwrap();
        let connection = endpoint
            .connect_with(anonymous(alpn), hub.address(), "hub")
            .unwrap()
            .await
            .unwrap();
        match connection.closed().await {
            quinn::ConnectionError::ApplicationClosed(close) => {
                assert_eq!(
                    close.error_code.into_inner(),
                    u64::from(CloseReason::Protocol.code())
                );
                assert_eq!(&close.reason[..], b"a node shows its certificate");
            }
            other => panic!("expected a reason, got {other}"),
        }
    }
    let endpoint = quinn::Endpoint::client(([127, 0, 0, 1], 0).into()).unwrap();
    let unknown = endpoint
        .connect_with(anonymous(b"counterpart/99"), hub.address(), "hub")
        .unwrap()
        .await;
    assert!(unknown.is_err(), "a protocol that the hub does not speak");
    hub.stop().await;
}

fn anonymous(alpn: &[u8]) -> quinn::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(config).unwrap()))
}

/// Takes any server: who it is does not matter to these tests.
#[derive(Debug)]
pub struct Anybody(pub Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
