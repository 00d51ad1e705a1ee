//! Feeds: applied whole with their cursor (INV-3, INV-24), never stopping at what cannot be applied (INV-22).

use domain::document::{DocumentKind, Edit, apply_edits};
use domain::id::{BranchId, DocumentId, StaffId, TransferId};
use domain::stock::{Movement, MovementKind};
use domain::transfer::{
    Arrival, ArrivalLine, Plan, PlanState, Shipment, TransferLine, TransferState,
};
use edge_node::error::AppError;
use edge_node::store::{
    Touched, catalogue, document, incident, parked, stock, sync, transfer, verify,
};
use sync_protocol::document::Document;
use sync_protocol::feed::FeedId;
use sync_protocol::item::{Item, Origin, Verdict, VerdictKind};
use sync_protocol::position::{Epoch, NodeId, Position, actor};

use crate::support::*;

#[test]
fn a_block_is_applied_once_and_its_cursor_stands_in_the_same_commit() {
    let mut branch = Branch::new();
    let store = branch.open();
    let mut hub = HubFeed::new(FeedId::chain());
    let rows: Vec<Vec<Item>> = (1..=50)
        .map(|number| vec![part_item(part(number), &format!("P-{number}"), 1)])
        .collect();
    let block = hub.block(&rows);
    let cursor = apply(&store, block.clone());
    assert_eq!(cursor.n, 50);
    assert_eq!(apply(&store, block), cursor);
    let later = hub.block(&[
        vec![branch_item(BRANCH, "BER", 1), part_item(part(1), "P-1b", 2)],
        vec![part_item(part(1), "P-1", 1)],
    ]);
    apply(&store, later);
    drop(store);
    let store = branch.open();
    assert_eq!(
        block_on(store.hello("test"))
            .unwrap()
            .cursors
            .iter()
            .map(|cursor| cursor.n)
            .collect::<Vec<_>>(),
        [52]
    );
    let found = store
        .read_blocking(|reader| catalogue::part_by_sku(reader, "P-1b"))
        .unwrap();
    assert!(
        found.is_some(),
        "the last version wins, whatever comes later"
    );
    let settings = store.read_blocking(|reader| reader.settings()).unwrap();
    assert!(!settings.prices_include_tax, "the branch's own row applies");
    drop(store);
    let report = verify(branch.path()).unwrap();
    assert!(report.ok, "{report:?}");
    assert_eq!(report.tables["part"], 50);
}

#[test]
fn a_gap_a_fork_and_a_foreign_feed_are_refused_and_change_nothing() {
    let mut branch = Branch::new();
    let store = branch.open();
    let mut hub = HubFeed::new(FeedId::chain());
    apply(&store, hub.block(&[vec![part_item(part(1), "A", 1)]]));
    let mut ahead = hub.block(&[vec![part_item(part(2), "B", 1)]]);
    ahead.first += 5;
    assert!(matches!(
        block_on(store.apply_feed_block(ahead, None)),
        Err(AppError::Conflict {
            kind: "feed-gap",
            ..
        })
    ));
    let mut other = HubFeed::new(FeedId::chain());
    let fork = other.block(&[
        vec![part_item(part(3), "C", 1)],
        vec![part_item(part(4), "D", 1)],
    ]);
    assert!(matches!(
        block_on(store.apply_feed_block(fork, None)),
        Err(AppError::Conflict {
            kind: "feed-fork",
            ..
        })
    ));
    let mut foreign = HubFeed::new(FeedId::private(BranchId::from_bytes([8; 16])));
    let block = foreign.block(&[vec![part_item(part(5), "E", 1)]]);
    assert!(block_on(store.apply_feed_block(block, None)).is_err());
    let state = store.read_blocking(sync::state).unwrap();
    assert_eq!(state.feeds.iter().map(|feed| feed.cursor).sum::<u64>(), 1);
    drop(store);
    assert_eq!(verify(branch.path()).unwrap().tables["part"], 1);
}

#[test]
fn what_cannot_be_applied_is_parked_and_the_rest_goes_on() {
    let mut branch = Branch::new();
    let store = branch.open();
    let id = write_order(&store, "one");
    let mut hub = HubFeed::new(FeedId::private(BRANCH));
    let broken = Item::change(id, DocumentKind::Order, vec![1, 2, 3]);
    let cursor = apply(
        &store,
        hub.block(&[
            vec![broken, part_item(part(1), "A", 1)],
            vec![part_item(part(2), "B", 1)],
        ]),
    );
    assert_eq!(cursor.n, 2);
    assert!(
        store
            .read_blocking(|reader| catalogue::part_by_sku(reader, "A"))
            .unwrap()
            .is_some()
    );
    let parked = store.read_blocking(parked::list).unwrap();
    assert_eq!((parked.len(), parked[0].document), (1, Some(id)));
    let row = store
        .read_blocking(|reader| document::row(reader, id))
        .unwrap()
        .unwrap();
    assert!(row.unreadable.is_some());
    let incidents = store
        .read_blocking(|reader| incident::list(reader, None, 10))
        .unwrap();
    assert!(
        incidents
            .iter()
            .any(|incident| incident.kind == "feed_item")
    );
    drop(store);
    let report = verify(branch.path()).unwrap();
    assert!(report.ok, "{report:?}");
}

#[test]
fn a_change_of_the_hub_merges_with_one_made_here_meanwhile() {
    let mut branch = Branch::new();
    let store = branch.open();
    let id = write_order(&store, "one");
    let base = store
        .read_blocking(|reader| document::get(reader, id))
        .unwrap()
        .unwrap();
    let mut hub = HubFeed::new(FeedId::private(BRANCH));
    let hub_actor = actor(NodeId::HUB, Epoch(99));
    let applied = apply_edits(
        Some(base.automerge()),
        &hub_actor,
        &[Edit::text(&["diagnosis"], "by the hub")],
    );
    let chunk = applied.unwrap().unwrap().change;
    store
        .write_blocking(move |tx| {
            tx.begin(sync_protocol::item::command::ORDER_EDIT, &ACTOR)?;
            tx.edit_document(
                id,
                DocumentKind::Order,
                &[Edit::text(&["diagnosis"], "by the branch")],
            )?;
            Ok(())
        })
        .unwrap();
    apply(
        &store,
        hub.block(&[vec![Item::change(id, DocumentKind::Order, chunk)]]),
    );
    let conflicts = store
        .read_blocking(|reader| parked::conflicts(reader, Some(id)))
        .unwrap();
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].conflict.path, ["diagnosis"]);
    assert_eq!(conflicts[0].conflict.values.len(), 2);
    drop(store);
    let report = verify(branch.path()).unwrap();
    assert!(report.ok, "{report:?}");
    assert_eq!(report.tables["conflict"], 1);
}

#[test]
fn a_snapshot_attaches_a_document_and_one_with_wrong_heads_does_not() {
    let mut branch = Branch::new();
    let store = branch.open();
    let id = DocumentId::from_bytes([5; 16]);
    let origin = Origin {
        actor: actor(NodeId(77), Epoch(5)),
        seq: 0,
        staff: StaffId::NIL,
        hlc: 1 << 40,
    };
    let edits = [
        Edit::int(&["v"], 1),
        Edit::text(&["home"], BranchId::from_bytes([8; 16]).to_string()),
        Edit::map(&["consent"]),
    ];
    let (other, _) = Document::edit(None, id, DocumentKind::Customer, origin, &edits)
        .unwrap()
        .unwrap();
    let mut hub = HubFeed::new(FeedId::private(BRANCH));
    let good = other.to_snapshot();
    let mut bad = good.clone();
    bad.document = DocumentId::from_bytes([6; 16]);
    bad.heads = vec![[1; 32]];
    let notices = &mut store.notices();
    apply(
        &store,
        hub.block(&[vec![Item::Snapshot(good), Item::Snapshot(bad)]]),
    );
    assert!(
        notices
            .try_recv()
            .unwrap()
            .touched
            .contains(&Touched::Customer(id))
    );
    assert!(
        store
            .read_blocking(|reader| document::get(reader, id))
            .unwrap()
            .is_some()
    );
    assert_eq!(store.read_blocking(parked::list).unwrap().len(), 1);
    apply(
        &store,
        hub.block(&[vec![Item::Detach(sync_protocol::item::Detach {
            document: id,
        })]]),
    );
    assert!(
        store
            .read_blocking(|reader| document::get(reader, id))
            .unwrap()
            .is_none()
    );
    drop(store);
    let report = verify(branch.path()).unwrap();
    assert!(report.ok, "{report:?}");
}

#[test]
fn a_transfer_folds_from_plan_shipment_and_own_arrival() {
    let mut branch = Branch::new();
    let store = branch.open();
    let (id, from) = (
        TransferId::from_bytes([4; 16]),
        BranchId::from_bytes([8; 16]),
    );
    let mut hub = HubFeed::new(FeedId::private(BRANCH));
    let lines = vec![TransferLine {
        part: part(1),
        quantity: 5,
    }];
    let plan = Plan {
        id,
        from,
        to: BRANCH,
        lines: lines.clone(),
        version: 1,
        state: PlanState::Approved,
        reason: String::new(),
    };
    apply(
        &store,
        hub.block(&[vec![part_item(part(1), "A", 1), Item::Plan(plan)]]),
    );
    apply(
        &store,
        hub.block(&[vec![Item::Shipment(Shipment {
            transfer: id,
            lines,
        })]]),
    );
    let balance = || {
        store
            .read_blocking(|reader| stock::balance(reader, part(1)))
            .unwrap()
    };
    assert_eq!((balance().in_transit, balance().on_hand), (5, 0));
    store
        .write_blocking(move |tx| {
            tx.begin(sync_protocol::item::command::TRANSFER, &ACTOR)?;
            let line = ArrivalLine {
                part: part(1),
                good: 3,
                damaged: 1,
                missing: 1,
            };
            tx.fact(Item::Arrival(Arrival {
                transfer: id,
                number: 1,
                lines: vec![line],
            }))?;
            for (kind, quantity) in [(MovementKind::Arrive, 3), (MovementKind::ArriveDamaged, 1)] {
                let movement = Movement::new(BRANCH, part(1), kind, quantity);
                tx.fact(Item::Movement(movement.about(
                    *id.as_bytes(),
                    *part(1).as_bytes(),
                    1,
                )))?;
            }
            Ok(())
        })
        .unwrap();
    let shown = store
        .read_blocking(|reader| transfer::get(reader, id))
        .unwrap()
        .unwrap();
    assert_eq!(shown.state, TransferState::ReceivedShort);
    assert_eq!((balance().in_transit, balance().on_hand), (1, 3));
    drop(store);
    let report = verify(branch.path()).unwrap();
    assert!(report.ok, "{report:?}");
}

#[test]
fn a_verdict_of_the_hub_takes_back_a_superseded_movement_and_counts_as_parked() {
    let mut branch = Branch::new();
    let store = branch.open();
    receive(&store, part(1), 10);
    let sold = Movement::new(BRANCH, part(1), MovementKind::Use, 4).about([3; 16], [4; 16], 1);
    write_movement(&store, sold);
    let tip = *store.tip().borrow();
    let position = Position {
        node: identity().node,
        epoch: tip.epoch,
        seq: tip.seq,
    };
    let mut hub = HubFeed::new(FeedId::private(BRANCH));
    let verdict = |verdict, item| {
        Item::Verdict(Verdict {
            position,
            item,
            verdict,
            reason: "twice".to_owned(),
        })
    };
    apply(
        &store,
        hub.block(&[vec![
            verdict(VerdictKind::Superseded, Some(0)),
            verdict(VerdictKind::Parked, None),
        ]]),
    );
    assert_eq!(
        store
            .read_blocking(|reader| stock::balance(reader, part(1)))
            .unwrap()
            .on_hand,
        10
    );
    assert_eq!(store.read_blocking(sync::state).unwrap().parked, 1);
    apply(
        &store,
        hub.block(&[vec![verdict(VerdictKind::Released, None)]]),
    );
    assert_eq!(store.read_blocking(sync::state).unwrap().parked, 0);
    drop(store);
    let report = verify(branch.path()).unwrap();
    assert!(report.ok, "{report:?}");
}
