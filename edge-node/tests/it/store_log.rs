//! The log as the hub gets it: whole blocks, an unbroken chain over epochs (INV-9), keys before what uses them.

use edge_node::store::log::ReadLog;
use edge_node::store::{order, sync};
use sync_protocol::block::Block;
use sync_protocol::branch_session::OutBlock;
use sync_protocol::compress::decompress;
use sync_protocol::limits::{BLOCK_BYTES, BLOCK_BYTES_MAX};
use sync_protocol::message::Ack;
use sync_protocol::position::Tip;

use crate::support::*;

fn read(store: &edge_node::store::Store, after: Tip, limit_bytes: usize) -> Vec<OutBlock> {
    match block_on(store.read_blocks(after, limit_bytes)).unwrap() {
        ReadLog::Blocks(blocks) => blocks,
        ReadLog::NotOnLine => panic!("the tip is on the line"),
    }
}

#[test]
fn blocks_hold_the_whole_log_in_one_chain_over_epochs() {
    let mut branch = Branch::new();
    for _ in 0..3 {
        let store = branch.open();
        for _ in 0..40 {
            let id = write_order(&store, &"x".repeat(700));
            write_note(&store, id, "a note").unwrap();
        }
    }
    let store = branch.open();
    let mut tip = Tip::start(identity().line_start());
    let mut count = 0;
    let mut epochs = Vec::new();
    for block in read(&store, tip, usize::MAX) {
        let bytes = decompress(&block.packed, BLOCK_BYTES_MAX).unwrap();
        assert!(bytes.len() <= BLOCK_BYTES);
        let decoded = Block::decode(&bytes).unwrap();
        assert_eq!((decoded.before, decoded.first_seq), (tip.hash, tip.seq + 1));
        if epochs.last() != Some(&decoded.epoch) {
            epochs.push(decoded.epoch);
        }
        let entries = decoded.entries();
        count += entries.len();
        tip = sync_protocol::block::tip_behind(&entries, tip);
        assert_eq!(tip, block.last);
    }
    assert_eq!(count, 240);
    assert_eq!(epochs.len(), 3);
    assert_eq!(tip, *store.tip().borrow());
    let hello = block_on(store.hello("test")).unwrap();
    assert_eq!(
        hello
            .lineage
            .iter()
            .map(|row| row.epoch)
            .collect::<Vec<_>>(),
        epochs
    );
    assert_eq!(hello.tip, tip);
}

#[test]
fn a_limit_gives_one_block_at_least_and_a_foreign_tip_none() {
    let mut branch = Branch::new();
    let store = branch.open();
    for _ in 0..150 {
        write_order(&store, &"y".repeat(900));
    }
    let start = Tip::start(identity().line_start());
    let blocks = read(&store, start, 1);
    assert_eq!(blocks.len(), 1);
    let rest = read(&store, blocks[0].last, usize::MAX);
    assert_eq!(rest.last().unwrap().last, *store.tip().borrow());
    assert!(read(&store, *store.tip().borrow(), 1_000).is_empty());
    let foreign = Tip {
        hash: [1; 32],
        ..blocks[0].last
    };
    assert_eq!(
        block_on(store.read_blocks(foreign, 1)).unwrap(),
        ReadLog::NotOnLine
    );
}

#[test]
fn keys_travel_with_the_block_that_first_uses_them() {
    let mut branch = Branch::new();
    let store = branch.open();
    write_order(&store, "before");
    let before = *store.tip().borrow();
    let person = write_customer(&store, "Ada Lovelace", "+49 30 5550100", "ada@example.org");
    let start = Tip::start(identity().line_start());
    let all = read(&store, start, usize::MAX);
    assert_eq!(
        all.iter()
            .flat_map(|block| &block.keys)
            .filter(|key| key.person == person)
            .count(),
        1
    );
    let behind = read(&store, before, usize::MAX);
    assert_eq!(behind[0].keys.len(), 1);
    let given = block_on(store.read_keys(Vec::new())).unwrap();
    assert_eq!(given, behind[0].keys);
    assert_eq!(block_on(store.read_keys(vec![person])).unwrap(), given);
    assert_eq!(block_on(store.hello("test")).unwrap().keys.count, 1);
}

#[test]
fn acknowledgements_move_the_stage_of_orders_and_what_is_pending() {
    let mut branch = Branch::new();
    let store = branch.open();
    let id = write_order(&store, "one");
    let stored = *store.tip().borrow();
    let other = write_order(&store, "two");
    let stage = |id| {
        store
            .read_blocking(|reader| order::get(reader, id))
            .unwrap()
            .unwrap()
            .stage
    };
    let state = || store.read_blocking(sync::state).unwrap();
    assert_eq!(stage(id), order::Stage::Local);
    assert_eq!(state().pending_transactions, 2);
    block_on(store.acknowledge(Ack { stored, applied: 0 })).unwrap();
    assert_eq!(
        (stage(id), stage(other)),
        (order::Stage::Stored, order::Stage::Local)
    );
    block_on(store.acknowledge(Ack { stored, applied: 1 })).unwrap();
    assert_eq!(
        (stage(id), stage(other)),
        (order::Stage::Applied, order::Stage::Local)
    );
    let now = state();
    assert_eq!(
        (now.pending_transactions, now.stored, now.applied),
        (1, stored, 1)
    );
    assert!(now.pending_bytes > 0 && now.oldest_pending_at_ms.is_some());
    let hello = block_on(store.hello("test")).unwrap();
    assert_eq!(hello.last_ack, stored);
    assert!(hello.lineage.is_empty());
}
