//! The line itself: cut and restored, the hub gone and back, paused, replaced (F-6 to F-11).

use std::time::{Duration, Instant};

use edge_node::sync::{LinkState, SyncConfig};
use tests::process::relay::{Faults, UdpRelay};

use crate::support::TestHub;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_while_the_line_was_cut_arrives_once_when_it_is_back() {
    let hub = TestHub::start(21).await;
    let relay = UdpRelay::start(hub.address(), 21).await.unwrap();
    let branch = hub.joined().await;
    let serving = branch.serve(&relay.address().to_string());
    serving.line.touch();
    serving.becomes(LinkState::Connected).await;
    let before = serving.write("before the cut").await;
    serving.stored(before).await;
    relay.cut();
    let mut last = before;
    for number in 0..50 {
        last = serving.write(&format!("while cut off {number}")).await;
    }
    serving.becomes(LinkState::CutOff).await;
    assert_eq!(hub.stored(serving.node).await, before);
    relay.restore();
    serving.line.touch();
    let restored = Instant::now();
    serving.stored(last).await;
    assert!(
        restored.elapsed() < Duration::from_secs(15),
        "{:?}",
        restored.elapsed()
    );
    assert_eq!(serving.becomes(LinkState::Connected).await.detail, "");
    assert_eq!(hub.stored(serving.node).await, last);
    serving.line.stop().await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_was_killed_and_started_again_is_found_within_seconds() {
    let mut hub = TestHub::start(22).await;
    let relay = UdpRelay::start(hub.address(), 22).await.unwrap();
    let branch = hub.joined().await;
    let serving = branch.serve(&relay.address().to_string());
    serving.line.touch();
    let first = serving.becomes(LinkState::Connected).await.session;
    // Nothing of its end reaches the branch, as when a process is killed.
    relay.cut();
    let address = hub.address();
    hub.listener.take().unwrap().stop().await;
    hub.listen(address).await;
    let seq = serving.write("to the new process").await;
    relay.restore();
    let back = Instant::now();
    serving.stored(seq).await;
    assert!(
        back.elapsed() < Duration::from_secs(8),
        "{:?}",
        back.elapsed()
    );
    assert_ne!(serving.line.status().session, first);
    serving.line.stop().await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_stops_says_so_and_is_found_again() {
    let mut hub = TestHub::start(23).await;
    let branch = hub.joined().await;
    let address = hub.address();
    let serving = branch.serve(&address.to_string());
    serving.line.touch();
    serving.becomes(LinkState::Connected).await;
    // Watched while it stops: the next try may be refused before the listener is gone, and says so in turn.
    let listener = hub.listener.take().unwrap();
    let (status, ()) = tokio::join!(serving.becomes(LinkState::Connecting), listener.stop());
    assert_eq!(status.detail, "the hub stops");
    hub.listen(address).await;
    let back = Instant::now();
    serving.becomes(LinkState::Connected).await;
    assert!(
        back.elapsed() < Duration::from_secs(8),
        "{:?}",
        back.elapsed()
    );
    serving.line.stop().await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pausing_really_cuts_the_line_and_leaves_a_signed_head() {
    let hub = TestHub::start(24).await;
    let branch = hub.joined().await;
    let serving = branch.serve(&hub.address().to_string());
    serving.becomes(LinkState::Connected).await;
    let seq = serving.write("before the pause").await;
    serving.stored(seq).await;
    serving.line.pause();
    serving.becomes(LinkState::Paused).await;
    assert_eq!(serving.store.last_head_seq().await.unwrap(), seq);
    let later = serving.write("during the pause").await;
    assert_eq!(hub.stored(serving.node).await, seq);
    serving.line.resume();
    serving.stored(later).await;
    assert_eq!(serving.becomes(LinkState::Connected).await.session, Some(2));
    serving.line.stop().await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_hello_of_the_same_machine_ends_its_older_session() {
    let hub = TestHub::start(25).await;
    let branch = hub.joined().await;
    let address = hub.address().to_string();
    let serving = branch.serve(&address);
    serving.becomes(LinkState::Connected).await;
    let config = SyncConfig {
        dir: branch.dir().to_owned(),
        hub: address,
        env: edge_node::env::Env::system(),
    };
    let second = edge_node::sync::start(serving.store.clone(), config).unwrap();
    let status = serving.becomes(LinkState::Connecting).await;
    assert!(status.detail.contains("newer session"), "{}", status.detail);
    second.stop().await;
    serving.line.nudge();
    serving.becomes(LinkState::Connected).await;
    serving.line.stop().await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_loses_doubles_and_delays_carries_everything_in_both_directions() {
    let hub = TestHub::start(26).await;
    let relay = UdpRelay::start(hub.address(), 26).await.unwrap();
    relay.set_faults(Faults {
        loss: 0.1,
        duplication: 0.2,
        reorder: 0.1,
        delay: Duration::from_millis(40),
        jitter: Duration::from_millis(40),
        rate_bytes: None,
    });
    let branch = hub.joined().await;
    let serving = branch.serve(&relay.address().to_string());
    let mut last = 0;
    for number in 0..200 {
        last = serving
            .write(&format!("entry {number} {}", "x".repeat(200)))
            .await;
    }
    serving.stored(last).await;
    assert_eq!(hub.stored(serving.node).await, last);
    let hello = serving.store.hello("test").await.unwrap();
    assert!(
        hello.cursors.iter().any(|cursor| cursor.n > 0),
        "the chain feed with the branch's row came down"
    );
    serving.line.stop().await;
    hub.stop().await;
}
