//! Transfers at both ends, and settings of a part: what leaves, what arrives, and that no piece is lost on the way.

use std::collections::BTreeSet;

use domain::id::{BranchId, TransferId};
use domain::patch::Patch;
use domain::stock::{Conservation, Movement, MovementKind};
use domain::transfer::{Plan, PlanState, Shipment, TransferLine, TransferState};
use edge_node::app::stock::{self, StockSettings};
use edge_node::app::transfer::{
    ArrivalInput, LineInput, ReceiveInput, ShipInput, TransferInput, receive, request, ship,
};
use edge_node::error::AppError;
use edge_node::store::Store;
use serde_json::json;
use sync_protocol::feed::FeedId;
use sync_protocol::item::Item;
use web_kit::etag::IfMatch;
use web_kit::list::ListQuery;

use crate::app_support::*;
use crate::support::{ACTOR, BRANCH, HubFeed, apply, part};

pub fn plan(id: TransferId, from: BranchId, to: BranchId, quantity: u32) -> Item {
    let lines = vec![TransferLine {
        part: part(1),
        quantity,
    }];
    Item::Plan(Plan {
        id,
        from,
        to,
        lines,
        version: 1,
        state: PlanState::Approved,
        reason: String::new(),
    })
}

fn lines(quantity: i64) -> Vec<LineInput> {
    vec![LineInput {
        sku: "SCR-1".to_owned(),
        quantity,
    }]
}

fn arrived(quantity: i64, damaged: i64, missing: i64) -> ReceiveInput {
    ReceiveInput {
        lines: Some(vec![ArrivalInput {
            sku: "SCR-1".to_owned(),
            quantity,
            damaged,
            missing,
        }]),
    }
}

/// The terms of the ledger of one part, as both branches' movements say.
fn conservation(store: &Store) -> Conservation {
    let page = ListQuery {
        limit: 500,
        cursor: None,
    };
    let movements = store
        .read_blocking(|reader| stock::movements(reader, &ACTOR, "SCR-1", &page))
        .unwrap();
    let movement =
        |shown: &stock::Movement| Movement::new(BRANCH, part(1), shown.kind, shown.quantity);
    Conservation::of(&movements.items.iter().map(movement).collect::<Vec<_>>())
}

#[test]
fn the_source_ships_what_is_free_and_only_once() {
    let (branch, store, _) = shop();
    by_hand(&store, "SCR-1", MovementKind::Opening, 5).unwrap();
    let id = TransferId::from_bytes([3; 16]);
    let mut hub = HubFeed::new(FeedId::private(BRANCH));
    apply(&store, hub.block(&[vec![plan(id, BRANCH, MUNICH, 6)]]));
    let send = |input: ShipInput| act(&store, move |tx, actor| ship(tx, actor, id, input));
    let short = send(ShipInput::default()).unwrap_err();
    assert_eq!(conflict(&short, "free"), ("short-of-stock", json!(5)));
    let many = send(ShipInput {
        lines: Some(lines(7)),
    })
    .unwrap_err();
    assert_eq!(pointers(&many), ["/lines/0/quantity"]);
    let wrong = LineInput {
        sku: "FAN-3".to_owned(),
        quantity: 1,
    };
    assert_eq!(
        pointers(
            &send(ShipInput {
                lines: Some(vec![wrong])
            })
            .unwrap_err()
        ),
        ["/lines/0/sku"]
    );
    assert_eq!(
        pointers(
            &send(ShipInput {
                lines: Some(Vec::new())
            })
            .unwrap_err()
        ),
        ["/lines"]
    );
    let sent = send(ShipInput {
        lines: Some(lines(4)),
    })
    .unwrap();
    assert_eq!(
        (sent.state, sent.lines[0].shipped, sent.lines[0].in_transit),
        (TransferState::Shipped, 4, 4)
    );
    assert_eq!(stock_of(&store, "SCR-1").on_hand, 1);
    let again = send(ShipInput {
        lines: Some(lines(1)),
    })
    .unwrap_err();
    assert_eq!(
        conflict(&again, "state"),
        ("transfer-state", json!("shipped"))
    );
    let here = act(&store, move |tx, actor| {
        receive(tx, actor, id, arrived(4, 0, 0))
    })
    .unwrap_err();
    assert_eq!(conflict(&here, "").0, "other-branch");
    let sums = conservation(&store);
    assert_eq!(
        (sums.on_hand, sums.in_transit, sums.balanced()),
        (1, 4, true)
    );
    assert_verifies(&branch, store);
}

#[test]
fn the_destination_takes_in_good_damaged_and_missing() {
    let (branch, store, _) = shop();
    let input = TransferInput {
        from: "MUC".to_owned(),
        to: None,
        lines: lines(6),
        note: "for the week".to_owned(),
    };
    let asked = act(&store, |tx, actor| request(tx, actor, input)).unwrap();
    assert_eq!(
        (asked.state, asked.to.as_str()),
        (TransferState::Requested, "BER")
    );
    let id = asked.id;
    let mut hub = HubFeed::new(FeedId::private(BRANCH));
    apply(&store, hub.block(&[vec![plan(id, MUNICH, BRANCH, 6)]]));
    let take = |input: ReceiveInput| act(&store, move |tx, actor| receive(tx, actor, id, input));
    assert_eq!(
        conflict(&take(arrived(1, 0, 0)).unwrap_err(), "state").1,
        json!("approved")
    );
    let shipped = Shipment {
        transfer: id,
        lines: vec![TransferLine {
            part: part(1),
            quantity: 6,
        }],
    };
    apply(&store, hub.block(&[vec![Item::Shipment(shipped)]]));
    assert_eq!(stock_of(&store, "SCR-1").in_transit, 6);

    assert_eq!(
        pointers(&take(arrived(5, 2, 0)).unwrap_err()),
        ["/lines/0/quantity"]
    );
    assert_eq!(
        pointers(&take(arrived(3, 1, 3)).unwrap_err()),
        ["/lines/0/missing"]
    );
    assert_eq!(
        pointers(&take(arrived(0, 0, 0)).unwrap_err()),
        ["/lines/0/quantity"]
    );
    assert_eq!(
        pointers(&take(arrived(-1, 0, 0)).unwrap_err()),
        ["/lines/0/quantity"]
    );
    let first = take(arrived(3, 1, 2)).unwrap();
    assert_eq!(first.state, TransferState::ReceivedShort);
    let line = &first.lines[0];
    assert_eq!(
        (line.received, line.damaged, line.missing, line.in_transit),
        (3, 1, 2, 2)
    );
    let row = stock_of(&store, "SCR-1");
    assert_eq!((row.on_hand, row.in_transit), (3, 2));
    let rest = take(ReceiveInput::default()).unwrap();
    assert_eq!(
        (rest.state, rest.lines[0].in_transit),
        (TransferState::Received, 0)
    );
    assert_eq!(
        conflict(&take(arrived(1, 0, 0)).unwrap_err(), "state").1,
        json!("received")
    );
    assert_eq!(stock_of(&store, "SCR-1").on_hand, 5);
    // The other branch sent six: with them the equation holds.
    let mut sums = conservation(&store);
    assert_eq!((sums.on_hand, sums.scrapped, sums.in_transit), (5, 1, -6));
    sums.add(&Movement::new(MUNICH, part(1), MovementKind::Opening, 6));
    sums.add(&Movement::new(MUNICH, part(1), MovementKind::Ship, 6));
    assert_eq!((sums.in_transit, sums.balanced()), (0, true));
    assert_verifies(&branch, store);
}

#[test]
fn a_request_needs_known_branches_and_parts() {
    let (branch, store, _) = shop();
    let ask = |from: &str, to: Option<&str>, lines: Vec<LineInput>| {
        let input = TransferInput {
            from: from.to_owned(),
            to: to.map(str::to_owned),
            lines,
            note: String::new(),
        };
        pointers(&act(&store, |tx, actor| request(tx, actor, input)).unwrap_err())
    };
    assert_eq!(ask("XYZ", None, lines(1)), ["/from"]);
    assert_eq!(ask("BER", None, lines(1)), ["/to"]);
    assert_eq!(ask("MUC", Some("POT"), lines(1)), ["/to"]);
    assert_eq!(ask("MUC", None, Vec::new()), ["/lines"]);
    assert_eq!(ask("MUC", None, lines(0)), ["/lines/0/quantity"]);
    assert_eq!(
        ask("MUC", None, [lines(1), lines(2)].concat()),
        ["/lines/1/sku"]
    );
    let unknown = LineInput {
        sku: "NOPE".to_owned(),
        quantity: 1,
    };
    assert_eq!(ask("MUC", None, vec![unknown]), ["/lines/0/sku"]);
    assert_verifies(&branch, store);
}

#[test]
fn settings_of_a_part_are_one_document() {
    let (branch, store, _) = shop();
    let set = |settings: StockSettings| {
        act(&store, move |tx, actor| {
            stock::set(tx, actor, "SCR-1", &IfMatch::default(), settings)
        })
    };
    let shelf = StockSettings {
        bin: Patch::Set("A-3".to_owned()),
        reorder_point: Patch::Set(4),
        barcodes: Some(BTreeSet::from(["999".to_owned()])),
        ..StockSettings::default()
    };
    let row = set(shelf).unwrap();
    assert_eq!(
        (row.bin.as_deref(), row.reorder_point),
        (Some("A-3"), Some(4))
    );
    let moved = set(StockSettings {
        bin: Patch::Clear,
        ..StockSettings::default()
    })
    .unwrap();
    assert_eq!((moved.bin, moved.reorder_point), (None, Some(4)));
    let found = store
        .read_blocking(|reader| stock::get(reader, &ACTOR, "999"))
        .unwrap();
    assert_eq!(found.sku, "SCR-1");
    let wrong = StockSettings {
        reorder_point: Patch::Set(-1),
        ..StockSettings::default()
    };
    assert_eq!(pointers(&set(wrong).unwrap_err()), ["/reorder_point"]);
    let nothing = act(&store, |tx, actor| {
        stock::set(
            tx,
            actor,
            "NOPE",
            &IfMatch::default(),
            StockSettings::default(),
        )
    });
    assert!(matches!(nothing, Err(AppError::NotFound { .. })));
    assert_verifies(&branch, store);
}

#[test]
fn movements_by_hand_keep_reason_and_reference() {
    let (branch, store, _) = shop();
    let input = stock::MovementInput {
        kind: MovementKind::Receive,
        quantity: 3,
        reason: Some("delivery".to_owned()),
        reference: Some("DN-17".to_owned()),
    };
    let movement = act(&store, |tx, actor| {
        stock::move_by_hand(tx, actor, "FAN-3", input)
    })
    .unwrap();
    assert_eq!(
        (movement.reason.as_deref(), movement.reference.as_deref()),
        (Some("delivery"), Some("DN-17"))
    );
    assert_eq!(
        (movement.balance_after, movement.staff_id),
        (3, Some(ACTOR.staff))
    );
    assert_eq!(
        pointers(&by_hand(&store, "FAN-3", MovementKind::Sell, 1).unwrap_err()),
        ["/kind"]
    );
    assert_eq!(
        pointers(&by_hand(&store, "FAN-3", MovementKind::Ship, 0).unwrap_err()),
        ["/kind", "/quantity"]
    );
    assert_verifies(&branch, store);
}
