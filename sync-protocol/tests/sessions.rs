//! Both sessions over a link that is cut at every frame.
//!
//! Goal: whatever frame is lost or torn, a later connection brings every transaction and every feed entry across
//! exactly once and in order (INV-3, INV-10, F-8, F-9).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use domain::id::{BranchId, StaffId};
use sync_protocol::feed::{FeedEntry, FeedId, head_mac};
use sync_protocol::item::{AuditNote, Item, command};
use sync_protocol::position::{Epoch, NodeId, Position};
use sync_protocol::testing::{FEED_KEY, Link, MemoryBranch, MemoryHub, Outcome};
use sync_protocol::transaction::{Header, Transaction};

const NODE: NodeId = NodeId(7);
const TRANSACTIONS: u64 = 100;
const FEED_ENTRIES: u64 = 30;

fn branch_id() -> BranchId {
    BranchId::from_bytes([3; 16])
}

fn note(number: u64, size: usize) -> Transaction {
    let header = Header {
        flags: 0,
        command: command::ORDER_NOTE,
        hlc: number << 16,
        staff: StaffId::from_bytes([9; 16]),
        terminal: 0,
        business_day: 20_000,
        items: 0,
    };
    let text = format!("{number}:{}", "x".repeat(size));
    Transaction::new(
        header,
        vec![
            Item::Note(AuditNote {
                subject: [0; 16],
                text,
            })
            .to_raw(),
        ],
    )
    .unwrap()
}

fn filled_branch() -> MemoryBranch {
    let mut branch = MemoryBranch::new(NODE, branch_id(), Epoch(11));
    for number in 0..TRANSACTIONS {
        if number == 60 {
            branch.epoch = Epoch(12);
        }
        let size = if number % 10 == 0 { 9_000 } else { 40 };
        branch.append(&note(number, size));
    }
    branch
}

fn filled_hub() -> MemoryHub {
    let feeds = [
        FeedId::private(branch_id()),
        FeedId::chain(),
        FeedId::register(),
    ];
    let mut hub = MemoryHub::new(NODE, branch_id(), &feeds);
    for seq in 1..=FEED_ENTRIES {
        let transaction = note(seq, 300);
        let entry = FeedEntry {
            origin: Position {
                node: NodeId::HUB,
                epoch: Epoch(99),
                seq,
            },
            header: transaction.header,
            items: vec![(0, transaction.items[0].clone())],
        };
        hub.publish(feeds[seq as usize % feeds.len()], entry);
    }
    hub
}

fn assert_everything_once(branch: &MemoryBranch, hub: &MemoryHub) {
    assert_eq!(hub.tip, branch.tip());
    assert_eq!(branch.ack.stored, branch.tip());
    assert_eq!(hub.incidents, Vec::<String>::new());
    let stored: Vec<Vec<u8>> = hub
        .entries
        .iter()
        .map(|entry| entry.transaction.to_bytes())
        .collect();
    let written: Vec<Vec<u8>> = branch.log.iter().map(|(_, bytes)| bytes.clone()).collect();
    assert_eq!(stored, written);
    for (feed, rows) in &hub.feeds {
        let (tip, _) = rows.last().unwrap();
        let head = &branch.heads[&(feed.kind as u8)];
        assert_eq!((head.n, head.running), (tip.n, tip.running));
        assert_eq!(head.mac, head_mac(&FEED_KEY, *feed, tip), "INV-14");
        let published: Vec<_> = rows.iter().map(|(_, entry)| entry.clone()).collect();
        let applied: Vec<_> = branch
            .applied
            .iter()
            .filter(|entry| published.contains(entry))
            .cloned()
            .collect();
        assert_eq!(applied, published);
    }
    assert_eq!(branch.applied.len() as u64, FEED_ENTRIES);
}

fn frames_of_a_whole_run() -> usize {
    let (mut branch, mut hub) = (filled_branch(), filled_hub());
    let mut link = Link::connect(&mut branch, &mut hub);
    assert_eq!(link.run(usize::MAX, 0), Outcome::Quiet);
    let frames = link.frames;
    assert_everything_once(&branch, &hub);
    frames
}

#[test]
fn a_link_cut_at_every_frame_loses_and_doubles_nothing() {
    let frames = frames_of_a_whole_run();
    assert!(
        frames > 8,
        "the run must have frames to cut at, it had {frames}"
    );
    for cut_after in 0..frames {
        for torn_bytes in [0, 3, 40] {
            let (mut branch, mut hub) = (filled_branch(), filled_hub());
            assert_eq!(
                Link::connect(&mut branch, &mut hub).run(cut_after, torn_bytes),
                Outcome::Cut
            );
            let mut link = Link::connect(&mut branch, &mut hub);
            assert_eq!(
                link.run(usize::MAX, 0),
                Outcome::Quiet,
                "after a cut at frame {cut_after}"
            );
            assert_everything_once(&branch, &hub);
        }
    }
}

#[test]
fn a_link_cut_again_and_again_still_converges() {
    let (mut branch, mut hub) = (filled_branch(), filled_hub());
    for round in 0..200 {
        if Link::connect(&mut branch, &mut hub).run(1 + round % 4, round % 50) == Outcome::Quiet {
            break;
        }
    }
    assert_eq!(
        Link::connect(&mut branch, &mut hub).run(usize::MAX, 0),
        Outcome::Quiet
    );
    assert_everything_once(&branch, &hub);
}

#[test]
fn reconnecting_with_nothing_changed_costs_one_exchange_under_300_bytes() {
    let (mut branch, mut hub) = (filled_branch(), filled_hub());
    assert_eq!(
        Link::connect(&mut branch, &mut hub).run(usize::MAX, 0),
        Outcome::Quiet
    );
    let mut link = Link::connect(&mut branch, &mut hub);
    assert_eq!(link.run(usize::MAX, 0), Outcome::Quiet);
    assert_eq!(link.frames, 2);
    assert!(link.frame_bytes < 300, "{} bytes", link.frame_bytes);
}

#[test]
fn a_branch_restored_from_an_old_backup_is_held() {
    let (mut branch, mut hub) = (filled_branch(), filled_hub());
    assert_eq!(
        Link::connect(&mut branch, &mut hub).run(usize::MAX, 0),
        Outcome::Quiet
    );
    branch.log.truncate(40);
    branch.ack.stored = branch.tip();
    branch.lineage.truncate(1);
    assert_eq!(
        Link::connect(&mut branch, &mut hub).run(usize::MAX, 0),
        Outcome::Ended
    );
    assert_eq!(
        hub.incidents,
        ["the branch's log ends before the hub's copy of it"]
    );
    assert_eq!(hub.tip.seq, TRANSACTIONS);
}

#[test]
fn a_branch_whose_log_forked_is_held() {
    let (mut branch, mut hub) = (filled_branch(), filled_hub());
    assert_eq!(
        Link::connect(&mut branch, &mut hub).run(usize::MAX, 0),
        Outcome::Quiet
    );
    branch.log.truncate(40);
    branch.lineage.truncate(1);
    branch.ack.stored = branch.tip();
    branch.epoch = Epoch(13);
    branch.append(&note(1_000, 10));
    assert_eq!(
        Link::connect(&mut branch, &mut hub).run(usize::MAX, 0),
        Outcome::Ended
    );
    assert_eq!(
        hub.incidents,
        ["the branch's log and the hub's copy part behind entry 40"]
    );
}

#[test]
fn a_hub_that_went_back_in_time_holds_the_branch() {
    let (mut branch, mut hub) = (filled_branch(), filled_hub());
    let backup = hub.clone();
    assert_eq!(
        Link::connect(&mut branch, &mut hub).run(usize::MAX, 0),
        Outcome::Quiet
    );
    let mut hub = MemoryHub {
        feeds: hub.feeds,
        ..backup
    };
    assert_eq!(
        Link::connect(&mut branch, &mut hub).run(usize::MAX, 0),
        Outcome::Ended
    );
    assert_eq!(
        hub.incidents,
        ["the hub has less of the branch's log than it acknowledged"]
    );
    assert_eq!(branch.tip().seq, TRANSACTIONS);
}

#[test]
fn a_flipped_byte_in_the_log_stops_the_session() {
    let (mut branch, mut hub) = (filled_branch(), filled_hub());
    let last = branch.log[30].1.len() - 1;
    branch.log[30].1[last] ^= 1;
    assert_eq!(
        Link::connect(&mut branch, &mut hub).run(usize::MAX, 0),
        Outcome::Ended
    );
    assert!(
        hub.tip.seq < TRANSACTIONS,
        "the next block does not continue the hub's chain"
    );
    assert!(branch.ack.stored.seq < TRANSACTIONS);
}
