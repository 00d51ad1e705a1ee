//! Facts: the ledger, reservations, transfers, signed heads, availability.

use domain::id::{LineId, TransferId};
use domain::stock::{Movement, MovementKind};
use domain::transfer::{
    Arrival, ArrivalLine, Plan, PlanState, Shipment, TransferLine, TransferRequest,
};
use hub::app::Actor;
use sync_protocol::feed::FeedId;
use sync_protocol::item::{Item, Release, Reserve, VerdictKind, command};

use crate::support::{TestBranch, World, part};

#[tokio::test]
async fn of_two_movements_with_one_business_key_the_first_counts() {
    let mut world = World::new().await;
    let mut branch = world.branch("AAA").await;
    let opening = branch.movement(part(1), MovementKind::Opening, 10);
    let (subject, line) = ([7; 16], [8; 16]);
    let used = branch.movement_about(part(1), MovementKind::Use, 2, subject, line, 0);
    let again = used.clone();
    let entries: Vec<_> = [opening, used, again]
        .into_iter()
        .map(|item| branch.tx(vec![item]))
        .collect();
    branch.send(&world.hub, entries).await;
    assert_eq!(world.count("select on_hand from inventory.stock").await, 8);
    assert_eq!(
        world
            .count("select count(*) from inventory.movement where superseded")
            .await,
        1
    );
    assert_eq!(
        world
            .count("select count(*) from audit.exception where kind = 'superseded'")
            .await,
        1
    );
    let items = branch.private_items(&world.hub).await;
    let told = items.iter().any(|item| {
        matches!(item, Item::Verdict(verdict) if verdict.verdict == VerdictKind::Superseded && verdict.item == Some(0))
    });
    assert!(told, "the branch learns of it");
    branch.balances.insert(part(1), (8, 3));
    assert!(
        world
            .hub
            .check_head(branch.node, &branch.signed_head())
            .await
            .unwrap()
            .is_some()
    );
    world.verified().await;
}

#[tokio::test]
async fn stock_below_zero_is_accepted_and_shown_until_it_is_counted() {
    let mut world = World::new().await;
    let mut branch = world.branch("AAA").await;
    let lost = branch.movement(part(1), MovementKind::AdjustLost, 3);
    let entry = branch.tx(vec![lost]);
    branch.send(&world.hub, vec![entry]).await;
    assert_eq!(world.count("select on_hand from inventory.stock").await, -3);
    assert_eq!(
        world
            .count("select count(*) from audit.exception where kind = 'negative_stock'")
            .await,
        1
    );
    let found = branch.movement(part(1), MovementKind::AdjustFound, 5);
    let entry = branch.tx(vec![found]);
    branch.send(&world.hub, vec![entry]).await;
    assert_eq!(world.count("select count(*) from audit.exception").await, 0);
    world.verified().await;
}

#[tokio::test]
async fn reservations_hold_and_end_once() {
    let mut world = World::new().await;
    let mut branch = world.branch("AAA").await;
    let id = LineId::from_bytes([5; 16]);
    let opening = branch.movement(part(1), MovementKind::Opening, 10);
    let reserve = Item::Reserve(Reserve {
        id,
        part: part(1),
        quantity: 4,
    });
    let release = Item::Release(Release { reservation: id });
    let entries = vec![
        branch.tx(vec![opening]),
        branch.tx(vec![reserve.clone()]),
        branch.tx(vec![reserve]),
    ];
    branch.send(&world.hub, entries).await;
    assert_eq!(world.count("select reserved from inventory.stock").await, 4);
    let entries = vec![branch.tx(vec![release.clone()]), branch.tx(vec![release])];
    branch.send(&world.hub, entries).await;
    assert_eq!(world.count("select reserved from inventory.stock").await, 0);
    assert_eq!(
        world
            .count("select count(*) from audit.exception where kind = 'contradiction'")
            .await,
        2
    );
    world.verified().await;
}

fn lines(quantity: u32) -> Vec<TransferLine> {
    vec![TransferLine {
        part: part(1),
        quantity,
    }]
}

async fn plan(
    world: &World,
    from: &TestBranch,
    to: &TestBranch,
    id: TransferId,
    version: u32,
    state: PlanState,
) {
    let mut tx = world
        .hub
        .begin(Actor::SYSTEM, command::TRANSFER)
        .await
        .unwrap();
    let plan = Plan {
        id,
        from: from.branch,
        to: to.branch,
        lines: lines(5),
        version,
        state,
        reason: String::new(),
    };
    tx.fact(Item::Plan(plan));
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_transfer_moves_stock_from_leg_to_leg_and_every_piece_is_accounted_for() {
    let mut world = World::new().await;
    let (mut from, mut to) = (world.branch("AAA").await, world.branch("BBB").await);
    let third = world.branch("CCC").await;
    let id = TransferId::from_bytes([3; 16]);
    let (subject, line) = (*id.as_bytes(), *part(1).as_bytes());

    let request = TransferRequest {
        id,
        from: from.branch,
        to: to.branch,
        lines: lines(5),
        note: String::new(),
    };
    let entry = to.tx(vec![Item::TransferRequest(request)]);
    to.send(&world.hub, vec![entry]).await;
    assert!(
        from.private_items(&world.hub).await.is_empty(),
        "a request is the hub's until it has a plan"
    );
    plan(&world, &from, &to, id, 1, PlanState::Approved).await;

    let opening = from.movement(part(1), MovementKind::Opening, 10);
    let ship = from.movement_about(part(1), MovementKind::Ship, 5, subject, line, 0);
    let shipment = Item::Shipment(Shipment {
        transfer: id,
        lines: lines(5),
    });
    let entries = vec![from.tx(vec![opening]), from.tx(vec![shipment, ship])];
    from.send(&world.hub, entries).await;
    assert_eq!(
        world
            .count("select sum(in_transit)::bigint from inventory.stock")
            .await,
        5
    );

    let arrive = to.movement_about(part(1), MovementKind::Arrive, 3, subject, line, 1);
    let damaged = to.movement_about(part(1), MovementKind::ArriveDamaged, 1, subject, line, 1);
    let arrival = Item::Arrival(Arrival {
        transfer: id,
        number: 1,
        lines: vec![ArrivalLine {
            part: part(1),
            good: 3,
            damaged: 1,
            missing: 1,
        }],
    });
    let entry = to.tx(vec![arrival, arrive, damaged]);
    to.send(&world.hub, vec![entry]).await;
    assert_eq!(
        world
            .count("select count(*) from inventory.transfer where state = 'received_short'")
            .await,
        1
    );

    let mut tx = world
        .hub
        .begin(Actor::SYSTEM, command::TRANSFER)
        .await
        .unwrap();
    let lost =
        Movement::new(from.branch, part(1), MovementKind::TransitLost, 1).about(subject, line, 0);
    tx.fact(Item::Movement(lost));
    tx.commit().await.unwrap();
    assert_eq!(
        world
            .count("select count(*) from inventory.transfer where state = 'lost'")
            .await,
        1
    );

    let report = world.verify().await;
    assert!(report.ok, "{report:#?}");
    let total = report.conservation.total;
    assert_eq!(
        (
            total.opening,
            total.on_hand,
            total.in_transit,
            total.lost,
            total.scrapped
        ),
        (10, 8, 0, 1, 1)
    );

    let kinds = |items: Vec<Item>| items.iter().map(Item::kind).collect::<Vec<_>>();
    assert_eq!(
        kinds(from.private_items(&world.hub).await),
        vec![25, 27, 16],
        "plan, arrival, written off"
    );
    assert_eq!(
        kinds(to.private_items(&world.hub).await),
        vec![25, 26, 16],
        "plan, shipment, written off"
    );
    assert!(
        third.private_items(&world.hub).await.is_empty(),
        "nobody else hears of it"
    );

    let arrive = to.movement_about(part(1), MovementKind::Arrive, 1, subject, line, 2);
    let late = Item::Arrival(Arrival {
        transfer: id,
        number: 2,
        lines: vec![ArrivalLine {
            part: part(1),
            good: 1,
            damaged: 0,
            missing: 0,
        }],
    });
    let entry = to.tx(vec![late, arrive]);
    to.send(&world.hub, vec![entry]).await;
    let taken_back = "select count(*) from inventory.movement where kind = 13";
    world.until(taken_back, 1).await;
    assert_eq!(world.hub.take_back_found().await.unwrap(), 0, "once");
    let open = "select count(*) from audit.exception where kind = 'transfer_found'";
    assert_eq!(world.count(open).await, 0);
    let report = world.verify().await;
    assert!(report.ok, "{report:#?}");
    let total = report.conservation.total;
    assert_eq!(
        (total.on_hand, total.in_transit, total.lost),
        (9, 0, 0),
        "an arrival beats lost"
    );
}

#[tokio::test]
async fn only_the_ends_of_a_transfer_write_its_legs() {
    let mut world = World::new().await;
    let (from, to) = (world.branch("AAA").await, world.branch("BBB").await);
    let mut third = world.branch("CCC").await;
    let id = TransferId::from_bytes([3; 16]);
    plan(&world, &from, &to, id, 1, PlanState::Approved).await;
    let entry = third.tx(vec![Item::Shipment(Shipment {
        transfer: id,
        lines: lines(5),
    })]);
    third.send(&world.hub, vec![entry]).await;
    assert_eq!(world.count("select count(*) from sync.parked").await, 1);
    assert_eq!(
        world
            .count("select count(*) from inventory.transfer where state = 'approved'")
            .await,
        1
    );
    world.verified().await;
}

#[tokio::test]
async fn a_head_is_countersigned_only_when_log_and_stock_agree() {
    let mut world = World::new().await;
    let mut branch = world.branch("AAA").await;
    let opening = branch.movement(part(1), MovementKind::Opening, 10);
    let entry = branch.tx(vec![opening]);
    branch.send(&world.hub, vec![entry]).await;
    let head = branch.signed_head();
    let more = branch.movement(part(1), MovementKind::Receive, 1);
    let entry = branch.tx(vec![more]);
    branch.send(&world.hub, vec![entry]).await;
    let hub_key = world.hub.keys().node0.verifying_key().to_bytes();
    let seen = world
        .hub
        .check_head(branch.node, &head)
        .await
        .unwrap()
        .expect("the older head is right as well");
    assert!(seen.verify(&hub_key, &head.signature));

    branch.balances.insert(part(1), (12, 2));
    let wrong = branch.signed_head();
    assert!(
        world
            .hub
            .check_head(branch.node, &wrong)
            .await
            .unwrap()
            .is_none()
    );
    let mut forged = head.clone();
    forged.claim.tip.hash[0] ^= 1;
    assert!(
        world
            .hub
            .check_head(branch.node, &forged)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        world
            .count("select count(*) from sync.incident where kind = 'signed_head'")
            .await,
        2
    );
    world.verified().await;
}

#[tokio::test]
async fn availability_tells_what_reached_or_left_zero() {
    let mut world = World::new().await;
    let mut branch = world.branch("AAA").await;
    let other = world.branch("BBB").await;
    let opening = branch.movement(part(1), MovementKind::Opening, 10);
    let entry = branch.tx(vec![opening]);
    branch.send(&world.hub, vec![entry]).await;
    assert_eq!(world.hub.cut_availability(true).await.unwrap(), 1);
    let sold = branch.movement_about(part(1), MovementKind::Sell, 1, [9; 16], [9; 16], 0);
    let entry = branch.tx(vec![sold]);
    branch.send(&world.hub, vec![entry]).await;
    assert_eq!(world.hub.cut_availability(true).await.unwrap(), 0);
    assert_eq!(world.hub.cut_availability(false).await.unwrap(), 1);
    let entries = other.feed(&world.hub, FeedId::availability("north")).await;
    let quantities: Vec<i64> = entries
        .iter()
        .flat_map(|entry| &entry.items)
        .map(|(_, raw)| match Item::from_raw(raw).unwrap().unwrap() {
            Item::Availability(row) => row.quantity,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(quantities, vec![10, 9]);
    world.verified().await;
}
