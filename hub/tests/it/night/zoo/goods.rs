//! Pieces on shelves, set aside and on their way, and the orders that they were for.

use domain::id::TransferId;
use domain::stock::MovementKind;
use domain::transfer::{Plan, PlanState, Shipment, TransferLine};
use sync_protocol::item::Item;

use super::{green, only};
use crate::night::Yard;
use crate::night::shop::tell_items;
use crate::support::part;

#[tokio::test]
async fn stock_and_reserved() {
    let mut yard = Yard::closed().await;
    let branch = yard.berlin.id();
    let screen = part(1).to_string();
    let column = |by: i64| {
        format!("update inventory.stock set on_hand = on_hand + {by} where branch_id = '{branch}'")
    };
    yard.plant(&column(1), 1).await;
    only(&yard.night().await, "stock", "red", &[("part", &screen)]);
    yard.plant(&column(-1), 1).await;
    let movement = |quantity: i64| {
        format!(
            "update inventory.movement set quantity = {quantity}
        where branch_id = '{branch}' and quantity <> 1"
        )
    };
    yard.plant(&movement(6), 1).await;
    let bad = yard.night().await;
    only(
        &bad,
        "stock",
        "red",
        &[("digest", &yard.day.to_string()), ("part", &screen)],
    );
    yard.plant(&movement(5), 1).await;
    green(&yard).await;
    yard.berlin.lie = Some(|word| word.stock_digest[0] ^= 1);
    yard.berlin.say(&yard.world).await;
    only(
        &yard.night().await,
        "stock",
        "red",
        &[("digest", &yard.day.to_string())],
    );
    yard.berlin.say(&yard.world).await;
    yard.plant(
        &format!("update inventory.stock set reserved = reserved + 2 where branch_id = '{branch}'"),
        1,
    )
    .await;
    let bad = yard.night().await;
    only(&bad, "reserved", "red", &[("part", &screen)]);
    assert!(bad[0].details[0].starts_with("2 set aside"), "{bad:?}");
    yard.plant(
        &format!("update inventory.stock set reserved = 0 where branch_id = '{branch}'"),
        1,
    )
    .await;
    yard.plant(
        &format!(
            "insert into inventory.reservation values
        ('{branch}', '{branch}', '{screen}', 3, true, 0)"
        ),
        1,
    )
    .await;
    let bad = yard.night().await;
    only(&bad, "reserved", "red", &[("part", &screen)]);
    assert!(bad[0].details[0].contains("come to 3"), "{bad:?}");
}

/// Pieces that Berlin sends to Hamburg.
async fn ship(yard: &mut Yard, id: TransferId) {
    let lines = vec![TransferLine {
        part: part(1),
        quantity: 2,
    }];
    let (from, to) = (yard.berlin.id(), yard.hamburg.id());
    tell_items(
        &yard.world,
        vec![Item::Plan(Plan {
            id,
            from,
            to,
            lines: lines.clone(),
            version: 1,
            state: PlanState::Approved,
            reason: String::new(),
        })],
    )
    .await;
    let shipment = Item::Shipment(Shipment {
        transfer: id,
        lines,
    });
    let subject = *id.as_bytes();
    let out =
        yard.berlin
            .branch
            .movement_about(part(1), MovementKind::Ship, 2, subject, [0; 16], 0);
    yard.berlin.send(&yard.world, vec![shipment, out]).await;
}

#[tokio::test]
async fn transit() {
    let mut yard = Yard::trading().await;
    let id = TransferId::from_bytes([0x77; 16]);
    ship(&mut yard, id).await;
    yard.close().await;
    green(&yard).await;
    let name = id.to_string();
    let sent = |days: i64| {
        format!("update inventory.transfer set updated_ms = updated_ms - {days} * 86400000::bigint")
    };
    yard.plant(&sent(8), 1).await;
    only(
        &yard.night().await,
        "transit",
        "amber",
        &[("transfer", &name)],
    );
    yard.plant(&sent(20), 1).await;
    only(
        &yard.night().await,
        "transit",
        "red",
        &[("transfer", &name)],
    );
    yard.plant("create table kept as select * from inventory.transfer", 1)
        .await;
    yard.plant("delete from inventory.transfer", 1).await;
    let bad = yard.night().await;
    only(&bad, "transit", "red", &[("transfer", &name)]);
    assert!(bad[0].details[0].starts_with("2 pieces"), "{bad:?}");
    yard.plant("insert into inventory.transfer select * from kept", 1)
        .await;
    yard.plant(&sent(-28), 1).await;
    green(&yard).await;
    let branch = yard.berlin.id();
    yard.plant(
        &format!(
            "update inventory.stock set in_transit = in_transit - 1 where branch_id = '{branch}'"
        ),
        1,
    )
    .await;
    only(
        &yard.night().await,
        "transit",
        "red",
        &[("part", &part(1).to_string())],
    );
}

#[tokio::test]
async fn orders() {
    let mut yard = Yard::trading().await;
    let order = yard.berlin.collect(&yard.world, false).await;
    yard.close().await;
    let bad = yard.night().await;
    only(&bad, "orders", "red", &[("order", &order.to_string())]);
    assert_eq!(bad[0].amounts, [Some(2_000)]);
    yard.plant(
        &format!("update orders.repair_order set source = 'ords 1' where document = '{order}'"),
        1,
    )
    .await;
    green(&yard).await;
    yard.plant(&format!("update orders.repair_order set source = null, status = 'ready', promised_ms = 1 where document = '{order}'"), 1).await;
    let order = order.to_string();
    only(&yard.night().await, "orders", "amber", &[("order", &order)]);
}
