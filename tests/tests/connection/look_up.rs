//! Look-ups on the line itself: only in an open session, within a budget, and nothing but the protocol.

use std::fs;
use std::sync::Arc;

use domain::id::{DocumentId, StaffId};
use edge_node::app::elsewhere::{Elsewhere, ElsewhereError};
use edge_node::sync::{Credentials, LinkState};
use quinn::crypto::rustls::QuicClientConfig;
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sync_protocol::certificate::private_key_der;
use sync_protocol::frame::{Frame, FrameReader, FrameType, encode};
use sync_protocol::look_up::{Ask, Attach, Find, Found, LookUp, LookUpAnswer, Refusal, Reply};
use sync_protocol::message::{ALPN, CloseReason, Ping, STREAM_CONTROL};
use tests::process::relay::UdpRelay;

use crate::certificates::Anybody;
use crate::support::{TestBranch, TestHub};

fn find(text: &str) -> Ask {
    Ask::Find(Find {
        text: text.to_owned(),
        limit: 10,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_line_answers_and_a_connection_has_a_budget() {
    let hub = TestHub::start(31).await;
    let branch = hub.joined().await;
    let serving = branch.serve(&hub.address().to_string());
    serving.becomes(LinkState::Connected).await;
    let line = &serving.line;
    let nobody = line.look_up(StaffId::NIL, find("nobody")).await.unwrap();
    assert_eq!(nobody, Reply::Found(Found { people: Vec::new() }));
    let stranger = Ask::Attach(Attach {
        person: DocumentId::from_bytes([7; 16]),
    });
    let unknown = line.look_up(StaffId::NIL, stranger).await.unwrap();
    assert_eq!(unknown, Reply::Refused(Refusal::Unknown));
    let mut last = nobody;
    for _ in 0..1_000 {
        last = line.look_up(StaffId::NIL, find("ab")).await.unwrap();
        if last == Reply::Refused(Refusal::TooMany) {
            break;
        }
    }
    assert_eq!(
        last,
        Reply::Refused(Refusal::TooMany),
        "the hub goes on answering without end"
    );
    let seq = serving.write("the log goes on").await;
    serving.stored(seq).await;
    serving.line.stop().await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_line_the_answer_is_there_at_once_and_a_silent_hub_is_given_up() {
    let hub = TestHub::start(32).await;
    let relay = UdpRelay::start(hub.address(), 32).await.unwrap();
    let branch = hub.joined().await;
    let serving = branch.serve(&relay.address().to_string());
    serving.becomes(LinkState::Connected).await;
    relay.cut();
    let silent = serving.line.look_up(StaffId::NIL, find("ada")).await;
    assert!(
        matches!(silent, Err(ElsewhereError::NoAnswer)),
        "{silent:?}"
    );
    relay.restore();
    let again = async {
        while serving
            .line
            .look_up(StaffId::NIL, find("ada"))
            .await
            .is_err()
        {}
    };
    tokio::time::timeout(crate::support::PATIENCE, again)
        .await
        .expect("the next question is answered when the line is back");
    serving.line.pause();
    serving.becomes(LinkState::Paused).await;
    let cut = serving.line.look_up(StaffId::NIL, find("ada")).await;
    assert!(matches!(cut, Err(ElsewhereError::CutOff)), "{cut:?}");
    serving.line.stop().await;
    hub.stop().await;
}

/// Certificates that stand one behind the other: each begins with a tag, `82` and its length in two bytes.
fn chain_of(mut bytes: &[u8]) -> Vec<CertificateDer<'static>> {
    let mut chain = Vec::new();
    while !bytes.is_empty() {
        let length = 4 + usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        let (one, rest) = bytes.split_at(length);
        chain.push(CertificateDer::from(one.to_vec()));
        bytes = rest;
    }
    chain
}

/// A connection of a machine that says what it likes.
async fn raw(hub: &TestHub, branch: &TestBranch) -> (quinn::Endpoint, quinn::Connection) {
    let credentials = Credentials::read(branch.dir()).unwrap();
    let key = private_key_der(credentials.signing_key().as_bytes());
    let chain = chain_of(&fs::read(branch.secret("node.crt.der")).unwrap());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_client_auth_cert(
            chain,
            PrivateKeyDer::try_from(key.as_slice().to_vec()).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![ALPN.to_vec()];
    let config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(config).unwrap()));
    let endpoint = quinn::Endpoint::client(([127, 0, 0, 1], 0).into()).unwrap();
    let connection = endpoint
        .connect_with(config, hub.address(), "hub")
        .unwrap()
        .await
        .unwrap();
    (endpoint, connection)
}

async fn frame_of(receive: &mut quinn::RecvStream) -> Frame {
    let mut reader = FrameReader::new();
    loop {
        if let Some(frame) = reader.next_frame().unwrap() {
            return frame;
        }
        let chunk = receive.read_chunk(1024, true).await.unwrap().unwrap();
        reader.push(&chunk.bytes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_looked_up_before_hello_and_bytes_that_are_no_question_end_the_connection() {
    let hub = TestHub::start(33).await;
    let branch = hub.joined().await;
    let (_endpoint, connection) = raw(&hub, &branch).await;
    let (mut send, mut receive) = connection.open_bi().await.unwrap();
    send.write_all(&[STREAM_CONTROL]).await.unwrap();
    let question = LookUp::new(5, StaffId::NIL, &find("ada"));
    send.write_all(&question.to_frame()).await.unwrap();
    let frame = frame_of(&mut receive).await;
    assert_eq!(frame.kind, FrameType::LookUpAnswer);
    let answer = LookUpAnswer::from_body(&frame.body).unwrap();
    assert_eq!(answer.id, 5);
    assert_eq!(
        answer.reply().unwrap(),
        Some(Reply::Refused(Refusal::NotAdmitted))
    );
    send.write_all(&Ping { number: 9 }.to_frame())
        .await
        .unwrap();
    assert_eq!(frame_of(&mut receive).await.kind, FrameType::Pong);

    send.write_all(&encode(FrameType::LookUp, b"no question"))
        .await
        .unwrap();
    match connection.closed().await {
        quinn::ConnectionError::ApplicationClosed(close) => {
            let code = close.error_code.into_inner();
            assert_eq!(code, u64::from(CloseReason::Protocol.code()));
            assert!(!close.reason.is_empty(), "a reason is given");
        }
        other => panic!("expected a reason, got {other}"),
    }
    hub.stop().await;
}
