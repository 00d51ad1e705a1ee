//! Entries that the hub lost come back from the log of who wrote them, and nothing else does.
//!
//! Goal: whatever is lost and however the link and the log behave, the hub gets back exactly what it had, or nothing
//! (INV-9, INV-19).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use domain::id::{BranchId, StaffId};
use proptest::prelude::*;
use sync_protocol::block::{Block, BlockWriter, LogEntry};
use sync_protocol::compress::compress;
use sync_protocol::frame::{FrameType, encode, encode_compressed};
use sync_protocol::hash::Hash;
use sync_protocol::hub_session::{Effect, HubSession, Input};
use sync_protocol::item::{AuditNote, Item, command};
use sync_protocol::limits::{RETURNED_BYTES, WANT_TRANSACTIONS};
use sync_protocol::mending::{Answer, Gap, KeptEntry, LogSpan, NotBack, blocks_for};
use sync_protocol::message::{Absent, Want};
use sync_protocol::position::{Epoch, NodeId};
use sync_protocol::testing::{Link, MemoryBranch, MemoryHub, Outcome, frames};
use sync_protocol::transaction::{Header, Transaction};

const NODE: NodeId = NodeId(7);

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
    // Bytes that do not compress to nothing.
    let text = (0..size as u64).map(|at| char::from(b'a' + ((at * at + number) % 23) as u8));
    let note = AuditNote {
        subject: [number as u8; 16],
        text: text.collect(),
    };
    Transaction::new(header, vec![Item::Note(note).to_raw()]).unwrap()
}

/// A branch that wrote transactions of these sizes, in epochs of so many, and a hub that has them all.
fn level(sizes: &[usize], epoch_every: usize) -> (MemoryBranch, MemoryHub) {
    let branch_id = BranchId::from_bytes([3; 16]);
    let mut branch = MemoryBranch::new(NODE, branch_id, Epoch(1));
    for (number, size) in sizes.iter().enumerate() {
        branch.epoch = Epoch(1 + (number / epoch_every) as u64);
        branch.append(&note(number as u64, *size));
    }
    let mut hub = MemoryHub::new(NODE, branch_id, &[]);
    let outcome = Link::connect(&mut branch, &mut hub).run(usize::MAX, 0);
    assert_eq!(outcome, Outcome::Quiet);
    assert_eq!(hub.entries.len(), sizes.len());
    (branch, hub)
}

fn gap_of(entries: &[LogEntry], first: u64, last: u64) -> Gap {
    let end = &entries[last as usize - 1];
    Gap {
        span: LogSpan {
            node: NODE,
            epoch: end.position.epoch,
            first,
            last,
        },
        end: end.hash,
    }
}

/// Asks for what lies from `first` to `last`, from the end, until it is back or does not come.
fn mend(branch: &mut MemoryBranch, hub: &mut MemoryHub, first: u64, last: u64) -> Vec<LogEntry> {
    let had = hub.entries.clone();
    let mut back: Vec<LogEntry> = Vec::new();
    let mut link = Link::connect(branch, hub);
    assert_eq!(link.run(usize::MAX, 0), Outcome::Quiet);
    drop(link);
    let mut end = last;
    while end >= first {
        let epoch = had[end as usize - 1].position.epoch;
        let begin = had
            .iter()
            .find(|entry| entry.position.epoch == epoch)
            .unwrap();
        let begin = begin
            .position
            .seq
            .max(first)
            .max((end + 1).saturating_sub(WANT_TRANSACTIONS));
        hub.put_back.clear();
        let mut link = Link::connect(branch, hub);
        assert_eq!(link.run(usize::MAX, 0), Outcome::Quiet);
        link.lose(gap_of(&had, begin, end));
        assert_eq!(link.run(usize::MAX, 0), Outcome::Quiet);
        drop(link);
        let Some(proven) = hub.put_back.pop() else {
            break;
        };
        assert!(
            proven.before.seq + 1 >= begin && proven.entries.last().unwrap().position.seq == end
        );
        end = proven.before.seq;
        back.splice(0..0, proven.entries);
    }
    assert_eq!(hub.entries, had, "what was sound is not taken again");
    back
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_lost_comes_back_as_it_was(
        sizes in prop::collection::vec(prop_oneof![8 => 0usize..300, 1 => 0usize..90_000], 1..120),
        epoch_every in 1usize..60,
        ends in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
    ) {
        let (mut branch, mut hub) = level(&sizes, epoch_every);
        let (a, b) = (ends.0.index(sizes.len()) as u64 + 1, ends.1.index(sizes.len()) as u64 + 1);
        let (first, last) = (a.min(b), a.max(b));
        let back = mend(&mut branch, &mut hub, first, last);
        prop_assert_eq!(&back[..], &hub.entries[first as usize - 1..last as usize]);
        prop_assert_eq!(hub.incidents, Vec::<String>::new());
    }

    /// Whatever byte of the branch's own copy is another: what comes back is a sound end of what was lost.
    #[test]
    fn a_damaged_copy_gives_back_what_is_sound(
        sizes in prop::collection::vec(0usize..400, 2..40),
        at in any::<prop::sample::Index>(),
        byte in any::<prop::sample::Index>(),
    ) {
        let (mut branch, mut hub) = level(&sizes, 1_000);
        let damaged = at.index(sizes.len());
        *byte.get_mut(&mut branch.log[damaged].1) ^= 1;
        let last = sizes.len() as u64;
        let back = mend(&mut branch, &mut hub, 1, last);
        prop_assert_eq!(&back[..], &hub.entries[damaged + 1..]);
        prop_assert_eq!(hub.incidents.len(), 1, "{:?}", hub.incidents);
        prop_assert!(hub.incidents[0].ends_with(&NotBack::Absent.to_string()));
    }

    /// Blocks of any shape are an answer only when they come to the hash.
    #[test]
    fn an_answer_is_what_was_lost_or_nothing(
        cuts in prop::collection::vec(1u64..5, 1..8),
        swap in any::<Option<prop::sample::Index>>(),
    ) {
        let count: u64 = cuts.iter().sum();
        let (branch, hub) = level(&vec![50; count as usize], 1_000);
        let mut transactions: Vec<Vec<u8>> = branch.log.iter().map(|(_, bytes)| bytes.clone()).collect();
        if let Some(index) = swap {
            *index.get_mut(&mut transactions) = note(77_777, 3).to_bytes();
        }
        let mut answer = Answer::to(gap_of(&hub.entries, 1, count));
        let mut before = hash_before(&hub.entries, 1, &branch);
        let mut seq = 1;
        let mut outcome = Ok(None);
        for cut in &cuts {
            let mut writer = BlockWriter::new(NODE, Epoch(1), seq, &before);
            for bytes in &transactions[seq as usize - 1..(seq + cut) as usize - 1] {
                assert!(writer.push(Epoch(1), seq + writer.count() as u64, bytes));
            }
            let bytes = writer.finish();
            let block = Block::decode(&bytes).unwrap();
            prop_assert!(answer.takes(&block));
            before = block.clone().entries().last().unwrap().hash;
            seq += cut;
            outcome = answer.add(block, bytes.len());
        }
        match swap {
            None => prop_assert_eq!(outcome.unwrap().unwrap().entries, hub.entries),
            Some(_) => prop_assert_eq!(outcome, Err(NotBack::OtherContent)),
        }
    }
}

fn hash_before(entries: &[LogEntry], seq: u64, branch: &MemoryBranch) -> Hash {
    match seq {
        1 => sync_protocol::position::start_of_branch_line(NODE, branch.branch),
        seq => entries[seq as usize - 2].hash,
    }
}

#[test]
fn other_content_is_refused_whole_and_the_session_goes_on() {
    let (mut branch, mut hub) = level(&[40; 30], 1_000);
    let had = hub.entries.clone();
    let gap = gap_of(&had, 5, 20);
    // A log that was written anew from entry 10 on, and hangs together in itself.
    let mut other = branch.clone();
    other.log.truncate(9);
    for number in 10..=30 {
        other.append(&note(1_000 + number, 40));
    }
    let rewritten = other.read_span(&gap.span);
    let mut link = Link::connect(&mut branch, &mut hub);
    assert_eq!(link.run(usize::MAX, 0), Outcome::Quiet);
    drop(link);
    let mut session = open_session(&branch, &mut hub);
    let asked = session.handle(Input::Lost(gap));
    assert_eq!(asked, [Effect::Send(Want::Log(gap.span).to_frame())]);
    assert_eq!(
        session.handle(Input::Lost(gap)),
        [],
        "one question at a time"
    );
    let mut effects = Vec::new();
    for packed in rewritten {
        let frame = frames(&encode_compressed(FrameType::Block, &packed))
            .unwrap()
            .remove(0);
        effects.extend(session.handle(Input::Frame(frame)));
    }
    assert_eq!(effects, [Effect::NotBack(gap.span, NotBack::OtherContent)]);
    assert_eq!(session.wanted(), None);
    // The same session still takes in what follows, and may ask again.
    let honest = branch.read_span(&gap.span);
    session.handle(Input::Lost(gap));
    let mut effects = Vec::new();
    for packed in honest {
        let frame = frames(&encode_compressed(FrameType::Block, &packed))
            .unwrap()
            .remove(0);
        effects.extend(session.handle(Input::Frame(frame)));
    }
    let [Effect::PutBack(proven)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(proven.entries[..], had[4..20]);
}

#[test]
fn a_word_that_nobody_asked_for_ends_the_session() {
    let (branch, mut hub) = level(&[40; 5], 1_000);
    let mut session = open_session(&branch, &mut hub);
    let want = Want::Log(gap_of(&hub.entries, 1, 3).span);
    let frame = frames(&Absent { want }.to_frame()).unwrap().remove(0);
    let effects = session.handle(Input::Frame(frame));
    assert!(
        matches!(effects.last(), Some(Effect::End(_))),
        "{effects:?}"
    );
    let mut session = open_session(&branch, &mut hub);
    let frame = frames(&want.to_frame()).unwrap().remove(0);
    let effects = session.handle(Input::Frame(frame));
    assert!(
        matches!(effects.last(), Some(Effect::End(_))),
        "only the hub asks: {effects:?}"
    );
}

#[test]
fn more_than_an_answer_may_hold_is_refused() {
    let sizes = [60_000; 30];
    let (branch, mut hub) = level(&sizes, 1_000);
    let gap = gap_of(&hub.entries, 1, 30);
    let mut session = open_session(&branch, &mut hub);
    session.handle(Input::Lost(gap));
    let mut effects = Vec::new();
    let mut before = hash_before(&hub.entries, 1, &branch);
    for (tip, bytes) in &branch.log {
        let mut writer = BlockWriter::new(NODE, Epoch(1), tip.seq, &before);
        assert!(writer.push(Epoch(1), tip.seq, bytes));
        before = tip.hash;
        let bytes = encode_compressed(FrameType::Block, &compress(&writer.finish()));
        effects.extend(session.handle(Input::Frame(frames(&bytes).unwrap().remove(0))));
    }
    assert_eq!(effects[0], Effect::NotBack(gap.span, NotBack::TooMuch));
    assert_eq!(effects.len(), 1, "the rest is known and dropped");
}

#[test]
fn answers_hold_the_last_that_fit() {
    let sizes = [60_000; 30];
    let (branch, hub) = level(&sizes, 1_000);
    let span = gap_of(&hub.entries, 1, 30).span;
    let blocks = branch.read_span(&span);
    assert_eq!(blocks.len(), RETURNED_BYTES / 60_000);
    let kept: Vec<KeptEntry> = Vec::new();
    assert_eq!(blocks_for(&span, &[0; 32], &kept), Vec::<Vec<u8>>::new());
    let huge = [200_000, 500_000];
    let (branch, hub) = level(&huge, 1_000);
    assert_eq!(branch.read_span(&gap_of(&hub.entries, 1, 2).span).len(), 1);
}

#[test]
fn spans_without_sense_are_refused() {
    let right = LogSpan {
        node: NODE,
        epoch: Epoch(1),
        first: 1,
        last: 256,
    };
    assert_eq!(Want::from_body(&body(right)), Ok(Want::Log(right)));
    for wrong in [
        LogSpan { last: 257, ..right },
        LogSpan {
            first: 0,
            last: 1,
            ..right
        },
        LogSpan {
            first: 9,
            last: 8,
            ..right
        },
        LogSpan {
            epoch: Epoch(0),
            ..right
        },
        LogSpan {
            first: u64::MAX,
            last: u64::MAX,
            ..right
        },
        LogSpan {
            first: 1,
            last: u64::MAX,
            ..right
        },
    ] {
        assert!(Want::from_body(&body(wrong)).is_err(), "{wrong:?}");
    }
    assert!(
        Want::from_body(&[2, 0]).is_err(),
        "a kind that nobody knows"
    );
    let frame = encode(FrameType::Want, &body(right));
    assert_eq!(frames(&frame).unwrap().remove(0).kind, FrameType::Want);
}

fn body(span: LogSpan) -> Vec<u8> {
    sync_protocol::item::encode_body(&Want::Log(span))
}

/// A session of the hub that took the branch's Hello.
fn open_session(branch: &MemoryBranch, hub: &mut MemoryHub) -> HubSession {
    let mut session = HubSession::new(NODE);
    let mut hello = branch.hello();
    hello.last_ack = branch.tip();
    let frame = frames(&hello.to_frame()).unwrap().remove(0);
    session.handle(Input::Frame(frame));
    let state = hub.state(&hello);
    session.handle(Input::Admitted(Box::new(state)));
    session
}
