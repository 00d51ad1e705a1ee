//! Logs come in exactly once, and what is bad is parked without delaying anything.

use domain::document::{DocumentKind, Edit};
use domain::id::DocumentId;
use domain::order::Status;
use domain::stock::MovementKind;
use hub::app::{Actor, SessionEvent};
use sync_protocol::item::{AuditNote, Item, NodeRevoked, VerdictKind, command};
use sync_protocol::message::CloseReason;
use sync_protocol::transaction::RawItem;

use crate::support::{World, part};

#[tokio::test]
async fn a_block_that_comes_twice_or_overlaps_has_one_effect() {
    let mut world = World::new().await;
    let mut branch = world.branch("AAA").await;
    let opening = branch.movement(part(1), MovementKind::Opening, 10);
    let (_, order) = branch.new_order(None);
    let entries: Vec<_> = [vec![opening], vec![order]]
        .into_iter()
        .map(|items| branch.tx(items))
        .collect();
    let first = branch.send(&world.hub, entries.clone()).await;
    let again = branch.send(&world.hub, entries.clone()).await;
    assert_eq!((first, again.stored), (again, branch.tip));

    let more = branch.movement(part(1), MovementKind::Receive, 5);
    let third = branch.tx(vec![more]);
    let overlapping = vec![entries[1].clone(), third];
    let ack = branch.send(&world.hub, overlapping).await;
    assert_eq!((ack.stored.seq, ack.applied), (3, 3));
    assert_eq!(world.count("select on_hand from inventory.stock").await, 15);
    assert_eq!(
        world.count("select count(*) from inventory.movement").await,
        2
    );
    assert_eq!(
        world
            .count("select count(*) from orders.repair_order")
            .await,
        1
    );
    world.verified().await;
}

#[tokio::test]
async fn an_older_session_commits_nothing() {
    let mut world = World::new().await;
    let mut branch = world.branch("AAA").await;
    let mut events = world.hub.session_watch();
    let old_session = branch.session;
    branch.hello(&world.hub).await.unwrap();
    let event = events.recv().await.unwrap();
    assert_eq!(
        event,
        SessionEvent::Replaced {
            node: branch.node,
            session: branch.session
        }
    );
    let (_, order) = branch.new_order(None);
    let entry = branch.tx(vec![order]);
    let refused = world
        .hub
        .submit(branch.node, old_session, vec![entry.clone()])
        .await
        .await
        .unwrap();
    assert_eq!(refused.unwrap_err().reason, CloseReason::Replaced);
    assert_eq!(
        world
            .count("select count(*) from orders.repair_order")
            .await,
        0
    );
    branch.send(&world.hub, vec![entry]).await;
    assert_eq!(
        world
            .count("select count(*) from orders.repair_order")
            .await,
        1
    );
}

#[tokio::test]
async fn gaps_and_other_contents_are_refused() {
    let mut world = World::new().await;
    let mut branch = world.branch("AAA").await;
    let items: Vec<Item> = (0..3)
        .map(|_| branch.movement(part(1), MovementKind::Opening, 1))
        .collect();
    let entries: Vec<_> = items
        .into_iter()
        .map(|item| branch.tx(vec![item]))
        .collect();
    let refused = branch
        .try_send(&world.hub, vec![entries[0].clone(), entries[2].clone()])
        .await;
    assert_eq!(refused.unwrap_err().reason, CloseReason::Protocol);
    assert_eq!(
        world.count("select count(*) from sync.log_block").await,
        1,
        "only the hub's own"
    );
    branch.send(&world.hub, entries.clone()).await;
    let mut other = entries[2].clone();
    other.hash[0] ^= 1;
    let refused = branch.try_send(&world.hub, vec![other]).await;
    assert_eq!(refused.unwrap_err().reason, CloseReason::Held);
    assert_eq!(world.count("select on_hand from inventory.stock").await, 3);
}

#[tokio::test]
async fn a_new_epoch_goes_on_and_an_old_one_is_a_clone() {
    let mut world = World::new().await;
    let mut branch = world.branch("AAA").await;
    let (document, order) = branch.new_order(None);
    let entry = branch.tx(vec![order]);
    branch.send(&world.hub, vec![entry]).await;
    let old_epoch = branch.epoch;
    branch.new_epoch();
    branch.hello(&world.hub).await.unwrap();
    let moved = branch.move_order(document, Status::Diagnosing);
    let entry = branch.tx(vec![moved]);
    branch.send(&world.hub, vec![entry]).await;
    assert_eq!(world.count("select count(*) from sync.lineage").await, 2);
    assert_eq!(
        world
            .count("select count(*) from orders.repair_order where status = 'diagnosing'")
            .await,
        1
    );
    branch.epoch = old_epoch;
    let held = branch.hello(&world.hub).await.unwrap_err();
    assert_eq!(held.reason, CloseReason::Held);
    assert_eq!(
        world
            .count("select count(*) from sync.incident where kind = 'clone'")
            .await,
        1
    );
    world.verified().await;
}

#[tokio::test]
async fn bad_changes_are_parked_together_and_facts_of_the_same_transaction_apply() {
    let mut world = World::new().await;
    let mut branch = world.branch("AAA").await;
    let (good, first) = branch.new_order(None);
    let entry = branch.tx(vec![first]);
    branch.send(&world.hub, vec![entry]).await;

    let moved = branch.move_order(good, Status::Diagnosing);
    let other = DocumentId::from_random(&mut branch.entropy);
    let bad = branch.edit(
        other,
        DocumentKind::Order,
        &[Edit::int(&["v"], 1), Edit::text(&["secret"], "x")],
    );
    let opening = branch.movement(part(1), MovementKind::Opening, 4);
    let entry = branch.tx(vec![moved, bad, opening]);
    let ack = branch.send(&world.hub, vec![entry]).await;
    assert_eq!(ack.applied, 2, "the cursor goes on");
    assert_eq!(
        world
            .count("select count(*) from orders.repair_order where status = 'received'")
            .await,
        1
    );
    assert_eq!(world.count("select count(*) from sync.document").await, 1);
    assert_eq!(world.count("select on_hand from inventory.stock").await, 4);
    assert_eq!(
        world
            .count("select count(*) from sync.parked where item = -1")
            .await,
        1
    );
    assert_eq!(
        world
            .count("select count(*) from audit.exception where kind = 'parked'")
            .await,
        1
    );

    let dependent = branch.move_order(good, Status::InRepair);
    let (_, unrelated) = branch.new_order(None);
    let entries = vec![branch.tx(vec![dependent]), branch.tx(vec![unrelated])];
    branch.send(&world.hub, entries).await;
    assert_eq!(
        world.count("select count(*) from sync.parked").await,
        2,
        "what hangs on parked changes is parked"
    );
    assert_eq!(
        world
            .count("select count(*) from orders.repair_order")
            .await,
        2,
        "nothing else waits"
    );

    let verdicts: Vec<VerdictKind> = branch
        .private_items(&world.hub)
        .await
        .into_iter()
        .filter_map(|item| match item {
            Item::Verdict(verdict) => Some(verdict.verdict),
            _ => None,
        })
        .collect();
    assert_eq!(verdicts, vec![VerdictKind::Parked, VerdictKind::Parked]);
    world.verified().await;
}

#[tokio::test]
async fn unknown_kinds_and_malformed_bytes_are_parked_alone() {
    let mut world = World::new().await;
    let mut branch = world.branch("AAA").await;
    let opening = branch.movement(part(1), MovementKind::Opening, 4).to_raw();
    let unknown = RawItem::Present {
        kind: 999,
        body: vec![1, 2, 3],
    };
    let malformed = RawItem::Present {
        kind: 16,
        body: vec![0xff; 3],
    };
    let entry = branch.tx_raw(vec![unknown, opening, malformed]);
    branch.send(&world.hub, vec![entry]).await;
    assert_eq!(world.count("select count(*) from sync.parked where item = 0 and reason like 'needs a newer hub%'").await, 1);
    assert_eq!(
        world
            .count("select count(*) from sync.parked where item = 2 and kind = 16")
            .await,
        1
    );
    assert_eq!(world.count("select on_hand from inventory.stock").await, 4);
    world.verified().await;
}

#[tokio::test]
async fn what_the_database_refuses_is_parked_alone() {
    let mut world = World::new().await;
    world
        .execute("alter table inventory.movement add constraint planted check (quantity <> 13)")
        .await;
    let (mut good, mut bad) = (world.branch("AAA").await, world.branch("BBB").await);
    let item = good.movement(part(1), MovementKind::Opening, 4);
    let good_entry = good.tx(vec![item]);
    let before = bad.movement(part(1), MovementKind::Opening, 1);
    let refused = bad.movement(part(1), MovementKind::Receive, 13);
    let after = bad.movement(part(1), MovementKind::Receive, 2);
    let bad_entries: Vec<_> = [before, refused, after]
        .into_iter()
        .map(|item| bad.tx(vec![item]))
        .collect();
    let (one, two) = tokio::join!(
        good.try_send(&world.hub, vec![good_entry]),
        bad.try_send(&world.hub, bad_entries)
    );
    assert_eq!((one.unwrap().applied, two.unwrap().applied), (1, 3));
    assert_eq!(
        world
            .count("select sum(on_hand)::bigint from inventory.stock")
            .await,
        7
    );
    assert_eq!(
        world
            .count("select count(*) from sync.parked where item = -2")
            .await,
        1
    );
    assert_eq!(
        world
            .count("select count(*) from sync.apply_order where refusal is not null")
            .await,
        1
    );
    world.verified().await;
}

#[tokio::test]
async fn another_branchs_things_are_refused() {
    let mut world = World::new().await;
    let (mut owner, mut stranger) = (world.branch("AAA").await, world.branch("BBB").await);
    let (document, order) = owner.new_order(None);
    let entry = owner.tx(vec![order]);
    owner.send(&world.hub, vec![entry]).await;

    stranger
        .documents
        .insert(document, owner.documents[&document].clone());
    let change = stranger.move_order(document, Status::Cancelled);
    let mut foreign = owner.movement(part(1), MovementKind::Opening, 9);
    if let Item::Movement(movement) = &mut foreign {
        movement.branch = owner.branch;
    }
    let row = Item::Branch(sync_protocol::item::Row {
        id: stranger.branch,
        version: 9,
        deleted: false,
        fields: crate::support::branch_row("ZZZ"),
    });
    let entry = stranger.tx(vec![change, foreign, row]);
    stranger.send(&world.hub, vec![entry]).await;
    assert_eq!(world.count("select count(*) from sync.parked").await, 3);
    assert_eq!(
        world
            .count("select count(*) from orders.repair_order where status = 'received'")
            .await,
        1
    );
    assert_eq!(
        world.count("select count(*) from inventory.movement").await,
        0
    );
    assert_eq!(
        world
            .count("select count(*) from locations.branch where code = 'ZZZ'")
            .await,
        0
    );
    world.verified().await;
}

#[tokio::test]
async fn a_revoked_machine_has_no_effect() {
    let mut world = World::new().await;
    let mut branch = world.branch("AAA").await;
    let mut events = world.hub.session_watch();
    let mut tx = world
        .hub
        .begin(Actor::SYSTEM, command::NODES)
        .await
        .unwrap();
    tx.fact(Item::NodeRevoked(NodeRevoked {
        node: branch.node,
        reason: "stolen".to_owned(),
    }));
    tx.commit().await.unwrap();
    assert_eq!(
        events.recv().await.unwrap(),
        SessionEvent::Revoked { node: branch.node }
    );
    let (_, order) = branch.new_order(None);
    let entry = branch.tx(vec![order]);
    let refused = branch.try_send(&world.hub, vec![entry]).await;
    assert_eq!(refused.unwrap_err().reason, CloseReason::Revoked);
    assert_eq!(
        branch.hello(&world.hub).await.unwrap_err().reason,
        CloseReason::Revoked
    );
    assert_eq!(
        world
            .count("select count(*) from orders.repair_order")
            .await,
        0
    );
    world.verified().await;
}

#[tokio::test]
async fn a_restarted_hub_and_a_second_process_go_on() {
    let mut world = World::new().await;
    let mut branch = world.branch("AAA").await;
    let (document, order) = branch.new_order(None);
    let entry = branch.tx(vec![order]);
    branch.send(&world.hub, vec![entry]).await;
    world.restart().await;
    branch.hello(&world.hub).await.unwrap();
    let moved = branch.move_order(document, Status::Diagnosing);
    let entry = branch.tx(vec![moved]);
    branch.send(&world.hub, vec![entry]).await;

    let (second, workers) = world.another_hub().await;
    let mut others = Vec::new();
    for code in ["BBB", "CCC"] {
        others.push(world.branch(code).await);
    }
    let mut sends = Vec::new();
    for (index, mut other) in others.into_iter().enumerate() {
        let hub = if index == 0 {
            world.hub.clone()
        } else {
            second.clone()
        };
        sends.push(tokio::spawn(async move {
            for _ in 0..40 {
                let (_, order) = other.new_order(None);
                let opening = other.movement(part(1), MovementKind::Opening, 1);
                let entry = other.tx(vec![order, opening]);
                other.send(&hub, vec![entry]).await;
            }
        }));
    }
    for _ in 0..20 {
        second.cut_availability(false).await.unwrap();
    }
    for send in sends {
        send.await.unwrap();
    }
    assert_eq!(
        world
            .count("select count(*) from orders.repair_order")
            .await,
        81
    );
    assert_eq!(
        world
            .count("select sum(on_hand)::bigint from inventory.stock")
            .await,
        80
    );
    world.verified().await;
    workers.stop().await;
}

#[tokio::test]
async fn a_number_that_two_orders_have_is_an_exception() {
    let mut world = World::new().await;
    let mut branch = world.branch("AAA").await;
    let number = domain::number::order_number("AAA", &mut branch.entropy);
    let (_, first) = branch.new_order_numbered(number.clone(), None);
    let (_, second) = branch.new_order_numbered(number, None);
    let entries = vec![branch.tx(vec![first]), branch.tx(vec![second])];
    branch.send(&world.hub, entries).await;
    assert_eq!(
        world
            .count("select count(*) from orders.repair_order")
            .await,
        2
    );
    assert_eq!(
        world
            .count("select count(*) from audit.exception where kind = 'double_number'")
            .await,
        1
    );
    world.verified().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_nobody_waits_for_leaves_the_lines_whole() {
    let mut world = World::new().await;
    let mut branch = world.branch("AAA").await;
    for number in 0..40 {
        let mut tx = world
            .hub
            .begin(Actor::SYSTEM, command::SYSTEM)
            .await
            .unwrap();
        tx.fact(Item::Note(AuditNote {
            subject: [1; 16],
            text: format!("note {number}"),
        }));
        let patience = std::time::Duration::from_micros(number * 150);
        drop(tokio::time::timeout(patience, tx.commit()).await);
        let opening = branch.movement(part(1), MovementKind::Receive, 1);
        let entry = branch.tx(vec![opening]);
        branch.send(&world.hub, vec![entry]).await;
    }
    assert_eq!(world.count("select on_hand from inventory.stock").await, 40);
    world.verified().await;
}
