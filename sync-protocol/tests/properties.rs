//! Codecs round-trip, and noise is refused without a panic (INV-19).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use domain::id::{BranchId, StaffId};
use proptest::prelude::*;
use sync_protocol::block::{Block, BlockWriter};
use sync_protocol::bytes::Reader;
use sync_protocol::feed::{FeedBlock, FeedEntry, FeedId};
use sync_protocol::frame::{FrameReader, FrameType, encode, encode_smaller};
use sync_protocol::hash::Hash;
use sync_protocol::line::{Lineage, LineageRow, Meeting, meet};
use sync_protocol::message::{Absent, Ack, FeedAck, Hello, KeyGive, KeyWant, Want, Welcome};
use sync_protocol::position::{Epoch, NodeId, Position, Tip, start_of_branch_line};
use sync_protocol::transaction::{Header, RawItem, Transaction, hlc_ms, next_hlc};

fn raw_item() -> impl Strategy<Value = RawItem> {
    prop_oneof![
        (any::<u16>(), prop::collection::vec(any::<u8>(), 0..200))
            .prop_map(|(kind, body)| RawItem::Present { kind, body }),
        (any::<u16>(), any::<Hash>()).prop_map(|(kind, hash)| RawItem::Erased { kind, hash }),
    ]
}

fn transaction() -> impl Strategy<Value = Transaction> {
    let header = (
        any::<u8>(),
        any::<u16>(),
        any::<u64>(),
        any::<[u8; 16]>(),
        any::<u16>(),
        any::<i32>(),
    );
    (header, prop::collection::vec(raw_item(), 0..6)).prop_map(
        |((flags, command, hlc, staff, terminal, day), items)| {
            let staff = StaffId::from_bytes(staff);
            let header = Header {
                flags,
                command,
                hlc,
                staff,
                terminal,
                business_day: day,
                items: 0,
            };
            Transaction::new(header, items).unwrap()
        },
    )
}

proptest! {
    #[test]
    fn transactions_come_back_as_they_went(transaction in transaction()) {
        let bytes = transaction.to_bytes();
        prop_assert_eq!(bytes.len(), transaction.encoded_len());
        let back = Transaction::from_bytes(&bytes).unwrap();
        prop_assert_eq!(back.hash(), transaction.hash());
        prop_assert_eq!(back, transaction);
    }

    #[test]
    fn erasing_an_item_keeps_the_transaction_hash(transaction in transaction(), index in any::<prop::sample::Index>()) {
        prop_assume!(!transaction.items.is_empty());
        let mut erased = transaction.clone();
        let item = index.get_mut(&mut erased.items);
        *item = RawItem::Erased { kind: item.kind(), hash: item.hash() };
        prop_assert_eq!(erased.hash(), transaction.hash());
    }

    #[test]
    fn any_changed_byte_changes_the_transaction_hash(
        transaction in transaction(),
        index in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        prop_assume!(transaction.items.iter().all(|item| item.body().is_some()));
        let mut bytes = transaction.to_bytes();
        *index.get_mut(&mut bytes) ^= 1 << bit;
        if let Ok(changed) = Transaction::from_bytes(&bytes) {
            prop_assert_ne!(changed.hash(), transaction.hash());
        }
    }

    #[test]
    fn blocks_come_back_as_they_went(transactions in prop::collection::vec(transaction(), 1..8)) {
        let start = start_of_branch_line(NodeId(5), BranchId::from_bytes([1; 16]));
        let mut writer = BlockWriter::new(NodeId(5), Epoch(77), 4, &start);
        for (index, transaction) in transactions.iter().enumerate() {
            prop_assert!(writer.push(Epoch(77), 4 + index as u64, &transaction.to_bytes()));
        }
        let block = Block::decode(&writer.finish()).unwrap();
        let entries = block.entries();
        prop_assert_eq!(entries.len(), transactions.len());
        prop_assert_eq!(entries[0].position, Position { node: NodeId(5), epoch: Epoch(77), seq: 4 });
        for (entry, transaction) in entries.iter().zip(&transactions) {
            prop_assert_eq!(&entry.transaction, transaction);
        }
    }

    #[test]
    fn feed_entries_come_back_as_they_went(transaction in transaction(), n in 1u64..1_000_000) {
        let items = transaction.items.iter().cloned().enumerate().map(|(i, item)| (i as u16, item)).collect();
        let origin = Position { node: NodeId(9), epoch: Epoch(3), seq: 8 };
        let entry = FeedEntry { origin, header: transaction.header, items };
        let mut bytes = FeedBlock::start_bytes(FeedId::chain(), n, &[7; 32]);
        bytes.extend_from_slice(&entry.to_bytes());
        let block = FeedBlock::decode(&bytes).unwrap();
        prop_assert_eq!(&block.entries[..], std::slice::from_ref(&entry));
        prop_assert_eq!(block.tip().running, entry.running(&[7; 32], n));
    }

    #[test]
    fn frames_come_back_however_the_stream_is_cut(
        body in prop::collection::vec(any::<u8>(), 0..3_000),
        cuts in prop::collection::vec(1usize..700, 1..20),
    ) {
        let mut bytes = encode(FrameType::Hello, &body);
        bytes.extend_from_slice(&[200, 0xff, 0, 0, 0, 2, 1, 2]);
        bytes.extend_from_slice(&encode_smaller(FrameType::KeyGive, &body));
        let mut reader = FrameReader::new();
        let mut frames = Vec::new();
        let mut rest = &bytes[..];
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            reader.push(now);
            while let Some(frame) = reader.next_frame().unwrap() {
                frames.push(frame);
            }
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(frames.len(), 2, "the unknown skippable frame is skipped");
        prop_assert_eq!(&frames[0].body, &body);
        prop_assert_eq!(&frames[1].body, &body);
        prop_assert!(!reader.is_mid_frame());
    }

    #[test]
    fn noise_is_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut reader = FrameReader::new();
        reader.push(&bytes);
        while let Ok(Some(_)) = reader.next_frame() {}
        let _ignored = (
            Transaction::from_bytes(&bytes).is_ok(),
            Block::decode(&bytes).is_ok(),
            FeedBlock::decode(&bytes).is_ok(),
            FeedEntry::from_bytes(&bytes).is_ok(),
            Header::decode(&mut Reader::new(&bytes, "header")).is_ok(),
            Hello::from_body(&bytes).is_ok(),
            Welcome::from_body(&bytes).is_ok(),
            Ack::from_body(&bytes).is_ok(),
            FeedAck::from_body(&bytes).is_ok(),
            KeyWant::from_body(&bytes).is_ok(),
            KeyGive::from_body(&bytes).is_ok(),
            Want::from_body(&bytes).is_ok(),
            Absent::from_body(&bytes).is_ok(),
        );
    }

    #[test]
    fn the_hybrid_clock_never_goes_back(times in prop::collection::vec(-10i64..4_000_000_000_000, 1..50)) {
        let mut last = 0;
        for now_ms in times {
            let next = next_hlc(last, now_ms);
            prop_assert!(next > last);
            prop_assert!(hlc_ms(next) >= now_ms.min(hlc_ms(next)));
            last = next;
        }
    }

    #[test]
    fn a_prefix_of_a_line_always_meets_normally(ends in prop::collection::vec(1u64..20, 1..6), at in any::<prop::sample::Index>()) {
        let (lineage, tip) = line(&ends, 0);
        let seq = at.index(tip.seq as usize + 1) as u64;
        let epoch = epoch_of(&lineage, seq);
        let prefix = Tip { epoch, seq, hash: [0; 32] };
        prop_assert_eq!(meet(&lineage, &prefix, &lineage, &tip), Meeting::Normal);
        if seq < tip.seq && seq > 0 {
            prop_assert_eq!(meet(&lineage, &tip, &lineage, &prefix), Meeting::BranchLost);
        }
    }

    #[test]
    fn two_lines_part_at_their_parent_link(ends in prop::collection::vec(2u64..20, 1..5), at in any::<prop::sample::Index>()) {
        let (hub, hub_tip) = line(&ends, 0);
        let common = 1 + at.index(hub_tip.seq as usize - 1) as u64;
        prop_assume!(common < hub_tip.seq);
        let parent = Tip { epoch: epoch_of(&hub, common), seq: common, hash: [0; 32] };
        let mut rows: Vec<LineageRow> = hub.rows().iter().copied().filter(|row| row.parent.seq < common).collect();
        rows.push(LineageRow { epoch: Epoch(1_000), parent });
        let branch = Lineage::new(rows).unwrap();
        let branch_tip = Tip { epoch: Epoch(1_000), seq: common + 3, hash: [1; 32] };
        prop_assert_eq!(meet(&hub, &hub_tip, &branch, &branch_tip), Meeting::Fork { common_seq: common });
    }
}

fn line(lengths: &[u64], first_epoch: u64) -> (Lineage, Tip) {
    let mut lineage = Lineage::default();
    let mut tip = Tip::start([0; 32]);
    for (index, length) in lengths.iter().enumerate() {
        let epoch = Epoch(first_epoch + index as u64 + 1);
        lineage.push(LineageRow { epoch, parent: tip }).unwrap();
        tip = Tip {
            epoch,
            seq: tip.seq + length,
            hash: [0; 32],
        };
    }
    (lineage, tip)
}

fn epoch_of(lineage: &Lineage, seq: u64) -> Epoch {
    lineage
        .rows()
        .iter()
        .rfind(|row| row.parent.seq < seq)
        .map_or(Epoch::NONE, |row| row.epoch)
}
