//! Entries of a feed that a branch lost come back from the hub, and nothing else does.
//!
//! Goal: whatever is lost and however the link and the hub's rows behave, the branch gets back exactly what it had, or
//! nothing, and nothing of it is applied again (INV-3, INV-9, INV-19).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use domain::id::{BranchId, StaffId};
use proptest::prelude::*;
use sync_protocol::branch_session::{BranchSession, Effect, Input};
use sync_protocol::compress::{compress, decompress};
use sync_protocol::feed::{FeedBlock, FeedEntry, FeedId, FeedKind, FeedTip};
use sync_protocol::frame::{FrameType, encode_compressed};
use sync_protocol::hub_session;
use sync_protocol::item::{AuditNote, Item, command};
use sync_protocol::limits::{FEED_BLOCK_BYTES_MAX, RETURNED_BYTES, WANT_TRANSACTIONS};
use sync_protocol::mending::feed::{FeedGap, FeedSpan, feed_blocks_for};
use sync_protocol::mending::{KeptEntry, NotBack};
use sync_protocol::message::{Absent, Want, Welcome};
use sync_protocol::position::{Epoch, NodeId, Position};
use sync_protocol::testing::{Link, MemoryBranch, MemoryHub, Outcome, frames};
use sync_protocol::transaction::{Header, Transaction};

const NODE: NodeId = NodeId(7);
const BRANCH: BranchId = BranchId::from_bytes([3; 16]);

fn entry(number: u64, size: usize) -> FeedEntry {
    let header = Header {
        flags: 0,
        command: command::ORDER_NOTE,
        hlc: number << 16,
        staff: StaffId::from_bytes([9; 16]),
        terminal: 0,
        business_day: 20_000,
        items: 0,
    };
    // Bytes that do not compress to nothing.
    let text = (0..size as u64).map(|at| char::from(b'a' + ((at * at + number) % 23) as u8));
    let note = AuditNote {
        subject: [number as u8; 16],
        text: text.collect(),
    };
    let transaction = Transaction::new(header, vec![Item::Note(note).to_raw()]).unwrap();
    FeedEntry {
        origin: Position {
            node: NodeId::HUB,
            epoch: Epoch(5),
            seq: number + 1,
        },
        header: transaction.header,
        items: (0..).zip(transaction.items).collect(),
    }
}

/// A hub that published entries of these sizes, and a branch that has them all.
fn level(sizes: &[usize]) -> (MemoryBranch, MemoryHub) {
    let mut branch = MemoryBranch::new(NODE, BRANCH, Epoch(1));
    let mut hub = MemoryHub::new(NODE, BRANCH, &[FeedId::chain(), FeedId::register()]);
    for (number, size) in sizes.iter().enumerate() {
        hub.publish(FeedId::chain(), entry(number as u64, *size));
    }
    let outcome = Link::connect(&mut branch, &mut hub).run(usize::MAX, 0);
    assert_eq!(outcome, Outcome::Quiet);
    assert_eq!(branch.applied.len(), sizes.len());
    (branch, hub)
}

fn gap_of(hub: &MemoryHub, first: u64, last: u64) -> FeedGap {
    let rows = &hub.feeds[&FeedId::chain()];
    FeedGap {
        feed: FeedId::chain(),
        span: FeedSpan {
            kind: FeedKind::Chain,
            first,
            last,
        },
        end: rows[last as usize - 1].0.running,
    }
}

/// Asks for what lies from `first` to `last`, from the end, until it is back or does not come.
fn mend(
    branch: &mut MemoryBranch,
    hub: &mut MemoryHub,
    (first, last): (u64, u64),
) -> Vec<(FeedTip, FeedEntry)> {
    let had = hub.feeds[&FeedId::chain()].clone();
    let applied = branch.applied.clone();
    let mut back: Vec<(FeedTip, FeedEntry)> = Vec::new();
    let mut end = last;
    while end >= first {
        let begin = first.max((end + 1).saturating_sub(WANT_TRANSACTIONS));
        branch.put_back.clear();
        let gap = FeedGap {
            end: had[end as usize - 1].0.running,
            ..gap_of(hub, begin, end)
        };
        let mut link = Link::connect(branch, hub);
        assert_eq!(link.run(usize::MAX, 0), Outcome::Quiet);
        link.lose_feed(gap);
        assert_eq!(link.run(usize::MAX, 0), Outcome::Quiet);
        drop(link);
        let Some(proven) = branch.put_back.pop() else {
            break;
        };
        assert_eq!(proven.entries.last().unwrap().0.n, end);
        assert!(proven.before.n + 1 >= begin);
        end = proven.before.n;
        back.splice(0..0, proven.entries);
    }
    assert_eq!(branch.applied, applied, "nothing is applied again");
    back
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_lost_comes_back_as_it_was(
        sizes in prop::collection::vec(prop_oneof![8 => 0usize..300, 1 => 0usize..90_000], 1..120),
        ends in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
    ) {
        let (mut branch, mut hub) = level(&sizes);
        let (a, b) = (ends.0.index(sizes.len()) as u64 + 1, ends.1.index(sizes.len()) as u64 + 1);
        let (first, last) = (a.min(b), a.max(b));
        let back = mend(&mut branch, &mut hub, (first, last));
        let had = &hub.feeds[&FeedId::chain()];
        prop_assert_eq!(&back[..], &had[first as usize - 1..last as usize]);
        prop_assert_eq!(&branch.not_back, &Vec::<String>::new());
        prop_assert_eq!(&hub.incidents, &Vec::<String>::new());
    }

    /// Whatever entry of the hub's own copy is another: what comes back is a sound end of what was lost.
    #[test]
    fn a_damaged_copy_gives_back_what_is_sound(
        sizes in prop::collection::vec(0usize..400, 2..40),
        at in any::<prop::sample::Index>(),
    ) {
        let (mut branch, mut hub) = level(&sizes);
        let had = hub.feeds[&FeedId::chain()].clone();
        let damaged = at.index(sizes.len());
        hub.feeds.get_mut(&FeedId::chain()).unwrap()[damaged].1.header.hlc ^= 1;
        let last = sizes.len() as u64;
        let back = mend(&mut branch, &mut hub, (1, last));
        prop_assert_eq!(&back[..], &had[damaged + 1..]);
        prop_assert_eq!(branch.not_back.len(), 1);
        prop_assert!(branch.not_back[0].ends_with(&NotBack::Absent.to_string()));
    }
}

/// An open session of the branch, by hand.
fn open_session(branch: &MemoryBranch) -> BranchSession {
    let feeds = vec![FeedId::chain(), FeedId::register()];
    let (mut session, _) = BranchSession::open(branch.hello(), feeds);
    let welcome = Welcome {
        session: 9,
        tip: None,
        applied: 0,
        schema: 1,
        hlc: 0,
        cursors: Vec::new(),
        keys: None,
    };
    give(&mut session, &welcome.to_frame());
    assert!(session.is_open());
    session
}

fn give(session: &mut BranchSession, bytes: &[u8]) -> Vec<Effect> {
    let frame = frames(bytes).unwrap().remove(0);
    session.handle(Input::Frame(frame))
}

fn give_blocks(session: &mut BranchSession, blocks: &[Vec<u8>]) -> Vec<Effect> {
    let frames = blocks
        .iter()
        .map(|packed| encode_compressed(FrameType::FeedBlock, packed));
    frames.flat_map(|frame| give(session, &frame)).collect()
}

#[test]
fn another_history_is_refused_whole_and_the_session_goes_on() {
    let (branch, mut hub) = level(&[40; 30]);
    let gap = gap_of(&hub, 5, 20);
    let honest = hub.read_feed_span(gap.feed, &gap.span);
    // The same numbers with other contents, chained as a feed of its own.
    let mut other = MemoryHub::new(NODE, BRANCH, &[FeedId::chain()]);
    for number in 0..30 {
        other.publish(FeedId::chain(), entry(number + 100, 40));
    }
    let rewritten = other.read_feed_span(gap.feed, &gap.span);
    let mut session = open_session(&branch);
    let asked = session.handle(Input::FeedLost(gap));
    assert_eq!(asked, [Effect::Send(Want::Feed(gap.span).to_frame())]);
    assert_eq!(session.handle(Input::FeedLost(gap)), [], "one at a time");
    let effects = give_blocks(&mut session, &rewritten);
    assert_eq!(
        effects,
        [Effect::FeedNotBack(gap.span, NotBack::OtherContent)]
    );
    assert_eq!(session.wanted(), None);
    session.handle(Input::FeedLost(gap));
    // New entries come in between.
    hub.publish(FeedId::chain(), entry(30, 40));
    let fresh = hub.read_feed(FeedId::chain(), 30, 1_000).remove(0);
    let effects = give_blocks(&mut session, &[fresh.packed]);
    assert!(
        matches!(effects[..], [Effect::StoreFeed(..)]),
        "{effects:?}"
    );
    let effects = give_blocks(&mut session, &honest);
    let [Effect::PutBackFeed(proven)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(
        proven.entries[..],
        hub.feeds[&FeedId::chain()][4..20],
        "the same session takes the right answer"
    );
}

#[test]
fn more_than_an_answer_may_hold_is_refused() {
    let (branch, hub) = level(&[60_000; 30]);
    let gap = gap_of(&hub, 1, 30);
    let mut session = open_session(&branch);
    session.handle(Input::FeedLost(gap));
    let mut before = gap.feed.start();
    let mut blocks = Vec::new();
    for (tip, entry) in &hub.feeds[&gap.feed] {
        let mut bytes = FeedBlock::start_bytes(gap.feed, tip.n, &before);
        bytes.extend_from_slice(&entry.to_bytes());
        blocks.push(compress(&bytes));
        before = tip.running;
    }
    let effects = give_blocks(&mut session, &blocks);
    assert_eq!(
        effects[0],
        Effect::FeedNotBack(gap.span, NotBack::TooMuch),
        "{effects:?}"
    );
}

#[test]
fn a_word_that_nobody_asked_for_ends_the_session() {
    let (branch, mut hub) = level(&[40; 5]);
    let want = Want::Feed(gap_of(&hub, 1, 3).span);
    let mut session = open_session(&branch);
    let effects = give(&mut session, &Absent { want }.to_frame());
    assert!(
        matches!(effects.last(), Some(Effect::End(_))),
        "{effects:?}"
    );
    let mut session = open_session(&branch);
    let effects = give(&mut session, &want.to_frame());
    assert!(
        matches!(effects.last(), Some(Effect::End(_))),
        "nobody asks a branch for a feed: {effects:?}"
    );
    // The hub answers one question at a time, of feeds that the branch reads.
    let private = Want::Feed(FeedSpan {
        kind: FeedKind::Private,
        first: 1,
        last: 1,
    });
    for questions in [vec![want, want], vec![private]] {
        let mut session = hub_session::HubSession::new(NODE);
        let hello = frames(&branch.hello().to_frame()).unwrap().remove(0);
        session.handle(hub_session::Input::Frame(hello));
        let state = hub.state(&branch.hello());
        session.handle(hub_session::Input::Admitted(Box::new(state)));
        let mut effects = Vec::new();
        for question in questions {
            let frame = frames(&question.to_frame()).unwrap().remove(0);
            effects.extend(session.handle(hub_session::Input::Frame(frame)));
        }
        assert!(
            matches!(effects.last(), Some(hub_session::Effect::End(_))),
            "{effects:?}"
        );
    }
}

#[test]
fn answers_hold_the_last_that_fit() {
    let (_, hub) = level(&[60_000; 30]);
    let span = gap_of(&hub, 1, 30).span;
    let blocks = hub.read_feed_span(FeedId::chain(), &span);
    assert_eq!(blocks.len(), RETURNED_BYTES / 60_000);
    let none: Vec<KeptEntry> = Vec::new();
    assert!(feed_blocks_for(FeedId::chain(), &span, &[0; 32], &none).is_empty());
    let (_, hub) = level(&[200_000, 480_000]);
    let blocks = hub.read_feed_span(FeedId::chain(), &gap_of(&hub, 1, 2).span);
    assert_eq!(blocks.len(), 1, "one entry at least, however large");
    let bytes = decompress(&blocks[0], FEED_BLOCK_BYTES_MAX).unwrap();
    assert_eq!(FeedBlock::decode(&bytes).unwrap().first, 2);
}

#[test]
fn spans_without_sense_are_refused() {
    let right = FeedSpan {
        kind: FeedKind::Register,
        first: 1,
        last: 256,
    };
    let read = |span| {
        let frame = frames(&Want::Feed(span).to_frame()).unwrap().remove(0);
        Want::from_body(&frame.body)
    };
    assert_eq!(read(right), Ok(Want::Feed(right)));
    for (first, last) in [
        (1, 257),
        (0, 1),
        (9, 8),
        (u64::MAX, u64::MAX),
        (1, u64::MAX),
    ] {
        let wrong = FeedSpan {
            first,
            last,
            ..right
        };
        assert!(read(wrong).is_err(), "{wrong:?}");
    }
}
