//! Join codes: good, used, old, wrong, another key (T-4).

use std::fs;

use edge_node::identity::{NODE_FILE, NodeIdentity};
use edge_node::sync::{JoinError, LinkState};
use sync_protocol::join_code::JoinCode;
use sync_protocol::message::CloseReason;

use crate::support::{TestBranch, TestHub};

fn refused(result: Result<NodeIdentity, JoinError>) -> (CloseReason, String) {
    match result {
        Err(JoinError::Refused(close)) => (close.reason, close.detail),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_joins_with_a_good_code_and_its_log_reaches_the_hub() {
    let hub = TestHub::start(1).await;
    let branch = TestBranch::new();
    let hub_address = hub.address().to_string();
    let identity = branch.join(&hub_address, &hub.code().await).await.unwrap();
    assert_eq!(
        (identity.branch, identity.code.as_str()),
        (hub.branch, "BER")
    );
    assert_eq!(
        (identity.time_zone.as_str(), identity.region.as_str()),
        ("Europe/Berlin", "north")
    );
    let serving = branch.serve(&hub_address);
    let seq = serving.write("first").await;
    serving.becomes(LinkState::Connected).await;
    serving.stored(seq).await;
    assert_eq!(hub.stored(identity.node).await, seq);
    let status = serving.line.status();
    assert_eq!(status.session, Some(1));
    serving.line.stop().await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_twice_with_one_code_is_no_mistake_and_a_crash_before_the_end_is_none_either() {
    let hub = TestHub::start(2).await;
    let (address, code) = (hub.address().to_string(), hub.code().await);
    let branch = TestBranch::new();
    let first = branch.join(&address, &code).await.unwrap();
    let certificate = fs::read(branch.secret("node.crt.der")).unwrap();
    assert_eq!(branch.join(&address, &code).await.unwrap(), first);
    fs::remove_file(branch.dir().join(NODE_FILE)).unwrap();
    fs::remove_file(branch.secret("node.crt.der")).unwrap();
    assert_eq!(
        branch.join(&address, &code).await.unwrap(),
        first,
        "the same key gets the same node"
    );
    assert_eq!(
        fs::read(branch.secret("node.crt.der")).unwrap(),
        certificate
    );
    let other = hub.code().await;
    assert!(matches!(
        branch.join(&address, &other).await,
        Err(JoinError::Joined { .. })
    ));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_an_old_and_an_unknown_code_get_no_further_than_a_reason() {
    let hub = TestHub::start(3).await;
    let address = hub.address().to_string();
    let code = hub.code().await;
    TestBranch::new().join(&address, &code).await.unwrap();
    let (reason, detail) = refused(TestBranch::new().join(&address, &code).await);
    assert_eq!(reason, CloseReason::JoinCode);
    assert!(detail.contains("used already"), "{detail}");

    let unknown = JoinCode {
        secret: [9; 20],
        ..hub.code().await
    };
    let (reason, detail) = refused(TestBranch::new().join(&address, &unknown).await);
    assert_eq!(reason, CloseReason::JoinCode);
    assert!(detail.contains("does not know"), "{detail}");

    let old = hub.code().await;
    hub.clock.shift_minutes(31);
    let late = TestBranch::new();
    let (reason, detail) = refused(late.join(&address, &old).await);
    assert_eq!(reason, CloseReason::JoinCode);
    assert!(detail.contains("30 minutes"), "{detail}");
    assert!(!late.dir().join(NODE_FILE).exists());
    late.join(&address, &hub.code().await).await.unwrap();
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_another_hub_is_not_even_sent() {
    let hub = TestHub::start(4).await;
    let code = hub.code().await;
    let stranger = JoinCode {
        fingerprint: [7; 16],
        ..code.clone()
    };
    let result = TestBranch::new()
        .join(&hub.address().to_string(), &stranger)
        .await;
    assert!(
        matches!(result, Err(JoinError::WrongHub { .. })),
        "{result:?}"
    );
    TestBranch::new()
        .join(&hub.address().to_string(), &code)
        .await
        .expect("the code was not used up");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_machine_of_a_branch_replaces_the_former_one() {
    let hub = TestHub::start(5).await;
    let (first, second) = (hub.joined().await, hub.joined().await);
    let rows = hub.hub.nodes(hub.branch).await.unwrap();
    let row = |node| rows.iter().find(|row| row.node == node).unwrap();
    assert!(row(first.node()).closed);
    assert!(!row(second.node()).closed);
    assert_eq!(row(second.node()).former, Some(first.node()));
    hub.stop().await;
}
